//! Orders to deduct that may still be under way: what one night ordered is not ordered again by the next under another name.
//!
//! A row is an order of which nothing, or not all, has arrived. The payments do not say which order they settle. So what deductions of a loan came to since the
//! night before is taken off its orders, the oldest first: whatever was settled, no more than the rest can still arrive.
//!
//! - An order of which nothing has arrived is repeated under its key: without end while no deduction of the loan has arrived or bounced since it was first
//!   given, else for [`under_way_days`](super::settings::DeductionTerms::under_way_days). What arrived meanwhile may have been its own, and taken for the rest of an older one that was executed
//!   over less: the service would drop it for ever.
//! - Whatever is not repeated is awaited for as many days after the last night that gave it, and then given up.
//!
//! So no more can arrive than was owed if the payment service executes what the last night gave and nothing older, and settles and posts all of it within these
//! days of the last night that gave it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::{Hasher, days_between};
use crate::repayment::{LoanStanding, MerchantLoans};

/// One order: a row of `open_deductions.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenDeduction {
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// Idempotency key.
    pub key: String,
    /// The most that was ordered under the key, in minor units.
    pub ordered_minor: i64,
    /// What of it may still arrive.
    pub left_minor: i64,
    /// When it was first ordered, or raised.
    pub ordered_on: Date,
    /// The last night that gave it.
    pub given_on: Date,
    /// What deductions of the loan had come to on the last night that knew it; `None` of an order that was read from a run which did not leave it.
    pub deducted_minor: Option<i64>,
}

impl OpenDeduction {
    fn is_untouched(&self) -> bool {
        self.left_minor == self.ordered_minor
    }
}

/// Orders that earlier nights left, by merchant.
#[derive(Debug, Clone, Default)]
pub struct OpenDeductions {
    by_merchant: BTreeMap<String, Vec<OpenDeduction>>,
}

impl OpenDeductions {
    /// Sorts rows of `open_deductions.parquet` by merchant; of a key that is there twice the first counts.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = OpenDeduction>) -> Self {
        let mut by_merchant: BTreeMap<String, Vec<OpenDeduction>> = BTreeMap::new();
        for row in rows {
            let orders = by_merchant.entry(row.merchant_id.clone()).or_default();
            if orders.iter().all(|order| order.key != row.key) {
                orders.push(row);
            }
        }
        Self { by_merchant }
    }

    /// Those of one merchant.
    #[must_use]
    pub fn of(&self, merchant_id: &str) -> &[OpenDeduction] {
        self.by_merchant.get(merchant_id).map_or(&[], Vec::as_slice)
    }

    /// Those of merchants who cannot be seen tonight: they may be executed all the same.
    pub fn of_unseen<'a>(&'a self, is_seen: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = OpenDeduction> + 'a {
        let unseen = self.by_merchant.iter().filter(move |(merchant, _)| !is_seen(merchant));
        unseen.flat_map(|(_, orders)| orders.iter().cloned())
    }
}

/// What was under way when the night began.
#[derive(Debug, Clone, Copy)]
pub struct OrdersBefore<'a> {
    /// Orders of the merchant.
    pub orders: &'a [OpenDeduction],
    /// The night.
    pub tonight: Date,
}

/// One loan's orders tonight, those of which nothing has arrived last.
#[derive(Default)]
struct LoanOrders {
    orders: Vec<OpenDeduction>,
    /// The last one is given again under its key, and no other.
    repeats_last: bool,
}

impl LoanOrders {
    fn repeated(&self) -> Option<&OpenDeduction> {
        self.orders.last().filter(|_| self.repeats_last)
    }

    /// What may still arrive of the others.
    fn beside_minor(&self) -> i64 {
        let others = self.orders.len() - usize::from(self.repeated().is_some());
        self.orders.iter().take(others).fold(0, |sum, order| order.left_minor.saturating_add(sum))
    }
}

/// One merchant's orders tonight.
pub(super) struct UnderWay {
    by_loan: BTreeMap<String, LoanOrders>,
    tonight: Date,
    days: u16,
}

impl UnderWay {
    /// Takes what has arrived since off the orders, and gives up those that are awaited no longer. Of a loan that is not known nothing is said.
    pub fn of(before: OrdersBefore<'_>, loans: MerchantLoans<'_>, days: u16) -> Self {
        let mut by_loan: BTreeMap<String, Vec<OpenDeduction>> = BTreeMap::new();
        for order in before.orders {
            by_loan.entry(order.loan_id.clone()).or_default().push(order.clone());
        }
        let mut under_way = Self { by_loan: BTreeMap::new(), tonight: before.tonight, days };
        for (loan_id, orders) in by_loan {
            let is_unknown = loans.unknown.iter().any(|loan| loan.loan_id.as_ref() == Some(&loan_id));
            let known = loans.known.iter().find(|loan| loan.loan_id == loan_id);
            let orders = match known {
                Some(loan) => under_way.after_arrivals(orders, loan),
                None if is_unknown => LoanOrders { orders, repeats_last: false },
                // Settled elsewhere, or repaid so long ago that it is not sent.
                None => under_way.awaited(orders, false),
            };
            under_way.by_loan.insert(loan_id, orders);
        }
        under_way
    }

