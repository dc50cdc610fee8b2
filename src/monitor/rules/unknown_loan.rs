//! The books of a loan do not agree, so that nothing is known of it. Raised by the program for every such loan, whatever the monitor
//! file says: a call, because only a person can find out what is owed.

use super::finding::Finding;
use crate::domain::{ReasonCode, ReasonCodeError};
use crate::monitor::alert_rule::{AlertKind, AlertRule};
use crate::monitor::settings::{Action, Severity};

/// Code of the alert; no rule of a monitor file may have it.
pub const UNKNOWN_LOAN_RULE: &str = "loan-record-unknown";

/// The rule.
///
/// # Errors
/// None: its code is well formed.
pub fn rule() -> Result<AlertRule, ReasonCodeError> {
    Ok(AlertRule {
        code: ReasonCode::new(UNKNOWN_LOAN_RULE)?,
        text: "the records of a loan do not agree".to_owned(),
        severity: Severity::Critical,
        action: Action::Call,
        clear_after_days: 0,
        escalation: None,
        kind: AlertKind::UnknownLoan,
    })
}

/// Fires from the first cause; observes how many there are.
#[must_use]
pub fn judge(causes: usize) -> Finding {
    Finding::of(causes > 0, causes as f64, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_is_enough() {
        assert_eq!(judge(1), Finding::Fired { observed: 1.0, threshold: 1.0 });
        assert!(matches!(judge(0), Finding::Quiet { .. }));
    }
}
