use std::path::Path;

use super::*;

const GOOD: &str = r#"watch = "borrowers"
[waterfall]
within = ["fee", "interest", "principal"]
early_close_tolerance_minor = 100
[class_from_dpd]
special_mention = 1
substandard = 91
doubtful = 271
loss = 361
[deduction]
receipts_feature = "receipts"
receipts_days = 180
receipts_share_ppm = 200_000
min_minor = 100
[[bucket]]
name = "current"
from_dpd = 0
to_dpd = 0
[[bucket]]
name = "1-30"
from_dpd = 1
to_dpd = 30
[[bucket]]
name = "over-30"
from_dpd = 31
[[rule]]
kind = "arrears"
code = "arrears"
text = "late"
severity = "warning"
action = "deduct"
from_dpd = 1
[[rule]]
kind = "trade-drop"
code = "trade-drop"
text = "less trade"
severity = "critical"
action = "freeze"
trend = "gmv_trend"
usual = "gmv_90d"
min_usual = 100
drop_share = 0.7
[[rule]]
kind = "feature"
code = "stars"
text = "bad reviews"
severity = "info"
action = "watch"
feature = "stars"
to = 2.5
"#;

fn check(text: &str) -> Result<Monitor, ConfigError> {
    Monitor::check(ConfigFile::from_text(Path::new("monitor.toml"), text))
}

#[test]
fn a_good_file_is_read_whole() {
    let monitor = check(GOOD).unwrap();
    assert_eq!(monitor.waterfall, Waterfall::default());
    let defaults = (Materiality::default(), Overpayment::default(), UnknownLimit::default());
    assert_eq!((monitor.materiality, monitor.overpayment, monitor.unknown_limit), defaults, "sections left out");
    assert_eq!(monitor.buckets[2], Bucket { name: "over-30".into(), from_dpd: 31, to_dpd: None });
    assert_eq!(monitor.rules.len(), 3);
    let features: Vec<&str> = monitor.features().into_iter().collect();
    assert_eq!(features, ["gmv_90d", "gmv_trend", "receipts", "stars"]);
    assert!(monitor.check_features(features).is_ok());
    assert_eq!(monitor.check_features(["gmv_90d", "gmv_trend", "receipts"]).unwrap_err().line, 49);
}

