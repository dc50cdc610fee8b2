//! What can go wrong between a shard's tables and its tiles.

use polars::error::PolarsError;

use crate::domain::AsOfError;

/// Failures of views, measures and tiles.
#[derive(Debug, thiserror::Error)]
pub enum TileError {
    /// A frame lacks a required column, or holds one of another type.
    #[error("read column {column} of {table}: {source}")]
    Column {
        /// Contract table or view.
        table: String,
        /// The column.
        column: String,
        /// The frame library's own words.
        source: PolarsError,
    },
    /// A view's frame could not be put together.
    #[error("build view {view}: {source}")]
    View {
        /// The view.
        view: &'static str,
        /// The frame library's own words.
        source: PolarsError,
    },
    /// A measure's SQL failed on rows, although it had passed on the schema.
    #[error("evaluate measure {measure}: {source}")]
    Measure {
        /// The measure.
        measure: String,
        /// The frame library's own words.
        source: PolarsError,
    },
    /// More rows or merchants than a shard may hold.
    #[error("lay out {what}: {rows} rows are more than a shard may hold ({limit})")]
    TooMany {
        /// View or table.
        what: String,
        /// How many there were.
        rows: usize,
        /// The limit.
        limit: usize,
    },
    /// The shard has no table that every job must have.
    #[error("find table {table} in the shard: it is required")]
    MissingTable {
        /// The table.
        table: &'static str,
    },
    /// Dates left the calendar.
    #[error(transparent)]
    Calendar(#[from] AsOfError),
    /// The loan book could not be aged.
    #[error(transparent)]
    Repayment(#[from] crate::repayment::RepaymentError),
}
