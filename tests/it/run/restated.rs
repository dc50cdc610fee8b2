//! Past nights once more, with what was recorded since.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use integrity::domain::Digest;
use integrity::publish::{
    Current, PointingOrder, PublishError, PublishedRun, Publisher, RestatedChange, RestatedValue, RunState, ScoreBook,
    TableReader, previous_run, run_list, standing_run, verify,
};
use integrity::report::explain;
use integrity::run::{Restatement, RunOptions, RunOutcome, Silent, replay_run, restate_night, run_job};
use integrity::score::MerchantScore;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use polars::prelude::*;
use tempfile::TempDir;

use super::fixture::{AS_OF, base, bytes_of, data, job, options};
use super::invariance::{copy_of_data, read, write};
use super::nights::after_the_first_night;

/// Six weeks after the night.
const KNOWN_BEFORE: Date = date(2025, 6, 12);

fn restate(data: &Path, out: &Path) -> Restatement {
    // What the job's file says of rules is not looked at, so its date need not be that of the night.
    let options = RunOptions { as_of: None, ..options(data, out) };
    restate_night(job(), AS_OF, Some(KNOWN_BEFORE), &options, &Silent).unwrap()
}

fn micros(date: Date) -> i64 {
    date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_microsecond()
}

/// The first night and its restatement, in a folder that tests only read.
fn restated() -> &'static (TempDir, RunOutcome) {
    static RESTATED: OnceLock<(TempDir, RunOutcome)> = OnceLock::new();
    RESTATED.get_or_init(|| {
        let out = after_the_first_night();
        let made = restate(data(), out.path());
        assert_eq!(made.missing, Vec::<String>::new());
        let (outcome, counts) = made.made.unwrap();
        assert!(outcome.is_new && !outcome.published.is_current);
        assert!(counts.merchants > 5, "the data hold what was recorded late: {counts:?}");
        (out, outcome)
    })
}

/// A night for which all that was recorded late was recorded in its last seconds sees the same facts in the same order.
#[test]
fn a_restatement_is_the_night_that_had_known_it_all() {
    let folder = copy_of_data();
    let (as_of, known_before) = (micros(AS_OF), micros(KNOWN_BEFORE));
    let mut future = BTreeSet::new();
    for (table, key, event) in [("loans", "loan_id", "disbursed_at"), ("orders", "order_id", "placed_at")] {
        let frame = read(&folder.path().join(format!("{table}.parquet")));
        let events = frame.column(event).unwrap().datetime().unwrap().physical();
        let keys = frame.column(key).unwrap().str().unwrap();
        let later = keys.iter().zip(events.iter()).filter(|(_, at)| at.is_some_and(|at| at >= as_of));
        future.extend(later.filter_map(|(key, _)| key.map(str::to_owned)));
    }
    let mut late = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let mut frame = read(&path);
        let Ok(recorded) = frame.column("recorded_at") else { continue };
        let kind = recorded.dtype().clone();
        let is_late = |at: i64| (as_of..known_before).contains(&at);
        let in_time = |at: i64| if is_late(at) { as_of - 1 - (known_before - at) / 1_000_000 } else { at };
        let physical = recorded.datetime().unwrap().physical().clone();
        late += physical.iter().flatten().filter(|at| is_late(*at)).count();
        // Recorded before as-of, what happens after it would contradict itself, and a schedule or parcel of a loan or order that is not yet there
        // would be an orphan.
        let table = integrity::contract::table(path.file_stem().unwrap().to_str().unwrap());
        let event = table.and_then(|table| table.visibility.event());
        let events = event.map(|event| frame.column(event).unwrap().cast(&kind).unwrap());
        let events = events.map(|events| events.datetime().unwrap().physical().clone());
        let parents = ["loan_id", "order_id"].iter().find_map(|name| frame.column(name).ok());
        let parents = parents.map(|parents| parents.str().unwrap().clone());
        let is_of_the_future = |row: usize| {
            parents.as_ref().and_then(|parents| parents.get(row)).is_some_and(|parent| future.contains(parent))
                || events.as_ref().and_then(|events| events.get(row)).is_some_and(|at| at >= as_of)
        };
        let moved: Int64Chunked = physical
            .iter()
            .enumerate()
            .map(|(row, at)| if is_of_the_future(row) { at } else { at.map(in_time) })
            .collect();
        let is_moved: BooleanChunked =
            physical.iter().zip(moved.iter()).map(|(before, after)| before != after).collect();
        let moved = moved.into_series().cast(&kind).unwrap().with_name("recorded_at".into()).into_column();
        frame.with_column(moved).unwrap();
        // What had not happened by as-of could not stand in a row recorded before it.
        for mask in table.iter().flat_map(|table| table.masks).filter(|mask| !mask.is_foreseen) {
            let milestones = frame.column(mask.milestone).unwrap().cast(&kind).unwrap();
            let comes = milestones.datetime().unwrap().physical().iter().map(|at| at.is_some_and(|at| at >= as_of));
            let kept: BooleanChunked =
                comes.zip(is_moved.iter()).map(|(comes, moved)| !(comes && moved == Some(true))).collect();
            for name in std::iter::once(&mask.milestone).chain(mask.reveals) {
                let column = frame.column(name).unwrap().as_materialized_series();
                let nothing = Series::full_null(column.name().clone(), column.len(), column.dtype());
                let masked = column.zip_with(&kept, &nothing).unwrap();
                frame.with_column(masked.into_column()).unwrap();
            }
        }
        write(&path, &mut frame);
    }
    assert!(late > 100, "{late}");
    let out = TempDir::new().unwrap();
    let models = base().0.path().join("models");
    let night = run_job(job(), &RunOptions { models: Some(models), ..options(folder.path(), out.path()) }, &Silent);
    let night = bytes_of(&night.unwrap());
    let restated = bytes_of(&restated().1);
    for table in [
        "scores", "features", "evidence", "offers", "open_offers", "declines", "alerts", "deductions", "accounts",
        "borrower_states", "loan_book", "cases",
    ] {
        let name = format!("{table}.parquet");
        assert_eq!(restated[&name], night[&name], "{table}");
    }
    assert_ne!(restated["scores.parquet"], bytes_of(&base().1)["scores.parquet"]);
}

