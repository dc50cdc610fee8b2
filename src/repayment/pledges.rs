//! Whose the orders are that loans pledge.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::DataFrame;

use super::columns::strings;
use super::error::RepaymentError;
use super::evidence::LoanEvidence;
use super::standing::LoanStanding;
use super::unknown::UnknownCause;
use crate::contract::ORDERS;
use crate::store::Shard;

/// The merchants of pledged orders, as far as this shard's merchants have them.
pub(super) struct OrderOwners<'a> {
    by_order: HashMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> OrderOwners<'a> {
    /// Looks up the orders that open loans pledge, sound and broken ones.
    pub fn of(shard: &'a Shard, loans: &[LoanStanding]) -> Result<Self, RepaymentError> {
        let open = loans.iter().filter(|loan| !loan.is_closed);
        let wanted: BTreeSet<&str> = open.flat_map(|loan| &loan.pledged_order_ids).map(String::as_str).collect();
        let mut by_order: HashMap<&'a str, BTreeSet<&'a str>> = HashMap::new();
        if wanted.is_empty() {
            return Ok(Self { by_order });
        }
        for (order, merchant) in shard.table(ORDERS.name).map(owned).transpose()?.into_iter().flatten() {
            if wanted.contains(order) {
                by_order.entry(order).or_default().insert(merchant);
            }
        }
        for record in shard.broken.iter().filter(|r| r.table == ORDERS.name && r.counts_at(&shard.as_of)) {
            if let (Some(order), Some(merchant)) = (record.order_id.as_deref(), record.merchant_id.as_deref())
                && wanted.contains(order)
            {
                by_order.entry(order).or_default().insert(merchant);
            }
        }
        Ok(Self { by_order })
    }

    /// What is wrong with a loan's pledges: orders that are not its borrower's. An order that nobody can see is not, either.
    pub fn judge(&self, loan: &LoanStanding) -> Option<UnknownCause> {
        not_own(loan, "not orders of its borrower that can be seen", |order| !self.is_own(loan, order))
    }

    /// The same of a loan that was drawn after the last of tonight's orders: only an order that another merchant has is known not to be its
    /// borrower's.
    pub fn judge_new(&self, loan: &LoanStanding, evidence: &LoanEvidence) -> Option<UnknownCause> {
        let is_of_another =
            |order: &str| !self.is_own(loan, order) && evidence.is_order_of_others(order, &loan.merchant_id);
        not_own(loan, "orders of another merchant", is_of_another)
    }

    fn is_own(&self, loan: &LoanStanding, order: &str) -> bool {
        self.by_order.get(order).is_some_and(|merchants| merchants.contains(loan.merchant_id.as_str()))
    }
}

fn not_own(loan: &LoanStanding, what: &str, is_strange: impl Fn(&str) -> bool) -> Option<UnknownCause> {
    let orders = &loan.pledged_order_ids;
    let strange: Vec<String> = orders.iter().filter(|order| is_strange(order)).map(|o| format!("{o:?}")).collect();
    (!strange.is_empty()).then(|| {
        let (some, all, listed) = (strange.len(), orders.len(), strange.join(", "));
        UnknownCause::new("pledge-not-own", format!("{some} of the {all} orders that it pledges are {what}: {listed}"))
    })
}

/// Orders with their merchants.
fn owned(frame: &DataFrame) -> Result<Vec<(&str, &str)>, RepaymentError> {
    let (orders, merchants) = (strings(frame, ORDERS.name, "order_id")?, strings(frame, ORDERS.name, "merchant_id")?);
    Ok(orders.iter().zip(merchants.iter()).filter_map(|(order, merchant)| Some((order?, merchant?))).collect())
}
