//! The rows of an input that a source takes: its declared `where`.
//!
//! Rows for which the predicate is false are *skipped*: counted, and their keys remembered, because rows of other tables that name them are not meant
//! either. Rows for which it is neither true nor false (a null decides it) are no rows that somebody meant to skip: they are quarantined like rows that a
//! SELECT does not return.

use std::collections::BTreeMap;
use std::sync::Mutex;

use polars::prelude::*;

use super::condition;
use super::error::SourceError;
use super::settings::SourcePart;

/// Applies a predicate to rows, and counts those it skips.
pub(super) struct RowFilter<'a> {
    part: &'a SourcePart,
    skipped: Mutex<BTreeMap<u32, u64>>,
}

/// Rows told apart by a predicate.
pub(super) struct FilteredRows {
    pub taken: DataFrame,
    /// Rows for which it is null.
    pub unknown: Option<DataFrame>,
    /// Rows for which it is false.
    pub skipped: Option<DataFrame>,
}

impl<'a> RowFilter<'a> {
    pub fn new(part: &'a SourcePart) -> Self {
        Self { part, skipped: Mutex::default() }
    }

    /// Tells the rows of the driving input apart.
    ///
    /// # Errors
    /// The predicate cannot be computed, or is not one.
    pub fn split_rows(&self, rows: DataFrame) -> Result<FilteredRows, SourceError> {
        let Some(predicate) = &self.part.filter else {
            return Ok(FilteredRows { taken: rows, unknown: None, skipped: None });
        };
        let failed = |why: String| SourceError::BadSql { table: self.part.table, path: predicate.path.clone(), why };
        let (rows, mask) =
            condition::holds(&predicate.text, &self.part.from, rows).map_err(|why| failed(format!("where: {why}")))?;
        let frame = |e: PolarsError| failed(format!("where: {e}"));
        let is_skipped: BooleanChunked = mask.iter().map(|taken| taken == Some(false)).collect();
        let skipped = if is_skipped.any() { Some(rows.filter(&is_skipped).map_err(frame)?) } else { None };
        if let Some(skipped) = &skipped {
            self.count(skipped).map_err(frame)?;
        }
        let is_taken: BooleanChunked = mask.iter().map(|taken| taken == Some(true)).collect();
        let unknown = mask.is_null();
        let unknown = if unknown.any() { Some(rows.filter(&unknown).map_err(frame)?) } else { None };
        Ok(FilteredRows { taken: rows.filter(&is_taken).map_err(frame)?, unknown, skipped })
    }

    fn count(&self, rows: &DataFrame) -> PolarsResult<()> {
        let files = rows.column("_file")?.strict_cast(&DataType::UInt32)?;
        let Ok(mut skipped) = self.skipped.lock() else { polars_bail!(ComputeError: "another thread failed") };
        for file in files.u32()?.iter().flatten() {
            *skipped.entry(file).or_default() += 1;
        }
        Ok(())
    }

    /// Rows skipped so far, of each of so many files.
    pub fn skipped(self, files: usize) -> Vec<u64> {
        let counted = self.skipped.into_inner().unwrap_or_default();
        (0..files).map(|file| u32::try_from(file).ok().and_then(|f| counted.get(&f)).copied().unwrap_or(0)).collect()
    }
}
