use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::config::{ConfigError, ConfigFile};
use crate::domain::elementary::exp;
use crate::domain::{AsOf, Probability};
use crate::exposure::{Account, Owed, Receivables, Requests};
use crate::model::ability::ReceiptForecast;
use crate::offer::price::{Price, price};
use crate::offer::{Cap, CapName, CasePlace, Committed, OfferPool, Repayment, at_terms, reproduce};

/// A policy of two products with a grid of limits and rates.
const TEXT: &str = "bands = [\"A\", \"B\"]\nloan_book = \"none\"\nlimit_step_minor = 1_000\ntotal_cap_minor = 100_000_000\n\
        hard_cap_minor = 10_000_000\noffer_valid_days = 30\n\n\
        [default_dpd]\ncredit-loan = 90\n\n\
        [price]\nloss_given_default_prob = 0.5\npd_horizon_days = 90\nfunding_daily_ppm = 150\ncost_daily_ppm = 50\n\
        max_daily_rate_ppm = 700\nmax_apr_prob = 0.24\n\n\
        [optimisation]\naccepted_rate_ppm = 560\naccepted_spread = 0.12\nrate_steps_ppm = [-100, -30, 0, 30, 60]\n\
        limits = [{ share = 0.3, drawn = 0.25 }, { share = 0.6, drawn = 0.4 }, { share = 1.0, drawn = 0.5 }]\n\n\
        [[product]]\nname = \"order-loan\"\nterm_days = 7\nrepayment = \"bullet\"\nmin_limit_minor = 5_000\nmax_limit_minor = 1_000_000\n\
        daily_rate_ppm = { A = 450, B = 520 }\n[product.caps]\nability_share_ppm = 500_000\n\n\
        [[product]]\nname = \"credit-loan\"\nterm_days = 180\nrepayment = \"equal-instalment\"\ninstalments = 6\nmin_limit_minor = 20_000\n\
        max_limit_minor = 5_000_000\ndaily_rate_ppm = { A = 450, B = 520 }\n[product.caps]\nability_share_ppm = 500_000\n";

fn read(text: &str) -> Result<Policy, ConfigError> {
    Policy::check(ConfigFile::from_text(Path::new("policy.toml"), text))
}

fn policy() -> Policy {
    read(TEXT).unwrap()
}

fn as_of() -> AsOf {
    AsOf::new(date(2025, 5, 2), TimeZone::UTC).unwrap()
}

/// An offer of a product as the policy prices it; `None` where it may not.
fn offer(policy: &Policy, product: usize, limit_minor: i64, pd: f64, band: &str) -> Option<Offer> {
    let product = &policy.products[product];
    let Price::Rate(rate, parts) =
        price(policy, product, &ReceiptForecast::default(), band, Probability::new(pd).unwrap()).unwrap()
    else {
        return None;
    };
    let costs = CostOfLoan::of(product, limit_minor, rate, None).unwrap();
    let cap = Cap { name: CapName::Ability, gross_minor: Some(limit_minor), value_minor: Some(limit_minor) };
    (costs.apr <= policy.price.max_apr_prob).then(|| Offer {
        offer_id: "o".to_owned(),
        merchant_id: "m".to_owned(),
        product: product.name.clone(),
        limit_minor,
        daily_rate_ppm: rate.ppm(),
        apr: costs.apr,
        term_days: product.term_days,
        repayment: product.repayment.kind(),
        instalments: product.instalments,
        sales_share_ppm: None,
        min_per_60_days_ppm: None,
        expected_receipts_minor: None,
        expected_days: None,
        most_interest_minor: None,
        interest_minor: costs.interest_minor,
        early_saving_minor: costs.early_saving_minor,
        term_pd_prob: parts.term_pd_prob,
        guarantee_fails_prob: None,
        expected_loss_daily_ppm: parts.expected_loss_ppm,
        funding_daily_ppm: parts.funding_ppm,
        cost_daily_ppm: parts.cost_ppm,
        margin_daily_ppm: parts.margin_ppm,
        floor_daily_ppm: parts.floor_ppm,
        band_daily_ppm: parts.band_ppm,
        valid_until_on: date(2025, 6, 1),
        binding_cap: CapName::Ability,
        caps: vec![cap],
        needed: Vec::new(),
        next_cap: None,
        next_limit_minor: None,
        pledged_order_ids: None,
        replaces_offer_id: None,
        officer_rate_ppm: None,
        optimised_rate_ppm: None,
        overrides: None,
    })
}

