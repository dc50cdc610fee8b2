//! The merchant owes more than its trade carries.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Observes `o ÷ (o + m)`, where `o` is owed and `m` a month of receipts (30 days of the window's mean, none where they are negative): 0 to 1, also
/// where nothing came in. Quiet below `min_owed`. Unknown where one is missing on which the verdict depends.
#[derive(Debug, Clone)]
pub struct Utilisation {
    /// What is owed, minor units.
    pub owed: String,
    /// What trade brought in over `receipts_days`, minor units.
    pub receipts: String,
    /// Days of that window.
    pub receipts_days: f64,
    /// Smaller debts are not looked at.
    pub min_owed: f64,
    /// Share from which the rule fires: 0.5 is a month of receipts owed, 0.75 three months.
    pub from_share: f64,
}

impl Utilisation {
    /// Keys: `owed`, `receipts`, `receipts_days`, `min_owed`, `from_share`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            owed: keys.feature("owed")?,
            receipts: keys.feature("receipts")?,
            receipts_days: keys.number("receipts_days", 1.0..=3_660.0)?,
            min_owed: keys.number("min_owed", 1.0..=f64::MAX)?,
            from_share: keys.number("from_share", 0.01..=1.0)?,
        })
    }
}

impl FeatureRule for Utilisation {
    fn features(&self) -> Vec<&str> {
        vec![&self.owed, &self.receipts]
    }

    fn measures_one_thing(&self) -> bool {
        true
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        let Some(owed) = seen.value(&self.owed) else { return Finding::Unknown };
        if owed < self.min_owed {
            return Finding::Quiet { observed: 0.0, threshold: self.from_share };
        }
        let month = seen.value(&self.receipts).map(|receipts| receipts.max(0.0) * 30.0 / self.receipts_days);
        Finding::at_least(month.map(|month| owed / (owed + month)), self.from_share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    #[test]
    fn months_of_receipts_owed() {
        let rule = Utilisation {
            owed: "o".to_owned(),
            receipts: "r".to_owned(),
            receipts_days: 90.0,
            min_owed: 100.0,
            from_share: 0.75,
        };
        let judge = |owed, receipts| rule.judge(&seen(&[("o", owed), ("r", receipts)]));
        assert_eq!(judge(Some(900.0), Some(900.0)), Finding::Fired { observed: 0.75, threshold: 0.75 });
        assert!(matches!(judge(Some(900.0), Some(901.0)), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(900.0), Some(-5.0)), Finding::Fired { observed: 1.0, .. }), "nothing came in");
        assert!(matches!(judge(Some(99.0), None), Finding::Quiet { .. }), "too little owed, whatever came in");
        assert_eq!(judge(Some(900.0), None), Finding::Unknown);
        assert_eq!(judge(None, Some(900.0)), Finding::Unknown);
    }
}
