//! Broken evidence: the newest version of a key counts, whom a broken record concerns, and ranges.

use std::fs;

use integrity::contract::{self, Type};
use integrity::store::BrokenRecord;
use integrity::wash::Ingested;
use jiff::civil::{Date, date};
use polars::prelude::*;

use super::world::World;
use super::{assert_names, records_as_of, rows_as_of, write_parquet};

const AS_OF: Date = date(2018, 4, 1);

/// One sound row of merchant M1 in every table, all recorded on 1 March: header and cells.
const ROWS: [(&str, &str, &str); 11] = [
    ("merchants", "merchant_id,registered_at,category,region", "M1,2018-01-01 00:00:00,toys,SP"),
    (
        "orders",
        "order_id,merchant_id,buyer_id,placed_at,amount_minor,currency",
        "O1,M1,B1,2018-02-01 00:00:00,1000,CNY",
    ),
    ("shipments", "shipment_id,order_id,shipped_at,merchant_id", "S1,O1,2018-02-02 00:00:00,M1"),
    ("reviews", "review_id,order_id,merchant_id,buyer_id,created_at,stars", "R1,O1,M1,B1,2018-02-03 00:00:00,5"),
    (
        "disputes",
        "dispute_id,order_id,merchant_id,opened_at,kind,amount_minor",
        "D1,O1,M1,2018-02-04 00:00:00,other,10",
    ),
    (
        "loans",
        "loan_id,merchant_id,product,disbursed_at,principal_minor,term_days,daily_rate_ppm,repayment",
        "L1,M1,credit-loan,2018-02-05 00:00:00,5000,90,500,bullet",
    ),
    ("instalments", "loan_id,number,due_on,principal_minor,interest_minor,fee_minor", "L1,1,2018-05-06,5000,20,0"),
    ("payments", "payment_id,loan_id,paid_at,amount_minor,channel", "P1,L1,2018-02-20 00:00:00,100,voluntary"),
    (
        "applications",
        "application_id,merchant_id,applied_at,product,requested_minor",
        "A1,M1,2018-02-21 00:00:00,credit-loan,10",
    ),
    ("inventory", "merchant_id,on,stock_value_minor,cost_of_sales_minor", "M1,2018-02-22,500,60"),
    ("guarantee_groups", "group_id,merchant_id,joined_at", "G1,M1,2018-02-23 00:00:00"),
];

fn key_of(table: &str, cells: &str) -> String {
    cells.split(',').take(contract::table(table).unwrap().key.len()).collect::<Vec<_>>().join("|")
}

/// The world of [`ROWS`], and below the row of `table` the lines of `again`.
fn world(table: &str, again: &[String]) -> World {
    let world = World::new("csv");
    for (name, header, cells) in ROWS {
        let mut text = format!("{header},recorded_at\n{cells},2018-03-01 00:00:00\n");
        for line in again.iter().filter(|_| name == table) {
            text.extend([line, "\n"]);
        }
        world.csv(&format!("{name}.csv"), &text);
    }
    world
}

/// What washing made, with the folder that its store lies in.
struct Kept {
    made: Ingested,
    _world: World,
}

impl std::ops::Deref for Kept {
    type Target = Ingested;

    fn deref(&self) -> &Ingested {
        &self.made
    }
}

fn washed(world: World) -> Kept {
    Kept { made: world.run(AS_OF).unwrap(), _world: world }
}

/// The cells with the last one replaced, and a stamp.
fn version(cells: &str, last: &str, recorded: &str) -> String {
    let (before, _) = cells.rsplit_once(',').unwrap();
    format!("{before},{last},{recorded}")
}

fn counts(made: &Ingested, table: &str) -> (u64, u64, u64, u64) {
    let line = made.ledger.iter().find(|l| l.table == table).unwrap();
    assert!(line.balances());
    (line.kept, line.not_yet_visible, line.quarantined, line.duplicate)
}

