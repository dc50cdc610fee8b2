//! Finds an input's files: a small glob below the data folder.
//!
//! `?` is one character and `*` any number of characters within one path segment; `**` is any number of folders.

use std::path::{Path, PathBuf};

use super::error::SourceError;

/// A file below the data folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Path below the data folder, with `/` between segments.
    pub relative: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// Files below `folder` that match `pattern`, sorted by relative path. Hidden files are passed over unless named.
pub(crate) fn find(folder: &Path, pattern: &str) -> Result<Vec<Found>, SourceError> {
    let segments: Vec<&str> = pattern.split('/').filter(|s| !s.is_empty() && *s != ".").collect();
    let mut found = Vec::new();
    descend(folder, "", &segments, &mut found)?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn descend(folder: &Path, prefix: &str, segments: &[&str], found: &mut Vec<Found>) -> Result<(), SourceError> {
    let Some((&segment, rest)) = segments.split_first() else { return Ok(()) };
    if segment == "**" {
        descend(folder, prefix, rest, found)?;
    }
    let io = |e: std::io::Error| SourceError::Io { file: folder.to_owned(), why: e.to_string() };
    let mut entries = std::fs::read_dir(folder)
        .map_err(io)?
        .map(|entry| entry.map(|e| (e.file_name().to_string_lossy().into_owned(), e.path())))
        .collect::<Result<Vec<_>, _>>()
        .map_err(io)?;
    entries.sort();
    for (name, path) in entries {
        let relative = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if segment == "**" {
            if path.is_dir() && !name.starts_with('.') {
                descend(&path, &relative, segments, found)?;
            }
        } else if matches(segment, &name) {
            if rest.is_empty() {
                if path.is_file() {
                    found.push(Found { relative, path });
                }
            } else if path.is_dir() {
                descend(&path, &relative, rest, found)?;
            }
        }
    }
    Ok(())
}

fn matches(segment: &str, name: &str) -> bool {
    if name.starts_with('.') && !segment.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (segment.chars().collect(), name.chars().collect());
    wildcard(&pattern, &name)
}

fn wildcard(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((&'*', rest)) => (0..=name.len()).any(|skip| name.get(skip..).is_some_and(|tail| wildcard(rest, tail))),
        Some((&'?', rest)) => name.split_first().is_some_and(|(_, tail)| wildcard(rest, tail)),
        Some((c, rest)) => name.split_first().is_some_and(|(n, tail)| n == c && wildcard(rest, tail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_wildcards() {
        assert!(matches("orders*.csv", "orders_2018.csv"));
        assert!(matches("orders?.csv", "orders1.csv"));
        assert!(!matches("orders?.csv", "orders.csv"));
        assert!(!matches("*", ".hidden"));
        assert!(!matches("orders.csv", "orders.csv.bak"));
    }

    #[test]
    fn finds_files_at_any_depth_in_a_stable_order() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.parquet", "a.parquet", "dt=1/c.parquet", "dt=1/x/d.parquet", "dt=1/e.csv"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let names = |pattern| -> Vec<String> {
            find(folder.path(), pattern).unwrap().into_iter().map(|f| f.relative).collect()
        };
        assert_eq!(names("*.parquet"), ["a.parquet", "b.parquet"]);
        assert_eq!(names("**/*.parquet"), ["a.parquet", "b.parquet", "dt=1/c.parquet", "dt=1/x/d.parquet"]);
        assert_eq!(names("dt=*/*.csv"), ["dt=1/e.csv"]);
        assert!(names("nothing.csv").is_empty());
    }
}
