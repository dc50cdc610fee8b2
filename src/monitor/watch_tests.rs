use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;
use crate::config::ConfigFile;
use crate::monitor::{AlertState, Severity, Verdict};
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{Causes, UnknownCause, UnknownLoan};

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
        loan_id: loan_id.into(),
        arrears_minor: if dpd > 0 { 100 } else { 0 },
        ..overdue_loan("credit-loan", dpd)
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
    let context = WatchContext { monitor: &monitor, officers: &Officers::default(), as_of: &as_of };
    let loans = Some(MerchantLoans { known: loans, unknown });
    watch(
        &context,
        &MonitorCase {
            merchant_id: "m1",
            features: &features,
            loans,
            features_before: &NONE,
            pledges: None,
            outlook: None,
            standing: &[],
        },
    )
}

/// Features of a first night's night before.
const NONE: BTreeMap<String, Option<f64>> = BTreeMap::new();

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
        causes: Causes::from_iter([cause("no-schedule"), cause("broken-instalment")]),
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

/// Nights of one merchant, each building on the one before.
struct Nights {
    monitor: Monitor,
    officers: Officers,
    outlook: Option<Outlook>,
    standing: Vec<Alert>,
}

impl Nights {
    fn new(changes: &[(&str, &str)]) -> Self {
        let text = changes.iter().fold(MONITOR.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let monitor = Monitor::check(ConfigFile::from_text(Path::new("monitor.toml"), &text)).unwrap();
        Self { monitor, officers: Officers::default(), outlook: None, standing: Vec::new() }
    }

    fn night<'a>(&mut self, day: i8, trend: Option<f64>, loans: impl Into<Option<MerchantLoans<'a>>>) -> Alerts {
        let mut features: BTreeMap<String, Option<f64>> = QUIET.iter().map(|&(n, v)| (n.to_owned(), Some(v))).collect();
        features.insert("gmv_trend".to_owned(), trend);
        let (loans, as_of) = (loans.into(), AsOf::new(date(2018, 8, day), TimeZone::UTC).unwrap());
        let context = WatchContext { monitor: &self.monitor, officers: &self.officers, as_of: &as_of };
        let case = MonitorCase {
            merchant_id: "m1",
            features: &features,
            loans,
            features_before: &NONE,
            pledges: None,
            outlook: self.outlook,
            standing: &self.standing,
        };
        let found = watch(&context, &case).unwrap();
        self.standing = found.alerts.iter().filter(|a| a.stands()).cloned().collect();
        found
    }
}

fn owing(known: &[LoanStanding]) -> MerchantLoans<'_> {
    MerchantLoans { known, unknown: &[] }
}

#[test]
fn the_same_trouble_keeps_its_id_until_it_is_over_and_new_trouble_gets_another() {
    let loans = [loan("l1", 0)];
    let mut nights = Nights::new(&[]);
    let first = nights.night(1, Some(-0.9), owing(&loans)).alerts;
    let second = nights.night(2, Some(-0.8), owing(&loans)).alerts;
    assert_eq!(first[0].alert_id, second[0].alert_id);
    assert_eq!((second[0].opened_on, second[0].since_on), (date(2018, 8, 1), date(2018, 8, 1)));
    assert_eq!(second[0].evidence[0], EvidenceValue { name: "gmv_trend".into(), value: Some(-0.8) });
    let over = nights.night(3, Some(0.0), owing(&loans));
    let [cleared] = over.alerts.as_slice() else { panic!("{over:?}") };
    assert_eq!((cleared.state, cleared.cleared_because), (AlertState::Cleared, Some(ClearedBecause::Quiet)));
    assert_eq!((&cleared.alert_id, cleared.since_on), (&first[0].alert_id, date(2018, 8, 3)));
    assert!(over.freezes.is_empty(), "what is over freezes nothing");
    assert!(nights.night(4, Some(0.0), owing(&loans)).alerts.is_empty(), "cleared is published once");
    let again = nights.night(5, Some(-0.9), owing(&loans)).alerts;
    assert_ne!(again[0].alert_id, first[0].alert_id);
}

#[test]
fn what_cannot_be_said_clears_nothing() {
    let loans = [loan("l1", 0)];
    let mut nights = Nights::new(&[]);
    let opened = nights.night(1, Some(-0.9), owing(&loans)).alerts;
    for (day, trend, loans) in [(2, None, Some(owing(&loans))), (3, Some(0.0), None)] {
        let found = nights.night(day, trend, loans);
        let [alert] = found.alerts.as_slice() else { panic!("{found:?}") };
        assert_eq!((&alert.alert_id, alert.tonight, alert.observed), (&opened[0].alert_id, Verdict::Unknown, None));
        assert_eq!(found.freezes.len(), 1, "and its action goes on");
    }
    let repaid = LoanStanding { is_closed: true, ..loan("l1", 0) };
    let over = nights.night(4, Some(-0.9), owing(&[repaid])).alerts;
    assert_eq!(over[0].cleared_because, Some(ClearedBecause::NothingOwed));
}

