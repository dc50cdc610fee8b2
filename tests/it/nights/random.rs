//! Many nights of random draws and repayments through whole runs: no order is pledged twice, and no cap is exceeded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::answer::{Answer, Draw, Outcome};
use integrity::exposure::OpenOffer;
use integrity::monitor::{BorrowerState, CreditState, StateChange};
use integrity::offer::CapName;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::books::{check_night, owed, rows};
use super::by_day::{answer, application};
use super::pledges::GROUP_LOAN;
use super::{FIRST_NIGHT, Lender, Marketplace, Named, Offer, at, grouped_marketplace, offers_of, shipped_orders};

/// An offer as the loan service keeps it.
struct Drawable {
    offer: Offer,
    left_minor: i64,
}

/// What the loan service lets merchants draw: the offers of the current run, less what was drawn on them.
#[derive(Default)]
struct Service {
    current: BTreeMap<String, Drawable>,
    /// Who drew how much on which offer since midnight, which the night of that midnight cannot have seen.
    drawn_since_midnight: BTreeMap<String, (String, i64)>,
    /// The last offer of the day by merchant, of those given by day.
    given_by_day: BTreeMap<String, integrity::offer::Offer>,
}

impl Service {
    /// A new run is current. What was drawn on an offer that it replaces, and it cannot have seen, counts as drawn on the new one.
    fn publish(&mut self, offers: Vec<Offer>, replaced: &BTreeMap<String, String>) {
        self.current.clear();
        for offer in offers {
            let under_way = replaced
                .get(&offer.offer_id)
                .and_then(|before| self.drawn_since_midnight.get(before))
                .map_or(0, |(_, drawn)| *drawn);
            // Orders secure one loan: where the replaced offer was drawn, they are taken.
            let left_minor = if under_way > 0 && !offer.pledged_order_ids.is_empty() {
                0
            } else {
                (offer.limit_minor - under_way).max(0)
            };
            self.current.insert(offer.offer_id.clone(), Drawable { offer, left_minor });
        }
    }

    /// What was drawn since midnight, as it tells whoever answers applications.
    fn draws(&self) -> Vec<Draw> {
        let of = |(offer_id, (merchant_id, drawn_minor)): (&String, &(String, i64))| Draw {
            merchant_id: merchant_id.clone(),
            offer_id: offer_id.clone(),
            drawn_minor: *drawn_minor,
            line: 0,
        };
        self.drawn_since_midnight.iter().map(of).collect()
    }

    /// An application was answered by day: what stood of the product no longer does.
    fn answered(&mut self, answer: Answer, product: &str) {
        match answer.outcome {
            Outcome::Standing | Outcome::Refused => return,
            Outcome::Offer | Outcome::Decline => {}
        }
        let merchant = answer.merchant_id.unwrap();
        self.current.retain(|_, drawable| drawable.offer.merchant_id != merchant || drawable.offer.product != product);
        if let Some(given) = answer.offer {
            let offer = Offer::of(&given);
            let left_minor = offer.limit_minor;
            self.current.insert(offer.offer_id.clone(), Drawable { offer, left_minor });
            self.given_by_day.insert(merchant, given);
        }
    }

    fn draw(&mut self, market: &mut Marketplace, random: &mut ChaCha8Rng, likely: f64, now: Timestamp) -> usize {
        let mut draws = 0;
        for (id, drawable) in &mut self.current {
            if drawable.left_minor < 1_000 || !random.random_bool(likely) {
                continue;
            }
            let all = random.random_bool(0.3);
            let amount = if all { drawable.left_minor } else { random.random_range(1_000..=drawable.left_minor) };
            let named = match random.random_range(0..6) {
                0 => Named::Nothing,
                1 | 2 => Named::Offer,
                _ => Named::Orders,
            };
            market.draw_naming(named, &drawable.offer, amount, now);
            draws += 1;
            drawable.left_minor =
                if drawable.offer.pledged_order_ids.is_empty() { drawable.left_minor - amount } else { 0 };
            let merchant = drawable.offer.merchant_id.clone();
            self.drawn_since_midnight.entry(id.clone()).or_insert((merchant, 0)).1 += amount;
        }
        draws
    }
}

