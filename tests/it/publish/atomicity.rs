//! Whatever happens while a run is published, a reader sees the old complete run or the new complete one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use integrity::publish::{
    Begun, FeatureRow, OutputRow, Pointing, Provenance, PublishError, Publisher, ScoreBook, Step, TableWriter, lookup,
    previous_run, runs_beside, verify,
};
use integrity::score::MerchantScore;
use jiff::ToSpan;
use jiff::civil::date;

use super::fixture::{
    copy_folder, feature_columns, files_below, fill, identity, identity_on, merchant, provenance, publish,
    publish_with, score,
};

/// Which of the two runs a reader sees, having checked that it is whole.
fn seen(out: &Path) -> u8 {
    let book = ScoreBook::open(out).unwrap();
    let tags: BTreeSet<String> =
        [0, 20, 39].map(|n| book.get(&merchant(n)).unwrap().unwrap().score.unwrap().model_version).into();
    assert_eq!(tags.len(), 1, "rows of several runs: {tags:?}");
    assert_eq!(book.get(&merchant(2)).unwrap().unwrap().offers.len(), 2);
    assert!(book.features(&merchant(2)).unwrap().is_some());
    assert!(verify(out, None).unwrap().is_sound());
    tags.first().unwrap().strip_prefix("willingness/").unwrap().parse().unwrap()
}

/// What a process killed right after a step leaves behind.
struct Photograph {
    step: Step,
    out: PathBuf,
}

/// Run 1 stands, run 2 is published, and every step is photographed.
fn photographs(album: &Path) -> Vec<Photograph> {
    let out = album.join("out");
    publish(&out, 1);
    let mut taken: Vec<Photograph> = Vec::new();
    let observer = |step: &Step| {
        let copy = album.join(format!("photo-{}", taken.len()));
        copy_folder(&out, &copy);
        taken.push(Photograph { step: step.clone(), out: copy });
        Ok(())
    };
    let mut publisher = Publisher::open_observed(&out, Box::new(observer)).unwrap();
    publish_with(&mut publisher, identity(2), 2, Pointing::Forward).unwrap();
    drop(publisher);
    taken
}

/// The name in the photograph of a path below the folder that was photographed.
fn in_photo(photo: &Path, original: &Path) -> PathBuf {
    let out = original.ancestors().find(|a| a.ends_with("out")).unwrap();
    photo.join(original.strip_prefix(out).unwrap())
}

fn recover(out: &Path) {
    assert!(seen(out) == 1 || seen(out) == 2);
    let published = publish_with(&mut Publisher::open(out).unwrap(), identity(2), 2, Pointing::Forward).unwrap();
    assert!(published.is_current);
    assert_eq!(seen(out), 2);
    let staged: Vec<_> = files_below(out).into_iter().filter(|f| f.starts_with('.')).collect();
    assert!(staged.is_empty(), "left over: {staged:?}");
    let again =
        Publisher::open(out).unwrap().begin(identity(2), Pointing::Forward).map(|b| matches!(b, Begun::NothingNew(_)));
    assert!(again.unwrap());
    assert!(verify(out, Some(date(2018, 8, 1))).unwrap().is_sound());
}

