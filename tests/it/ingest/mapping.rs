//! Sources of several parts, and rows that a job does not mean.

use std::fs;

use integrity::source::Sources;
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
            "SELECT * FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY _row) > 0",
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

/// The night and `check` say the same of a statement that cannot run.
#[test]
fn every_fault_of_a_select_and_of_a_where_is_told_with_its_place() {
    let mut world = orders_world();
    world.of_sql = "where = \"order_idd <> 'x'\"";
    fs::write(
        world.path("orders.sql"),
        "SELECT _file, _row, order_id, merchant AS merchant_id,\n  amount_minor + 1 AS amount_minor\nFROM orders",
    )
    .unwrap();
    let job = world.job();
    let scratch = world.path("scratch");
    let faults: Vec<String> =
        Sources::new(&job.intake.source, &scratch).faults().iter().map(ToString::to_string).collect();
    let [of_where, of_name, of_sum] = faults.as_slice() else { panic!("{faults:?}") };
    assert_names(of_where, &["job.toml", "where: line ", ", column 10: ", "there is \"order_id\""]);
    assert_names(of_name, &["orders.sql", "line 1, column 31: ", "there is \"merchant_id\""]);
    assert_names(of_sum, &["orders.sql", "line 2, column 3: ", "amount_minor is text"]);
    assert_eq!(&refusal(&world), of_where);
}

#[test]
fn rows_of_two_inputs_and_columns_that_the_contract_lacks_are_refused_before_anything_is_read() {
    let mut world = two_sources();
    world.more = "[inputs.web]\nfiles = 'web/*.csv'\n";
    for (sql, words) in [
        (
            "SELECT _file, _row, order_id FROM orders\nUNION ALL SELECT _file, _row, nr FROM web",
            ["orders.sql:2: column 18: ", "_file is that of input \"web\"", "[[source]] of their own"],
        ),
        (
            "SELECT _file, _row, order_id,\n  placed_at AS paid_on FROM orders",
            ["orders.sql:2: column 16: ", "no column \"paid_on\"", "there is \"paid_at\""],
        ),
    ] {
        fs::write(world.path("orders.sql"), sql).unwrap();
        assert_names(&world.try_job().unwrap_err().to_string(), &words);
    }
}

#[test]
fn a_file_with_a_column_of_a_name_that_rows_are_accounted_for_by_is_refused() {
    let world = orders_world();
    let text = fs::read_to_string(world.data("orders.csv")).unwrap();
    world.csv("orders.csv", &text.replace('\n', ",_row\n"));
    assert_names(&refusal(&world), &["orders.csv", "it has a column \"_row\""]);
}

/// Orders of tests, and what names them: a skipped order that another merchant's dispute names, one that a real order has the number of.
fn world_of_tests() -> World {
    let mut world = orders_world();
    world.csv(
        "orders.csv",
        "order_id,merchant_id,buyer_id,placed_at,completed_at,amount_minor,currency,kind
O1,M1,B1,2018-02-01 10:00:00,2018-02-10 00:00:00,1000,CNY,real
T1,M1,B1,2018-02-01 10:00:00,,1000,CNY,test
T2,M2,B2,2018-02-02 10:00:00,,2500,CNY,test
O1,M2,B2,2018-02-02 10:00:00,,2500,CNY,test
T9,M1,B1,2018-05-01 10:00:00,,1000,CNY,test
",
    );
    world.csv(
        "disputes.csv",
        "dispute_id,order_id,merchant_id,buyer_id,opened_at,closed_at,kind,outcome,amount_minor,recorded_at
D1,O1,M1,B1,2018-02-20 00:00:00,,other,,1000,
D2,T1,M1,B1,2018-02-20 00:00:00,,other,,1000,
D3,T2,M1,B1,2018-02-20 00:00:00,,other,,1000,
D4,O9,M1,B1,2018-02-20 00:00:00,,other,,1000,
D5,O1,M1,B1,2018-02-20 00:00:00,,other,,1000,2018-02-20 00:00:00
D5,T1,M1,B1,2018-02-20 00:00:00,,other,,1000,2018-02-21 00:00:00
D6,T9,M1,B1,2018-02-20 00:00:00,,other,,1000,
",
    );
    fs::write(world.path("orders.sql"), "SELECT * FROM orders").unwrap();
    world.of_sql = "where = \"kind <> 'test'\"";
    world
}

#[test]
fn what_names_a_row_that_is_not_meant_is_skipped_with_it_and_nothing_else_is() {
    for buckets in [1, 4, 64] {
        let mut world = world_of_tests();
        world.buckets = buckets;
        let made = world.run(AS_OF).unwrap();
        assert_eq!(counts(&made, "orders.csv"), (5, 1, 0, 0, 4));
        let line = made.ledger.iter().find(|l| l.table == "disputes").unwrap();
        assert!(line.balances(), "{line:?}");
        // D2 is of a test. D3 names another merchant's test, D4 nothing, D6 a test of after as-of; a version of D5 names a real order.
        let kept = texts(&rows_as_of(&made.store, "disputes", AS_OF), "dispute_id");
        assert_eq!(kept, [Some("D1".to_owned())], "{buckets}");
        let lost = quarantined(&made, "disputes");
        let keys: Vec<&str> = lost.iter().filter_map(|row| row.key.as_deref()).collect();
        assert_eq!(keys, ["D3", "D4", "D5", "D6"], "{lost:?}");
        assert!(lost.iter().all(|row| row.rule == "parent-missing"));
        assert_eq!((line.read, line.kept, line.quarantined, line.duplicate, line.skipped), (7, 1, 4, 1, 1));
    }
}

#[test]
fn what_names_a_merchant_who_is_not_meant_is_skipped_down_to_the_last_payment() {
    let mut world = World::new("csv");
    world.csv("merchants.csv", "merchant_id,registered_at,category,region,kind\nM1,2018-01-01 00:00:00,toys,SP,real\nM2,2018-01-05 00:00:00,books,RJ,test\n");
    world.csv("orders.csv", super::ORDERS);
    world.csv(
        "loans.csv",
        "loan_id,merchant_id,product,disbursed_at,principal_minor,term_days,daily_rate_ppm,repayment
L2,M2,credit-loan,2018-02-15 00:00:00,50000,90,500,bullet
",
    );
    world.csv(
        "instalments.csv",
        "loan_id,number,due_on,principal_minor,interest_minor,fee_minor\nL2,1,2018-05-15,50000,0,0\n",
    );
    world.csv(
        "payments.csv",
        "payment_id,loan_id,paid_at,amount_minor,channel\nP1,L2,2018-03-01 00:00:00,100,voluntary\nP2,L9,2018-03-01 00:00:00,100,voluntary\n",
    );
    fs::write(world.path("merchants.sql"), "SELECT * FROM merchants").unwrap();
    world.of_sql = "where = \"kind <> 'test'\"";
    let made = world.run(AS_OF).unwrap();
    let skipped = |table: &str| {
        let line = made.ledger.iter().find(|l| l.table == table).unwrap();
        assert!(line.balances(), "{line:?}");
        (line.read, line.skipped, line.quarantined)
    };
    assert_eq!(
        ["merchants", "orders", "loans", "instalments"].map(skipped),
        [(2, 1, 0), (2, 1, 0), (1, 1, 0), (1, 1, 0)]
    );
    assert_eq!(skipped("payments"), (2, 1, 1), "nobody knows the loan of P2");
}
