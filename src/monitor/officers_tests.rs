use super::*;
use crate::monitor::alert::alert_id;
use crate::monitor::{Action, Severity, Verdict};

const GOOD: &str = r#"[[decision]]
handling = "snoozed"
merchant_id = "m1"
from = "2025-06-01"
until = "2025-06-30"
reason = "called, pays on Friday"
by = "Li Wei"
[[decision]]
handling = "suppressed"
merchant_id = "m1"
rule = "trade-drop"
loan_id = "l1"
from = "2025-06-10"
until = "2025-06-10"
reason = "moves house"
by = "Ana"
"#;

fn check(text: &str) -> Result<Officers, ConfigError> {
    Officers::check(ConfigFile::from_text(Path::new("officers.toml"), text))
}

fn alert(merchant: &str, loan: Option<&str>, rule: &str, escalated_on: Option<i8>) -> Alert {
    let opened_on = Date::new(2025, 5, 20).unwrap();
    Alert {
        alert_id: alert_id(merchant, loan, rule, opened_on),
        merchant_id: merchant.to_owned(),
        loan_id: loan.map(str::to_owned),
        rule: rule.to_owned(),
        state: if escalated_on.is_some() { AlertState::Escalated } else { AlertState::Opened },
        opened_on,
        since_on: escalated_on.map_or(opened_on, |day| Date::new(2025, 6, day).unwrap()),
        tonight: Verdict::Fired,
        quiet_since_on: None,
        severity: Severity::Warning,
        observed: None,
        threshold: None,
        evidence: Vec::new(),
        action: Action::Watch,
        trouble_prob: None,
        at_risk_minor: None,
        cleared_because: None,
        handling: None,
        handled_by: None,
        handled_why: None,
        handled_until_on: None,
    }
}

fn handled(mut alert: Alert, day: i8) -> Option<(Handling, String)> {
    check(GOOD).unwrap().handle(&mut alert, Date::new(2025, 6, day).unwrap());
    alert.handling.zip(alert.handled_by)
}

#[test]
fn a_decision_is_about_what_it_names_and_for_as_long_as_it_says() {
    let snoozed = Some((Handling::Snoozed, "Li Wei".to_owned()));
    assert_eq!(handled(alert("m1", None, "silence", None), 1), snoozed);
    assert_eq!(handled(alert("m1", Some("l1"), "arrears", None), 30), snoozed);
    assert_eq!(handled(alert("m2", None, "silence", None), 15), None, "another merchant");
    let suppressed = Some((Handling::Suppressed, "Ana".to_owned()));
    assert_eq!(handled(alert("m1", Some("l1"), "trade-drop", None), 10), suppressed, "before a snooze");
    assert_eq!(handled(alert("m1", Some("l1"), "trade-drop", None), 11), snoozed, "lapsed");
    assert_eq!(handled(alert("m1", None, "trade-drop", None), 10), snoozed, "the loan's alerts only");
    let mut after = alert("m1", None, "silence", None);
    check(GOOD).unwrap().handle(&mut after, Date::new(2025, 7, 1).unwrap());
    assert_eq!(after.handling, None);
}

#[test]
fn an_escalation_after_the_decision_wakes_a_snoozed_alert() {
    assert_eq!(handled(alert("m1", None, "silence", Some(2)), 15), None);
    assert!(handled(alert("m1", None, "silence", Some(1)), 15).is_some(), "it had escalated when it was snoozed");
    assert!(handled(alert("m1", Some("l1"), "trade-drop", Some(12)), 10).is_some(), "a false alarm stays one");
}

#[test]
fn what_is_not_allowed_is_refused_at_its_line() {
    for (from, to, line, words) in [
        ("\"snoozed\"", "\"asleep\"", 2, "unknown variant"),
        ("merchant_id = \"m1\"\n", "", 1, "missing field"),
        ("\"2025-06-01\"", "\"soon\"", 4, "not a date"),
        ("\"2025-06-30\"", "\"2025-05-30\"", 5, "is before"),
        ("\"2025-06-30\"", "\"2026-06-30\"", 5, "in force for 394 days"),
        ("\"called, pays on Friday\"", "\" \"", 6, "blank"),
        ("\"Li Wei\"", "\"\"", 7, "blank"),
        ("by = \"Li Wei\"", "by = \"Li Wei\"\nwhen = 1", 8, "unknown field"),
        ("\"trade-drop\"", "\" \"", 11, "blank"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = check(&GOOD.replacen(from, to, 1)).expect_err(to);
        assert_eq!(error.line, line, "{to}: {error}");
        assert!(error.message.contains(words), "{to}: {error}");
    }
    let unknown = check(GOOD).unwrap().check_rules(["silence"].into_iter()).unwrap_err();
    assert_eq!(unknown.line, 11, "{unknown}");
    assert!(check(GOOD).unwrap().check_rules(["silence", "trade-drop"].into_iter()).is_ok());
    let day = Date::new(2025, 6, 10).unwrap();
    let lapsed = Date::new(2025, 6, 11).unwrap();
    let may = |names: &[&str]| OfficerTerms { may_suppress: names.iter().map(|name| (*name).to_owned()).collect() };
    let refused = check(GOOD).unwrap().check_authors(&may(&["Li Wei"]), day).unwrap_err();
    assert!(refused.message.contains("Ana") && refused.help.contains("Li Wei"), "{refused}");
    assert!(GOOD.lines().nth(refused.line - 1).unwrap().starts_with("by = "), "{refused}");
    assert!(check(GOOD).unwrap().check_authors(&may(&[]), lapsed).is_ok(), "what has lapsed lifts nothing");
    let everybody = may(&["Ana", "Li Wei"]);
    assert!(check(GOOD).unwrap().check_authors(&everybody, day).is_ok());
    let snoozed = GOOD.replace("\"suppressed\"", "\"snoozed\"");
    assert!(check(&snoozed).unwrap().check_authors(&may(&[]), day).is_ok(), "anybody may snooze");
}
