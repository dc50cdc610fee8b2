//! What can go wrong while simulating.

use std::path::{Path, PathBuf};

/// Why a simulation stopped.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A knob out of its range.
    #[error("simulate with {knob} = {value}: allowed is {allowed}")]
    BadSetting {
        /// The setting.
        knob: &'static str,
        /// As given.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The output folder already holds something.
    #[error("simulate into {}: the folder is not empty", path.display())]
    OutNotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The disk refused.
    #[error("write {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The Parquet writer refused.
    #[error("write Parquet file {}: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The library's own words.
        source: parquet::errors::ParquetError,
    },
    /// Columns that do not make a table: a defect of the simulator.
    #[error("assemble rows of table {table}: {why}")]
    Rows {
        /// The table.
        table: &'static str,
        /// What did not fit.
        why: String,
    },
    /// An offer that no merchant here could take.
    #[error("hand out offer {offer}: {why}")]
    Offer {
        /// The offer.
        offer: String,
        /// What is wrong.
        why: String,
    },
    /// The metadata could not be written as JSON: a defect of the simulator.
    #[error("write metadata as JSON: {0}")]
    Metadata(#[from] serde_json::Error),
}

impl SimulateError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(super) fn parquet(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet { path, source }
    }
}
