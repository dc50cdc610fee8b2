//! Trade has fallen against the merchant's own season, beyond what its industry has lost.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::min_count::MinCount;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Observes `1 − own ÷ industry`, where either is what is left of last year's trade, at most all of it. Both at half is nothing gone: the industry's
/// downturn is not the merchant's own; an industry that grows asks nothing of a merchant who stands still. Unknown where the usual trade is
/// not known, below `min_usual` or of too few events, or where a trend is missing on which the verdict depends.
///
/// An alert that stands is over once the merchant's own trade is back, whatever its industry does: a category is a cell that a row of merchants may change
/// overnight, and another category's downturn does not bring back what is gone.
#[derive(Debug, Clone)]
pub struct VolumeDrop {
    /// Trend of the merchant's trade against the same days of the year before, −1 to 1.
    pub season: String,
    /// The same trend of its whole category.
    pub industry: String,
    /// Trade over a window, for the size below which a trend is noise.
    pub usual: String,
    /// Smallest such trade.
    pub min_usual: f64,
    /// Share of the trade to be expected that has gone, 0 to 1, from which the rule fires.
    pub drop_share: f64,
    /// Of how many events the usual trade consists.
    pub enough: Option<MinCount>,
}

impl VolumeDrop {
    /// Keys: `season`, `industry`, `usual`, `min_usual`, `drop_share`, and [`MinCount`].
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            season: keys.feature("season")?,
            industry: keys.feature("industry")?,
            usual: keys.feature("usual")?,
            min_usual: keys.number("min_usual", 1.0..=f64::MAX)?,
            drop_share: keys.number("drop_share", 0.01..=1.0)?,
            enough: MinCount::read(keys)?,
        })
    }
}

impl FeatureRule for VolumeDrop {
    fn features(&self) -> Vec<&str> {
        let count = self.enough.as_ref().map(MinCount::feature);
        [self.season.as_str(), &self.industry, &self.usual].into_iter().chain(count).collect()
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
        if !seen.value(&self.usual).is_some_and(|usual| usual >= self.min_usual) {
            return Finding::Unknown;
        }
        let own = seen.value(&self.season).map(left);
        let industry = seen.value(&self.industry).map(left);
        let quiet = |observed: f64| Finding::Quiet { observed, threshold: self.drop_share };
        match (own, industry) {
            // Nothing is left of the industry: nothing could be expected of its merchants.
            (_, Some(industry)) if industry <= 0.0 => quiet(0.0),
            (Some(own), Some(industry)) => {
                let gone = (1.0 - own / industry).max(0.0);
                Finding::of(gone >= self.drop_share, gone, self.drop_share)
            }
            // Even in the best of industries too little has gone.
            (Some(own), None) if 1.0 - own < self.drop_share => quiet(1.0 - own),
            _ => Finding::Unknown,
        }
    }

    fn judge_standing(&self, seen: &Evidence) -> Finding {
        // Too few orders raise no alert; one that stands goes by trade alone.
        let finding = self.measure(seen);
        if !matches!(finding, Finding::Quiet { .. }) {
            return finding;
        }
        let gone = seen.value(&self.season).map(|trend| 1.0 - left(trend));
        gone.map_or(Finding::Unknown, |gone| Finding::of(gone >= self.drop_share, gone, self.drop_share))
    }
}

