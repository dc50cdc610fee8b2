//! Orders that secure a loan were cancelled or refunded.

use super::finding::Finding;
use crate::monitor::pledges::PledgedOrders;

/// The word that a monitor file uses.
pub const KIND: &str = "pledge-loss";

/// Observes the share, by value, of the orders that secure the loan which was cancelled or went back to buyers; fires from `from_share` on. Unknown where
/// one of them cannot be found.
#[must_use]
pub fn judge(pledged: Option<&PledgedOrders>, from_share: f64) -> Finding {
    let Some(pledged) = pledged else { return Finding::Unknown };
    if pledged.value_minor <= 0 || pledged.not_found > 0 {
        return Finding::Unknown;
    }
    let lost = pledged.lost_minor as f64 / pledged.value_minor as f64;
    Finding::of(lost >= from_share, lost, from_share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_security_that_is_gone() {
        let pledged = |value_minor, lost_minor, not_found| PledgedOrders {
            value_minor,
            lost_minor,
            not_found,
            ..PledgedOrders::default()
        };
        assert_eq!(judge(Some(&pledged(400, 100, 0)), 0.25), Finding::Fired { observed: 0.25, threshold: 0.25 });
        assert!(matches!(judge(Some(&pledged(401, 100, 0)), 0.25), Finding::Quiet { .. }));
        assert_eq!(judge(Some(&pledged(400, 400, 1)), 0.25), Finding::Unknown, "an order is not found");
        assert_eq!(judge(Some(&pledged(0, 0, 0)), 0.25), Finding::Unknown);
        assert_eq!(judge(None, 0.25), Finding::Unknown);
    }
}
