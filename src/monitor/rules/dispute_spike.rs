//! Disputes are frequent, and far more so than before.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// The rule as configured: the share of orders that end in a dispute, and the trend of disputes opened, −1 to 1; ⅓ is twice as many as before.
#[derive(Debug, Clone)]
pub struct DisputeSpike {
    share: String,
    trend: String,
    from_share: f64,
    from_trend: f64,
}

impl DisputeSpike {
    /// Keys: `share`, `trend`, `from_share`, `from_trend`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            share: keys.feature("share")?,
            trend: keys.feature("trend")?,
            from_share: keys.number("from_share", 0.000_1..=1.0)?,
            from_trend: keys.number("from_trend", -1.0..=1.0)?,
        })
    }
}

impl FeatureRule for DisputeSpike {
    fn features(&self) -> Vec<&str> {
        vec![&self.share, &self.trend]
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        judge(seen.value(&self.share), seen.value(&self.trend), self.from_share, self.from_trend)
    }
}

/// Fires when the share of disputed orders reaches `from_share` and the trend of disputes opened reaches `from_trend`. Where one is missing
/// and the other does not rule it out, whether there is a spike is unknown.
#[must_use]
pub fn judge(share: Option<f64>, trend: Option<f64>, from_share: f64, from_trend: f64) -> Finding {
    Finding::at_least(share, from_share).and(Finding::at_least(trend, from_trend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_both_a_share_and_a_rise() {
        assert_eq!(judge(Some(0.1), Some(0.3), 0.1, 0.3), Finding::Fired { observed: 0.1, threshold: 0.1 });
        assert!(matches!(judge(Some(0.09), Some(0.9), 0.1, 0.3), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.2), Some(0.29), 0.1, 0.3), Finding::Quiet { .. }));
    }

    #[test]
    fn a_spike_without_a_trend_is_unknown_but_few_disputes_are_none() {
        assert_eq!(judge(Some(0.2), None, 0.1, 0.3), Finding::Unknown);
        assert_eq!(judge(None, Some(0.9), 0.1, 0.3), Finding::Unknown);
        assert_eq!(judge(Some(0.09), None, 0.1, 0.3), Finding::Quiet { observed: 0.09, threshold: 0.1 });
        assert_eq!(judge(None, Some(0.2), 0.1, 0.3), Finding::Quiet { observed: 0.2, threshold: 0.3 });
    }
}
