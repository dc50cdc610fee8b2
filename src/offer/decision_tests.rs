use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::config::ConfigFile;
use crate::domain::{Probability, ReasonCode};
use crate::exposure::{Declared, GroupShare, Owed, Receivable, Receivables, Request, Requests};
use crate::model::ability::ReceiptForecast;
use crate::offer::case::MerchantCase;
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{BorrowerRecord, Causes, CreditRecord, LoanStanding, UnknownLoan};

const POLICY: &str = r#"
bands = ["A", "B", "C"]
loan_book = "required"
limit_step_minor = 1_000
total_cap_minor = 101_000_000
hard_cap_minor = 100_000_000
offer_valid_days = 30
later = ["group-loan"]
default_dpd = { order-loan = 30, credit-loan = 90, group-loan = 90 }
[receivables]
full_until_days = 14
expires_after_days = 44
disputes = "required"
[price]
loss_given_default_prob = 0.6
pd_horizon_days = 180
funding_daily_ppm = 184
cost_daily_ppm = 40
max_daily_rate_ppm = 650
max_apr_prob = 0.24
[[product]]
name = "order-loan"
term_days = 7
repayment = "bullet"
min_limit_minor = 1_000
max_limit_minor = 1_000_000
daily_rate_ppm = { A = 400, B = 450 }
caps = { receivables_advance_rate_ppm = 800_000 }
[[product]]
name = "credit-loan"
term_days = 180
repayment = "equal-instalment"
instalments = 6
min_limit_minor = 5_000
max_limit_minor = 100_000_000
daily_rate_ppm = { A = 400, B = 500 }
[product.caps]
ability_share_ppm = 300_000
integrity_capital_factor_ppm = 1_000_000
lowest_month = { feature = "gmv_low", factor_ppm = 2_000_000 }
[[rule]]
kind = "arrears"
code = "loan-in-arrears"
text = "a loan is past due now"
at_most_dpd = 0
[[rule]]
kind = "worst-dpd"
code = "past-loan-late"
text = "an earlier loan was repaid late"
at_most_dpd = 60
[[rule]]
kind = "feature"
code = "tenure-short"
text = "the shop is too young"
feature = "tenure_days"
at_least = 180
[[rule]]
kind = "feature"
code = "dispute-share-high"
text = "too many disputes"
feature = "dispute_share"
at_most = 0.08
"#;

fn policy() -> &'static Policy {
    static CHECKED: std::sync::LazyLock<Policy> =
        std::sync::LazyLock::new(|| Policy::check(ConfigFile::from_text(Path::new("policy.toml"), POLICY)).unwrap());
    &CHECKED
}

fn as_of() -> AsOf {
    AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap()
}

