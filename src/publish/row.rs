//! What the rows of a published table can do.

use std::cmp::Ordering;
use std::fmt;
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::batch;
use super::column::OutputTable;
use super::error::PublishError;

/// A row of a published table: a plain struct of the room that decides it. Its fields bear the names of the table's columns, and go to the
/// file and come back by serde.
pub trait OutputRow: Serialize + DeserializeOwned {
    /// Values of the columns that the table is sorted by, in that order.
    type Key<'a>: Ord + fmt::Debug
    where
        Self: 'a;

    /// The table with every column that is the same for all jobs.
    fn table() -> OutputTable;

    /// The key. No two rows of a file have the same one; texts compare by bytes.
    fn key(&self) -> Self::Key<'_>;

    /// Rows to Arrow, in the table's columns and order.
    ///
    /// # Errors
    /// A number that is not finite or out of its documented range; rows that do not fit the table.
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        batch::encode(rows, table, |_| None)
    }

    /// Arrow to rows. `path` is for messages.
    ///
    /// # Errors
    /// Columns are missing, of another type, or hold what no row can.
    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        batch::decode(path, batch, &Self::table().columns)
    }

    /// The order of the table's file.
    fn order(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// The key as a person would name it, for messages: `merchant_id, product = ("m7", "order-loan")`.
pub(super) fn label<R: OutputRow>(row: &R, table: &OutputTable) -> String {
    format!("{} = {:?}", table.sorted_by.join(", "), row.key())
}
