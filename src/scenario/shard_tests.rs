use jiff::civil::date;
use jiff::tz::TimeZone;

use super::*;
use crate::contract::{INVENTORY, MERCHANTS, data_type};
use crate::domain::AsOf;

fn as_of() -> AsOf {
    AsOf::new(date(2025, 7, 1), TimeZone::UTC).unwrap()
}

/// Days before the observation, as an instant.
fn ago(days: i64) -> i64 {
    as_of().micros() - days * MICROS_PER_DAY
}

fn table(contract: &TableContract, rows: &[Row]) -> DataFrame {
    let fields = contract.columns.iter().map(|c| Field::new(c.name.into(), data_type(c.kind)));
    with_rows(contract, &DataFrame::empty_with_schema(&fields.collect::<Schema>()), &[], rows.to_vec()).unwrap()
}

fn order(merchant: &str, id: &str, days_ago: i64, amount: i64, completed: bool) -> Row {
    let text = |text: &str| Cell::Text(text.to_owned());
    let mut row = Row::from([
        ("order_id", text(id)),
        ("merchant_id", text(merchant)),
        ("buyer_id", text(&format!("buyer of {id}"))),
        ("placed_at", Cell::Number(ago(days_ago))),
        ("amount_minor", Cell::Number(amount)),
        ("currency", text("CNY")),
    ]);
    if completed {
        row.insert("completed_at", Cell::Number(ago(days_ago) + MICROS_PER_DAY));
    }
    row
}

/// m: a, b completed, c not; n: d completed.
fn shard(broken: Vec<BrokenRecord>) -> Shard {
    let orders = [
        order("m", "a", 90, 500, true),
        order("m", "b", 60, 900, true),
        order("m", "c", 3, 700, false),
        order("n", "d", 30, 100, true),
    ];
    let merchant = |id: &str| Row::from([("merchant_id", Cell::Text(id.to_owned()))]);
    let tables = BTreeMap::from([
        ("merchants", table(&MERCHANTS, &[merchant("m"), merchant("n")])),
        ("orders", table(&ORDERS, &orders)),
        ("shipments", table(&SHIPMENTS, &[])),
        ("reviews", table(&REVIEWS, &[])),
        ("disputes", table(&DISPUTES, &[])),
    ]);
    Shard { as_of: as_of(), tables, earlier: BTreeMap::new(), broken }
}

fn record(table: &str, key: Option<&str>, order: Option<&str>) -> BrokenRecord {
    BrokenRecord {
        table: table.to_owned(),
        key: key.map(str::to_owned),
        merchant_id: Some("m".to_owned()),
        order_id: order.map(str::to_owned),
        known_at: Some(ago(2)),
        ..BrokenRecord::default()
    }
}

fn read_as(shard: &Shard, scenario: Scenario) -> Shard {
    AffectedMerchants::of(shard).unwrap().unwrap().assumed(scenario).unwrap()
}

fn assumed(broken: Vec<BrokenRecord>, scenario: Scenario) -> Shard {
    let shard = shard(broken);
    read_as(&shard, scenario)
}

/// A column's cells as text, in the table's order.
fn cells(shard: &Shard, table: &str, column: &str) -> Vec<String> {
    let column = shard.tables[table].column(column).unwrap();
    if let Ok(texts) = column.str() {
        return texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect();
    }
    let physical = column.to_physical_repr();
    let text = |at| match physical.get(at).unwrap() {
        AnyValue::Null => String::new(),
        other => other.to_string(),
    };
    (0..column.len()).map(text).collect()
}

#[test]
fn only_merchants_with_broken_records_of_trade_are_read() {
    let other = BrokenRecord { merchant_id: Some("n".to_owned()), ..record("payments", None, None) };
    let nobody = BrokenRecord { merchant_id: None, ..record("reviews", None, None) };
    let shard = shard(vec![record("reviews", Some("r"), Some("a")), other, nobody]);
    assert_eq!(affected_merchants(&shard), BTreeSet::from(["m"]));
    let read = read_as(&shard, Scenario::Adverse);
    assert_eq!(cells(&read, "merchants", "merchant_id"), ["m"]);
    assert_eq!(cells(&read, "orders", "order_id"), ["a", "b", "c"]);
    assert_eq!(read.broken.len(), 1);
}

