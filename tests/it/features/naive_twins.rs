//! Every kind of feature against an obvious loop over raw orders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use integrity::domain::AsOf;
use integrity::features::FeatureConfig;
use jiff::civil::Date;
use proptest::prelude::*;

use super::shards::{DAY, Order, as_of, config, features_of, merchants, orders, reversed, shard};

const FEATURES: &str = r#"
[authenticity.combination]
suspect_weight = 100

[[measure]]
name = "placed"
table = "orders"
at = "placed_at"

[[measure]]
name = "gmv"
table = "orders"
at = "placed_at"
where = "completed_at IS NOT NULL"
value = "amount_minor"

[[measure]]
name = "lost"
table = "orders"
at = "placed_at"
where = "cancelled_at IS NOT NULL"
value = "amount_minor"

[[measure]]
name = "net"
table = "orders"
at = "placed_at"
value = "amount_minor - 5000"

[[measure]]
name = "open"
table = "orders"
at = "placed_at"
where = "completed_at IS NULL AND cancelled_at IS NULL"
value = "amount_minor"

[[feature]]
name = "gmv_10d_minor"
kind = "sum"
measure = "gmv"
window_days = 10
maturity_days = 5
unit = "minor"

[[feature]]
name = "lost_share_20d"
kind = "share"
numerator = "lost"
denominator = "gmv"
window_days = 20
min_denominator = 3000
unit = "share"

[[feature]]
name = "net_20d_ratio"
kind = "ratio"
numerator = "open"
numerator_ever = true
denominator = "gmv"
denominator_mean = true
window_days = 20
min_denominator = 2000
unit = "ratio"

[[feature]]
name = "gmv_mean_20d_minor"
kind = "mean"
measure = "gmv"
window_days = 20
min_rows = 2
unit = "minor"

[[feature]]
name = "gmv_trend_10d"
kind = "trend"
measure = "gmv"
window_days = 10
against_days = 15
min_total = 4000
unit = "trend"

[[feature]]
name = "net_trend_10d"
kind = "trend"
measure = "net"
window_days = 10
unit = "trend"

[[feature]]
name = "gmv_variation_20d_ratio"
kind = "variation"
measure = "gmv"
period_days = 5
periods = 4
unit = "ratio"

[[feature]]
name = "net_lowest_21d_minor"
kind = "lowest-period"
measure = "net"
period_days = 7
periods = 3
maturity_days = 2
unit = "minor"

[[feature]]
name = "placed_gap_20d_days"
kind = "longest-gap"
measure = "placed"
window_days = 20
unit = "days"

[[feature]]
name = "placed_since_20d_days"
kind = "days-since"
measure = "placed"
window_days = 20
unit = "days"

[[feature]]
name = "tenure_days"
kind = "tenure"
unit = "days"

[[feature]]
name = "buyers_count_20d"
kind = "distinct-buyers"
measure = "placed"
window_days = 20
unit = "count"

[[feature]]
name = "repeat_share_20d"
kind = "repeat-share"
measure = "placed"
window_days = 20
min_buyers = 2
unit = "share"

[[feature]]
name = "orders_per_buyer_20d_ratio"
kind = "rows-per-buyer"
measure = "placed"
window_days = 20
unit = "ratio"

[[feature]]
name = "top_share_20d"
kind = "concentration"
measure = "gmv"
statistic = "top"
window_days = 20
unit = "share"

[[feature]]
name = "hhi_share_20d"
kind = "concentration"
measure = "gmv"
statistic = "hhi"
window_days = 20
unit = "share"

[[feature]]
name = "amount_p90_20d_minor"
kind = "quantile"
measure = "net"
quantile = 0.9
window_days = 20
min_rows = 3
unit = "minor"

[[feature]]
name = "net_latest_20d_minor"
kind = "latest"
measure = "net"
window_days = 20
unit = "minor"

[[feature]]
name = "capital_minor"
kind = "decayed-stock"
gain = "gmv"
loss = "lost"
penalty = 2.5
half_life_days = 7
window_days = 30
unit = "minor"

