//! Draws on an offer under another borrower than the one to whom it was made.
//!
//! A loan whose row names an offer was drawn on it, whoever the row says borrowed. Where that is another merchant, or none that is known (a blank cell, another spelling),
//! the offer would stay open for the one to whom it was made, and what was drawn be owed by nobody: the loan is unknown for that merchant too.

use super::evidence::LoanEvidence;
use super::unknown::{Causes, UnknownCause, UnknownLoan};

/// A loan that names an offer, as its row says, sound or broken.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedOffer {
    /// The offer.
    pub offer_id: String,
    /// The loan; `None` where its cell cannot be read.
    pub loan_id: Option<String>,
    /// The borrower; `None` where the row leads to none.
    pub merchant_id: Option<String>,
    /// Its product, where a sound row says so.
    pub product: Option<String>,
    /// What was lent, where a sound row says so.
    pub principal_minor: Option<i64>,
}

impl NamedOffer {
    /// The loan of the merchant to whom the offer was made, where that is not the borrower.
    pub(super) fn draw(self, evidence: &LoanEvidence) -> Option<UnknownLoan> {
        let made_to = evidence.made_to_another(&self)?;
        let cause = UnknownCause::drawn_under_another(&self.offer_id, self.merchant_id.as_deref());
        Some(UnknownLoan {
            merchant_id: made_to.to_owned(),
            loan_id: self.loan_id,
            product: self.product,
            principal_minor: self.principal_minor,
            // Who answers for it is said by the row of its borrower.
            group_id: None,
            causes: Causes::from_iter([cause]),
        })
    }
}
