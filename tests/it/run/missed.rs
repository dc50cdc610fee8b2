//! Nights that were missed, and runs that are proven by making them again.

use std::fs;
use std::path::{Path, PathBuf};

use integrity::domain::Digest;
use integrity::publish::PublishError;
use integrity::run::{
    MissedNights, ReplayReport, RunError, RunOptions, RunOutcome, Silent, catch_up, missed_nights, replay_run, run_job,
};
use jiff::ToSpan;
use jiff::civil::Date;
use tempfile::TempDir;

use super::fixture::{AS_OF, base, bytes_of, data, job, options, run_with};
use super::invariance::copy_of_data;
use super::nights::{after_the_first_night, copy_folder};

fn days_after(days: i64) -> Date {
    AS_OF.checked_add(days.days()).unwrap()
}

fn missed(out: &Path, through: Date) -> MissedNights {
    missed_nights(job(), through, &options(data(), out)).unwrap()
}

/// Two nights after the first one, published by catching up, in a folder that tests only read.
fn caught_up() -> &'static (TempDir, Vec<RunOutcome>) {
    static CAUGHT_UP: std::sync::OnceLock<(TempDir, Vec<RunOutcome>)> = std::sync::OnceLock::new();
    CAUGHT_UP.get_or_init(|| {
        let out = after_the_first_night();
        let mut done: Vec<RunOutcome> = Vec::new();
        let options = options(data(), out.path());
        // Run again, each night is found as it was published.
        let nights = catch_up(job(), days_after(2), &options, &Silent, &mut |outcome| {
            assert!(outcome.is_new && outcome.published.is_current);
        });
        assert_eq!(nights.unwrap().missed, [days_after(1), days_after(2)]);
        for days in [1, 2] {
            let again = RunOptions { as_of: Some(days_after(days).into()), ..options.clone() };
            done.push(run_job(job(), &again, &Silent).unwrap());
        }
        (out, done)
    })
}

#[test]
fn missed_nights_are_published_in_order_each_on_the_one_before() {
    let out = after_the_first_night();
    let through = days_after(2);
    assert_eq!(
        missed(out.path(), through),
        MissedNights { last: AS_OF, missed: vec![days_after(1), through], passed_over: Vec::new() }
    );
    assert_eq!(missed(out.path(), AS_OF).missed, []);
    let (caught, nights) = caught_up();
    for (night, days) in nights.iter().zip([1, 2]) {
        let options = RunOptions { as_of: Some(days_after(days).into()), ..options(data(), out.path()) };
        let by_hand = run_job(job(), &options, &Silent).unwrap();
        assert!(by_hand.is_new && !night.is_new, "the night had been caught up");
        assert_eq!(by_hand.published.run_id, night.published.run_id);
        assert_eq!(bytes_of(&by_hand), bytes_of(night));
    }
    assert_eq!(missed(caught.path(), through).missed, []);
    fs::remove_dir_all(out.path().join(format!("published/as_of={}", days_after(1)))).unwrap();
    let nights = missed(out.path(), days_after(3));
    assert_eq!((nights.missed, nights.passed_over), (vec![days_after(3)], vec![days_after(1)]));
}

#[test]
fn where_nothing_was_published_nothing_says_where_to_begin() {
    let out = TempDir::new().unwrap();
    let refused = missed_nights(job(), AS_OF, &options(data(), out.path()));
    assert!(matches!(refused, Err(RunError::Publish(PublishError::NothingPublished(_)))));
}

fn replayed(run: &Path, data: &Path) -> ReplayReport {
    // Neither the job's own folders nor its models are looked at.
    let elsewhere = TempDir::new().unwrap();
    let options = RunOptions { as_of: None, started_at: jiff::Timestamp::MAX, ..options(data, elsewhere.path()) };
    replay_run(run, &options, &Silent).unwrap()
}

#[test]
fn a_run_is_proven_from_what_its_manifest_names() {
    let (out, nights) = caught_up();
    // Files that came later are not seen.
    let folder = copy_of_data();
    fs::copy(folder.path().join("payments.parquet"), folder.path().join("payments-2.parquet")).unwrap();
    let run = &nights[1].published.run_dir;
    let report = replayed(run, folder.path());
    assert_eq!((report.missing, report.differs), (Vec::<String>::new(), Vec::<String>::new()));
    assert!(report.is_proven && report.equal_files > 15);
    assert_eq!(
        fs::read_dir(out.path().join("published"))
            .unwrap()
            .flatten()
            .filter(|e| e.file_name().to_string_lossy().starts_with("as_of="))
            .count(),
        3
    );
}

