//! What holds of every decision, over many random merchants under a policy with every cap there is.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::schedule::{Due, schedule};
use super::*;
use crate::config::ConfigFile;
use crate::domain::{AsOf, DailyRate, Probability};
use crate::exposure::{Account, Declared, Owed, OwnerShare, Owners, Receivable, Receivables, Request, Requests, Shops};
use crate::model::ScoreScale;
use crate::model::ability::{HorizonForecast, ReceiptForecast};
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{BorrowerRecord, CleanLoan, CreditRecord, JointRecord, LoanStanding, ReceivedPayment};

pub(super) const POLICY: &str = r#"
bands = ["A", "B", "C"]
loan_book = "required"
limit_step_minor = 1_000
total_cap_minor = 101_000_000
hard_cap_minor = 100_000_000
offer_valid_days = 30
default_dpd = { order-loan = 30, credit-loan = 90, group-loan = 90 }
[receivables]
full_until_days = 14
expires_after_days = 44
disputes = "required"
[price]
loss_given_default_prob = 0.6
pd_horizon_days = 180
term_structure = [{ days = 30, hazard_share = 0.08 }, { days = 180, hazard_share = 1.0 }]
funding_daily_ppm = 184
cost_daily_ppm = 40
margin_daily_ppm = 10
min_daily_rate_ppm = 300
max_daily_rate_ppm = 900
max_apr_prob = 0.36
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
ability_share_ppm = 600_000
debt_service_share_ppm = 500_000
integrity_capital_factor_ppm = { A = 1_500_000, B = 1_000_000 }
lowest_month = { feature = "gmv_low", factor_ppm = 2_000_000 }
declared_debt_service_share_ppm = 700_000
declared_leverage_ppm = 800_000
growth = { first_limit_minor = 3_000_000, factor_ppm = 2_000_000 }
[[rule]]
kind = "feature"
code = "dispute-share-high"
text = "too many disputes"
feature = "dispute_share"
at_most = 0.08
[[rule]]
kind = "declared-sales"
code = "declared-sales-far-off"
text = "declared sales are far above those observed"
feature = "gmv_year"
at_most = 3
"#;

pub(super) fn policy() -> &'static Policy {
    static CHECKED: std::sync::LazyLock<Policy> =
        std::sync::LazyLock::new(|| Policy::check(ConfigFile::from_text(Path::new("policy.toml"), POLICY)).unwrap());
    &CHECKED
}

/// A merchant as figures, each of which more is better unless its name says otherwise.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    band: usize,
    pd: f64,
    pub(super) dispute_share: f64,
    gmv_year: i64,
    gmv_low: i64,
    lower_7: i64,
    lower_180: i64,
    capital: i64,
    receivables: Vec<i64>,
    pub(super) owed: i64,
    clean: i64,
    /// Sales, costs, assets, liabilities, sum asked for.
    application: Option<[i64; 5]>,
    /// The four figures as they were declared before.
    declared_before: Option<[i64; 4]>,
    /// What the owner leaves it, where that has further shops.
    owner: Option<OwnerShare>,
}