#[test]
fn the_first_version_stays_what_everybody_reads_and_builds_on() {
    let (folder, outcome) = restated();
    let out = &folder.path().join("published");
    let first = &base().1.published.run_id;
    assert_eq!(&standing_run(out, AS_OF).unwrap().unwrap().run_id, first);
    assert_eq!(&previous_run(out, date(2025, 6, 1)).unwrap().unwrap().run_id, first);
    let list = run_list(out).unwrap();
    let states: Vec<RunState> = list.runs.iter().map(|run| run.state).collect();
    assert!(states.len() == 2 && states.contains(&RunState::Current) && states.contains(&RunState::Restatement));
    let listed = list.runs.iter().find(|run| run.state == RunState::Restatement).unwrap();
    assert!(listed.why.as_ref().unwrap().contains(first));
    assert_eq!(list.periods.len(), 1, "it was never current");
    assert!(verify(out, Some(AS_OF)).unwrap().is_sound());
    let order = PointingOrder {
        run_id: outcome.published.run_id.clone(),
        reason: "test".to_owned(),
        by: "test".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    let copy = after_the_first_night();
    let (published, copied) = (out, copy.path().join("published"));
    super::nights::copy_folder(published, &copied);
    let refused = Publisher::open(&copied).unwrap().repoint(&order);
    assert!(matches!(refused, Err(PublishError::IsRestatement { .. })));
    // A pointer to it, written by hand, is not believed.
    let run = format!("as_of={AS_OF}/run={}", outcome.published.run_id);
    let forged = Current {
        run_id: outcome.published.run_id.clone(),
        manifest_sha256: Digest::of(&fs::read(copied.join(&run).join("manifest.json")).unwrap()),
        run,
        ..Current::read(&copied).unwrap().unwrap()
    };
    for pointer in ["current.json".to_owned(), format!("as_of={AS_OF}/current.json")] {
        fs::write(copied.join(&pointer), serde_json::to_string_pretty(&forged).unwrap() + "\n").unwrap();
        let found = verify(&copied, Some(AS_OF)).unwrap();
        assert!(
            found.all_findings().any(|f| f.path == pointer && f.to_string().contains("a restatement")),
            "{found:?}"
        );
        assert_eq!(&standing_run(&copied, AS_OF).unwrap().unwrap().run_id, first);
        assert_eq!(&previous_run(&copied, date(2025, 6, 1)).unwrap().unwrap().run_id, first);
        assert_eq!(&ScoreBook::open(&copied).unwrap().run_id(), first);
    }
    // A date that has lost its pointer still stands by the first version.
    fs::remove_file(copied.join(format!("as_of={AS_OF}/current.json"))).unwrap();
    assert_eq!(&standing_run(&copied, AS_OF).unwrap().unwrap().run_id, first);
    // What differs is from the version that is named.
    fs::remove_dir_all(copied.join(format!("as_of={AS_OF}/run={first}"))).unwrap();
    let findings = verify(&copied, Some(AS_OF)).unwrap();
    assert!(findings.all_findings().any(|finding| finding.to_string().contains("restates")), "{findings:?}");
}

#[test]
fn differences_are_those_of_the_tables() {
    let (_, outcome) = restated();
    let run = &outcome.published.run_dir;
    let differences: Vec<RestatedValue> =
        TableReader::open(&run.join("restated.parquet")).unwrap().collect::<Result<_, _>>().unwrap();
    let scores = |run: &Path| -> BTreeMap<String, MerchantScore> {
        let rows = TableReader::<MerchantScore>::open(&run.join("scores.parquet")).unwrap();
        rows.map(|row| row.map(|row| (row.merchant_id.clone(), row))).collect::<Result<_, _>>().unwrap()
    };
    let (before, after) = (scores(&base().1.published.run_dir), scores(run));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let mut expected = Vec::new();
    for (merchant, was) in &before {
        let now = &after[merchant];
        if was.score != now.score {
            let text = |score: &MerchantScore| score.score.map(|score| score.to_string());
            expected.push((merchant.as_str(), text(was), text(now)));
        }
    }
    assert!(!expected.is_empty());
    let found = differences.iter().filter(|row| row.in_table == "scores" && row.column == "score");
    let found: Vec<_> = found.map(|row| (row.merchant_id.as_str(), row.before.clone(), row.after.clone())).collect();
    assert_eq!(found, expected);
    // Features: every column, every merchant.
    let features = |run: &Path| read(&run.join("features.parquet"));
    let (before, after) = (features(&base().1.published.run_dir), features(run));
    let mut differs = BTreeMap::new();
    for (was, now) in before.columns().iter().zip(after.columns()).skip(1) {
        let bits = |column: &Column| -> Vec<Option<u64>> {
            column.cast(&DataType::Float64).unwrap().f64().unwrap().iter().map(|v| v.map(f64::to_bits)).collect()
        };
        let count = bits(was).into_iter().zip(bits(now)).filter(|(was, now)| was != now).count();
        if count > 0 {
            differs.insert(now.name().to_string(), count);
        }
    }
    let mut found = BTreeMap::new();
    for row in differences.iter().filter(|row| row.in_table == "features") {
        assert_eq!(row.change, RestatedChange::Changed);
        *found.entry(row.column.clone()).or_insert(0) += 1;
    }
    assert_eq!(found, differs);
    // An offer whose limit moved is the same offer; its id follows from what it offers.
    let offers = differences.iter().filter(|row| row.in_table == "offers");
    assert!(offers.clone().all(|row| !row.key.is_empty()));
}

#[test]
fn it_is_found_again_proven_and_explained() {
    let (folder, outcome) = restated();
    let run = &outcome.published.run_dir;
    let again = restate(data(), folder.path()).made.unwrap().0;
    assert!(!again.is_new);
    assert_eq!(again.published.run_id, outcome.published.run_id);
    let elsewhere = TempDir::new().unwrap();
    let options = RunOptions { as_of: None, ..options(data(), elsewhere.path()) };
    let report = replay_run(run, &options, &Silent).unwrap();
    assert_eq!((report.missing, report.differs), (Vec::<String>::new(), Vec::<String>::new()));
    assert!(report.is_proven);
    let merchant = TableReader::<MerchantScore>::open(&run.join("scores.parquet")).unwrap().next().unwrap().unwrap();
    let explained = explain(run, &merchant.merchant_id).unwrap().unwrap();
    assert_eq!(explained.restates.unwrap().first.run_id, base().1.published.run_id);
    let manifest = PublishedRun::open(run).unwrap().manifest().clone();
    assert_eq!(manifest.restates.unwrap().known_before, KNOWN_BEFORE);
}

#[test]
fn a_night_that_never_was_is_not_restated() {
    let out = after_the_first_night();
    let options = RunOptions { as_of: None, ..options(data(), out.path()) };
    let refused = restate_night(job(), date(2025, 4, 30), None, &options, &Silent);
    assert!(matches!(refused, Err(integrity::run::RunError::Publish(PublishError::NoSuchRun { .. }))));
    // Without the model's files nothing is published.
    let first = out.path().join(format!("published/as_of={AS_OF}/run={}", base().1.published.run_id));
    fs::remove_file(first.join("model/approval.json")).unwrap();
    let made = restate_night(job(), AS_OF, None, &options, &Silent).unwrap();
    assert!(made.made.is_none() && made.missing.len() == 1);
}
