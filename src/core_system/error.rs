//! Why books cannot be compared.

use super::settings::CoreField;
use crate::model::ModelError;
use crate::repayment::RepaymentError;
use crate::store::StoreError;

/// Why books could not be compared. Fragments fit "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum CoreSystemError {
    /// The export cannot be read as a table.
    #[error(transparent)]
    Table(#[from] ModelError),
    /// A column that was named, or that cannot be done without, is not in the export.
    #[error("find column {column:?} for {field} in the export: it has {available}", field = .field.name())]
    NoColumn {
        /// What it was to hold.
        field: CoreField,
        /// The column.
        column: String,
        /// The export's columns.
        available: String,
    },
    /// Words of the export's status column that the job does not explain.
    #[error("understand the export's status: {words}", words = .words.iter().map(UnknownWord::told).collect::<Vec<_>>().join(", "))]
    UnknownStatus {
        /// Each word.
        words: Vec<UnknownWord>,
    },
    /// The job has no loan book.
    #[error("compare the books: the job has no loans table, or none that could be read")]
    NoLoanBook,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own loan book.
    #[error(transparent)]
    Repayment(#[from] RepaymentError),
}

/// A word that the job does not explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    /// The word.
    pub word: String,
    /// In how many rows it stands.
    pub rows: u64,
    /// The first of them: data row of the export, from 1.
    pub first_row: i64,
}

impl UnknownWord {
    fn told(&self) -> String {
        match self.rows {
            1 => format!("{:?} in data row {}", self.word, self.first_row),
            rows => format!("{:?} in {rows} rows, the first of them data row {}", self.word, self.first_row),
        }
    }
}