#[test]
fn the_newest_version_being_broken_makes_the_key_unusable_in_every_table() {
    let before = date(2018, 3, 5);
    for (table, _, cells) in ROWS {
        let key = key_of(table, cells);
        let record = |made: &Ingested, day| -> Option<BrokenRecord> {
            records_as_of(&made.store, day).into_iter().find(|r| r.table == table && r.key.as_deref() == Some(&key))
        };

        let made = washed(world(table, &[version(cells, "", "2018-03-10 00:00:00")]));
        assert_eq!(counts(&made, table), (0, 0, 1, 1), "{table}");
        assert_eq!(rows_as_of(&made.store, table, AS_OF).height(), 0, "{table}: the older version is live");
        assert_eq!(rows_as_of(&made.store, table, before).height(), 1, "{table}: it was sound until then");
        let found = record(&made, AS_OF).unwrap();
        assert_eq!((found.merchant_id.as_deref(), found.rule.as_str()), (Some("M1"), "required-null"), "{table}");
        assert_eq!(record(&made, before), None, "{table}: not known yet");

        // Equal stamps, and a stamp that nobody can read: the broken one counts as the newer.
        for stamp in ["2018-03-01 00:00:00", "yesterday", "1066-10-14 00:00:00"] {
            let made = washed(world(table, &[version(cells, "", stamp)]));
            assert_eq!(rows_as_of(&made.store, table, AS_OF).height(), 0, "{table}: {stamp}");
            assert!(record(&made, AS_OF).is_some(), "{table}: {stamp}");
        }

        // A broken version that is older, one that is mended, and one that lies in the future take nothing away.
        let sound = cells.rsplit_once(',').unwrap().1;
        for again in [
            vec![version(cells, "", "2018-02-25 00:00:00")],
            vec![version(cells, "", "2018-03-10 00:00:00"), version(cells, sound, "2018-03-20 00:00:00")],
            vec![version(cells, "", "2018-04-01 00:00:00")],
        ] {
            let made = washed(world(table, &again));
            assert_eq!(rows_as_of(&made.store, table, AS_OF).height(), 1, "{table}: {again:?}");
            assert_eq!(record(&made, AS_OF), None, "{table}: {again:?}");
        }
    }
}

#[test]
fn a_version_that_says_it_was_recorded_before_its_own_event_is_broken_and_the_newest() {
    for (table, header, cells) in ROWS {
        let contract = contract::table(table).unwrap();
        let Some(event) = contract.visibility.event().filter(|event| !contract.key.contains(event)) else { continue };
        let at = header.split(',').position(|column| column == event).unwrap();
        let key = key_of(table, cells);
        let with_event = |event: &str, recorded: &str| {
            let mut cells: Vec<&str> = cells.split(',').collect();
            cells[at] = event;
            format!("{},{recorded}", cells.join(","))
        };
        let sees = |again: &str, day: Date| {
            let made = washed(world(table, &[again.to_owned()]));
            let is_broken = |r: &BrokenRecord| r.key.as_deref() == Some(&key) && r.merchant_id.as_deref() == Some("M1");
            let record = records_as_of(&made.store, day).into_iter().find(is_broken);
            (rows_as_of(&made.store, table, day).height(), record.map(|r| r.rule), counts(&made, table))
        };

        // The event lies after as-of, and before it: what counts is that it lies after the stamp.
        for event in ["2018-05-01 00:00:00", "2019-03-10 00:00:00", "2018-03-20 00:00:00"] {
            let again = with_event(event, "2018-03-10 00:00:00");
            let broken = (0, Some("recorded-before-event".to_owned()), (0, 0, 1, 1));
            assert_eq!(sees(&again, AS_OF), broken, "{table}: {event}");
            assert_eq!(sees(&again, date(2018, 3, 5)).0, 1, "{table}: it was sound until then");
        }
        // Within a day it waits, as does what was not recorded before as-of, and what has no stamp.
        for (event, recorded) in [
            ("2018-04-01 12:00:00", "2018-03-31 12:00:00"),
            ("2018-05-01 00:00:00", "2018-04-01 00:00:00"),
            ("2018-05-01 00:00:00", ""),
        ] {
            assert_eq!(
                sees(&with_event(event, recorded), AS_OF),
                (1, None, (2, 1, 0, 0)),
                "{table}: {event}, {recorded}"
            );
        }
    }
}

/// The world of [`ROWS`] with another row of one table, which does not say when it was recorded.
fn world_with(table: &str, row: &str) -> World {
    let world = world("", &[]);
    let (_, header, _) = ROWS.iter().find(|(name, ..)| *name == table).unwrap();
    world.csv(&format!("{table}.csv"), &format!("{header},recorded_at\n{row},\n"));
    world
}

