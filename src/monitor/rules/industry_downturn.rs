//! The merchant's whole industry has lost trade.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Observes the share of the category's trade that has gone, `−2t ÷ (1 − t)` of a trend `t`; growth is shown as 0. It says nothing against the
/// merchant, whose own part [`super::volume_drop`] judges, but its receipts will shrink with the rest.
#[derive(Debug, Clone)]
pub struct IndustryDownturn {
    /// Trend of the category's trade, −1 to 1.
    pub industry: String,
    /// Share of the category's trade that has gone, 0 to 1, from which the rule fires.
    pub drop_share: f64,
}

impl IndustryDownturn {
    /// Keys: `industry`, `drop_share`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self { industry: keys.feature("industry")?, drop_share: keys.number("drop_share", 0.01..=1.0)? })
    }
}

impl FeatureRule for IndustryDownturn {
    fn features(&self) -> Vec<&str> {
        vec![&self.industry]
    }

    fn measures_one_thing(&self) -> bool {
        true
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        let gone = seen.value(&self.industry).map(|trend| {
            let t = trend.clamp(-1.0, 0.0);
            -2.0 * t / (1.0 - t)
        });
        Finding::at_least(gone, self.drop_share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    #[test]
    fn fires_on_the_share_that_has_gone() {
        let rule = IndustryDownturn { industry: "i".to_owned(), drop_share: 0.25 };
        let judge = |trend| rule.judge(&seen(&[("i", trend)]));
        assert!(matches!(judge(Some(-1.0 / 3.0)), Finding::Fired { observed, .. } if (observed - 0.5).abs() < 1e-12));
        assert!(matches!(judge(Some(-0.1)), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.9)), Finding::Quiet { observed, .. } if observed.abs() < 1e-12));
        assert_eq!(judge(None), Finding::Unknown);
    }
}
