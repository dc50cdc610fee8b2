//! Rows of trade that a merchant had the night before and that are no longer sent: nobody gains by them.

use std::collections::BTreeMap;
use std::path::Path;

use integrity::scenario::RememberedRows;
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::row_writer::Cell;
use super::{FIRST_NIGHT, Lender, Marketplace, at, offers_of, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// A lender whose nights go on however few rows come in.
pub(super) fn lender() -> Lender {
    let lender = Lender::new();
    lender.open_gates();
    lender
}

/// What each merchant is offered, over all products.
pub(super) fn offered(run_dir: &Path) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for offer in offers_of(run_dir) {
        *sums.entry(offer.merchant_id).or_default() += offer.limit_minor;
    }
    sums
}

#[test]
fn disputes_that_are_no_longer_sent_buy_no_credit() {
    let (plain, faulty) = (lender(), lender());
    let mut market = trading_marketplace(&plain, 3);
    let disputed = shipped_orders(&mut market, "m01", 6, day(-40));
    for order in &disputed {
        market.dispute(order, at(day(-20), 9));
    }
    shipped_orders(&mut market, "m02", 3, day(-3));
    let mut lost = market.clone();
    for order in &disputed {
        lost.lose("disputes", order);
    }
    let never = offered(&lender().night(&lost, day(0)).published.run_dir);
    plain.night(&market, day(0));
    faulty.night(&market, day(0));
    let twin = offered(&plain.night(&market, day(1)).published.run_dir);
    let of = |offered: &BTreeMap<String, i64>, merchant: &str| offered.get(merchant).copied().unwrap_or(0);
    assert!(of(&never, "m01") > of(&twin, "m01"), "the disputes cost credit: {never:?} {twin:?}");

    let night = faulty.night(&lost, day(1));
    let found = offered(&night.published.run_dir);
    assert!(of(&found, "m01") <= of(&twin, "m01"), "{found:?} {twin:?}");
    assert_eq!(of(&found, "m02"), of(&twin, "m02"), "nobody else has lost anything");
    assert_eq!((night.summary.rows_missing, night.summary.merchants_missing_rows), (6, 1));
    let remembered = rows::<RememberedRows>(&night.published.run_dir);
    let of_m01 = remembered.iter().find(|row| row.merchant_id == "m01").unwrap();
    assert_eq!((of_m01.disputes, of_m01.missing, of_m01.missing_since_on), (6, 6, Some(day(1))));

    // They are missed until they are back.
    let later = offered(&faulty.night(&lost, day(2)).published.run_dir);
    assert!(of(&later, "m01") <= of(&twin, "m01"), "{later:?}");
    let back = faulty.night(&market, day(3));
    assert_eq!(back.summary.rows_missing, 0);
    assert_eq!(
        of(&offered(&back.published.run_dir), "m01"),
        of(&offered(&plain.night(&market, day(3)).published.run_dir), "m01")
    );
}

/// An order that is said to be placed in the future waits for its day, and is missed until then.
#[test]
fn orders_that_are_put_off_into_the_future_buy_no_credit() {
    let refused = |market: &mut Marketplace| {
        let orders = shipped_orders(market, "m01", 6, day(-40));
        for order in &orders {
            market.refund(order, at(day(-20), 9));
        }
        orders
    };
    let plain = lender();
    let mut market = trading_marketplace(&plain, 3);
    let orders = refused(&mut market);
    // Others are refunded still, so that no column is lost.
    for order in shipped_orders(&mut market, "m03", 2, day(-40)) {
        market.refund(&order, at(day(-20), 9));
    }
    shipped_orders(&mut market, "m02", 3, day(-3));
    plain.night(&market, day(0));
    let in_place = plain.copy();
    let sent_again = plain.copy();
    let of = |offered: &BTreeMap<String, i64>, merchant: &str| offered.get(merchant).copied().unwrap_or(0);
    let twin = offered(&plain.night(&market, day(1)).published.run_dir);
    let ahead = at(day(200), 9);
    let cells = |ahead| {
        [("placed_at", Some(Cell::At(ahead))), ("paid_at", None), ("refunded_at", None), ("refund_minor", None)]
    };

    let mut moved = market.clone();
    for order in &orders {
        for (column, cell) in cells(ahead) {
            moved.spoil("orders", order, column, cell);
        }
    }
    let night = in_place.night(&moved, day(1));
    assert_eq!(night.summary.rows_missing, 6);
    assert!(of(&offered(&night.published.run_dir), "m01") <= of(&twin, "m01"));

    let mut again = market.clone();
    for order in &orders {
        again.resend_stamped("orders", order, (at(day(0), 9), None), &cells(ahead));
    }
    let night = sent_again.night(&again, day(1));
    assert_eq!(night.summary.rows_missing, 0, "the version before stands");
    assert!(of(&offered(&night.published.run_dir), "m01") <= of(&twin, "m01"));
}
