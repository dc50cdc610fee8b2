//! The merchant is sued.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Fires from `from_count` lawsuits on. Unknown where there is no table of disputes.
#[derive(Debug, Clone)]
pub struct Lawsuits {
    /// Lawsuits of a window that are open or lost.
    pub count: String,
    /// How many make the rule fire.
    pub from_count: f64,
}

impl Lawsuits {
    /// Keys: `count`, `from_count`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self { count: keys.feature("count")?, from_count: keys.number("from_count", 1.0..=f64::MAX)? })
    }
}

impl FeatureRule for Lawsuits {
    fn features(&self) -> Vec<&str> {
        vec![&self.count]
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        Finding::at_least(seen.value(&self.count), self.from_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    #[test]
    fn one_is_enough_where_one_is_asked_for() {
        let rule = Lawsuits { count: "c".to_owned(), from_count: 1.0 };
        assert_eq!(rule.judge(&seen(&[("c", Some(1.0))])), Finding::Fired { observed: 1.0, threshold: 1.0 });
        assert!(matches!(rule.judge(&seen(&[("c", Some(0.0))])), Finding::Quiet { .. }));
        assert_eq!(rule.judge(&seen(&[("c", None)])), Finding::Unknown);
    }
}
