//! Watches one merchant: every rule is asked, and tonight's rows of its alerts follow from the answers and the night before.

use std::collections::BTreeMap;

use super::alert::{Alert, ClearedBecause, EvidenceValue};
use super::alert_rule::{AlertKind, AlertRule};
use super::error::MonitorError;
use super::finite::finite;
use super::life::{self, Subject};
use super::officers::Officers;
use super::outlook::Outlook;
use super::pledges::Pledges;
use super::rules::finding::Finding;
use super::rules::{Evidence, arrears, hazard, pledge_loss, unknown_loan};
use super::settings::{Action, Monitor, Watch};
use crate::domain::{AsOf, Reason};
use crate::features::FeatureLookup;
use crate::repayment::{LoanStanding, MerchantLoans};

/// What every merchant is watched by: the same for all.
#[derive(Clone, Copy)]
pub struct WatchContext<'a> {
    /// The rules.
    pub monitor: &'a Monitor,
    /// What officers decided about alerts.
    pub officers: &'a Officers,
    /// The observation.
    pub as_of: &'a AsOf,
}

/// One merchant under watch.
#[derive(Clone, Copy)]
pub struct MonitorCase<'a> {
    /// The merchant.
    pub merchant_id: &'a str,
    /// Features.
    pub features: &'a dyn FeatureLookup,
    /// All loans of the merchant; `None` where there is no loan book tonight, and nothing can be said of any loan.
    pub loans: Option<MerchantLoans<'a>>,
    /// Features of the night before that rules look at; none on a first night.
    pub features_before: &'a dyn FeatureLookup,
    /// What has become of the orders that secure loans; `None` where it cannot be known.
    pub pledges: Option<&'a Pledges>,
    /// What the hazard model foresees; `None` where there is none, or where it says nothing of the merchant.
    pub outlook: Option<Outlook>,
    /// The merchant's alerts that stood after the night before.
    pub standing: &'a [Alert],
}

impl MonitorCase<'_> {
    /// Whether anything is owed, or may be, by a loan book.
    #[must_use]
    pub fn is_borrower(&self) -> bool {
        self.loans.is_some_and(|loans| loans.may_owe())
    }
}

/// What the watch over one merchant, or many, found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alerts {
    /// Alerts that stand, and those that were cleared tonight, in rule order, loans by id.
    pub alerts: Vec<Alert>,
    /// Reasons of the alerts that freeze new credit, in the same order.
    pub freezes: Vec<Reason>,
    /// How often each rule had too little history to say: a rule that has gone blind is seen here.
    pub unknown: BTreeMap<String, u64>,
}

impl Alerts {
    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.alerts.extend(other.alerts);
        self.freezes.extend(other.freezes);
        for (rule, times) in other.unknown {
            *self.unknown.entry(rule).or_default() += times;
        }
    }
}

/// What a rule said of one merchant or loan.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement<'a> {
    /// The loan, for rules on loans.
    pub loan_id: Option<&'a str>,
    /// The finding.
    pub finding: Finding,
    /// All that the rule looked at.
    pub evidence: Vec<EvidenceValue>,
}

/// Asks one rule. Rules on features see merchants who owe something, or all of them ([`Watch`]); arrears rules see every loan that is
/// neither closed nor written off, and cannot say anything of a loan that is not known.
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn ask<'a>(rule: &AlertRule, watch: Watch, case: &MonitorCase<'a>) -> Result<Vec<Judgement<'a>>, MonitorError> {
    let loans = case.loans.unwrap_or_default();
    Ok(match &rule.kind {
        AlertKind::UnknownLoan => {
            let judge = |loan: &'a crate::repayment::UnknownLoan| Judgement {
                loan_id: loan.loan_id.as_deref(),
                finding: unknown_loan::judge(loan.causes.len()),
                evidence: vec![value("causes", loan.causes.len() as f64)],
            };
            loans.unknown.iter().map(judge).collect()
        }
        AlertKind::Arrears { from_dpd } => {
            let blind = loans.unknown.iter().map(|loan| Judgement {
                loan_id: loan.loan_id.as_deref(),
                finding: Finding::Unknown,
                evidence: Vec::new(),
            });
            let seen = loans.known.iter().filter(|loan| is_watched(loan)).map(|loan| Judgement {
                loan_id: Some(&loan.loan_id),
                finding: arrears::judge(loan.dpd, loan.arrears_minor, *from_dpd),
                evidence: vec![
                    value("dpd", loan.dpd as f64),
                    value("arrears_minor", loan.arrears_minor as f64),
                    value("outstanding_minor", loan.outstanding_minor as f64),
                ],
            });
            blind.chain(seen).collect()
        }
        AlertKind::PledgeLoss { from_share } => {
            let secured = loans.known.iter().filter(|loan| is_watched(loan) && !loan.pledged_order_ids.is_empty());
            let judge = |loan: &'a LoanStanding| {
                let pledged = case.pledges.and_then(|pledges| pledges.of_loan(&loan.loan_id));
                let evidence = pledged.map_or_else(Vec::new, |p| {
                    vec![
                        value("pledged_minor", p.value_minor as f64),
                        value("pledged_lost_minor", p.lost_minor as f64),
                        value("orders_not_found", p.not_found as f64),
                    ]
                });
                let finding = pledge_loss::judge(pledged, *from_share);
                Judgement { loan_id: Some(&loan.loan_id), finding, evidence }
            };
            secured.map(judge).collect()
        }
        AlertKind::Hazard { from_minor } if case.is_borrower() => {
            let outlook = case.outlook.as_ref();
            let evidence = outlook.map_or_else(Vec::new, |outlook| {
                vec![value("trouble_prob", outlook.trouble_prob), value("owed_minor", outlook.owed_minor as f64)]
            });
            vec![Judgement { loan_id: None, finding: hazard::judge(outlook, *from_minor), evidence }]
        }
        AlertKind::Features(judge) if watch == Watch::All || case.is_borrower() => {
            let mut seen = Evidence::default();
            for name in judge.features() {
                seen.push(name, finite(case.features, case.merchant_id, name)?);
            }
            for name in judge.features_before() {
                seen.push_before(name, finite(case.features_before, case.merchant_id, name)?);
            }
            let stands = case.standing.iter().any(|alert| alert.is_of(rule.code.as_str(), None));
            let finding = if stands { judge.judge_standing(&seen) } else { judge.judge(&seen) };
            vec![Judgement { loan_id: None, finding, evidence: seen.into_values() }]
        }
        AlertKind::Hazard { .. } | AlertKind::Features(_) => Vec::new(),
    })
}