fn repay_at_random(market: &mut Marketplace, random: &mut ChaCha8Rng, now: Timestamp) {
    let open: Vec<(String, i64)> =
        market.open_loans(now).map(|(id, loan)| (id.clone(), loan.owed_minor(now))).collect();
    for (loan, owed) in open {
        if random.random_bool(0.3) {
            // A rest that early closing would forgive is not left over.
            let all = owed < 10_000 || random.random_bool(0.5);
            let amount = if all { owed } else { random.random_range(1..=owed / 2) };
            market.repay(&loan, amount, now);
        }
    }
}

/// All that is owed and may still be drawn stays within each cap of an offer.
fn check_caps(offer: &integrity::offer::Offer, all: i64, on_receivables: i64) {
    for cap in &offer.caps {
        let gross = cap.gross_minor.unwrap();
        let exposed = match cap.name {
            CapName::OrderReceivables => on_receivables,
            CapName::Group | CapName::Owner | CapName::PortfolioBudget => continue,
            CapName::Requested | CapName::Product | CapName::HardCap => offer.limit_minor,
            _ => all,
        };
        assert!(exposed <= gross, "{exposed} exceeds {cap:?} of {offer:?}, given by day");
    }
}

/// The transitions of borrowers' states that a run holds: those of the run before, and tonight's, which lead from each borrower's state of the night
/// before to that of tonight. Nobody comes out of default but by probation.
fn checked_log(run: &Path, before: &[StateChange]) -> Vec<StateChange> {
    let log = rows::<StateChange>(run);
    assert!(before.iter().all(|change| log.contains(change)), "a transition was forgotten");
    let states = rows::<BorrowerState>(run);
    for own in log.chunk_by(|a, b| a.merchant_id == b.merchant_id) {
        assert!(own.iter().all(|change| !change.evidence.is_empty()), "{own:?}");
        assert!(own.windows(2).all(|pair| pair[1].came_from == Some(pair[0].state)), "{own:?}");
        let is_bad = |state: CreditState| matches!(state, CreditState::Default | CreditState::WrittenOff);
        let is_tried = |pair: &[StateChange]| !is_bad(pair[0].known_state) || pair[1].known_state.is_of_default();
        assert!(own.windows(2).all(is_tried), "{own:?}");
        let now = states.iter().find(|state| state.merchant_id == own[0].merchant_id).unwrap();
        assert_eq!(own.last().map(|change| (change.state, change.known_state)), Some((now.state, now.known_state)));
    }
    let logged: BTreeSet<&str> = log.iter().map(|change| change.merchant_id.as_str()).collect();
    assert!(states.iter().all(|state| logged.contains(state.merchant_id.as_str())), "a borrower without a transition");
    log
}

