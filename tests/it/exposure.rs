//! Sixty nights of offers, draws and repayments: no order is pledged twice, and no cap is exceeded at any instant.
//!
//! The books here are kept from single events, as a loan service keeps them, and know nothing of [`Account`]: what is owed is the sum of
//! what was paid out less what came back, what can be drawn is what the service would still pay out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::config::ConfigFile;
use integrity::domain::{AsOf, Probability};
use integrity::exposure::{
    Account, Declared, GroupTotal, GroupTotals, LeftGroups, Membership, OpenOffer, Owed, Receivable, Receivables,
    Request, Requests, carry_over,
};
use integrity::model::ability::ReceiptForecast;
use integrity::offer::{CapName, Decision, MerchantCase, Policy, decide};
use integrity::repayment::{BorrowerRecord, CreditRecord, LoanHistory, LoanStanding, Promise};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Two products rest on receivables, three on ability: every pair competes for something.
const POLICY: &str = r#"
bands = ["A"]
loan_book = "required"
limit_step_minor = 100
total_cap_minor = 900_000
hard_cap_minor = 100_000_000
offer_valid_days = 9
default_dpd = { order-loan = 30, credit-loan = 90, group-loan = 90 }
[receivables]
full_until_days = 5
expires_after_days = 15
disputes = "required"
[groups]
cap_minor = 1_500_000
[price]
loss_given_default_prob = 0.6
pd_horizon_days = 180
funding_daily_ppm = 184
cost_daily_ppm = 40
max_daily_rate_ppm = 650
max_apr_prob = 0.4
[[product]]
name = "order-loan"
term_days = 7
repayment = "bullet"
min_limit_minor = 1_000
max_limit_minor = 200_000
daily_rate_ppm = { A = 400 }
caps = { receivables_advance_rate_ppm = 800_000, ability_share_ppm = 300_000 }
[[product]]
name = "group-loan"
term_days = 30
repayment = "bullet"
min_limit_minor = 1_000
max_limit_minor = 300_000
daily_rate_ppm = { A = 400 }
caps = { receivables_advance_rate_ppm = 500_000, ability_share_ppm = 300_000 }
[[product]]
name = "credit-loan"
term_days = 180
repayment = "equal-instalment"
instalments = 6
min_limit_minor = 5_000
max_limit_minor = 500_000
daily_rate_ppm = { A = 400 }
caps = { ability_share_ppm = 300_000, integrity_capital_factor_ppm = 1_000_000 }
"#;

const NIGHTS: i32 = 60;
const MERCHANTS: usize = 12;
const ABILITY_SHARE_PPM: i64 = 300_000;

/// A loan in the service's books.
#[derive(Debug, Clone)]
struct Drawn {
    merchant: usize,
    loan: LoanStanding,
    /// Orders that it really rests on, whether or not the loan names them.
    orders: Vec<String>,
    /// The first night that can see it.
    seen_on: Date,
}

/// An offer as the service holds it.
#[derive(Debug, Clone)]
struct Drawable {
    merchant: usize,
    product: String,
    left: i64,
    until: Date,
    orders: Vec<String>,
    is_current: bool,
}

#[derive(Default)]
struct World {
    orders: Vec<BTreeMap<String, Order>>,
    loans: Vec<Drawn>,
    /// Published offers that have neither lapsed nor been replaced, by id.
    service: BTreeMap<String, Drawable>,
    open: Vec<Vec<OpenOffer>>,
    /// By offer: the one that it replaced while a draw on that was under way. The two stand for the same money.
    same_as: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Order {
    amount: i64,
    placed: Date,
    shipped: Date,
}

fn day(n: i32) -> Date {
    date(2025, 1, 1).checked_add(Span::new().days(n)).unwrap()
}

fn at(date: Date) -> AsOf {
    AsOf::new(date, TimeZone::UTC).unwrap()
}

fn policy() -> Policy {
    Policy::check(ConfigFile::from_text(Path::new("policy.toml"), POLICY)).unwrap()
}

impl World {
    fn loans_of(&self, merchant: usize, night: Date) -> Vec<LoanStanding> {
        let seen = |d: &&Drawn| d.merchant == merchant && d.seen_on <= night;
        self.loans.iter().filter(seen).map(|d| d.loan.clone()).collect()
    }

