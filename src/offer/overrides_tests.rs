use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::super::property_tests::{POLICY, Shop};
use super::super::{Offer, Overrides, decide, reproduce};
use super::*;
use crate::config::{ConfigError, ConfigFile};
use crate::domain::{AsOf, Probability, Reason, ReasonCode};
use crate::offer::caps_of;
use crate::repayment::{BorrowerRecord, UnknownLoan};

const TERMS: &str = r#"
[overrides]
longest_days = 90
[[overrides.officer]]
name = "Li Wei"
may = ["decline", "lower-limit", "raise-limit", "waive-rule", "rate"]
raise_to_minor = 50_000_000
rate_down_ppm = 60
rate_up_ppm = 40
rules = ["dispute-share-high"]
[[overrides.officer]]
name = "Ana"
may = ["decline"]
"#;

fn policy() -> &'static Policy {
    static CHECKED: std::sync::LazyLock<Policy> = std::sync::LazyLock::new(|| with_terms(TERMS).unwrap());
    &CHECKED
}

fn with_terms(terms: &str) -> Result<Policy, ConfigError> {
    // A table's keys end where the next table begins: products and rules come last.
    let (before, after) = POLICY.split_once("[receivables]").unwrap();
    Policy::check(ConfigFile::from_text(Path::new("policy.toml"), &format!("{before}{terms}[receivables]{after}")))
}

const ON: Date = date(2018, 8, 1);

fn decided(change: OverrideKind, value: i64) -> Override {
    Override {
        merchant_id: "m".to_owned(),
        product: None,
        change,
        limit_minor: matches!(change, OverrideKind::LowerLimit | OverrideKind::RaiseLimit).then_some(value),
        rule: (change == OverrideKind::WaiveRule).then(|| "dispute-share-high".to_owned()),
        daily_rate_ppm: (change == OverrideKind::Rate).then_some(value),
        from_on: ON,
        until_on: ON,
        reason: "seen on site".to_owned(),
        by: "Li Wei".to_owned(),
    }
}

fn decide_with(shop: &Shop, score: (i32, &str, Probability), overrides: &[Override]) -> Decision {
    let as_of = AsOf::new(ON, TimeZone::UTC).unwrap();
    shop.with_case(score, None, |case| decide(policy(), &MerchantCase { overrides, ..case.clone() }, &as_of).unwrap())
}

fn of<'a>(decision: &'a Decision, product: &str) -> Option<&'a Offer> {
    decision.offers.iter().find(|offer| offer.product == product)
}

const KINDS: [OverrideKind; 5] = [
    OverrideKind::Decline,
    OverrideKind::LowerLimit,
    OverrideKind::RaiseLimit,
    OverrideKind::WaiveRule,
    OverrideKind::Rate,
];

