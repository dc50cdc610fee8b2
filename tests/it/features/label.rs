//! The outcome predicate, on two views of one market.

use integrity::features::{FeatureError, outcome, window_sums};
use integrity::tiles::Views;

use super::shards::{DAY, Order, as_of, config, merchants, orders, shard, views_of};

const TEXT: &str = r#"
[[measure]]
name = "gmv"
table = "orders"
at = "placed_at"
value = "amount_minor"

[[measure]]
name = "late"
table = "orders"
at = "placed_at"
where = "delivery_late"

[[feature]]
name = "gmv_90d_minor"
kind = "sum"
measure = "gmv"
window_days = 90
unit = "minor"
group = "trade"
direction = "either"
why = "w"
source = "s"

[label]
name = "trade-distress"
before_days = 30
eligible = "gmv_before >= 1000"
outcome = "gmv_after * 5 < gmv_before OR late_after > 3"
why = "w"
"#;

/// One order of each value, `days` after the observation (negative: before), by merchant.
fn market(rows: &[(usize, i64, i64)]) -> (Views, Views) {
    let s = as_of();
    let later = s.days_before(-20).unwrap();
    let seen = |at: &integrity::domain::AsOf| {
        let visible: Vec<Order> = rows
            .iter()
            .map(|(merchant, days, amount_minor)| Order {
                merchant: *merchant,
                placed_at: s.micros() + days * DAY,
                amount_minor: *amount_minor,
                ..Order::default()
            })
            .filter(|o| o.placed_at < at.micros())
            .collect();
        let shops = merchants(&[(s.micros() - 400 * DAY, "tea"); 4]);
        views_of(&shard(at.clone(), vec![("merchants", shops), ("orders", orders(&visible))])).unwrap()
    };
    (seen(&s), seen(&later))
}

#[test]
fn outcomes_compare_the_two_windows() {
    let rows = [
        (0, -5, 2_000),
        (0, 3, 399), // fell below a fifth
        (1, -5, 2_000),
        (1, 0, 200),
        (1, 19, 200), // just a fifth: both ends of the window count
        (2, -5, 999),
        (2, 3, 1), // too small to judge
        (3, -31, 50_000),
        (3, -30, 1_500), // gone; what lies before the window does not count
    ];
    let (before, after) = market(&rows);
    // Without shipments `late` is unknown: a comparison with it is, too, and OR keeps what is certain.
    let judged = outcome(&before, &after, &config(TEXT), 20).unwrap();
    let verdicts: Vec<Option<bool>> = judged.iter().map(|(_, bad)| *bad).collect();
    assert_eq!(verdicts, [Some(true), None, None, Some(true)]);
    let certain = TEXT.replace(" OR late_after > 3", "");
    let judged = outcome(&before, &after, &config(&certain), 20).unwrap();
    let verdicts: Vec<Option<bool>> = judged.iter().map(|(_, bad)| *bad).collect();
    assert_eq!(verdicts, [Some(true), Some(false), None, Some(true)]);
    assert_eq!(judged.iter().map(|(m, _)| m.as_str()).collect::<Vec<_>>(), ["m0", "m1", "m2", "m3"]);

    let sums = window_sums(&after, &config(TEXT), &["gmv"], 20).unwrap();
    assert_eq!(sums.sum("gmv", "m1"), Some(400));
    assert_eq!(sums.sum("gmv", "m3"), Some(0));
    assert_eq!((sums.sum("gmv", "m9"), sums.sum("late", "m1")), (None, None));
}

#[test]
fn views_must_be_one_window_apart() {
    let (before, after) = market(&[]);
    assert!(matches!(outcome(&before, &after, &config(TEXT), 21), Err(FeatureError::Observations { .. })));
    let without = TEXT.split("[label]").next().unwrap();
    assert!(matches!(outcome(&before, &after, &config(without), 20), Err(FeatureError::NoLabel)));
}
