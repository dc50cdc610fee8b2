//! What training, scoring and loading models refuse.

use std::path::{Path, PathBuf};

/// Why a model could not be trained, read or applied. Fragments fit "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A named table or model folder is not there.
    #[error("open {path:?}: there is no such file or folder")]
    NoFile {
        /// The path as given.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("read or write {path:?}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A file is not a table: broken Parquet, ragged CSV, not UTF-8, no header.
    #[error("read table {path:?}: {why}")]
    BadTable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        why: String,
    },
    /// A column that is needed is not in the table.
    #[error("find column {column:?} in the table: it has {available}")]
    NoColumn {
        /// The column asked for.
        column: String,
        /// The columns there are (shortened).
        available: String,
    },
    /// A column holds values of another kind than the model was trained on.
    #[error("read column {column:?} as {expected}: found {found:?} in row {row}{}", of_dates(expected))]
    WrongKind {
        /// The column.
        column: String,
        /// What the model needs.
        expected: &'static str,
        /// The offending value.
        found: String,
        /// Data row, counted from 1.
        row: usize,
    },
    /// ±infinity in a column of numbers.
    #[error("use column {column:?}: row {row} is infinite; clean it, drop the column, or declare the value special")]
    Infinite {
        /// The column.
        column: String,
        /// Data row, counted from 1.
        row: usize,
    },
    /// The target is not a two-valued outcome.
    #[error("use target {column:?}: {why}")]
    BadTarget {
        /// The target column.
        column: String,
        /// What is wrong with it and what would mend it.
        why: String,
    },
    /// The table cannot carry a model.
    #[error("train: {why}")]
    CannotTrain {
        /// What is missing.
        why: String,
    },
    /// Figures cannot be taken.
    #[error("measure: {why}")]
    CannotMeasure {
        /// What is wrong with the sample.
        why: String,
    },
    /// A setting is out of range or contradicts another.
    #[error("use setting {setting}: {why}")]
    BadSetting {
        /// The setting.
        setting: &'static str,
        /// What is allowed.
        why: String,
    },
    /// The linear solver did not reach the optimum.
    #[error("fit coefficients: {why}")]
    Solver {
        /// What the check at the end saw.
        why: String,
    },
    /// A model file does not say what a model must say.
    #[error("read model {path:?}: {why}")]
    BadModel {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A model that must not be used: unapproved, expired, altered.
    #[error("use model {path:?}: {why}")]
    Refused {
        /// The model folder.
        path: PathBuf,
        /// Why it is refused.
        why: String,
    },
    /// Another process writes to the same place, and does not end.
    #[error("write models below {path:?}: another process has been writing there for hours")]
    Busy {
        /// The folder of versions.
        path: PathBuf,
    },
    /// Something is already there.
    #[error("write {path:?}: it exists already and is never overwritten")]
    Exists {
        /// The path.
        path: PathBuf,
    },
}

impl ModelError {
    /// Wraps an I/O error with the path it concerns; a missing file becomes [`ModelError::NoFile`].
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::NotFound {
            Self::NoFile { path: path.to_owned() }
        } else {
            Self::Io { path: path.to_owned(), source }
        }
    }

    /// A table that cannot be read.
    pub(crate) fn table(path: &Path, why: impl std::fmt::Display) -> Self {
        Self::BadTable { path: path.to_owned(), why: format!("{why}") }
    }
}

/// What is read, where what is needed is a date.
fn of_dates(expected: &str) -> &'static str {
    if expected.contains("date") {
        "; dates are read as 2018-08-17, 17.08.2018, 08/17/2018, 17-Aug-18 and Aug-2018, all of a column in one order"
    } else {
        ""
    }
}
