//! Trade has fallen against the merchant's own past.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::min_count::MinCount;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// The rule as configured: a trend of trade, −1 to 1, and trade over a window below which a trend is noise.
#[derive(Debug, Clone)]
pub struct TradeDrop {
    trend: String,
    usual: String,
    min_usual: f64,
    drop_share: f64,
    enough: Option<MinCount>,
}

impl TradeDrop {
    /// Keys: `trend`, `usual`, `min_usual`, `drop_share`, and of how many events the usual trade consists, [`MinCount`].
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            trend: keys.feature("trend")?,
            usual: keys.feature("usual")?,
            min_usual: keys.number("min_usual", 1.0..=f64::MAX)?,
            drop_share: keys.number("drop_share", 0.01..=1.0)?,
            enough: MinCount::read(keys)?,
        })
    }
}

impl FeatureRule for TradeDrop {
    fn features(&self) -> Vec<&str> {
        [self.trend.as_str(), &self.usual].into_iter().chain(self.enough.as_ref().map(MinCount::feature)).collect()
    }

    fn measures_one_thing(&self) -> bool {
        true
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        if !self.enough.as_ref().is_none_or(|enough| enough.is_reached(seen)) {
            return Finding::Unknown;
        }
        self.measure(seen)
    }

    fn measure(&self, seen: &Evidence) -> Finding {
        judge(seen.value(&self.trend), seen.value(&self.usual), self.min_usual, self.drop_share)
    }

    /// Too few orders raise no alert. One that stands is over once trade is back, however few there are by then.
    fn judge_standing(&self, seen: &Evidence) -> Finding {
        self.measure(seen)
    }
}

/// Observes the share of the earlier trade a day that has gone, `1 − r ÷ e`, from the trend `t = (r − e) ÷ (r + e)`:
/// `1 − (1 + t) ÷ (1 − t) = −2t ÷ (1 − t)`. A trend of −0.54 is seven tenths gone. Growth is shown as 0 gone.
///
/// Unknown where the trend or the usual trade is, or where the usual trade is below `min_usual` and its trend would be noise.
#[must_use]
pub fn judge(trend: Option<f64>, usual: Option<f64>, min_usual: f64, drop_share: f64) -> Finding {
    match (trend, usual) {
        (Some(trend), Some(usual)) if usual >= min_usual => {
            let t = trend.clamp(-1.0, 0.0);
            let gone = -2.0 * t / (1.0 - t);
            Finding::of(gone >= drop_share, gone, drop_share)
        }
        _ => Finding::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    #[test]
    fn turns_a_trend_into_the_share_that_has_gone() {
        // 25 a day now, 75 a day before: two thirds have gone.
        let Finding::Quiet { observed, .. } = judge(Some(-0.5), Some(9_000.0), 1.0, 0.67) else { panic!("it fired") };
        assert!((observed - 2.0 / 3.0).abs() < 1e-12);
        assert!(matches!(judge(Some(-0.5), Some(9_000.0), 1.0, 0.66), Finding::Fired { .. }));
        assert_eq!(judge(Some(-1.0), Some(9.0), 1.0, 1.0), Finding::Fired { observed: 1.0, threshold: 1.0 });
        assert!(matches!(judge(Some(1.0), Some(9.0), 1.0, 0.01), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.0), Some(9.0), 1.0, 0.01), Finding::Quiet { .. }));
    }

    #[test]
    fn a_drop_of_a_handful_of_orders_is_chance() {
        let rule = TradeDrop {
            trend: "t".to_owned(),
            usual: "u".to_owned(),
            min_usual: 1.0,
            drop_share: 0.7,
            enough: Some(MinCount::of("n", 12.0)),
        };
        let judge = |count| rule.judge(&seen(&[("t", Some(-1.0)), ("u", Some(9_000.0)), ("n", count)]));
        assert_eq!(judge(Some(11.0)), Finding::Unknown);
        assert_eq!(judge(None), Finding::Unknown);
        assert_eq!(judge(Some(12.0)), Finding::Fired { observed: 1.0, threshold: 0.7 });
        let standing =
            |trend| rule.judge_standing(&seen(&[("t", Some(trend)), ("u", Some(9_000.0)), ("n", Some(3.0))]));
        assert!(matches!(standing(0.0), Finding::Quiet { .. }), "trade is back");
        assert!(matches!(standing(-1.0), Finding::Fired { .. }));
        assert_eq!(rule.features(), ["t", "u", "n"], "officers see how many there were");
    }

    #[test]
    fn too_little_past_is_unknown() {
        assert_eq!(judge(Some(-1.0), Some(0.9), 1.0, 0.5), Finding::Unknown);
        assert_eq!(judge(Some(-1.0), None, 1.0, 0.5), Finding::Unknown);
        assert_eq!(judge(None, Some(9.0), 1.0, 0.5), Finding::Unknown);
    }
}
