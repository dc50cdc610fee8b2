//! What every output row can do, and the structs that stand in its lists.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;

use super::column::OutputTable;
use super::error::PublishError;

/// A row of a published table.
pub trait OutputRow: Sized {
    /// Rows to Arrow, in the table's columns and order.
    ///
    /// # Errors
    /// A number that is not finite or out of its documented range; rows that do not fit the table.
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError>;

    /// Arrow to rows. `path` is for messages.
    ///
    /// # Errors
    /// Columns are missing or of another type.
    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError>;

    /// The key order of the table's file, by bytes for texts. Two rows of one file are never equal in it.
    fn order(&self, other: &Self) -> Ordering;

    /// The key as a person would name it, for messages.
    fn label(&self) -> String;
}

/// A cap on a limit; null where the evidence for it is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapValue {
    /// Kebab-case name.
    pub name: String,
    /// Minor units.
    pub value_minor: Option<i64>,
}

/// A rule that was not met, with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleVerdict {
    /// Kebab-case name.
    pub rule: String,
    /// What was seen; null where nothing could be.
    pub observed: Option<f64>,
    /// What the rule asks; null where it has no number.
    pub threshold: Option<f64>,
}
