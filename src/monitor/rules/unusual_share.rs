//! A share of what happens to a merchant is far higher than is usual for the merchant: orders that are cancelled, customers who are discontented.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Fires where the share is at least `from_share` and at least `from_factor` times the usual one, on at least `min_count` of them. Unknown where
/// one is missing and the others do not rule it out. Evaluations that authenticity holds to be malicious are not in the features.
#[derive(Debug, Clone)]
pub struct UnusualShare {
    /// The share of late.
    pub share: String,
    /// How many of them there were: a share of a handful is noise.
    pub count: String,
    /// The merchant's usual share, over a longer window.
    pub usual: String,
    /// Share from which the rule may fire.
    pub from_share: f64,
    /// Fewest that count.
    pub min_count: f64,
    /// Times the usual share from which it does.
    pub from_factor: f64,
}

impl UnusualShare {
    /// Keys: `share`, `count`, `usual`, `from_share`, `min_count`, `from_factor`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            share: keys.feature("share")?,
            count: keys.feature("count")?,
            usual: keys.feature("usual")?,
            from_share: keys.number("from_share", 0.000_1..=1.0)?,
            min_count: keys.number("min_count", 1.0..=f64::MAX)?,
            from_factor: keys.number("from_factor", 1.0..=f64::MAX)?,
        })
    }
}

impl FeatureRule for UnusualShare {
    fn features(&self) -> Vec<&str> {
        vec![&self.share, &self.count, &self.usual]
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        let (share, usual) = (seen.value(&self.share), seen.value(&self.usual));
        let has_risen = match (share, usual) {
            (Some(share), Some(usual)) => {
                Finding::of(share >= self.from_factor * usual, share, self.from_factor * usual)
            }
            // No share reaches such a multiple.
            (None, Some(usual)) if self.from_factor * usual > 1.0 => {
                Finding::Quiet { observed: usual, threshold: 1.0 / self.from_factor }
            }
            _ => Finding::Unknown,
        };
        Finding::at_least(share, self.from_share)
            .and(Finding::at_least(seen.value(&self.count), self.min_count))
            .and(has_risen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    #[test]
    fn a_share_must_be_high_frequent_and_unusual() {
        let rule = UnusualShare {
            share: "s".to_owned(),
            count: "c".to_owned(),
            usual: "u".to_owned(),
            from_share: 0.2,
            min_count: 3.0,
            from_factor: 2.0,
        };
        let judge = |share, count, usual| rule.judge(&seen(&[("s", share), ("c", count), ("u", usual)]));
        assert_eq!(judge(Some(0.3), Some(3.0), Some(0.15)), Finding::Fired { observed: 0.3, threshold: 0.2 });
        assert!(matches!(judge(Some(0.3), Some(3.0), Some(0.16)), Finding::Quiet { .. }), "not twice the usual");
        assert!(matches!(judge(Some(0.3), Some(2.0), Some(0.1)), Finding::Quiet { .. }), "two are chance");
        assert!(matches!(judge(Some(0.19), Some(9.0), Some(0.01)), Finding::Quiet { .. }));
        assert_eq!(judge(Some(0.3), Some(3.0), None), Finding::Unknown);
        assert!(matches!(judge(Some(0.1), None, None), Finding::Quiet { .. }), "whatever was usual");
        assert!(matches!(judge(None, Some(9.0), Some(0.6)), Finding::Quiet { .. }), "no share is twice as much");
    }
}
