//! What washing makes of the planted faults is what the truth says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::contract::{TABLES, table};
use integrity::run::Job;
use integrity::simulate::SimulationSettings;
use integrity::wash::{Ingested, ingest};
use polars::prelude::DataFrame;
use tempfile::TempDir;

use super::{int, read, run, settings, text};

/// Washes the marketplace as the demo's job does; `limit` replaces its limit of quarantined rows.
fn wash(folder: &TempDir, settings: &SimulationSettings, limit: Option<f64>) -> Ingested {
    let mut job = Job::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo/job.toml")).unwrap();
    job.intake.source.data = folder.path().join("market");
    if let Some(limit) = limit {
        job.intake.wash.max_quarantine_share = limit;
    }
    let day = settings.end_on;
    ingest(&job.intake, day, &folder.path().join("store"), &|_| {}).unwrap_or_else(|e| panic!("{e}"))
}

/// Keys of a table's rows, parts joined by `|`.
fn keys(frame: &DataFrame, name: &str) -> Vec<String> {
    let part = |column: &str, row: usize| match frame.column(column).unwrap().i64() {
        Ok(numbers) => numbers.get(row).unwrap().to_string(),
        Err(_) => frame.column(column).unwrap().str().unwrap().get(row).unwrap().to_owned(),
    };
    let of_row = |row| table(name).unwrap().key.iter().map(|c| part(c, row)).collect::<Vec<_>>().join("|");
    (0..frame.height()).map(of_row).collect()
}

#[test]
fn washing_makes_of_every_fault_what_the_truth_says() {
    let many = SimulationSettings { key_fault_share: 0.02, ledger_fault_share: 0.3, ..settings(150, 12, 13) };
    let (folder, _) = run(&many);
    let made = wash(&folder, &many, Some(1.0));
    let mut clean: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut broken: BTreeSet<(String, String)> = BTreeSet::new();
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    for bucket in 0..made.store.buckets() {
        let shard = made.store.shard(bucket, &made.as_of).unwrap();
        for name in TABLES.map(|t| t.name).into_iter().filter(|n| *n != "inventory") {
            for key in keys(&shard.tables[name], name) {
                assert!(clean.entry(name).or_default().insert(key.clone()), "{name} holds {key} twice");
            }
        }
        for record in shard.broken {
            unknown.extend(record.loan_id);
            broken.extend(record.key.map(|key| (record.table, key)));
        }
    }
    broken.extend(made.unattributed.into_iter().filter_map(|r| Some((r.table, r.key?))));

    let (mut lost, mut kept) = (0, 0);
    for fault in read(&folder, "truth/planted.parquet") {
        let [name, kind, effect] = ["table_name", "kind", "effect"].map(|c| text(&fault, c).unwrap());
        let Some(id) = text(&fault, "key").filter(|_| !["inventory", "guarantee_groups"].contains(&name)) else {
            continue;
        };
        let key = int(&fault, "number").map_or_else(|| id.to_owned(), |number| format!("{id}|{number}"));
        let is_clean = clean[name].contains(&key);
        let is_broken = broken.contains(&(name.to_owned(), key));
        if text(&fault, "rule").is_some() {
            assert!(is_broken && !is_clean, "{fault:?}: broken {is_broken}, clean {is_clean}");
            lost += 1;
        } else if kind != "instalment-dropped" {
            // Rows whose own parents are broken go with them.
            assert!(is_clean != is_broken, "{fault:?}: broken {is_broken}, clean {is_clean}");
            kept += u32::from(is_clean);
        }
        if effect == "unknown-loan" && text(&fault, "rule").is_some() {
            assert!(unknown.contains(text(&fault, "loan_id").unwrap()), "a broken record leads to its loan: {fault:?}");
        }
    }
    assert!(lost > 200 && kept > 500, "{lost} lost, {kept} kept");
}

#[test]
fn the_demos_limit_of_quarantined_rows_holds() {
    let usual = settings(500, 12, 5);
    let (folder, _) = run(&usual);
    let made = wash(&folder, &usual, None);
    assert!(made.ledger.iter().all(integrity::wash::LedgerLine::balances));
}