/// A case that owns what a [`MerchantCase`] borrows.
#[derive(Debug, Clone)]
struct Owned {
    is_closed: bool,
    band: &'static str,
    pd: f64,
    score_reasons: Vec<Reason>,
    features: BTreeMap<String, Option<f64>>,
    ability: Option<i64>,
    capital: Option<i64>,
    group: Option<i64>,
    credit: Option<CreditRecord>,
    unknown_loans: Vec<UnknownLoan>,
    held: Vec<OpenOffer>,
    freezes: Vec<Reason>,
    receivables: Vec<(String, i64)>,
    pledged: Vec<String>,
    applications: Vec<(&'static str, i64, Vec<String>)>,
}

fn good() -> Owned {
    let features = [("tenure_days", 400.0), ("dispute_share", 0.01), ("gmv_low", 700_000.0)];
    Owned {
        is_closed: false,
        band: "A",
        pd: 0.01,
        score_reasons: vec![Reason { code: ReasonCode::new("ship-late").unwrap(), text: "ships late".into() }],
        features: features.iter().map(|&(n, v)| (n.to_owned(), Some(v))).collect(),
        ability: Some(3_000_000),
        capital: Some(5_000_000),
        group: None,
        credit: Some(CreditRecord::default()),
        unknown_loans: vec![],
        held: vec![],
        freezes: vec![],
        receivables: vec![("o1".into(), 100_000), ("o2".into(), 300_000), ("o3".into(), 50_000)],
        pledged: vec![],
        applications: vec![],
    }
}

fn record(owned: &Owned) -> BorrowerRecord {
    match &owned.credit {
        _ if !owned.unknown_loans.is_empty() => BorrowerRecord::Unknown(owned.unknown_loans.clone()),
        Some(record) => BorrowerRecord::Known(record.clone()),
        None => BorrowerRecord::NoBook,
    }
}

fn account(owned: &Owned) -> Account {
    let owed = match record(owned) {
        BorrowerRecord::Known(record) => {
            Owed::Known(BTreeMap::from([("credit-loan".into(), record.outstanding_minor)]))
        }
        BorrowerRecord::Unknown(_) | BorrowerRecord::NoBook => Owed::Unknown,
    };
    let receivable = |(o, a): &(String, i64)| Receivable {
        order_id: o.clone(),
        placed_at: 0,
        counted_minor: *a,
        same_sale: Vec::new(),
        paid_minor: None,
        shipped_at: None,
    };
    let request = |(product, requested_minor, order_ids): &(&str, i64, Vec<String>)| Request {
        product: (*product).to_owned(),
        requested_minor: *requested_minor,
        order_ids: order_ids.clone(),
        declared: Declared::default(),
    };
    let mut account = Account::empty(
        "m1",
        owed,
        Receivables::Known(owned.receivables.iter().map(receivable).collect()),
        Requests::Known(owned.applications.iter().map(request).collect()),
    );
    // Orders pledged elsewhere: by an open loan of another product.
    let loan = LoanStanding {
        principal_minor: 1,
        pledged_order_ids: owned.pledged.clone(),
        outstanding_minor: 0,
        ..overdue_loan("group-loan", 0)
    };
    account = account.with_book(&[loan], owned.held.clone(), &BTreeSet::from(["order-loan".to_owned()]));
    account.group = owned.group.map(|a| GroupShare {
        allowance_minor: Some(a),
        liability_minor: 0,
        has_default: false,
        fewest_members: Some(3),
        others: Vec::new(),
    });
    account
}

fn run(owned: &Owned) -> Result<Decision, OfferError> {
    decide_on(owned, &account(owned))
}

fn decide_on(owned: &Owned, account: &Account) -> Result<Decision, OfferError> {
    decide_under(policy(), owned, account)
}

fn decide_under(policy: &Policy, owned: &Owned, account: &Account) -> Result<Decision, OfferError> {
    let record = record(owned);
    let case = MerchantCase {
        merchant_id: "m1",
        is_closed: owned.is_closed,
        band: owned.band,
        pd: Probability::new(owned.pd).unwrap(),
        score: Some(600),
        scale: None,
        score_reasons: &owned.score_reasons,
        features: &owned.features,
        foreseen: &owned.ability.map(ReceiptForecast::flat).unwrap_or_default(),
        integrity_capital_minor: owned.capital,
        record: &record,
        account,
        broken_records: None,
        past_trade: None,
        regrowth_minor: None,
        overrides: &[],
        freezes: &owned.freezes,
        scenarios: &[],
    };
    decide(policy, &case, &as_of())
}

fn offer<'a>(decision: &'a Decision, product: &str) -> Option<&'a Offer> {
    decision.offers.iter().find(|o| o.product == product)
}

fn codes(decision: &Decision, product: &str) -> Vec<String> {
    let decline = decision.declines.iter().find(|d| d.product == product).expect("a decline");
    decline.reasons.iter().map(|r| r.code.to_string()).collect()
}

#[test]
fn a_good_merchant_gets_both_products_with_every_cap_in_the_file() {
    let decision = run(&good()).unwrap();
    assert!(decision.declines.is_empty() && decision.referral.is_none());
    let credit = offer(&decision, "credit-loan").unwrap();
    assert_eq!((credit.limit_minor, credit.binding_cap), (540_000, CapName::Ability));
    let caps: Vec<(String, Option<i64>, Option<i64>)> =
        credit.caps.iter().map(|c| (c.name.to_string(), c.gross_minor, c.value_minor)).collect();
    // Each net of the 360,000 that the order loan before it may draw.
    assert_eq!(
        caps.iter().map(|(name, gross, value)| (name.as_str(), *gross, *value)).collect::<Vec<_>>(),
        [
            ("ability", Some(900_000), Some(540_000)),
            ("integrity-capital", Some(5_000_000), Some(4_640_000)),
            ("lowest-month", Some(1_400_000), Some(1_040_000)),
            ("exposure-left", Some(101_000_000), Some(100_640_000)),
            ("product", Some(100_000_000), Some(100_000_000)),
            ("hard-cap", Some(100_000_000), Some(100_000_000)),
        ]
    );
    assert_eq!(credit.daily_rate_ppm, 400);
    assert!((credit.apr - 0.146).abs() < 0.001_25);
    assert_eq!(credit.valid_until_on, date(2018, 8, 31));
    let order = offer(&decision, "order-loan").unwrap();
    assert_eq!((order.limit_minor, order.binding_cap), (360_000, CapName::OrderReceivables));
    assert_eq!(order.pledged_order_ids, Some(vec!["o1".to_owned(), "o2".to_owned(), "o3".to_owned()]));
    assert_eq!(run(&good()).unwrap(), decision, "the same case, the same ids");
}