/// Whatever an officer decides, an offer stays within every bound that is none of the merchant's means, and above the floor.
#[test]
fn no_officer_lifts_what_the_law_debts_orders_and_the_largest_loan_allow() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let (mut raised, mut waived, mut priced, mut lowered) = (0, 0, 0, 0);
    for _ in 0..4_000 {
        let shop = Shop::random(&mut rng);
        let band = ["A", "B", "C"][rng.random_range(0..3)];
        let score = (600, band, Probability::new(rng.random::<f64>() * 0.12).unwrap());
        let mut overrides: Vec<Override> = Vec::new();
        for kind in KINDS {
            let most = match kind {
                OverrideKind::Rate => 1_200,
                OverrideKind::LowerLimit => 500_000,
                _ => 60_000_000,
            };
            let value = rng.random_range(0..most);
            if rng.random_bool(if kind == OverrideKind::Decline { 0.1 } else { 0.4 }) {
                overrides.push(decided(kind, value));
            }
        }
        let (with, without) = (decide_with(&shop, score, &overrides), decide_with(&shop, score, &[]));
        let allowed =
            |kind| overrides.iter().find(|o| o.change == kind && policy().overrides.as_ref().unwrap().allow(o).is_ok());
        let most_raised = allowed(OverrideKind::RaiseLimit).and_then(|raise| raise.limit_minor).unwrap_or(0);
        for product in &policy().products {
            let Some(offer) = of(&with, &product.name) else { continue };
            assert_eq!(reproduce(offer), Ok(()), "{offer:?}");
            assert!(offer.limit_minor <= policy().hard_cap_minor && offer.limit_minor <= product.max_limit_minor);
            assert!(
                offer.daily_rate_ppm >= offer.floor_daily_ppm
                    && offer.daily_rate_ppm <= policy().price.max_daily_rate_ppm
            );
            assert!(offer.apr <= policy().price.max_apr_prob);
            if let Some(set) = allowed(OverrideKind::Rate).and_then(|rate| rate.daily_rate_ppm) {
                let band_ppm = product.daily_rate_ppm[band].ppm();
                let nearest = set.max(band_ppm - 60).min(band_ppm + 40).min(policy().price.max_daily_rate_ppm);
                assert_eq!(offer.daily_rate_ppm, nearest.max(offer.floor_daily_ppm), "{offer:?}");
            }
            assert!(product.daily_rate_ppm.contains_key(band) && allowed(OverrideKind::Decline).is_none());
            // The caps as they are without any officer: evidence may be lifted, up to what was decided; nothing else is.
            let plain = shop.with_case(score, None, |case| caps_of(policy(), product, case, case.account).unwrap());
            for cap in plain {
                let value = cap.value_minor.unwrap();
                let bound = if cap.name.is_judged() { value.max(most_raised) } else { value };
                assert!(offer.limit_minor <= bound, "{cap:?} {offer:?} {overrides:?}");
            }
            if let Some(lower) = allowed(OverrideKind::LowerLimit) {
                assert!(Some(offer.limit_minor + shop.owed) <= lower.limit_minor, "net of what is owed: {offer:?}");
            }
            let before = of(&without, &product.name);
            raised += u64::from(before.is_some_and(|before| before.limit_minor < offer.limit_minor));
            lowered += u64::from(before.is_some_and(|before| before.limit_minor > offer.limit_minor));
            waived += u64::from(before.is_none() && shop.dispute_share > 0.08);
            priced += u64::from(before.is_some_and(|before| before.daily_rate_ppm != offer.daily_rate_ppm));
            assert_eq!(
                offer.overrides.is_some(),
                overrides.iter().any(|o| policy().overrides.as_ref().unwrap().allow(o).is_ok())
            );
        }
    }
    assert!(raised > 50 && waived > 50 && priced > 50 && lowered > 50, "{raised} {waived} {priced} {lowered}");
}

#[test]
fn frozen_defaulted_unknown_and_closed_merchants_stay_declined() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let as_of = AsOf::new(ON, TimeZone::UTC).unwrap();
    let overrides = [
        decided(OverrideKind::RaiseLimit, 40_000_000),
        decided(OverrideKind::WaiveRule, 0),
        decided(OverrideKind::Rate, 500),
    ];
    let frozen = [Reason { code: ReasonCode::new("trade-drop").unwrap(), text: "trade has dropped".to_owned() }];
    let unknown = BorrowerRecord::Unknown(vec![UnknownLoan {
        merchant_id: "m".to_owned(),
        loan_id: None,
        product: None,
        principal_minor: None,
        group_id: None,
        causes: crate::repayment::Causes::default(),
    }]);
    let mut offered = 0;
    for _ in 0..200 {
        let shop = Shop::random(&mut rng);
        shop.with_case((600, "A", Probability::new(0.01).unwrap()), None, |case| {
            let case = MerchantCase { overrides: &overrides, ..case.clone() };
            offered += decide(policy(), &case, &as_of).unwrap().offers.len();
            let refused = [
                MerchantCase { freezes: &frozen, ..case.clone() },
                MerchantCase { record: &unknown, ..case.clone() },
                MerchantCase { is_closed: true, ..case.clone() },
                MerchantCase { band: "C", ..case.clone() },
            ];
            for case in refused {
                assert!(decide(policy(), &case, &as_of).unwrap().offers.is_empty());
            }
            // A cap whose evidence is missing is no evidence of means, whatever an officer thinks of them.
            let blind = MerchantCase { integrity_capital_minor: None, ..case };
            assert!(of(&decide(policy(), &blind, &as_of).unwrap(), "credit-loan").is_none());
        });
    }
    assert!(offered > 100, "{offered}");
}