[[feature]]
name = "open_minor"
kind = "balance"
measure = "open"
unit = "minor"

[[feature]]
name = "verification_level"
kind = "attribute"
column = "verification"
words = { none = 0, basic = 1, full = 3 }
unit = "level"

[[feature]]
name = "deposit_minor"
kind = "attribute"
column = "deposit_minor"
unit = "minor"

[[feature]]
name = "lost_gap_20d"
kind = "relative-share"
numerator = "lost"
denominator = "gmv"
window_days = 20
min_denominator = 1000
min_peers = 1
unit = "gap"

[[feature]]
name = "gmv_gap_10d"
kind = "relative-trend"
measure = "gmv"
window_days = 10
min_peers = 1
unit = "gap"

[[feature]]
name = "category_trend_10d"
kind = "relative-trend"
measure = "gmv"
window_days = 10
of_category = true
min_peers = 1
unit = "trend"
"#;

const COMMON: &str = "direction = \"either\"\ngroup = \"trade\"\nwhy = \"w\"\nsource = \"s\"\n[[feature]]\n";

fn feature_text() -> String {
    let mut parts = FEATURES.split("[[feature]]\n");
    let head = parts.next().unwrap();
    let tail: Vec<String> =
        parts.map(|p| format!("[[feature]]\n{}", COMMON.replace("[[feature]]\n", "") + p)).collect();
    head.to_owned() + &tail.concat()
}

static CONFIG: LazyLock<FeatureConfig> = LazyLock::new(|| config(&feature_text()));

/// What the twins look at: raw orders, and the calendar.
#[derive(Debug)]
struct World {
    as_of: AsOf,
    orders: Vec<Order>,
    registered: Vec<i64>,
    categories: Vec<&'static str>,
    /// Days from each order's local date to as-of.
    ages: Vec<i64>,
    /// Whether an order is trade of its own, no copy of another.
    counts: Vec<bool>,
}

/// Of what may be one sale (one buyer and merchant, ten minutes, one percent, whoever is reached by such pairs) one order counts: a cancelled
/// one before others, a completed one before an open one, the smaller sum, the first by id.
fn counts_once(orders: &[Order]) -> Vec<bool> {
    let ids: Vec<String> = (0..orders.len()).map(|n| format!("o{n}")).collect();
    let may_be_one = |a: &Order, b: &Order| {
        let (small, large) = (a.amount_minor.min(b.amount_minor), a.amount_minor.max(b.amount_minor));
        (a.merchant, a.buyer) == (b.merchant, b.buyer)
            && (a.placed_at - b.placed_at).abs() <= 600_000_000
            && (large - small) * 100 < small + 100
    };
    let mut sale: Vec<usize> = (0..orders.len()).collect();
    for _ in orders {
        for a in 0..orders.len() {
            for b in 0..orders.len() {
                if may_be_one(&orders[a], &orders[b]) {
                    let first = sale[a].min(sale[b]);
                    (sale[a], sale[b]) = (first, first);
                }
            }
        }
    }
    let rank = |n: usize| {
        let order = &orders[n];
        (order.cancelled_at.is_none(), order.completed_at.is_none(), order.amount_minor, &ids[n])
    };
    (0..orders.len()).map(|n| (0..orders.len()).all(|other| sale[other] != sale[n] || rank(n) <= rank(other))).collect()
}

fn age(as_of: &AsOf, micros: i64) -> i64 {
    let date: Date = as_of.local_date(micros).unwrap();
    i64::from(date.until(as_of.date()).unwrap().get_days())
}

impl World {
    /// Calendar days from an instant's local date to as-of.
    fn age(&self, micros: i64) -> i64 {
        age(&self.as_of, micros)
    }