#[test]
fn an_order_is_pledged_once_and_only_as_many_as_the_limit_needs() {
    let some = Owned { pledged: vec!["o2".into()], ..good() };
    let order = run(&some).unwrap();
    let order = offer(&order, "order-loan").unwrap();
    assert_eq!(
        (order.limit_minor, order.pledged_order_ids.clone()),
        (120_000, Some(vec!["o1".to_owned(), "o3".to_owned()]))
    );
    let asked = Owned { applications: vec![("order-loan", 100_000, vec!["o2".into(), "unknown".into()])], ..good() };
    let order = run(&asked).unwrap();
    let order = offer(&order, "order-loan").unwrap();
    assert_eq!((order.limit_minor, order.binding_cap), (100_000, CapName::Requested));
    assert_eq!(order.pledged_order_ids, Some(vec!["o2".to_owned()]));
}

#[test]
fn unknown_is_never_good() {
    let no_ability = run(&Owned { ability: None, ..good() }).unwrap();
    assert_eq!(codes(&no_ability, "credit-loan"), ["ability-unknown"]);
    assert!(offer(&no_ability, "order-loan").is_some(), "which asks for no ability");
    let nothing = run(&Owned { ability: None, capital: None, ..good() }).unwrap();
    assert_eq!(codes(&nothing, "credit-loan"), ["ability-unknown", "integrity-capital-unknown"]);
    let no_record = run(&Owned { credit: None, ..good() }).unwrap();
    assert_eq!(codes(&no_record, "order-loan"), ["credit-record-unknown"]);
    let mut no_share = good();
    no_share.features.insert("dispute_share".into(), None);
    assert_eq!(codes(&run(&no_share).unwrap(), "credit-loan"), ["history-too-short"]);
    no_share.features.remove("dispute_share");
    assert_eq!(codes(&run(&no_share).unwrap(), "order-loan"), ["history-too-short"]);
    no_share.features.insert("dispute_share".into(), Some(f64::NAN));
    assert!(matches!(run(&no_share), Err(OfferError::NotFinite { .. })));
}

#[test]
fn a_merchant_is_told_what_is_not_known_in_words_and_each_code_once() {
    let mut young = good();
    young.features.insert("tenure_days".into(), None);
    young.features.insert("dispute_share".into(), None);
    let job = crate::run::Job::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo/job.toml")).unwrap();
    let features = crate::features::FeatureConfig::from_files(&job.files.features.files).unwrap();
    let worded = policy().clone().with_words_of(&features);
    let decision = decide_under(&worded, &young, &account(&young)).unwrap();
    let decline = decision.declines.iter().find(|d| d.product == "credit-loan").unwrap();
    let texts: Vec<&str> = decline.reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert_eq!(texts, ["too little history to judge time on the platform"]);
    let asked: Vec<&str> = decline.failed.iter().map(|verdict| verdict.rule.as_str()).collect();
    assert_eq!(asked, ["tenure_days", "dispute_share"], "what else is not known stands in the verdicts");
}

