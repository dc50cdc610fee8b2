//! The ledger: every row of every file is accounted for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::source::InputFile;

/// What became of one file's rows in one contract table: `read = kept + quarantined + duplicate + skipped`, checked before anything is
/// published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Contract table; [`JOINED`] for a file whose rows were only joined to others.
    pub table: String,
    /// Path below the data folder.
    pub file: String,
    /// Records in the file, malformed ones included.
    pub raw_rows: u64,
    /// Rows of the contract table made from them: one each, or more where a SELECT makes several (an order with several sellers).
    /// Rows of the file that a SELECT did not return, and malformed records, count as read and quarantined.
    pub read: u64,
    /// Usable rows, one a key, and rows not yet visible.
    pub kept: u64,
    /// Of those kept: rows dated at or after as-of, set aside for a later run.
    #[serde(alias = "ahead")]
    pub not_yet_visible: u64,
    /// Rows that break a rule.
    pub quarantined: u64,
    /// Sound rows sent again, and versions that a later one, sound or broken, replaced.
    pub duplicate: u64,
    /// Of those: copies that a SELECT's join made of a row and that say nothing more. They grow with repeated ids, future ones too, and
    /// count in nothing but this ledger.
    #[serde(default)]
    pub copies: u64,
    /// Rows of the file that the job's `where` does not mean, rows that name a row of another table which it does not mean, and lines after the last
    /// record that `footer_lines` declares.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// Quarantined rows by rule.
    pub rules: BTreeMap<String, u64>,
    /// Whether the file's digest was compared with its sender's statement, a `.sha256` file beside it.
    #[serde(default)]
    pub is_digest_verified: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
pub(crate) const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Stands for a table in the account of files that no table is made from, row by row.
pub const JOINED: &str = "joined";

impl LedgerLine {
    pub(crate) fn of(table: &str, file: &InputFile) -> Self {
        Self {
            table: table.to_owned(),
            file: file.path.clone(),
            raw_rows: file.raw_rows,
            is_digest_verified: file.is_verified,
            ..Self::default()
        }
    }

    /// Adds what became of other rows of the same file and table.
    pub(crate) fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.kept += other.kept;
        self.not_yet_visible += other.not_yet_visible;
        self.quarantined += other.quarantined;
        self.duplicate += other.duplicate;
        self.copies += other.copies;
        self.skipped += other.skipped;
        for (rule, count) in &other.rules {
            *self.rules.entry(rule.clone()).or_default() += count;
        }
    }

    /// The same line with rows that were skipped before anything was judged.
    #[must_use]
    pub(crate) fn with_skipped(self, skipped: u64) -> Self {
        Self { read: self.read + skipped, skipped: self.skipped + skipped, ..self }
    }

    /// Visible rows, without copies and skipped ones: what the quarantined share is of.
    #[must_use]
    pub const fn judged(&self) -> u64 {
        self.read.saturating_sub(self.not_yet_visible).saturating_sub(self.copies).saturating_sub(self.skipped)
    }

    /// Whether the identity holds.
    #[must_use]
    pub fn balances(&self) -> bool {
        let parts = [self.quarantined, self.duplicate, self.skipped];
        let parts = parts.into_iter().try_fold(self.kept, u64::checked_add);
        parts == Some(self.read)
            && self.rules.values().sum::<u64>() == self.quarantined
            && self.not_yet_visible <= self.kept
            && self.copies <= self.duplicate
    }
}

/// Share of a table's visible rows that were quarantined, 0 to 1. Rows that are not yet visible count on neither side: what comes later
/// must not make today's data look cleaner.
#[must_use]
pub fn quarantined_share(lines: &[LedgerLine]) -> f64 {
    let quarantined: u64 = lines.iter().map(|l| l.quarantined).sum();
    let judged: u64 = lines.iter().map(LedgerLine::judged).sum();
    if judged == 0 { 0.0 } else { quarantined as f64 / judged as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_and_share() {
        let mut line =
            LedgerLine { read: 10, kept: 6, not_yet_visible: 2, quarantined: 3, duplicate: 1, ..LedgerLine::default() };
        assert!(!line.balances(), "quarantined rows without a rule");
        line.rules.insert("required-null".to_owned(), 3);
        assert!(line.balances());
        assert!((quarantined_share(&[line.clone()]) - 3.0 / 8.0).abs() < 1e-12);
        line = line.with_skipped(90);
        assert!(line.balances(), "{line:?}");
        assert!((quarantined_share(&[line.clone()]) - 3.0 / 8.0).abs() < 1e-12, "skipped rows are judged by nothing");
        line.kept = 5;
        assert!(!line.balances());
        assert!(quarantined_share(&[]).abs() < f64::EPSILON);
    }
}
