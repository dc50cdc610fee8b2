//! The loan book as published: a row a loan that is out, written off with something owed, or not known. The next night reads it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::contagion::MarkedBy;
use super::provisions::Stage;
use super::roll::{Position, UNKNOWN, WRITTEN_OFF};
use crate::monitor::class::Class;

/// One loan: a row of `loan_book.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoanLine {
    /// The borrower.
    pub merchant_id: String,
    /// The loan; `None` for rows that lead to a borrower, but to none of its loans.
    pub loan_id: Option<String>,
    /// The bucket of its days past due, `written-off` or `unknown`.
    pub place: String,
    /// Its product, where known.
    pub product: Option<String>,
    /// The borrower's category, where known.
    pub category: Option<String>,
    /// The borrower's region, where known.
    pub region: Option<String>,
    /// The borrower's owner, where the merchant's row names one.
    #[serde(default)]
    pub owner_id: Option<String>,
    /// The guarantee group that the loan is of.
    #[serde(default)]
    pub group_id: Option<String>,
    /// When the money was paid out, where known.
    pub disbursed_on: Option<Date>,
    /// What was lent, where known.
    pub principal_minor: Option<i64>,
    /// Principal not repaid; `None` where it is not known.
    pub outstanding_minor: Option<i64>,
    /// Due and unpaid; `None` where it is not known.
    pub arrears_minor: Option<i64>,
    /// Days past due; `None` where it is not known.
    pub dpd: Option<i64>,
    /// Its class; `None` where it is not known or the loan is written off.
    pub class: Option<Class>,
    /// Why it is non-performing; `None` where it is not.
    pub marked_by: Option<MarkedBy>,
    /// The borrower's risk band tonight.
    pub band: Option<String>,
    /// The borrower's probability of default tonight.
    pub pd_prob: Option<f64>,
    /// Its stage; `None` where no provisions are configured, and for what is written off.
    pub stage: Option<Stage>,
    /// Weighted provision; `None` where none are configured, and for what is written off.
    pub provision_minor: Option<i64>,
}

impl LoanLine {
    /// Neither written off nor unknown.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.is_written_off() && !self.is_unknown()
    }

    /// Written off, with something still owed.
    #[must_use]
    pub fn is_written_off(&self) -> bool {
        self.place == WRITTEN_OFF
    }

    /// Nothing is known of it.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.place == UNKNOWN
    }

    /// Where it stands, and with how much: principal not repaid, or what was lent where that is not known.
    #[must_use]
    pub fn position(&self) -> Position {
        let minor = self.outstanding_minor.or(self.principal_minor).unwrap_or(0);
        Position { place: self.place.clone(), minor, disbursed_on: self.disbursed_on, lent_minor: minor }
    }

    /// The same for a night without a loan book: nothing is known of it any more.
    #[must_use]
    pub fn unknown_tonight(&self) -> Self {
        Self {
            place: UNKNOWN.to_owned(),
            outstanding_minor: None,
            arrears_minor: None,
            dpd: None,
            class: None,
            marked_by: None,
            band: None,
            pd_prob: None,
            stage: None,
            provision_minor: None,
            ..self.clone()
        }
    }
}
