//! Alerts: what the nightly watch found, with its evidence and what to do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::MonitorError;
use super::finite::finite;
use super::rules::finding::Finding;
use super::rules::{arrears, dispute_spike, feature, shipping_stall, trade_drop, unknown_loan};
use super::settings::{Action, AlertKind, AlertRule, Monitor, Severity, Watch};
use crate::domain::{AsOf, Hasher, Reason};
use crate::features::FeatureLookup;
use crate::repayment::MerchantLoans;

/// One merchant under watch.
#[derive(Clone, Copy)]
pub struct MonitorCase<'a> {
    /// The merchant.
    pub merchant_id: &'a str,
    /// Features.
    pub features: &'a dyn FeatureLookup,
    /// All loans of the merchant.
    pub loans: MerchantLoans<'a>,
}

impl MonitorCase<'_> {
    /// Whether anything is owed, or may be.
    #[must_use]
    pub fn is_borrower(&self) -> bool {
        self.loans.may_owe()
    }
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Stable: the same merchant, loan, rule and day give the same id.
    pub alert_id: String,
    /// The merchant.
    pub merchant_id: String,
    /// The loan, for rules on loans.
    pub loan_id: Option<String>,
    /// Code of the rule.
    pub rule: String,
    /// How grave it is.
    pub severity: Severity,
    /// What was observed.
    pub observed: Option<f64>,
    /// The threshold applied.
    pub threshold: Option<f64>,
    /// What to do.
    pub action: Action,
}

/// What the watch over one merchant, or many, found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alerts {
    /// Alerts in rule order, loans by id.
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

/// Watches one merchant.
///
/// Rules on features see merchants who owe something, or all of them ([`Watch`]); arrears rules see every loan that is neither closed nor
/// written off, and cannot say anything of a loan that is not known. Every such loan raises an alert of its own
/// ([`unknown_loan`]).
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn watch(monitor: &Monitor, case: &MonitorCase<'_>, as_of: &AsOf) -> Result<Alerts, MonitorError> {
    let mut found = Alerts::default();
    for loan in case.loans.unknown {
        if let Finding::Fired { observed, threshold } = unknown_loan::judge(loan.causes.len()) {
            let rule = unknown_loan::UNKNOWN_LOAN_RULE;
            found.alerts.push(Alert {
                alert_id: alert_id(case.merchant_id, loan.loan_id.as_deref(), rule, as_of),
                merchant_id: case.merchant_id.to_owned(),
                loan_id: loan.loan_id.clone(),
                rule: rule.to_owned(),
                severity: Severity::Critical,
                observed: Some(observed),
                threshold: Some(threshold),
                action: Action::Call,
            });
        }
    }
    for rule in &monitor.rules {
        if let AlertKind::Arrears { from_dpd } = rule.kind {
            for loan in case.loans.unknown {
                record(&mut found, rule, case.merchant_id, loan.loan_id.as_deref(), Finding::Unknown, as_of);
            }
            for loan in case.loans.known.iter().filter(|l| !l.is_closed && !l.is_written_off) {
                let finding = arrears::judge(loan.dpd, loan.arrears_minor, from_dpd);
                record(&mut found, rule, case.merchant_id, Some(&loan.loan_id), finding, as_of);
            }
        } else if monitor.watch == Watch::All || case.is_borrower() {
            let finding = judge_features(&rule.kind, case)?;
            record(&mut found, rule, case.merchant_id, None, finding, as_of);
        }
    }
    Ok(found)
}

fn judge_features(kind: &AlertKind, case: &MonitorCase<'_>) -> Result<Finding, MonitorError> {
    let value = |name: &str| finite(case.features, case.merchant_id, name);
    Ok(match kind {
        AlertKind::Arrears { .. } => Finding::Unknown,
        AlertKind::TradeDrop { trend, usual, min_usual, drop_share } => {
            trade_drop::judge(value(trend)?, value(usual)?, *min_usual, *drop_share)
        }
        AlertKind::DisputeSpike { share, trend, from_share, from_trend } => {
            dispute_spike::judge(value(share)?, value(trend)?, *from_share, *from_trend)
        }
        AlertKind::ShippingStall { overdue, backlog, from_overdue, from_backlog } => {
            shipping_stall::judge(value(overdue)?, value(backlog)?, *from_overdue, *from_backlog)
        }
        AlertKind::Feature { feature, from, to } => feature::judge(value(feature)?, *from, *to),
    })
}

fn record(
    found: &mut Alerts,
    rule: &AlertRule,
    merchant_id: &str,
    loan_id: Option<&str>,
    finding: Finding,
    as_of: &AsOf,
) {
    match finding {
        Finding::Quiet { .. } => {}
        Finding::Unknown => *found.unknown.entry(rule.code.to_string()).or_default() += 1,
        Finding::Fired { observed, threshold } => {
            if rule.action == Action::Freeze {
                found.freezes.push(Reason { code: rule.code.clone(), text: rule.text.clone() });
            }
            found.alerts.push(Alert {
                alert_id: alert_id(merchant_id, loan_id, rule.code.as_str(), as_of),
                merchant_id: merchant_id.to_owned(),
                loan_id: loan_id.map(str::to_owned),
                rule: rule.code.to_string(),
                severity: rule.severity,
                observed: Some(observed),
                threshold: Some(threshold),
                action: rule.action,
            });
        }
    }
}

/// 24 hexadecimal digits of a digest over merchant, loan, rule and day.
fn alert_id(merchant_id: &str, loan_id: Option<&str>, rule: &str, as_of: &AsOf) -> String {
    let mut hasher = Hasher::default();
    hasher.field(b"alert");
    hasher.field(merchant_id.as_bytes());
    hasher.field(loan_id.map_or(b"", str::as_bytes));
    hasher.field(rule.as_bytes());
    hasher.field(as_of.date().to_string().as_bytes());
    hasher.finish().to_string().chars().take(24).collect()
}

#[cfg(test)]
#[path = "alert_tests.rs"]
mod tests;
