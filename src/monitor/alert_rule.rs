//! One alert rule of the monitor file: what it looks at, how grave it is, what it asks for, when it escalates and when it clears.

use std::sync::Arc;

use super::rules::finding::Finding;
use super::rules::keys::RuleKeys;
use super::rules::{FeatureRule, arrears, feature_rule, hazard, pledge_loss};
use super::settings::{Action, Severity};
use crate::config::ConfigError;
use crate::domain::ReasonCode;

/// One alert rule.
#[derive(Debug, Clone)]
pub struct AlertRule {
    /// Stable code.
    pub code: ReasonCode,
    /// What it means, in words.
    pub text: String,
    /// How grave it is.
    pub severity: Severity,
    /// What it asks for.
    pub action: Action,
    /// Days for which it must be quiet until its alert is cleared; 0 clears on the first quiet night.
    pub clear_after_days: u16,
    /// When it escalates, where it does.
    pub escalation: Option<Escalation>,
    /// What it looks at.
    pub kind: AlertKind,
}

/// When an alert becomes graver, and what it asks for then. At least one of the two conditions is set; either is enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Escalation {
    /// Observation at or beyond which it escalates, on the side of the threshold on which this lies.
    pub beyond: Option<f64>,
    /// Days after which an alert that still stands, and is not quiet, escalates.
    pub after_days: Option<u16>,
    /// How grave it is then.
    pub severity: Severity,
    /// What it asks for then.
    pub action: Action,
}

/// What an alert rule looks at.
#[derive(Debug, Clone)]
pub enum AlertKind {
    /// The books of a loan do not agree. Raised for every such loan, whatever the monitor file says.
    UnknownLoan,
    /// A loan is so many days past due.
    Arrears {
        /// From which days past due.
        from_dpd: i64,
    },
    /// Orders that secure a loan were cancelled or refunded.
    PledgeLoss {
        /// From which share of their value.
        from_share: f64,
    },
    /// Money at risk by the hazard model.
    Hazard {
        /// From how much, minor units.
        from_minor: f64,
    },
    /// A merchant's features.
    Features(Arc<dyn FeatureRule>),
}

impl AlertRule {
    /// Reads one `[[rule]]`.
    ///
    /// # Errors
    /// What is wrong with it; where all faults are wanted they are noted, and a rule that cannot be made is none.
    pub(super) fn read(mut keys: RuleKeys<'_>) -> Result<Option<Self>, ConfigError> {
        let code = keys.part(|keys| keys.code("code"))?;
        let text = keys.part(|keys| keys.text("text"))?;
        let severity = keys.part(|keys| keys.word("severity"))?;
        let action = keys.part(|keys| keys.word("action"))?;
        let clear_after_days = keys.part(|keys| keys.optional_days("clear_after_days"))?.flatten().unwrap_or(0);
        let escalation = keys.part(|keys| keys.escalation("escalation"))?.flatten();
        // What other keys there may be hangs on it.
        let kind_word = keys.text("kind")?;
        let kind = match kind_word.as_str() {
            arrears::KIND => AlertKind::Arrears { from_dpd: keys.whole("from_dpd", 1..=3_660)? },
            pledge_loss::KIND => AlertKind::PledgeLoss { from_share: keys.number("from_share", 0.01..=1.0)? },
            hazard::KIND => AlertKind::Hazard { from_minor: keys.number("from_minor", 1.0..=1e15)? },
            word => match feature_rule(word) {
                Some(read) => AlertKind::Features(read(&mut keys)?),
                None => return Err(keys.unknown_kind(word)),
            },
        };
        let (Some(code), Some(text), Some(severity), Some(action)) = (code, text, severity, action) else {
            return keys.finish(&kind_word).map(|()| None);
        };
        if action_deducts(action, escalation) && !matches!(kind, AlertKind::Arrears { .. }) {
            let message = format!("rule {:?} deducts without arrears", code.as_str());
            keys.pass_over(keys.refuse(message, "only kind = \"arrears\" may deduct"), ())?;
        }
        keys.finish(&kind_word)?;
        Ok(Some(Self { code, text, severity, action, clear_after_days, escalation, kind }))
    }

    /// Whether it may ask for a deduction.
    #[must_use]
    pub fn deducts(&self) -> bool {
        action_deducts(self.action, self.escalation)
    }

    /// How grave its alert is and what it asks for.
    pub(super) fn asks(&self, is_escalated: bool) -> (Severity, Action) {
        match self.escalation.filter(|_| is_escalated) {
            Some(escalation) => (escalation.severity, escalation.action),
            None => (self.severity, self.action),
        }
    }

    /// Whether an alert with this finding, `age_days` after it opened, escalates.
    pub(super) fn escalates(&self, finding: Finding, age_days: i32) -> bool {
        let Some(escalation) = self.escalation else { return false };
        let is_beyond = match (escalation.beyond, finding) {
            (Some(beyond), Finding::Fired { observed, threshold }) => {
                if beyond >= threshold {
                    observed >= beyond
                } else {
                    observed <= beyond
                }
            }
            _ => false,
        };
        is_beyond || escalation.after_days.is_some_and(|days| age_days >= i32::from(days))
    }
}

fn action_deducts(action: Action, escalation: Option<Escalation>) -> bool {
    action == Action::Deduct || escalation.is_some_and(|e| e.action == Action::Deduct)
}
