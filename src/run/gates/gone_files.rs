//! Files that the night before was made from and that are gone: what they told would count no more, and where there are many files, no share of rows or
//! bytes shows that a small one of them is missing.

use std::collections::{BTreeMap, BTreeSet};

use super::column_gates::FilesBefore;
use crate::domain::Digest;
use crate::source::{InputFile, SourceSettings, meant_by};
use crate::wash::JOINED;

/// Names of files that are told.
const NAMED: usize = 3;

/// Files of the night before that are gone, by contract table; under [`JOINED`] those of inputs that no table is made from, row by row.
///
/// A file that has another name tonight is not gone: some file has its bytes. Neither are those of an input of which no file stands as it did: a sender who
/// sends everything anew every night, under names of the day, takes nothing back.
pub(in crate::run) fn gone_files<'a>(
    job: &SourceSettings,
    tonight: &[InputFile],
    before: &'a FilesBefore,
) -> BTreeMap<&'static str, BTreeSet<&'a str>> {
    let paths: BTreeSet<&str> = tonight.iter().map(|file| file.path.as_str()).collect();
    let digests: BTreeSet<Digest> = tonight.iter().map(|file| file.sha256).collect();
    let gone: Vec<&str> = before
        .digests
        .iter()
        .filter(|(path, digest)| !paths.contains(path.as_str()) && !digests.contains(*digest))
        .map(|(path, _)| path.as_str())
        .collect();
    let mut by_table: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    if gone.is_empty() {
        return by_table;
    }
    let standing: BTreeSet<&str> =
        tonight.iter().filter(|file| before.has(file)).map(|file| file.input.as_str()).collect();
    for (input, spec) in job.inputs.iter().filter(|(input, _)| standing.contains(input.as_str())) {
        let is_meant = meant_by(&spec.files);
        for path in gone.iter().copied().filter(|path| is_meant(path)) {
            for table in tables_of(job, input) {
                by_table.entry(table).or_default().insert(path);
            }
        }
    }
    by_table
}

/// Contract tables whose rows are accounted for by those of the input.
pub(in crate::run) fn tables_of(job: &SourceSettings, input: &str) -> BTreeSet<&'static str> {
    let parts = job.sources.iter().flat_map(|source| &source.parts);
    let mut tables: BTreeSet<&'static str> = parts.filter(|part| part.from == input).map(|part| part.table).collect();
    if tables.is_empty() {
        tables.insert(JOINED);
    }
    tables
}

/// How many files are gone, and the first of them.
pub(in crate::run) fn told(files: &BTreeSet<&str>) -> String {
    let named: Vec<&str> = files.iter().copied().take(NAMED).collect();
    let (word, names) = (if files.len() == 1 { "file is" } else { "files are" }, named.join(", "));
    match files.len() - named.len() {
        0 => format!("{} {word} gone: {names}", files.len()),
        more => format!("{} {word} gone: {names} and {more} more", files.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{InputSpec, SourcePart, SourceSpec};

    /// Disputes are made of one input, to which clerks are joined.
    fn job() -> SourceSettings {
        let input = |name: &str| {
            let files = vec![format!("{name}/**/*.csv")];
            (name.to_owned(), InputSpec { files, ..InputSpec::default() })
        };
        let part = SourcePart {
            table: "disputes",
            filter: None,
            from: "complaints".to_owned(),
            sql: None,
            keyed_by: BTreeMap::new(),
            max_whole_rows: 1,
        };
        SourceSettings {
            data: "data".into(),
            inputs: BTreeMap::from([input("complaints"), input("clerks")]),
            sources: vec![SourceSpec { table: "disputes", parts: vec![part] }],
        }
    }

    /// Files by path, each with what it holds; the folder is the input.
    fn files(files: &[(&str, &str)]) -> Vec<InputFile> {
        let file = |(path, content): &(&str, &str)| InputFile {
            input: path.split('/').next().unwrap().to_owned(),
            path: (*path).to_owned(),
            sha256: Digest::of(content.as_bytes()),
            bytes: 1,
            raw_rows: 5,
            is_verified: false,
        };
        files.iter().map(file).collect()
    }

    fn gone(before: &[(&str, &str)], tonight: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let digests = files(before).into_iter().map(|file| (file.path, file.sha256)).collect();
        let before = FilesBefore { digests, gaps: None };
        gone_files(&job(), &files(tonight), &before).into_iter().map(|(table, files)| (table, told(&files))).collect()
    }

    #[test]
    fn a_file_that_is_gone_is_told_where_others_of_its_input_stand() {
        let before = [("complaints/1.csv", "a"), ("complaints/2.csv", "b"), ("clerks/1.csv", "c")];
        assert_eq!(gone(&before, &before), []);
        let without = [("complaints/1.csv", "a"), ("complaints/3.csv", "new"), ("clerks/1.csv", "c")];
        assert_eq!(gone(&before, &without), [("disputes", "1 file is gone: complaints/2.csv".to_owned())]);
        let renamed = [("complaints/1.csv", "a"), ("complaints/old/2.csv", "b"), ("clerks/1.csv", "c")];
        assert_eq!(gone(&before, &renamed), []);
        let written_anew = [("complaints/1.csv", "a"), ("complaints/2.csv", "changed"), ("clerks/1.csv", "c")];
        assert_eq!(gone(&before, &written_anew), [], "what a changed file holds is for the other gates");
    }

    #[test]
    fn an_input_that_is_sent_whole_under_names_of_the_day_has_lost_nothing() {
        let before = [("complaints/may-1.csv", "a"), ("complaints/may-1-more.csv", "b"), ("clerks/1.csv", "c")];
        let tonight = [("complaints/may-2.csv", "a, d"), ("complaints/may-2-more.csv", "b, e"), ("clerks/1.csv", "c")];
        assert_eq!(gone(&before, &tonight), []);
        assert_eq!(gone(&before, &[("clerks/1.csv", "c")]), [], "a table without any file is absent");
        assert_eq!(gone(&[("elsewhere/1.csv", "a"), before[2]], &tonight), [], "the job no longer means it");
    }

    #[test]
    fn many_files_are_counted_and_files_that_are_only_joined_have_a_name_too() {
        let before = ["clerks/1.csv", "clerks/2.csv", "clerks/3.csv", "clerks/4.csv", "clerks/5.csv"].map(|p| (p, p));
        let told = "4 files are gone: clerks/2.csv, clerks/3.csv, clerks/4.csv and 1 more".to_owned();
        assert_eq!(gone(&before, &before[..1]), [(JOINED, told)]);
    }
}