#[test]
fn reasons_are_true_and_at_most_four() {
    let mut bad = good();
    bad.is_closed = true;
    bad.band = "C";
    bad.credit = Some(CreditRecord {
        dpd: 95,
        worst_dpd: 95,
        is_in_default: true,
        is_written_off: true,
        ..CreditRecord::default()
    });
    bad.features.insert("tenure_days".into(), Some(3.0));
    let decision = run(&bad).unwrap();
    assert_eq!(
        codes(&decision, "credit-loan"),
        ["shop-closed", "loan-in-default", "loan-written-off", "loan-in-arrears"]
    );
    let failed = &decision.declines[0].failed;
    assert_eq!(failed.len(), 7, "every failed rule is on record: {failed:?}");
    let band = Owned { band: "C", ..good() };
    assert_eq!(codes(&run(&band).unwrap(), "credit-loan"), ["ship-late"], "the score's own reasons, not the score");
    let silent = Owned { band: "Z", score_reasons: vec![], ..good() };
    assert_eq!(codes(&run(&silent).unwrap(), "credit-loan"), ["risk-band-not-served"]);
    let small = Owned { ability: Some(10_000), ..good() };
    assert_eq!(codes(&run(&small).unwrap(), "credit-loan"), ["ability-low"]);
}

#[test]
fn an_alert_that_freezes_stops_new_credit() {
    let freeze = Reason { code: ReasonCode::new("trade-drop").unwrap(), text: "trade has collapsed".into() };
    let frozen = run(&Owned { freezes: vec![freeze], ..good() }).unwrap();
    assert!(frozen.offers.is_empty());
    assert_eq!(codes(&frozen, "order-loan"), ["trade-drop"]);
}

#[test]
fn a_risk_that_no_lawful_price_covers_is_declined() {
    // A hazard of −ln(0.9) ÷ 180 a day; over a period of 30 days (e^(30 × hazard) − 1) ÷ 30 × 0.6 = 354.3 ppm a day, with 224 of cost: above the
    // band's rate, within the law (Python 3: (math.exp(30 * h) - 1) / 30 * 0.6 with h = -math.log(0.9) / 180).
    let dear = run(&Owned { pd: 0.1, ..good() }).unwrap();
    let offered = offer(&dear, "credit-loan").unwrap();
    assert_eq!((offered.daily_rate_ppm, offered.expected_loss_daily_ppm), (579, 355));
    assert!((offered.term_pd_prob - 0.1).abs() < 1e-12);
    let priced_out = run(&Owned { pd: 0.13, ..good() }).unwrap();
    assert_eq!(codes(&priced_out, "credit-loan"), ["price-above-law", "ship-late"]);
    assert_eq!(priced_out.declines[0].failed[0].rule, "daily-rate-floor");
}

#[test]
fn means_above_the_largest_loan_go_to_a_bank() {
    let mut rich = good();
    rich.ability = Some(1_000_000_000);
    rich.capital = Some(400_000_000);
    rich.features.insert("gmv_low".into(), Some(200_000_000.0));
    let decision = run(&rich).unwrap();
    let credit = offer(&decision, "credit-loan").unwrap();
    assert_eq!((credit.limit_minor, credit.binding_cap), (100_000_000, CapName::Product));
    let referral = decision.referral.unwrap();
    assert_eq!((referral.supportable_minor, referral.product.as_str()), (300_000_000 - 360_000, "credit-loan"));
    let modest = run(&Owned { applications: vec![("credit-loan", 200_000, vec![])], ..rich.clone() }).unwrap();
    assert!(modest.referral.is_none());
    let closed = run(&Owned { is_closed: true, ..rich }).unwrap();
    assert!(closed.referral.is_none(), "nobody is referred whom we would not lend to");
}

#[test]
fn what_is_owed_leaves_less_room() {
    let owing = |outstanding_minor| Owned {
        credit: Some(CreditRecord { loans: 1, outstanding_minor, ..CreditRecord::default() }),
        ..good()
    };
    // Ability carries 900,000: 200,000 are owed, the order loan takes 360,000.
    let decision = run(&owing(200_000)).unwrap();
    assert_eq!(offer(&decision, "order-loan").unwrap().limit_minor, 360_000);
    assert_eq!(offer(&decision, "credit-loan").unwrap().limit_minor, 340_000);
    assert_eq!(codes(&run(&owing(900_000)).unwrap(), "credit-loan"), ["ability-low"]);
    let rich = Owned { ability: Some(i64::MAX), capital: Some(i64::MAX), ..owing(100_900_000) };
    assert_eq!(offer(&run(&rich).unwrap(), "order-loan").unwrap().limit_minor, 100_000, "the total cap binds");
    assert_eq!(codes(&run(&owing(101_000_000)).unwrap(), "order-loan"), ["exposure-used-up"]);
}

