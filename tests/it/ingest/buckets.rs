//! The number of buckets is nobody's business: rows that lie apart are washed as if they lay together.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use integrity::store::BrokenRecord;
use integrity::wash::{Activity, LedgerLine, QuarantineRow};

use super::{
    Dice, Ingested, ProptestConfig, TestCaseError, World, all_quarantined, as_of, as_rows, marketplace, plant_faults,
    prop_assert_eq, proptest, resend_broken, rows_as_of, sorted, utc,
};
use crate::ingest::twin::Row;
use crate::ingest::world::{Tables, Text};

/// All that a washed world says.
struct Said {
    ledger: Vec<LedgerLine>,
    quarantine: BTreeMap<&'static str, Vec<QuarantineRow>>,
    unattributed: Vec<BrokenRecord>,
    activity: BTreeMap<&'static str, Activity>,
    /// By table and by days looked back.
    rows: BTreeMap<(String, i32), Vec<Row>>,
    broken: Vec<BrokenRecord>,
}

fn said(made: &Ingested) -> Said {
    let mut rows = BTreeMap::new();
    let mut broken = Vec::new();
    for days in [0, 17, 60] {
        let then = utc(as_of()).days_before(days).unwrap();
        for table in made.store.index().tables.keys() {
            let seen = rows_as_of(&made.store, table, then.date());
            rows.insert((table.clone(), days), sorted(as_rows(&seen, table)));
        }
        for bucket in 0..made.store.buckets() {
            broken.extend(made.store.shard(bucket, &then).unwrap().broken);
        }
    }
    broken.sort();
    Said {
        ledger: made.ledger.clone(),
        quarantine: all_quarantined(made),
        unattributed: made.unattributed.clone(),
        activity: made.activity.clone(),
        rows,
        broken,
    }
}

/// Sends some rows again for another merchant, order or loan, under their own key.
pub fn send_to_others(tables: &mut Tables, dice: &mut Dice) {
    for table in tables.values_mut() {
        let mut again: Vec<Vec<String>> = Vec::new();
        for row in &table.rows {
            let Some(other) = (!table.rows.is_empty()).then(|| &table.rows[dice.below(table.rows.len())]) else {
                continue;
            };
            if dice.chance(12) {
                let mut moved = row.clone();
                for column in ["merchant_id", "order_id", "loan_id"] {
                    if let Some(at) = table.columns.iter().position(|c| c == column)
                        && at > 0
                        && dice.chance(60)
                    {
                        moved[at].clone_from(&other[at]);
                    }
                }
                let recorded = table.at("recorded_at");
                moved[recorded].clone_from(&other[recorded]);
                again.push(moved);
            }
        }
        table.rows.extend(again);
    }
}

/// A file in which some records, most of them under keys that others have, lack their last cells.
fn cut_some(table: &Text, dice: &mut Dice) -> String {
    let mut text = table.csv(&table.rows);
    for row in &table.rows {
        if dice.chance(4) {
            let cells = 1 + dice.below(table.columns.len() - 1);
            writeln!(text, "{}", row[..cells].join(",")).unwrap();
        }
    }
    text
}

/// The first key under which two maps differ, with both values.
fn first_difference<K: Ord + Clone, V: PartialEq + Clone>(
    a: &BTreeMap<K, V>,
    b: &BTreeMap<K, V>,
) -> Option<(K, Option<V>, Option<V>)> {
    let differs = |key: &&K| a.get(key) != b.get(key);
    a.keys().chain(b.keys()).find(differs).map(|key| (key.clone(), a.get(key).cloned(), b.get(key).cloned()))
}

fn compare(seed: u64) -> Result<(), TestCaseError> {
    let mut dice = Dice::new(seed);
    let mut tables = marketplace(&mut dice);
    send_to_others(&mut tables, &mut dice);
    plant_faults(&mut tables, &mut dice, 7);
    resend_broken(&mut tables, &mut dice, 9);
    let mut world = World::new("csv");
    for (name, table) in &tables {
        world.csv(&format!("{name}.csv"), &cut_some(table, &mut dice));
    }
    world.buckets = 1;
    let together = said(&world.run(as_of()).unwrap());
    for buckets in [3, 64] {
        world.buckets = buckets;
        let apart = said(&world.run(as_of()).unwrap());
        prop_assert_eq!(&apart.ledger, &together.ledger, "{} buckets", buckets);
        prop_assert_eq!(first_difference(&apart.quarantine, &together.quarantine), None, "{} buckets", buckets);
        prop_assert_eq!(&apart.unattributed, &together.unattributed, "{} buckets", buckets);
        prop_assert_eq!(first_difference(&apart.activity, &together.activity), None, "{} buckets", buckets);
        prop_assert_eq!(first_difference(&apart.rows, &together.rows), None, "{} buckets", buckets);
        let apart: Vec<_> = apart.broken.iter().filter(|record| !together.broken.contains(record)).collect();
        prop_assert_eq!(apart, Vec::<&BrokenRecord>::new(), "{} buckets", buckets);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_number_of_buckets_changes_nothing(seed: u64) {
        compare(seed)?;
    }
}
