//! An order secures one loan or one offer, over all nights, products and loans, whatever the loan's row tells.

use std::collections::BTreeSet;

use integrity::monitor::{Alert, Deduction};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::{check_night, rows};
use super::{FIRST_NIGHT, Lender, Marketplace, Named, Offer, at, grouped_marketplace, offers_of, shipped_orders};

/// A second product on receivables, after the order loan.
pub const GROUP_LOAN: [(&str, &str, &str); 2] = [
    ("policy.toml", "later = [\"group-loan\"]", ""),
    (
        "policy.toml",
        "[[product]]\nname = \"credit-loan\"",
        "[[product]]\nname = \"group-loan\"\nterm_days = 30\nrepayment = \"bullet\"\nmin_limit_minor = 10_000\n\
         max_limit_minor = 300_000\n[product.daily_rate_ppm]\nA = 450\nB = 450\nC = 450\nD = 450\nE = 450\nF = 450\nG = 450\n\
         H = 450\nI = 450\n[product.caps]\nreceivables_advance_rate_ppm = 500_000\n\
         lowest_month = { feature = \"gmv_lowest_month_12m_minor\", factor_ppm = 2_000_000 }\n\n\
         [[product]]\nname = \"credit-loan\"",
    ),
];

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

fn offer_of<'a>(offers: &'a [Offer], merchant: &str, product: &str) -> Option<&'a Offer> {
    offers.iter().find(|o| o.merchant_id == merchant && o.product == product)
}

fn pledged_by(offers: &[Offer], merchant: &str) -> BTreeSet<String> {
    offers.iter().filter(|o| o.merchant_id == merchant).flat_map(|o| o.pledged_order_ids.clone()).collect()
}

#[test]
fn orders_under_a_loan_are_offered_again_only_once_it_is_repaid() {
    let mut changes = GROUP_LOAN.to_vec();
    // Nobody applies or borrows again.
    changes.push(("job.toml", "[model]", "[gates]\ndays_older = 30\ndays_past_data = 30\n\n[model]"));
    let lender = Lender::with(&changes);
    let mut market = grouped_marketplace(&lender, 3);
    let borrowers = [("m01", Named::Orders), ("m02", Named::Offer), ("m03", Named::Nothing)];
    for (merchant, _) in borrowers {
        let orders = shipped_orders(&mut market, merchant, 2, day(-3));
        market.apply(merchant, "order-loan", 140_000, &orders, at(day(-1), 12));
    }
    let first = lender.night(&market, day(0)).published.run_dir;
    check_night(&market, &first, at(day(0), 0));
    let first = offers_of(&first);
    let (mut loans, mut later) = (Vec::new(), BTreeSet::new());
    for (merchant, named) in borrowers {
        let offer = offer_of(&first, merchant, "order-loan").unwrap();
        assert_eq!((offer.limit_minor, offer.pledged_order_ids.len()), (140_000, 2), "{offer:?}");
        loans.push(market.draw_naming(named, offer, offer.limit_minor, at(day(0), 9)));
        // What is shipped after the draw is free, whatever the loan rests on.
        later.extend(shipped_orders(&mut market, merchant, 1, day(0)));
    }
    for number in [2, 4] {
        let run = lender.night(&market, day(number)).published.run_dir;
        check_night(&market, &run, at(day(number), 0));
        let offers = offers_of(&run);
        for (merchant, named) in borrowers {
            let offered = pledged_by(&offers, merchant);
            assert!(offered.is_disjoint(&pledged_by(&first, merchant)), "night {number}, {named:?}: {offered:?}");
            assert!(!offered.is_disjoint(&later), "night {number}, {named:?}: the new order is free");
        }
    }
    for loan in &loans {
        let owed = market.loans()[loan].owed_minor(at(day(4), 9));
        market.repay(loan, owed, at(day(4), 9));
    }
    let run = lender.night(&market, day(5)).published.run_dir;
    check_night(&market, &run, at(day(5), 0));
    let offers = offers_of(&run);
    for (merchant, named) in borrowers {
        assert!(pledged_by(&offers, merchant).is_superset(&pledged_by(&first, merchant)), "{named:?}: repaid");
    }
}