/// Share of merchants who would pay a rate, by adding up the density of the normal distribution.
fn taken(rate_ppm: f64) -> f64 {
    let z = ln(rate_ppm / 560.0) / 0.12;
    let steps = 200_000;
    let width = 12.0 / f64::from(steps);
    let density = |x: f64| exp(-0.5 * x * x) / (2.0 * std::f64::consts::PI).sqrt();
    (0..steps).map(|n| z + (f64::from(n) + 0.5) * width).map(|x| density(x) * width).sum()
}

proptest! {
    #[test]
    fn every_choice_is_an_offer_that_may_be_made_and_is_worth_what_its_own_schedule_says(
        product in 0_usize..2, steps in 20_i64..1_000, pd in 0.0_f64..0.12, in_b in any::<bool>(), held in 0_i64..500_000,
    ) {
        let policy = policy();
        let grid = ChoiceGrid::of(&policy).unwrap().unwrap();
        let limit = steps * 1_000;
        let Some(own) = offer(&policy, product, limit, pd, if in_b { "B" } else { "A" }) else { return Ok(()) };
        let candidate = grid.candidate(&policy, &own, held, Place::default()).unwrap();
        let choices = grid.choices(&candidate);
        let account = Account::empty("m", Owed::NoLoanBook, Receivables::Known(Vec::new()), Requests::NotTaken);
        let mut has_own = false;
        for (number, choice) in (1_u8..).zip(&choices) {
            let (limit_minor, rate_ppm) = grid.chosen(&candidate, number).unwrap();
            let made = at_terms(&policy, own.clone(), (limit_minor, rate_ppm), &account, &as_of()).unwrap();
            prop_assert_eq!(reproduce(&made), Ok(()));
            prop_assert!(made.limit_minor <= own.limit_minor && made.limit_minor % 1_000 == 0);
            prop_assert!(made.limit_minor >= policy.products[product].min_limit_minor);
            prop_assert!(made.daily_rate_ppm >= own.floor_daily_ppm && made.daily_rate_ppm <= 700);
            prop_assert!(made.apr <= policy.price.max_apr_prob, "{} at {rate_ppm}", made.apr);
            has_own |= made == own;
            // What is drawn of this part of the limit, on a schedule of its own.
            let hundredths = if limit_minor * 100 > limit * 60 {
                50
            } else if limit_minor * 100 > limit * 30 {
                40
            } else {
                25
            };
            let drawn = (limit * hundredths / 100).min(limit_minor).max(1);
            let costs = CostOfLoan::of(&policy.products[product], drawn, DailyRate::from_ppm(rate_ppm).unwrap(), None).unwrap();
            let each = taken(rate_ppm as f64) * costs.interest_minor as f64 / rate_ppm as f64;
            let spent = (own.expected_loss_daily_ppm + own.funding_daily_ppm + own.cost_daily_ppm) as f64;
            let (profit, loss) = (each * (rate_ppm as f64 - spent), each * own.expected_loss_daily_ppm as f64);
            // Each payment is rounded by half a minor unit, on interest of which the profit is a part.
            let tolerance = 4.0 + 0.001 * each * rate_ppm as f64;
            prop_assert!((choice.profit_minor as f64 - profit).abs() < tolerance, "{} and {profit}", choice.profit_minor);
            prop_assert!((choice.loss_minor as f64 - loss).abs() < tolerance, "{} and {loss}", choice.loss_minor);
            prop_assert_eq!(choice.lent_minor, (limit_minor - held).max(0));
        }
        prop_assert!(has_own, "the offer as it is is one of the choices");
        prop_assert_eq!(grid.chosen(&candidate, 0), None);
        prop_assert_eq!(grid.chosen(&candidate, u8::try_from(choices.len() + 1).unwrap()), None);
    }
}

