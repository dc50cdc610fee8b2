use std::collections::BTreeSet;

use jiff::civil::date;
use jiff::tz::TimeZone;
use polars::prelude::{DataFrame, Field, Schema};
use proptest::prelude::*;

use super::super::missing::RowsBefore;
use super::super::rows::{Cell, Row, with_rows};
use super::*;
use crate::contract::data_type;
use crate::domain::MICROS_PER_DAY;

const DAYS: u16 = 100;

fn night(number: i8) -> AsOf {
    AsOf::new(date(2025, 7, number), TimeZone::UTC).unwrap()
}

/// An order placed so many days before the first of July, and completed some days later.
#[derive(Debug, Clone, Copy)]
struct Sold {
    days_ago: i64,
    amount_minor: i64,
    refund_minor: Option<i64>,
    days_open: i64,
}

fn sold(days_ago: i64, amount_minor: i64) -> Sold {
    Sold { days_ago, amount_minor, refund_minor: None, days_open: 4 }
}

fn shard(number: i8, of: &[(&str, &[Sold])]) -> Shard {
    let fields = ORDERS.columns.iter().map(|c| Field::new(c.name.into(), data_type(c.kind)));
    let empty = DataFrame::empty_with_schema(&fields.collect::<Schema>());
    let mut rows = Vec::new();
    for (merchant, orders) in of {
        for (at, order) in orders.iter().enumerate() {
            let day = |days: i64| Cell::Number(night(1).micros() - days * MICROS_PER_DAY);
            let mut row = Row::from([
                ("order_id", Cell::Text(format!("{merchant}-{at}"))),
                ("merchant_id", Cell::Text((*merchant).to_owned())),
                ("placed_at", day(order.days_ago)),
                ("completed_at", day(order.days_ago - order.days_open)),
                ("amount_minor", Cell::Number(order.amount_minor)),
            ]);
            if let Some(refund) = order.refund_minor {
                row.insert("refunded_at", day(order.days_ago - 5));
                row.insert("refund_minor", Cell::Number(refund));
            }
            rows.push(row);
        }
    }
    let orders = with_rows(&ORDERS, &empty, &[], rows).unwrap();
    Shard {
        as_of: night(number),
        tables: BTreeMap::from([(ORDERS.name, orders)]),
        earlier: BTreeMap::new(),
        broken: Vec::new(),
    }
}

fn before(rows: Vec<RememberedRows>) -> RowsBefore {
    RowsBefore::new(rows, 1, BTreeSet::new(), DAYS)
}

fn held(before: &RowsBefore, mut shard: Shard) -> Vec<RememberedRows> {
    before.hold_against(&mut shard, 0).unwrap()
}

fn grown(rows: &[RememberedRows], merchant: &str) -> Option<i64> {
    rows.iter().find(|row| row.merchant_id == merchant).and_then(PastTrade::of).map(|past| past.grown_minor)
}

#[test]
fn trade_dated_back_is_seen_until_it_is_gone_or_confirmed() {
    let known = [sold(60, 1_000), sold(40, 2_000), sold(10, 500)];
    let back = [sold(60, 1_000), sold(40, 2_000), sold(10, 500), sold(50, 9_000)];
    let first = held(&before(Vec::new()), shard(1, &[("m", &known), ("n", &known)]));
    assert_eq!((grown(&first, "m"), grown(&first, "n")), (None, None), "a first night knows of nothing");

    let second = held(&before(first.clone()), shard(2, &[("m", &back), ("n", &known)]));
    assert_eq!((grown(&second, "m"), grown(&second, "n")), (Some(9_000), None));
    let m = PastTrade::of(&second[0]).unwrap();
    assert_eq!((m.settled_minor, m.grown_on), (12_000, date(2025, 7, 2)));
    assert!((m.share() - 0.75).abs() < 1e-12);

    let third = held(&before(second.clone()), shard(3, &[("m", &back), ("n", &known)]));
    assert_eq!(
        (grown(&third, "m"), PastTrade::of(&third[0]).unwrap().grown_on),
        (Some(8_910), date(2025, 7, 2)),
        "a hundredth is forgotten a night"
    );
    assert_eq!(grown(&held(&before(third.clone()), shard(4, &[("m", &known)])), "m"), None, "it is gone again");
    let confirmed = before(third.clone()).confirming(&BTreeSet::from(["m".to_owned()]));
    let fourth = held(&confirmed, shard(4, &[("m", &back)]));
    assert_eq!(grown(&fourth, "m"), None);
    assert_eq!(grown(&held(&before(fourth), shard(5, &[("m", &back)])), "m"), None, "what was confirmed is known");
}

#[test]
fn amounts_written_anew_and_refunds_taken_back_are_seen_like_new_orders() {
    let known = [sold(60, 1_000), Sold { refund_minor: Some(1_500), ..sold(40, 2_000) }];
    let first = held(&before(Vec::new()), shard(1, &[("m", &known)]));
    let larger = [sold(60, 100_000), known[1]];
    assert_eq!(grown(&held(&before(first.clone()), shard(2, &[("m", &larger)])), "m"), Some(99_000));
    let kept = [known[0], sold(40, 2_000)];
    assert_eq!(grown(&held(&before(first), shard(2, &[("m", &kept)])), "m"), Some(1_500));
}

