//! Files that come without the digest of their sender, where it used to be beside them. That is told, and stops nothing: the file may be sound, and
//! what a changed file holds is for the gates on the tables.

use std::collections::{BTreeMap, BTreeSet};

use crate::run::table_files::TableFiles;
use crate::wash::LedgerLine;

/// What is told of such files.
pub(in crate::run) const CAME_WITHOUT_DIGEST: &str = " came without the .sha256 that they or others of the table had";

/// Files without a statement that had one the night before, and those that came since where others of their table have or had one.
pub(in crate::run) fn unstated_files<'a>(
    tonight: &[&'a LedgerLine],
    before: Option<&'a [LedgerLine]>,
) -> Vec<TableFiles> {
    let before = before.unwrap_or_default();
    let was_stated: BTreeMap<(&str, &str), bool> =
        before.iter().map(|line| ((line.table.as_str(), line.file.as_str()), line.is_digest_verified)).collect();
    let stated = tonight.iter().copied().chain(before).filter(|line| line.is_digest_verified);
    let tables: BTreeSet<&str> = stated.map(|line| line.table.as_str()).collect();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tonight.iter().filter(|line| !line.is_digest_verified && tables.contains(line.table.as_str())) {
        if was_stated.get(&(line.table.as_str(), line.file.as_str())).copied().unwrap_or(true) {
            found.entry(&line.table).or_default().insert(&line.file);
        }
    }
    TableFiles::by_table(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(table: &str, file: &str, is_digest_verified: bool) -> LedgerLine {
        LedgerLine { table: table.to_owned(), file: file.to_owned(), is_digest_verified, ..LedgerLine::default() }
    }

    fn told(tonight: &[LedgerLine], before: Option<&[LedgerLine]>) -> Vec<(String, u64, String)> {
        unstated_files(&tonight.iter().collect::<Vec<_>>(), before)
            .into_iter()
            .map(|u| (u.table, u.files, u.first))
            .collect()
    }

    #[test]
    fn a_statement_that_is_gone_is_told_once_and_one_that_never_was_never() {
        let had = [line("orders", "a", true), line("reviews", "a", false)];
        let gone = [line("orders", "a", false), line("reviews", "a", false)];
        assert_eq!(told(&gone, Some(&had)), [("orders".to_owned(), 1, "a".to_owned())]);
        assert_eq!(told(&gone, Some(&gone)), []);
        assert_eq!(told(&had, Some(&had)), []);
    }

    #[test]
    fn new_files_without_a_statement_are_told_where_others_have_one() {
        let had = [line("orders", "a", true), line("orders", "b", false)];
        let more = [line("orders", "a", true), line("orders", "b", false), line("orders", "c", false)];
        assert_eq!(told(&more, Some(&had)), [("orders".to_owned(), 1, "c".to_owned())], "b never had one");
        assert_eq!(told(&more, None), [("orders".to_owned(), 2, "b".to_owned())], "on a first night all are new");
        assert_eq!(told(&[line("orders", "a", false)], None), []);
    }
}