/// Cells of the row of a table, with what they say instead.
fn row_with(table: &str, instead: &[(&str, &str)]) -> String {
    let (_, header, cells) = ROWS.iter().find(|(name, ..)| *name == table).unwrap();
    let said = |column: &str| instead.iter().find(|(name, _)| *name == column).map(|(_, cell)| *cell);
    header
        .split(',')
        .zip(cells.split(','))
        .map(|(column, cell)| said(column).unwrap_or(cell))
        .collect::<Vec<_>>()
        .join(",")
}

#[test]
fn a_loan_that_others_name_before_its_own_event_is_broken_and_leads_to_its_merchant() {
    for (table, event, children) in [("loans", "disbursed_at", &["instalments", "payments"][..])] {
        let ahead = row_with(table, &[(event, "2019-02-05 00:00:00")]);
        let made = washed(world_with(table, &ahead));
        assert_eq!(counts(&made, table), (0, 0, 1, 0), "{table}");
        assert_eq!(super::broken(&super::quarantined(&made, table), "rule"), [Some("named-before-event".to_owned())]);
        let records = records_as_of(&made.store, AS_OF);
        for name in children.iter().chain([&table]) {
            let record = records.iter().find(|r| r.table == *name).unwrap();
            assert_eq!(record.merchant_id.as_deref(), Some("M1"), "{name} of {table}");
        }
        assert!(made.unattributed.is_empty(), "{:?}", made.unattributed);
        // The children were recorded on the first of March: until then nobody knew.
        for (day, hidden) in [(date(2018, 3, 1), 1), (date(2018, 3, 2), 0)] {
            let made = world_with(table, &ahead).run(day).unwrap();
            assert_eq!(counts(&made, table).1, hidden, "{table} on {day}");
        }
        // A row that is recorded later is not known, whoever names it; nor is one of the future that nobody names, or that follows a day later.
        let world = world_with(table, &ahead);
        let text = fs::read_to_string(world.data(&format!("{table}.csv"))).unwrap();
        world.csv(
            &format!("{table}.csv"),
            &text.replacen(&format!("{ahead},"), &format!("{ahead},2018-04-02 00:00:00"), 1),
        );
        assert_eq!(counts(&washed(world), table), (1, 1, 0, 0), "{table}: recorded later");
        let unnamed = world_with(table, &ahead);
        for child in children {
            let (_, header, _) = ROWS.iter().find(|(name, ..)| name == child).unwrap();
            unnamed.csv(&format!("{child}.csv"), &format!("{header},recorded_at\n"));
        }
        assert_eq!(counts(&washed(unnamed), table), (1, 1, 0, 0), "{table}: nobody names it");
        // An earlier version of it explains its children.
        let world = world_with(table, &ahead);
        let text = fs::read_to_string(world.data(&format!("{table}.csv"))).unwrap();
        world.csv(&format!("{table}.csv"), &format!("{text}{},\n", row_with(table, &[])));
        assert_eq!(counts(&washed(world), table), (2, 1, 0, 0), "{table}: another version");
    }
}

#[test]
fn a_row_of_which_a_milestone_lies_before_its_event_is_broken_whenever_the_event_is() {
    for (table, event, milestone, more, rule) in [
        ("merchants", "registered_at", "closed_at", "", "closed-before-registered"),
        ("orders", "placed_at", "completed_at", "", "completed-before-placed"),
        ("orders", "placed_at", "refunded_at", "", "refunded-before-placed"),
        ("disputes", "opened_at", "closed_at", "", "closed-before-opened"),
        ("loans", "disbursed_at", "written_off_at", "", "written-off-before-disbursed"),
        ("payments", "paid_at", "reversed_at", "", "reversed-before-paid"),
        ("guarantee_groups", "joined_at", "left_at", "", "left-before-joined"),
        ("shipments", "shipped_at", "delivered_at", "", "delivered-before-shipped"),
    ] {
        let (_, header, _) = ROWS.iter().find(|(name, ..)| *name == table).unwrap();
        for ahead in ["2018-03-20 00:00:00", "2018-04-01 00:00:00", "2019-02-05 00:00:00"] {
            let world = world("", &[]);
            let of_children: Vec<&str> = ["shipments", "reviews", "disputes", "instalments", "payments"]
                .into_iter()
                .filter(|child| *child != table)
                .collect();
            for child in of_children {
                let (_, header, _) = ROWS.iter().find(|(name, ..)| *name == child).unwrap();
                world.csv(&format!("{child}.csv"), &format!("{header},recorded_at\n"));
            }
            let row = row_with(table, &[(event, ahead)]);
            world.csv(
                &format!("{table}.csv"),
                &format!("{header},{milestone}{more}\n{row},2018-03-10 00:00:00{more}\n"),
            );
            let made = washed(world);
            assert_eq!(counts(&made, table), (0, 0, 1, 0), "{table}: {ahead}");
            assert_eq!(super::broken(&super::quarantined(&made, table), "rule"), [Some(rule.to_owned())], "{ahead}");
            let found = |day| records_as_of(&made.store, day).into_iter().find(|r| r.table == table);
            let record = found(AS_OF).unwrap();
            assert_eq!(record.merchant_id.as_deref(), Some("M1"), "{table}: {ahead}");
            if ahead > "2018-03-10" && table != "shipments" {
                assert_eq!(found(date(2018, 3, 10)), None, "{table}: not known before {milestone}");
                assert!(found(date(2018, 3, 11)).is_some(), "{table}: known since {milestone}");
            }
        }
    }
}

