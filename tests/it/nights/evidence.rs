//! Evidence that contradicts itself, or does not say what it is about, buys no credit.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::written::Cell;
use super::{FIRST_NIGHT, Lender, Marketplace, Offer, at, offers_of, shipped_orders, trading_marketplace};
use integrity::repayment::LoanException;

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

#[expect(clippy::unnecessary_wraps, reason = "a cell that is put in place, beside those that are taken out")]
fn text(text: &str) -> Option<Cell> {
    Some(Cell::Text(text.to_owned()))
}

/// A lender who judges a merchant whatever share of its rows is broken: what a single record does is looked at here.
fn lender() -> Lender {
    Lender::with(&[
        ("job.toml", "max_quarantine_share = 0.2", "max_quarantine_share = 1.0"),
        ("policy.toml", "max_broken_record_share = 0.1", "max_broken_record_share = 1.0"),
        ("monitor.toml", "[ledger]\nmax_unknown_loan_share = 0.03", "[ledger]\nmax_unknown_loan_share = 1.0"),
    ])
}

fn pledged(offers: &[Offer]) -> BTreeSet<&str> {
    offers.iter().flat_map(|offer| offer.pledged_order_ids.iter().map(String::as_str)).collect()
}

fn has_order_loan(offers: &[Offer], merchant: &str) -> bool {
    offers.iter().any(|offer| offer.merchant_id == merchant && offer.product == "order-loan")
}

#[test]
fn a_record_that_does_not_say_which_order_it_is_about_leaves_no_receivable_known() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 8);
    let mut orders = Vec::new();
    for number in 1..=8 {
        let merchant = format!("m{number:02}");
        orders.push(shipped_orders(&mut market, &merchant, 3, day(-4)));
        market.apply(&merchant, "order-loan", 140_000, &[], at(day(-1), 12));
    }
    let first = |merchant: usize| orders[merchant - 1][0].clone();
    let (early, now) = (at(day(-2), 3), at(day(-1), 3));
    let refund = |market: &mut Marketplace, merchant: usize, but: &[(&'static str, Option<Cell>)]| {
        let mut cells = vec![("refunded_at", Some(Cell::At(early))), ("refund_minor", Some(Cell::Number(1)))];
        cells.extend_from_slice(but);
        market.resend("orders", &first(merchant), now, &cells);
    };
    // Which order was refunded cannot be read; an order says it is placed after it was recorded: that one is known, and out.
    refund(&mut market, 1, &[("order_id", None)]);
    refund(&mut market, 2, &[("placed_at", Some(Cell::At(at(day(30), 3))))]);
    // Which parcel was lost.
    market.resend(
        "shipments",
        &first(3),
        now,
        &[("shipment_id", text("s-x")), ("order_id", text("o-x")), ("lost_at", Some(Cell::At(early)))],
    );
    // Which order is disputed: none is named, one that nobody knows, one of another merchant.
    for (merchant, order) in [(4, None), (5, text("o-x")), (6, text(&first(8)))] {
        let order_of_dispute = shipped_orders(&mut market, &format!("m{merchant:02}"), 1, day(-40)).remove(0);
        market.dispute(&order_of_dispute, early);
        market.resend(
            "disputes",
            &order_of_dispute,
            now,
            &[("dispute_id", text(&format!("d-{merchant}"))), ("order_id", order)],
        );
    }
    // One sale under two ids: neither copy is a receivable.
    let copy = [("order_id", text("o-copy"))];
    market.resend("orders", &first(7), now, &copy);
    let copy = [("shipment_id", text("s-copy")), ("order_id", text("o-copy"))];
    market.resend("shipments", &first(7), now, &copy);
    let run = lender.night(&market, day(0)).published.run_dir;
    let offers = offers_of(&run);
    for merchant in [1, 3, 4, 5, 6] {
        let merchant = format!("m{merchant:02}");
        assert!(!has_order_loan(&offers, &merchant), "{merchant}: {offers:?}");
        assert!(
            offers.iter().any(|offer| offer.merchant_id == merchant),
            "{merchant}: credit that rests on no order stays"
        );
    }
    for merchant in ["m02", "m07", "m08"] {
        assert!(has_order_loan(&offers, merchant), "{merchant}: {offers:?}");
    }
    let pledged = pledged(&offers);
    assert!(!pledged.contains(first(2).as_str()), "its refund was recorded before it was placed");
    assert!(!pledged.contains(first(7).as_str()) && !pledged.contains("o-copy"), "one sale, two ids");
    assert!(!pledged.contains(first(8).as_str()), "another merchant's dispute names it");
}

