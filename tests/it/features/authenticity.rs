//! Suspect rows are left out of measures and counted by authenticity features; honest trade is left alone.

use integrity::features::FeatureTable;
use polars::prelude::*;

use super::shards::{DAY, HOUR, Order, as_of, config, features_of, instants, merchants, orders, shard, texts, whole};

const MINUTE: i64 = HOUR / 60;

const FEATURES: &str = r#"
[[measure]]
name = "placed"
table = "orders"
at = "placed_at"

[[measure]]
name = "doubted"
table = "orders"
at = "placed_at"
suspect = "only"

[[measure]]
name = "all"
table = "orders"
at = "placed_at"
suspect = "include"

[[measure]]
name = "stars"
table = "reviews"
at = "created_at"
value = "stars"
"#;

/// Shipped and delivered so long after the order (µs), tracked or not.
type Parcel = (i64, i64, bool);
/// Written so long after the order (µs), stars.
type Review = (i64, i64);

fn features(orders_rows: &[Order], stays: &[Parcel], reviews: &[Option<Review>]) -> FeatureTable {
    let n = orders_rows.len();
    let sums: Vec<String> = ["placed", "doubted", "all"]
        .iter()
        .map(|m| format!("[[feature]]\nname = \"{m}_count_90d\"\nkind = \"sum\"\nmeasure = \"{m}\"\nwindow_days = 90\nunit = \"count\"\n{COMMON}"))
        .collect();
    let mean = format!(
        "[[feature]]\nname = \"mean_90d_stars\"\nkind = \"mean\"\nmeasure = \"stars\"\nwindow_days = 90\nunit = \"stars\"\n{COMMON}"
    );
    let id = |prefix: &str| -> Vec<Option<String>> { (0..n).map(|k| Some(format!("{prefix}{k}"))).collect() };
    let shop = |_: usize| Some("m0".to_owned());
    let shipments = vec![
        texts("shipment_id", id("s")),
        texts("order_id", id("o")),
        texts("merchant_id", (0..n).map(shop).collect()),
        instants("shipped_at", orders_rows.iter().zip(stays).map(|(o, s)| Some(o.placed_at + s.0)).collect()),
        instants("promised_at", orders_rows.iter().map(|o| Some(o.placed_at + 7 * DAY)).collect()),
        instants("delivered_at", orders_rows.iter().zip(stays).map(|(o, s)| Some(o.placed_at + s.1)).collect()),
        texts("tracking", stays.iter().map(|s| s.2.then(|| "t".to_owned())).collect()),
    ];
    let given: Vec<(usize, i64, i64)> = reviews
        .iter()
        .enumerate()
        .filter_map(|(k, r)| r.map(|(after, stars)| (k, orders_rows[k].placed_at + after, stars)))
        .collect();
    let review_columns = vec![
        texts("review_id", given.iter().map(|g| Some(format!("r{}", g.0))).collect()),
        texts("order_id", given.iter().map(|g| Some(format!("o{}", g.0))).collect()),
        texts("merchant_id", given.iter().map(|g| shop(g.0)).collect()),
        texts("buyer_id", given.iter().map(|g| Some(format!("b{}", orders_rows[g.0].buyer))).collect()),
        instants("created_at", given.iter().map(|g| Some(g.1)).collect()),
        whole("stars", given.iter().map(|g| Some(g.2)).collect()),
    ];
    let tables = vec![
        ("merchants", merchants(&[(as_of().micros() - 400 * DAY, "tea")])),
        ("orders", orders(orders_rows)),
        ("shipments", DataFrame::new(n, shipments).unwrap()),
        ("reviews", DataFrame::new(given.len(), review_columns).unwrap()),
    ];
    features_of(&shard(as_of(), tables), &config(&(FEATURES.to_owned() + &sums.concat() + &mean)))
}

const COMMON: &str = "group = \"authenticity\"\ndirection = \"either\"\nwhy = \"w\"\nsource = \"s\"\n";

