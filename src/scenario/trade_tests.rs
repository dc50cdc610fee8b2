use proptest::prelude::*;

use super::*;

/// All orders of a merchant, each looked at for every record.
#[derive(Default)]
struct Naive(Vec<Known>);

impl Naive {
    fn sorted(&self) -> Vec<&Known> {
        let mut orders: Vec<&Known> = self.0.iter().collect();
        orders.sort_by(|a, b| (a.placed_at, &a.id).cmp(&(b.placed_at, &b.id)));
        orders
    }

    fn weight(order: &Known, by: i64, half_days: i64) -> i64 {
        let days = by.div_euclid(MICROS_PER_DAY) - order.placed_at.div_euclid(MICROS_PER_DAY);
        order.amount_minor * half_days / (half_days + days)
    }

    fn meant(&self, record: &BrokenRecord, by: i64, weighed: &[(bool, i64)]) -> Vec<Known> {
        let orders = self.sorted();
        if let Some(named) = orders.iter().find(|order| Some(order.id.as_str()) == record.order_id.as_deref()) {
            return vec![(*named).clone()];
        }
        let mut meant: Vec<Known> = Vec::new();
        for with_assumed in [false, true] {
            let there: Vec<&&Known> = orders.iter().filter(|order| with_assumed || !order.is_assumed).collect();
            let latest = there.iter().rfind(|order| order.is_completed && order.placed_at <= by).or(there.last());
            let mut found: Vec<Known> = latest.into_iter().map(|order| (**order).clone()).collect();
            for (is_completed, half_days) in weighed {
                let sound =
                    there.iter().filter(|o| o.placed_at <= by && o.is_completed == *is_completed && !o.is_spoilt);
                found.extend(heaviest(sound.map(|order| **order), by, *half_days).cloned());
            }
            for order in found {
                if meant.iter().all(|other| other.id != order.id) {
                    meant.push(order);
                }
            }
        }
        meant
    }

    fn corrected(&self, record: &BrokenRecord, by: i64) -> Option<Known> {
        let orders = self.sorted();
        let is_same = |order: &&&Known| {
            Some(order.placed_at) == record.event_at
                && !order.is_assumed
                && record.buyer_id.as_deref().is_none_or(|buyer| buyer == order.buyer.as_str())
        };
        if record.event_at.is_some() {
            return orders.iter().rfind(is_same).map(|order| (*order).clone());
        }
        let completed = orders.iter().filter(|order| order.placed_at <= by && order.is_completed && !order.is_assumed);
        heaviest(completed.copied(), by, 180).cloned()
    }
}

/// The one that weighs most; of two that weigh the same on different days the later one, on one day that of the larger amount.
fn heaviest<'a>(orders: impl Iterator<Item = &'a Known>, by: i64, half_days: i64) -> Option<&'a Known> {
    let mut of_days: BTreeMap<i64, &Known> = BTreeMap::new();
    for order in orders {
        let best = of_days.entry(order.placed_at.div_euclid(MICROS_PER_DAY)).or_insert(order);
        if order.amount_minor >= best.amount_minor {
            *best = order;
        }
    }
    of_days.into_values().max_by_key(|order| (Naive::weight(order, by, half_days), order.placed_at))
}

fn order() -> impl Strategy<Value = Known> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (0_u32..40, 0_i64..2, 0_i64..(6 * 24), 0_i64..2_000, flags).prop_map(|(id, buyer, hours, amount_minor, flags)| {
        Known {
            id: format!("o{id}").into(),
            buyer: format!("b{buyer}").into(),
            placed_at: hours * MICROS_PER_DAY / 24,
            amount_minor,
            currency: "CNY".into(),
            is_completed: flags.0,
            is_spoilt: flags.1,
            is_assumed: flags.2,
            is_taken: false,
        }
    })
}

fn record() -> impl Strategy<Value = (BrokenRecord, i64)> {
    let hour = || prop::option::of(0_i64..(7 * 24));
    (prop::option::of(0_u32..60), hour(), prop::option::of(0_i64..2), 0_i64..(8 * 24)).prop_map(
        |(id, event, buyer, by)| {
            let record = BrokenRecord {
                order_id: id.map(|id| format!("o{id}")),
                event_at: event.map(|hours| hours * MICROS_PER_DAY / 24),
                buyer_id: buyer.map(|buyer| format!("b{buyer}")),
                ..BrokenRecord::default()
            };
            (record, by * MICROS_PER_DAY / 24)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// What is found by days is what is found by looking at every order, however orders came and went.
    #[test]
    fn records_mean_the_same_orders_as_when_each_is_looked_at(
        steps in prop::collection::vec((order(), any::<bool>()), 0..60), records in prop::collection::vec(record(), 1..8),
    ) {
        let (mut trade, mut naive) = (Trade::default(), Naive::default());
        for (order, is_gone) in steps {
            trade.remove(&order.id);
            naive.0.retain(|other| other.id != order.id);
            if !is_gone {
                trade.insert(order.clone());
                naive.0.push(order);
            }
            // What was asked before an order came or went is forgotten with it.
            prop_assert_eq!(trade.largest_minor(), naive.0.iter().map(|o| o.amount_minor).max().unwrap_or(0));
        }
        prop_assert_eq!(trade.last(), naive.sorted().last().copied());
        for (record, by) in records {
            for weighed in [BY_VALUE, BY_STARS] {
                let found: Vec<Known> = trade.meant(&record, by, weighed).into_iter().cloned().collect();
                prop_assert_eq!(found, naive.meant(&record, by, weighed));
            }
            prop_assert_eq!(trade.corrected(&record, by).cloned(), naive.corrected(&record, by));
        }
    }
}
