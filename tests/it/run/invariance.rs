//! What may not change a published byte: the future, the order and number of files, the number of threads.

use std::fs::{self, File};
use std::path::Path;

use polars::prelude::*;
use tempfile::TempDir;

use super::fixture::{AS_OF, base, bytes_of, data, job, options, run, run_with};

pub fn read(path: &Path) -> DataFrame {
    ParquetReader::new(File::open(path).unwrap()).finish().unwrap()
}

pub fn write(path: &Path, frame: &mut DataFrame) {
    ParquetWriter::new(File::create(path).unwrap()).finish(frame).unwrap();
}

pub fn copy_of_data() -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(data()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "parquet") {
            fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    copy
}

fn as_of_micros() -> i64 {
    AS_OF.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_microsecond()
}

/// Rows of a table whose instant lies at or after as-of, and of which nothing is said to have happened before: those contradict themselves, and
/// are seen as broken.
fn later(frame: &DataFrame, column: &str) -> BooleanChunked {
    let instants = |column: &Column| column.datetime().unwrap().phys.clone();
    let happened = |column: &&Column| {
        matches!(column.dtype(), DataType::Datetime(..))
            && !["recorded_at", "promised_at"].contains(&column.name().as_str())
    };
    let has_happened =
        frame.columns().iter().filter(happened).map(instants).fold(vec![false; frame.height()], |any, times| {
            any.iter().zip(times.iter()).map(|(any, t)| *any || t.is_some_and(|t| t < as_of_micros())).collect()
        });
    let events = instants(frame.column(column).unwrap());
    let waits = |(t, happened): (Option<i64>, bool)| t.is_some_and(|t| t >= as_of_micros()) && !happened;
    events.iter().zip(has_happened).map(waits).collect()
}

#[test]
fn the_future_changes_no_byte() {
    let folder = copy_of_data();
    let mut altered = 0;
    for (table, instant, money) in [
        ("orders", "placed_at", "amount_minor"),
        ("disputes", "opened_at", "amount_minor"),
        ("loans", "disbursed_at", "principal_minor"),
        ("payments", "paid_at", "amount_minor"),
        ("applications", "applied_at", "requested_minor"),
    ] {
        let path = folder.path().join(format!("{table}.parquet"));
        let mut frame = read(&path);
        let is_later = later(&frame, instant);
        altered += is_later.sum().unwrap_or(0);
        // Altered: sums trebled, below zero for some. Appended: later rows once more, under other keys.
        let trebled: Int64Chunked = frame
            .column(money)
            .unwrap()
            .i64()
            .unwrap()
            .iter()
            .zip(is_later.iter())
            .map(|(v, later)| v.map(|v| if later == Some(true) { v * 3 - 5_000 } else { v }))
            .collect();
        frame.with_column(trebled.into_series().with_name(money.into()).into_column()).unwrap();
        let mut more = frame.filter(&is_later).unwrap();
        let key = frame.get_column_names()[0].clone();
        let keys: StringChunked =
            more.column(&key).unwrap().str().unwrap().iter().map(|k| k.map(|k| format!("{k}-again"))).collect();
        more.with_column(keys.into_series().with_name(key).into_column()).unwrap();
        let mut all = frame.vstack(&more).unwrap();
        write(&path, &mut all);
    }
    assert!(altered > 100, "the data must hold a future to alter: {altered}");
    // Milestones of past orders that lie in the future move.
    let path = folder.path().join("orders.parquet");
    let mut orders = read(&path);
    let moved: Int64Chunked = orders
        .column("completed_at")
        .unwrap()
        .datetime()
        .unwrap()
        .phys
        .iter()
        .map(|t| t.map(|t| if t >= as_of_micros() { t + 86_400_000_000 } else { t }))
        .collect();
    let moved = moved.into_datetime(TimeUnit::Microseconds, None).into_series().with_name("completed_at".into());
    orders.with_column(moved.into_column()).unwrap();
    write(&path, &mut orders);

    let out = TempDir::new().unwrap();
    let outcome = run(folder.path(), out.path()).unwrap();
    assert_eq!(bytes_of(&outcome), bytes_of(&base().1));
}

#[test]
fn order_and_splitting_of_files_change_no_byte_of_a_result() {
    let folder = copy_of_data();
    for table in ["orders", "shipments", "reviews", "loans", "payments", "merchants"] {
        let path = folder.path().join(format!("{table}.parquet"));
        let frame = read(&path);
        let rows = frame.height();
        // A fixed shuffle: every row goes to (row × odd) mod rows' nearest free place.
        let mut order: Vec<IdxSize> = (0..u32::try_from(rows).unwrap()).collect();
        order.sort_by_key(|&row| row.wrapping_mul(2_654_435_761));
        let shuffled = frame.take(&IdxCa::from_vec("rows".into(), order)).unwrap();
        if !["orders", "payments"].contains(&table) {
            write(&path, &mut shuffled.clone());
            continue;
        }
        std::fs::remove_file(&path).unwrap();
        for (part, (from, to)) in [(0, rows / 5), (rows / 5, rows / 2), (rows / 2, rows)].into_iter().enumerate() {
            let piece = folder.path().join(format!("{table}-{part}.parquet"));
            write(&piece, &mut shuffled.slice(i64::try_from(from).unwrap(), to - from));
        }
    }
    let out = TempDir::new().unwrap();
    let outcome = run(folder.path(), out.path()).unwrap();
    // Quarantine names files and rows, which did move.
    let without_quarantine = |run| {
        let mut bytes = bytes_of(run);
        bytes.retain(|name, _| !name.starts_with("quarantine/"));
        bytes
    };
    assert_eq!(without_quarantine(&outcome), without_quarantine(&base().1));
}

#[test]
fn threads_change_no_byte() {
    let out = TempDir::new().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let outcome = pool.install(|| run(data(), out.path())).unwrap();
    assert_eq!(bytes_of(&outcome), bytes_of(&base().1));
}

/// Of a large marketplace a part is learnt from, in whole buckets where that is possible: the same merchants however many buckets there are.
#[test]
fn buckets_change_nothing_of_what_is_learnt_from_a_part_of_the_merchants() {
    let learnt = |buckets: u32| {
        let folder = TempDir::new().unwrap();
        for file in fs::read_dir(job().parent().unwrap()).unwrap() {
            let file = file.unwrap().path();
            if file.is_file() {
                fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
            }
        }
        let text = fs::read_to_string(job()).unwrap();
        let text = text.replace("buckets = 4", &format!("buckets = {buckets}"));
        let text = text.replace("test_snapshots = 1", "test_snapshots = 1\nmost_learnt_rows = 240");
        let text = text.replace("snapshot_every_days = 90\nsnapshots = 3", "snapshot_every_days = 60\nsnapshots = 6");
        fs::write(folder.path().join("job.toml"), text).unwrap();
        let out = TempDir::new().unwrap();
        run_with(&folder.path().join("job.toml"), &options(data(), out.path())).unwrap();
        let version = fs::read_dir(out.path().join("models/small")).unwrap().map(|entry| entry.unwrap().path());
        let version = version.filter(|path| path.join("training.json").exists()).collect::<Vec<_>>();
        let read = |file: &str| fs::read_to_string(version[0].join(file)).unwrap();
        (read("training.json"), read("model.json"))
    };
    let four = learnt(4);
    let training: serde_json::Value = serde_json::from_str(&four.0).unwrap();
    assert_eq!(training["one_merchant_in"], 2, "{training}");
    for buckets in [1, 3] {
        assert_eq!(learnt(buckets), four, "{buckets} buckets");
    }
}
