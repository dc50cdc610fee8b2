//! A single feature beyond a threshold: reviews, authenticity and whatever an analyst defines.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// The rule as configured: fires at or above `from`, or at or below `to`.
#[derive(Debug, Clone)]
pub struct Feature {
    name: String,
    from: Option<f64>,
    to: Option<f64>,
}

impl Feature {
    /// Keys: `feature`, and one of `from` and `to`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        let name = keys.feature("feature")?;
        let from = keys.optional_number("from", f64::MIN..=f64::MAX)?;
        let to = keys.optional_number("to", f64::MIN..=f64::MAX)?;
        if from.is_some() == to.is_some() {
            return Err(keys.refuse("rule lacks from or to, or has both", "one bound: from = 0.4, or to = 0.4"));
        }
        Ok(Self { name, from, to })
    }
}

impl FeatureRule for Feature {
    fn features(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        judge(seen.value(&self.name), self.from, self.to)
    }
}

/// Fires at or above `from`, or at or below `to`, whichever the rule has. Unknown where the feature is.
#[must_use]
pub fn judge(value: Option<f64>, from: Option<f64>, to: Option<f64>) -> Finding {
    match (value, from, to) {
        (Some(value), Some(from), _) => Finding::of(value >= from, value, from),
        (Some(value), None, Some(to)) => Finding::of(value <= to, value, to),
        _ => Finding::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_its_side_of_the_threshold() {
        assert_eq!(judge(Some(0.3), Some(0.3), None), Finding::Fired { observed: 0.3, threshold: 0.3 });
        assert!(matches!(judge(Some(0.29), Some(0.3), None), Finding::Quiet { .. }));
        assert_eq!(judge(Some(2.5), None, Some(3.0)), Finding::Fired { observed: 2.5, threshold: 3.0 });
        assert!(matches!(judge(Some(3.1), None, Some(3.0)), Finding::Quiet { .. }));
        assert_eq!(judge(None, Some(0.3), None), Finding::Unknown);
    }
}