impl Shop {
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        let size = crate::domain::elementary::exp(rng.random::<f64>() * 12.0 + 6.0);
        #[expect(clippy::cast_possible_truncation, reason = "amounts of a test")]
        let mut part = |most: f64| (size * most * rng.random::<f64>()) as i64;
        let (gmv_year, gmv_low, lower_7, lower_180) = (part(12.0), part(1.0), part(0.3), part(8.0));
        let (capital, owed, clean) = (part(9.0), part(1.5), part(2.0));
        let receivables = (0..5).map(|_| part(0.2)).collect();
        let application = [part(30.0), part(15.0), part(20.0), part(10.0), part(9.0) + 1];
        let declared_before = [part(30.0), part(15.0), part(20.0), part(10.0)];
        Self {
            band: rng.random_range(0..3),
            pd: rng.random::<f64>() * 0.12,
            dispute_share: rng.random::<f64>() * 0.1,
            gmv_year,
            gmv_low,
            lower_7,
            lower_180,
            capital,
            receivables,
            owed: if rng.random_bool(0.5) { 0 } else { owed },
            clean: if rng.random_bool(0.5) { 0 } else { clean },
            application: rng.random_bool(0.5).then_some(application),
            declared_before: rng.random_bool(0.3).then_some(declared_before),
            owner: None,
        }
    }

    /// The `share` of the trade that goes to one of two ids, or what is left of it for the other.
    fn split(&self, share: f64) -> (Self, Self) {
        #[expect(clippy::cast_possible_truncation, reason = "amounts of a test")]
        let cut = |whole: i64| (whole as f64 * share) as i64;
        let part = |of: &dyn Fn(i64) -> i64| Self {
            gmv_year: of(self.gmv_year),
            gmv_low: of(self.gmv_low),
            lower_7: of(self.lower_7),
            lower_180: of(self.lower_180),
            capital: of(self.capital),
            receivables: self.receivables.iter().map(|r| of(*r)).collect(),
            owed: of(self.owed),
            clean: of(self.clean),
            application: self.application.map(|figures| figures.map(|f| of(f).max(1))),
            declared_before: self.declared_before.map(|figures| figures.map(of)),
            ..self.clone()
        };
        (part(&cut), part(&|whole| whole - cut(whole)))
    }

    /// The trade of the shop under `ids` of one owner, who splits it at random.
    fn split_among(&self, ids: usize, rng: &mut ChaCha8Rng) -> Vec<Self> {
        let mut shops = vec![self.clone()];
        while shops.len() < ids {
            let (one, other) = shops.swap_remove(rng.random_range(0..shops.len())).split(rng.random::<f64>());
            shops.extend([one, other]);
        }
        let own: Vec<Shops> = shops.iter().map(Self::as_shops).collect();
        let mut record = JointRecord::default();
        for shop in &own {
            record.merge(&shop.record);
        }
        let all = Shops {
            number: u32::try_from(ids).unwrap(),
            receipts_minor: own.iter().map(|shop| shop.receipts_minor).sum(),
            owed_minor: own.iter().map(|shop| shop.owed_minor).sum(),
            record,
            ..Shops::default()
        };
        for (shop, own) in shops.iter_mut().zip(own) {
            shop.owner = Some(OwnerShare { owner_id: "x".to_owned(), all: all.clone(), own, drawn_minor: 0 });
        }
        shops
    }

    fn as_shops(&self) -> Shops {
        let days = 90 * crate::domain::MICROS_PER_DAY;
        let clean = LoanStanding {
            principal_minor: self.clean,
            term_days: 180,
            is_closed: true,
            received: vec![ReceivedPayment(days, self.clean, String::new())],
            ..overdue_loan("credit-loan", 0)
        };
        Shops {
            number: 1,
            receipts_minor: self.gmv_year,
            owed_minor: self.owed,
            record: JointRecord::over(&[clean]),
            ..Shops::default()
        }
    }

    fn decide(&self) -> Decision {
        let score = (600, ["A", "B", "C"][self.band], Probability::new(self.pd).unwrap());
        let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
        self.with_case(score, None, |case| decide(policy(), case, &as_of).unwrap())
    }

    /// What is made of the case of the shop, whose score, band and probability of default are given.
    pub(super) fn with_case<R>(
        &self,
        (score, band, pd): (i32, &str, Probability),
        scale: Option<&ScoreScale>,
        make: impl FnOnce(&MerchantCase<'_>) -> R,
    ) -> R {
        let features: BTreeMap<String, Option<f64>> = [
            ("dispute_share", self.dispute_share),
            ("gmv_year", self.gmv_year as f64),
            ("gmv_low", self.gmv_low as f64),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Some(value)))
        .collect();
        let ahead = |horizon_days, lower_minor| HorizonForecast {
            horizon_days,
            lower_minor,
            median_minor: lower_minor,
            upper_minor: lower_minor,
        };
        let foreseen = ReceiptForecast { horizons: vec![ahead(7, self.lower_7), ahead(180, self.lower_180)] };
        let receivable = |(n, counted_minor): (usize, &i64)| Receivable {
            order_id: format!("o{n}"),
            placed_at: 0,
            counted_minor: *counted_minor,
            same_sale: Vec::new(),
            paid_minor: None,
            shipped_at: None,
        };
        let declared = |[sales, costs, assets, liabilities]: [i64; 4]| Declared {
            gross_sales_12m_minor: Some(sales),
            operating_costs_12m_minor: Some(costs),
            gross_assets_minor: Some(assets),
            gross_liabilities_minor: Some(liabilities),
        };
        let request = self.application.map(|[sales, costs, assets, liabilities, requested_minor]| Request {
            product: "credit-loan".to_owned(),
            requested_minor,
            order_ids: Vec::new(),
            declared: declared([sales, costs, assets, liabilities]),
        });
        let mut account = Account::empty(
            "m",
            Owed::Known(BTreeMap::from([("credit-loan".to_owned(), self.owed)])),
            Receivables::Known(self.receivables.iter().enumerate().map(receivable).collect()),
            Requests::Known(request.into_iter().collect()),
        );
        account.declarations.extend(self.declared_before.map(declared));
        let owners =
            |share: &OwnerShare| Owners { owner_id: Some(share.owner_id.clone()), shared: vec![share.clone()] };
        account.owners = self.owner.as_ref().map(owners);
        let record = BorrowerRecord::Known(CreditRecord {
            outstanding_minor: self.owed,
            clean_loans: vec![CleanLoan { principal_minor: self.clean, for_half_its_term: true, days_owed: 90 }],
            ..CreditRecord::default()
        });
        let case = MerchantCase {
            merchant_id: "m",
            is_closed: false,
            band,
            pd,
            score: Some(score),
            scale,
            score_reasons: &[],
            features: &features,
            foreseen: &foreseen,
            integrity_capital_minor: Some(self.capital),
            record: &record,
            account: &account,
            broken_records: None,
            past_trade: None,
            regrowth_minor: None,
            overrides: &[],
            freezes: &[],
            scenarios: &[],
        };
        make(&case)
    }
}

