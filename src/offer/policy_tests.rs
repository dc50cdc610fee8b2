use std::path::Path;

use super::*;

const GOOD: &str = r#"bands = ["A", "B"]
loan_book = "required"
limit_step_minor = 100
total_cap_minor = 200_000_000
hard_cap_minor = 100_000_000
offer_valid_days = 30
later = ["group-loan"]
default_dpd = { order-loan = 30, credit-loan = 90, group-loan = 90 }
[price]
loss_given_default_prob = 0.6
pd_horizon_days = 180
funding_daily_ppm = 184
cost_daily_ppm = 40
max_daily_rate_ppm = 650
max_apr_prob = 0.24
[[product]]
name = "credit-loan"
term_days = 180
repayment = "equal-instalment"
instalments = 6
min_limit_minor = 1_000
max_limit_minor = 100_000_000
daily_rate_ppm = { A = 400, B = 500 }
caps = { ability_share_ppm = 300_000, lowest_month = { feature = "gmv_low", factor_ppm = 2_000_000 } }
[[rule]]
kind = "feature"
code = "tenure-short"
text = "too young"
feature = "tenure_days"
at_least = 180
[[rule]]
kind = "arrears"
code = "in-arrears"
text = "late now"
at_most_dpd = 0
"#;

fn check(text: &str) -> Result<Policy, ConfigError> {
    Policy::check(ConfigFile::from_text(Path::new("policy.toml"), text))
}

fn refused(from: &str, to: &str) -> ConfigError {
    assert!(GOOD.contains(from), "{from}");
    check(&GOOD.replacen(from, to, 1)).expect_err(to)
}

#[test]
fn a_good_policy_is_read_whole() {
    let policy = check(GOOD).unwrap();
    assert_eq!(policy.products[0].daily_rate_ppm["B"].ppm(), 500);
    assert_eq!(policy.default_dpd["order-loan"], 30);
    assert_eq!(policy.rules[0].kind, RuleKind::Feature { feature: "tenure_days".into(), bound: Bound::AtLeast(180.0) });
    assert_eq!(policy.features().into_iter().collect::<Vec<_>>(), ["gmv_low", "tenure_days"]);
}

#[test]
fn all_that_is_not_of_the_form_is_told_at_once() {
    let text = GOOD.replace("limit_step_minor = 100", "limit_steps_minor = 100\nlimit_step_minor = \"100\"");
    let text = text.replace("max_apr_prob = 0.24", "max_apr_prob = 0.24\nmost_apr = 1");
    let all = Policy::check_telling_all(ConfigFile::from_text(Path::new("policy.toml"), &text)).unwrap_err();
    let lines: Vec<usize> = all.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [3, 4, 17], "{all:?}");
    let good = ConfigFile::from_text(Path::new("policy.toml"), GOOD);
    assert!(Policy::check_telling_all(good).is_ok());
    let one =
        ConfigFile::from_text(Path::new("policy.toml"), &GOOD.replace("offer_valid_days = 30", "offer_valid_days = 0"));
    assert_eq!(Policy::check_telling_all(one).unwrap_err().len(), 1);
    // A key and a word that are not known, and values that are not allowed, in parts of their own.
    let text = GOOD
        .replace("limit_step_minor = 100", "limit_step_minor = 0\nlimit_steps = 1")
        .replace("offer_valid_days = 30", "offer_valid_days = 0")
        .replace("\"equal-instalment\"", "\"bulet\"")
        .replace("at_least = 180", "at_last = 180");
    let all = Policy::check_telling_all(ConfigFile::from_text(Path::new("policy.toml"), &text)).unwrap_err();
    let line_of = |piece: &str| text.lines().position(|line| line.contains(piece)).map(|at| at + 1).unwrap();
    let lines: Vec<usize> = all.iter().map(|fault| fault.line).collect();
    let expected = ["limit_step_minor = 0", "limit_steps", "offer_valid_days = 0", "bulet", "at_last"].map(line_of);
    for line in expected {
        assert!(lines.contains(&line), "{line}: {all:?}");
    }
}

