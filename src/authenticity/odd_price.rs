//! Odd price: far from the merchant's own median.

use super::judge::{OrderFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "odd-price";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OddPriceSettings {
    /// What the sign counts for.
    pub weight: u32,
    /// So many times above or below the median.
    pub times_median: f64,
    /// Fewest orders that give a median.
    pub min_orders: u32,
}

/// A sign on every order worth at least `times_median` times the merchant's median order, or at most that part of it.
/// Observed is the larger of `amount ÷ median` and `median ÷ amount` (the median itself for an order worth nothing).
///
/// The median is the lower middle one of all the merchant's orders visible at as-of. Source: project judgement: fake orders are
/// priced at next to nothing, to save fees, or far too high, to lift turnover.
pub(super) fn look(orders: &[&OrderFacts], settings: &OddPriceSettings) -> Vec<Option<Seen>> {
    let nothing = vec![None; orders.len()];
    if orders.len() < usize::try_from(settings.min_orders).unwrap_or(usize::MAX) {
        return nothing;
    }
    let mut amounts: Vec<i64> = orders.iter().map(|o| o.amount_minor).collect();
    amounts.sort_unstable();
    let Some(median) = amounts.get((amounts.len().saturating_sub(1)) / 2).copied().filter(|m| *m > 0) else {
        return nothing;
    };
    let threshold = settings.times_median;
    orders
        .iter()
        .map(|o| {
            let (amount, median) = (o.amount_minor.max(1) as f64, median as f64);
            let observed = (amount / median).max(median / amount);
            (observed >= threshold).then_some(Seen { observed, threshold })
        })
        .collect()
}