#[test]
fn a_version_whose_stamp_precedes_what_every_version_reports_is_the_newest() {
    for (table, column, otherwise) in [
        ("orders", "amount_minor", "900"),
        ("reviews", "stars", "1"),
        ("disputes", "kind", "counterfeit"),
        ("loans", "principal_minor", "6000"),
        ("payments", "amount_minor", "50"),
        ("applications", "requested_minor", "20"),
        ("merchants", "region", "RJ"),
    ] {
        let again = |recorded: &str| format!("{},{recorded}", row_with(table, &[(column, otherwise)]));
        let rows = |made: &Ingested, day| rows_as_of(&made.store, table, day).height();
        // Nobody can say that the clean version is the newer, nor that a later one is.
        let clean_again = format!("{},2018-03-20 00:00:00", row_with(table, &[]));
        for lines in [vec![again("1990-01-01 00:00:00")], vec![again("2017-03-10 00:00:00"), clean_again]] {
            let made = washed(world(table, &lines));
            assert_eq!(rows(&made, AS_OF), 0, "{table}: {lines:?}");
            let record = records_as_of(&made.store, AS_OF).into_iter().find(|r| r.table == table).unwrap();
            assert_eq!(record.merchant_id.as_deref(), Some("M1"));
            assert_eq!(record.rule, "recorded-before-event");
        }
        assert_eq!(rows(&washed(world(table, &[again("2018-03-10 00:00:00")])), AS_OF), 1, "{table}");
    }
    // Where the event is what was mistyped, the stamp orders the versions.
    let ahead = format!("{},2018-03-10 00:00:00", row_with("orders", &[("placed_at", "2019-02-01 00:00:00")]));
    let mended = format!("{},2018-03-20 00:00:00", row_with("orders", &[("amount_minor", "1001")]));
    assert_eq!(counts(&washed(world("orders", std::slice::from_ref(&ahead))), "orders"), (0, 0, 1, 1));
    assert_eq!(counts(&washed(world("orders", &[ahead, mended])), "orders"), (1, 0, 1, 1));
}

#[test]
fn a_version_recorded_before_its_milestone_is_mended_by_one_that_reports_the_milestone_and_no_other() {
    let header = format!("{},refunded_at,recorded_at", ROWS[1].1);
    let cells = ROWS[1].2;
    let made = |more: &[&str]| {
        let world = world("", &[]);
        let lines: String = more.iter().flat_map(|line| [cells, ",", line, "\n"]).collect();
        world.csv("orders.csv", &format!("{header}\n{cells},,2018-03-01 00:00:00\n{lines}"));
        washed(world)
    };
    let usable = |more: &[&str]| rows_as_of(&made(more).store, "orders", AS_OF).height();
    // Recorded on 15 February, it says what happened on 10 March; the clean version is of 1 March.
    let refund = "2018-03-10 00:00:00,2018-02-15 00:00:00";
    assert_eq!(usable(&[refund]), 0, "the clean version may be the older one");
    assert_eq!(usable(&[refund, ",2018-03-20 00:00:00"]), 0, "it says nothing of the refund");
    assert_eq!(usable(&[refund, "2018-03-09 00:00:00,2018-03-20 00:00:00"]), 1, "settled");
    let ahead = "2018-05-10 00:00:00,2018-03-15 00:00:00";
    assert_eq!((usable(&[ahead]), usable(&[ahead, "2018-03-12 00:00:00,2018-03-20 00:00:00"])), (0, 1));
}

