//! The merchant has placed orders with itself of late.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Fires where the share of suspect orders is at least `from_share`, on at least `min_count` of them. Unknown where one is missing and the other
/// does not rule it out.
#[derive(Debug, Clone)]
pub struct Brushing {
    /// Share of orders that authenticity holds to be fake.
    pub share: String,
    /// How many there were.
    pub count: String,
    /// Share from which the rule may fire.
    pub from_share: f64,
    /// Fewest that count.
    pub min_count: f64,
}

impl Brushing {
    /// Keys: `share`, `count`, `from_share`, `min_count`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            share: keys.feature("share")?,
            count: keys.feature("count")?,
            from_share: keys.number("from_share", 0.000_1..=1.0)?,
            min_count: keys.number("min_count", 1.0..=f64::MAX)?,
        })
    }
}

impl FeatureRule for Brushing {
    fn features(&self) -> Vec<&str> {
        vec![&self.share, &self.count]
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        Finding::at_least(seen.value(&self.share), self.from_share)
            .and(Finding::at_least(seen.value(&self.count), self.min_count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    #[test]
    fn a_share_of_a_handful_is_no_brushing() {
        let rule = Brushing { share: "s".to_owned(), count: "c".to_owned(), from_share: 0.3, min_count: 5.0 };
        let judge = |share, count| rule.judge(&seen(&[("s", share), ("c", count)]));
        assert_eq!(judge(Some(0.3), Some(5.0)), Finding::Fired { observed: 0.3, threshold: 0.3 });
        assert!(matches!(judge(Some(1.0), Some(4.0)), Finding::Quiet { .. }));
        assert_eq!(judge(None, Some(5.0)), Finding::Unknown);
    }
}
