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
/// sign alone doubts none of them. Reviews of nobody known are never doubted. Source: [G], malicious complaints; thresholds are project judgement.
pub(super) fn look(reviews: &[&ReviewFacts], settings: &ReviewBurstSettings) -> Vec<Option<Seen>> {
    let window = i64::from(settings.window_hours) * 3_600_000_000;
    let is_bad = |r: &ReviewFacts| r.stars <= i64::from(settings.max_stars) && r.is_somebodys();
    let times: Vec<i64> = reviews.iter().filter(|r| is_bad(r)).map(|r| r.created_at).collect();
    let all: Vec<i64> = reviews.iter().map(|r| r.created_at).collect();
    let windows = windows_in(&all, window);
    let mut marks = bursts(&times, window, windows, settings.min_reviews, settings.times_usual).into_iter();
    reviews.iter().map(|r| if is_bad(r) { marks.next().flatten() } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reviews_of_nobody_known_are_no_burst() {
        let of = |buyer_id: &'static str| {
            let review = |n: i64| ReviewFacts {
                review_id: "r",
                order_id: "o",
                buyer_id,
                created_at: 1_000_000_000 + n,
                stars: 1,
                order_buyer_id: None,
                order_placed_at: None,
                delivered_at: None,
                delivery_late: None,
                is_parcel_lost: false,
                knows_parcels: false,
            };
            let reviews: Vec<ReviewFacts<'_>> = (0..20).map(review).collect();
            let settings =
                ReviewBurstSettings { weight: 1, window_hours: 24, max_stars: 1, min_reviews: 5, times_usual: 4.0 };
            look(&reviews.iter().collect::<Vec<_>>(), &settings).iter().flatten().count()
        };
        assert_eq!((of("b"), of(crate::authenticity::UNKNOWN_BUYER)), (20, 0));
    }
}
