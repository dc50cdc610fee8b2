//! Under which names a run folder keeps the configuration: every legal file name has one, and no two share it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use crate::publish::ConfigCopy;

/// Names for copies of `files`, in the order of their paths as seen from `home`, the job file's folder.
///
/// A file below `home` keeps its folders, one from elsewhere its name only. Characters other than letters, digits, `.`, `_` and `-` become
/// `_`. Where two names are then equal, or one begins with a dot, a number tells them apart: `policy.toml`, `policy-2.toml`.
#[must_use]
pub fn config_copies(home: &Path, files: &BTreeSet<&Path>) -> Vec<ConfigCopy> {
    let home = if home == Path::new(".") { Path::new("") } else { home };
    let mut seen: BTreeMap<String, &Path> = BTreeMap::new();
    for file in files {
        seen.insert(seen_from(home, file), *file);
    }
    let mut taken = BTreeSet::new();
    let mut copies = Vec::new();
    for (source, file) in seen {
        let inside = file.strip_prefix(home).ok().filter(|f| f.components().all(|c| matches!(c, Component::Normal(_))));
        let parts: Vec<String> = match inside {
            Some(inside) => inside.components().map(|c| plain(&c.as_os_str().to_string_lossy())).collect(),
            None => file.file_name().map(|name| plain(&name.to_string_lossy())).into_iter().collect(),
        };
        let wanted = format!("config/{}", parts.join("/"));
        let free = (1..=u32::MAX).map(|n| numbered(&wanted, n)).find(|name| !taken.contains(&name.to_lowercase()));
        let path = free.unwrap_or(wanted);
        // Some file systems take `A` and `a` for one name.
        taken.insert(path.to_lowercase());
        copies.push(ConfigCopy { path, source });
    }
    copies
}

/// A path from a folder to a file, with `..` where it lies elsewhere.
#[must_use]
pub fn seen_from(home: &Path, file: &Path) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (home.components().collect(), file.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).filter(|c| **c != Component::CurDir).map(|_| "..".to_owned());
    let down = to.iter().skip(shared).map(|c| c.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

fn plain(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    if name.starts_with('.') { format!("_{name}") } else { name }
}

/// `a/b.toml`, `a/b-2.toml`, `a/b-3.toml` …
fn numbered(path: &str, number: u32) -> String {
    if number == 1 {
        return path.to_owned();
    }
    let name_at = path.rfind('/').map_or(0, |at| at + 1);
    match path.rfind('.').filter(|dot| *dot > name_at) {
        Some(dot) => format!("{}-{number}{}", path.get(..dot).unwrap_or(path), path.get(dot..).unwrap_or("")),
        None => format!("{path}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(home: &str, files: &[&str]) -> Vec<(String, String)> {
        let files: BTreeSet<&Path> = files.iter().map(Path::new).collect();
        config_copies(Path::new(home), &files).into_iter().map(|c| (c.source, c.path)).collect()
    }

    #[test]
    fn any_name_gets_a_plain_one_and_two_of_one_name_are_told_apart() {
        let found = names(
            "/jobs/demo",
            &[
                "/jobs/demo/job.toml",
                "/jobs/demo/my features.toml",
                "/jobs/demo/my_features.toml",
                "/jobs/demo/sources/订单.sql",
                "/jobs/demo/.hidden.toml",
                "/jobs/a/rules.toml",
                "/jobs/b/rules.toml",
                "/jobs/b/Rules.toml",
                "/jobs/b/rules",
            ],
        );
        let expected = [
            ("../a/rules.toml", "config/rules.toml"),
            ("../b/Rules.toml", "config/Rules-2.toml"),
            ("../b/rules", "config/rules"),
            ("../b/rules.toml", "config/rules-3.toml"),
            (".hidden.toml", "config/_.hidden.toml"),
            ("job.toml", "config/job.toml"),
            ("my features.toml", "config/my_features.toml"),
            ("my_features.toml", "config/my_features-2.toml"),
            ("sources/订单.sql", "config/sources/__.sql"),
        ];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn names_do_not_depend_on_where_the_job_lies() {
        let here = names("/x/jobs", &["/x/jobs/job.toml", "/x/shared/job.toml"]);
        let there =
            names("/elsewhere/deep/jobs", &["/elsewhere/deep/jobs/job.toml", "/elsewhere/deep/shared/job.toml"]);
        assert_eq!(here, there);
        assert_eq!(names("jobs", &["jobs/job.toml", "../policy.toml"]).len(), 2);
    }
}
