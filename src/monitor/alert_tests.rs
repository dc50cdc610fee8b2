use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;
use crate::config::ConfigFile;
use crate::repayment::{LoanStanding, UnknownCause, UnknownLoan};

const MONITOR: &str = r#"
watch = "borrowers"
waterfall = { within = ["fee", "interest", "principal"], early_close_tolerance_minor = 0 }
class_from_dpd = { special_mention = 1, substandard = 91, doubtful = 271, loss = 361 }
bucket = [{ name = "all", from_dpd = 0 }]
[[rule]]
kind = "arrears"
code = "arrears-week"
text = "late"
severity = "warning"
action = "call"
from_dpd = 7
[[rule]]
kind = "trade-drop"
code = "trade-drop"
text = "less trade"
severity = "critical"
action = "freeze"
trend = "gmv_trend"
usual = "gmv"
min_usual = 100
drop_share = 0.7
[[rule]]
kind = "dispute-spike"
code = "dispute-spike"
text = "disputes"
severity = "critical"
action = "freeze"
share = "dispute_share"
trend = "dispute_trend"
from_share = 0.1
from_trend = 0.3
[[rule]]
kind = "shipping-stall"
code = "shipping-stall"
text = "nothing moves"
severity = "warning"
action = "watch"
overdue = "overdue"
backlog = "backlog"
from_overdue = 5
from_backlog = 0.3
"#;

fn loan(loan_id: &str, dpd: i64) -> LoanStanding {
    LoanStanding {
        merchant_id: "m1".into(),
        loan_id: loan_id.into(),
        product: "credit-loan".into(),
        disbursed_at: 0,
        principal_minor: 1_000,
        group_id: None,
        offer_id: None,
        pledged_order_ids: Vec::new(),
        outstanding_minor: 1_000,
        arrears_minor: if dpd > 0 { 100 } else { 0 },
        dpd,
        worst_dpd: dpd,
        material_dpd: dpd,
        worst_material_dpd: dpd,
        is_in_default: dpd >= 90,
        is_closed: false,
        must_be_sent: true,
        is_written_off: false,
        is_restructured: false,
        deductions: 0,
        deductions_reversed: 0,
    }
}

fn found(watch_all: bool, features: &[(&str, f64)], loans: &[LoanStanding], day: i8) -> Result<Alerts, MonitorError> {
    found_beside(watch_all, features, loans, &[], day)
}

fn found_beside(
    watch_all: bool,
    features: &[(&str, f64)],
    loans: &[LoanStanding],
    unknown: &[UnknownLoan],
    day: i8,
) -> Result<Alerts, MonitorError> {
    let text = if watch_all { MONITOR.replace("borrowers", "all") } else { MONITOR.to_owned() };
    let monitor = Monitor::check(ConfigFile::from_text(Path::new("monitor.toml"), &text)).unwrap();
    let features: BTreeMap<String, Option<f64>> = features.iter().map(|&(n, v)| (n.to_owned(), Some(v))).collect();
    let as_of = AsOf::new(date(2018, 8, day), TimeZone::UTC).unwrap();
    watch(
        &monitor,
        &MonitorCase { merchant_id: "m1", features: &features, loans: MerchantLoans { known: loans, unknown } },
        &as_of,
    )
}

const QUIET: [(&str, f64); 6] = [
    ("gmv_trend", -0.1),
    ("gmv", 18_000.0),
    ("dispute_share", 0.01),
    ("dispute_trend", 0.5),
    ("overdue", 1.0),
    ("backlog", 0.5),
];

