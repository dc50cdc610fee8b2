//! Why no job can be drafted or written.

use std::path::PathBuf;

use crate::profile::ProfileError;

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The folder cannot be profiled.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// No table is like the orders of a marketplace.
    #[error(
        "find orders: no table has an order's number or a key, a time, and a merchant, a buyer or an amount: {tables}{left_aside}"
    )]
    NoOrders {
        /// The tables there are, with what each lacks.
        tables: String,
        /// Files that could not be read, with why.
        left_aside: String,
    },
    /// The folder of the job has files already.
    #[error("write the job to {0}: the folder is not empty")]
    OutNotEmpty(PathBuf),
    /// The system refuses a file.
    #[error("write {path}: {why}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
}
