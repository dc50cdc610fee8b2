//! Limits over several nights: what is owed, and what is offered or may still be drawn, counts against every cap.

use std::path::Path;

use integrity::exposure::{OfferState, OpenOffer};
use integrity::offer::{CapName, Decline, Offer};
use integrity::publish::PublishedRun;
use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::books::{check_night, owed, rows};
use super::pledges::GROUP_LOAN;
use super::{FIRST_NIGHT, Lender, at, grouped_marketplace, offers_of, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

#[test]
fn a_limit_drawn_again_and_again_stays_within_every_cap() {
    let lender = Lender::with(&GROUP_LOAN);
    let mut market = grouped_marketplace(&lender, 3);
    for merchant in ["m01", "m02", "m03"] {
        shipped_orders(&mut market, merchant, 3, day(-3));
    }
    let (mut draws, mut first_sum) = (0, 0);
    for number in 0..6 {
        let run = lender.night(&market, day(number)).published.run_dir;
        check_night(&market, &run, at(day(number), 0));
        let offers = offers_of(&run);
        if number == 0 {
            first_sum = offers.iter().map(|o| o.limit_minor).sum::<i64>();
            assert!(offers.iter().any(|o| o.product == "credit-loan"));
        }
        for offer in offers {
            // The first draws all, the second half, the third a little of everything.
            let part = match offer.merchant_id.as_str() {
                "m01" => offer.limit_minor,
                "m02" => offer.limit_minor / 2,
                _ => offer.limit_minor / 10,
            };
            market.draw(&offer, part, at(day(number), 9));
            draws += 1;
        }
    }
    assert!(draws >= 12, "{draws} draws prove little");
    let all: i64 = ["m01", "m02", "m03"].map(|m| owed(&market, m, at(day(6), 0), |_| true)).into_iter().sum();
    // The caps move a little from night to night with the trade behind them, not by what is drawn.
    assert!(all <= first_sum * 3 / 2, "{all} is owed where {first_sum} was offered at first");
}

#[test]
fn an_open_offer_holds_its_part_until_it_is_replaced_or_lapses() {
    let lender = Lender::with(&[
        ("policy.toml", "offer_valid_days = 30", "offer_valid_days = 3"),
        (
            "policy.toml",
            "min_limit_minor = 10_000\nmax_limit_minor = 1_000_000",
            "min_limit_minor = 100_000\nmax_limit_minor = 1_000_000",
        ),
    ]);
    let mut market = trading_marketplace(&lender, 1);
    let orders = shipped_orders(&mut market, "m01", 4, day(-3));
    let night = |number: i64, market: &_| {
        let run = lender.night(market, day(number)).published.run_dir;
        check_night(market, &run, at(day(number), 0));
        (rows::<integrity::offer::Offer>(&run), rows::<OpenOffer>(&run))
    };
    let of = |offers: &[integrity::offer::Offer], product: &str| offers.iter().find(|o| o.product == product).cloned();

    let (offers, _) = night(0, &market);
    let order_loan = of(&offers, "order-loan").unwrap();
    assert_eq!(order_loan.valid_until_on, date(2025, 5, 5));
    let (offers, open) = night(1, &market);
    let again = of(&offers, "order-loan").unwrap();
    assert_eq!(again.replaces_offer_id.as_ref(), Some(&order_loan.offer_id));
    let state = |open: &[OpenOffer], id: &str| open.iter().find(|o| o.offer_id == id).map(|o| (o.state, o.held_minor));
    assert_eq!(state(&open, &order_loan.offer_id).unwrap().0, OfferState::Replaced);
    assert_eq!(state(&open, &again.offer_id), Some((OfferState::Open, again.limit_minor)));

    // All buyers confirm: what is left carries too small an order loan, which is declined.
    for order in &orders {
        market.confirm(order, at(day(1), 12));
    }
    let mut credit_limits = Vec::new();
    for number in 2..=4 {
        let (offers, open) = night(number, &market);
        assert_eq!(of(&offers, "order-loan"), None);
        assert_eq!(state(&open, &again.offer_id), Some((OfferState::Withdrawn, again.limit_minor)), "night {number}");
        credit_limits.push(of(&offers, "credit-loan").unwrap());
    }
    let (offers, open) = night(5, &market);
    assert_eq!(state(&open, &again.offer_id), None, "it lapsed after the fourth day");
    let freed = of(&offers, "credit-loan").unwrap();
    let held = credit_limits.last().unwrap();
    let net = |offer: &integrity::offer::Offer| {
        let gross = offer.caps.iter().find(|c| c.name == CapName::DebtService).unwrap();
        gross.gross_minor.unwrap() - gross.value_minor.unwrap()
    };
    assert_eq!((net(held), net(&freed)), (again.limit_minor, 0));
}

#[test]
fn an_offer_of_a_product_that_the_policy_drops_is_withdrawn_and_still_holds() {
    let lender = Lender::with(&GROUP_LOAN);
    let mut market = grouped_marketplace(&lender, 3);
    shipped_orders(&mut market, "m01", 6, day(-3));
    market.apply("m01", "order-loan", 140_000, &[], at(day(-1), 12));
    let first = lender.night(&market, day(0)).published.run_dir;
    let dropped = offers_of(&first).into_iter().find(|o| o.merchant_id == "m01" && o.product == "group-loan").unwrap();
    let (file, with, without) = (GROUP_LOAN[1].0, GROUP_LOAN[1].2, GROUP_LOAN[1].1);
    lender.change(file, with, without);
    lender.change("policy.toml", "offer_valid_days", "later = [\"group-loan\"]\noffer_valid_days");
    let run = lender.night(&market, day(1)).published.run_dir;
    check_night(&market, &run, at(day(1), 0));
    let held = rows::<OpenOffer>(&run).into_iter().find(|o| o.offer_id == dropped.offer_id).unwrap();
    assert_eq!((held.state, held.held_minor), (OfferState::Withdrawn, dropped.limit_minor));
    let taken = |orders: &[String]| orders.iter().any(|order| dropped.pledged_order_ids.contains(order));
    assert!(offers_of(&run).iter().all(|o| !taken(&o.pledged_order_ids)));
}

#[test]
fn a_term_that_the_model_does_not_foresee_is_told() {
    let lender = Lender::new();
    let market = trading_marketplace(&lender, 2);
    let notes = |run: &Path| PublishedRun::open(run).unwrap().manifest().notes.clone();
    assert!(notes(&lender.night(&market, day(0)).published.run_dir).is_empty());
    lender.change("policy.toml", "term_days = 180", "term_days = 90");
    let told = notes(&lender.night(&market, day(1)).published.run_dir);
    assert!(told.iter().any(|note| note.contains("asks for 90 days too")), "{told:?}");
}

#[test]
fn all_merchants_together_stay_within_the_budget_and_the_most_profitable_go_first() {
    let trade = |lender: &Lender| {
        let mut market = trading_marketplace(lender, 3);
        for merchant in ["m01", "m02", "m03"] {
            shipped_orders(&mut market, merchant, 3, day(-3));
        }
        market
    };
    let unbounded = Lender::with(&[]);
    let run = unbounded.night(&trade(&unbounded), day(0)).published.run_dir;
    let mut profits: Vec<(i64, i64)> =
        rows::<Offer>(&run).iter().map(|o| (o.expected_profit_minor(), o.limit_minor)).collect();
    profits.sort_unstable();
    let all: i64 = profits.iter().map(|(_, limit)| limit).sum();
    assert!(profits.len() >= 4, "{profits:?}");
    let budget = all / 2;

    let written = format!("portfolio_budget_minor = {budget}\noffer_valid_days = 30");
    let lender = Lender::with(&[("policy.toml", "offer_valid_days = 30", &written)]);
    let mut market = trade(&lender);
    for number in 0..3 {
        let run = lender.night(&market, day(number)).published.run_dir;
        check_night(&market, &run, at(day(number), 0));
        let held: i64 = rows::<OpenOffer>(&run).iter().map(|offer| offer.held_minor).sum();
        let owed: i64 = ["m01", "m02", "m03"].map(|m| owed(&market, m, at(day(number), 0), |_| true)).into_iter().sum();
        assert!(owed + held <= budget, "night {number}: {owed} and {held} of {budget}");
        let declines = rows::<Decline>(&run);
        let withheld = |d: &&Decline| d.reasons.iter().any(|r| r.code.to_string() == "portfolio-budget");
        let offers = rows::<Offer>(&run);
        assert!(declines.iter().any(|d| withheld(&d)) && !offers.is_empty(), "night {number}: {declines:?}");
        assert!(offers.iter().all(|o| o.caps.iter().any(|c| c.name == CapName::PortfolioBudget)));
        if number == 0 {
            let most = offers.iter().map(Offer::expected_profit_minor).max();
            assert_eq!(most, profits.last().map(|(profit, _)| *profit));
        }
        for offer in offers_of(&run).into_iter().take(1) {
            market.draw(&offer, offer.limit_minor / 2, at(day(number), 9));
        }
    }
}

#[test]
fn offers_chosen_together_keep_books_pledges_and_bounds_night_after_night() {
    let trade = |lender: &Lender| {
        let mut market = grouped_marketplace(lender, 3);
        for merchant in ["m01", "m02", "m03"] {
            shipped_orders(&mut market, merchant, 5, day(-3));
        }
        market
    };
    let unbounded = Lender::with(&GROUP_LOAN);
    let run = unbounded.night(&trade(&unbounded), day(0)).published.run_dir;
    let all: i64 = rows::<Offer>(&run).iter().map(|o| o.limit_minor).sum();
    let budget = all * 2 / 3;

    let written = format!("portfolio_budget_minor = {budget}\noffer_valid_days = 30");
    let section = "[optimisation]\naccepted_rate_ppm = 560\naccepted_spread = 0.12\nrate_steps_ppm = [-20, 0, 20]\n\
                   limits = [{ share = 0.25, drawn = 0.25 }, { share = 0.5, drawn = 0.45 }, { share = 1.0, drawn = 0.6 }]\n\
                   min_offer_share = 0.5\n\n[receivables]";
    let mut changes = GROUP_LOAN.to_vec();
    changes.extend([
        ("policy.toml", "offer_valid_days = 30", written.as_str()),
        ("policy.toml", "[receivables]", section),
    ]);
    let lender = Lender::with(&changes);
    let mut market = trade(&lender);
    let mut optimised = 0;
    for number in 0..4 {
        let night = lender.night(&market, day(number));
        let run = &night.published.run_dir;
        check_night(&market, run, at(day(number), 0));
        let held: i64 = rows::<OpenOffer>(run).iter().map(|offer| offer.held_minor).sum();
        let owed: i64 = ["m01", "m02", "m03"].map(|m| owed(&market, m, at(day(number), 0), |_| true)).into_iter().sum();
        assert!(owed + held <= budget, "night {number}: {owed} and {held} of {budget}");
        let found = night.summary.optimisation.unwrap();
        assert!(found.profit_minor <= found.profit_bound_minor && found.offered <= found.candidates);
        let offers = rows::<Offer>(run);
        assert_eq!(offers.len() as u64, found.offered);
        optimised += offers.iter().filter(|offer| offer.binding_cap == CapName::Optimised).count();
        for offer in offers_of(run) {
            market.draw(&offer, offer.limit_minor / 3, at(day(number), 9));
        }
    }
    assert!(optimised > 0);
}
