//! A merchant who used to repay early no longer does.

use super::finding::Finding;
use super::keys::RuleKeys;
use super::{Evidence, FeatureRule};
use crate::config::ConfigError;

/// Fires where the usual share is at least `from_usual` and the recent one at most `to_recent`. Observes the recent share. Unknown where one is missing
/// and the other does not rule it out; the features ask for enough loans in either window.
#[derive(Debug, Clone)]
pub struct EarlyRepaymentStopped {
    /// Share of loans repaid early, over a long window.
    pub usual: String,
    /// The same share of late.
    pub recent: String,
    /// Usual share from which early repayment was a habit.
    pub from_usual: f64,
    /// Recent share down to which the habit has stopped.
    pub to_recent: f64,
}

impl EarlyRepaymentStopped {
    /// Keys: `usual`, `recent`, `from_usual`, `to_recent`.
    ///
    /// # Errors
    /// One of them is missing or not allowed.
    pub fn read(keys: &mut RuleKeys<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            usual: keys.feature("usual")?,
            recent: keys.feature("recent")?,
            from_usual: keys.number("from_usual", 0.01..=1.0)?,
            to_recent: keys.number("to_recent", 0.0..=1.0)?,
        })
    }
}

impl FeatureRule for EarlyRepaymentStopped {
    fn features(&self) -> Vec<&str> {
        vec![&self.usual, &self.recent]
    }

    fn judge(&self, seen: &Evidence) -> Finding {
        let recent = seen.value(&self.recent);
        let has_stopped =
            recent.map_or(Finding::Unknown, |recent| Finding::of(recent <= self.to_recent, recent, self.to_recent));
        has_stopped.and(Finding::at_least(seen.value(&self.usual), self.from_usual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::rules::evidence::seen;

    #[test]
    fn a_habit_must_have_been_there_to_stop() {
        let rule =
            EarlyRepaymentStopped { usual: "u".to_owned(), recent: "r".to_owned(), from_usual: 0.5, to_recent: 0.1 };
        let judge = |usual, recent| rule.judge(&seen(&[("u", usual), ("r", recent)]));
        assert_eq!(judge(Some(0.5), Some(0.1)), Finding::Fired { observed: 0.1, threshold: 0.1 });
        assert!(matches!(judge(Some(0.49), Some(0.0)), Finding::Quiet { .. }));
        assert!(matches!(judge(Some(0.9), Some(0.11)), Finding::Quiet { .. }));
        assert_eq!(judge(Some(0.9), None), Finding::Unknown);
        assert!(matches!(judge(Some(0.1), None), Finding::Quiet { .. }));
    }
}