#[test]
fn a_review_is_of_its_order_or_of_the_latest_completed_and_the_heaviest_and_has_the_stars_of_the_scenario() {
    let event_at = Some(ago(50));
    let known = BrokenRecord { event_at, ..record("reviews", Some("r"), Some("a")) };
    // b is both the latest completed order and the heaviest.
    let unknown = record("reviews", None, None);
    for (scenario, stars) in [(Scenario::Favourable, "5"), (Scenario::Adverse, "1"), (Scenario::Unresolved, "1")] {
        let read = assumed(vec![known.clone(), unknown.clone()], scenario);
        assert_eq!(cells(&read, "reviews", "order_id"), ["a", "b"], "{scenario:?}");
        assert_eq!(cells(&read, "reviews", "buyer_id"), [UNKNOWN_BUYER; 2]);
        assert_eq!(cells(&read, "reviews", "stars"), [stars, stars]);
        // Without a time of its own it is of when it became known, or just now.
        let late = if scenario == Scenario::Unresolved { as_of().micros() - 1 } else { ago(2) };
        assert_eq!(cells(&read, "reviews", "created_at"), [ago(50).to_string(), late.to_string()]);
    }
}

#[test]
fn an_order_is_there_again_with_the_amount_that_is_known_and_its_children_are_of_it() {
    let known =
        BrokenRecord { amount_minor: Some(40), event_at: Some(ago(20)), ..record("orders", Some("x"), Some("x")) };
    let unknown = record("orders", Some("y"), Some("y"));
    let children = [record("shipments", Some("s"), Some("x")), record("disputes", Some("d"), Some("x"))];
    let broken: Vec<BrokenRecord> = [known, unknown].into_iter().chain(children).collect();
    let adverse = assumed(broken.clone(), Scenario::Adverse);
    // Nothing says when y was placed: long enough ago that its refund counts.
    assert_eq!(cells(&adverse, "orders", "order_id"), ["a", "b", "y", "x", "c"]);
    assert_eq!(cells(&adverse, "orders", "amount_minor"), ["500", "900", "900", "40", "700"], "else the largest");
    assert_eq!(cells(&adverse, "orders", "refund_minor"), ["", "", "900", "40", ""]);
    let long_ago = (ago(40) - 1).to_string();
    let settled = (ago(20) + 5 * MICROS_PER_DAY).to_string();
    assert_eq!(cells(&adverse, "orders", "cancelled_at"), ["", "", &long_ago, &settled, ""]);
    assert_eq!(cells(&adverse, "orders", "completed_at")[3], "");
    assert_eq!(cells(&adverse, "shipments", "order_id"), ["x"]);
    assert!(!cells(&adverse, "shipments", "lost_at")[0].is_empty());
    assert_eq!(cells(&adverse, "disputes", "outcome"), ["buyer-won"]);
    assert_eq!(cells(&adverse, "orders", "currency"), ["CNY"; 5]);

    let favourable = assumed(broken.clone(), Scenario::Favourable);
    assert_eq!(cells(&favourable, "orders", "completed_at")[2], settled);
    assert_eq!(cells(&favourable, "orders", "refunded_at"), [""; 5]);
    assert_eq!(cells(&favourable, "disputes", "outcome"), ["merchant-won"]);
    let unresolved = assumed(broken, Scenario::Unresolved);
    assert_eq!(cells(&unresolved, "disputes", "closed_at"), [""]);
    for column in ["completed_at", "cancelled_at", "refunded_at"] {
        assert_eq!(
            [2, 4].map(|at| cells(&unresolved, "orders", column)[at].clone()),
            ["", ""],
            "neither is handed over yet"
        );
    }
    assert_eq!(cells(&unresolved, "shipments", "order_id"), ["y", "x"], "nothing is known of a parcel of y");
    assert_eq!(cells(&unresolved, "shipments", "shipped_at")[0], "");
    assert!(!cells(&unresolved, "shipments", "ship_by_at")[0].is_empty());
    let old = BrokenRecord { event_at: Some(ago(60)), ..record("orders", Some("z"), Some("z")) };
    let unresolved_long_ago = assumed(vec![old], Scenario::Unresolved);
    let refunds = cells(&unresolved_long_ago, "orders", "refunded_at");
    assert!(refunds.contains(&(ago(60) + 5 * MICROS_PER_DAY).to_string()), "{refunds:?}");
    // A little apart from other parcels of the order that cannot be read.
    assert_eq!(cells(&unresolved, "shipments", "delivered_at")[1], (as_of().micros() - 3).to_string());
}

