//! Review without cause: a bad review of an order that kept its promises.

use super::judge::{ReviewFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "review-without-cause";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewWithoutCauseSettings {
    /// What the sign counts for.
    pub weight: u32,
}

/// A sign on every review of at most `max_stars` whose order had arrived in time, or had not arrived and was not yet due,
/// when it was given. Observed are the stars, the threshold is `max_stars`.
///
/// Late, lost or unknown parcels are cause enough, and so no sign. Goods can disappoint although they come in time: this sign
/// alone doubts no review. Reviews of nobody known are never doubted. Source: project judgement.
pub(super) fn look(reviews: &[&ReviewFacts], max_stars: u32) -> Vec<Option<Seen>> {
    reviews
        .iter()
        .map(|r| {
            let is_bad = r.stars <= i64::from(max_stars) && r.is_somebodys();
            let kept_promise = r.knows_parcels && !r.is_parcel_lost && r.delivery_late != Some(true);
            (is_bad && kept_promise).then_some(Seen { observed: r.stars as f64, threshold: f64::from(max_stars) })
        })
        .collect()
}
