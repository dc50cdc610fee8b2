//! One finding of the comparison.

use serde::{Deserialize, Serialize};

/// What a finding is about. Append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// The ledger has the loan, the export does not.
    MissingInExport,
    /// The export has the loan, the ledger does not.
    MissingHere,
    /// Our books on the loan do not agree with each other.
    UnknownHere,
    /// The export has the loan more than once.
    RepeatedInExport,
    /// A row of the export names no loan.
    NoLoanId,
    /// A cell cannot be read.
    Unreadable,
    /// A cell is blank.
    NotGiven,
    /// Another borrower.
    Merchant,
    /// Another status.
    Status,
    /// Another principal not repaid.
    Outstanding,
    /// Another sum of interest due and unpaid.
    Interest,
    /// Another sum due and unpaid.
    Arrears,
    /// Another number of days past due.
    DaysPastDue,
}

impl DifferenceKind {
    /// As files name it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MissingInExport => "missing-in-export",
            Self::MissingHere => "missing-here",
            Self::UnknownHere => "unknown-here",
            Self::RepeatedInExport => "repeated-in-export",
            Self::NoLoanId => "no-loan-id",
            Self::Unreadable => "unreadable",
            Self::NotGiven => "not-given",
            Self::Merchant => "merchant",
            Self::Status => "status",
            Self::Outstanding => "outstanding",
            Self::Interest => "interest",
            Self::Arrears => "arrears",
            Self::DaysPastDue => "days-past-due",
        }
    }
}

/// A difference between the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// 1, 2, … in the order of the list: by loan, then as [`DifferenceKind`] has them.
    pub number: i64,
    /// The loan; `None` where neither side names one.
    pub loan_id: Option<String>,
    /// The borrower by our books; by the export where ours do not have the loan.
    pub merchant_id: Option<String>,
    /// Data row of the export, from 1; the first of several; `None` where the export does not have the loan.
    pub row: Option<i64>,
    /// What differs.
    pub what: DifferenceKind,
    /// What our books say: amounts in minor units, days, or a word.
    pub ours: Option<String>,
    /// What the export says, likewise.
    pub theirs: Option<String>,
    /// The export's less ours, in minor units or days.
    pub difference: Option<i64>,
    /// Within the job's tolerance: it does not count.
    pub is_tolerated: bool,
    /// In words, where there is more to say.
    pub detail: Option<String>,
}
