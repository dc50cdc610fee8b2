//! A night on which rows or values are lost: its gate stops it, the run before stays readable, and the message says what to do. The gate on the sum offered
//! is tripped in `nights::drift`, that on scores in the monitor's own tests: so small a market has a model of one band.

use std::fs;
use std::path::{Path, PathBuf};

use integrity::monitor::DriftFault;
use integrity::publish::ScoreBook;
use integrity::run::{Fault, GateError, RunError, RunOutcome};
use tempfile::TempDir;

use super::fixture::{AS_OF, job};
use super::invariance::copy_of_data;
use super::nights::{NEXT, after_the_first_night, copy_folder, faults, keep_rows, named, next_night, night_of};

/// The fixture's job with a bound on what may jump, and tables that may be absent. Models do not depend on either.
fn bounded(bound: &str, may_be_absent: &[&str]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    copy_folder(job().parent().unwrap(), folder.path());
    let monitor = folder.path().join("monitor.toml");
    let text = fs::read_to_string(&monitor).unwrap();
    assert!(text.contains("[portfolio]"));
    fs::write(&monitor, text.replacen("[portfolio]", &format!("[drift]\n{bound}\n\n[portfolio]"), 1)).unwrap();
    let allow = |table: &&str| {
        format!(
            "[[gates.allow]]\ntable = \"{table}\"\nwhat = \"absent\"\nuntil = \"2025-12-31\"\nreason = \"a test\"\n\n"
        )
    };
    let allowed: String = may_be_absent.iter().map(allow).collect();
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
        RunError::Gate(GateError::Drift(fault)) => *fault,
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

#[test]
fn values_that_go_missing_stop_the_night() {
    let out = after_the_first_night();
    let folder = copy_of_data();
    without(folder.path(), &ABSENT);
    let (_folder, path) = bounded("max_missing_rise_share = 0.3", &ABSENT);
    let fault = stopped(night_of(&path, folder.path(), out.path(), NEXT), out.path(), "max_missing_rise_share");
    assert!(matches!(fault, DriftFault::Missing { was, is, .. } if is > was + 0.3), "{fault}");

    // The same tables as the night before: nothing has jumped.
    let whole = copy_of_data();
    let night = night_of(&path, whole.path(), out.path(), NEXT).unwrap();
    assert!(night.is_new);
}
