//! The simulated marketplace: reproducible, whole, and planted at known rates.

mod faults;
mod lending;
mod nights;
mod washed;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMicrosecondType};
use integrity::contract::{TABLES, Visibility};
use integrity::domain::{Currency, Digest};
use integrity::simulate::{SimulateError, SimulationReport, SimulationSettings, simulate};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

const MICROS_PER_DAY: i64 = 86_400_000_000;

fn settings(merchants: u64, months: u16, seed: u64) -> SimulationSettings {
    SimulationSettings::new(merchants, months, seed, Currency::new("CNY").unwrap())
}

/// Without faults under the keys of sound rows: what remains of a table without its broken rows is whole.
fn sound(settings: &SimulationSettings) -> SimulationSettings {
    SimulationSettings { key_fault_share: 0.0, ledger_fault_share: 0.0, ..settings.clone() }
}

fn run(settings: &SimulationSettings) -> (TempDir, SimulationReport) {
    let folder = tempfile::tempdir().unwrap();
    let report = simulate(settings, &folder.path().join("market"), &|_, _| {}).unwrap();
    (folder, report)
}

/// Times and numbers as integers, words and ids as text; `None` is null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Int(i64),
    Text(String),
    Texts(Vec<String>),
}

type Row = BTreeMap<String, Option<Value>>;

fn read(folder: &TempDir, file: &str) -> Vec<Row> {
    let path = folder.path().join("market").join(file);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.flat_map(|batch| rows(&batch.unwrap())).collect()
}

fn rows(batch: &RecordBatch) -> Vec<Row> {
    let schema = batch.schema();
    let row = |i: usize| {
        let cell = |c: usize| value(batch.column(c), i);
        schema.fields().iter().enumerate().map(|(c, field)| (field.name().clone(), cell(c))).collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

fn value(array: &dyn Array, i: usize) -> Option<Value> {
    if array.is_null(i) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(i)),
        DataType::Date32 => Value::Int(i64::from(array.as_primitive::<Date32Type>().value(i))),
        DataType::Timestamp(..) => Value::Int(array.as_primitive::<TimestampMicrosecondType>().value(i)),
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(i).to_owned()),
        DataType::List(_) => {
            let texts = array.as_list::<i32>().value(i);
            Value::Texts(texts.as_string::<i32>().iter().map(|t| t.unwrap().to_owned()).collect())
        }
        other => panic!("no contract column is {other}"),
    })
}

fn int(row: &Row, column: &str) -> Option<i64> {
    match row[column] {
        Some(Value::Int(value)) => Some(value),
        _ => None,
    }
}

fn text<'a>(row: &'a Row, column: &str) -> Option<&'a str> {
    match &row[column] {
        Some(Value::Text(value)) => Some(value),
        _ => None,
    }
}

/// Rows whose keys were not planted broken, exact duplicates and older versions included. Broken stock-takings share their merchant's
/// id with sound ones and are told by their values.
fn good_rows(folder: &TempDir, table: &str) -> Vec<Row> {
    let contract = integrity::contract::table(table).unwrap();
    let broken: BTreeSet<(String, Option<i64>)> = read(folder, "truth/planted.parquet")
        .iter()
        .filter(|p| text(p, "table_name") == Some(table) && text(p, "rule").is_some())
        .filter_map(|p| Some((text(p, "key")?.to_owned(), int(p, "number"))))
        .collect();
    let is_planted = |row: &Row| match contract.key {
        ["merchant_id", _] => {
            int(row, "stock_value_minor").is_none_or(|v| v < 0) || int(row, "cost_of_sales_minor").is_none()
        }
        [key, ..] => {
            let number = if table == "instalments" { int(row, "number") } else { None };
            text(row, key).is_none_or(|k| broken.contains(&(k.to_owned(), number)))
        }
        [] => false,
    };
    read(folder, &format!("{table}.parquet")).into_iter().filter(|row| !is_planted(row)).collect()
}

fn key_of(row: &Row, columns: &[&str]) -> Vec<Option<Value>> {
    columns.iter().map(|c| row[*c].clone()).collect()
}