#[test]
fn what_may_still_come_is_no_growth() {
    let known = [sold(60, 1_000)];
    let first = held(&before(Vec::new()), shard(1, &[("m", &known)]));
    // Completed within the two weeks before the first night, and told only tonight.
    let late = [sold(60, 1_000), sold(17, 5_000)];
    let second = held(&before(first), shard(2, &[("m", &late)]));
    assert_eq!(grown(&second, "m"), None);
    // From then on it is known.
    assert_eq!(grown(&held(&before(second), shard(9, &[("m", &late)])), "m"), None);
}

#[test]
fn what_came_to_light_is_forgotten_as_it_leaves_the_days_that_are_looked_at() {
    let on = date(2025, 7, 1);
    let before = TradeBefore { on, settled_minor: 5_000, grown_minor: 4_000, grown_on: Some(on) };
    assert_eq!(before.grown(5_000, date(2025, 7, 26), DAYS), (3_000, Some(on)));
    assert_eq!(before.grown(5_000, date(2026, 7, 1), DAYS), (0, Some(on)));
    // A late order long ago does not let what comes tonight be forgotten with it.
    let tonight = date(2025, 10, 1);
    assert_eq!(before.grown(95_000, tonight, DAYS), (90_000 + 320, Some(tonight)));
}

#[test]
fn what_was_gone_for_a_night_and_is_back_is_no_growth() {
    let known = [sold(60, 1_000), sold(40, 9_000)];
    let first = held(&before(Vec::new()), shard(1, &[("m", &known)]));
    let second = held(&before(first), shard(2, &[("m", &known[..1])]));
    assert_eq!(grown(&second, "m"), None);
    let third = held(&before(second.clone()), shard(3, &[("m", &known)]));
    assert!(grown(&third, "m").is_none_or(|minor| minor < 100), "{third:?}");
    let more = [known[0], known[1], sold(50, 7_000)];
    assert!(grown(&held(&before(second), shard(3, &[("m", &more)])), "m").is_some_and(|minor| minor >= 7_000));
}

#[test]
fn orders_of_long_ago_that_are_said_to_have_been_completed_just_now_came_to_light() {
    let known = [sold(60, 1_000)];
    let first = held(&before(Vec::new()), shard(1, &[("m", &known)]));
    let late = [known[0], Sold { days_open: 85, ..sold(95, 6_000) }];
    assert_eq!(grown(&held(&before(first.clone()), shard(2, &[("m", &late)])), "m"), Some(6_000));
    let slow = [known[0], Sold { days_open: 30, ..sold(35, 6_000) }];
    assert_eq!(
        grown(&held(&before(first), shard(2, &[("m", &slow)])), "m"),
        None,
        "some buyers take a month to confirm"
    );
}

#[test]
fn a_table_that_is_absent_hides_no_growth_of_another() {
    let known = [sold(60, 1_000)];
    let first = held(&before(Vec::new()), shard(1, &[("m", &known)]));
    let first: Vec<RememberedRows> = first.into_iter().map(|row| RememberedRows { disputes: 2, ..row }).collect();
    let back = [known[0], sold(50, 4_000)];
    let second = held(&before(first), shard(2, &[("m", &back)]));
    assert_eq!((second[0].disputes, grown(&second, "m")), (2, Some(4_000)), "there is no table of disputes");
    let third = held(&before(second), shard(3, &[("m", &[back[0], back[1], sold(45, 2_000)])]));
    assert_eq!(grown(&third, "m"), Some(5_960));
}

#[test]
fn a_merchant_who_was_not_seen_had_no_trade() {
    let old = [sold(60, 1_000)];
    let first = held(&before(Vec::new()), shard(1, &[("n", &old)]));
    let second = held(&before(first), shard(2, &[("m", &old), ("n", &old)]));
    assert_eq!((grown(&second, "m"), grown(&second, "n")), (Some(1_000), None));
}

#[test]
fn a_night_without_orders_forgets_nothing() {
    let old = [sold(60, 1_000)];
    let first = held(&before(Vec::new()), shard(1, &[("m", &old)]));
    let mut without = shard(2, &[]);
    without.tables.clear();
    let second = held(&before(first), without);
    let back = [sold(60, 1_000), sold(50, 4_000)];
    let third = held(&before(second), shard(3, &[("m", &back), ("n", &old)]));
    assert_eq!((grown(&third, "m"), grown(&third, "n")), (Some(4_000), Some(1_000)));
}

proptest! {
    /// However a merchant's orders are added to from night to night, what grew is all that was added too late, less what is forgotten every night.
    #[test]
    fn what_grew_in_parts_is_what_grew_in_all(parts in proptest::collection::vec(proptest::collection::vec((20_i64..90, 1_i64..10_000), 0..4), 1..6)) {
        let mut known = vec![sold(80, 5_000)];
        let mut rows = held(&before(Vec::new()), shard(1, &[("m", &known)]));
        let mut added = 0_i64;
        for (at, part) in parts.iter().enumerate() {
            let number = i8::try_from(at).unwrap() + 2;
            // By the night before, what was completed two weeks before it had to be known.
            let settled = |days_ago: i64| days_ago - 4 > 14 - (i64::from(number) - 2);
            added = added * (i64::from(DAYS) - 1) / i64::from(DAYS);
            added += part.iter().filter(|(days, _)| settled(*days)).map(|(_, amount)| amount).sum::<i64>();
            known.extend(part.iter().map(|(days, amount)| sold(*days, *amount)));
            rows = held(&before(rows), shard(number, &[("m", &known)]));
        }
        prop_assert_eq!(grown(&rows, "m").unwrap_or(0), added);
    }
}