#[test]
fn an_open_offer_holds_its_part_until_it_is_replaced() {
    let held = |product: &str, minor: i64, orders: &[&str]| OpenOffer {
        offer_id: format!("earlier-{product}"),
        merchant_id: "m1".into(),
        product: product.into(),
        state: OfferState::Open,
        limit_minor: minor,
        daily_rate_ppm: Some(450),
        term_days: Some(7),
        sales_share_ppm: None,
        drawn_minor: 0,
        drawn_before_minor: 0,
        held_minor: minor,
        offered_on: date(2018, 7, 20),
        valid_until_on: date(2018, 8, 19),
        replaces_offer_id: None,
        pledged_order_ids: orders.iter().map(|&o| o.to_owned()).collect(),
    };
    let same = Owned { held: vec![held("order-loan", 240_000, &["o2"])], ..good() };
    let decision = run(&same).unwrap();
    let order = offer(&decision, "order-loan").unwrap();
    assert_eq!((order.limit_minor, order.replaces_offer_id.as_deref()), (360_000, Some("earlier-order-loan")));
    let states: Vec<(OfferState, i64)> = decision.account.offers().iter().map(|o| (o.state, o.held_minor)).collect();
    assert_eq!(states, [(OfferState::Replaced, 0), (OfferState::Open, 360_000), (OfferState::Open, 540_000)]);

    let other = Owned { held: vec![held("group-loan", 600_000, &["o2"])], ..good() };
    let decision = run(&other).unwrap();
    let order = offer(&decision, "order-loan").unwrap();
    assert_eq!(
        (order.limit_minor, order.pledged_order_ids.clone()),
        (120_000, Some(vec!["o1".to_owned(), "o3".to_owned()]))
    );
    assert_eq!(offer(&decision, "credit-loan").unwrap().limit_minor, 900_000 - 600_000 - 120_000);

    let frozen = Owned { band: "C", held: vec![held("credit-loan", 700_000, &[])], ..good() };
    let decision = run(&frozen).unwrap();
    let states: Vec<(OfferState, i64)> = decision.account.offers().iter().map(|o| (o.state, o.held_minor)).collect();
    assert_eq!(
        states,
        [(OfferState::Withdrawn, 700_000)],
        "a decline withdraws, and holds what a late draw may still take"
    );
}

#[test]
fn a_loan_that_does_not_reconcile_stops_every_offer() {
    let loan = UnknownLoan {
        merchant_id: "m1".into(),
        loan_id: Some("l9".into()),
        product: None,
        principal_minor: None,
        group_id: None,
        causes: Causes::default(),
    };
    let decision = run(&Owned { unknown_loans: vec![loan], ..good() }).unwrap();
    assert!(decision.offers.is_empty());
    for product in ["order-loan", "credit-loan"] {
        assert_eq!(codes(&decision, product), ["loan-record-unknown"]);
    }
}

#[test]
fn nobody_borrows_while_a_member_of_the_group_is_in_default() {
    let mut account = account(&good());
    account.group = Some(GroupShare {
        allowance_minor: Some(500_000),
        liability_minor: 300_000,
        has_default: true,
        fewest_members: Some(3),
        others: Vec::new(),
    });
    assert_eq!(codes(&decide_on(&good(), &account).unwrap(), "credit-loan"), ["group-member-in-default"]);
    account.group = Some(GroupShare {
        allowance_minor: Some(500_000),
        liability_minor: 300_000,
        has_default: false,
        fewest_members: Some(3),
        others: Vec::new(),
    });
    let decision = decide_on(&good(), &account).unwrap();
    assert_eq!(offer(&decision, "order-loan").unwrap().limit_minor, 360_000);
    // Of 500,000 for the group 140,000 are left; ability carries 900,000 less 300,000 answered for less 360,000.
    let credit = offer(&decision, "credit-loan").unwrap();
    assert_eq!((credit.limit_minor, credit.binding_cap), (140_000, CapName::Group));
}

#[test]
fn ties_bind_in_a_fixed_order() {
    let cap = |name, value| Cap { name, gross_minor: Some(value), value_minor: Some(value) };
    let caps = [cap(CapName::HardCap, 5_000), cap(CapName::LowestMonth, 5_000), cap(CapName::Ability, 5_001)];
    assert_eq!(least_of(&caps, 1_000), Limit::Known { limit_minor: 5_000, binding: CapName::LowestMonth });
    assert_eq!(least_of(&[], 1_000), Limit::Unknown(CapName::Ability));
}

