//! Review orders together: the orders behind bad reviews were placed together.

use super::burst::{bursts, windows_in};
use super::judge::{ReviewFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "review-orders-together";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReviewOrdersTogetherSettings {
    /// What the sign counts for.
    pub weight: u32,
    /// Length of the window.
    pub window_hours: u32,
    /// Fewest orders that were placed together.
    pub min_orders: u32,
    /// And so many times the usual.
    pub times_usual: f64,
}

/// A sign on every review of at most `max_stars` whose order was placed in a window that holds at least
/// `max(min_orders, times_usual × such orders outside it ÷ windows in the merchant's history of reviewed orders)` of the orders
/// that such reviews belong to.
///
/// Buyers who are let down by a bad batch ordered on many days and complain as their parcels arrive; who orders to complain, orders
/// with the rest of the gang. Reviews of nobody known are never doubted. Source: project judgement.
pub(super) fn look(
    reviews: &[&ReviewFacts],
    max_stars: u32,
    settings: &ReviewOrdersTogetherSettings,
) -> Vec<Option<Seen>> {
    let window = i64::from(settings.window_hours) * 3_600_000_000;
    let mut all: Vec<i64> = reviews.iter().filter_map(|r| r.order_placed_at).collect();
    all.sort_unstable();
    let mut bad: Vec<(i64, usize)> = reviews
        .iter()
        .enumerate()
        .filter(|(_, r)| r.stars <= i64::from(max_stars) && r.is_somebodys())
        .filter_map(|(n, r)| r.order_placed_at.map(|at| (at, n)))
        .collect();
    bad.sort_unstable();
    let times: Vec<i64> = bad.iter().map(|(at, _)| *at).collect();
    let marks = bursts(&times, window, windows_in(&all, window), settings.min_orders, settings.times_usual);
    let mut seen = vec![None; reviews.len()];
    for ((_, n), mark) in bad.iter().zip(marks) {
        if let Some(slot) = seen.get_mut(*n) {
            *slot = mark;
        }
    }
    seen
}