/// What is left of the earlier trade, `(1 + t) ÷ (1 − t)` of a trend `t = (r − e) ÷ (r + e)`; growth counts as all of it.
fn left(trend: f64) -> f64 {
    let t = trend.clamp(-1.0, 0.0);
    (1.0 + t) / (1.0 - t)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    fn rule() -> VolumeDrop {
        VolumeDrop {
            season: "s".to_owned(),
            industry: "i".to_owned(),
            usual: "u".to_owned(),
            min_usual: 100.0,
            drop_share: 0.5,
            enough: None,
        }
    }

    fn judge(season: Option<f64>, industry: Option<f64>, usual: Option<f64>) -> Finding {
        rule().judge(&seen(&[("s", season), ("i", industry), ("u", usual)]))
    }

    #[test]
    fn a_downturn_of_the_industry_is_told_apart() {
        // A quarter is left of the trade: −0.6. Half is left of the industry: −⅓.
        assert!(
            matches!(judge(Some(-0.6), Some(0.0), Some(100.0)), Finding::Fired { observed, .. } if (observed - 0.75).abs() < 1e-12)
        );
        assert!(
            matches!(judge(Some(-0.6), Some(-1.0 / 3.0), Some(100.0)), Finding::Fired { observed, .. } if (observed - 0.5).abs() < 1e-12)
        );
        assert!(
            matches!(judge(Some(-0.6), Some(-0.6), Some(100.0)), Finding::Quiet { observed, .. } if observed.abs() < 1e-12)
        );
        assert!(matches!(judge(Some(0.0), Some(0.9), Some(100.0)), Finding::Quiet { .. }), "standing still is no drop");
        assert!(matches!(judge(Some(-1.0), Some(-1.0), Some(100.0)), Finding::Quiet { .. }));
    }

    #[test]
    fn what_the_verdict_hangs_on_must_be_known() {
        assert_eq!(judge(Some(-0.9), None, Some(100.0)), Finding::Unknown);
        assert!(matches!(judge(Some(-0.1), None, Some(100.0)), Finding::Quiet { .. }));
        assert_eq!(judge(None, Some(0.0), Some(100.0)), Finding::Unknown);
        assert_eq!(judge(Some(-0.9), Some(0.0), Some(99.0)), Finding::Unknown);
        assert_eq!(judge(Some(-0.9), Some(0.0), None), Finding::Unknown);
    }

    #[test]
    fn a_drop_of_a_handful_of_orders_is_chance() {
        let rule = VolumeDrop { enough: Some(MinCount::of("n", 12.0)), ..rule() };
        let judge = |count| rule.judge(&seen(&[("s", Some(-1.0)), ("i", Some(0.0)), ("u", Some(100.0)), ("n", count)]));
        assert_eq!(judge(Some(11.0)), Finding::Unknown);
        assert_eq!(judge(None), Finding::Unknown);
        assert!(matches!(judge(Some(12.0)), Finding::Fired { .. }));
        let standing =
            rule.judge_standing(&seen(&[("s", Some(0.0)), ("i", Some(0.0)), ("u", Some(100.0)), ("n", Some(3.0))]));
        assert!(matches!(standing, Finding::Quiet { .. }), "trade is back");
        assert_eq!(rule.features(), ["s", "i", "u", "n"], "officers see how many there were");
    }

    #[test]
    fn another_industry_does_not_end_an_alert_that_stands() {
        let standing =
            |season, industry, usual| rule().judge_standing(&seen(&[("s", season), ("i", industry), ("u", usual)]));
        // A quarter is left. In an industry of which as little is left, or nothing, no alert is raised, and none ends.
        for industry in [-0.6, -1.0] {
            assert!(matches!(judge(Some(-0.6), Some(industry), Some(100.0)), Finding::Quiet { .. }));
            assert!(
                matches!(standing(Some(-0.6), Some(industry), Some(100.0)), Finding::Fired { observed, .. } if (observed - 0.75).abs() < 1e-12)
            );
        }
        assert!(
            matches!(standing(Some(-0.1), Some(-0.6), Some(100.0)), Finding::Quiet { .. }),
            "its own trade is back"
        );
        assert!(matches!(standing(Some(-0.6), Some(0.0), Some(100.0)), Finding::Fired { .. }));
        assert_eq!(standing(None, Some(-1.0), Some(100.0)), Finding::Unknown);
        assert_eq!(standing(Some(-0.6), Some(-0.6), None), Finding::Unknown);
    }
}
