//! Orders per buyer: three or more orders a distinct buyer.

use super::buyers::Buyers;
use super::judge::{OrderFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "orders-per-buyer";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrdersPerBuyerSettings {
    /// What the sign counts for.
    pub weight: u32,
    /// Length of the window.
    pub window_days: u32,
    /// Fewest orders that tell anything.
    pub min_orders: u32,
    /// Orders a distinct buyer from which on it is a sign.
    pub max_ratio: f64,
}

/// A sign on every order of a window `(t − window, t]` with at least `min_orders` orders and
/// `orders ÷ distinct buyers ≥ max_ratio`, where `t` is some order's time.
///
/// Source: a large marketplace's published rule against fake trade (ratio 3); the window is project judgement.
pub(super) fn look(orders: &[&OrderFacts], buyers: &Buyers, settings: &OrdersPerBuyerSettings) -> Vec<Option<Seen>> {
    let window = i64::from(settings.window_days) * 86_400_000_000;
    let mut seen: Vec<Option<Seen>> = vec![None; orders.len()];
    let least = usize::try_from(settings.min_orders).unwrap_or(usize::MAX);
    if orders.len() < least {
        return seen;
    }
    // Of each buyer the orders within the window, and how many have some.
    let mut counts = vec![0_u32; buyers.len()];
    let mut distinct = 0_usize;
    let mut start = 0;
    let mut marked = 0;
    for (n, (order, buyer)) in orders.iter().zip(&buyers.of_orders).enumerate() {
        if let Some(count) = counts.get_mut(*buyer as usize) {
            distinct += usize::from(*count == 0);
            *count += 1;
        }
        while orders.get(start).is_some_and(|o| o.placed_at <= order.placed_at.saturating_sub(window)) {
            if let Some(count) = buyers.of_orders.get(start).and_then(|buyer| counts.get_mut(*buyer as usize)) {
                *count -= 1;
                distinct -= usize::from(*count == 0);
            }
            start += 1;
        }
        let held = n + 1 - start;
        let ratio = held as f64 / distinct.max(1) as f64;
        if held < least || ratio < settings.max_ratio {
            continue;
        }
        // Rows before `marked` have a sign already: one is enough.
        let from = start.max(marked);
        for slot in seen.get_mut(from..=n).unwrap_or_default() {
            *slot = Some(Seen { observed: ratio, threshold: settings.max_ratio });
        }
        marked = n + 1;
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn orders(buyers: &[&'static str]) -> Vec<OrderFacts<'static>> {
        buyers.iter().zip(0_i64..).map(|(buyer_id, n)| OrderFacts::placed("", buyer_id, n * DAY, 1)).collect()
    }

    #[test]
    fn three_orders_a_buyer_within_the_window() {
        let settings = OrdersPerBuyerSettings { weight: 1, window_days: 30, min_orders: 6, max_ratio: 3.0 };
        let marks = |buyers: &[&'static str]| {
            let orders = orders(buyers);
            let orders: Vec<&OrderFacts> = orders.iter().collect();
            look(&orders, &Buyers::of(&orders), &settings).iter().filter(|s| s.is_some()).count()
        };
        assert_eq!(marks(&["a", "b", "a", "b", "a", "b"]), 6);
        assert_eq!(marks(&["a", "b", "a", "b", "a", "c"]), 0);
        assert_eq!(marks(&["a", "a", "a", "a", "a"]), 0, "too few orders");
        assert_eq!(marks(&["c", "d", "a", "a", "a", "a", "a", "a", "a"]), 9);
    }
}
