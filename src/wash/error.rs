//! Why ingesting stops.

use std::fmt;

use super::kept::KeptError;
use super::ledger::LedgerLine;
use super::root_reasons::RootReasons;
use crate::domain::{AsOfError, grouped};
use crate::source::SourceError;
use crate::spill::SpillError;
use crate::store::StoreError;

/// A job's data cannot be washed into a store.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// An input is missing or broken as a whole.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Rows cannot be set aside.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// Rows cannot be kept from night to night.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The date names no instant.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// Too many rows of tables are broken: every such table, in washing order.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nand to "))]
    QuarantineLimit(Vec<TooManyBroken>),
    /// Rows were lost or invented: a fault of this program.
    #[error("account for {} in table {:?}: read {} is not kept {} + quarantined {} + duplicate {}", line.file, line.table, line.read, line.kept, line.quarantined, line.duplicate)]
    LedgerBroken {
        /// The line that does not balance.
        line: Box<LedgerLine>,
    },
    /// A frame operation failed that should not: a fault of this program.
    #[error("wash table {table:?}: {why}")]
    Frame {
        /// Contract table.
        table: &'static str,
        /// polars' words.
        why: String,
    },
}

/// A table of which too many rows are broken.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "accept table {table:?}: {quarantined} of {judged} rows ({:.2} %) are quarantined, the limit is {:.2} %{roots}; by rule: {by_rule}{}",
    share * 100.0,
    limit * 100.0,
    told_ahead(*ahead, *judged),
    by_rule = rules.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
)]
pub struct TooManyBroken {
    /// Contract table.
    pub table: &'static str,
    /// Quarantined share of the visible rows, 0 to 1.
    pub share: f64,
    /// The configured limit, 0 to 1.
    pub limit: f64,
    /// Quarantined rows.
    pub quarantined: u64,
    /// Visible rows.
    pub judged: u64,
    /// The rules that most rows break, most frequent first.
    pub rules: Vec<RuleTally>,
    /// Why the rows that these name are quarantined, where that is why most of them are.
    pub roots: RootReasons,
    /// Rows at or after as-of.
    pub ahead: u64,
}

/// Columns with the number of rows in which they have no value.
pub(super) type NullCounts = Vec<(&'static str, u64)>;

/// A rule that rows of a table break, and how many do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTally {
    /// The rule.
    pub rule: String,
    /// Rows that break it.
    pub rows: u64,
    /// Required columns without a value, with how many rows.
    pub nulls: NullCounts,
    /// The first of the rows, in words.
    pub first: Option<String>,
}

impl fmt::Display for RuleTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rule, self.rows)?;
        if !self.nulls.is_empty() {
            let nulls: Vec<String> = self.nulls.iter().map(|(column, rows)| format!("{column} in {rows}")).collect();
            write!(f, " (null: {})", nulls.join(", "))?;
        }
        self.first.iter().try_for_each(|first| write!(f, ", the first {first}"))
    }
}

/// Where nearly all rows are of the as-of date or later, the date is what is wrong.
fn told_ahead(ahead: u64, judged: u64) -> String {
    if ahead < judged.saturating_mul(9) {
        return String::new();
    }
    format!("; {} more rows are of the as-of date or later: does it lie before the data?", grouped(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_with_their_rows_and_the_first() {
        let broken = |rule: &str, nulls: &[(&'static str, u64)], first: Option<&str>| RuleTally {
            rule: rule.to_owned(),
            rows: 3,
            nulls: nulls.to_vec(),
            first: first.map(str::to_owned),
        };
        let nulls = broken("required-null", &[("amount_minor", 2), ("placed_at", 1)], Some("a.csv row 4"));
        assert_eq!(
            nulls.to_string(),
            "required-null 3 (null: amount_minor in 2, placed_at in 1), the first a.csv row 4"
        );
        assert_eq!(broken("range", &[], None).to_string(), "range 3");
    }

    #[test]
    fn a_date_before_the_data_is_told_where_rows_are_refused_for_it() {
        assert!(told_ahead(8_999, 1_000).is_empty());
        assert!(told_ahead(9_000, 1_000).contains("9,000 more rows are of the as-of date or later"));
    }
}
