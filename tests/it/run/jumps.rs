//! A night on which rows or values are lost, or scores shift: its gate stops it, the run before stays readable, and the message says what to do. The gate on
//! the sum offered is tripped in `nights::drift`.

use std::fs;
use std::path::{Path, PathBuf};

use integrity::domain::Currency;
use integrity::monitor::DriftFault;
use integrity::publish::ScoreBook;
use integrity::run::{Fault, GateError, RunError, RunOutcome};
use integrity::simulate::{SimulationSettings, simulate};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use polars::prelude::*;
use tempfile::TempDir;

use super::fixture::{AS_OF, job, options, run_with};
use super::invariance::{copy_of_data, read, write};
use super::nights::{NEXT, after_the_first_night, copy_folder, faults, keep_rows, named, next_night, night_of};

/// The fixture's job with a bound on what may jump, and faults of tables that are allowed. Models do not depend on either.
fn bounded(bound: &str, allowed: &[(&str, &str)]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    copy_folder(job().parent().unwrap(), folder.path());
    let monitor = folder.path().join("monitor.toml");
    let text = fs::read_to_string(&monitor).unwrap();
    assert!(text.contains("[portfolio]"));
    fs::write(&monitor, text.replacen("[portfolio]", &format!("[drift]\n{bound}\n\n[portfolio]"), 1)).unwrap();
    let allow = |(table, what): &(&str, &str)| {
        format!(
            "[[gates.allow]]\ntable = \"{table}\"\nwhat = \"{what}\"\nuntil = \"2025-12-31\"\nreason = \"a test\"\n\n"
        )
    };
    let allowed: String = allowed.iter().map(allow).collect();
    let path = folder.path().join("job.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("[model]", &format!("{allowed}[model]"))).unwrap();
    (folder, path)
}

/// Tables that a night may go without here, and what is measured of them is then null.
const ABSENT: [&str; 5] = ["shipments", "reviews", "disputes", "inventory", "applications"];

fn without(data: &Path, tables: &[&str]) {
    for table in tables {
        fs::remove_file(data.join(format!("{table}.parquet"))).unwrap();
    }
}

/// The fault of a night that stopped, its message naming the bound, once readers still see the run before.
fn stopped(night: Result<RunOutcome, RunError>, out: &Path, bound: &str) -> DriftFault {
    let error = match night {
        Err(error) => error,
        Ok(outcome) => panic!("the night went on: {}", outcome.summary.text()),
    };
    assert!(error.to_string().contains(bound), "{error}");
    assert_eq!(ScoreBook::open(&out.join("published")).unwrap().as_of(), AS_OF, "readers still see the run before");
    match error {
        RunError::Gate(GateError::Drift(faults)) => faults.into_iter().next().unwrap(),
        other => panic!("{other}"),
    }
}

#[test]
fn halved_rows_stop_the_night() {
    let out = after_the_first_night();
    let folder = copy_of_data();
    keep_rows(folder.path(), "reviews", "created_at", |n, _| n % 2 == 0);
    let found = faults(next_night(folder.path(), out.path()));
    assert!(named(&found).contains(&("reviews", Fault::FewerRows)), "{found:?}");
    assert_eq!(ScoreBook::open(&out.path().join("published")).unwrap().as_of(), AS_OF);
}

/// A table with nothing in some columns, but for one row in a hundred.
fn blank(folder: &Path, table: &str, columns: &[&str]) {
    let path = folder.join(format!("{table}.parquet"));
    let mut frame = read(&path);
    let stays: BooleanChunked = (0..frame.height()).map(|row| Some(row % 100 == 0)).collect();
    for name in columns {
        let column = frame.column(name).unwrap();
        let none = Column::full_null((*name).into(), frame.height(), column.dtype());
        let column = column.zip_with(&stays, &none).unwrap();
        frame.with_column(column).unwrap();
    }
    write(&path, &mut frame);
}

#[test]
fn values_that_go_missing_stop_the_night() {
    let out = after_the_first_night();
    let folder = copy_of_data();
    blank(folder.path(), "shipments", &["ship_by_at", "promised_at"]);
    let (_folder, path) = bounded("max_missing_rise_share = 0.3", &[("shipments", "column-lost")]);
    let fault = stopped(night_of(&path, folder.path(), out.path(), NEXT), out.path(), "max_missing_rise_share");
    assert!(matches!(fault, DriftFault::Missing { was, is, .. } if is > was + 0.3), "{fault}");

    // The same values as the night before: nothing has jumped.
    let whole = copy_of_data();
    let night = night_of(&path, whole.path(), out.path(), NEXT).unwrap();
    assert!(night.is_new);
}

#[test]
fn values_of_tables_that_may_be_absent_may_go_missing() {
    let out = after_the_first_night();
    let folder = copy_of_data();
    without(folder.path(), &ABSENT);
    let (_folder, path) = bounded("max_missing_rise_share = 0.01", &ABSENT.map(|table| (table, "absent")));
    assert!(night_of(&path, folder.path(), out.path(), NEXT).unwrap().is_new);
}

/// So many merchants that the model tells several bands apart.
fn larger_market() -> TempDir {
    let folder = TempDir::new().unwrap();
    let settings = SimulationSettings::new(420, 20, 5, Currency::new("CNY").unwrap());
    simulate(&settings, folder.path(), &|_, _| {}).unwrap();
    folder
}

/// Every order placed since a day cancelled an hour later, and nothing of it completed.
fn cancelled_since(frame: &DataFrame, day: Date) -> DataFrame {
    let since = day.to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond();
    let micros = |name: &str| frame.column(name).unwrap().datetime().unwrap().phys.clone();
    let placed = micros("placed_at");
    let altered = |name: &str, of: &dyn Fn(i64) -> Option<i64>| {
        let change = |(is, placed): (Option<i64>, Option<i64>)| match placed {
            Some(placed) if placed >= since => of(placed),
            _ => is,
        };
        let column: Int64Chunked = micros(name).iter().zip(placed.iter()).map(change).collect();
        column.into_datetime(TimeUnit::Microseconds, None).into_series().with_name(name.into()).into_column()
    };
    let mut frame = frame.clone();
    for name in ["completed_at", "refunded_at"] {
        let column = altered(name, &|_| None);
        frame.with_column(column).unwrap();
    }
    // Nothing goes back on no day.
    let refunded = frame.column("refunded_at").unwrap().is_not_null();
    let refund = frame.column("refund_minor").unwrap();
    let none = Column::full_null("refund_minor".into(), frame.height(), refund.dtype());
    let refund = refund.zip_with(&refunded, &none).unwrap();
    frame.with_column(refund).unwrap();
    let column = altered("cancelled_at", &|placed| Some(placed + 3_600_000_000));
    frame.with_column(column).unwrap();
    frame
}

/// From one night to the next the orders of the last months were all cancelled by their merchants: an error of the source, or the end of the marketplace.
#[test]
fn shifted_scores_stop_the_night() {
    let market = larger_market();
    let (_folder, path) = bounded("max_score_index = 0.25", &[("orders", "column-lost")]);
    let out = TempDir::new().unwrap();
    let first = run_with(&path, &options(market.path(), out.path())).unwrap();
    assert!(first.summary.bands.len() > 2, "{:?}", first.summary.bands);

    let orders = market.path().join("orders.parquet");
    // What the simulator stated of the file does not hold of another.
    fs::remove_file(market.path().join("orders.parquet.sha256")).unwrap();
    let frame = read(&orders);
    fs::copy(&orders, out.path().join("orders.parquet")).unwrap();
    write(&orders, &mut cancelled_since(&frame, AS_OF.saturating_sub(120.days())));
    let fault = stopped(night_of(&path, market.path(), out.path(), NEXT), out.path(), "max_score_index");
    assert!(matches!(fault, DriftFault::Scores { index, limit } if index > limit), "{fault}");

    // The orders as they were: nothing has shifted.
    fs::copy(out.path().join("orders.parquet"), &orders).unwrap();
    assert!(night_of(&path, market.path(), out.path(), NEXT).unwrap().is_new);
}