#[test]
fn a_dispute_that_is_no_lawsuit_names_its_order() {
    for (kind, kept) in [("other", 0), ("counterfeit", 0), ("lawsuit", 1)] {
        let made = washed(world_with("disputes", &row_with("disputes", &[("order_id", ""), ("kind", kind)])));
        assert_eq!(counts(&made, "disputes"), (kept, 0, 1 - kept, 0), "{kind}");
        if kept == 0 {
            assert_eq!(
                super::broken(&super::quarantined(&made, "disputes"), "rule"),
                [Some("order-not-named".to_owned())]
            );
            let records = records_as_of(&made.store, AS_OF);
            assert!(records.iter().any(|r| r.table == "disputes" && r.merchant_id.as_deref() == Some("M1")));
        }
    }
}

/// For each table a cell of its row in [`ROWS`] by position, and what another version says in its place.
const OTHERWISE: [(&str, usize, &str); 11] = [
    ("merchants", 2, "books"),
    ("orders", 4, "9000"),
    ("shipments", 2, "2018-02-01 00:00:00"),
    ("reviews", 5, "1"),
    ("disputes", 5, "90"),
    ("loans", 4, "5001"),
    ("instalments", 4, "0"),
    ("payments", 3, "900"),
    ("applications", 4, "11"),
    ("inventory", 3, "61"),
    ("guarantee_groups", 2, "2018-02-22 00:00:00"),
];

fn otherwise(table: &str, cells: &str, recorded: &str) -> String {
    let (_, at, text) = OTHERWISE.iter().find(|(name, ..)| *name == table).unwrap();
    let mut cells: Vec<&str> = cells.split(',').collect();
    cells[*at] = text;
    format!("{},{recorded}", cells.join(","))
}

#[test]
fn two_sound_versions_of_one_instant_that_contradict_each_other_make_the_key_unusable_in_every_table() {
    let same = "2018-03-01 00:00:00";
    for (table, header, cells) in ROWS {
        let key = key_of(table, cells);
        let of_key = |made: &Ingested, day| -> Vec<BrokenRecord> {
            let records = records_as_of(&made.store, day).into_iter();
            records.filter(|r| r.table == table && r.key.as_deref() == Some(&key)).collect()
        };
        let made = washed(world(table, &[otherwise(table, cells, same)]));
        assert_eq!(counts(&made, table), (0, 0, 2, 0), "{table}");
        assert_eq!(rows_as_of(&made.store, table, AS_OF).height(), 0, "{table}: one of them is live");
        assert_eq!(
            super::broken(&super::quarantined(&made, table), "rule"),
            vec![Some("versions-contradict".to_owned()); 2]
        );
        let (_, at, text) = OTHERWISE.iter().find(|(name, ..)| *name == table).unwrap();
        let column = header.split(',').nth(*at).map(str::to_owned);
        assert_eq!(super::broken(&super::quarantined(&made, table), "column"), vec![column; 2], "{table}");
        let values = super::broken(&super::quarantined(&made, table), "value");
        assert_eq!(values.len(), 2);
        assert!(values.iter().any(|v| v.as_deref().is_some_and(|v| v.starts_with(&text[..1]))), "{table}: {values:?}");
        let records = of_key(&made, AS_OF);
        assert_eq!(records.len(), 1, "{table}: {records:?}");
        assert_eq!((records[0].merchant_id.as_deref(), &*records[0].rule), (Some("M1"), "versions-contradict"));

        // A version recorded later settles it, and says nothing of the days before.
        let settled = version(cells, cells.rsplit_once(',').unwrap().1, "2018-03-20 00:00:00");
        let made = washed(world(table, &[otherwise(table, cells, same), settled]));
        assert_eq!(counts(&made, table), (1, 0, 2, 0), "{table}");
        assert_eq!(of_key(&made, AS_OF), [], "{table}");
        let between = date(2018, 3, 10);
        assert_eq!(rows_as_of(&made.store, table, between).height(), 0, "{table}");
        assert_eq!(of_key(&made, between).len(), 1, "{table}");

        // One that is recorded later contradicts nothing: it is the newer.
        let made = washed(world(table, &[otherwise(table, cells, "2018-03-02 00:00:00")]));
        assert_eq!(counts(&made, table), (1, 0, 0, 1), "{table}");
    }
}