/// `nights` nights of so many `merchants`, by a seed; how often was drawn.
fn random_nights(seed: u64, nights: i64, merchants: i64) -> usize {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut changes = GROUP_LOAN.to_vec();
    // Offers that are not drawn lapse within the nights; loans, payments and disputes may rest for some days among so few merchants.
    changes.push(("policy.toml", "offer_valid_days = 30", "offer_valid_days = 4"));
    changes.push(("job.toml", "[model]", "[gates]\ndays_older = 60\ndays_past_data = 60\n\n[model]"));
    let lender = Lender::with(&changes);
    let mut market = grouped_marketplace(&lender, merchants);
    let (mut service, mut draws) = (Service::default(), 0);
    let mut log: Vec<StateChange> = Vec::new();
    for number in 0..nights {
        let day: Date = FIRST_NIGHT.saturating_add(number.days());
        for merchant in 1..=merchants {
            let merchant = format!("m{merchant:02}");
            let count = random.random_range(0..3);
            let orders = shipped_orders(&mut market, &merchant, count, day.saturating_sub(2.days()));
            for order in orders {
                if random.random_bool(0.4) {
                    market.confirm(&order, at(day.saturating_add(random.random_range(1..10_i64).days()), 11));
                }
            }
            if random.random_bool(0.1) {
                market.apply(
                    &merchant,
                    "order-loan",
                    random.random_range(50_000..200_000),
                    &[],
                    at(day.saturating_sub(1.day()), 20),
                );
            }
        }
        // After midnight, on the offers of the night before: tonight's run cannot see it.
        service.drawn_since_midnight.clear();
        service.given_by_day.clear();
        draws += service.draw(&mut market, &mut random, 0.15, at(day, 1));
        let run = lender.night(&market, day).published.run_dir;
        check_night(&market, &run, at(day, 0));
        log = checked_log(&run, &log);
        let granted = rows::<integrity::offer::Offer>(&run);
        let replaced =
            granted.iter().filter_map(|o| Some((o.offer_id.clone(), o.replaces_offer_id.clone()?))).collect();
        service.publish(offers_of(&run), &replaced);
        draws += service.draw(&mut market, &mut random, 0.4, at(day, 9));
        for hour in [11, 12] {
            let merchant = format!("m{:02}", random.random_range(1..=merchants));
            let product = ["order-loan", "group-loan", "credit-loan"][random.random_range(0..3)];
            let asked = application(&format!("{day} {hour}"), &merchant, product, random.random_range(20_000..400_000));
            let known = random.random_bool(0.8).then(|| service.draws());
            let answered = answer(&lender, (day, hour), known, vec![asked]).unwrap();
            answered.answers.into_iter().for_each(|answer| service.answered(answer, product));
            draws += service.draw(&mut market, &mut random, 0.2, at(day, hour));
        }
        repay_at_random(&mut market, &mut random, at(day, 15));

        // Between the nights: what is owed by the evening, and may still be drawn, is what the night allowed.
        market.pledged(at(day, 23));
        let open = rows::<OpenOffer>(&run);
        for offer in &granted {
            let merchant = offer.merchant_id.as_str();
            let paid_back_none = owed(&market, merchant, at(day, 14), |_| true);
            let left: i64 =
                service.current.values().filter(|d| d.offer.merchant_id == merchant).map(|d| d.left_minor).sum();
            let held: i64 = open.iter().filter(|o| o.merchant_id == merchant).map(|o| o.held_minor).sum();
            let at_midnight = owed(&market, merchant, at(day, 0), |_| true);
            if let Some(given) = service.given_by_day.get(merchant) {
                let is_secured = |product: &str| super::books::ON_RECEIVABLES.contains(&product);
                let left_on = |counts: &dyn Fn(&str) -> bool| -> i64 {
                    let own = service.current.values().filter(|d| d.offer.merchant_id == merchant);
                    own.filter(|d| counts(&d.offer.product)).map(|d| d.left_minor).sum()
                };
                let exposed =
                    |counts: &dyn Fn(&str) -> bool| owed(&market, merchant, at(day, 14), counts) + left_on(counts);
                check_caps(given, exposed(&|_| true), exposed(&is_secured));
                continue;
            }
            assert!(paid_back_none + left <= at_midnight + held, "{day}: {merchant}");
        }
    }
    draws
}

#[test]
fn ten_random_nights_pledge_no_order_twice_and_exceed_no_cap() {
    let draws = random_nights(1, 10, 6);
    assert!(draws > 30, "{draws} draws prove little");
}

/// Long enough for offers and loans to lapse, fall due and come back many times over; three merchants, so that it stays quick.
#[test]
fn sixty_random_nights_pledge_no_order_twice_and_exceed_no_cap() {
    let draws = random_nights(2, 60, 3);
    assert!(draws > 50, "{draws} draws prove little");
}
