//! A folder a night holds the rows of the undivided files, each on the day on which it was recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use integrity::contract::TABLES;
use integrity::run::Job;
use integrity::simulate::SimulationSettings;
use integrity::wash::{Ingested, LedgerLine, ingest};
use jiff::ToSpan;
use jiff::civil::Date;
use tempfile::TempDir;

use super::{run, settings};

fn wash(folder: &TempDir, job: &str, day: Date) -> Ingested {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(job).join("job.toml");
    let mut job = Job::open(&path).unwrap();
    job.intake.source.data = folder.path().join("market");
    job.intake.wash.max_quarantine_share = 1.0;
    // Undivided files tell by their number of rows, and so by rows of the future, how many buckets there are.
    job.intake.store.buckets = Some(4);
    ingest(&job.intake, day, &folder.path().join("store"), &|_| {}).unwrap_or_else(|e| panic!("{e}"))
}

/// The ledger by table, whatever the files: what was read, but for rows that are not yet visible, and what became of it.
fn of_tables(made: &Ingested) -> BTreeMap<String, LedgerLine> {
    let mut tables: BTreeMap<String, LedgerLine> = BTreeMap::new();
    for line in &made.ledger {
        let sum = tables.entry(line.table.clone()).or_default();
        sum.read += line.read - line.not_yet_visible;
        sum.kept += line.kept - line.not_yet_visible;
        sum.quarantined += line.quarantined;
        sum.duplicate += line.duplicate;
        for (rule, count) in &line.rules {
            *sum.rules.entry(rule.clone()).or_default() += count;
        }
    }
    tables
}

/// Removes the folders of a day and all later ones.
fn forget_from(folder: &TempDir, day: Date) -> usize {
    let mut removed = 0;
    for entry in fs::read_dir(folder.path().join("market")).unwrap() {
        let entry = entry.unwrap();
        let date: Result<Date, _> = entry.file_name().to_string_lossy().parse();
        if date.is_ok_and(|date| date >= day) {
            fs::remove_dir_all(entry.path()).unwrap();
            removed += 1;
        }
    }
    removed
}

#[test]
fn nights_together_are_washed_as_the_undivided_files_and_each_night_holds_what_could_be_known() {
    let many = SimulationSettings { late_share: 0.05, resent_share: 0.1, ..settings(40, 4, 17) };
    let (whole, undivided) = run(&many);
    let (nightly, split) = run(&SimulationSettings { nightly: true, ..many.clone() });
    assert!(split.command.ends_with("--nightly") && !undivided.command.contains("nightly"));
    let nights = split.files.iter().filter(|f| f.file.ends_with("/orders.parquet") && !f.file.starts_with("truth"));
    assert!(nights.count() > 90);
    for table in &TABLES {
        let rows = |report: &integrity::simulate::SimulationReport| -> u64 {
            let of_table = |file: &str| file.rsplit('/').next() == Some(&format!("{}.parquet", table.name)[..]);
            report.files.iter().filter(|f| !f.file.starts_with("truth/") && of_table(&f.file)).map(|f| f.rows).sum()
        };
        assert_eq!(rows(&split), rows(&undivided), "{}", table.name);
    }
    let truth = |report: &integrity::simulate::SimulationReport| {
        report.files.iter().filter(|f| f.file.starts_with("truth/")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(truth(&split), truth(&undivided));

    for back in [0, 40] {
        let day = many.end_on.checked_sub(back.days()).unwrap();
        if back > 0 {
            assert!(forget_from(&nightly, day) > 0);
        }
        let (known, sent) = (wash(&whole, "demo", day), wash(&nightly, "nightly", day));
        assert_eq!(of_tables(&sent), of_tables(&known), "{back} days before the end");
        for bucket in 0..4 {
            let [sent, known] = [&sent, &known].map(|made| made.store.shard(bucket, &made.as_of).unwrap());
            assert_eq!(sent.broken, known.broken);
            for (name, rows) in &known.tables {
                assert!(sent.tables[name].equals_missing(rows), "{name}, {back} days before the end");
            }
        }
    }
}