#[test]
fn an_order_without_a_readable_id_takes_the_place_of_the_one_that_it_may_correct() {
    let same = BrokenRecord {
        event_at: Some(ago(90)),
        buyer_id: Some("buyer of a".to_owned()),
        ..record("orders", None, None)
    };
    for (record, refunded) in [(same, 0), (record("orders", None, None), 1)] {
        let adverse = assumed(vec![record.clone()], Scenario::Adverse);
        assert_eq!(cells(&adverse, "orders", "order_id"), ["a", "b", "c"]);
        let refunds = cells(&adverse, "orders", "refund_minor");
        assert_eq!(refunds.iter().position(|refund| !refund.is_empty()), Some(refunded), "{refunds:?}");
        assert_eq!(cells(&assumed(vec![record], Scenario::Favourable), "orders", "order_id").len(), 4);
    }
}

#[test]
fn a_merchant_without_orders_has_no_reviews_but_may_have_disputes() {
    let of_nobody = |table: &str| BrokenRecord { merchant_id: Some("z".to_owned()), ..record(table, None, None) };
    let read = assumed(vec![of_nobody("reviews"), of_nobody("shipments"), of_nobody("disputes")], Scenario::Adverse);
    assert_eq!(["reviews", "shipments", "disputes"].map(|table| read.tables[table].height()), [0, 0, 1]);
    assert_eq!(cells(&read, "disputes", "order_id"), [""]);
}

#[test]
fn a_record_that_is_there_twice_is_read_once() {
    let twice = vec![
        record("reviews", Some("r"), Some("a")),
        BrokenRecord { rule: "other".into(), ..record("reviews", Some("r"), Some("a")) },
    ];
    assert_eq!(assumed(twice, Scenario::Adverse).tables["reviews"].height(), 1);
}

#[test]
fn another_order_that_cannot_be_read_draws_no_record_away_from_the_orders_that_it_hurts() {
    let parcel = || record("shipments", Some("s"), None);
    let large = || BrokenRecord {
        amount_minor: Some(9_000),
        event_at: Some(ago(100)),
        ..record("orders", Some("x"), Some("x"))
    };
    let alone = assumed(vec![parcel()], Scenario::Unresolved);
    assert_eq!(cells(&alone, "shipments", "order_id"), ["b", "c"]);
    let both = assumed(vec![parcel(), large()], Scenario::Unresolved);
    assert_eq!(cells(&both, "shipments", "order_id"), ["b", "c", "x"], "b is still meant, and so may x be");
}

#[test]
fn a_dispute_of_nobody_knows_which_order_may_be_of_the_heaviest_of_which_no_promise_is_broken() {
    let mut shard = shard(vec![record("disputes", Some("d"), Some("of another merchant"))]);
    let mut refunded = order("m", "r", 20, 5_000, false);
    refunded.insert("refunded_at", Cell::Number(ago(10)));
    shard.tables.insert("orders", with_rows(&ORDERS, &shard.tables["orders"], &[], vec![refunded]).unwrap());
    let meant = |shard: &Shard| cells(&read_as(shard, Scenario::Adverse), "disputes", "order_id");
    assert_eq!(meant(&shard), ["b", "r"]);
    // The parcel of b came late: its promise is broken already, and a dispute takes more from a.
    let late = Row::from([
        ("shipment_id", Cell::Text("late".to_owned())),
        ("order_id", Cell::Text("b".to_owned())),
        ("merchant_id", Cell::Text("m".to_owned())),
        ("promised_at", Cell::Number(ago(55))),
        ("delivered_at", Cell::Number(ago(50))),
    ]);
    shard.tables.insert("shipments", with_rows(&SHIPMENTS, &shard.tables["shipments"], &[], vec![late]).unwrap());
    assert_eq!(meant(&shard), ["a", "b", "r"], "b is the latest all the same");
}

#[test]
fn an_event_that_lies_ahead_is_a_slip_and_says_nothing() {
    let ahead = BrokenRecord { event_at: Some(ago(-300)), ..record("reviews", Some("r"), Some("a")) };
    assert_eq!(cells(&assumed(vec![ahead], Scenario::Adverse), "reviews", "created_at"), [ago(2).to_string()]);
}