    /// Values of a measure for one merchant, of orders placed from `to` to `from + 1` days ago, with buyer and time.
    fn rows(&self, measure: &str, merchant: usize, from: i64, to: i64) -> Vec<(i64, usize, i64, i64)> {
        let mut rows = Vec::new();
        for ((o, age), counts) in self.orders.iter().zip(self.ages.iter().copied()).zip(&self.counts) {
            if !counts || o.merchant != merchant || age <= from || age > to {
                continue;
            }
            let value = match measure {
                "placed" => Some(1),
                "gmv" => o.completed_at.map(|_| o.amount_minor),
                "lost" => o.cancelled_at.map(|_| o.amount_minor),
                "net" => Some(o.amount_minor - 5_000),
                "open" => (o.completed_at.is_none() && o.cancelled_at.is_none()).then_some(o.amount_minor),
                other => panic!("{other}"),
            };
            rows.extend(value.map(|v| (v, o.buyer, age, o.placed_at)));
        }
        rows
    }

    fn sum(&self, measure: &str, merchant: usize, from: i64, to: i64) -> i64 {
        self.rows(measure, merchant, from, to).iter().map(|r| r.0).sum()
    }

    fn buyers(&self, measure: &str, merchant: usize, to: i64) -> BTreeMap<usize, Vec<i64>> {
        let mut buyers: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        for (value, buyer, ..) in self.rows(measure, merchant, 0, to) {
            buyers.entry(buyer).or_default().push(value);
        }
        buyers
    }

    fn peers(&self, merchant: usize) -> Vec<usize> {
        (0..self.registered.len())
            .filter(|p| *p != merchant && self.categories[*p] == self.categories[merchant])
            .collect()
    }

    fn trend(&self, measure: &str, merchants: &[usize], recent: i64, earlier: i64) -> Option<f64> {
        let total = |from, to| merchants.iter().map(|m| self.sum(measure, *m, from, to)).sum::<i64>() as f64;
        let r = total(0, recent) / recent as f64;
        let e = total(recent, recent + earlier) / earlier as f64;
        (r.abs() + e.abs() > 0.0).then(|| (r - e) / (r.abs() + e.abs()))
    }