#[test]
fn what_hangs_on_a_contradicted_key_follows_it() {
    for (table, cells, children) in [
        ("loans", ROWS[5].2, &["instalments", "payments"][..]),
        ("orders", ROWS[1].2, &["shipments", "reviews", "disputes"]),
    ] {
        let made = washed(world(table, &[otherwise(table, cells, "2018-03-01 00:00:00")]));
        for child in children {
            assert_eq!(counts(&made, child), (0, 0, 1, 0), "{child} of {table}");
            assert_eq!(
                super::broken(&super::quarantined(&made, child), "rule"),
                [Some("parent-quarantined".to_owned())]
            );
        }
    }
}

#[test]
fn versions_without_a_stamp_are_of_one_instant_each_known_from_its_own_event() {
    let stamped = ",2018-03-01 00:00:00";
    let payments = |again: &str| {
        let world = world("", &[]);
        let text = fs::read_to_string(world.data("payments.csv")).unwrap().replace(stamped, ",");
        world.csv("payments.csv", &(text + again));
        washed(world)
    };
    let paid = |made: &Ingested, day| rows_as_of(&made.store, "payments", day).height();
    let made = payments("P1,L1,2018-03-10 00:00:00,900,voluntary,\n");
    assert_eq!(counts(&made, "payments"), (0, 0, 2, 0));
    assert_eq!(
        (paid(&made, date(2018, 3, 10)), paid(&made, date(2018, 3, 11))),
        (1, 0),
        "the second payment contradicts"
    );
    // A milestone is a contradiction from its own day: until then the version that was not reversed says the same.
    let world = world("", &[]);
    let paid_once = "P1,L1,2018-02-20 00:00:00,100,voluntary";
    world.csv(
        "payments.csv",
        &format!(
            "payment_id,loan_id,paid_at,amount_minor,channel,reversed_at\n{paid_once},2018-03-05 00:00:00\n{paid_once},2018-03-15 00:00:00\n"
        ),
    );
    let made = washed(world);
    let reversed = |day| {
        let rows = rows_as_of(&made.store, "payments", day);
        (rows.height(), rows.height() - rows.column("reversed_at").unwrap().null_count())
    };
    assert_eq!(reversed(date(2018, 3, 5)), (1, 0));
    assert_eq!(reversed(date(2018, 3, 15)), (1, 1), "only the first reversal is known");
    assert_eq!(reversed(date(2018, 3, 16)), (0, 0));
}

#[test]
fn what_hangs_on_an_unusable_key_follows_it() {
    for (table, cells, children) in [
        ("loans", ROWS[5].2, &["instalments", "payments"][..]),
        ("orders", ROWS[1].2, &["shipments", "reviews", "disputes"]),
        ("merchants", ROWS[0].2, &["orders", "shipments", "loans", "payments", "inventory", "guarantee_groups"]),
    ] {
        let made = washed(world(table, &[version(cells, "", "2018-03-10 00:00:00")]));
        let records = records_as_of(&made.store, AS_OF);
        for child in children {
            assert_eq!(counts(&made, child), (0, 0, 1, 0), "{child} of {table}");
            assert_eq!(
                rows_as_of(&made.store, child, date(2018, 3, 5)).height(),
                1,
                "{child} of {table} was sound until then"
            );
            let record = records.iter().find(|r| r.table == *child).unwrap();
            assert_eq!((record.rule.as_str(), record.merchant_id.as_deref()), ("parent-quarantined", Some("M1")));
            assert_eq!(
                record.loan_id.as_deref(),
                (["instalments", "payments", "loans"].contains(child)).then_some("L1")
            );
        }
        assert!(records_as_of(&made.store, date(2018, 3, 5)).is_empty());
    }
}

#[test]
fn a_version_that_repeats_the_one_before_it_is_none() {
    for (table, _, cells) in ROWS {
        let sound = cells.rsplit_once(',').unwrap().1;
        let made = washed(world(table, &[version(cells, sound, "2018-03-10 00:00:00")]));
        assert_eq!(counts(&made, table), (1, 0, 0, 1), "{table}");
        let rows = rows_as_of(&made.store, table, AS_OF);
        let recorded = rows.column("recorded_at").unwrap().datetime().unwrap().physical().get(0);
        assert_eq!(recorded, Some(1_519_862_400_000_000), "{table}: the first recorded_at stays");
    }
}