#[test]
fn files_that_are_not_what_was_published_prove_nothing() {
    let (out, nights) = caught_up();
    let copy = TempDir::new().unwrap();
    copy_folder(&out.path().join("published"), copy.path());
    let run: PathBuf =
        copy.path().join(nights[1].published.run_dir.strip_prefix(out.path().join("published")).unwrap());
    let scores = run.join("scores.parquet");
    let mut bytes = fs::read(&scores).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&scores, bytes).unwrap();
    fs::remove_file(run.join("offers.parquet")).unwrap();
    let report = replayed(&run, data());
    assert!(!report.is_proven && report.missing.is_empty(), "{:?}", report.missing);
    assert_eq!(report.differs.len(), 2, "{:?}", report.differs);
    for name in ["scores.parquet", "offers.parquet"] {
        assert!(report.differs.iter().any(|line| line.contains(name)), "{name}: {:?}", report.differs);
    }
}

#[test]
fn a_run_whose_raw_files_are_gone_is_proven_from_the_archive() {
    let out = after_the_first_night();
    let folder = copy_of_data();
    let archiving = job_that_archives();
    // What senders stated is published of each table.
    let payments = Digest::of_file(&folder.path().join("payments.parquet")).unwrap();
    fs::write(folder.path().join("payments.sha256"), format!("{payments}\n")).unwrap();
    let of_night = RunOptions { as_of: Some(days_after(1).into()), ..options(folder.path(), out.path()) };
    let night = run_with(&archiving.path().join("job.toml"), &of_night).unwrap();
    let run = &night.published.run_dir;
    // Last month's file was written over, and the rest went with their folder's cleaning.
    fs::write(folder.path().join("orders.parquet"), "not these").unwrap();
    fs::remove_file(folder.path().join("payments.parquet")).unwrap();
    fs::remove_file(folder.path().join("payments.sha256")).unwrap();
    let ledger = fs::read_to_string(run.join("wash_ledger.json")).unwrap();
    assert!(ledger.contains("\"is_digest_verified\": true"));
    let report = replayed(run, folder.path());
    assert_eq!((report.missing, report.differs), (Vec::<String>::new(), Vec::<String>::new()));
    assert!(report.is_proven && report.from_archive == 2);
    let nowhere = TempDir::new().unwrap();
    let without_data = RunOptions { data: None, as_of: None, ..options(nowhere.path(), nowhere.path()) };
    let report = replay_run(run, &without_data, &Silent).unwrap();
    assert!(report.is_proven, "{:?} {:?}", report.missing, report.differs);
    assert!(report.from_archive > 2);
    // What is not what it was is never taken.
    let orders = Digest::of_file(&data().join("orders.parquet")).unwrap().to_string();
    let archived = out.path().join(format!("published/archive/{}/{orders}", &orders[..2]));
    fs::remove_file(&archived).unwrap();
    fs::write(&archived, "nor these").unwrap();
    let report = replayed(run, folder.path());
    assert!(!report.is_proven);
    assert!(matches!(report.missing.as_slice(), [only] if only.contains("orders.parquet") && only.contains(&orders)));
}

/// The job, which keeps its raw files.
fn job_that_archives() -> TempDir {
    let folder = TempDir::new().unwrap();
    copy_folder(job().parent().unwrap(), folder.path());
    let path = folder.path().join("job.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("[model]", "[archive]\ninputs = \"copy\"\n\n[model]")).unwrap();
    folder
}

#[test]
fn what_is_missing_is_named() {
    let (out, nights) = caught_up();
    let copy = TempDir::new().unwrap();
    copy_folder(&out.path().join("published"), copy.path());
    let run: PathBuf =
        copy.path().join(nights[1].published.run_dir.strip_prefix(out.path().join("published")).unwrap());
    fs::write(run.join("config/policy.toml"), "").unwrap();
    fs::remove_file(run.join("model/approval.json")).unwrap();
    fs::remove_dir_all(copy.path().join(format!("as_of={}", days_after(1)))).unwrap();
    let folder = copy_of_data();
    fs::write(folder.path().join("orders.parquet"), "not these").unwrap();
    fs::remove_file(folder.path().join("loans.parquet")).unwrap();
    let report = replayed(&run, folder.path());
    assert!(!report.is_proven);
    let words = ["config/policy.toml", "approval.json", "the night before", "orders.parquet", "loans.parquet"];
    assert_eq!(report.missing.len(), words.len(), "{:?}", report.missing);
    for word in words {
        assert!(report.missing.iter().any(|line| line.contains(word)), "{word}: {:?}", report.missing);
    }
    let other = RunOptions { code_version: "another".to_owned(), ..options(data(), copy.path()) };
    let report = replay_run(&base().1.published.run_dir, &other, &Silent).unwrap();
    assert!(matches!(report.missing.as_slice(), [only] if only.contains("program")), "{:?}", report.missing);
}
