//! Whose the orders are that loans pledge.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::DataFrame;

use super::columns::strings;
use super::error::RepaymentError;
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
        let is_own = |order: &&String| {
            self.by_order.get(order.as_str()).is_some_and(|merchants| merchants.contains(loan.merchant_id.as_str()))
        };
        let strange: Vec<String> =
            loan.pledged_order_ids.iter().filter(|order| !is_own(order)).map(|order| format!("{order:?}")).collect();
        (!strange.is_empty()).then(|| {
            let detail = format!(
                "{} of the {} orders that it pledges are not orders of its borrower that can be seen: {}",
                strange.len(),
                loan.pledged_order_ids.len(),
                strange.join(", ")
            );
            UnknownCause::new("pledge-not-own", detail)
        })
    }
}

/// Orders with their merchants.
fn owned(frame: &DataFrame) -> Result<Vec<(&str, &str)>, RepaymentError> {
    let (orders, merchants) = (strings(frame, ORDERS.name, "order_id")?, strings(frame, ORDERS.name, "merchant_id")?);
    Ok(orders.iter().zip(merchants.iter()).filter_map(|(order, merchant)| Some((order?, merchant?))).collect())
}