#[test]
fn a_process_killed_after_any_step_leaves_a_complete_run_and_the_next_start_finishes_the_job() {
    let album = tempfile::tempdir().unwrap();
    let photographs = photographs(album.path());
    let mut last_seen = 1;
    for (at, photo) in photographs.iter().enumerate() {
        let now = seen(&photo.out);
        assert!(now >= last_seen, "{:?} went back to run {now}", photo.step);
        last_seen = now;
        // A file that was not yet forced to disk may be there in part, or empty, after a power failure.
        if let Step::Written(path) = &photo.step {
            for empty in [false, true] {
                let torn_out = album.path().join(format!("torn-{at}-{empty}"));
                copy_folder(&photo.out, &torn_out);
                let torn = in_photo(&torn_out, path);
                let half = fs::metadata(&torn).unwrap().len() / 2;
                File::options().write(true).open(&torn).unwrap().set_len(if empty { 0 } else { half }).unwrap();
                assert_eq!(seen(&torn_out), 1);
                recover(&torn_out);
            }
        }
        recover(&photo.out);
    }
    assert_eq!(last_seen, 2);
    let kinds = |wanted: fn(&Step) -> bool| photographs.iter().filter(|p| wanted(&p.step)).count();
    assert_eq!(kinds(|s| matches!(s, Step::Written(_))), kinds(|s| matches!(s, Step::Synced(_))));
    for (name, count) in [
        ("swept", kinds(|s| matches!(s, Step::Swept))),
        ("begun", kinds(|s| matches!(s, Step::Begun(_)))),
        ("folders", kinds(|s| matches!(s, Step::FoldersSynced(_)))),
        ("date", kinds(|s| matches!(s, Step::DateFolder(_)))),
        ("renamed", kinds(|s| matches!(s, Step::Renamed(_)))),
        ("rename synced", kinds(|s| matches!(s, Step::RenameSynced(_)))),
        ("date pointed", kinds(|s| matches!(s, Step::DatePointed))),
        ("pointed", kinds(|s| matches!(s, Step::Pointed))),
        ("pointer synced", kinds(|s| matches!(s, Step::PointerSynced))),
    ] {
        assert_eq!(count, 1, "{name}");
    }
}

#[test]
fn a_killed_run_does_not_stand_in_the_way_of_another() {
    let album = tempfile::tempdir().unwrap();
    for photo in photographs(album.path()) {
        publish(&photo.out, 3);
        assert_eq!(seen(&photo.out), 3, "{:?}", photo.step);
    }
}

#[test]
fn the_very_first_run_is_whole_or_absent() {
    let album = tempfile::tempdir().unwrap();
    let out = album.path().join("out");
    let mut current = 0;
    let observer = |step: &Step| {
        match lookup(&out, &merchant(0)) {
            Ok(Some(found)) => {
                current += 1;
                // The date stands by the run before the pointer names it.
                assert_eq!(found.note.is_some(), current <= 3, "{step:?}");
            }
            Err(PublishError::NothingPublished(_)) => assert_eq!(current, 0, "{step:?}"),
            other => panic!("{step:?}: {other:?}"),
        }
        Ok(())
    };
    let mut publisher = Publisher::open_observed(&out, Box::new(observer)).unwrap();
    publish_with(&mut publisher, identity(1), 1, Pointing::Forward).unwrap();
    drop(publisher);
    assert_eq!(
        current, 5,
        "the date's pointer; the new pointer written and forced to disk; in its place; and that on disk"
    );
}

#[test]
fn a_refusal_at_any_step_is_an_error_with_a_path_and_leaves_no_staged_file() {
    let album = tempfile::tempdir().unwrap();
    let steps = photographs(album.path()).len();
    for failing in 0..steps {
        let out = album.path().join(format!("full-{failing}"));
        publish(&out, 1);
        let mut count = 0;
        let observer = |_: &Step| {
            count += 1;
            if count - 1 == failing { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
        };
        let result = Publisher::open_observed(&out, Box::new(observer))
            .and_then(|mut publisher| publish_with(&mut publisher, identity(2), 2, Pointing::Forward));
        match result {
            Err(PublishError::Io { source, path, .. }) => {
                assert_eq!(source.kind(), io::ErrorKind::StorageFull);
                assert!(path.starts_with(&out), "{path:?}");
            }
            other => panic!("step {failing}: {other:?}"),
        }
        let staged: Vec<_> = files_below(&out).into_iter().filter(|f| f.starts_with(".staging")).collect();
        assert!(staged.is_empty(), "step {failing} left {staged:?}");
        recover(&out);
    }
}

#[test]
fn readers_at_work_while_runs_are_published_always_see_whole_runs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    publish(&out, 1);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 1;
            let mut looks = 0_u32;
            while !done.load(Ordering::Acquire) || looks == 0 {
                let book = ScoreBook::open(&out).unwrap();
                let tags: BTreeSet<i32> = (0..40)
                    .step_by(13)
                    .map(|n| book.get(&merchant(n)).unwrap().unwrap().score.unwrap().score.unwrap())
                    .collect();
                assert_eq!(tags.len(), 1);
                let now = *tags.first().unwrap() - 600;
                assert!(now >= last, "went back from {last} to {now}");
                last = now;
                looks += 1;
            }
        });
        for tag in 2..10 {
            publish(&out, tag);
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
    assert_eq!(seen(&out), 9);
}