    fn owed(&self, merchant: usize) -> i64 {
        self.loans.iter().filter(|d| d.merchant == merchant).map(|d| d.loan.outstanding_minor).sum()
    }

    fn drawable(&self, merchant: usize) -> i64 {
        self.service.values().filter(|o| o.merchant == merchant).map(|o| o.left).sum()
    }

    fn root<'a>(&'a self, offer: &'a str) -> &'a str {
        let mut root = offer;
        while let Some(earlier) = self.same_as.get(root) {
            root = earlier;
        }
        root
    }

    /// Orders under open loans and under offers that could still be drawn, each with the offers that it secures.
    fn pledges(&self, merchant: usize) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut pledges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for drawn in self.loans.iter().filter(|d| d.merchant == merchant && !d.loan.is_closed) {
            for order in &drawn.orders {
                pledges.entry(order).or_default().insert(self.root(drawn.loan.offer_id.as_deref().unwrap()));
            }
        }
        for (id, offer) in self.service.iter().filter(|(_, o)| o.merchant == merchant && o.left > 0) {
            for order in &offer.orders {
                pledges.entry(order).or_default().insert(self.root(id));
            }
        }
        pledges
    }

    /// Trade of one day: orders are placed and shipped, buyers confirm or do not.
    fn trade(&mut self, night: i32, rng: &mut ChaCha8Rng) {
        for (merchant, orders) in self.orders.iter_mut().enumerate() {
            for n in 0..rng.random_range(0..4) {
                let order = Order { amount: rng.random_range(1_000..60_000), placed: day(night), shipped: day(night) };
                orders.insert(format!("m{merchant}-d{night}-{n}"), order);
            }
            orders.retain(|_, _| rng.random_range(0..10) > 1);
        }
    }

    /// Loans are repaid in part or in full; an order loan whose buyers confirmed is repaid first, but not always.
    fn repay(&mut self, rng: &mut ChaCha8Rng) {
        for drawn in &mut self.loans {
            let owed = drawn.loan.outstanding_minor;
            if owed > 0 && rng.random_range(0..6) == 0 {
                let paid = if rng.random_bool(0.6) { owed } else { rng.random_range(1..=owed) };
                drawn.loan.outstanding_minor -= paid;
                drawn.loan.is_closed = drawn.loan.outstanding_minor == 0;
            }
        }
    }

    /// Draws a random part of what can be drawn. Draws of the hours between as-of and publication (`is_early`) are seen a night later than
    /// the run that is being made.
    fn draw(&mut self, night: i32, is_early: bool, rng: &mut ChaCha8Rng) {
        let ids: Vec<String> = self.service.keys().cloned().collect();
        for id in ids {
            if rng.random_range(0..5) > 0 {
                continue;
            }
            let Some(offer) = self.service.get_mut(&id).filter(|o| o.left > 0) else { continue };
            // The service pays out on offers of the current run only, but a draw on one that is being withdrawn may be under way.
            if !offer.is_current && !is_early {
                continue;
            }
            let amount = if rng.random_bool(0.4) { offer.left } else { rng.random_range(1..=offer.left) };
            offer.left -= amount;
            let names_orders = rng.random_bool(0.7);
            let (merchant, product, orders) = (offer.merchant, offer.product.clone(), offer.orders.clone());
            self.loans.push(Drawn {
                merchant,
                orders: orders.clone(),
                seen_on: day(night + 1),
                loan: LoanStanding {
                    merchant_id: format!("m{merchant}"),
                    loan_id: format!("l{}", self.loans.len()),
                    product,
                    disbursed_at: at(day(night)).micros() + 3_600_000_000,
                    principal_minor: amount,
                    group_id: None,
                    offer_id: Some(id.clone()),
                    pledged_order_ids: if names_orders { orders } else { Vec::new() },
                    outstanding_minor: amount,
                    arrears_minor: 0,
                    interest_arrears_minor: 0,
                    fee_arrears_minor: 0,
                    daily_rate_ppm: 0,
                    term_days: 0,
                    sales_share_ppm: None,
                    payoff_minor: amount,
                    dpd: 0,
                    worst_dpd: 0,
                    material_dpd: 0,
                    worst_material_dpd: 0,
                    is_in_default: false,
                    is_closed: false,
                    must_be_sent: true,
                    is_written_off: false,
                    is_restructured: false,
                    deductions: 0,
                    deductions_reversed: 0,
                    deducted_minor: 0,
                    coming_due: Vec::new(),
                    payments: 0,
                    received_minor: 0,
                    received: Vec::new(),
                    bounced: Vec::new(),
                    history: LoanHistory::default(),
                    promise: Promise::default(),
                },
            });
        }
    }