#[test]
fn what_is_not_allowed_is_refused_at_its_line() {
    for (from, to, line, words) in [
        (r#"["fee", "interest", "principal"]"#, r#"["fee", "interest", "fee"]"#, 3, "each part"),
        (r#"["fee", "interest", "principal"]"#, r#"["fee", "interest"]"#, 3, "each part"),
        ("early_close_tolerance_minor = 100", "early_close_tolerance_minor = -1", 4, "out of range"),
        ("substandard = 91", "substandard = 1", 7, "overlaps"),
        ("loss = 361", "loss = 270", 9, "overlaps"),
        ("special_mention = 1", "special_mention = 0", 6, "overlaps"),
        ("receipts_share_ppm = 200_000", "receipts_share_ppm = 1_000_001", 13, "out of range"),
        ("from_dpd = 0", "from_dpd = 1", 17, "no bucket holds 0 to 0"),
        ("from_dpd = 1\nto_dpd = 30", "from_dpd = 2\nto_dpd = 30", 21, "no bucket holds 1 to 1"),
        ("from_dpd = 1\nto_dpd = 30", "from_dpd = 0\nto_dpd = 30", 21, "overlaps"),
        ("from_dpd = 31", "from_dpd = 30", 25, "overlaps"),
        ("from_dpd = 31", "from_dpd = 33", 25, "no bucket holds 31 to 32"),
        ("from_dpd = 31", "from_dpd = 31\nto_dpd = 60", 15, "no bucket holds 61 and more"),
        ("from_dpd = 1\nto_dpd = 30", "from_dpd = 1", 22, "after one without an end"),
        ("from_dpd = 1\nto_dpd = 30", "from_dpd = 1\nto_dpd = 0", 22, "out of range"),
        (r#"name = "1-30""#, r#"name = "current""#, 20, "named twice"),
        (r#"action = "deduct""#, r#"action = "shout""#, 31, "unknown variant"),
        (r#"action = "freeze""#, r#"action = "deduct""#, 33, "deducts without arrears"),
        ("drop_share = 0.7", "drop_share = 1.1", 42, "out of range"),
        ("drop_share = 0.7", "drop_share = 0", 42, "out of range"),
        ("min_usual = 100\n", "", 33, "lacks min_usual"),
        ("min_usual = 100", "min_usual = 100\nfrom = 3", 42, "unknown key \"from\""),
        ("to = 2.5", "from_share = 2.5", 43, "lacks from or to"),
        ("to = 2.5", "to = 2.5\nfrom = 2.5", 43, "has both"),
        ("kind = \"feature\"", "kind = \"features\"", 43, "unknown kind"),
        ("to = 2.5", "to = 2.5\nescalation = { severity = \"critical\", action = \"call\" }", 51, "never happens"),
        (
            "to = 2.5",
            "to = 2.5\nescalation = { beyond = 1, severity = \"critical\", action = \"deduct\" }",
            43,
            "deducts without arrears",
        ),
        (
            "to = 2.5",
            "to = 2.5\nescalation = { beyond = 1, severity = \"grave\", action = \"call\" }",
            51,
            "unknown variant",
        ),
        ("to = 2.5", "to = 2.5\nclear_after_days = -1", 51, "out of range"),
        ("to = 2.5", "to = nan", 50, "out of range"),
        (r#"code = "stars""#, r#"code = "arrears""#, 45, "declared twice"),
        (r#"text = "late""#, r#"text = """#, 29, "blank"),
        ("watch = \"borrowers\"", "watch = \"nobody\"", 1, "unknown variant"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = check(&GOOD.replacen(from, to, 1)).expect_err(to);
        assert_eq!(error.line, line, "{to}: {error}");
        assert!(error.message.contains(words), "{to}: {error}");
    }
}

#[test]
fn materiality_and_the_ledger_have_sections_of_their_own() {
    let sections = "[materiality]\nabsolute_minor = 50_000\nrelative_share = 0.015\n\
                    [ledger]\nmax_unknown_loan_share = 0.05\nmax_overpaid_share = 0.2\nclosed_loans_sent_days = 700\nno_longer_sent = [\"l7\"]\n";
    let text = GOOD.replacen("[class_from_dpd]", &format!("{sections}[class_from_dpd]"), 1);
    let monitor = check(&text).unwrap();
    assert_eq!(monitor.materiality, Materiality { absolute_minor: 50_000, relative_ppm: 15_000 });
    assert_eq!(monitor.overpayment, Overpayment { most_ppm: 200_000 });
    assert_eq!(monitor.unknown_limit, UnknownLimit { max_share: 0.05 });
    assert_eq!(monitor.retention, Retention { closed_days: 700 });
    assert!(monitor.no_longer_sent.iter().eq(["l7"]));
    for (from, to, line, words) in [
        ("50_000", "-1", 6, "absolute_minor = -1 is out of range"),
        ("0.015", "1.5", 7, "relative_share = 1.5 is out of range"),
        ("0.015", "nan", 7, "out of range"),
        ("0.05", "-0.1", 9, "max_unknown_loan_share"),
        ("0.2\n", "2.0\n", 10, "max_overpaid_share"),
        ("700", "-1", 11, "closed_loans_sent_days = -1 is out of range"),
        ("relative_share", "relative", 7, "unknown field"),
        ("absolute_minor = 50_000\n", "", 5, "missing field"),
    ] {
        let error = check(&text.replacen(from, to, 1)).expect_err(to);
        assert_eq!(error.line, line, "{to}: {error}");
        assert!(error.message.contains(words), "{to}: {error}");
    }
}

#[test]
fn the_programs_own_alert_cannot_be_declared() {
    let error = check(&GOOD.replacen("code = \"stars\"", "code = \"loan-record-unknown\"", 1)).unwrap_err();
    assert!(error.message.contains("without a rule"), "{error}");
}

#[test]
fn a_rule_that_deducts_needs_terms_to_deduct_by() {
    let start = GOOD.find("[deduction]").unwrap();
    let end = GOOD.find("[[bucket]]").unwrap();
    let error = check(&format!("{}{}", &GOOD[..start], &GOOD[end..])).unwrap_err();
    assert!(error.message.contains("there is no [deduction]"), "{error}");
}

#[test]
fn a_rule_of_money_at_risk_needs_a_model() {
    let rule = "[[rule]]\nkind = \"hazard\"\ncode = \"money-at-risk\"\ntext = \"t\"\nseverity = \"info\"\naction = \"watch\"\nfrom_minor = 1_000\n";
    let error = check(&format!("{GOOD}\n{rule}")).unwrap_err();
    assert!(error.message.contains("there is no [hazard]"), "{error}");
    let monitor = check(&format!("{GOOD}\n[hazard]\nmin_events = 50\n{rule}")).unwrap();
    let terms = monitor.hazard.unwrap();
    assert_eq!((terms.horizon_days, terms.nights, terms.every_days, terms.min_events), (30, 26, 28, 50));
    assert_eq!((terms.nights_every(7), terms.nights_every(14), terms.nights_every(30)), (104, 52, 24));
    for (keys, words) in [
        ("horizon_days = 6", "horizon_days = 6 is out of range"),
        ("min_events = 1", "min_events"),
        ("colour = 1", "unknown field"),
    ] {
        let error = check(&format!("{GOOD}\n[hazard]\n{keys}\n")).expect_err(keys);
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn all_faults_of_one_rule_and_of_several_sections_are_told_at_once() {
    let text = GOOD
        .replacen("\"fee\", \"interest\", \"principal\"", "\"fee\", \"fee\"", 1)
        .replacen("substandard = 91", "substandard = 1", 1)
        .replacen("severity = \"critical\"\naction = \"freeze\"", "severity = \"grave\"\naction = \"deduct\"", 1)
        .replacen("drop_share = 0.7", "drop_share = 7.0\ndrop = 1\nfall = 2", 1)
        .replacen("feature = \"stars\"", "stars = 1", 1);
    let all = Monitor::check_telling_all(ConfigFile::from_text(Path::new("monitor.toml"), &text)).unwrap_err();
    let told: Vec<String> = all.iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect();
    for words in [
        "3: within", "7: substandard", "37: severity", "drop_share = 7", "\"drop\"", "\"fall\"", "lacks feature",
        "\"stars\"",
    ] {
        assert!(told.iter().any(|fault| fault.contains(words)), "{words}: {told:?}");
    }
    assert_eq!(told.len(), 8, "{told:?}");
}
