//! Evidence that contradicts itself, or does not say what it is about, buys no credit.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::row_writer::Cell;
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

#[test]
fn a_bounced_payment_that_is_sent_again_as_made_is_told_to_an_officer() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 2);
    let first = offers_of(&lender.night(&market, day(0)).published.run_dir);
    let mut paid = |merchant: &str| {
        let offer = first.iter().find(|o| o.merchant_id == merchant && o.product == "credit-loan").unwrap();
        let loan = market.draw(offer, offer.limit_minor, at(day(0), 9));
        let payment = market.repay(&loan, 500, at(day(1), 9));
        market.resend("payments", &payment, at(day(2), 9), &[("reversed_at", Some(Cell::At(at(day(2), 8))))]);
        (loan, payment)
    };
    let ((loan, payment), _) = (paid("m01"), paid("m02"));
    let remarks = |market: &Marketplace, number: i64| {
        let night = lender.night(market, day(number));
        let lines = rows::<LoanException>(&night.published.run_dir);
        assert_eq!(lines.len() as u64, night.summary.odd_loan_records.values().sum::<u64>(), "{lines:?}");
        lines
            .into_iter()
            .map(|line| (line.loan_id.unwrap(), line.code, line.is_unknown, line.detail))
            .collect::<Vec<_>>()
    };
    assert_eq!(remarks(&market, 3), []);
    // The first borrower's has not bounced after all; the other's row is sent again as it is.
    market.resend("payments", &payment, at(day(3), 12), &[("reversed_at", None)]);
    let told = remarks(&market, 4);
    let [(of_loan, code, is_unknown, detail)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((of_loan, code.as_str(), *is_unknown), (&loan, "payment-no-longer-reversed", false));
    assert!(detail.contains(&format!("{payment:?} of 500")) && detail.contains(&day(2).to_string()), "{detail}");
}

#[test]
fn an_amount_that_rises_after_the_order_was_sent_secures_no_more() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 3);
    let mut orders = Vec::new();
    for merchant in ["m01", "m02", "m03"] {
        orders.push(shipped_orders(&mut market, merchant, 2, day(-4)));
        market.apply(merchant, "order-loan", 900_000, &[], at(day(-1), 12));
    }
    // All are sent three days before the first night. The first merchant's orders rise tenfold since, the second's are a half less.
    for (merchant, amount) in [(0, 900_000), (1, 45_000)] {
        for order in &orders[merchant] {
            market.resend("orders", order, at(day(-1), 9), &[("amount_minor", Some(Cell::Number(amount)))]);
        }
    }
    let offers = offers_of(&lender.night(&market, day(0)).published.run_dir);
    let limit = |merchant: &str| {
        let offer = offers.iter().find(|o| o.merchant_id == merchant && o.product == "order-loan").unwrap();
        offer.limit_minor
    };
    assert_eq!(limit("m01"), limit("m03"));
    assert!(limit("m02") < limit("m03") && limit("m02") > 0, "{offers:?}");
}

#[test]
fn an_order_that_has_ended_and_is_sent_again_as_open_secures_nothing() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 3);
    let mut expected: Vec<(String, bool)> = Vec::new();
    for (merchant, end) in [("m01", Some("completed_at")), ("m02", Some("cancelled_at")), ("m03", None)] {
        for order in shipped_orders(&mut market, merchant, 2, day(-4)) {
            expected.push((order.clone(), end.is_none()));
            let Some(end) = end else { continue };
            let ended = at(day(-2), 9);
            market.resend("orders", &order, at(day(-2), 10), &[(end, Some(Cell::At(ended)))]);
            market.resend("orders", &order, at(day(-1), 9), &[(end, None)]);
        }
        market.apply(merchant, "order-loan", 900_000, &[], at(day(-1), 12));
    }
    let offers = offers_of(&lender.night(&market, day(0)).published.run_dir);
    let pledged = pledged(&offers);
    for (order, secures) in expected {
        assert_eq!(pledged.contains(order.as_str()), secures, "{order}");
    }
}

