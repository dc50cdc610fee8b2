//! Instant delivery: delivered before a parcel could travel.

use super::judge::{OrderFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "instant-delivery";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstantDeliverySettings {
    /// What the sign counts for.
    pub weight: u32,
    /// Hours below which it is a sign.
    pub max_hours: u32,
}

/// A sign on every order whose parcels arrived less than `max_hours` after they were handed over (after the order was
/// placed, where no handing over is known). Observed and threshold are hours.
///
/// Source: project judgement after Xu et al.; couriers within a town are why it is only one sign of several.
pub(super) fn look(orders: &[&OrderFacts], settings: InstantDeliverySettings) -> Vec<Option<Seen>> {
    let threshold = f64::from(settings.max_hours);
    orders
        .iter()
        .map(|o| {
            let travelled = o.delivered_at?.saturating_sub(o.shipped_at.unwrap_or(o.placed_at));
            let observed = travelled as f64 / 3_600_000_000.0;
            (observed < threshold).then_some(Seen { observed, threshold })
        })
        .collect()
}
