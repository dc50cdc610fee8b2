//! What can go wrong with kept rows.

use std::path::{Path, PathBuf};

use crate::spill::SpillError;

/// Kept rows cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The system refuses.
    #[error("{action} {path}: {why}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A file does not hold what was written to it: its rows are read from the raw files again.
    #[error("read the kept rows {path}: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Rows cannot be put into their form on disk: a fault of this program.
    #[error(transparent)]
    Spill(#[from] SpillError),
}

impl KeptError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { action, path, why: error.to_string() }
    }
}