#[test]
fn a_rate_that_an_officer_set_stays() {
    let policy = policy();
    let grid = ChoiceGrid::of(&policy).unwrap().unwrap();
    let own = offer(&policy, 0, 100_000, 0.01, "A").unwrap();
    let set = Offer { officer_rate_ppm: Some(own.daily_rate_ppm), ..own.clone() };
    let rates = |offer: &Offer| {
        let candidate = grid.candidate(&policy, offer, 0, Place::default()).unwrap();
        let chosen =
            (1..=grid.choices(&candidate).len()).filter_map(|n| grid.chosen(&candidate, u8::try_from(n).unwrap()));
        chosen.map(|(_, rate)| rate).collect::<std::collections::BTreeSet<i64>>()
    };
    assert_eq!(rates(&set), [own.daily_rate_ppm].into());
    assert!(rates(&own).len() > 2);
    assert_eq!(policy.products[1].repayment, Repayment::EqualInstalment);
}

#[test]
fn a_policy_refuses_a_grid_that_says_nothing_or_too_much() {
    for (right, wrong) in [
        ("rate_steps_ppm = [-100, -30, 0, 30, 60]", "rate_steps_ppm = [-100, 30]"),
        ("rate_steps_ppm = [-100, -30, 0, 30, 60]", "rate_steps_ppm = [0, 0]"),
        ("{ share = 1.0, drawn = 0.5 }", "{ share = 0.9, drawn = 0.5 }"),
        ("{ share = 0.3, drawn = 0.25 }", "{ share = 0.3, drawn = 0.35 }"),
        ("accepted_spread = 0.12", "accepted_spread = 0.12\nmax_category_share = 0.2"),
        ("accepted_spread = 0.12", "accepted_spread = 0"),
        ("accepted_spread = 0.12", "accepted_spread = 0.12\nmin_offer_share = 1.2"),
    ] {
        assert!(TEXT.contains(right));
        assert!(read(&TEXT.replace(right, wrong)).is_err(), "{wrong}");
    }
}

/// The limits that three merchants of a category get, each with an open offer that holds the whole of what the caps allow.
fn renewed(text: &str) -> Vec<i64> {
    let policy = read(text).unwrap();
    let grid = ChoiceGrid::of(&policy).unwrap().unwrap();
    let place = CasePlace { category: Some("shoes".to_owned()), region: None };
    let mut committed = Committed::default();
    committed.add(&place, 0, 3 * 500_000);
    let mut pool = OfferPool::beside(committed);
    for (merchant, pd) in [("m1", 0.03), ("m2", 0.02), ("m3", 0.01)] {
        let own = Offer { merchant_id: merchant.to_owned(), ..offer(&policy, 1, 500_000, pd, "A").unwrap() };
        pool.add(&policy, &grid, (&own, 500_000), &place).unwrap();
    }
    let terms = pool.allocate(&policy, &grid).terms;
    terms.into_iter().map(|terms| terms.map_or(0, |(limit_minor, _)| limit_minor)).collect()
}

#[test]
fn open_offers_are_not_renewed_beyond_an_overdrawn_bound_the_least_profitable_first() {
    let budget = |minor: i64, text: &str| format!("portfolio_budget_minor = {minor}\n{text}");
    assert_eq!(renewed(&budget(1_500_000, TEXT)), [500_000, 500_000, 500_000]);
    assert_eq!(renewed(&budget(1_200_000, TEXT)), [150_000, 500_000, 500_000]);
    assert_eq!(renewed(&budget(1_000_000, TEXT)), [0, 500_000, 500_000]);
    assert_eq!(renewed(&budget(400_000, TEXT)), [0, 0, 300_000]);
    let of_category = TEXT.replace("accepted_spread = 0.12", "accepted_spread = 0.12\nmax_category_share = 0.25");
    assert_eq!(renewed(&budget(4_000_000, &of_category)), [0, 500_000, 500_000]);
    assert_eq!(renewed(&budget(40_000_000, &of_category)), [500_000, 500_000, 500_000]);
}