fn total(decision: &Decision) -> i64 {
    decision.offers.iter().map(|o| o.limit_minor).sum()
}

/// The same shop with one figure worse.
fn worse(shop: &Shop, how: usize, rng: &mut ChaCha8Rng) -> Shop {
    let mut worse = shop.clone();
    let by = rng.random::<f64>();
    #[expect(clippy::cast_possible_truncation, reason = "amounts of a test")]
    let less = |value: &mut i64| *value -= (*value as f64 * by) as i64;
    match how {
        0 => worse.band = (shop.band + 1).min(2),
        1 => worse.pd = (shop.pd + by * 0.1).min(1.0),
        2 => worse.dispute_share += by * 0.1,
        3 => less(&mut worse.gmv_low),
        4 => less(&mut worse.lower_180),
        5 => less(&mut worse.lower_7),
        6 => less(&mut worse.capital),
        7 => worse.receivables.iter_mut().for_each(less),
        8 => worse.owed = shop.owed.saturating_add(1_000 + shop.gmv_low),
        9 => less(&mut worse.clean),
        10 => less(&mut worse.gmv_year),
        // Something was declared before, too.
        14 => {
            worse.declared_before =
                shop.declared_before.or(Some([shop.gmv_year, shop.gmv_low, shop.capital, shop.owed]));
        }
        15 => {
            worse.declared_before =
                shop.declared_before.map(|[sales, costs, has, owes]| [sales / 2, costs, has, owes + 1]);
        }
        _ => {
            if let Some(figures) = &mut worse.application {
                match how {
                    11 => figures[1] += figures[1] / 2 + 1,
                    12 => less(&mut figures[2]),
                    _ => figures[3] += figures[3] / 2 + 1,
                }
            }
        }
    }
    worse
}

/// Whether evidence binds every product. The lender's own bounds, a first limit among them, stand for each owner: whoever trades under two ids of
/// whom nobody knows that they belong together has them twice.
fn evidence_binds(decision: &Decision) -> bool {
    let caps = decision.offers.iter().map(|o| &o.caps).chain(decision.declines.iter().map(|d| &d.caps));
    let least = |caps: &Vec<Cap>| caps.iter().filter_map(|cap| Some((cap.value_minor?, cap.name))).min();
    let binds = |(_, name): (i64, CapName)| name.is_evidence() && name != CapName::Growth;
    caps.into_iter().all(|caps| least(caps).is_none_or(binds))
}

fn check(shops: u64, seed: u64) -> [u64; 4] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut offers, mut lowered, mut split, mut declared) = (0, 0, 0, 0);
    for number in 0..shops {
        let shop = Shop::random(&mut rng);
        let decision = shop.decide();
        for offer in &decision.offers {
            offers += 1;
            declared += u64::from(offer.caps.iter().any(|c| c.name == CapName::DeclaredLeverage));
            assert!(offer.limit_minor > 0, "{offer:?}");
            assert!(offer.caps.iter().all(|c| c.value_minor.is_some_and(|v| v >= offer.limit_minor)), "{offer:?}");
            assert_eq!(reproduce(offer), Ok(()), "{offer:?}");
        }
        for how in 0..16 {
            let after = worse(&shop, how, &mut rng).decide();
            // What one product loses another may gain, but no more: beyond it at most what was too small for a loan of its own.
            assert!(total(&after) < total(&decision) + 5_000, "{how}: {shop:?}");
            lowered += u64::from(total(&after) < total(&decision));
        }
        if evidence_binds(&decision) {
            let (one, other) = shop.split(rng.random::<f64>());
            let parts = total(&one.decide()) + total(&other.decide());
            // Declines leave what both products were too small for.
            assert!(
                parts < total(&decision) + 6_000 || decision.offers.is_empty() && parts < 12_000,
                "{number}: {parts} of {shop:?}"
            );
            split += u64::from(parts > 0);
        }
    }
    [offers, lowered, split, declared]
}

#[test]
fn no_offer_leaves_its_bounds_and_nothing_worse_or_split_is_lent_more() {
    let [offers, lowered, split, declared] = check(1_500, 1);
    assert!(offers > 300 && lowered > 500 && split > 50 && declared > 20, "{offers} {lowered} {split} {declared}");
}