#[test]
fn a_decision_counts_on_its_days_and_products_and_by_its_officer_alone() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let score = (600, "A", Probability::new(0.01).unwrap());
    let shop = std::iter::repeat_with(|| Shop::random(&mut rng))
        .find(|shop| decide_with(shop, score, &[]).offers.len() == 2)
        .unwrap();
    let declines = |overrides: &[Override]| decide_with(&shop, score, overrides).declines.len();
    let decline = decided(OverrideKind::Decline, 0);
    assert_eq!(declines(std::slice::from_ref(&decline)), 2);
    assert_eq!(declines(&[Override { product: Some("credit-loan".to_owned()), ..decline.clone() }]), 1);
    let [before, after] = [date(2018, 7, 31), date(2018, 8, 2)];
    for not_then in [
        Override { from_on: after, until_on: after, ..decline.clone() },
        Override { from_on: before, until_on: before, ..decline.clone() },
        Override { by: "nobody".to_owned(), ..decline.clone() },
        Override { until_on: date(2019, 8, 1), ..decline.clone() },
    ] {
        assert_eq!(declines(&[not_then]), 0);
    }
    let reasons = decide_with(&shop, score, std::slice::from_ref(&decline)).declines.remove(0).reasons;
    assert_eq!((reasons[0].code.as_str(), reasons[0].text.as_str()), ("officer-decision", "seen on site"));

    let with = decide_with(&shop, score, std::slice::from_ref(&decline));
    let without = decide_with(&shop, score, &[]);
    let effects = override_effects(policy(), &[decline], ON, (&with, &without));
    assert_eq!(effects.len(), 2);
    assert!(
        effects
            .iter()
            .all(|effect| effect.limit_minor.is_none() && effect.limit_without_minor.is_some() && effect.is_allowed)
    );
}

#[test]
fn a_rate_that_would_cost_more_than_the_law_allows_is_set_at_the_most_that_is_lawful() {
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let (before, after) = POLICY.split_once("[receivables]").unwrap();
    let terms = TERMS.replace("rate_up_ppm = 40", "rate_up_ppm = 400");
    let text = format!("{before}{terms}[receivables]{after}").replace("max_apr_prob = 0.36", "max_apr_prob = 0.24");
    let policy = Policy::check(ConfigFile::from_text(Path::new("policy.toml"), &text)).unwrap();
    let as_of = AsOf::new(ON, TimeZone::UTC).unwrap();
    let overrides = [decided(OverrideKind::Rate, 850)];
    let mut held_back = 0;
    for _ in 0..200 {
        let shop = Shop::random(&mut rng);
        shop.with_case((600, "A", Probability::new(0.01).unwrap()), None, |case| {
            let without = decide(&policy, case, &as_of).unwrap();
            let with = decide(&policy, &MerchantCase { overrides: &overrides, ..case.clone() }, &as_of).unwrap();
            assert_eq!(with.offers.len(), without.offers.len(), "an officer's rate takes no offer away");
            for (offer, without) in with.offers.iter().zip(&without.offers) {
                assert_eq!(reproduce(offer), Ok(()));
                assert!(offer.apr <= 0.24 && offer.daily_rate_ppm >= without.daily_rate_ppm, "{offer:?}");
                assert_eq!(offer.officer_rate_ppm, Some(offer.daily_rate_ppm));
                held_back += usize::from(offer.daily_rate_ppm < 850);
            }
        });
    }
    assert!(held_back > 50, "{held_back}");
}