prop_compose! {
    fn cases()(
        is_closed in prop::bool::weighted(0.05),
        band in prop::sample::select(vec!["A", "A", "B", "C", "Z"]),
        pd in 0.0_f64..0.2,
        tenure in prop::option::weighted(0.95, 0.0_f64..900.0),
        dispute in prop::option::weighted(0.95, 0.0_f64..0.12),
        month in prop::option::weighted(0.95, -10_000.0_f64..90_000_000.0),
        ability in prop::option::weighted(0.95, -5_000_i64..900_000_000),
        capital in prop::option::weighted(0.95, -5_000_i64..900_000_000),
        group in prop::option::weighted(0.2, -5_000_i64..9_000_000),
        debt in prop::option::weighted(0.95, (0_i64..150_000_000, prop::bool::weighted(0.7))),
        late in (0_i64..80, prop::bool::weighted(0.8)),
        receivables in prop::collection::btree_map("o[0-9]{1,2}", 0_i64..900_000, 0..12),
        pledged in prop::collection::vec("o[0-9]{1,2}", 0..4),
        requested in prop::option::weighted(0.3, 1_i64..300_000_000),
        named in prop::collection::vec("o[0-9]{1,2}", 0..4),
    ) -> Owned {
        let features = [("tenure_days", tenure), ("dispute_share", dispute), ("gmv_low", month)];
        let dpd = if late.1 { 0 } else { late.0 };
        Owned {
            is_closed,
            band,
            pd,
            features: features.iter().map(|&(n, v)| (n.to_owned(), v)).collect(),
            ability,
            capital,
            group,
            credit: debt.map(|(owed, none)| CreditRecord {
                outstanding_minor: if none { 0 } else { owed },
                dpd,
                worst_dpd: late.0.max(dpd),
                ..CreditRecord::default()
            }),
            receivables: receivables.into_iter().collect(),
            pledged,
            applications: requested
                .map(|r| vec![("credit-loan", r, vec![]), ("order-loan", r, named)])
                .unwrap_or_default(),
            ..good()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn exactly_one_answer_a_product_within_every_bound(case in cases()) {
        let policy = policy();
        let decision = run(&case).unwrap();
        for product in &policy.products {
            let offers = decision.offers.iter().filter(|o| o.product == product.name).count();
            let declines = decision.declines.iter().filter(|d| d.product == product.name).count();
            prop_assert_eq!(offers + declines, 1);
        }
        for decline in &decision.declines {
            prop_assert!((1..=4).contains(&decline.reasons.len()));
        }
        for offer in &decision.offers {
            prop_assert!(offer.limit_minor > 0 && offer.limit_minor % policy.limit_step_minor == 0);
            prop_assert!(offer.caps.iter().all(|c| c.value_minor.is_some_and(|v| v >= offer.limit_minor)));
            let binding = offer.caps.iter().find(|c| c.name == offer.binding_cap).and_then(|c| c.value_minor).unwrap();
            prop_assert!(offer.caps.iter().all(|c| c.value_minor.is_some_and(|v| v >= binding)));
            // Expected loss + funding + cost, as the policy's text has them. With a daily hazard `h` a period of `d` days costs
            // `(e^(h d) − 1) ÷ d` of what is lost at default, a day: more than `h`, less than `h e^(h d)`.
            let hazard = -crate::domain::elementary::ln_1p(-case.pd) / 180.0;
            let floor = 1e6 * hazard * 0.6 + 184.0 + 40.0;
            let most = 1e6 * hazard * crate::domain::elementary::exp(30.0 * hazard) * 0.6 + 184.0 + 40.0;
            let of_band = policy.products.iter().find(|p| p.name == offer.product).unwrap().daily_rate_ppm[case.band].ppm();
            prop_assert!(offer.daily_rate_ppm as f64 >= floor && (of_band..=650).contains(&offer.daily_rate_ppm));
            prop_assert!(offer.daily_rate_ppm == of_band || offer.daily_rate_ppm as f64 <= most + 1.0);
        }
        let drawn: i64 = decision.offers.iter().map(|o| o.limit_minor).sum();
        let owed = case.credit.map_or(0, |c| c.outstanding_minor);
        prop_assert!(drawn == 0 || drawn + owed <= policy.total_cap_minor);
    }

    #[test]
    fn pledges_carry_the_limit_and_are_free(case in cases()) {
        let decision = run(&case).unwrap();
        for offer in &decision.offers {
            let mut sum = 0;
            let orders = offer.pledged_order_ids.as_deref().unwrap_or_default();
            for order in orders {
                let known = case.receivables.iter().find(|(o, _)| o == order);
                prop_assert!(known.is_some() && !case.pledged.contains(order));
                sum += known.map_or(0, |k| k.1);
            }
            let distinct: BTreeSet<&String> = orders.iter().collect();
            prop_assert_eq!(distinct.len(), orders.len());
            if offer.product == "order-loan" {
                prop_assert!(sum * 8 / 10 >= offer.limit_minor);
            } else {
                prop_assert!(offer.pledged_order_ids.is_none());
            }
        }
    }

    #[test]
    fn input_order_changes_nothing(case in cases()) {
        let mut turned = case.clone();
        turned.receivables.reverse();
        turned.pledged.reverse();
        let (turned, straight) = (run(&turned).unwrap(), run(&case).unwrap());
        prop_assert_eq!((turned.offers, turned.declines), (straight.offers, straight.declines));
    }

    #[test]
    fn a_limit_grows_with_each_cap(values in prop::collection::vec(0_i64..1_000_000, 1..6), which in 0_usize..6, more in 0_i64..1_000_000) {
        let names = [CapName::Ability, CapName::IntegrityCapital, CapName::LowestMonth, CapName::Requested, CapName::Product, CapName::HardCap];
        let caps = |values: &[i64]| -> Vec<Cap> {
            values.iter().zip(names).map(|(&v, name)| Cap { name, gross_minor: Some(v), value_minor: Some(v) }).collect()
        };
        let limit = |values: &[i64]| match least_of(&caps(values), 1_000) {
            Limit::Known { limit_minor, .. } => limit_minor,
            Limit::Unknown(_) => -1,
        };
        let mut raised = values.clone();
        let which = which % values.len();
        raised[which] += more;
        prop_assert!(limit(&raised) >= limit(&values));
        prop_assert!(limit(&values) <= *values.iter().min().unwrap());
        let mut unknown = caps(&values);
        unknown[which].value_minor = None;
        prop_assert_eq!(least_of(&unknown, 1_000), Limit::Unknown(names[which]));
    }

    #[test]
    fn worse_evidence_never_raises_what_is_offered_in_all(case in cases(), how in 0_usize..12) {
        let before = run(&case).unwrap();
        let mut worse = case.clone();
        let lower = |v: &mut Option<f64>, by: f64| *v = v.map(|v| v - by);
        match how {
            0 => worse.is_closed = true,
            1 => worse.band = match case.band { "A" => "B", _ => "C" },
            2 => worse.pd = (case.pd + 0.02).min(1.0),
            3 => lower(worse.features.get_mut("tenure_days").unwrap(), 100.0),
            4 => lower(worse.features.get_mut("dispute_share").unwrap(), -0.03),
            5 => lower(worse.features.get_mut("gmv_low").unwrap(), 50_000.0),
            6 => worse.ability = case.ability.map(|a| a - 50_000),
            7 => worse.capital = None,
            8 => worse.credit = case.credit.clone().map(|c| CreditRecord { dpd: c.dpd + 1, worst_dpd: c.worst_dpd.max(c.dpd + 1), ..c }),
            9 => worse.credit = case.credit.clone().map(|c| CreditRecord { outstanding_minor: c.outstanding_minor + 5_000_000, ..c }),
            10 => { worse.receivables.pop(); }
            _ => worse.credit = None,
        }
        let after = run(&worse).unwrap();
        // What one product loses another may gain, but no more: beyond it at most what was too small for a loan of its own.
        let sum = |decision: &Decision| decision.offers.iter().map(|o| o.limit_minor).sum::<i64>();
        prop_assert!(sum(&after) < sum(&before) + 5_000, "{:?}", after.offers);
        for offer in &after.offers {
            let known = before.offers.iter().find(|o| o.product == offer.product);
            prop_assert!(known.is_none_or(|o| o.daily_rate_ppm <= offer.daily_rate_ppm));
        }
    }
}