#[test]
fn a_malformed_record_breaks_the_key_that_it_seems_to_have() {
    let made = washed(world(
        "loans",
        &["L1,M1,credit-loan,2018-02-05 00:00:00,5000,90,500,\"bullet,2018-03-10 00:00:00".to_owned()],
    ));
    assert_eq!(counts(&made, "loans"), (0, 0, 1, 1));
    let records = records_as_of(&made.store, AS_OF);
    let loan = records.iter().find(|r| r.table == "loans").unwrap();
    assert_eq!((loan.merchant_id.as_deref(), loan.loan_id.as_deref()), (Some("M1"), Some("L1")));
    assert_eq!((loan.rule.as_str(), loan.known_at), ("stray-quote", None));
    let values = super::broken(&super::quarantined(&made, "loans"), "value");
    assert_names(values[0].as_deref().unwrap(), &["at byte", "quote"]);
    // Of a loan that nobody knows otherwise, its borrower is still told.
    let made = washed(world("loans", &["L2,M1,credit-loan".to_owned()]));
    let records = records_as_of(&made.store, AS_OF);
    assert!(
        records.iter().any(|r| r.loan_id.as_deref() == Some("L2") && r.merchant_id.as_deref() == Some("M1")),
        "{records:?}"
    );
    assert_eq!(counts(&made, "loans"), (1, 0, 1, 0));
}

#[test]
fn what_leads_to_no_merchant_is_not_forgotten() {
    let made = washed(world("payments", &["P2,L9,2018-02-20 00:00:00,100,voluntary,".to_owned(), "?".to_owned()]));
    let found: Vec<_> =
        made.unattributed.iter().map(|r| (r.table.as_str(), r.rule.as_str(), r.loan_id.as_deref())).collect();
    assert_eq!(found, [("payments", "wrong-cell-count", None), ("payments", "parent-missing", Some("L9"))]);
    // Two versions that name two merchants lead to both.
    let merchant = world("merchants", &["M2,2018-01-01 00:00:00,toys,SP,2018-03-01 00:00:00".to_owned()]);
    let text = fs::read_to_string(merchant.data("loans.csv")).unwrap();
    merchant.csv("loans.csv", &(text + "L1,M2,credit-loan,2018-02-05 00:00:00,,90,500,bullet,2018-03-10 00:00:00\n"));
    let made = washed(merchant);
    let records = records_as_of(&made.store, AS_OF);
    let mut named: Vec<_> =
        records.iter().filter(|r| r.table == "loans").map(|r| r.merchant_id.as_deref().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, ["M1", "M2"]);
}

#[test]
fn a_schedule_is_known_from_disbursement_and_a_changed_one_from_its_stamp() {
    let world = world(
        "instalments",
        &[
            "L1,1,2018-08-01,5000,90,0,2018-03-10 00:00:00".to_owned(),
            "L1,2,2018-09-01,1,0,0,2018-03-10 00:00:00".to_owned(),
        ],
    );
    let made = world.run(AS_OF).unwrap();
    let due = |day| -> Vec<String> {
        let rows = rows_as_of(&made.store, "instalments", day);
        let days = rows.column("due_on").unwrap().date().unwrap().physical().clone();
        let numbers = rows.column("number").unwrap().i64().unwrap().clone();
        numbers.iter().zip(days.iter()).map(|(n, d)| format!("{} on {}", n.unwrap(), d.unwrap())).collect()
    };
    assert_eq!(due(date(2018, 2, 5)), [""; 0], "not disbursed yet");
    assert_eq!(due(date(2018, 3, 5)), ["1 on 17657"], "the schedule of then, its future part included");
    assert_eq!(due(AS_OF), ["1 on 17744", "2 on 17775"]);
}