/// Forty honest orders, one a day, each by a buyer of its own, delivered in three days and reviewed with four stars.
fn honest() -> (Vec<Order>, Vec<Parcel>, Vec<Option<Review>>) {
    let orders = (0..40_usize)
        .zip(1_i64..)
        .map(|(buyer, n)| Order {
            buyer,
            placed_at: as_of().micros() - (20 + n) * DAY,
            amount_minor: 1_000 + n,
            ..Order::default()
        })
        .collect();
    (orders, vec![(DAY, 3 * DAY, true); 40], vec![Some((5 * DAY, 4)); 40])
}

#[test]
fn brushing_is_doubted_and_left_out() {
    let (mut rows, mut stays, mut reviews) = honest();
    let before = features(&rows, &stays, &reviews);
    assert_eq!(before.value("doubted_count_90d", 0), Some(0.0));
    let opening = as_of().micros() - 30 * DAY;
    for n in 0..16 {
        rows.push(Order {
            buyer: 100 + usize::try_from(n).unwrap() % 3,
            placed_at: opening + n * 3 * MINUTE,
            amount_minor: 100,
            ..Order::default()
        });
        stays.push((5 * MINUTE, 20 * MINUTE, false));
        reviews.push(Some((25 * MINUTE, 5)));
    }
    let table = features(&rows, &stays, &reviews);
    assert_eq!(table.value("doubted_count_90d", 0), Some(16.0));
    assert_eq!(table.value("placed_count_90d", 0), Some(40.0));
    assert_eq!(table.value("all_count_90d", 0), Some(56.0));
    assert_eq!(table.value("mean_90d_stars", 0), Some(4.0), "bought praise must not count");
}

#[test]
fn a_flash_sale_and_a_wholesale_buyer_are_no_fraud() {
    let (mut rows, mut stays, mut reviews) = honest();
    let opening = as_of().micros() - 30 * DAY;
    for n in 0..30_i64 {
        // A flash sale: a burst, many buyers, sent and reviewed as usual.
        rows.push(Order {
            buyer: 200 + usize::try_from(n).unwrap(),
            placed_at: opening + n * MINUTE,
            amount_minor: 900,
            ..Order::default()
        });
        stays.push((DAY, 4 * DAY, true));
        reviews.push(Some((6 * DAY, 5)));
        // Two wholesale buyers who come every other day.
        rows.push(Order {
            buyer: 300 + usize::try_from(n).unwrap() % 2,
            placed_at: as_of().micros() - (n + 15) * DAY,
            amount_minor: 2_000,
            ..Order::default()
        });
        stays.push((DAY, 2 * DAY, true));
        reviews.push(None);
    }
    assert_eq!(features(&rows, &stays, &reviews).value("doubted_count_90d", 0), Some(0.0));
}

/// Eight one-star reviews within a day, of orders placed `apart` from one another that arrived `delivered_after` they were placed.
fn struck(apart: i64, delivered_after: i64) -> FeatureTable {
    let (mut rows, mut stays, mut reviews) = honest();
    let reviewed_at = as_of().micros() - 10 * DAY;
    for n in 0..8_i64 {
        let placed_at = as_of().micros() - 14 * DAY - n * apart;
        let buyer = 400 + usize::try_from(n).unwrap();
        rows.push(Order { buyer, placed_at, amount_minor: 1_000, ..Order::default() });
        stays.push((HOUR, delivered_after, true));
        reviews.push(Some((reviewed_at + n * HOUR - placed_at, 1)));
    }
    features(&rows, &stays, &reviews)
}

#[test]
fn an_attack_is_left_out_and_genuine_anger_counts() {
    let attack = struck(HOUR, 3 * DAY);
    assert_eq!(attack.value("mean_90d_stars", 0), Some(4.0), "a gang that got what it ordered");
    assert_eq!(attack.value("placed_count_90d", 0), Some(48.0), "the orders themselves are not doubted");
    let earned = (160.0 + 8.0) / 48.0;
    for (apart, delivered_after, what) in [(HOUR, 12 * DAY, "a late batch"), (5 * DAY, 3 * DAY, "a bad batch")] {
        let angry = struck(apart, delivered_after).value("mean_90d_stars", 0).unwrap();
        assert!((angry - earned).abs() < 1e-12, "{what} earns its stars: {angry}");
    }
}
