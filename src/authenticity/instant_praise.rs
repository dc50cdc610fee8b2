//! Instant praise: five stars at once.

use super::judge::{OrderFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "instant-praise";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstantPraiseSettings {
    /// What the sign counts for.
    pub weight: u32,
    /// Minutes below which it is a sign.
    pub max_minutes: u32,
}

/// A sign on every order with five stars given less than `max_minutes` after arrival, or before it. Observed and threshold
/// are minutes; before arrival is negative. Orders not known to have arrived carry no sign.
///
/// Source: project judgement after Xu et al.: brushing tasks are reviewed from a list.
pub(super) fn look(orders: &[&OrderFacts], settings: InstantPraiseSettings) -> Vec<Option<Seen>> {
    let threshold = f64::from(settings.max_minutes);
    orders
        .iter()
        .map(|o| {
            let observed = o.reviewed_at?.saturating_sub(o.delivered_at?) as f64 / 60_000_000.0;
            (o.stars == Some(5) && observed < threshold).then_some(Seen { observed, threshold })
        })
        .collect()
}