#[test]
fn no_number_and_no_date_is_too_strange_to_be_judged() {
    let strange = |kind: Type| -> &[(&str, &str)] {
        match kind {
            Type::Instant => &[
                ("1800-01-01 00:00:00", "out-of-range"),
                ("2999-12-31 23:59:59", "out-of-range"),
                ("9999-12-31 00:00:00", "out-of-range"),
                ("-9999-01-01 00:00:00", "type-unreadable"),
                ("99999999999999", "type-unreadable"),
            ],
            Type::Day => &[
                ("1800-01-01", "out-of-range"),
                ("2100-01-02", "out-of-range"),
                ("9999-12-31", "out-of-range"),
                ("29350-01-01", "type-unreadable"),
            ],
            Type::Money | Type::Integer => &[
                ("9223372036854775807", "out-of-range"),
                ("-9223372036854775808", "out-of-range"),
                ("1000000000000001", "out-of-range"),
                ("9223372036854775808", "type-unreadable"),
                ("1e300", "type-unreadable"),
                ("NaN", "type-unreadable"),
            ],
            _ => &[],
        }
    };
    for table in contract::TABLES {
        let (_, header, cells) = ROWS.iter().find(|(name, ..)| *name == table.name).unwrap();
        for column in table.columns {
            for (value, rule) in strange(column.kind) {
                let mut names: Vec<&str> = header.split(',').collect();
                let mut row: Vec<&str> = cells.split(',').collect();
                if let Some(at) = names.iter().position(|name| *name == column.name) {
                    row[at] = value;
                } else {
                    names.push(column.name);
                    row.push(value);
                }
                let world = world("", &[]);
                world.csv(&format!("{}.csv", table.name), &format!("{}\n{}\n", names.join(","), row.join(",")));
                let made = world.run(AS_OF).unwrap();
                let rules = super::broken(&super::quarantined(&made, table.name), "rule");
                assert_eq!(rules, [Some((*rule).to_owned())], "{}.{} = {value}", table.name, column.name);
            }
        }
    }
}

#[test]
fn typed_columns_beyond_the_range_are_quarantined_too() {
    let orders = |placed: Column, amount: Column| {
        let world = World::new("parquet");
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        let opened = Series::new("registered_at".into(), [1_514_764_800_000_000_i64]).cast(&instant).unwrap();
        let merchants = df!("merchant_id" => ["M1"], "category" => ["x"], "region" => ["y"])
            .unwrap()
            .with_column(opened.into_column())
            .unwrap()
            .clone();
        write_parquet(&world.data("merchants.parquet"), &merchants);
        let rows =
            df!("order_id" => ["O1"], "merchant_id" => ["M1"], "buyer_id" => ["B1"], "currency" => ["CNY"]).unwrap();
        let rows =
            rows.hstack(&[placed.with_name("placed_at".into()), amount.with_name("amount_minor".into())]).unwrap();
        write_parquet(&world.data("orders.parquet"), &rows);
        (world, rows)
    };
    let integers = |values: &[i64]| Column::new("x".into(), values);
    let amount = || integers(&[5]);
    let in_unit = |value: i64, unit| integers(&[value]).cast(&DataType::Datetime(unit, None)).unwrap();
    let date = |days: i32| Column::new("x".into(), [days]).cast(&DataType::Date).unwrap();
    let good = || in_unit(1_520_000_000_000_000, TimeUnit::Microseconds);
    let all = [
        (in_unit(i64::MAX, TimeUnit::Milliseconds), amount()),
        (in_unit(i64::MIN, TimeUnit::Milliseconds), amount()),
        (in_unit(i64::MAX, TimeUnit::Microseconds), amount()),
        (in_unit(i64::MIN, TimeUnit::Microseconds), amount()),
        (in_unit(i64::MAX, TimeUnit::Nanoseconds), amount()),
        (date(i32::MAX), amount()),
        (date(i32::MIN), amount()),
        (date(-10_000_000), amount()),
        (good(), Column::new("x".into(), [u64::MAX])),
        (good(), integers(&[i64::MAX])),
        (good(), integers(&[i64::MIN])),
    ];
    for (placed, amount) in all {
        let shown = format!("{:?} {:?}", placed.get(0).unwrap(), amount.get(0).unwrap());
        let (world, rows) = orders(placed, amount);
        let made = world.run(AS_OF).unwrap();
        assert_eq!(counts(&made, "orders"), (0, 0, 1, 0), "{shown}");
        // Beside a file of the common type the columns are widened: still one row, not the file.
        let common = rows
            .lazy()
            .with_columns([
                lit(1_520_000_000_000_000_i64)
                    .cast(DataType::Datetime(TimeUnit::Microseconds, None))
                    .alias("placed_at"),
                lit(7_i64).alias("amount_minor"),
                lit("O2").alias("order_id"),
            ])
            .collect()
            .unwrap();
        write_parquet(&world.data("orders-2.parquet"), &common);
        match world.run(AS_OF) {
            Ok(made) => {
                let kept: u64 = made.ledger.iter().filter(|l| l.table == "orders").map(|l| l.kept).sum();
                let quarantined: u64 = made.ledger.iter().filter(|l| l.table == "orders").map(|l| l.quarantined).sum();
                assert_eq!((kept, quarantined), (1, 1), "{shown}");
            }
            Err(error) => assert_names(&error.to_string(), &["orders", "placed_at"]),
        }
    }
}