    /// Takes over a night's offers: what is replaced can no longer be drawn, what was drawn on it meanwhile uses the new one up.
    fn publish(&mut self, merchant: usize, decision: &Decision, night: Date) {
        for offer in self.service.values_mut().filter(|o| o.merchant == merchant) {
            offer.is_current = false;
        }
        for offer in &decision.offers {
            let mut left = offer.limit_minor;
            if let Some(replaced) = offer.replaces_offer_id.as_ref() {
                for drawn in &self.loans {
                    if drawn.loan.offer_id.as_ref() == Some(replaced) && drawn.seen_on > night {
                        left -= drawn.loan.principal_minor;
                        self.same_as.insert(offer.offer_id.clone(), replaced.clone());
                    }
                }
                self.service.remove(replaced);
            }
            let drawable = Drawable {
                merchant,
                product: offer.product.clone(),
                left: left.max(0),
                until: offer.valid_until_on,
                orders: offer.pledged_order_ids.clone().unwrap_or_default(),
                is_current: true,
            };
            assert!(self.service.insert(offer.offer_id.clone(), drawable).is_none(), "an offer id came twice");
        }
        let same_product: Vec<&Drawable> =
            self.service.values().filter(|o| o.merchant == merchant && o.is_current).collect();
        let products: BTreeSet<&str> = same_product.iter().map(|o| o.product.as_str()).collect();
        assert_eq!(products.len(), same_product.len(), "one current offer a product");
    }
}

fn receivables(orders: &BTreeMap<String, Order>, policy: &Policy, night: &AsOf) -> Receivables {
    let terms = policy.receivables.unwrap();
    let counted = |(id, order): (&String, &Order)| Receivable {
        order_id: id.clone(),
        placed_at: at(order.placed).micros(),
        counted_minor: terms.counted_minor(order.amount, at(order.shipped).micros(), night.micros()),
        same_sale: Vec::new(),
        paid_minor: Some(order.amount),
        shipped_at: Some(at(order.shipped).micros()),
    };
    Receivables::Known(orders.iter().map(counted).filter(|r| r.counted_minor > 0).collect())
}

/// What the evidence says of one merchant tonight.
struct Evidence {
    ability: Option<i64>,
    capital: Option<i64>,
    band: &'static str,
    requests: Requests,
}

fn evidence(rng: &mut ChaCha8Rng) -> Evidence {
    let requests = match rng.random_range(0..10) {
        0 => Requests::Unknown,
        1 | 2 => {
            let product = ["order-loan", "group-loan", "credit-loan"][rng.random_range(0..3)];
            let request = Request {
                product: product.to_owned(),
                requested_minor: rng.random_range(1..400_000),
                order_ids: vec![],
                declared: Declared::default(),
            };
            Requests::Known(vec![request])
        }
        _ => Requests::Known(vec![]),
    };
    Evidence {
        ability: rng.random_bool(0.95).then(|| rng.random_range(0..4_000_000)),
        capital: rng.random_bool(0.95).then(|| rng.random_range(0..2_000_000)),
        band: if rng.random_bool(0.9) { "A" } else { "none" },
        requests,
    }
}

