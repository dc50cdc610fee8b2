//! One raw table: its columns and what identifies a row.

use std::collections::HashSet;

use polars::prelude::*;

use super::column::RawColumn;
use crate::source::DeclaredFormat;

/// Files with the same columns, as one table.
#[derive(Debug, Clone)]
pub struct RawTable {
    /// What SQL calls it: made from the files' names.
    pub name: String,
    /// Glob below the data folder.
    pub files: String,
    /// How many files it matches.
    pub file_count: usize,
    /// How its files are written, beyond a plain CSV file.
    pub format: DeclaredFormat,
    /// Rows.
    pub rows: usize,
    /// Malformed records, which are not among the rows.
    pub malformed: usize,
    /// Whether cells are text (CSV).
    pub is_text: bool,
    /// Its columns, in the file's order.
    pub columns: Vec<RawColumn>,
}

impl RawTable {
    /// Looks at every column.
    pub(super) fn profile(
        name: &str,
        frame: &DataFrame,
        is_text: bool,
        is_time_word: impl Fn(&str) -> bool,
    ) -> PolarsResult<Self> {
        let mut columns = Vec::new();
        for column in frame.columns().iter().filter(|c| !["_file", "_row"].contains(&c.name().as_str())) {
            let named = column.name().as_str();
            columns.push(RawColumn::profile(named, column.as_materialized_series(), !is_text, is_time_word(named))?);
        }
        Ok(Self {
            name: name.to_owned(),
            files: String::new(),
            file_count: 0,
            format: DeclaredFormat::default(),
            rows: frame.height(),
            malformed: 0,
            is_text,
            columns,
        })
    }

    /// Different combinations of several columns' values, rows with a null among them left out, and how many rows that is.
    #[must_use]
    pub fn combinations(&self, columns: &[usize]) -> (usize, usize) {
        let cells: Vec<&[u64]> =
            columns.iter().filter_map(|c| self.columns.get(*c)).map(|c| c.hashes.as_slice()).collect();
        let mut different: HashSet<Vec<u64>> = HashSet::new();
        let mut rows = 0;
        for row in 0..self.rows {
            let key: Vec<u64> = cells.iter().filter_map(|column| column.get(row).copied()).collect();
            if key.iter().all(|hash| *hash != 0) {
                rows += 1;
                different.insert(key);
            }
        }
        (different.len(), rows)
    }

    /// Whether a column says what another holds: wherever the first is the same, so is the second.
    #[must_use]
    pub fn determines(&self, column: usize, other: usize) -> bool {
        let distinct = self.columns.get(column).map_or(0, |c| c.distinct);
        self.combinations(&[column, other]).0 <= distinct
    }

    /// Share of rows in which one time is not after another, among those that have both.
    #[must_use]
    pub fn not_after(&self, column: usize, other: usize) -> Option<f64> {
        let (first, second) = (self.columns.get(column)?, self.columns.get(other)?);
        let both = || first.micros.iter().zip(&second.micros).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
        let rows = both().count();
        (rows > 0).then(|| both().filter(|(a, b)| a <= b).count() as f64 / rows as f64)
    }
}
