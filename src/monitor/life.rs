//! The life of one alert, a night at a time.
//!
//! | standing before | tonight | tonight's row |
//! |---|---|---|
//! | no | fired | opened; escalated at once where the observation is beyond the rule's escalation |
//! | no | quiet, unknown | none: unknown is counted elsewhere |
//! | yes | fired | stands; escalates beyond the rule's escalation, or once it has stood for long enough |
//! | yes | unknown | stands, and so does its action; days of quiet begin anew; escalates by age |
//! | yes | quiet | stands until the rule was quiet for `clear_after_days`, then cleared, once |
//!
//! Ages are counted in dates, not in runs: a night run again, or left out, changes none.

use jiff::civil::Date;

use super::alert::{Alert, AlertState, ClearedBecause, EvidenceValue, Verdict, alert_id};
use super::alert_rule::AlertRule;
use super::rules::finding::Finding;
use crate::domain::days_between;

/// What a rule is judged on.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The merchant.
    pub merchant_id: &'a str,
    /// The loan, for rules on loans.
    pub loan_id: Option<&'a str>,
}

/// Tonight's row of an alert that a rule judged; `None` where there is none to publish.
#[must_use]
pub fn judged(
    before: Option<&Alert>,
    rule: &AlertRule,
    subject: Subject<'_>,
    finding: Finding,
    evidence: Vec<EvidenceValue>,
    tonight: Date,
) -> Option<Alert> {
    let opened_on = before.map_or(tonight, |alert| alert.opened_on);
    let verdict = finding.verdict();
    let quiet_since_on =
        (verdict == Verdict::Quiet).then(|| before.and_then(|alert| alert.quiet_since_on).unwrap_or(tonight));
    let was = before.map(|alert| alert.state);
    let is_over = quiet_since_on.is_some_and(|since| days_between(since, tonight) >= i32::from(rule.clear_after_days));
    let state = match (was, verdict) {
        (None, Verdict::Quiet | Verdict::Unknown | Verdict::NotAsked) => return None,
        (Some(_), Verdict::Quiet) if is_over => AlertState::Cleared,
        (Some(AlertState::Escalated), _) => AlertState::Escalated,
        (_, Verdict::Fired | Verdict::Unknown) if rule.escalates(finding, days_between(opened_on, tonight)) => {
            AlertState::Escalated
        }
        _ => AlertState::Opened,
    };
    let since_on = before.filter(|alert| alert.state == state).map_or(tonight, |alert| alert.since_on);
    let was_escalated = was == Some(AlertState::Escalated);
    let (severity, action) = rule.asks(state == AlertState::Escalated || was_escalated);
    let (observed, threshold) = finding.figures();
    Some(Alert {
        alert_id: alert_id(subject.merchant_id, subject.loan_id, rule.code.as_str(), opened_on),
        merchant_id: subject.merchant_id.to_owned(),
        loan_id: subject.loan_id.map(str::to_owned),
        rule: rule.code.to_string(),
        state,
        opened_on,
        since_on,
        tonight: verdict,
        quiet_since_on,
        severity,
        observed,
        threshold,
        evidence,
        action,
        trouble_prob: None,
        at_risk_minor: None,
        cleared_because: (state == AlertState::Cleared).then_some(ClearedBecause::Quiet),
        handling: None,
        handled_by: None,
        handled_why: None,
        handled_until_on: None,
    })
}

/// The last row of an alert that is over for another reason than that its rule is quiet.
#[must_use]
pub fn over(before: &Alert, why: ClearedBecause, tonight: Date) -> Alert {
    Alert {
        state: AlertState::Cleared,
        since_on: tonight,
        tonight: Verdict::NotAsked,
        cleared_because: Some(why),
        ..unobserved(before)
    }
}

/// Tonight's row of an alert of which nothing can be known tonight: neither the merchant nor the loan it is about is seen.
#[must_use]
pub fn unseen(before: &Alert) -> Alert {
    Alert { tonight: Verdict::Unknown, ..unobserved(before) }
}

fn unobserved(before: &Alert) -> Alert {
    Alert {
        observed: None,
        threshold: None,
        evidence: Vec::new(),
        trouble_prob: None,
        at_risk_minor: None,
        quiet_since_on: None,
        handling: None,
        handled_by: None,
        handled_why: None,
        handled_until_on: None,
        ..before.clone()
    }
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
