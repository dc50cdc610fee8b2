use jiff::civil::date;
use jiff::tz::TimeZone;

use super::super::rows::{Cell, Row, with_rows};
use super::*;
use crate::contract::data_type;

const DAYS: u16 = 100;

fn night(number: i8) -> AsOf {
    AsOf::new(date(2025, 7, number), TimeZone::UTC).unwrap()
}

/// An instant so many days before the first of July.
fn ago(days: i64) -> Cell {
    Cell::Number(night(1).micros() - days * MICROS_PER_DAY)
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn dispute(merchant: &str, id: &str, days_ago: i64) -> Row {
    Row::from([("dispute_id", text(id)), ("merchant_id", text(merchant)), ("opened_at", ago(days_ago))])
}

/// Disputes of two merchants, and a parcel of which only the due day is told.
fn shard(number: i8, disputes: &[Row], broken: Vec<BrokenRecord>) -> Shard {
    let table = |contract: &'static TableContract, rows: &[Row]| {
        let fields = contract.columns.iter().map(|c| Field::new(c.name.into(), data_type(c.kind)));
        let empty = DataFrame::empty_with_schema(&fields.collect::<Schema>());
        (contract.name, with_rows(contract, &empty, &[], rows.to_vec()).unwrap())
    };
    let parcel = Row::from([
        ("shipment_id", text("s1")),
        ("order_id", text("o1")),
        ("merchant_id", text("m")),
        ("ship_by_at", ago(3)),
    ]);
    let tables = BTreeMap::from([table(&DISPUTES, disputes), table(&SHIPMENTS, &[parcel])]);
    Shard { as_of: night(number), tables, earlier: BTreeMap::new(), broken }
}

fn before(rows: Vec<RememberedRows>) -> RowsBefore {
    RowsBefore::new(rows, 1, BTreeSet::new(), DAYS)
}

/// What the next night has to see, and the tables of the records that are missing.
fn held(before: &RowsBefore, mut shard: Shard) -> (Vec<RememberedRows>, Vec<String>) {
    let known = shard.broken.len();
    let remembered = before.hold_against(&mut shard, 0).unwrap();
    let missing = shard.broken.iter().filter(|record| record.rule == ROW_MISSING);
    let missing: Vec<String> = missing.map(|record| record.table.clone()).collect();
    assert_eq!(known + missing.len(), shard.broken.len());
    (remembered, missing)
}

fn row<'a>(remembered: &'a [RememberedRows], merchant: &str) -> &'a RememberedRows {
    remembered.iter().find(|row| row.merchant_id == merchant).unwrap()
}

#[test]
fn a_row_that_is_gone_is_missed_until_it_comes_back_or_is_too_old() {
    let all = [dispute("m", "d1", 40), dispute("m", "d2", 20), dispute("n", "d3", 20)];
    let (first, missing) = held(&before(Vec::new()), shard(1, &all, Vec::new()));
    assert!(missing.is_empty(), "a first night knows of nothing");
    assert_eq!((row(&first, "m").disputes, row(&first, "m").shipments, row(&first, "n").disputes), (2, 1, 1));

    let (second, missing) = held(&before(first.clone()), shard(2, &all[1..], Vec::new()));
    assert_eq!(missing, ["disputes"]);
    let m = row(&second, "m");
    assert_eq!((m.disputes, m.missing, m.missing_since_on), (2, 1, Some(date(2025, 7, 2))));
    assert_eq!(row(&second, "n").missing, 0);

    let (third, missing) = held(&before(second.clone()), shard(3, &all[1..], Vec::new()));
    assert_eq!((missing.len(), row(&third, "m").missing_since_on), (1, Some(date(2025, 7, 2))), "it is missed again");
    let (back, missing) = held(&before(third.clone()), shard(4, &all, Vec::new()));
    assert_eq!((missing.len(), row(&back, "m").missing, row(&back, "m").disputes), (0, 0, 2));

    let long_ago: Vec<RememberedRows> =
        third.into_iter().map(|row| RememberedRows { missing_since_on: Some(date(2025, 3, 1)), ..row }).collect();
    assert!(held(&before(long_ago), shard(4, &all[1..], Vec::new())).1.is_empty());
}

