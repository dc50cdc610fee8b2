//! No tracking: delivered without any tracking number.

use super::judge::{OrderFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "no-tracking";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTrackingSettings {
    /// What the sign counts for; 0 where the source has no tracking numbers at all.
    pub weight: u32,
}

/// A sign on every order that arrived although none of its parcels has a tracking number. Observed and threshold are counts
/// of parcels with one.
///
/// A fake order needs no parcel, and an empty one is often sent by no carrier. Source: project judgement after Xu et al.
pub(super) fn look(orders: &[&OrderFacts]) -> Vec<Option<Seen>> {
    orders
        .iter()
        .map(|o| {
            let is_sign = o.delivered_at.is_some() && o.has_tracking == Some(false);
            is_sign.then_some(Seen { observed: 0.0, threshold: 1.0 })
        })
        .collect()
}
