//! What stops a comparison.

use crate::model::validation::ValidationError;

/// Why two models could not be compared, or a challenger not be grown.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CompareError {
    /// The sample or a setting is unusable.
    #[error(transparent)]
    Sample(#[from] ValidationError),
    /// The challenger needs at least one column.
    #[error("grow a challenger without columns")]
    NoColumns,
    /// The challenger needs goods and bads.
    #[error("grow a challenger from {bad} bads among {rows} rows: both outcomes are needed")]
    SingleClass {
        /// Rows.
        rows: usize,
        /// Bads among them.
        bad: usize,
    },
    /// A column differs from the one the challenger was grown on.
    #[error("read column {column:?}: expected {expected} as at training")]
    ColumnMismatch {
        /// The column.
        column: String,
        /// What it was at training.
        expected: &'static str,
    },
    /// The forest refused to grow or to predict.
    #[error("grow a challenger forest: {reason}")]
    Forest {
        /// The solver's words.
        reason: String,
    },
}