#[test]
fn each_rule_fires_on_its_own_evidence() {
    assert_eq!(found(false, &QUIET, &[loan("l1", 6)], 1).unwrap(), Alerts::default());
    let fired = |feature: &str, value: f64| {
        let mut features = QUIET;
        features.iter_mut().filter(|f| f.0 == feature).for_each(|f| f.1 = value);
        let alerts = found(false, &features, &[loan("l1", 0)], 1).unwrap().alerts;
        alerts.iter().map(|a| (a.rule.clone(), a.loan_id.clone(), a.action)).collect::<Vec<_>>()
    };
    assert_eq!(fired("gmv_trend", -0.6), [("trade-drop".to_owned(), None, Action::Freeze)]);
    assert_eq!(fired("dispute_share", 0.11), [("dispute-spike".to_owned(), None, Action::Freeze)]);
    assert_eq!(fired("overdue", 12.0), [("shipping-stall".to_owned(), None, Action::Watch)]);
    let late = found(false, &QUIET, &[loan("l1", 7), loan("l2", 0), loan("l3", 40)], 1).unwrap().alerts;
    let loans: Vec<_> = late.iter().map(|a| (a.loan_id.as_deref(), a.observed, a.threshold)).collect();
    assert_eq!(loans, [(Some("l1"), Some(7.0), Some(7.0)), (Some("l3"), Some(40.0), Some(7.0))]);
}

#[test]
fn closed_and_written_off_loans_are_left_alone() {
    let closed = LoanStanding { is_closed: true, ..loan("l1", 9) };
    assert_eq!(found(false, &[("gmv_trend", -1.0), ("gmv", 18_000.0)], &[closed], 1).unwrap(), Alerts::default());
    let written_off = LoanStanding { is_written_off: true, ..loan("l1", 900) };
    assert!(found(false, &QUIET, &[written_off], 1).unwrap().alerts.is_empty());
}

#[test]
fn too_little_history_raises_nothing_but_is_counted() {
    let blind = found(true, &[("gmv_trend", -1.0)], &[], 1).unwrap();
    assert!(blind.alerts.is_empty());
    let counted: Vec<_> = blind.unknown.iter().map(|(r, &n)| (r.as_str(), n)).collect();
    assert_eq!(counted, [("dispute-spike", 1), ("shipping-stall", 1), ("trade-drop", 1)]);
    let mut twice = blind.clone();
    twice.merge(blind);
    assert_eq!(twice.unknown["trade-drop"], 2);
    assert_eq!(found(false, &[], &[], 1).unwrap(), Alerts::default(), "nobody else is watched");
    let broken = found(true, &[("gmv_trend", f64::NAN), ("gmv", 1.0)], &[], 1);
    assert!(matches!(broken, Err(MonitorError::NotFinite { .. })));
}

#[test]
fn a_loan_that_is_not_known_raises_its_own_alert_and_makes_its_borrower_one_to_watch() {
    let cause = |code: &'static str| UnknownCause { code: code.into(), detail: String::new() };
    let lost = UnknownLoan {
        merchant_id: "m1".into(),
        loan_id: Some("l9".into()),
        product: None,
        principal_minor: None,
        group_id: None,
        causes: vec![cause("no-schedule"), cause("broken-instalment")],
    };
    let features = [("gmv_trend", -1.0), ("gmv", 18_000.0)];
    let alerts = found_beside(false, &features, &[], std::slice::from_ref(&lost), 1).unwrap();
    let [unknown, trade] = alerts.alerts.as_slice() else { panic!("{alerts:?}") };
    assert_eq!((unknown.rule.as_str(), unknown.loan_id.as_deref()), ("loan-record-unknown", Some("l9")));
    assert_eq!((unknown.severity, unknown.action, unknown.observed), (Severity::Critical, Action::Call, Some(2.0)));
    assert_eq!(trade.rule, "trade-drop", "the merchant may owe, and so is watched");
    assert_eq!(alerts.unknown["arrears-week"], 1, "whether the loan is late cannot be said");
    let beside = found_beside(false, &QUIET, &[loan("l1", 9)], &[lost], 1).unwrap();
    let rules: Vec<_> = beside.alerts.iter().map(|a| (a.rule.as_str(), a.loan_id.as_deref())).collect();
    assert_eq!(rules, [("loan-record-unknown", Some("l9")), ("arrears-week", Some("l1"))]);
}

#[test]
fn ids_are_stable_and_distinct() {
    let ids = |day| -> Vec<String> {
        let alerts = found(false, &[("gmv_trend", -1.0), ("gmv", 18_000.0)], &[loan("l1", 8), loan("l2", 8)], day);
        alerts.unwrap().alerts.into_iter().map(|a| a.alert_id).collect()
    };
    assert_eq!(ids(1), ids(1));
    let mut all = [ids(1), ids(2)].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
}