#[test]
fn an_officers_limit_counts_what_a_member_answers_for_as_every_cap_does() {
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let (before, after) = POLICY.split_once("[receivables]").unwrap();
    let groups =
        "[groups]\ncap_minor = 900_000_000\n[groups.dependence]\nasset_correlation = 0.0\nguarantors_needed = 1\n";
    let policy = Policy::check(ConfigFile::from_text(
        Path::new("policy.toml"),
        &format!("{before}{TERMS}{groups}[receivables]{after}"),
    ));
    let policy = policy.unwrap();
    let member = |group_loans_minor| crate::exposure::Member { pd_ppm: Some(10_000), group_loans_minor };
    let group = crate::exposure::GroupShare {
        allowance_minor: Some(900_000_000),
        liability_minor: 60_000,
        has_default: false,
        fewest_members: Some(7),
        others: vec![[10_000; 6].map(member).to_vec()],
    };
    let answers_for = liability_minor(&policy, &group);
    assert!(answers_for > 0 && answers_for < 60_000, "{answers_for}");
    let overrides = [decided(OverrideKind::LowerLimit, 90_000)];
    let shop = Shop::random(&mut rng);
    shop.with_case((600, "A", Probability::new(0.01).unwrap()), None, |case| {
        let mut account = case.account.clone();
        account.group = Some(group.clone());
        let case = MerchantCase { overrides: &overrides, account: &account, ..case.clone() };
        let product = policy.products.iter().find(|product| product.name == "credit-loan").unwrap();
        let caps =
            OverridesInForce::of(&policy, &case, &product.name, ON).caps(&policy, product, &case, &account).unwrap();
        let officer = caps.iter().find(|cap| cap.name == CapName::Officer).unwrap();
        let committed = account.committed_minor(Some(&product.name)).unwrap();
        assert_eq!(officer.value_minor, Some((90_000 - committed - answers_for).max(0)));
    });
}

fn file(text: &str) -> Result<Overrides, ConfigError> {
    let overrides = Overrides::check(ConfigFile::from_text(Path::new("overrides.toml"), text))?;
    overrides.check_policy(policy())?;
    Ok(overrides)
}

fn entry(change: &str) -> String {
    format!(
        "[[override]]\nmerchant_id = \"m\"\nfrom = \"2018-08-01\"\nuntil = \"2018-08-31\"\nreason = \"seen\"\nby = \"Li Wei\"\n{change}\n"
    )
}

#[test]
fn the_file_is_refused_where_the_policy_does_not_allow_it_with_the_line() {
    let good = file(&entry("change = \"raise-limit\"\nlimit_minor = 50_000_000")).unwrap();
    assert_eq!((good.of("m").len(), good.of("x").len(), good.in_force(ON).len()), (1, 0, 1));
    assert!(good.in_force(date(2018, 9, 1)).is_empty());
    for (bad, word) in [
        ("change = \"raise-limit\"\nlimit_minor = 50_000_001", "raise a limit so far"),
        ("change = \"raise-limit\"", "lacks its value"),
        ("change = \"decline\"\nlimit_minor = 5", "lacks its value"),
        ("change = \"waive-rule\"\nrule = \"declared-sales-far-off\"", "may not waive"),
        ("change = \"waive-rule\"\nrule = \"in-default\"", "may not waive"),
        ("change = \"decline\"\nproduct = \"group-loan\"", "not on offer"),
    ] {
        let refused = file(&entry(bad)).unwrap_err();
        assert!(refused.message.contains(word) && refused.line > 0, "{bad}: {refused}");
    }
    let other = entry("change = \"rate\"\ndaily_rate_ppm = 300").replace("Li Wei", "Ana");
    assert!(file(&other).unwrap_err().message.contains("may not decide"));
    assert!(
        file(&entry("change = \"decline\"").replace("Li Wei", "nobody")).unwrap_err().message.contains("no officer")
    );
    assert!(
        file(&entry("change = \"decline\"").replace("08-31", "12-31")).unwrap_err().message.contains("in force for")
    );
    let twice = entry("change = \"decline\"") + &entry("change = \"decline\"\nproduct = \"credit-loan\"");
    assert!(file(&twice).unwrap_err().message.contains("at once"));
    for (terms, word) in [
        (TERMS.replace("raise_to_minor = 50_000_000\n", ""), "does not say how far"),
        (TERMS.replace("50_000_000", "100_000_001"), "raise_to_minor"),
        (TERMS.replace("may = [\"decline\"]", "may = [\"decline\"]\nrate_up_ppm = 5"), "may not decide \"rate\""),
        (TERMS.replace("dispute-share-high", "in-default"), "none of this policy's"),
        (TERMS.replace("\"Ana\"", "\"Li Wei\""), "declared twice"),
    ] {
        let refused = with_terms(&terms).unwrap_err();
        assert!(refused.message.contains(word), "{refused}");
    }
}