#[test]
fn a_merchant_of_whom_nothing_is_left_misses_all() {
    let all = [dispute("m", "d1", 40), dispute("n", "d3", 20)];
    let (first, _) = held(&before(Vec::new()), shard(1, &all, Vec::new()));
    let (second, missing) = held(&before(first), shard(2, &all[..1], Vec::new()));
    assert_eq!((missing.len(), row(&second, "n").disputes, row(&second, "n").missing), (1, 1, 1));
}

#[test]
fn every_row_that_is_missing_is_a_broken_record() {
    let ids: Vec<String> = (0..60).map(|n| format!("d{n}")).collect();
    let all: Vec<_> = ids.iter().map(|id| dispute("m", id, 20)).collect();
    let (first, _) = held(&before(Vec::new()), shard(1, &all, Vec::new()));
    let (_, missing) = held(&before(first), shard(2, &all[50..], Vec::new()));
    assert_eq!(missing.len(), 50, "or a shop that lacks most of a table would pass for nearly whole");
}

#[test]
fn rows_that_wait_in_quarantine_or_come_late_or_fall_out_of_the_days_are_not_missed() {
    let all = [dispute("m", "d1", 99), dispute("m", "d2", 20)];
    let (first, _) = held(&before(Vec::new()), shard(1, &all, Vec::new()));
    assert_eq!(row(&first, "m").disputes, 2);
    let quarantined = BrokenRecord {
        table: "disputes".to_owned(),
        merchant_id: Some("m".to_owned()),
        known_at: Some(night(1).micros()),
        ..BrokenRecord::default()
    };
    let (_, missing) = held(&before(first.clone()), shard(2, &all[..1], vec![quarantined]));
    assert!(missing.is_empty());
    // A week later the oldest is beyond the days of that night, and counts for the night that knew it.
    let (later, missing) = held(&before(first.clone()), shard(8, &all, Vec::new()));
    assert_eq!((missing.len(), row(&later, "m").disputes), (0, 1));
    let more = [dispute("m", "d0", 50), dispute("m", "d1", 99), dispute("m", "d2", 20)];
    assert!(held(&before(first), shard(2, &more, Vec::new())).1.is_empty());
}