/// Watches one merchant.
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn watch(context: &WatchContext<'_>, case: &MonitorCase<'_>) -> Result<Alerts, MonitorError> {
    let tonight = context.as_of.date();
    let mut found = Alerts::default();
    for rule in context.monitor.all_rules() {
        let code = rule.code.as_str();
        let mut judged: Vec<Option<&str>> = Vec::new();
        for Judgement { loan_id, finding, evidence } in ask(rule, context.monitor.watch, case)? {
            // Several records of a merchant may each be broken beyond knowing which loan they are of: one alert is for all of them.
            if judged.contains(&loan_id) {
                continue;
            }
            judged.push(loan_id);
            if finding == Finding::Unknown {
                *found.unknown.entry(code.to_owned()).or_default() += 1;
            }
            let before = case.standing.iter().find(|alert| alert.is_of(code, loan_id));
            let subject = Subject { merchant_id: case.merchant_id, loan_id };
            found.alerts.extend(life::judged(before, rule, subject, finding, evidence, tonight));
        }
        let left = case.standing.iter().filter(|a| a.rule == code && !judged.contains(&a.loan_id.as_deref()));
        found.alerts.extend(left.map(|alert| match fate(rule, alert, context.monitor, case) {
            Some(why) => life::over(alert, why, tonight),
            None => life::unseen(alert),
        }));
    }
    let is_withdrawn = |alert: &&Alert| context.monitor.all_rules().all(|rule| rule.code.as_str() != alert.rule);
    let withdrawn = case.standing.iter().filter(is_withdrawn);
    found.alerts.extend(withdrawn.map(|alert| life::over(alert, ClearedBecause::RuleWithdrawn, tonight)));
    for alert in found.alerts.iter_mut().filter(|alert| alert.stands()) {
        context.officers.handle(alert, tonight);
        alert.trouble_prob = case.outlook.map(|outlook| outlook.trouble_prob);
        alert.at_risk_minor = case.outlook.map(|outlook| outlook.at_risk_minor());
    }
    found.freezes = freezes(context.monitor, &found.alerts);
    Ok(found)
}

/// Why a standing alert that its rule was not asked about is over; `None` where that cannot be known.
fn fate(rule: &AlertRule, alert: &Alert, monitor: &Monitor, case: &MonitorCase<'_>) -> Option<ClearedBecause> {
    let loans = case.loans?;
    let Some(loan_id) = alert.loan_id.as_deref() else {
        return Some(match rule.kind {
            // Every record that had no loan to name is repaired, or gone with its loan.
            AlertKind::UnknownLoan => ClearedBecause::Quiet,
            AlertKind::Arrears { .. }
            | AlertKind::PledgeLoss { .. }
            | AlertKind::Hazard { .. }
            | AlertKind::Features(_) => ClearedBecause::NothingOwed,
        });
    };
    match loans.known.iter().find(|loan| loan.loan_id == loan_id) {
        Some(loan) if loan.is_closed => Some(ClearedBecause::LoanClosed),
        Some(loan) if loan.is_written_off => Some(ClearedBecause::WrittenOff),
        Some(_) => Some(ClearedBecause::Quiet),
        None if monitor.no_longer_sent.contains(loan_id) => Some(ClearedBecause::NoLongerSent),
        None if monitor.borrower_corrected.get(loan_id).is_some_and(|borrower| borrower != case.merchant_id) => {
            Some(ClearedBecause::BorrowerCorrected)
        }
        None => None,
    }
}

/// Reasons of the alerts that freeze new credit, each once.
fn freezes(monitor: &Monitor, alerts: &[Alert]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for alert in alerts.iter().filter(|alert| alert.acts() && alert.action == Action::Freeze) {
        let rule = monitor.all_rules().find(|rule| rule.code.as_str() == alert.rule);
        if let Some(rule) = rule.filter(|rule| reasons.iter().all(|r| r.code != rule.code)) {
            reasons.push(Reason { code: rule.code.clone(), text: rule.text.clone() });
        }
    }
    reasons
}

fn is_watched(loan: &LoanStanding) -> bool {
    !loan.is_closed && !loan.is_written_off
}

fn value(name: &str, value: f64) -> EvidenceValue {
    EvidenceValue { name: name.to_owned(), value: Some(value) }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