#[test]
fn an_alert_on_a_loan_ends_with_the_loan_and_not_with_its_rows() {
    let late = [loan("l1", 8), loan("l2", 0)];
    let mut nights = Nights::new(&[]);
    nights.night(1, Some(0.0), owing(&late));
    let lost = nights.night(2, Some(0.0), owing(&late[1..])).alerts;
    assert_eq!((lost[0].tonight, lost[0].state), (Verdict::Unknown, AlertState::Opened), "the row of l1 was not sent");
    let ended = |change: fn(LoanStanding) -> LoanStanding| {
        let mut copy = Nights { standing: nights.standing.clone(), ..Nights::new(&[]) };
        let loans = [change(loan("l1", 8)), loan("l2", 0)];
        copy.night(3, Some(0.0), owing(&loans)).alerts[0].cleared_because
    };
    assert_eq!(ended(|l| LoanStanding { is_closed: true, ..l }), Some(ClearedBecause::LoanClosed));
    assert_eq!(ended(|l| LoanStanding { is_written_off: true, ..l }), Some(ClearedBecause::WrittenOff));
    assert_eq!(ended(|l| LoanStanding { dpd: 0, ..l }), Some(ClearedBecause::Quiet));
    let ledger = ("class_from_dpd", "ledger = { no_longer_sent = [\"l1\"] }\nclass_from_dpd");
    let mut told = Nights { standing: nights.standing.clone(), ..Nights::new(&[ledger]) };
    assert_eq!(
        told.night(3, Some(0.0), owing(&late[1..])).alerts[0].cleared_because,
        Some(ClearedBecause::NoLongerSent)
    );
    let ledger = ("class_from_dpd", "ledger = { borrower_corrected = { l1 = \"m9\" } }\nclass_from_dpd");
    let mut told = Nights { standing: nights.standing.clone(), ..Nights::new(&[ledger]) };
    assert_eq!(
        told.night(3, Some(0.0), owing(&late[1..])).alerts[0].cleared_because,
        Some(ClearedBecause::BorrowerCorrected)
    );
    let withdrawn = ("code = \"arrears-week\"", "code = \"arrears-other\"");
    let mut other = Nights { standing: nights.standing.clone(), ..Nights::new(&[withdrawn]) };
    let found = other.night(3, Some(0.0), owing(&late)).alerts;
    let states: Vec<_> = found.iter().map(|a| (a.rule.as_str(), a.cleared_because)).collect();
    assert_eq!(states, [("arrears-other", None), ("arrears-week", Some(ClearedBecause::RuleWithdrawn))]);
}

#[test]
fn a_suppressed_alert_asks_for_nothing_and_a_snoozed_one_still_freezes() {
    let loans = [loan("l1", 0)];
    for (handling, freezes) in [("suppressed", 0), ("snoozed", 1)] {
        let text = format!(
            "[[decision]]\nhandling = \"{handling}\"\nmerchant_id = \"m1\"\nrule = \"trade-drop\"\nfrom = \"2018-08-01\"\n\
             until = \"2018-08-02\"\nreason = \"moves house\"\nby = \"Li\"\n"
        );
        let officers = Officers::check(ConfigFile::from_text(Path::new("officers.toml"), &text)).unwrap();
        let mut nights = Nights { officers, ..Nights::new(&[]) };
        for (day, expected) in [(1, freezes), (2, freezes), (3, 1)] {
            let found = nights.night(day, Some(-0.9), owing(&loans));
            assert_eq!(found.alerts.len(), 1, "it stands in any case");
            assert_eq!(found.freezes.len(), expected, "{handling}, day {day}");
            let logged = found.alerts[0].handled_why.as_deref().zip(found.alerts[0].handled_by.as_deref());
            assert_eq!(logged, (day < 3).then_some(("moves house", "Li")));
        }
    }
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

#[test]
fn money_at_risk_stands_with_every_alert_and_raises_one_of_its_own() {
    let rule = "[hazard]\n[[rule]]\nkind = \"hazard\"\ncode = \"money-at-risk\"\ntext = \"much is at risk\"\nseverity = \"warning\"\n\
                action = \"call\"\nfrom_minor = 1_000\n[[rule]]";
    let mut nights = Nights::new(&[("[[rule]]", rule)]);
    let loans = [loan("l1", 0)];
    let on = |nights: &mut Nights, day, outlook: Option<(f64, i64)>| {
        nights.outlook =
            outlook.map(|(trouble_prob, owed_minor)| Outlook { trouble_prob, owed_minor, case_cost_minor: 0 });
        let alerts = nights.night(day, Some(-0.9), owing(&loans)).alerts;
        let row = |a: Alert| (a.rule, a.tonight, a.trouble_prob, a.at_risk_minor);
        alerts.into_iter().map(row).collect::<Vec<_>>()
    };
    let named = |rule: &str, tonight, prob, minor| (rule.to_owned(), tonight, prob, minor);
    assert_eq!(
        on(&mut nights, 1, Some((0.1, 9_990))),
        [named("trade-drop", Verdict::Fired, Some(0.1), Some(999))],
        "too little for an alert of its own"
    );
    assert_eq!(
        on(&mut nights, 2, Some((0.1, 10_000))),
        [
            named("money-at-risk", Verdict::Fired, Some(0.1), Some(1_000)),
            named("trade-drop", Verdict::Fired, Some(0.1), Some(1_000))
        ]
    );
    assert_eq!(
        on(&mut nights, 3, None),
        [named("money-at-risk", Verdict::Unknown, None, None), named("trade-drop", Verdict::Fired, None, None)],
        "nothing is known to be over"
    );
    let over = on(&mut nights, 4, Some((0.0, 10_000)));
    assert_eq!(over[0], named("money-at-risk", Verdict::Quiet, None, None), "what is over has no money at risk");
}