    fn after_arrivals(&self, mut orders: Vec<OpenDeduction>, loan: &LoanStanding) -> LoanOrders {
        let others = orders.len() as u64;
        let is_of_now = |order: &OpenDeduction| (0..=others).any(|again| key(loan, again) == order.key);
        // A run that did not leave what had arrived ordered under a key that says how much had: if it is still the loan's, nothing has since.
        orders.retain(|order| order.deducted_minor.is_some() || is_of_now(order));
        orders.sort_by(|a, b| (a.is_untouched(), a.ordered_on, &a.key).cmp(&(b.is_untouched(), b.ordered_on, &b.key)));
        let before = orders.iter().filter_map(|order| order.deducted_minor).max();
        let mut arrived = before.map_or(0, |before| loan.deducted_minor.saturating_sub(before).max(0));
        for order in &mut orders {
            let part = arrived.min(order.left_minor);
            order.left_minor -= part;
            arrived -= part;
            order.deducted_minor = Some(loan.deducted_minor);
        }
        orders.retain(|order| order.left_minor > 0);
        let may_be_repeated = |order: &OpenDeduction| {
            order.is_untouched()
                && !loan.is_closed
                && !loan.is_written_off
                && (self.is_lately(order.ordered_on) || is_of_now(order))
        };
        let repeats_last = orders.last().is_some_and(may_be_repeated);
        self.awaited(orders, repeats_last)
    }

    /// Leaves out orders that are neither repeated nor awaited.
    fn awaited(&self, mut orders: Vec<OpenDeduction>, repeats_last: bool) -> LoanOrders {
        let repeated = orders.pop_if(|_| repeats_last);
        orders.retain(|order| self.is_lately(order.given_on));
        orders.extend(repeated);
        LoanOrders { orders, repeats_last }
    }

    fn is_lately(&self, day: Date) -> bool {
        days_between(day, self.tonight) < i32::from(self.days)
    }

    /// How much of what is asked for may be ordered tonight. An order that is repeated is not raised while it may have been executed as it was: what
    /// arrives would be taken for a part of it.
    pub fn room_minor(&self, loan: &LoanStanding, asked_minor: i64) -> i64 {
        let Some(orders) = self.by_loan.get(&loan.loan_id) else { return asked_minor };
        let room = asked_minor.saturating_sub(orders.beside_minor());
        let repeated = orders.repeated().filter(|order| self.is_lately(order.ordered_on));
        repeated.map_or(room, |order| room.min(order.ordered_minor))
    }

    /// Puts an order on the list, and returns its key.
    pub fn order(&mut self, loan: &LoanStanding, amount_minor: i64) -> String {
        let tonight = self.tonight;
        let LoanOrders { orders, repeats_last } = self.by_loan.entry(loan.loan_id.clone()).or_default();
        if let Some(order) = orders.last_mut().filter(|_| *repeats_last) {
            order.given_on = tonight;
            if amount_minor > order.ordered_minor {
                (order.ordered_minor, order.left_minor, order.ordered_on) = (amount_minor, amount_minor, tonight);
            }
            return order.key.clone();
        }
        // Where payments were taken back, an earlier order may have had the same counts.
        let mut again = 0;
        let key = loop {
            let key = key(loan, again);
            if orders.iter().all(|order| order.key != key) {
                break key;
            }
            again += 1;
        };
        orders.push(OpenDeduction {
            merchant_id: loan.merchant_id.clone(),
            loan_id: loan.loan_id.clone(),
            key: key.clone(),
            ordered_minor: amount_minor,
            left_minor: amount_minor,
            ordered_on: tonight,
            given_on: tonight,
            deducted_minor: Some(loan.deducted_minor),
        });
        *repeats_last = true;
        key
    }

    /// What the next night has to know.
    pub fn into_orders(self) -> Vec<OpenDeduction> {
        self.by_loan.into_values().flat_map(|orders| orders.orders).collect()
    }
}

/// Digests the loan, how many deductions of it have arrived and how many of those were reversed; and, where that makes a key that is under way, how
/// many more are.
fn key(loan: &LoanStanding, again: u64) -> String {
    let mut hasher = Hasher::default();
    hasher.field(b"deduction");
    hasher.field(loan.loan_id.as_bytes());
    hasher.field(&loan.deductions.to_le_bytes());
    hasher.field(&loan.deductions_reversed.to_le_bytes());
    if again > 0 {
        hasher.field(&again.to_le_bytes());
    }
    hasher.finish().to_string().chars().take(32).collect()
}
