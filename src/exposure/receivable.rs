//! Receivables: shipped orders whose money the platform will release, what they count for as they age, and which secure what.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::settings::ReceivableTerms;
use crate::domain::MICROS_PER_DAY;

/// A shipped, unconfirmed, undisputed, unsuspected, live order: money that escrow will release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receivable {
    /// The order.
    pub order_id: String,
    /// When it was placed, or the first of those that may be the same sale, UTC microseconds.
    pub placed_at: i64,
    /// What it counts for at its age; at most what the buyer paid into escrow, less what went back.
    pub counted_minor: i64,
    /// Other orders that may be the same sale: what is pledged under one of the ids is pledged.
    pub same_sale: Vec<String>,
    /// What the buyer paid into escrow; `None` in runs that did not keep it.
    #[serde(default)]
    pub paid_minor: Option<i64>,
    /// When its last parcel was handed over, UTC microseconds; `None` in runs that did not keep it.
    #[serde(default)]
    pub shipped_at: Option<i64>,
}

impl Receivable {
    /// Every id under which the sale may have been sent.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.order_id).chain(&self.same_sale).map(String::as_str)
    }
}

/// A merchant's receivables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Receivables {
    /// Whether orders were shipped, or disputed, cannot be known, or a record about one of them does not say which.
    Unknown,
    /// Each order once, by order id.
    Known(Vec<Receivable>),
}

impl ReceivableTerms {
    /// What an order of `amount` counts for: all of it up to `full_until_days` after its last parcel was handed over, nothing from
    /// `expires_after_days` on, and between the two `amount × (expires − age) ÷ (expires − full)`, rounded down.
    ///
    /// A buyer who has not confirmed for weeks is more and more likely never to: the parcel is lost, the buyer gone, or the order was
    /// never real. Example: full until 14, expires after 44: an order of 300.00 handed over 29 days ago counts for 150.00.
    /// Source: project judgement.
    #[must_use]
    pub fn counted_minor(&self, amount_minor: i64, shipped_at: i64, as_of_micros: i64) -> i64 {
        let age = as_of_micros.saturating_sub(shipped_at).max(0) / MICROS_PER_DAY;
        let (full, expires) = (i64::from(self.full_until_days), i64::from(self.expires_after_days));
        let amount = amount_minor.max(0);
        if age <= full {
            amount
        } else if age >= expires {
            0
        } else {
            let part = i128::from(amount) * i128::from(expires - age) / i128::from(expires - full);
            // A part of the amount fits where the amount does.
            i64::try_from(part).unwrap_or(0)
        }
    }
}

/// Orders that secure a loan and what they are worth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pledge {
    /// Orders, sorted.
    pub order_ids: Vec<String>,
    /// What they count for together.
    pub counted_minor: i64,
}

impl Pledge {
    /// The first of the free receivables that together carry the limit; each order at most once. The caller's limit never exceeds what
    /// all of them carry.
    #[must_use]
    pub fn covering(free: &[&Receivable], limit_minor: i64, carries: impl Fn(i64) -> i64) -> Self {
        let mut pledge = Self::default();
        for receivable in free.iter().filter(|r| r.counted_minor > 0) {
            if carries(pledge.counted_minor) >= limit_minor {
                break;
            }
            pledge.order_ids.push(receivable.order_id.clone());
            pledge.counted_minor = pledge.counted_minor.saturating_add(receivable.counted_minor);
        }
        pledge.order_ids.sort_unstable();
        pledge
    }
}

/// Receivables that no loan and no other offer rests on, and among those that the application names, by whatever id, where it names any. The largest
/// first, then by order: the same orders whatever the order of the input.
#[must_use]
pub(super) fn free<'a>(
    receivables: &'a [Receivable],
    is_pledged: impl Fn(&Receivable) -> bool,
    named: &[String],
) -> Vec<&'a Receivable> {
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    let mut free: Vec<&Receivable> = receivables
        .iter()
        .filter(|r| !is_pledged(r) && (named.is_empty() || r.ids().any(|id| named.contains(id))))
        .collect();
    free.sort_unstable_by(|a, b| b.counted_minor.cmp(&a.counted_minor).then_with(|| a.order_id.cmp(&b.order_id)));
    free
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::exposure::DisputeRecords;

    const TERMS: ReceivableTerms = ReceivableTerms {
        full_until_days: 14,
        expires_after_days: 44,
        disputes: DisputeRecords::Required,
        largest_order_times: None,
    };

    fn counted(amount_minor: i64, days: i64) -> i64 {
        TERMS.counted_minor(amount_minor, 0, days * MICROS_PER_DAY)
    }

    #[test]
    fn an_order_counts_in_full_then_less_then_for_nothing() {
        let seen: Vec<i64> = [0, 14, 15, 29, 43, 44, 400].map(|days| counted(30_000, days)).to_vec();
        assert_eq!(seen, [30_000, 30_000, 29_000, 15_000, 1_000, 0, 0]);
        assert_eq!(TERMS.counted_minor(30_000, 5 * MICROS_PER_DAY, 0), 30_000, "handed over after as-of is never seen");
    }

    proptest! {
        #[test]
        fn age_never_adds(amount in 0_i64..i64::MAX, day in 0_i64..60, later in 0_i64..60) {
            prop_assert!(counted(amount, day + later) <= counted(amount, day));
            prop_assert!((0..=amount).contains(&counted(amount, day)));
        }
    }
}