/// Merchants 0 to 2 form a group, 3 to 6 another; the rest are in none.
fn membership(merchant: usize) -> Membership {
    Membership::In(match merchant {
        0..=2 => BTreeSet::from(["g1".to_owned()]),
        3..=6 => BTreeSet::from(["g2".to_owned()]),
        _ => BTreeSet::new(),
    })
}

fn night(world: &mut World, policy: &Policy, number: i32, rng: &mut ChaCha8Rng) {
    let as_of = at(day(number));
    let secured: BTreeSet<String> = ["order-loan", "group-loan"].map(str::to_owned).into();
    let mut accounts = Vec::new();
    let mut evidences = Vec::new();
    for merchant in 0..MERCHANTS {
        let loans = world.loans_of(merchant, as_of.date());
        let mut owed: BTreeMap<String, i64> = BTreeMap::new();
        for loan in &loans {
            *owed.entry(loan.product.clone()).or_default() += loan.outstanding_minor;
        }
        let open = carry_over(&world.open[merchant], &loans, as_of.date());
        let evidence = evidence(rng);
        let receivables = receivables(&world.orders[merchant], policy, &as_of);
        let account =
            Account::empty(&format!("m{merchant}"), Owed::Known(owed), receivables, evidence.requests.clone());
        accounts.push(account.with_book(&loans, open, &secured));
        evidences.push(evidence);
    }
    let mut totals = GroupTotals::default();
    let own: Vec<BTreeMap<String, GroupTotal>> = accounts
        .iter()
        .enumerate()
        .map(|(merchant, account)| {
            let Membership::In(groups) = membership(merchant) else { return BTreeMap::new() };
            let part = GroupTotal {
                members: 1,
                owed_minor: account.owed_minor().unwrap(),
                held_minor: account.held_minor(None),
                ..GroupTotal::default()
            };
            groups.into_iter().map(|group| (group, part.clone())).collect()
        })
        .collect();
    for (group, part) in own.iter().flatten() {
        let total = totals.entry(group);
        total.members += part.members;
        total.owed_minor += part.owed_minor;
        total.held_minor += part.held_minor;
    }
    // Draws that are under way while the run is made.
    world.draw(number, true, rng);
    let features: BTreeMap<String, Option<f64>> = BTreeMap::new();
    // What could be owed before anything new is offered. Evidence that worsened overnight does not call back what is out.
    let before: Vec<i64> = (0..MERCHANTS).map(|m| world.owed(m) + world.drawable(m)).collect();
    for (merchant, account) in accounts.iter_mut().enumerate() {
        account.group = totals.share(&membership(merchant), &LeftGroups::new(), &own[merchant], policy.groups.as_ref());
        let evidence = &evidences[merchant];
        let record = BorrowerRecord::Known(CreditRecord::default());
        let case = MerchantCase {
            merchant_id: &account.merchant_id,
            is_closed: false,
            band: evidence.band,
            pd: Probability::new(0.01).unwrap(),
            score: Some(600),
            scale: None,
            overrides: &[],
            score_reasons: &[],
            features: &features,
            foreseen: &evidence.ability.map(ReceiptForecast::flat).unwrap_or_default(),
            integrity_capital_minor: evidence.capital,
            record: &record,
            account,
            broken_records: None,
            past_trade: None,
            regrowth_minor: None,
            freezes: &[],
            scenarios: &[],
        };
        let decision = decide(policy, &case, &as_of).unwrap();
        world.publish(merchant, &decision, as_of.date());
        let exposed = world.owed(merchant) + world.drawable(merchant);
        if let Some(granted) = decision.offers.last() {
            assert!(
                exposed <= policy.total_cap_minor.max(before[merchant]),
                "night {number}: m{merchant} may owe {exposed}"
            );
            let ability = evidence.ability.unwrap() * ABILITY_SHARE_PPM / 1_000_000;
            assert!(
                exposed <= ability.max(before[merchant]),
                "night {number}: m{merchant} may owe {exposed}, ability carries {ability}"
            );
            assert!(granted.caps.iter().all(|c| c.value_minor.unwrap() >= granted.limit_minor));
        }
        if let Some(credit) = decision.offers.iter().find(|o| o.product == "credit-loan") {
            // A draw under way on the offer that this one replaces was granted under the capital of an earlier night.
            let is_under_way = world.loans.iter().any(|d| d.merchant == merchant && d.seen_on > as_of.date());
            assert!(is_under_way || exposed <= evidence.capital.unwrap().max(before[merchant]));
            let gross = credit.caps.iter().find(|c| c.name == CapName::IntegrityCapital).unwrap().gross_minor;
            assert_eq!(gross, evidence.capital);
        }
        world.open[merchant] = decision.account.into_offers();
    }
}

