//! Why a folder cannot be profiled.

use std::path::PathBuf;

use crate::source::SourceError;

/// Why nothing can be said about a folder.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The folder is not there.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It has no file that can be read.
    #[error("find a table below {folder}: {why}")]
    NoTable {
        /// The folder.
        folder: PathBuf,
        /// What was there instead.
        why: String,
    },
}
