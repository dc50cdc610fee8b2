//! Alerts: what the nightly watch found, with its evidence, since when, and what to do.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::officers::Handling;
use super::settings::{Action, Severity};
use crate::domain::Hasher;

/// Where an alert stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertState {
    /// The rule fired and has not been quiet for long enough since.
    Opened,
    /// It became worse, or lasted, beyond what the rule's escalation allows. It stays so until it is cleared.
    Escalated,
    /// Over. Such a row is published once.
    Cleared,
}

/// What the rule says tonight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The threshold is reached.
    Fired,
    /// It is not.
    Quiet,
    /// It cannot be said. The alert stands: what is unknown is not over.
    Unknown,
    /// The rule no longer looks at the merchant or loan; `cleared_because` says why.
    NotAsked,
}

/// Why an alert is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClearedBecause {
    /// The rule has been quiet for as many days as it asks for.
    Quiet,
    /// The loan is repaid.
    LoanClosed,
    /// The loan is written off: others collect it.
    WrittenOff,
    /// The monitor file says that the loan is no longer sent.
    NoLongerSent,
    /// The monitor file says that the loan is another merchant's.
    BorrowerCorrected,
    /// The merchant owes nothing, and only borrowers are watched.
    NothingOwed,
    /// The monitor file no longer has the rule.
    RuleWithdrawn,
}

/// One value that a rule looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceValue {
    /// The feature, or the figure of the loan.
    pub name: String,
    /// Its value; null where it is not known.
    pub value: Option<f64>,
}

/// One alert: a row of `alerts.parquet`, which the next night reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Stable for as long as the alert stands: the same merchant, loan, rule and day of opening give the same id.
    pub alert_id: String,
    /// The merchant.
    pub merchant_id: String,
    /// The loan, for rules on loans.
    pub loan_id: Option<String>,
    /// Code of the rule.
    pub rule: String,
    /// Where it stands.
    pub state: AlertState,
    /// As-of date of the run that opened it.
    pub opened_on: Date,
    /// As-of date since which it is in its state: tonight's for an alert that has just opened, escalated or cleared.
    pub since_on: Date,
    /// What the rule says tonight.
    pub tonight: Verdict,
    /// First of the nights in a row, up to tonight, on which the rule was quiet; `None` where it is not.
    pub quiet_since_on: Option<Date>,
    /// How grave it is.
    pub severity: Severity,
    /// What was observed tonight; `None` where it cannot be said.
    pub observed: Option<f64>,
    /// The threshold applied tonight; `None` where nothing was observed.
    pub threshold: Option<f64>,
    /// All that the rule looked at tonight.
    pub evidence: Vec<EvidenceValue>,
    /// What to do.
    pub action: Action,
    /// Probability that the borrower, late with nothing so far, misses a payment on the way into default within the hazard model's horizon; `None`
    /// where there is no model, where the borrower is late already, and once the alert is over.
    pub trouble_prob: Option<f64>,
    /// That probability times what the borrower owes and what a default costs beside it, minor units: officers look at the largest first.
    pub at_risk_minor: Option<i64>,
    /// Why it is over; `None` while it stands.
    pub cleared_because: Option<ClearedBecause>,
    /// What an officer decided about it, where that is in force.
    pub handling: Option<Handling>,
    /// Who decided.
    pub handled_by: Option<String>,
    /// Why.
    pub handled_why: Option<String>,
    /// Last as-of date on which the decision is in force.
    pub handled_until_on: Option<Date>,
}

impl Alert {
    /// It is not over.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.state != AlertState::Cleared
    }

    /// Its action is to be taken: it stands, and no officer holds it to be a false alarm.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.stands() && self.handling != Some(Handling::Suppressed)
    }

    /// Whether it is the alert of a rule on a loan, or on the merchant where `loan_id` is none.
    #[must_use]
    pub fn is_of(&self, rule: &str, loan_id: Option<&str>) -> bool {
        self.rule == rule && self.loan_id.as_deref() == loan_id
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// 24 hexadecimal digits of a digest over merchant, loan, rule and the day of opening.
pub(super) fn alert_id(merchant_id: &str, loan_id: Option<&str>, rule: &str, opened_on: Date) -> String {
    let mut hasher = Hasher::default();
    hasher.field(b"alert");
    hasher.field(merchant_id.as_bytes());
    hasher.field(loan_id.map_or(b"", str::as_bytes));
    hasher.field(rule.as_bytes());
    hasher.field(opened_on.to_string().as_bytes());
    hasher.finish().to_string().chars().take(24).collect()
}