#[test]
fn the_same_run_again_is_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let first = publish(folder.path(), 1);
    let before = fs::read(folder.path().join("current.json")).unwrap();
    let mut publisher = Publisher::open(folder.path()).unwrap();
    match publisher.begin(identity(1), Pointing::Forward).unwrap() {
        Begun::NothingNew(found) => assert_eq!(found, first),
        Begun::Repointed(_) | Begun::Stage(_) => panic!("the run was not recognised"),
    }
    drop(publisher);
    assert_eq!(fs::read(folder.path().join("current.json")).unwrap(), before);
}

#[test]
fn every_part_of_the_identity_names_another_run() {
    let base = identity(1);
    let mut others = vec![identity(2), identity_on(1, date(2018, 8, 2))];
    for change in 0..9 {
        let mut other = identity(1);
        match change {
            0 => other.config_digest = integrity::domain::Digest::of(b"other"),
            1 => other.model_digest = integrity::domain::Digest::of(b"other"),
            2 => "0.2.0".clone_into(&mut other.code_version),
            3 => {
                other.previous = Some(integrity::publish::PreviousIdentity {
                    run_id: "0123456789ab".to_owned(),
                    as_of: date(2018, 7, 31),
                    files_sha256: integrity::domain::Digest::of(b"files"),
                });
            }
            4 => "Asia/Shanghai".clone_into(&mut other.time_zone),
            5 => other.currency = integrity::domain::Currency::new("JPY").unwrap(),
            6 => other.as_of_guessed = true,
            7 => other.as_of_forced = Some("holiday".to_owned()),
            _ => "reviews.csv".clone_into(&mut other.inputs[0].name),
        }
        others.push(other);
    }
    let ids: BTreeSet<String> = others.iter().chain([&base]).map(integrity::publish::RunIdentity::run_id).collect();
    assert_eq!(ids.len(), others.len() + 1);

    let mut shuffled = identity(1);
    shuffled.inputs.extend(identity(2).inputs);
    let id = shuffled.run_id();
    shuffled.inputs.reverse();
    assert_eq!(shuffled.run_id(), id, "the order in which files are listed is not a part of the identity");
}

#[test]
fn two_runs_of_one_identity_publish_equal_bytes_but_for_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let first = publish(&one, 1).run_dir;
    let mut publisher = Publisher::open(&two).unwrap();
    let Begun::Stage(mut stage) = publisher.begin(identity(1), Pointing::Forward).unwrap() else { panic!() };
    fill(&mut stage, 1).unwrap();
    let second = stage.publish(provenance(99)).unwrap().run_dir;
    let differing: Vec<String> = files_below(&first)
        .into_iter()
        .filter(|f| fs::read(first.join(f)).unwrap() != fs::read(second.join(f)).unwrap())
        .collect();
    assert_eq!(differing, ["manifest.json", "manifest.json.sha256"]);
}

#[test]
fn a_late_rerun_of_an_earlier_day_is_published_beside_the_current_run() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), 1);
    let earlier = || identity_on(2, date(2018, 7, 1));
    let mut publisher = Publisher::open(folder.path()).unwrap();
    let late = publish_with(&mut publisher, earlier(), 2, Pointing::Forward).unwrap();
    assert!(!late.is_current);
    assert_eq!(seen(folder.path()), 1);
    assert_eq!(ScoreBook::open_as_of(folder.path(), date(2018, 7, 1)).unwrap().run_dir(), late.run_dir);
    assert!(matches!(publisher.begin(earlier(), Pointing::Forward).unwrap(), Begun::NothingNew(_)));
    assert!(matches!(publisher.begin(earlier(), Pointing::Always).unwrap(), Begun::Repointed(_)));
    assert_eq!(seen(folder.path()), 2);
}

