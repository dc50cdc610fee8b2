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

/// Loans of `m0` and `m1`, each with one instalment due and paid; `m0`'s is lost where `is_lost`.
fn loan_books(is_lost: bool) -> Shard {
    let shops = merchants(&[(as_of().micros() - 400 * DAY, "tea"), (as_of().micros() - 400 * DAY, "tea")]);
    let lent_at = as_of().micros() - 40 * DAY;
    let id = |name: &str, prefix: &str| texts(name, (0..2).map(|n| Some(format!("{prefix}{n}"))).collect());
    let word = |name: &str, word: &str| texts(name, vec![Some(word.to_owned()); 2]);
    let number = |name: &str, value: i64| whole(name, vec![Some(value); 2]);
    let due_on = i32::try_from((lent_at + 10 * DAY) / DAY).unwrap();
    let due_on = Series::new("due_on".into(), vec![due_on; 2]).cast(&DataType::Date).unwrap();
    let table = |columns: Vec<Column>| DataFrame::new(2, columns).unwrap();
    let loans = table(vec![
        id("loan_id", "l"),
        id("merchant_id", "m"),
        word("product", "credit-loan"),
        instants("disbursed_at", vec![Some(lent_at); 2]),
        number("principal_minor", 900),
        number("term_days", 10),
        number("daily_rate_ppm", 500),
        instants("written_off_at", vec![None; 2]),
        instants("restructured_at", vec![None; 2]),
    ]);
    let instalments = table(vec![
        id("loan_id", "l"),
        number("number", 1),
        due_on.into(),
        number("principal_minor", 900),
        number("interest_minor", 5),
        number("fee_minor", 0),
        id("merchant_id", "m"),
    ]);
    let payments = table(vec![
        id("payment_id", "p"),
        id("loan_id", "l"),
        instants("paid_at", vec![Some(lent_at + 9 * DAY); 2]),
        number("amount_minor", 905),
        word("channel", "voluntary"),
        instants("reversed_at", vec![None; 2]),
        id("merchant_id", "m"),
    ]);
    let from = i64::from(is_lost);
    let tables = vec![
        ("merchants", shops),
        ("orders", some_orders()),
        ("loans", loans),
        ("instalments", instalments.slice(from, 2)),
        ("payments", payments),
    ];
    shard(as_of(), tables)
}

#[test]
fn nothing_is_said_of_the_credit_record_of_a_merchant_with_a_loan_that_is_not_known() {
    let measures: Vec<String> = [
        ("dues", "instalment_status", "due_at"),
        ("standing", "loan_status", "disbursed_at"),
        ("lent", "loans", "disbursed_at"),
        ("paid", "payments", "paid_at"),
    ]
    .iter()
    .map(|(name, table, at)| {
        format!(
            "[[measure]]\nname = \"{name}\"\ntable = \"{table}\"\nat = \"{at}\"\n\
             [[feature]]\nname = \"{name}_90d_minor\"\nkind = \"sum\"\nmeasure = \"{name}\"\nwindow_days = 90\n\
             unit = \"minor\"\ngroup = \"trade\"\ndirection = \"either\"\nwhy = \"w\"\nsource = \"s\"\n\
             [[feature]]\nname = \"{name}_90d_days\"\nkind = \"days-since\"\nmeasure = \"{name}\"\nwindow_days = 90\n\
             unit = \"days\"\ngroup = \"trade\"\ndirection = \"either\"\nwhy = \"w\"\nsource = \"s\"\n"
        )
    })
    .collect();
    let config = config(&(text() + &measures.concat()));
    let named = |table: &integrity::features::FeatureTable, merchant: usize, is_on_loans: bool| -> Vec<Option<f64>> {
        let is_wanted = |name: &str| ["dues", "standing", "lent", "paid", "owed"].iter().any(|m| name.starts_with(m));
        table.columns.iter().filter(|c| is_wanted(&c.name) == is_on_loans).map(|c| c.values[merchant]).collect()
    };
    let (sound, lost) = (features_of(&loan_books(false), &config), features_of(&loan_books(true), &config));
    assert!(named(&sound, 0, true).iter().all(Option::is_some), "{sound:?}");
    assert!(named(&lost, 0, true).iter().all(Option::is_none), "{lost:?}");
    assert_eq!(named(&lost, 1, true), named(&sound, 1, true), "the other merchant's stand");
    assert_eq!(named(&lost, 0, false), named(&sound, 0, false), "trade is as known as before");
    assert_eq!(named(&lost, 0, false)[0], Some(1.0));
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
