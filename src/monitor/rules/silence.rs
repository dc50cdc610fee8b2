//! Nothing has happened for far longer than the merchant's own pace explains.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Observes how many events the silence has swallowed at the usual pace, `since × usual ÷ usual_days`. Where events come at random at that pace, `n`
/// missed ones happen by chance once in `e^n` times: three is one in twenty, five one in 150. A busy shop is silent after days, a small one after
/// weeks. Unknown below `min_usual` events, or where one is missing.
#[derive(Debug, Clone)]
pub struct Silence {
    /// Days since it last happened.
    pub since: String,
    /// How often it happened over `usual_days`, before the silence.
    pub usual: String,
    /// Days of that window.
    pub usual_days: f64,
    /// Fewest that make a pace.
    pub min_usual: f64,
    /// Missed events from which the rule fires.
    pub from_missed: f64,
}

impl Silence {
    /// Keys: `since`, `usual`, `usual_days`, `min_usual`, `from_missed`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            since: keys.feature("since")?,
            usual: keys.feature("usual")?,
            usual_days: keys.number("usual_days", 1.0..=3_660.0)?,
            min_usual: keys.number("min_usual", 1.0..=f64::MAX)?,
            from_missed: keys.number("from_missed", 0.5..=f64::MAX)?,
        })
    }
}

impl FeatureRule for Silence {
    fn features(&self) -> Vec<&str> {
        vec![&self.since, &self.usual]
    }

    fn measures_one_thing(&self) -> bool {
        true
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        let Some(usual) = seen.value(&self.usual).filter(|usual| *usual >= self.min_usual) else {
            return Finding::Unknown;
        };
        let missed = seen.value(&self.since).map(|since| since * usual / self.usual_days);
        Finding::at_least(missed, self.from_missed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    #[test]
    fn silence_is_measured_by_the_merchants_own_pace() {
        let rule = Silence {
            since: "d".to_owned(),
            usual: "n".to_owned(),
            usual_days: 180.0,
            min_usual: 6.0,
            from_missed: 4.0,
        };
        let judge = |since, usual| rule.judge(&seen(&[("d", since), ("n", usual)]));
        assert_eq!(judge(Some(4.0), Some(180.0)), Finding::Fired { observed: 4.0, threshold: 4.0 });
        assert!(matches!(judge(Some(4.0), Some(18.0)), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(40.0), Some(18.0)), Finding::Fired { .. }));
        assert_eq!(judge(Some(90.0), Some(5.0)), Finding::Unknown, "no pace to speak of");
        assert_eq!(judge(None, Some(180.0)), Finding::Unknown);
    }
}
