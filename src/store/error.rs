//! What can go wrong with a store.

use std::path::PathBuf;

use jiff::civil::Date;
use polars::prelude::PolarsError;

/// A store that cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The system refuses.
    #[error("{action} {path}: {why}")]
    Io {
        /// What was tried: `write`, `read`, `rename`, …
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A file is not what it should be.
    #[error("read {path}: {why}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The store was written by another version of the program.
    #[error("open store {path}: its layout is version {found}, this program reads version {expected}; wash again")]
    Version {
        /// `store.json`.
        path: PathBuf,
        /// Version found.
        found: u32,
        /// Version understood.
        expected: u32,
    },
    /// The bucket does not exist.
    #[error("read bucket {bucket}: the store has {buckets}")]
    NoBucket {
        /// Bucket asked for.
        bucket: u32,
        /// Buckets there are.
        buckets: u32,
    },
    /// The store holds nothing from then on.
    #[error("look at the store as of {wanted}: it was washed as of {washed} and knows nothing later")]
    TooLate {
        /// Date asked for.
        wanted: Date,
        /// Date the store was washed at.
        washed: String,
    },
    /// A frame operation failed that should not.
    #[error("store table {table:?}: {why}")]
    Frame {
        /// Contract table.
        table: String,
        /// polars' words.
        why: String,
    },
}

/// A frame operation on a table that failed.
pub(super) fn frame_error(table: &str, error: &PolarsError) -> StoreError {
    StoreError::Frame { table: table.to_owned(), why: error.to_string() }
}