    #[expect(clippy::too_many_lines, reason = "one arm a feature")]
    fn twin(&self, feature: &str, m: usize) -> Option<f64> {
        let there = self.age(self.registered[m]);
        match feature {
            "gmv_10d_minor" => Some(self.sum("gmv", m, 5, 15) as f64),
            "lost_share_20d" => {
                let (n, d) = (self.sum("lost", m, 0, 20) as f64, self.sum("gmv", m, 0, 20) as f64);
                (d >= 3_000.0).then(|| (n / d).min(1.0))
            }
            "net_20d_ratio" => {
                let gmv = self.rows("gmv", m, 0, 20);
                let mean = gmv.iter().map(|r| r.0 as f64).sum::<f64>() / gmv.len() as f64;
                (!gmv.is_empty() && mean >= 2_000.0).then(|| self.sum("open", m, 0, 100_000) as f64 / mean)
            }
            "gmv_mean_20d_minor" => {
                let rows = self.rows("gmv", m, 0, 20);
                (rows.len() >= 2).then(|| rows.iter().map(|r| r.0).sum::<i64>() as f64 / rows.len() as f64)
            }
            "gmv_trend_10d" => {
                let enough = self.sum("gmv", m, 0, 25) >= 4_000 && there >= 25;
                self.trend("gmv", &[m], 10, 15).filter(|_| enough)
            }
            "net_trend_10d" => self.trend("net", &[m], 10, 10).filter(|_| there >= 20),
            "gmv_variation_20d_ratio" => {
                let x: Vec<f64> = (0..4).map(|k| self.sum("gmv", m, 5 * k, 5 * k + 5) as f64).collect();
                let mean = x.iter().sum::<f64>() / 4.0;
                let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4.0;
                (there >= 20 && mean > 0.0).then(|| variance.sqrt() / mean)
            }
            "net_lowest_21d_minor" => {
                let least = (0..3).map(|k| self.sum("net", m, 2 + 7 * k, 9 + 7 * k)).min().unwrap();
                (there >= 23).then_some(least as f64)
            }
            "placed_gap_20d_days" => {
                let active: BTreeSet<i64> = self.rows("placed", m, 0, 20).iter().map(|r| r.2).collect();
                let mut longest = 0;
                for start in 1..=20 {
                    let run = (start..=20).take_while(|age| !active.contains(age)).count();
                    longest = longest.max(run);
                }
                (there >= 20).then_some(longest as f64)
            }
            "placed_since_20d_days" => {
                let last = self.rows("placed", m, 0, 20).iter().map(|r| r.2).min();
                last.or((there >= 20).then_some(20)).map(|d| d as f64)
            }
            "tenure_days" => Some(there as f64),
            "buyers_count_20d" => Some(self.buyers("placed", m, 20).len() as f64),
            "repeat_share_20d" => {
                let buyers = self.buyers("placed", m, 20);
                let again = buyers.values().filter(|v| v.len() > 1).count();
                (buyers.len() >= 2).then(|| again as f64 / buyers.len() as f64)
            }
            "orders_per_buyer_20d_ratio" => {
                let buyers = self.buyers("placed", m, 20);
                let orders: usize = buyers.values().map(Vec::len).sum();
                (!buyers.is_empty()).then(|| orders as f64 / buyers.len() as f64)
            }
            "top_share_20d" | "hhi_share_20d" => {
                let sums: Vec<f64> = self.buyers("gmv", m, 20).values().map(|v| v.iter().sum::<i64>() as f64).collect();
                let total: f64 = sums.iter().sum();
                let top = sums.iter().copied().fold(0.0, f64::max) / total;
                let hhi = sums.iter().map(|v| v * v).sum::<f64>() / (total * total);
                (total > 0.0).then_some(if feature.starts_with("top") { top } else { hhi })
            }
            "amount_p90_20d_minor" => {
                let mut values: Vec<i64> = self.rows("net", m, 0, 20).iter().map(|r| r.0).collect();
                values.sort_unstable();
                // The smallest value that at least nine tenths of the values do not exceed.
                let covers = |v: &&i64| values.iter().filter(|x| x <= v).count() * 10 >= values.len() * 9;
                (values.len() >= 3).then(|| *values.iter().find(covers).unwrap() as f64)
            }
            "net_latest_20d_minor" => {
                let rows = self.rows("net", m, 0, 20);
                let latest = rows.iter().map(|r| r.3).max()?;
                rows.iter().filter(|r| r.3 == latest).map(|r| r.0).min().map(|v| v as f64)
            }
            "capital_minor" => {
                let mut total = 0.0;
                for (measure, weight) in [("gmv", 1.0), ("lost", -2.5)] {
                    for (value, _, age, _) in self.rows(measure, m, 0, 30) {
                        total += weight * value as f64 * integrity::domain::elementary::pow(0.5, age as f64 / 7.0);
                    }
                }
                Some(total)
            }
            "open_minor" => Some(self.sum("open", m, 0, 100_000) as f64),
            "verification_level" => [Some(0.0), Some(1.0), Some(3.0), None][m % 4],
            "deposit_minor" => (m != 1).then_some(m as f64 * 1_000.0),
            "lost_gap_20d" => {
                let share = |ms: &[usize]| {
                    let n: i64 = ms.iter().map(|p| self.sum("lost", *p, 0, 20)).sum();
                    let d: i64 = ms.iter().map(|p| self.sum("gmv", *p, 0, 20)).sum();
                    (n as f64 / d as f64).min(1.0)
                };
                let peers = self.peers(m);
                let trading = peers.iter().filter(|p| !self.rows("gmv", **p, 0, 20).is_empty()).count();
                (self.sum("gmv", m, 0, 20) >= 1_000 && trading >= 1).then(|| share(&[m]) - share(&peers))
            }
            "gmv_gap_10d" | "category_trend_10d" => {
                let mut peers = self.peers(m);
                let trading = |from, to| peers.iter().filter(|p| !self.rows("gmv", **p, from, to).is_empty()).count();
                if trading(0, 10).max(trading(10, 20)) < 1 {
                    return None;
                }
                if feature == "category_trend_10d" {
                    peers.push(m);
                    return self.trend("gmv", &peers, 10, 10);
                }
                let both = self.trend("gmv", &[m], 10, 10).zip(self.trend("gmv", &peers, 10, 10));
                both.map(|(own, others)| (own - others) / 2.0).filter(|_| there >= 20)
            }
            other => panic!("{other} has no twin"),
        }
    }
}