/// Shops of one owner, whatever binds: together they are offered no more than one shop with the trade of all, and stay within what the lender sets
/// by itself. Limits are those of the policy, written out here.
fn check_owners(shops: u64, seed: u64) -> u64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut bound = 0;
    for number in 0..shops {
        let shop = Shop::random(&mut rng);
        let whole = shop.decide();
        for ids in [2, 3] {
            let split = shop.split_among(ids, &mut rng);
            let clean = split.iter().map(|part| part.clean).max().unwrap_or(0);
            let decisions: Vec<Decision> = split.iter().map(Shop::decide).collect();
            let parts: i64 = decisions.iter().map(total).sum();
            // Each declines what is too small for a product of its own, and another may take it.
            let too_small = 6_000 * i64::try_from(ids).unwrap();
            assert!(parts < total(&whole) + too_small, "{number}: {parts} of {} {shop:?}", total(&whole));
            let of = |product: &str| -> i64 {
                let offers = decisions.iter().flat_map(|decision| &decision.offers);
                offers.filter(|offer| offer.product == product).map(|offer| offer.limit_minor).sum()
            };
            let owed: i64 = split.iter().map(|part| part.owed).sum();
            assert!(parts == 0 || parts + owed <= 101_000_000);
            assert!(of("order-loan") <= 1_000_000 && of("credit-loan") <= 100_000_000);
            assert!(of("credit-loan") == 0 || of("credit-loan") + owed <= 3_000_000.max(2 * clean), "{shop:?}");
            let offers = decisions.iter().flat_map(|decision| &decision.offers);
            bound += offers.filter(|offer| offer.binding_cap == CapName::Owner).count() as u64;
        }
    }
    bound
}

#[test]
fn shops_of_one_owner_are_together_lent_no_more_than_one_with_the_trade_of_all() {
    let bound = check_owners(3_000, 3);
    assert!(bound > 200, "{bound}");
}

/// Two products, the shorter with a bound on what falls due within its term: a loan of the longer one beside what is owed on the shorter stays within it.
#[test]
fn a_longer_product_leaves_a_shorter_one_its_debt_service() {
    let text = POLICY
        .replace(
            "receivables_advance_rate_ppm = 800_000 }",
            "receivables_advance_rate_ppm = 800_000, debt_service_share_ppm = 300_000 }",
        )
        .replace(
            "term_days = 180\nrepayment = \"equal-instalment\"\ninstalments = 6",
            "term_days = 14\nrepayment = \"equal-instalment\"\ninstalments = 2",
        );
    let policy = Policy::check(ConfigFile::from_text(Path::new("policy.toml"), &text)).unwrap();
    let [order, credit] = policy.products.as_slice() else { panic!("two products") };
    let rate = DailyRate::from_ppm(policy.price.max_daily_rate_ppm).unwrap();
    let due = |product: &Product, lent: i64| -> i64 {
        let dues = schedule(&product.terms(lent, rate)).unwrap();
        dues.iter().filter(|due| due.day <= order.term_days).map(Due::amount_minor).sum()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut bound, mut lent) = (0, 0);
    for _ in 0..6_000 {
        let shop = Shop::random(&mut rng);
        shop.with_case((600, "A", Probability::new(0.01).unwrap()), None, |case| {
            let serviced = |account: &Account| {
                let caps = caps_of(&policy, credit, case, account).unwrap();
                caps.iter().find(|cap| cap.name == CapName::DebtService).and_then(|cap| cap.value_minor).unwrap()
            };
            let mut account = case.account.clone();
            account.owed = Owed::Known(BTreeMap::from([("order-loan".to_owned(), shop.owed)]));
            let value = serviced(&account);
            if shop.owed == 0 || value == 0 {
                return;
            }
            lent += 1;
            bound += u64::from(value < serviced(case.account));
            let means = i128::from(shop.lower_7) * 300_000 / 1_000_000;
            assert!(i128::from(due(credit, value) + due(order, shop.owed)) <= means + 4, "{value}: {shop:?}");
        });
    }
    assert!(lent > 50 && bound > 20, "{lent} {bound}");
}

#[test]
#[ignore = "ten million merchants: cargo test --release --lib ten_million -- --ignored"]
fn ten_million_merchants() {
    use rayon::prelude::*;
    let of_seed = |seed: u64| (check(10_000, 1_000 + seed)[0], check_owners(10_000, 2_000 + seed));
    let sum = |(a, b): (u64, u64), (c, d): (u64, u64)| (a + c, b + d);
    let (offers, bound) = (0..1_000_u64).into_par_iter().map(of_seed).reduce(|| (0, 0), sum);
    assert!(offers > 1_000_000 && bound > 500_000, "{offers} {bound}");
}
