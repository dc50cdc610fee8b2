//! Rows of a published table as shards decide them, written in the order of the table's key.
//!
//! Merchants are worked on bucket by bucket, and buckets are not in merchant order. Rows are therefore gathered in any order, in memory up to
//! a limit and on disk beyond it, and merged when the table is published: no table is ever held as a whole.

use std::cmp::Ordering;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::column::OutputTable;
use super::error::PublishError;
use super::row::OutputRow;
use super::stage::Stage;
use super::writer::TableWriter;
use crate::spill::SortedRows;

/// The rows of one table, in any order, from any number of threads.
pub struct GatheredTable<R> {
    table: OutputTable,
    rows: SortedRows<ByKey<R>>,
}

impl<R: OutputRow + Clone> GatheredTable<R> {
    /// No rows yet; scratch goes to `folder`.
    #[must_use]
    pub fn new(table: OutputTable, folder: &Path) -> Self {
        Self { table, rows: SortedRows::new(folder) }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn extend(&self, rows: Vec<R>) -> Result<(), PublishError> {
        Ok(self.rows.extend(rows.into_iter().map(ByKey).collect())?)
    }

    /// All rows, sorted.
    ///
    /// # Errors
    /// Rows cannot be read back.
    pub fn sorted(&self) -> Result<impl Iterator<Item = Result<R, PublishError>>, PublishError> {
        Ok(self.rows.sorted()?.map(|row| Ok(row?.0)))
    }

    /// Writes all rows, sorted. The result depends on the rows alone, not on how they came.
    ///
    /// # Errors
    /// Rows cannot be read back, two have the same key, or the writer refuses.
    pub fn write(&self, writer: &mut TableWriter<R>) -> Result<(), PublishError> {
        self.sorted()?.try_for_each(|row| writer.push(row?))
    }

    /// Writes the table's own file into a run.
    ///
    /// # Errors
    /// As [`GatheredTable::write`].
    pub fn publish(&self, stage: &mut Stage<'_, '_>) -> Result<(), PublishError> {
        let mut writer = stage.table(self.table.clone())?;
        self.write(&mut writer)?;
        stage.seal(writer)?;
        Ok(())
    }
}

/// A row in the order of its table's key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "R: OutputRow"))]
struct ByKey<R>(R);

impl<R: OutputRow> Ord for ByKey<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order(&other.0)
    }
}

impl<R: OutputRow> PartialOrd for ByKey<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R: OutputRow> PartialEq for ByKey<R> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<R: OutputRow> Eq for ByKey<R> {}
