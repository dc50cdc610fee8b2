//! Orders wait beyond their day and pile up.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// The rule as configured: orders that should have been handed over, and all that wait against the orders of a window.
#[derive(Debug, Clone)]
pub struct ShippingStall {
    overdue: String,
    backlog: String,
    from_overdue: f64,
    from_backlog: f64,
}

impl ShippingStall {
    /// Keys: `overdue`, `backlog`, `from_overdue`, `from_backlog`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            overdue: keys.feature("overdue")?,
            backlog: keys.feature("backlog")?,
            from_overdue: keys.number("from_overdue", 1.0..=f64::MAX)?,
            from_backlog: keys.number("from_backlog", 0.0..=f64::MAX)?,
        })
    }
}

impl FeatureRule for ShippingStall {
    fn features(&self) -> Vec<&str> {
        vec![&self.overdue, &self.backlog]
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        judge(seen.value(&self.overdue), seen.value(&self.backlog), self.from_overdue, self.from_backlog)
    }
}

/// Fires when at least `from_overdue` orders should have been handed over and all that wait reach `from_backlog` of the orders of a window: a
/// large shop with a few late parcels is not stalled. Where one is missing and the other does not rule it out, whether the shop is
/// stalled is unknown.
#[must_use]
pub fn judge(overdue: Option<f64>, backlog: Option<f64>, from_overdue: f64, from_backlog: f64) -> Finding {
    Finding::at_least(overdue, from_overdue).and(Finding::at_least(backlog, from_backlog))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_late_parcels_of_a_large_shop_are_no_stall() {
        assert_eq!(judge(Some(5.0), Some(0.3), 5.0, 0.3), Finding::Fired { observed: 5.0, threshold: 5.0 });
        assert!(matches!(judge(Some(50.0), Some(0.29), 5.0, 0.3), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(4.0), Some(0.9), 5.0, 0.3), Finding::Quiet { .. }));
    }

    #[test]
    fn overdue_orders_without_a_ratio_are_unknown_but_few_of_them_are_no_stall() {
        assert_eq!(judge(Some(5.0), None, 5.0, 0.3), Finding::Unknown);
        assert_eq!(judge(None, Some(0.9), 5.0, 0.3), Finding::Unknown);
        assert_eq!(judge(Some(4.0), None, 5.0, 0.3), Finding::Quiet { observed: 4.0, threshold: 5.0 });
    }
}
