//! Sums that no 64 bits hold: unknown for their merchant, and nobody else's business.

use integrity::features::{IndustryTotals, Overflow};
use proptest::prelude::*;

use super::shards::{DAY, Order, as_of, config, features_of, merchants, orders, prepared_of, shard};

const FEATURES: &str = r#"
[authenticity.combination]
suspect_weight = 100

[authenticity.repeated]
window_minutes = 0
amount_bps = 0

[[measure]]
name = "placed"
table = "orders"
at = "placed_at"

[[measure]]
name = "gmv"
table = "orders"
at = "placed_at"
value = "amount_minor"
"#;

/// One feature of each kind that reads `gmv`, and one that does not.
fn text() -> String {
    let keys = [
        ("placed_count_90d", "sum", "measure = \"placed\"\nwindow_days = 90", "count"),
        ("gmv_90d_minor", "sum", "measure = \"gmv\"\nwindow_days = 90", "minor"),
        ("gmv_1d_minor", "sum", "measure = \"gmv\"\nwindow_days = 1", "minor"),
        ("share_90d", "share", "numerator = \"placed\"\ndenominator = \"gmv\"\nwindow_days = 90", "share"),
        ("gap_90d_days", "longest-gap", "measure = \"gmv\"\nwindow_days = 90", "days"),
        ("since_90d_days", "days-since", "measure = \"gmv\"\nwindow_days = 90", "days"),
        ("buyers_count_90d", "distinct-buyers", "measure = \"gmv\"\nwindow_days = 90", "count"),
        ("median_90d_minor", "quantile", "measure = \"gmv\"\nquantile = 0.5\nwindow_days = 90", "minor"),
        ("least_90d_minor", "lowest-period", "measure = \"gmv\"\nperiod_days = 30\nperiods = 3", "minor"),
        ("capital_minor", "decayed-stock", "gain = \"gmv\"\nhalf_life_days = 30\nwindow_days = 90", "minor"),
        ("peers_gap_30d", "relative-trend", "measure = \"gmv\"\nwindow_days = 30\nmin_peers = 1", "gap"),
    ];
    let features = keys.map(|(name, kind, keys, unit)| {
        format!(
            "[[feature]]\nname = \"{name}\"\nkind = \"{kind}\"\n{keys}\nunit = \"{unit}\"\ngroup = \"trade\"\n\
             direction = \"either\"\nwhy = \"w\"\nsource = \"s\"\n"
        )
    });
    FEATURES.to_owned() + &features.concat()
}

fn order(merchant: usize, days: i64, amount_minor: i64) -> Order {
    Order { merchant, placed_at: as_of().micros() - days * DAY, amount_minor, ..Order::default() }
}

fn market(rows: &[Order], shops: usize) -> integrity::store::Shard {
    let shops = merchants(&vec![(as_of().micros() - 400 * DAY, "tea"); shops]);
    shard(as_of(), vec![("merchants", shops), ("orders", orders(rows))])
}

#[test]
fn an_overflow_is_null_for_its_merchant_and_named() {
    let config = config(&text());
    let sound = [order(0, 3, 500), order(0, 40, 900), order(1, 4, 700), order(1, 50, 300)];
    let half = i64::MAX / 2 + 1;
    for huge in [
        // On one day, but not at one instant: those would be one order sent twice.
        vec![order(2, 1, half), Order { placed_at: as_of().micros() - DAY + 1, ..order(2, 1, half) }],
        vec![order(2, 1, half), order(2, 80, half)],
        vec![order(2, 1, half), order(2, 200, -half)],
        vec![order(2, 20, i64::MIN)],
    ] {
        let all: Vec<Order> = sound.iter().chain(&huge).cloned().collect();
        let prepared = prepared_of(&market(&all, 3), &config);
        assert_eq!(prepared.overflows, [Overflow { merchant: "m2".to_owned(), measure: "gmv".to_owned() }]);
        let table = prepared.clone().finish(&IndustryTotals::of_shard(&prepared), &config).unwrap();
        let without = features_of(&market(&sound, 2), &config);
        for (column, expected) in table.columns.iter().zip(&without.columns) {
            assert_eq!(column.values[..2], expected.values[..], "{}: the others are as without m2", column.name);
            assert_eq!(column.values[2].is_some(), column.name == "placed_count_90d", "{} of m2", column.name);
        }
    }
    assert_eq!(prepared_of(&market(&sound, 2), &config).overflows, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_sum_is_exact_or_unknown(rows in proptest::collection::vec(
        (0_usize..3, 1_i64..120, prop_oneof![any::<i64>(), -9_000_i64..9_000, Just(i64::MAX), Just(i64::MIN)]), 0..8,
    )) {
        let placed: Vec<Order> = rows.iter().map(|(m, days, amount)| order(*m, *days, *amount)).collect();
        let table = features_of(&market(&placed, 3), &config(&text()));
        for m in 0..3 {
            let mine = || rows.iter().filter(move |(merchant, ..)| *merchant == m);
            let size: i128 = mine().map(|(.., v)| i128::from(*v).abs()).sum();
            let sum: i128 = mine().filter(|(_, days, _)| *days <= 90).map(|(.., v)| i128::from(*v)).sum();
            let expected = (size < i128::from(i64::MAX)).then_some(sum as f64);
            prop_assert_eq!(table.value("gmv_90d_minor", m), expected);
        }
    }
}