#[test]
fn what_is_not_allowed_is_refused_at_its_line() {
    for (from, to, line, words) in [
        ("hard_cap_minor = 100_000_000", "hard_cap_minor = 10_000_000_001", 5, "out of range"),
        ("offer_valid_days = 30", "offer_valid_days = 0", 6, "out of range"),
        ("limit_step_minor = 100", "limit_step_minor = 0", 3, "out of range"),
        (r#"["A", "B"]"#, r#"["A", "A"]"#, 1, "named twice"),
        (r#"["A", "B"]"#, "[]", 1, "no band"),
        (r#"later = ["group-loan"]"#, r#"later = ["credit-loan"]"#, 7, "on offer and for later"),
        (r#"later = ["group-loan"]"#, r#"later = ["gold-loan"]"#, 7, "not a product"),
        ("order-loan = 30, ", "", 8, "says nothing of \"order-loan\""),
        ("order-loan = 30", "order-loan = 0", 8, "out of range"),
        ("loss_given_default_prob = 0.6", "loss_given_default_prob = 1.6", 10, "not a share"),
        ("loss_given_default_prob = 0.6", "loss_given_default_prob = nan", 10, "not a share"),
        ("max_daily_rate_ppm = 650", "max_daily_rate_ppm = 200", 14, "funding, cost and margin alone"),
        ("max_apr_prob = 0.24", "max_apr_prob = inf", 15, "out of range"),
        ("term_days = 180", "term_days = 181", 19, "181 days do not make"),
        (r#"repayment = "equal-instalment""#, r#"repayment = "bullet""#, 19, "do not make"),
        (r#"repayment = "equal-instalment""#, r#"repayment = "balloon""#, 19, "unknown variant"),
        ("min_limit_minor = 1_000", "min_limit_minor = 100_000_001", 21, "out of range"),
        ("{ A = 400, B = 500 }", "{ A = 400, B = 399 }", 23, "pays less than the safer band"),
        ("{ A = 400, B = 500 }", "{ A = 400, Z = 500 }", 23, "not a band"),
        ("{ A = 400, B = 500 }", "{ A = 651 }", 23, "out of range"),
        ("{ A = 400, B = 500 }", "{}", 23, "serves no band"),
        ("factor_ppm = 2_000_000", "factor_ppm = 0", 24, "out of range"),
        (r#"kind = "feature""#, r#"kind = "feeling""#, 26, "unknown variant"),
        (r#"code = "tenure-short""#, r#"code = "Tenure""#, 27, "reason code"),
        (r#"text = "too young""#, r#"text = " ""#, 28, "blank"),
        ("at_least = 180", "at_least = nan", 30, "out of range"),
        ("at_least = 180", "at_least = 180\nat_most = 200", 25, "exactly one bound"),
        ("at_least = 180", "at_most_dpd = 180", 25, "lacks a key of its kind"),
        ("at_least = 180", "products = [\"order-loan\"]\nat_least = 180", 30, "not on offer"),
        ("at_most_dpd = 0", "at_most_dpd = -1", 35, "out of range"),
        ("[price]", "colour = 1\n[price]", 9, "unknown field"),
    ] {
        let error = refused(from, to);
        assert_eq!(error.line, line, "{to}: {error}");
        assert!(error.message.contains(words), "{to}: {error}");
    }
}

#[test]
fn an_order_loan_is_of_a_week_unless_the_file_says_why_it_is_longer() {
    let start = GOOD.find("[[product]]").unwrap();
    let product = |term: &str| {
        format!(
            "{}[[product]]\nname = \"order-loan\"\n{term}\nrepayment = \"bullet\"\nmin_limit_minor = 1_000\nmax_limit_minor = 10_000\n\
             daily_rate_ppm = {{ A = 400 }}\ncaps = {{ receivables_advance_rate_ppm = 800_000 }}\n{}",
            &GOOD[..start],
            &GOOD[start..]
        )
        .replace("[price]", "[receivables]\nfull_until_days = 14\nexpires_after_days = 44\ndisputes = \"required\"\n[price]")
    };
    let line = product("term_days = 8").lines().position(|line| line == "term_days = 8").unwrap() + 1;
    let refused = check(&product("term_days = 8")).unwrap_err();
    assert!((refused.line, refused.message.contains("an order loan of 8 days")) == (line, true), "{refused}");
    assert!(refused.to_string().contains("term_source"), "{refused}");
    assert!(check(&product("term_days = 7")).is_ok());
    let longer = check(&product("term_days = 14\nterm_source = \"parcels cross a continent\"")).unwrap();
    let told = longer.sourced_figures().pop().unwrap();
    assert_eq!((told.key.as_str(), told.value), ("order-loan.term_days", 14.0));
    assert_eq!(told.source.as_deref(), Some("parcels cross a continent"));
    assert!(check(&product("term_days = 14\nterm_source = \" \"")).is_err(), "a blank is no source");
}

#[test]
fn a_product_needs_a_cap_that_rests_on_evidence() {
    let error = refused(
        "{ ability_share_ppm = 300_000, lowest_month = { feature = \"gmv_low\", factor_ppm = 2_000_000 } }",
        "{}",
    );
    assert!(error.message.contains("no cap rests on evidence"), "{error}");
}

#[test]
fn a_lender_without_a_book_has_no_rules_on_it() {
    let error = refused("loan_book = \"required\"", "loan_book = \"none\"");
    assert!(error.message.contains("reads a loan book"), "{error}");
}

#[test]
fn a_product_stands_once() {
    let start = GOOD.find("[[product]]").unwrap();
    let end = GOOD.find("[[rule]]").unwrap();
    let twice = format!("{}{}", GOOD, &GOOD[start..end]);
    assert!(check(&twice).unwrap_err().message.contains("declared twice"));
}

#[test]
fn the_job_and_the_model_must_fit() {
    let policy = check(GOOD).unwrap();
    assert!(policy.check_features(["gmv_low", "tenure_days", "other"]).is_ok());
    let error = policy.check_features(["gmv_low"]).unwrap_err();
    assert_eq!((error.line, error.message.contains("tenure_days")), (29, true));
    assert!(policy.check_horizon(180).is_ok());
    assert_eq!(policy.check_horizon(90).unwrap_err().line, 11);
    assert!(policy.check_bands(&["A".to_owned(), "B".to_owned()]).is_ok());
    assert_eq!(policy.check_bands(&["B".to_owned(), "A".to_owned()]).unwrap_err().line, 1);
}

#[test]
fn the_largest_loan_is_a_million_of_the_main_unit_in_every_currency() {
    let policy_of =
        |cap: &str| check(&GOOD.replace("hard_cap_minor = 100_000_000", &format!("hard_cap_minor = {cap}")));
    for (currency, most, above) in [
        ("CNY", "100_000_000", "100_000_001"),
        ("KWD", "1_000_000_000", "1_000_000_001"),
        ("CLF", "10_000_000_000", "10_000_000_001"),
    ] {
        let currency = crate::domain::Currency::new(currency).unwrap();
        assert!(policy_of(most).unwrap().check_currency(currency).is_ok());
        let refused = policy_of(above).and_then(|policy| policy.check_currency(currency)).unwrap_err();
        assert_eq!(refused.line, 5, "{refused}");
    }
    // A yen has no smaller part: a hundred million of them is not a million.
    let yen = crate::domain::Currency::new("JPY").unwrap();
    let refused = policy_of("100_000_000").unwrap().check_currency(yen).unwrap_err();
    assert!(refused.help.contains("1,000,000 JPY"), "{refused}");
}

#[test]
fn the_contract_takes_the_largest_loan_of_every_currency() {
    for code in ["JPY", "CNY", "KWD", "CLF"] {
        let largest = HARD_CAP_MAIN * Currency::new(code).unwrap().minor_units();
        for table in [&crate::contract::LOANS, &crate::contract::INSTALMENTS] {
            let (_, most) = table.column("principal_minor").unwrap().bounds().unwrap();
            assert!(largest <= most, "{}: {largest} {code} is out of range", table.name);
        }
    }
}

#[test]
fn all_faults_of_one_product_and_one_rule_are_told_at_once() {
    let told = |changes: &[(&str, &str)]| -> Vec<String> {
        let text = changes.iter().fold(GOOD.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let all = Policy::check_telling_all(ConfigFile::from_text(Path::new("policy.toml"), &text)).unwrap_err();
        all.iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect()
    };
    let of_product = told(&[
        ("term_days = 180", "term_days = 181"),
        ("{ A = 400, B = 500 }", "{ A = 400, B = 399, Y = 1, Z = 2 }"),
        ("ability_share_ppm = 300_000", "integrity_capital_factor_ppm = { A = 1, Q = 1 }"),
        ("order-loan = 30, ", ""),
        ("funding_daily_ppm = 184", "funding_daily_ppm = 640"),
    ]);
    let lines: Vec<&str> = of_product.iter().filter_map(|fault| fault.split(':').next()).collect();
    assert_eq!(lines, ["8", "14", "19", "23", "23", "23", "24", "24"], "{of_product:?}");
    let of_rule = told(&[
        ("loan_book = \"required\"", "loan_book = \"none\""),
        ("code = \"in-arrears\"", "code = \"In arrears\"\nproducts = [\"bank-referral\"]"),
    ]);
    for words in ["reads a loan book", "is not on offer"] {
        assert!(of_rule.iter().any(|fault| fault.contains(words)), "{words}: {of_rule:?}");
    }
    assert_eq!(of_rule.len(), 3, "{of_rule:?}");
    let unread = told(&[("code = \"tenure-short\"", "code = 7"), ("offer_valid_days = 30", "offer_valid_days = 0")]);
    assert_eq!(unread.len(), 2, "a text of another type hides nothing: {unread:?}");
}