#[test]
fn a_record_that_names_no_order_is_of_the_latest_and_of_the_heaviest() {
    let mut shard = shard(vec![record("reviews", Some("r"), None)]);
    let more = [order("m", "e", 10, 50, true), order("m", "f", 200, 1_000, true)];
    shard.tables.insert("orders", with_rows(&ORDERS, &shard.tables["orders"], &[], more.to_vec()).unwrap());
    let read = read_as(&shard, Scenario::Adverse);
    // b: 900 × 180 / 238 = 680; f: 1,000 × 180 / 378 = 476; e is the latest completed.
    assert_eq!(cells(&read, "reviews", "order_id"), ["b", "e"]);
}

#[test]
fn a_stock_taking_is_read_with_the_extremes_of_its_merchants_own() {
    let taking = |merchant: &str, on: i64, value: i64, cost: i64| {
        Row::from([
            ("merchant_id", Cell::Text(merchant.to_owned())),
            ("on", Cell::Number(on)),
            ("stock_value_minor", Cell::Number(value)),
            ("cost_of_sales_minor", Cell::Number(cost)),
        ])
    };
    let first = 20_000;
    let known = [taking("m", first, 500, 90), taking("m", first + 20, 300, 120), taking("n", first, 9_000, 9_000)];
    let unreadable = |key: Option<&str>, amount_minor| BrokenRecord { amount_minor, ..record("inventory", key, None) };
    // The seventh of April 2025 is day 20,185.
    let broken = vec![unreadable(Some("m|2025-04-07"), None), unreadable(Some("m|2999-01-01"), Some(700))];
    let read = |scenario| {
        let mut shard = shard(broken.clone());
        shard.tables.insert("inventory", table(&INVENTORY, &known));
        let read = AffectedMerchants::of(&shard).unwrap().unwrap().assumed(scenario).unwrap();
        let days = read.tables["inventory"].column("on").unwrap().to_physical_repr();
        let days: Vec<i32> = days.i32().unwrap().iter().flatten().collect();
        let last = as_of().days_since_epoch() - 1;
        assert_eq!(days, [20_000, 20_020, 20_185, last], "those of m alone, in their order");
        let cells = |name| cells(&read, "inventory", name)[2..].to_vec();
        (cells("stock_value_minor"), cells("cost_of_sales_minor"))
    };
    let of =
        |values: [&str; 2], costs: [&str; 2]| (values.map(str::to_owned).to_vec(), costs.map(str::to_owned).to_vec());
    assert_eq!(read(Scenario::Favourable), of(["300", "700"], ["120", "120"]));
    assert_eq!(read(Scenario::Adverse), of(["500", "700"], ["0", "0"]));
    assert_eq!(read(Scenario::Unresolved), of(["0", "0"], ["0", "0"]));
    let nothing_known = shard(vec![unreadable(None, None)]);
    assert!(AffectedMerchants::of(&nothing_known).unwrap().is_none(), "nobody looks at a table that is not there");
}

#[test]
fn records_that_name_no_order_are_about_as_many_orders_as_they_are() {
    let mut shard = shard(vec![record("shipments", None, None); 6]);
    let more: Vec<Row> = (0..12).map(|n| order("m", &format!("e{n:02}"), 20 + n, 900, true)).collect();
    shard.tables.insert("orders", with_rows(&ORDERS, &shard.tables["orders"], &[], more).unwrap());
    let read = read_as(&shard, Scenario::Adverse);
    let lost: BTreeSet<String> = cells(&read, "shipments", "order_id").into_iter().collect();
    assert!(lost.len() >= 6 && lost.contains("e05") && lost.contains("c") && !lost.contains("a"), "{lost:?}");
    // Of a merchant with fewer orders each record is about some all the same.
    shard.broken = vec![record("reviews", None, None); 30];
    assert!(cells(&read_as(&shard, Scenario::Adverse), "reviews", "stars").len() >= 30);
}

#[test]
fn orders_without_a_readable_id_take_the_places_of_as_many_orders() {
    for scenario in [Scenario::Adverse, Scenario::Unresolved] {
        let read = assumed(vec![record("orders", None, None); 2], scenario);
        assert_eq!(cells(&read, "orders", "order_id"), ["a", "b", "c"], "{scenario:?}");
        let refunds = cells(&read, "orders", "refund_minor");
        assert_eq!(refunds.iter().filter(|refund| !refund.is_empty()).count(), 2, "{scenario:?}: {refunds:?}");
    }
}