fn an_order(merchants: usize) -> impl Strategy<Value = Order> {
    let when = prop_oneof![
        1_i64..40 * DAY,
        (0_i64..40).prop_map(|d| d * DAY + 3 * 3_600_000_000),
        (1_i64..60).prop_map(|d| d * DAY)
    ];
    (0..merchants, 0_usize..4, when, 1_i64..9_000, 0..4).prop_map(|(merchant, buyer, back, amount_minor, fate)| {
        let placed_at = as_of().micros() - back;
        with_fate(Order { merchant, buyer, placed_at, amount_minor, ..Order::default() }, fate)
    })
}

fn with_fate(mut order: Order, fate: i32) -> Order {
    let soon = Some(order.placed_at + 1);
    order.completed_at = if fate <= 1 { soon } else { None };
    order.cancelled_at = if fate == 2 { soon } else { None };
    order
}

fn a_world() -> impl Strategy<Value = World> {
    let merchants = 4;
    let registered = prop_oneof![1_i64..50, Just(400), Just(20), Just(25)].prop_map(|d| as_of().micros() - d * DAY);
    (
        proptest::collection::vec(an_order(merchants), 0..60),
        proptest::collection::vec((any::<proptest::sample::Index>(), -12_i64..12, 98_i64..103, 0..4), 0..6),
        proptest::collection::vec(registered, merchants),
        proptest::collection::vec(prop_oneof![Just("tea"), Just("silk")], merchants),
    )
        .prop_map(|(mut orders, copies, registered, categories)| {
            for (of, minutes, percent, fate) in copies.into_iter().filter(|_| !orders.is_empty()).collect::<Vec<_>>() {
                let first = orders[of.index(orders.len())].clone();
                let placed_at = (first.placed_at + minutes * 60_000_000).min(as_of().micros() - 2);
                let amount_minor = (first.amount_minor * percent / 100).max(1);
                orders.push(with_fate(Order { placed_at, amount_minor, ..first }, fate));
            }
            let as_of = as_of();
            let ages = orders.iter().map(|o| age(&as_of, o.placed_at)).collect();
            let counts = counts_once(&orders);
            World { as_of, orders, registered, categories, ages, counts }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_kind_equals_its_naive_twin(world in a_world()) {
        let config = &*CONFIG;
        let rows: Vec<(i64, &str)> = world.registered.iter().copied().zip(world.categories.iter().copied()).collect();
        let tables = |flip: bool| {
            let (m, o) = (merchants(&rows), orders(&world.orders));
            if flip { vec![("merchants", reversed(&m)), ("orders", reversed(&o))] } else { vec![("merchants", m), ("orders", o)] }
        };
        let table = features_of(&shard(as_of(), tables(false)), config);
        prop_assert_eq!(&table, &features_of(&shard(as_of(), tables(true)), config), "row order changed something");
        prop_assert_eq!(table.merchants.len(), world.registered.len());
        for column in &table.columns {
            for (m, value) in column.values.iter().enumerate() {
                let twin = world.twin(&column.name, m);
                let agree = match (value, twin) {
                    (None, None) => true,
                    (Some(a), Some(b)) if column.name == "capital_minor" => (a - b).abs() <= 0.5 + 1e-6,
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                    _ => false,
                };
                prop_assert!(agree, "{} of m{}: {:?}, twin {:?}", column.name, m, value, twin);
            }
        }
    }
}

#[test]
fn every_kind_has_a_twin() {
    let tested: BTreeSet<&str> = CONFIG.features.iter().map(|f| f.kind_name).collect();
    let all: BTreeSet<&str> = integrity::features::KINDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(tested, all);
}