#[test]
fn an_order_loan_is_repaid_by_its_orders_as_escrow_releases_them() {
    let lender = Lender::with(&[("job.toml", "[model]", "[gates]\ndays_older = 30\ndays_past_data = 30\n\n[model]")]);
    let mut market = grouped_marketplace(&lender, 3);
    let orders = shipped_orders(&mut market, "m01", 2, day(-3));
    market.apply("m01", "order-loan", 140_000, &orders, at(day(-1), 12));
    let first = lender.night(&market, day(0)).published.run_dir;
    let offer = offer_of(&offers_of(&first), "m01", "order-loan").cloned().unwrap();
    let loan = market.draw(&offer, offer.limit_minor, at(day(0), 9));
    let ordered = |market: &Marketplace, number: i64| -> Vec<Deduction> {
        let run = lender.night(market, day(number)).published.run_dir;
        let alerts: Vec<Alert> = rows(&run);
        assert!(alerts.iter().all(|alert| !alert.rule.starts_with("arrears")), "night {number}: {alerts:?}");
        rows(&run)
    };
    assert_eq!(ordered(&market, 1), [], "escrow has released nothing");
    market.confirm(&orders[0], at(day(1), 10));
    let [part] = &ordered(&market, 2)[..] else { panic!("one order is released") };
    assert_eq!((part.amount_minor, part.released_minor, &part.loan_id), (90_000, Some(90_000), &loan));
    let [again] = &ordered(&market, 3)[..] else { panic!("it has not arrived yet") };
    assert_eq!((&again.key, again.amount_minor), (&part.key, 90_000));
    market.deduct(&loan, 90_000, at(day(3), 9));
    assert_eq!(ordered(&market, 4), [], "of the other order nothing is released");
    market.refund(&orders[1], at(day(4), 8));
    assert_eq!(ordered(&market, 5), [], "nor of one that went back to its buyer");
    let later = shipped_orders(&mut market, "m01", 1, day(3));
    market.confirm(&later[0], at(day(5), 10));
    assert_eq!(ordered(&market, 6), [], "an order that secures no loan repays none");
}

#[test]
fn two_products_on_receivables_share_no_order() {
    let lender = Lender::with(&GROUP_LOAN);
    let mut market = grouped_marketplace(&lender, 3);
    for merchant in ["m01", "m02"] {
        shipped_orders(&mut market, merchant, 6, day(-3));
        market.apply(merchant, "order-loan", 140_000, &[], at(day(-1), 12));
    }
    let both = |market: &Marketplace, number: i64| {
        let run = lender.night(market, day(number)).published.run_dir;
        check_night(market, &run, at(day(number), 0));
        let offers = offers_of(&run);
        let pair = |merchant| ["order-loan", "group-loan"].map(|product| offer_of(&offers, merchant, product).cloned());
        (pair("m01"), pair("m02"))
    };
    let ([Some(order_loan), Some(group_loan)], _) = both(&market, 0) else { panic!("both are offered") };
    assert!(order_loan.pledged_order_ids.len() == 2 && !group_loan.pledged_order_ids.is_empty());
    market.draw(&order_loan, order_loan.limit_minor, at(day(0), 9));
    market.draw(&group_loan, group_loan.limit_minor / 2, at(day(0), 10));
    // Nothing was drawn by the second merchant: both are offered again, and still share no order.
    let (_, [Some(again), Some(group_again)]) = both(&market, 1) else { panic!("both are offered") };
    assert!(!again.pledged_order_ids.is_empty() && !group_again.pledged_order_ids.is_empty());
    both(&market, 2);
}

#[test]
fn one_huge_order_counts_by_what_the_shop_has_seen_through() {
    let limit_with = |huge: Option<i64>| {
        let lender = Lender::new();
        let mut market = super::trading_marketplace(&lender, 1);
        let order = huge.map(|amount| market.add_order("m01", amount, at(day(-3), 10)));
        if let Some(order) = &order {
            market.ship(order, at(day(-2), 10));
        }
        market.apply("m01", "order-loan", 900_000, &order.into_iter().collect::<Vec<_>>(), at(day(-1), 12));
        let offers = offers_of(&lender.night(&market, day(0)).published.run_dir);
        offer_of(&offers, "m01", "order-loan").map_or(0, |offer| offer.limit_minor)
    };
    // Its largest order so far came to about 40,000, of which three count, and eight tenths of that are lent.
    let (plain, huge) = (limit_with(Some(100_000)), limit_with(Some(100_000_000)));
    assert!(plain > 0 && (plain..=140_000).contains(&huge), "{plain} {huge}");
}