#[test]
fn what_a_date_offered_before_an_older_one_was_run_again_is_known_when_it_is_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = publish(folder.path(), 1);
    let mut publisher = Publisher::open(folder.path()).unwrap();
    let Begun::Stage(mut stage) = publisher.begin(identity_on(2, date(2018, 7, 31)), Pointing::Forward).unwrap() else {
        panic!("it is new");
    };
    fill(&mut stage, 2).unwrap();
    let began = provenance(1).finished_at + 1.hour();
    stage.publish(Provenance { started_at: began, finished_at: began, ..provenance(2) }).unwrap();
    let before = previous_run(folder.path(), date(2018, 8, 1)).unwrap().unwrap();
    assert_eq!(before.as_of, date(2018, 7, 31));
    let beside = runs_beside(folder.path(), Some(&before), date(2018, 8, 1)).unwrap();
    assert_eq!(beside.iter().map(|run| &run.run_id).collect::<Vec<_>>(), [&first.run_id]);
}

#[test]
fn going_back_to_an_earlier_configuration_points_to_the_run_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), 1);
    publish(folder.path(), 2);
    assert_eq!(seen(folder.path()), 2);
    assert!(publish(folder.path(), 1).is_current);
    assert_eq!(seen(folder.path()), 1);
}

#[test]
fn a_damaged_run_is_not_reused() {
    let folder = tempfile::tempdir().unwrap();
    let run = publish(folder.path(), 1).run_dir;
    fs::remove_file(run.join("alerts.parquet")).unwrap();
    let mut publisher = Publisher::open(folder.path()).unwrap();
    match publisher.begin(identity(1), Pointing::Forward).map(|_| ()) {
        Err(PublishError::Damaged { run: named, findings: 1, first }) => {
            assert_eq!(named, run);
            assert!(first.contains("alerts.parquet is missing"), "{first}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rotten_pointer_is_healed_by_publishing() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), 1);
    fs::write(folder.path().join("current.json"), b"{").unwrap();
    assert!(ScoreBook::open(folder.path()).unwrap().note().unwrap().contains("current.json is damaged"));
    publish(folder.path(), 1);
    assert_eq!(seen(folder.path()), 1);
}

#[test]
fn only_one_publisher_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let holder = Publisher::open(folder.path()).unwrap();
    match Publisher::open(folder.path()).map(|_| ()) {
        Err(PublishError::Busy { holder, .. }) => assert_eq!(holder, format!("process {}", std::process::id())),
        other => panic!("{other:?}"),
    }
    drop(holder);
    assert!(Publisher::open(folder.path()).is_ok());
}

#[test]
fn an_output_that_is_no_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"kept").unwrap();
    for out in [file.clone(), file.join("below")] {
        assert!(matches!(Publisher::open(&out).map(|_| ()), Err(PublishError::NotAFolder(path)) if path == out));
    }
    assert_eq!(fs::read(&file).unwrap(), b"kept");
}

#[test]
fn a_table_that_was_never_sealed_stops_the_publishing() {
    let folder = tempfile::tempdir().unwrap();
    let mut publisher = Publisher::open(folder.path()).unwrap();
    let Begun::Stage(mut stage) = publisher.begin(identity(1), Pointing::Forward).unwrap() else { panic!() };
    let mut forgotten: TableWriter<MerchantScore> = stage.table(MerchantScore::table()).unwrap();
    forgotten.push(score("m", 1)).unwrap();
    stage.write_bytes("results.json", b"{}").unwrap();
    assert!(
        matches!(stage.publish(provenance(1)), Err(PublishError::Unsealed(path)) if path.ends_with("scores.parquet"))
    );
    assert!(matches!(lookup(folder.path(), "m"), Err(PublishError::NothingPublished(_))));
}

#[test]
fn names_that_leave_the_run_folder_or_are_taken_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut publisher = Publisher::open(folder.path()).unwrap();
    let Begun::Stage(mut stage) = publisher.begin(identity(1), Pointing::Forward).unwrap() else { panic!() };
    stage.write_bytes("results.json", b"{}").unwrap();
    for name in ["", "/etc/x", "../x", "a/../x", ".hidden", "a//b", "a b", "manifest.json", "results.json"] {
        assert!(matches!(stage.write_bytes(name, b""), Err(PublishError::BadName { .. })), "{name:?}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let mut foreign =
        TableWriter::create(&elsewhere.path().join("x.parquet"), FeatureRow::table_of(&feature_columns())).unwrap();
    foreign.push(FeatureRow { merchant_id: "m".to_owned(), values: vec![None, None] }).unwrap();
    assert!(matches!(stage.seal(foreign), Err(PublishError::BadName { .. })));
}