#[test]
fn equal_settings_give_equal_bytes_whatever_the_threads() {
    let settings = settings(150, 6, 11);
    let on_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&settings))
    };
    let (one, first) = on_threads(1);
    let (_five, second) = on_threads(5);
    assert_eq!(first, second);
    for file in &first.files {
        let path = one.path().join("market").join(&file.file);
        assert_eq!(Digest::of_file(&path).unwrap(), file.sha256, "{}", file.file);
    }
    let metadata = fs::read_to_string(one.path().join("market/metadata.json")).unwrap();
    assert!(metadata.contains(&first.files[1].sha256.to_string()));
    assert!(metadata.contains("--merchants 150 --months 6 --seed 11 --end-on 2025-07-01 --currency CNY"));
}

#[test]
fn another_seed_is_another_marketplace() {
    let (_a, first) = run(&settings(20, 3, 1));
    let (_b, second) = run(&settings(20, 3, 2));
    assert_ne!(first.files[1].sha256, second.files[1].sha256);
}

#[test]
fn a_folder_in_use_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("note.txt"), "mine").unwrap();
    let refused = simulate(&settings(5, 1, 1), folder.path(), &|_, _| {});
    assert!(matches!(refused, Err(SimulateError::OutNotEmpty { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn every_file_has_its_digest_beside_it() {
    let (folder, report) = run(&settings(20, 6, 1));
    for file in &report.files {
        let statement = fs::read_to_string(folder.path().join(format!("market/{}.sha256", file.file))).unwrap();
        assert_eq!(statement, format!("{}  {}\n", file.sha256, file.file.rsplit('/').next().unwrap()));
    }
}

#[test]
fn progress_ends_with_every_merchant() {
    let heard = std::cell::RefCell::new(Vec::new());
    let folder = tempfile::tempdir().unwrap();
    simulate(&settings(70, 1, 1), folder.path(), &|done, total| heard.borrow_mut().push((done, total))).unwrap();
    assert_eq!(heard.borrow().first(), Some(&(0, 70)));
    assert_eq!(heard.borrow().last(), Some(&(70, 70)));
}

#[test]
fn good_rows_keep_the_contract() {
    let (folder, _) = run(&sound(&settings(400, 12, 5)));
    let end = settings(1, 1, 1).end_on.until(jiff::civil::date(1970, 1, 1)).unwrap().get_days();
    let end = -i64::from(end) * MICROS_PER_DAY;
    let tables: BTreeMap<&str, Vec<Row>> = TABLES.iter().map(|t| (t.name, good_rows(&folder, t.name))).collect();
    for table in TABLES {
        let rows = &tables[table.name];
        assert!(!rows.is_empty(), "{} is empty", table.name);
        for row in rows {
            for column in table.columns {
                let value = &row[column.name];
                assert!(value.is_some() || !column.required, "{}: null {} in {row:?}", table.name, column.name);
                if let (Some((low, high)), Some(Value::Int(v))) = (column.range, value) {
                    assert!((low..=high).contains(v), "{}: {} = {v}", table.name, column.name);
                }
                if let (integrity::contract::Type::Word(words), Some(Value::Text(word))) = (column.kind, value) {
                    assert!(words.contains(&word.as_str()), "{}: {} = {word}", table.name, column.name);
                }
            }
            if let Visibility::Instant(event) = table.visibility {
                assert!(int(row, event).unwrap() < end);
            }
            for mask in table.masks.iter().filter(|m| !matches!(m.milestone, "ship_by_at" | "promised_at")) {
                let milestone = int(row, mask.milestone);
                assert!(milestone.is_none_or(|m| m < end), "{}: {} in the future", table.name, mask.milestone);
                let revealed = mask.reveals.iter().any(|c| row[*c].is_some());
                assert!(milestone.is_some() || !revealed, "{}: {row:?}", table.name);
            }
        }
        for key in table.foreign_keys {
            let parents: BTreeMap<&Option<Value>, &Row> = tables[key.table].iter().map(|p| (&p[key.key], p)).collect();
            for row in rows.iter().filter(|r| r[key.column].is_some()) {
                let parent = parents.get(&row[key.column]);
                assert!(parent.is_some(), "{}: no {} for {row:?}", table.name, key.table);
                if key.same_merchant {
                    assert_eq!(parent.unwrap()["merchant_id"], row["merchant_id"]);
                }
            }
        }
    }
    for order in &tables["orders"] {
        let placed = int(order, "placed_at").unwrap();
        for milestone in ["paid_at", "cancelled_at", "completed_at", "refunded_at"] {
            assert!(int(order, milestone).is_none_or(|m| m >= placed), "{order:?}");
        }
        assert!(int(order, "refund_minor").is_none_or(|r| r <= int(order, "amount_minor").unwrap()));
        assert_eq!(text(order, "currency"), Some("CNY"));
    }
    for parcel in &tables["shipments"] {
        assert!(int(parcel, "delivered_at").is_none_or(|d| int(parcel, "shipped_at").is_some_and(|s| s <= d)));
    }
    for application in &tables["applications"] {
        let names_orders = application["order_ids"].is_some();
        assert_eq!(names_orders, text(application, "product") == Some("order-loan"));
    }
}

#[test]
fn a_version_shows_nothing_later_than_its_stamp() {
    let (folder, _) = run(&SimulationSettings { resent_share: 0.3, late_share: 0.1, ..sound(&settings(60, 12, 8)) });
    let mut stamped = 0;
    for table in TABLES.iter().filter(|t| t.has_recorded_at()) {
        let mut versions: BTreeMap<_, Vec<Row>> = BTreeMap::new();
        for row in good_rows(&folder, table.name) {
            if let Some(stamp) = int(&row, "recorded_at") {
                stamped += 1;
                for mask in table.masks.iter().filter(|m| !matches!(m.milestone, "ship_by_at" | "promised_at")) {
                    assert!(int(&row, mask.milestone).is_none_or(|m| m < stamp), "{}: {row:?}", table.name);
                }
                if let Visibility::Instant(event) = table.visibility {
                    assert!(int(&row, event).unwrap() < stamp, "{}: {row:?}", table.name);
                }
            }
            versions.entry(key_of(&row, table.key)).or_default().push(row);
        }
        for rows in versions.values().filter(|rows| rows.len() > 1) {
            let stamps: BTreeSet<_> = rows.iter().map(|r| int(r, "recorded_at")).collect();
            let is_duplicate = rows.iter().all(|r| *r == rows[0]);
            assert!(is_duplicate || (stamps.len() == rows.len() && !stamps.contains(&None)), "{rows:?}");
        }
    }
    assert!(stamped > 500, "only {stamped} stamped rows");
}

#[test]
fn planted_rows_come_at_their_rates() {
    let (folder, report) = run(&settings(300, 12, 9));
    let rows = report.files.iter().find(|f| f.file == "orders.parquet").unwrap().rows as f64;
    let planted = read(&folder, "truth/planted.parquet");
    let share = |kind: &str| {
        let of_orders = planted.iter().filter(|p| text(p, "table_name") == Some("orders"));
        of_orders.filter(|p| text(p, "kind") == Some(kind)).count() as f64 / rows
    };
    for (kind, low, high) in
        [("late", 0.0015, 0.0045), ("duplicate", 0.0015, 0.0045), ("broken", 0.0015, 0.0045), ("resent", 0.013, 0.027)]
    {
        assert!((low..high).contains(&share(kind)), "{kind}: {}", share(kind));
    }
    let orders = read(&folder, "orders.parquet");
    let duplicates: Vec<_> = planted
        .iter()
        .filter(|p| text(p, "table_name") == Some("orders") && text(p, "kind") == Some("duplicate"))
        .map(|p| text(p, "key").unwrap())
        .collect();
    for key in duplicates {
        let copies: Vec<&Row> = orders.iter().filter(|o| text(o, "order_id") == Some(key)).collect();
        assert_eq!(copies.len(), 2);
        assert_eq!(copies[0], copies[1]);
    }
}

#[test]
fn no_knob_plants_nothing() {
    let clean = SimulationSettings {
        late_share: 0.0,
        resent_share: 0.0,
        duplicate_share: 0.0,
        broken_share: 0.0,
        key_fault_share: 0.0,
        ledger_fault_share: 0.0,
        brusher_share: 0.0,
        attacked_share: 0.0,
        ..settings(40, 6, 3)
    };
    let (folder, _) = run(&clean);
    for file in ["planted", "orders", "reviews", "disputes"] {
        assert!(read(&folder, &format!("truth/{file}.parquet")).is_empty(), "{file}");
    }
    assert!(Path::new(&folder.path().join("market/orders.parquet")).exists());
}
