//! Pledges: which receivables secure an order loan.

use std::collections::BTreeSet;

use super::case::{MerchantCase, Receivable};
use super::error::OfferError;

/// Orders that secure a loan and what they are worth.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pledge {
    /// Orders, sorted.
    pub order_ids: Vec<String>,
    /// Their sum.
    pub amount_minor: i64,
}

/// Receivables that can still be pledged: not pledged to another loan, and among those that the application names, where it names any.
/// The largest first, then by order: the same orders whatever the order of the input.
///
/// # Errors
/// An order that stands twice, or a negative amount.
pub(super) fn free_receivables<'a>(case: &MerchantCase<'a>, named: &[&str]) -> Result<Vec<Receivable<'a>>, OfferError> {
    let named: BTreeSet<&str> = named.iter().copied().collect();
    let mut seen = BTreeSet::new();
    let mut free = Vec::new();
    for receivable in case.receivables {
        if receivable.amount_minor < 0 {
            return Err(OfferError::Negative {
                merchant_id: case.merchant_id.to_owned(),
                what: "a receivable",
                value: receivable.amount_minor,
            });
        }
        if !seen.insert(receivable.order_id) {
            return Err(OfferError::DuplicateReceivable {
                merchant_id: case.merchant_id.to_owned(),
                order_id: receivable.order_id.to_owned(),
            });
        }
        let is_free = !case.pledged.contains(receivable.order_id);
        if is_free && (named.is_empty() || named.contains(receivable.order_id)) {
            free.push(*receivable);
        }
    }
    free.sort_unstable_by(|a, b| b.amount_minor.cmp(&a.amount_minor).then(a.order_id.cmp(b.order_id)));
    Ok(free)
}

/// What a sum of receivables carries: `sum × advance rate`, rounded down.
pub(super) fn carried_minor(sum_minor: i64, advance_rate_ppm: i64) -> i64 {
    let carried = i128::from(sum_minor) * i128::from(advance_rate_ppm) / 1_000_000;
    // A rate above one could overflow either way: the nearest end, never the other one.
    i64::try_from(carried).unwrap_or(if carried < 0 { i64::MIN } else { i64::MAX })
}

/// The first of the free receivables that together carry the limit; each order at most once. The caller's limit never exceeds what all of
/// them carry.
#[must_use]
pub fn pledge(free: &[Receivable<'_>], limit_minor: i64, advance_rate_ppm: i64) -> Pledge {
    let mut pledge = Pledge::default();
    for receivable in free.iter().filter(|r| r.amount_minor > 0) {
        if carried_minor(pledge.amount_minor, advance_rate_ppm) >= limit_minor {
            break;
        }
        pledge.order_ids.push(receivable.order_id.to_owned());
        pledge.amount_minor = pledge.amount_minor.saturating_add(receivable.amount_minor);
    }
    pledge.order_ids.sort_unstable();
    pledge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overflows_stays_on_its_side_of_zero() {
        assert_eq!(carried_minor(1_000, 500_000), 500);
        assert_eq!(carried_minor(i64::MAX, i64::MAX), i64::MAX);
        assert_eq!(carried_minor(i64::MIN, i64::MAX), i64::MIN);
    }
}
