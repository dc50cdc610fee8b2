//! Review burst: many bad reviews together.

use super::burst::{bursts, windows_in};
use super::judge::{ReviewFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "review-burst";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReviewBurstSettings {
    /// What the sign counts for.
    pub weight: u32,
    /// Length of the window.
    pub window_hours: u32,
    /// Most stars of a bad review.
    pub max_stars: u32,
    /// Fewest bad reviews that are a burst.
    pub min_reviews: u32,
    /// And so many times the usual.
    pub times_usual: f64,
}

/// A sign on every review of at most `max_stars` in a window that holds at least
/// `max(min_reviews, times_usual × bad reviews outside it ÷ windows in the merchant's history of reviews)` of them.
///
/// History runs from the first to the last review, good or bad. A bad batch of goods brings bad reviews together as well: this
/// sign alone doubts none of them. Source: [G], malicious complaints; thresholds are project judgement.
pub(super) fn look(reviews: &[&ReviewFacts], settings: &ReviewBurstSettings) -> Vec<Option<Seen>> {
    let window = i64::from(settings.window_hours) * 3_600_000_000;
    let is_bad = |r: &ReviewFacts| r.stars <= i64::from(settings.max_stars);
    let times: Vec<i64> = reviews.iter().filter(|r| is_bad(r)).map(|r| r.created_at).collect();
    let all: Vec<i64> = reviews.iter().map(|r| r.created_at).collect();
    let windows = windows_in(&all, window);
    let mut marks = bursts(&times, window, windows, settings.min_reviews, settings.times_usual).into_iter();
    reviews.iter().map(|r| if is_bad(r) { marks.next().flatten() } else { None }).collect()
}
