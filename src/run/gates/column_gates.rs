//! Columns that the night before had and tonight has not: they would be read as null, and nothing that they told would count any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Digest;
use crate::source::{ColumnGap, InputFile};

/// So many values do not all go for good reasons; of fewer, each may have been taken back.
const VALUES: u64 = 3;
/// The files next before a new one, by path, that say which columns its like have.
const FILES: usize = 10;

/// What is known of the files of the night before.
#[derive(Default)]
pub(in crate::run) struct FilesBefore {
    /// By path.
    pub digests: BTreeMap<String, Digest>,
    /// Columns that files lacked; `None` where the program did not look.
    pub gaps: Option<Vec<ColumnGap>>,
}

impl FilesBefore {
    /// Whether the file stood there with the same bytes.
    pub(in crate::run) fn has(&self, file: &InputFile) -> bool {
        self.digests.get(&file.path) == Some(&file.sha256)
    }

    /// Whether a file of this path lacked the column already.
    fn lacked(&self, gap: &ColumnGap, path: &str) -> bool {
        let same =
            |known: &&ColumnGap| (&known.table, &known.input, &known.column) == (&gap.table, &gap.input, &gap.column);
        self.gaps.iter().flatten().filter(same).any(|known| known.without.iter().any(|without| without == path))
    }
}

/// Whether a column that had values in so many rows and has none tonight is lost.
pub(in crate::run) const fn has_lost(values: u64, is_in_no_file: bool) -> bool {
    values >= VALUES || (is_in_no_file && values > 0)
}

/// Files with rows that came since the night before and lack a column, though each of the ten files next before them by path that the night before had
/// has it (of those after them, where none is before). Files of several kinds under one input are like nobody, and neither is one that
/// lacked the column before.
pub(in crate::run) fn narrower_files<'a>(
    gap: &ColumnGap,
    inputs: &'a [InputFile],
    before: &FilesBefore,
) -> Vec<&'a str> {
    if before.gaps.is_none() {
        return Vec::new();
    }
    let without: BTreeSet<&str> = gap.without.iter().map(String::as_str).collect();
    let of_input = inputs.iter().filter(|file| file.input == gap.input);
    let (stand, new): (Vec<&InputFile>, Vec<&InputFile>) = of_input.partition(|file| before.has(file));
    let mut stand: Vec<&str> = stand.into_iter().map(|file| file.path.as_str()).collect();
    stand.sort_unstable();
    let is_narrower = |file: &&InputFile| {
        let (earlier, later) = stand.split_at(stand.partition_point(|path| *path < file.path.as_str()));
        let mut next: Vec<&str> = earlier.iter().rev().take(FILES).copied().collect();
        if next.is_empty() {
            next.extend(later.iter().take(FILES));
        }
        file.raw_rows > 0
            && without.contains(file.path.as_str())
            && !before.lacked(gap, &file.path)
            && !next.is_empty()
            && next.iter().all(|path| !without.contains(*path))
    };
    new.into_iter().filter(is_narrower).map(|file| file.path.as_str()).collect()
}

/// The first of some names, and how many more there are.
pub(in crate::run) fn named_few(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> InputFile {
        InputFile {
            input: "orders".to_owned(),
            path: path.to_owned(),
            sha256: Digest::of(content.as_bytes()),
            bytes: 1,
            raw_rows: 5,
            is_verified: false,
        }
    }

    fn gap(without: &[&str]) -> ColumnGap {
        let without = without.iter().map(|path| (*path).to_owned()).collect();
        let words = |word: &str| word.to_owned();
        ColumnGap {
            table: words("orders"),
            input: words("orders"),
            column: words("refunded_at"),
            without,
            is_in_none: false,
        }
    }

    /// What the night before had: files, and those of them without the column.
    fn before(files: &[InputFile], without: &[&str]) -> FilesBefore {
        FilesBefore {
            digests: files.iter().map(|file| (file.path.clone(), file.sha256)).collect(),
            gaps: Some(vec![gap(without)]),
        }
    }

    #[test]
    fn a_new_file_is_held_against_the_files_next_before_it() {
        let mut files: Vec<InputFile> = (1..=20).map(|day| file(&format!("05-{day:02}/o.csv"), "")).collect();
        let known = before(&files, &["05-01/o.csv"]);
        files.push(file("05-21/o.csv", "new"));
        let tonight = gap(&["05-01/o.csv", "05-21/o.csv"]);
        assert_eq!(narrower_files(&tonight, &files, &known), ["05-21/o.csv"], "old files without it are no news");
        assert_eq!(narrower_files(&gap(&["05-01/o.csv"]), &files, &known), [""; 0]);
        assert_eq!(narrower_files(&gap(&["05-15/o.csv", "05-21/o.csv"]), &files, &known), [""; 0], "some lack it");
        let unseen = FilesBefore { gaps: None, ..before(&files, &[]) };
        assert_eq!(narrower_files(&tonight, &files, &unseen), [""; 0], "an earlier program did not look");
        files[20].raw_rows = 0;
        assert_eq!(narrower_files(&tonight, &files, &known), [""; 0], "it has no rows");
    }

    #[test]
    fn a_file_of_another_kind_that_is_written_anew_every_night_is_no_news() {
        let old = [file("a.csv", "whole"), file("b.csv", "yesterday")];
        let tonight = [file("a.csv", "whole"), file("b.csv", "today")];
        assert_eq!(narrower_files(&gap(&["b.csv"]), &tonight, &before(&old, &[])), ["b.csv"]);
        assert_eq!(narrower_files(&gap(&["b.csv"]), &tonight, &before(&old, &["b.csv"])), [""; 0]);
        // Where none comes before it, those after it speak.
        let tonight = [file("a.csv", "today"), file("b.csv", "yesterday")];
        assert_eq!(narrower_files(&gap(&["a.csv"]), &tonight, &before(&old, &[])), ["a.csv"]);
    }

    #[test]
    fn one_or_two_values_may_go_while_the_column_is_there() {
        assert_eq!([0, 2, 3].map(|values| has_lost(values, false)), [false, false, true]);
        assert_eq!([0, 1].map(|values| has_lost(values, true)), [false, true]);
    }
}
