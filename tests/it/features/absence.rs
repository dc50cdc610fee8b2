//! What is absent is unknown, what is empty is zero.

use integrity::store::Shard;
use integrity::tiles::TileError;
use polars::prelude::*;

use super::shards::{
    DAY, Order, as_of, config, features_of, instants, merchants, orders, shard, texts, views_of, whole,
};

const FEATURES: &str = r#"
[[measure]]
name = "placed"
table = "orders"
at = "placed_at"

[[measure]]
name = "late"
table = "orders"
at = "placed_at"
where = "delivery_late"

[[measure]]
name = "undisputed"
table = "orders"
at = "placed_at"
needs = ["disputes"]

[[measure]]
name = "stars"
table = "reviews"
at = "created_at"
value = "stars"

[[measure]]
name = "stock"
table = "inventory"
at = "on"
value = "stock_value_minor"

[[measure]]
name = "owed"
table = "loan_status"
at = "disbursed_at"
value = "outstanding_minor"
"#;

fn text() -> String {
    let features: Vec<String> = ["placed", "late", "undisputed", "stars", "stock", "owed"]
        .iter()
        .map(|m| {
            format!(
                "[[feature]]\nname = \"{m}_90d_minor\"\nkind = \"sum\"\nmeasure = \"{m}\"\nwindow_days = 90\nunit = \"minor\"\n\
                 group = \"trade\"\ndirection = \"either\"\nwhy = \"w\"\nsource = \"s\"\n"
            )
        })
        .collect();
    FEATURES.to_owned() + &features.concat()
}

fn some_orders() -> DataFrame {
    let placed_at = as_of().micros() - 5 * DAY;
    orders(&[Order { placed_at, amount_minor: 700, ..Order::default() }])
}

fn values(shard: &Shard) -> Vec<Option<f64>> {
    features_of(shard, &config(&text())).columns.iter().map(|c| c.values[0]).collect()
}

#[test]
fn absent_tables_make_null_and_empty_ones_zero() {
    let shops = merchants(&[(as_of().micros() - 400 * DAY, "tea")]);
    let bare = shard(as_of(), vec![("merchants", shops.clone()), ("orders", some_orders())]);
    assert_eq!(values(&bare), [Some(1.0), None, None, None, None, None]);

    let mut full = bare.clone();
    let id = |name: &str| texts(name, Vec::new());
    let empty = |columns: Vec<Column>| DataFrame::new(0, columns).unwrap();
    full.tables.insert("shipments", empty(vec![id("shipment_id"), id("order_id"), id("merchant_id")]));
    full.tables.insert(
        "reviews",
        empty(vec![
            id("review_id"),
            id("order_id"),
            id("merchant_id"),
            id("buyer_id"),
            instants("created_at", vec![]),
            whole("stars", vec![]),
        ]),
    );
    full.tables.insert(
        "disputes",
        empty(vec![
            id("dispute_id"),
            id("order_id"),
            id("merchant_id"),
            instants("opened_at", vec![]),
            whole("amount_minor", vec![]),
        ]),
    );
    let day = Series::new("on".into(), Vec::<i32>::new()).cast(&DataType::Date).unwrap();
    full.tables.insert("inventory", empty(vec![id("merchant_id"), day.into(), whole("stock_value_minor", vec![])]));
    assert_eq!(values(&full), [Some(1.0), Some(0.0), Some(1.0), Some(0.0), Some(0.0), None]);
}

#[test]
fn a_shard_without_anybody_has_no_rows() {
    let nobody = shard(as_of(), vec![("merchants", merchants(&[])), ("orders", orders(&[]))]);
    let table = features_of(&nobody, &config(&text()));
    assert!(table.merchants.is_empty());
    assert!(table.columns.iter().all(|c| c.values.is_empty()));
}

#[test]
fn orders_of_unknown_merchants_are_left_out() {
    let shops = merchants(&[(as_of().micros() - 400 * DAY, "tea")]);
    let placed_at = as_of().micros() - DAY;
    let strangers = orders(&[Order { merchant: 9, placed_at, amount_minor: 1, ..Order::default() }]);
    assert_eq!(values(&shard(as_of(), vec![("merchants", shops), ("orders", strangers)]))[0], Some(0.0));
}

#[test]
fn required_tables_and_columns_are_named_when_missing() {
    let none = shard(as_of(), vec![("merchants", merchants(&[]))]);
    let error = views_of(&none).unwrap_err();
    assert!(error.to_string().contains("orders"), "{error}");
    let broken = orders(&[]).drop("order_id").unwrap();
    let error = views_of(&shard(as_of(), vec![("merchants", merchants(&[])), ("orders", broken)])).unwrap_err();
    assert!(matches!(error, TileError::Column { ref column, .. } if column == "order_id"), "{error}");
}
