//! What the loans of a shard claim together: an offer is drawn up to its limit, and an order secures one draw.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::evidence::LoanEvidence;
use super::standing::LoanStanding;
use super::unknown::{DRAW_ABOVE_OFFER, UnknownCause};

/// Draws on offers, and open loans that pledge orders.
pub(super) struct Draws {
    /// Principal of all loans that name an offer, by merchant and offer.
    drawn: HashMap<(String, String), i64>,
    /// By merchant and order, what the open loans that pledge it draw on.
    pledged: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Draws {
    pub fn of(loans: &[LoanStanding], evidence: &LoanEvidence) -> Self {
        let mut draws = Self { drawn: HashMap::new(), pledged: BTreeMap::new() };
        for loan in loans {
            if let Some(offer) = &loan.offer_id {
                let drawn = draws.drawn.entry((loan.merchant_id.clone(), offer.clone())).or_default();
                *drawn = drawn.saturating_add(loan.principal_minor);
            }
            if loan.is_closed {
                continue;
            }
            for order in &loan.pledged_order_ids {
                let pledge = draws.pledged.entry((loan.merchant_id.clone(), order.clone())).or_default();
                pledge.insert(draw_of(loan, evidence));
            }
        }
        draws
    }

    /// What is wrong where the loans that name an offer come to more than it was made over, or did when the offer was last on an account.
    pub fn judge(&self, loan: &LoanStanding, evidence: &LoanEvidence) -> Option<UnknownCause> {
        let offer = loan.offer_id.as_ref()?;
        let words = format!("offer {offer:?} was made over ");
        let Some(limit_minor) = evidence.limit_minor(offer) else {
            return evidence.said_before(&loan.loan_id, DRAW_ABOVE_OFFER, &words).map(UnknownCause::draw_above_offer);
        };
        let drawn = self.drawn.get(&(loan.merchant_id.clone(), offer.clone())).copied().unwrap_or(0);
        let told = || UnknownCause::draw_above_offer(format!("{words}{limit_minor}, and {drawn} was drawn on it"));
        (drawn > limit_minor).then(told)
    }

    /// What is wrong where an order secures open loans of two draws. Several draws on one offer, and on the one that it
    /// replaced, rest on its orders together.
    pub fn judge_pledges(&self, loan: &LoanStanding) -> Option<UnknownCause> {
        let is_repeated = |order: &&String| {
            let key = (loan.merchant_id.clone(), (*order).clone());
            self.pledged.get(&key).is_some_and(|draws| draws.len() > 1)
        };
        let repeated: Vec<String> =
            loan.pledged_order_ids.iter().filter(is_repeated).map(|order| format!("{order:?}")).collect();
        (!repeated.is_empty()).then(|| {
            let detail = format!("another open loan pledges the same orders: {}", repeated.join(", "));
            UnknownCause::new("pledge-repeated", detail)
        })
    }
}

/// The offer that a loan draws on, by the first of those that it replaced, or the loan itself where it names none.
fn draw_of(loan: &LoanStanding, evidence: &LoanEvidence) -> String {
    match &loan.offer_id {
        Some(offer) => format!("offer {}", evidence.first_offer(offer)),
        None => format!("loan {}", loan.loan_id),
    }
}
