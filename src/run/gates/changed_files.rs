//! Files of earlier nights that hold other bytes tonight. What was told of days past is told otherwise: that may be a correction, and stops nothing; but a promise or an
//! outcome that is rewritten where it stands shows in no count of rows, and whoever reads the results has to know of it.

use std::collections::{BTreeMap, BTreeSet};

use super::column_gates::FilesBefore;
use super::gone_files::tables_of;
use crate::run::table_files::TableFiles;
use crate::source::{InputFile, SourceSettings};

/// What is told of such files.
pub(in crate::run) const HELD_OTHER_BYTES: &str = " held other bytes on the night before";

/// Files that the night before had under the same path with other bytes, by table: of an input of which most files stand as they did, but for the last of those by path,
/// which may grow until its period is over. Where most are written anew every night, none of them is a record of days past.
pub(in crate::run) fn changed_files(
    job: &SourceSettings,
    tonight: &[InputFile],
    before: &FilesBefore,
) -> Vec<TableFiles> {
    let mut by_input: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    for file in tonight.iter().filter(|file| before.digests.contains_key(&file.path)) {
        by_input.entry(&file.input).or_default().insert(&file.path, before.has(file));
    }
    let mut by_table: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (input, files) in by_input {
        let standing = files.values().filter(|stands| **stands).count();
        if standing * 2 <= files.len() {
            continue;
        }
        let last = files.keys().next_back().copied();
        let changed = files.iter().filter(|(path, stands)| !**stands && Some(**path) != last).map(|(path, _)| *path);
        let changed: BTreeSet<&str> = changed.collect();
        for table in tables_of(job, input).into_iter().filter(|_| !changed.is_empty()) {
            by_table.entry(table).or_default().extend(&changed);
        }
    }
    TableFiles::by_table(by_table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;
    use crate::source::{InputSpec, SourcePart, SourceSpec};

    fn told(before: &[(&str, &str)], tonight: &[(&str, &str)]) -> Vec<String> {
        let part = SourcePart {
            table: "disputes",
            filter: None,
            from: "complaints".to_owned(),
            sql: None,
            keyed_by: BTreeMap::new(),
            max_whole_rows: 1,
        };
        let input = InputSpec { files: vec!["*.csv".to_owned()], ..InputSpec::default() };
        let job = SourceSettings {
            data: "data".into(),
            inputs: BTreeMap::from([("complaints".to_owned(), input)]),
            sources: vec![SourceSpec { table: "disputes", parts: vec![part] }],
        };
        let file = |(path, content): &(&str, &str)| InputFile {
            input: "complaints".to_owned(),
            path: (*path).to_owned(),
            sha256: Digest::of(content.as_bytes()),
            bytes: 1,
            raw_rows: 5,
            is_verified: false,
        };
        let digests = before.iter().map(|known| (known.0.to_owned(), file(known).sha256)).collect();
        let tonight: Vec<InputFile> = tonight.iter().map(file).collect();
        let changed = changed_files(&job, &tonight, &FilesBefore { digests, gaps: None });
        changed.iter().map(|files| format!("{files}{HELD_OTHER_BYTES}")).collect()
    }

    #[test]
    fn a_file_of_days_past_with_other_bytes_is_told() {
        let before = [("1.csv", "a"), ("2.csv", "b"), ("3.csv", "c"), ("4.csv", "d"), ("5.csv", "e")];
        let with = |changed: &[(&'static str, &'static str)]| {
            let now = |known: (&'static str, &'static str)| {
                changed.iter().find(|(path, _)| *path == known.0).copied().unwrap_or(known)
            };
            before.map(now).into_iter().chain([("6.csv", "new")]).collect::<Vec<_>>()
        };
        assert_eq!(told(&before, &with(&[])), Vec::<String>::new());
        assert_eq!(told(&before, &with(&[("2.csv", "B")])), ["disputes: 2.csv held other bytes on the night before"]);
        let two = with(&[("2.csv", "B"), ("3.csv", "C")]);
        assert_eq!(told(&before, &two), ["disputes: 2.csv and 1 more held other bytes on the night before"]);
        assert_eq!(told(&before, &with(&[("5.csv", "e, f")])), Vec::<String>::new(), "the last one grows");
        let most = with(&[("1.csv", "A"), ("2.csv", "B"), ("3.csv", "C"), ("4.csv", "D")]);
        assert_eq!(told(&before, &most), Vec::<String>::new(), "they are written anew every night");
    }
}
