//! The merchant's verification has gone down since the night before.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Observes by how many levels the verification has gone down since the night before; fires from one on. Rows of the table `merchants` are
/// replaced when they change, so that the night before is the only memory of what was. Unknown where a level of either night is, and on a
/// first night. The fall itself is seen on one night: `clear_after_days` says for how long its alert stands.
#[derive(Debug, Clone)]
pub struct VerificationLost {
    /// The level of verification.
    pub level: String,
}

impl VerificationLost {
    /// Keys: `level`.
    ///
    /// # Errors
    /// It is missing.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self { level: keys.feature("level")? })
    }
}

impl FeatureRule for VerificationLost {
    fn features(&self) -> Vec<&str> {
        vec![&self.level]
    }

    fn features_before(&self) -> Vec<&str> {
        vec![&self.level]
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        let lost =
            seen.value_before(&self.level).zip(seen.value(&self.level)).map(|(before, now)| (before - now).max(0.0));
        Finding::at_least(lost, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_less_than_the_night_before() {
        let rule = VerificationLost { level: "v".to_owned() };
        let judge = |before, now| {
            let mut seen = Evidence::default();
            seen.push("v", now);
            seen.push_before("v", before);
            rule.judge(&seen)
        };
        assert_eq!(judge(Some(2.0), Some(1.0)), Finding::Fired { observed: 1.0, threshold: 1.0 });
        assert!(matches!(judge(Some(1.0), Some(1.0)), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.0), Some(2.0)), Finding::Quiet { observed, .. } if observed == 0.0));
        assert_eq!(judge(None, Some(1.0)), Finding::Unknown);
        assert_eq!(judge(Some(1.0), None), Finding::Unknown);
    }
}
