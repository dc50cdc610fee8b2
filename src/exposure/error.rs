//! Why accounts cannot be drawn up.

use polars::prelude::PolarsError;

/// A shard whose accounts could not be drawn up.
#[derive(Debug, thiserror::Error)]
pub enum ExposureError {
    /// A column is missing or of another type.
    #[error("read {table} to draw up accounts: {source}")]
    Frame {
        /// View or table.
        table: &'static str,
        /// The frame library's own words.
        source: PolarsError,
    },
}
