//! Finds an input's files below the data folder.
//!
//! `?` is one character and `*` any number of characters within one path segment, `**` any number of folders, `[ab]` one of several
//! characters, `{a,b}` one of several texts. Hidden files and folders are passed over unless a segment of the pattern begins with a dot.
//! Links are followed; each real file is found once, and a link that leads back to a folder above it is not followed.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::error::SourceError;
use super::sender_digest;

/// A file below the data folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Path below the data folder, with `/` between segments.
    pub relative: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// Files below `folder` that match any of the patterns, each once, sorted by relative path.
pub(crate) fn find_all(folder: &Path, patterns: &[String]) -> Result<Vec<Found>, SourceError> {
    let mut all = Vec::new();
    for pattern in patterns {
        all.extend(find(folder, pattern)?);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// Whether any of the patterns means a path below the data folder, be there a file or not. One that cannot be read means none.
pub(crate) fn meant_by(patterns: &[String]) -> impl Fn(&str) -> bool + use<> {
    let globs: Vec<GlobMatcher> = patterns.iter().filter_map(|pattern| matcher(pattern).ok()).collect();
    move |path| globs.iter().any(|glob| glob.is_match(path))
}

fn segments_of(pattern: &str) -> Vec<&str> {
    pattern.split('/').filter(|s| !s.is_empty() && *s != ".").collect()
}

fn matcher(pattern: &str) -> Result<GlobMatcher, SourceError> {
    let bad = |why: String| SourceError::BadPattern { pattern: pattern.to_owned(), why };
    let glob = GlobBuilder::new(&segments_of(pattern).join("/"))
        .literal_separator(true)
        .empty_alternates(true)
        .build()
        .map_err(|e| bad(e.kind().to_string()))?;
    Ok(glob.compile_matcher())
}

/// Files below `folder` that match `pattern`, sorted by relative path. Statements of digests (`.sha256`) are never data.
pub(crate) fn find(folder: &Path, pattern: &str) -> Result<Vec<Found>, SourceError> {
    let segments = segments_of(pattern);
    let glob = matcher(pattern)?;
    let is_fixed = |segment: &&&str| !segment.contains(['*', '?', '[', ']', '{', '}', '\\']);
    let fixed: PathBuf = segments.iter().take(segments.len().saturating_sub(1)).take_while(is_fixed).collect();
    let begin = folder.join(&fixed);
    if !begin.is_dir() {
        return Ok(Vec::new());
    }
    let takes_hidden = segments.iter().any(|segment| segment.starts_with('.'));
    let mut walk = WalkDir::new(&begin).follow_links(true).sort_by_file_name();
    if !segments.contains(&"**") && !pattern.contains('{') {
        walk = walk.max_depth(segments.len() - fixed.components().count());
    }
    let entries = walk.into_iter().filter_entry(|entry| {
        let is_hidden = entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
        takes_hidden || !is_hidden
    });
    // By the real file: the path that goes through no link, else the first.
    let mut by_file: BTreeMap<PathBuf, Found> = BTreeMap::new();
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) if e.loop_ancestor().is_some() => continue,
            // A link to nothing.
            Err(e) if e.io_error().is_some_and(|e| e.kind() == ErrorKind::NotFound) => continue,
            Err(e) => {
                let file = e.path().unwrap_or(&begin).to_owned();
                return Err(SourceError::Io { file, why: e.to_string() });
            }
        };
        let Ok(below) = entry.path().strip_prefix(folder) else { continue };
        let relative = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        if !entry.file_type().is_file() || sender_digest::is_statement(&relative) || !glob.is_match(below) {
            continue;
        }
        let path = entry.path().to_owned();
        let io = |e: std::io::Error| SourceError::Io { file: path.clone(), why: e.to_string() };
        let real = path.canonicalize().map_err(io)?;
        let is_real = real.ends_with(below);
        let found = Found { relative, path };
        match by_file.get_mut(&real) {
            Some(before) if is_real && !real.ends_with(&before.relative) => *before = found,
            Some(_) => {}
            None => {
                by_file.insert(real, found);
            }
        }
    }
    let mut found: Vec<Found> = by_file.into_values().collect();
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        folder
    }

    fn names(folder: &tempfile::TempDir, pattern: &str) -> Vec<String> {
        find(folder.path(), pattern).unwrap().into_iter().map(|f| f.relative).collect()
    }

    #[test]
    fn finds_files_at_any_depth_in_a_stable_order() {
        let folder =
            folder(&["b.parquet", "a.parquet", "dt=1/c.parquet", "dt=1/x/d.parquet", "dt=1/e.csv", "dt=2/c.parquet"]);
        assert_eq!(names(&folder, "*.parquet"), ["a.parquet", "b.parquet"]);
        let all = ["a.parquet", "b.parquet", "dt=1/c.parquet", "dt=1/x/d.parquet", "dt=2/c.parquet"];
        assert_eq!(names(&folder, "**/*.parquet"), all);
        assert_eq!(names(&folder, "./dt=*/*.csv"), ["dt=1/e.csv"]);
        assert_eq!(names(&folder, "dt=1/**/*.parquet"), ["dt=1/c.parquet", "dt=1/x/d.parquet"]);
        assert_eq!(names(&folder, "{a,b}.parquet"), ["a.parquet", "b.parquet"]);
        assert_eq!(names(&folder, "dt=[12]/?.parquet"), ["dt=1/c.parquet", "dt=2/c.parquet"]);
        assert_eq!(names(&folder, "{a,dt=1/x/d}.parquet"), ["a.parquet", "dt=1/x/d.parquet"]);
        assert_eq!(names(&folder, "dt=1/e.csv"), ["dt=1/e.csv"]);
        assert!(names(&folder, "nothing.csv").is_empty());
        assert!(names(&folder, "nowhere/*.csv").is_empty());
        assert!(matches!(find(folder.path(), "orders[.csv"), Err(SourceError::BadPattern { .. })));
    }

    #[test]
    fn a_path_is_meant_whether_or_not_there_is_a_file() {
        let is_meant = meant_by(&["./dt=*/*.csv".to_owned(), "a.parquet".to_owned(), "orders[.csv".to_owned()]);
        assert!(is_meant("dt=1/e.csv") && is_meant("a.parquet"));
        assert!(!is_meant("dt=1/x/e.csv") && !is_meant("b.parquet"));
    }

    #[test]
    fn hidden_files_and_statements_are_no_data() {
        let folder = folder(&["a.csv", "a.csv.sha256", ".b.csv", ".tmp/c.csv", "a.csv.bak"]);
        assert_eq!(names(&folder, "**/*"), ["a.csv", "a.csv.bak"]);
        assert_eq!(names(&folder, "a.csv*"), ["a.csv", "a.csv.bak"]);
        assert_eq!(names(&folder, ".tmp/*.csv"), [".tmp/c.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_in_circles_are_cut_and_each_file_is_found_once() {
        use std::os::unix::fs::symlink;
        let folder = folder(&["data/one/a.csv", "data/two/b.csv"]);
        let data = folder.path().join("data");
        symlink(&data, data.join("one/back")).unwrap();
        symlink(data.join("two"), data.join("one/across")).unwrap();
        symlink(data.join("one"), data.join("two/across")).unwrap();
        symlink(data.join("one/a.csv"), data.join("again.csv")).unwrap();
        symlink(data.join("gone.csv"), data.join("dangling.csv")).unwrap();
        let found: Vec<_> = find(&data, "**/*.csv").unwrap().into_iter().map(|f| f.relative).collect();
        assert_eq!(found, ["one/a.csv", "two/b.csv"]);
        let found: Vec<_> = find(&data, "again.csv").unwrap().into_iter().map(|f| f.relative).collect();
        assert_eq!(found, ["again.csv"], "a link alone is found under its own name");
    }
}