#[test]
fn a_loan_or_a_payment_whose_newest_row_is_recorded_before_its_own_day_is_unknown() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 3);
    let first = offers_of(&lender.night(&market, day(0)).published.run_dir);
    let loans: Vec<String> = ["m01", "m02", "m03"]
        .iter()
        .map(|merchant| {
            let offer = first.iter().find(|o| o.merchant_id == *merchant && o.product == "credit-loan").unwrap();
            market.draw(offer, offer.limit_minor, at(day(0), 9))
        })
        .collect();
    let payment = market.repay(&loans[0], 500, at(day(2), 9));
    market.repay(&loans[2], 500, at(day(2), 9));
    let ahead = Some(Cell::At(at(day(30), 9)));
    let bounced = Some(Cell::At(at(day(31), 9)));
    market.resend("payments", &payment, at(day(2), 12), &[("paid_at", ahead.clone()), ("reversed_at", bounced)]);
    market.resend("loans", &loans[1], at(day(2), 12), &[("disbursed_at", ahead)]);

    let run = lender.night(&market, day(3)).published.run_dir;
    let unknown: BTreeSet<String> = rows::<LoanException>(&run).into_iter().filter_map(|line| line.loan_id).collect();
    assert_eq!(unknown, BTreeSet::from([loans[0].clone(), loans[1].clone()]));
    let offered: BTreeSet<String> = offers_of(&run).into_iter().map(|offer| offer.merchant_id).collect();
    assert!(!offered.contains("m01") && !offered.contains("m02"), "{offered:?}");
}

#[test]
fn a_milestone_that_is_dated_after_it_was_recorded_does_not_wait_for_its_day() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 3);
    let mut orders = Vec::new();
    for number in 1..=2 {
        let merchant = format!("m{number:02}");
        orders.push(shipped_orders(&mut market, &merchant, 3, day(-4)));
        market.apply(&merchant, "order-loan", 140_000, &[], at(day(-1), 12));
    }
    let first = offers_of(&lender.night(&market, day(0)).published.run_dir);
    let offer = first.iter().find(|o| o.merchant_id == "m03" && o.product == "credit-loan").unwrap();
    let loan = market.draw(offer, offer.limit_minor, at(day(0), 9));
    let payment = market.repay(&loan, 500, at(day(1), 9));
    // A refund and a bounced payment of which the year was mistyped, both recorded today.
    let ahead = Some(Cell::At(at(day(365), 9)));
    let (refunded, now) = (orders[0][0].clone(), at(day(1), 12));
    market.resend("orders", &refunded, now, &[("refunded_at", ahead.clone()), ("refund_minor", Some(Cell::Number(1)))]);
    market.resend("payments", &payment, now, &[("reversed_at", ahead)]);

    let run = lender.night(&market, day(2)).published.run_dir;
    let offers = offers_of(&run);
    assert!(!pledged(&offers).contains(refunded.as_str()), "{offers:?}");
    assert!(has_order_loan(&offers, "m02"), "{offers:?}");
    let unknown: BTreeSet<String> = rows::<LoanException>(&run).into_iter().filter_map(|line| line.loan_id).collect();
    assert_eq!(unknown, BTreeSet::from([loan]));
    assert!(offers.iter().all(|offer| offer.merchant_id != "m03"), "{offers:?}");
}