fn check_instant(world: &World, number: i32) {
    for merchant in 0..MERCHANTS {
        for (order, offers) in world.pledges(merchant) {
            assert_eq!(offers.len(), 1, "night {number}: {order} of m{merchant} secures {offers:?}");
        }
    }
}

/// A group's cap does not change: nothing that is out ever exceeds it.
fn groups_within_cap(world: &World, policy: &Policy) {
    for (group, members) in [("g1", 0..3), ("g2", 3..7)] {
        let exposed: i64 = members.map(|m| world.owed(m) + world.drawable(m)).sum();
        assert!(exposed <= policy.groups.unwrap().cap_minor, "group {group} may owe {exposed}");
    }
}

fn simulate(seed: u64) -> (usize, usize) {
    let policy = policy();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut world =
        World { orders: vec![BTreeMap::new(); MERCHANTS], open: vec![Vec::new(); MERCHANTS], ..World::default() };
    for number in 0..NIGHTS {
        world.trade(number, &mut rng);
        world.service.retain(|_, offer| offer.until >= day(number));
        night(&mut world, &policy, number, &mut rng);
        check_instant(&world, number);
        groups_within_cap(&world, &policy);
        world.draw(number, false, &mut rng);
        check_instant(&world, number);
        groups_within_cap(&world, &policy);
        world.repay(&mut rng);
    }
    (world.loans.len(), world.loans.iter().filter(|d| d.loan.product != "credit-loan").count())
}

#[test]
fn sixty_nights_pledge_no_order_twice_and_exceed_no_cap() {
    for seed in 0..12 {
        let (loans, secured) = simulate(seed);
        assert!(
            loans > 250 && secured > 100,
            "seed {seed}: too little was drawn to prove anything: {loans}, {secured}"
        );
    }
}

#[test]
fn an_offer_holds_until_drawn_lapsed_or_replaced() {
    let offer = OpenOffer {
        offer_id: "x".into(),
        merchant_id: "m".into(),
        product: "credit-loan".into(),
        state: integrity::exposure::OfferState::Open,
        limit_minor: 50_000,
        daily_rate_ppm: Some(450),
        term_days: Some(180),
        sales_share_ppm: None,
        drawn_minor: 0,
        drawn_before_minor: 0,
        held_minor: 50_000,
        offered_on: date(2025, 3, 1),
        valid_until_on: date(2025, 3, 31),
        replaces_offer_id: None,
        pledged_order_ids: vec![],
    };
    let held = |on: Date| carry_over(std::slice::from_ref(&offer), &[], on).iter().map(|o| o.held_minor).sum::<i64>();
    assert_eq!(held(date(2025, 3, 2)), 50_000);
    assert_eq!(held(date(2025, 3, 31)), 50_000, "the last day counts");
    assert_eq!(held(date(2025, 3, 31) + 1.day()), 0);
}
