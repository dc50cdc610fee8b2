//! What can go wrong with rows on disk.

use std::path::PathBuf;

/// Rows that cannot be set aside or read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpillError {
    /// The system refuses.
    #[error("set rows aside in {path}: {why}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A frame operation failed that should not.
    #[error("split rows: {why}")]
    Frame {
        /// polars' words.
        why: String,
    },
    /// Another thread failed while it set rows aside.
    #[error("split rows: another thread failed")]
    Poisoned,
}

impl From<polars::prelude::PolarsError> for SpillError {
    fn from(error: polars::prelude::PolarsError) -> Self {
        Self::Frame { why: error.to_string() }
    }
}