#[test]
fn a_write_off_in_a_row_without_a_stamp_is_no_older_than_the_loan_s_first_row() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 2);
    let first = offers_of(&lender.night(&market, day(0)).published.run_dir);
    for merchant in ["m01", "m02"] {
        let offer = first.iter().find(|o| o.merchant_id == merchant && o.product == "credit-loan").unwrap();
        let loan = market.draw(offer, offer.limit_minor / 2, at(day(0), 9));
        market.spoil("loans", &loan, "recorded_at", Some(Cell::At(at(day(0), 10))));
        let written_off = if merchant == "m01" { Some(Cell::At(at(day(2), 9))) } else { None };
        market.resend_stamped("loans", &loan, (at(day(2), 12), None), &[("written_off_at", written_off)]);
    }
    let run = lender.night(&market, day(3)).published.run_dir;
    let offered: BTreeSet<String> = offers_of(&run).into_iter().map(|offer| offer.merchant_id).collect();
    assert_eq!(offered, BTreeSet::from(["m02".to_owned()]));
}

#[test]
fn a_dispute_by_somebody_who_did_not_buy_takes_no_receivable_and_is_counted() {
    let lender = lender();
    let mut market = trading_marketplace(&lender, 2);
    let mut first_order = |merchant: &str| {
        let orders = shipped_orders(&mut market, merchant, 2, day(-4));
        market.apply(merchant, "order-loan", 900_000, &[], at(day(-1), 12));
        market.dispute(&orders[0], at(day(-2), 9));
        orders[0].clone()
    };
    let (by_another, by_the_buyer) = (first_order("m01"), first_order("m02"));
    market.spoil("disputes", &by_another, "buyer_id", text("a competitor's friend"));
    let night = lender.night(&market, day(0));
    let offers = offers_of(&night.published.run_dir);
    let pledged = pledged(&offers);
    assert!(pledged.contains(by_another.as_str()) && !pledged.contains(by_the_buyer.as_str()), "{offers:?}");
    assert_eq!(night.summary.disputes_of_others, 1);
}

/// A completed order that was paid back, a parcel that was lost: sent again as if they had not been.
#[test]
fn what_went_wrong_is_not_taken_back_by_a_newer_version() {
    let mut market = trading_marketplace(&lender(), 3);
    let orders = shipped_orders(&mut market, "m01", 10, day(-60));
    let (refunded, lost) = orders.split_at(5);
    for order in refunded {
        market.confirm(order, at(day(-50), 9));
        market.refund(order, at(day(-40), 9));
    }
    for order in lost {
        market.resend("shipments", order, at(day(-45), 9), &[("lost_at", Some(Cell::At(at(day(-45), 8))))]);
    }
    let offered = |market: &Marketplace| {
        let offers = offers_of(&lender().night(market, day(0)).published.run_dir);
        offers.into_iter().filter(|offer| offer.merchant_id == "m01").map(|offer| offer.limit_minor).sum::<i64>()
    };
    let told = offered(&market);
    let mut never = trading_marketplace(&lender(), 3);
    for order in shipped_orders(&mut never, "m01", 10, day(-60)).iter().take(5) {
        never.confirm(order, at(day(-50), 9));
    }
    assert!(offered(&never) > told, "it would pay: {told}");

    let mut taken_back = market.clone();
    for order in refunded {
        let none = [("refunded_at", None), ("refund_minor", None)];
        taken_back.resend("orders", order, at(day(-1), 9), &none);
    }
    assert_eq!(offered(&taken_back), told, "refunds");
    let mut found = market.clone();
    for order in lost {
        found.resend("shipments", order, at(day(-1), 9), &[("lost_at", None)]);
    }
    assert_eq!(offered(&found), told, "lost parcels");
}