#[test]
fn a_record_that_cannot_be_read_is_missed_when_it_is_gone_and_makes_up_for_no_other() {
    let of_day = |key: Option<&str>, days_ago: Option<i64>| BrokenRecord {
        table: "disputes".to_owned(),
        merchant_id: Some("m".to_owned()),
        key: key.map(str::to_owned),
        known_at: Some(night(1).micros() - 5 * MICROS_PER_DAY),
        event_at: days_ago.map(|days| night(1).micros() - days * MICROS_PER_DAY),
        ..BrokenRecord::default()
    };
    let sound = [dispute("m", "d1", 40), dispute("m", "d2", 20)];
    let standing = vec![of_day(Some("d3"), Some(10))];
    let (first, _) = held(&before(Vec::new()), shard(1, &sound, standing.clone()));
    assert_eq!(row(&first, "m").disputes, 3);
    let lost = |sound: &[Row], broken: Vec<BrokenRecord>| held(&before(first.clone()), shard(2, sound, broken)).1.len();
    assert_eq!(lost(&sound, standing.clone()), 0);
    assert_eq!(lost(&sound[1..], standing.clone()), 1, "what has been broken all along makes up for nothing");
    assert_eq!(lost(&sound, Vec::new()), 1, "what could not be read is gone");
    let mended = [dispute("m", "d1", 40), dispute("m", "d2", 20), dispute("m", "d3", 10)];
    assert_eq!(lost(&mended, Vec::new()), 0, "a record that is put right is there");

    // One that does not say when it was is no row of these days, and may be one that was there: tomorrow it may say that it is of tonight.
    let (with_undated, _) = held(&before(Vec::new()), shard(1, &sound, vec![of_day(None, None)]));
    assert_eq!(row(&with_undated, "m").disputes, 2);
    let dated = BrokenRecord { event_at: Some(night(1).micros() + 1), ..of_day(None, None) };
    assert!(held(&before(with_undated), shard(2, &sound, vec![dated])).1.is_empty());
    assert_eq!(lost(&sound[1..], [&standing[..], &[of_day(Some("d1"), None)]].concat()), 0, "its day broke in place");

    // Broken in place, then gone.
    let in_place = [&standing[..], &[of_day(Some("d2"), Some(20))]].concat();
    let (second, missing) = held(&before(first.clone()), shard(2, &sound[..1], in_place));
    assert!(missing.is_empty());
    assert_eq!(held(&before(second), shard(3, &sound[..1], standing.clone())).1, ["disputes"]);

    // A newer version that cannot be read, beside the sound one before it, is no row more; nor is a second one.
    let newer = [&standing[..], &[of_day(Some("d1"), Some(40)), of_day(Some("d3"), Some(10))]].concat();
    let (with_newer, _) = held(&before(Vec::new()), shard(1, &sound, newer));
    assert_eq!(row(&with_newer, "m").disputes, 3);
    // One of long before these days, or that was known to be broken before them, is of no day of theirs.
    let old = BrokenRecord { known_at: Some(0), ..of_day(None, None) };
    let (with_old, _) = held(&before(Vec::new()), shard(1, &sound, vec![of_day(Some("d0"), Some(120)), old]));
    assert_eq!(row(&with_old, "m").disputes, 2);
}

#[test]
fn a_parcel_keeps_its_day_when_more_of_it_is_told() {
    let (first, _) = held(&before(Vec::new()), shard(1, &[], Vec::new()));
    let mut sent = shard(2, &[], Vec::new());
    let frame = sent.tables.get_mut("shipments").unwrap();
    let shipped = Int64Chunked::from_slice("shipped_at".into(), &[night(1).micros()]);
    let dtype = frame.column("shipped_at").unwrap().dtype().clone();
    frame.with_column(shipped.into_series().cast(&dtype).unwrap().into_column()).unwrap();
    assert!(held(&before(first), sent).1.is_empty());
}

#[test]
fn absent_tables_and_allowed_losses_are_not_missed_and_the_former_are_not_forgotten() {
    let all = [dispute("m", "d1", 40)];
    let (first, _) = held(&before(Vec::new()), shard(1, &all, Vec::new()));
    let allowed = RowsBefore::new(first.clone(), 1, ["disputes".to_owned()].into(), DAYS);
    let (after, missing) = held(&allowed, shard(2, &[], Vec::new()));
    assert_eq!((missing.len(), row(&after, "m").disputes), (0, 0), "what may be gone is forgotten");

    let mut without = shard(2, &[], Vec::new());
    without.tables.remove("disputes");
    let (second, missing) = held(&before(first.clone()), without);
    assert_eq!((missing.len(), row(&second, "m").disputes), (0, 1));
    assert_eq!(held(&before(second), shard(3, &[], Vec::new())).1, ["disputes"]);
    // Its oldest row has left the days of tonight meanwhile, and was counted over others.
    let old = [dispute("m", "d1", 100)];
    let (first_of_old, _) = held(&before(Vec::new()), shard(1, &old, Vec::new()));
    assert_eq!(row(&first_of_old, "m").disputes, 1);
    let mut without = shard(2, &[], Vec::new());
    without.tables.remove("disputes");
    let (second, _) = held(&before(first_of_old), without);
    assert!(held(&before(second), shard(3, &old, Vec::new())).1.is_empty());

    let off = RowsBefore::new(first, 1, BTreeSet::new(), 0);
    assert_eq!(held(&off, shard(2, &[], Vec::new())), (Vec::new(), Vec::new()));
}
