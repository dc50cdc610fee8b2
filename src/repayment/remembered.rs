//! What a night leaves to the next about every loan: a loan does not vanish because its row is no longer sent, or its borrower's.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::standing::LoanStanding;
use super::unknown::UnknownLoan;

/// How a loan stood when its books last agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastKnown {
    /// They never did, as far as nights tell.
    Never,
    /// Something was owed.
    Open,
    /// Something was owed, and it was in default.
    InDefault,
    /// Nothing was owed any more.
    Closed,
}

/// One loan that the next night has to see again: a row of `remembered_loans.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedLoan {
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// Its product, where a sound row ever said so.
    pub product: Option<String>,
    /// What was lent, where a sound row ever said so.
    pub principal_minor: Option<i64>,
    /// The guarantee group that is jointly liable, where a sound row ever said so.
    pub group_id: Option<String>,
    /// How it stood when its books last agreed.
    pub last_known: LastKnown,
    /// As-of date of the last night on which they did; `None` where they never did.
    pub known_on: Option<Date>,
    /// Principal not repaid then.
    pub outstanding_minor: Option<i64>,
}

impl RememberedLoan {
    /// Of a loan whose books agree tonight.
    pub(super) fn known(loan: &LoanStanding, tonight: Date) -> Self {
        Self {
            merchant_id: loan.merchant_id.clone(),
            loan_id: loan.loan_id.clone(),
            product: Some(loan.product.clone()),
            principal_minor: Some(loan.principal_minor),
            group_id: loan.group_id.clone(),
            last_known: match (loan.is_closed, loan.is_in_default) {
                (true, _) => LastKnown::Closed,
                (false, true) => LastKnown::InDefault,
                (false, false) => LastKnown::Open,
            },
            known_on: Some(tonight),
            outstanding_minor: Some(loan.outstanding_minor),
        }
    }

    /// Of a loan that is not known tonight: what was known `before`, and what its rows say of it.
    pub(super) fn unknown(loan: &UnknownLoan, loan_id: &str, before: Option<&Self>) -> Self {
        let said = |tonight: &Option<String>, then: fn(&Self) -> &Option<String>| {
            tonight.clone().or_else(|| before.and_then(|before| then(before).clone()))
        };
        Self {
            merchant_id: loan.merchant_id.clone(),
            loan_id: loan_id.to_owned(),
            product: said(&loan.product, |before| &before.product),
            principal_minor: loan.principal_minor.or_else(|| before.and_then(|before| before.principal_minor)),
            group_id: said(&loan.group_id, |before| &before.group_id),
            last_known: before.map_or(LastKnown::Never, |before| before.last_known),
            known_on: before.and_then(|before| before.known_on),
            outstanding_minor: before.and_then(|before| before.outstanding_minor),
        }
    }

    /// Nothing was owed on it when it was last known.
    #[must_use]
    pub fn was_closed(&self) -> bool {
        self.last_known == LastKnown::Closed
    }
}
