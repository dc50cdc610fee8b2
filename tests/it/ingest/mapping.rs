//! Sources of several parts, and rows that a job does not mean.

use std::fs;

use integrity::wash::{IngestError, Ingested};
use jiff::civil::{Date, date};

use super::world::World;
use super::{assert_names, broken, orders_world, quarantined, refusal, rows_as_of, texts};

const AS_OF: Date = date(2018, 4, 1);

/// One order that is meant, one that is not, one of which nobody can say, and one that breaks a rule.
const MARKED: &str = "order_id,merchant_id,buyer_id,placed_at,amount_minor,currency,kind
O1,M1,B1,2018-02-01 10:00:00,1000,CNY,real
O2,M2,B2,2018-03-01 10:00:00,2500,CNY,test
O3,M2,B2,2018-03-01 10:00:00,2500,CNY,
O4,M2,B2,2018-03-01 10:00:00,x,CNY,real
";

fn counts(made: &Ingested, file: &str) -> (u64, u64, u64, u64, u64) {
    let line = made.ledger.iter().find(|l| l.table == "orders" && l.file == file).unwrap();
    assert!(line.balances(), "{line:?}");
    (line.read, line.kept, line.quarantined, line.duplicate, line.skipped)
}

#[test]
fn rows_that_where_does_not_mean_are_skipped_whichever_way_a_select_runs() {
    for (sql, keyed) in [
        ("SELECT * FROM orders", ""),
        ("SELECT * FROM orders ORDER BY order_id", ""),
        (
            "SELECT * FROM orders WHERE order_id IN (SELECT order_id FROM orders)",
            "keyed_by = { orders = 'order_id' }\n",
        ),
    ] {
        let mut world = orders_world();
        world.csv("orders.csv", MARKED);
        fs::write(world.path("orders.sql"), sql).unwrap();
        let of_sql = format!("{keyed}where = \"kind <> 'test'\"");
        world.of_sql = of_sql.leak();
        let made = world.run(AS_OF).unwrap();
        assert_eq!(counts(&made, "orders.csv"), (4, 1, 2, 0, 1), "{sql}");
        let rules = broken(&quarantined(&made, "orders"), "rule");
        assert_eq!(rules.iter().filter(|r| r.as_deref() == Some("not-mapped")).count(), 1, "a null is no false");
        assert_eq!(texts(&rows_as_of(&made.store, "orders", AS_OF), "order_id"), [Some("O1".to_owned())]);
    }
}

fn two_sources() -> World {
    let mut world = orders_world();
    world.csv("web/export.csv", "nr;haendler;kunde;am;cent\nO7;M1;B7;2018-02-03 10:00:00;700\nO8;M2;B8;2018-02-04 10:00:00;800\nO9;M2\nO1;M1;B1;2018-02-01 10:00:00;1000\n");
    fs::write(
        world.path("web.sql"),
        "SELECT _file, _row, nr AS order_id, haendler AS merchant_id, kunde AS buyer_id, am AS placed_at, cent AS amount_minor, 'CNY' AS currency\n\
         FROM web WHERE nr <> 'O8'",
    )
    .unwrap();
    world.more = "[inputs.web]\nfiles = 'web/*.csv'\n[[source]]\ntable = 'orders'\nfrom = 'web'\nsql = 'web.sql'\n";
    world
}

#[test]
fn a_table_of_several_sources_holds_the_rows_of_all_with_each_accounted_for() {
    let world = two_sources();
    let made = world.run(AS_OF).unwrap();
    assert_eq!(counts(&made, "orders.csv").0, 2);
    // O8 is not returned, O9 is malformed; O1 is there in both, and its versions contradict each other.
    let (read, kept, quarantined_rows, duplicate, skipped) = counts(&made, "web/export.csv");
    assert_eq!((read, skipped), (4, 0));
    assert_eq!(kept + quarantined_rows + duplicate, 4);
    let lost = quarantined(&made, "orders");
    for (rule, row) in [("not-mapped", 2), ("wrong-cell-count", 3)] {
        let found = lost.iter().find(|r| r.rule == rule).unwrap();
        assert_eq!((found.file.as_str(), found.row), ("web/export.csv", row), "{rule}");
    }
    let rows = rows_as_of(&made.store, "orders", AS_OF);
    let ids = texts(&rows, "order_id");
    assert!(ids.contains(&Some("O7".to_owned())) && ids.contains(&Some("O2".to_owned())), "{ids:?}");
    assert!(!ids.contains(&Some("O8".to_owned())) && !ids.contains(&Some("O9".to_owned())), "{ids:?}");
    assert_eq!(made.inputs.len(), 3);
}

#[test]
fn conditions_that_are_none_are_refused() {
    let of_where = |condition: &str| {
        let mut world = orders_world();
        fs::write(world.path("orders.sql"), "SELECT * FROM orders").unwrap();
        world.of_sql = format!("where = \"{condition}\"").leak();
        match world.try_job() {
            Ok(_) => refusal(&world),
            Err(error) => error.to_string(),
        }
    };
    assert_names(&of_where("SUM(amount_minor) > 5"), &["job.toml", "more than one row"]);
    assert_names(&of_where("order_id IN (SELECT order_id FROM orders)"), &["job.toml", "more than one row"]);
    assert_names(&of_where("order_id = 'x'; DROP TABLE orders"), &["job.toml", "where"]);
    assert_names(&of_where("nowhere = 1"), &["job.toml", "where", "nowhere"]);
    assert_names(&of_where("LENGTH(order_id)"), &["job.toml", "no condition"]);
    let mut world = two_sources();
    world.more = "[[source]]\ntable = 'orders'\nfrom = 'orders'\n";
    assert_names(&world.try_job().unwrap_err().to_string(), &["job.toml", "two sources from input \"orders\""]);
}

#[test]
fn an_error_of_a_select_names_the_place_and_no_plan() {
    let world = orders_world();
    fs::write(world.path("orders.sql"), "SELECT _file, _row, order_id,\n  merchant AS merchant_id\nFROM orders")
        .unwrap();
    let error = world.run(AS_OF).unwrap_err();
    assert!(matches!(error, IngestError::Source(_)));
    let text = error.to_string();
    assert_names(&text, &["orders.sql", "line 2, column 3", "merchant"]);
    assert!(!text.contains("plan") && !text.contains('\n'), "{text}");
}
