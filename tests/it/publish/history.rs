//! Which run a night builds on, and what a person may do about the current one.

use std::fs;
use std::path::Path;

use integrity::publish::{
    Begun, Current, Pointing, PointingOrder, Pointings, PreviousRun, PublishError, Published, Publisher, Repointing,
    RunState, ScoreBook, lookup, previous_run, run_list, verify,
};
use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::fixture::{files_below, identity, identity_on, merchant, publish_with};

const fn day(n: i8) -> Date {
    date(2018, 8, n)
}

fn night(out: &Path, tag: u8, as_of: Date) -> Published {
    publish_with(&mut Publisher::open(out).unwrap(), identity_on(tag, as_of), tag, Pointing::Forward).unwrap()
}

fn point(out: &Path, run_id: &str) -> Result<Repointing, PublishError> {
    let order = PointingOrder {
        run_id: run_id.to_owned(),
        reason: "published with a future date".to_owned(),
        by: "officer".to_owned(),
        at: Timestamp::from_second(1_533_100_000).unwrap(),
    };
    Publisher::open_to_point(out)?.repoint(&order)
}

fn previous(out: &Path, before: Date) -> PreviousRun {
    previous_run(out, before).unwrap().unwrap()
}

fn current(out: &Path) -> String {
    Current::read(out).unwrap().unwrap().run_id
}

fn break_manifest(run: &Published) {
    fs::write(run.run_dir.join("manifest.json"), b"{").unwrap();
}

#[test]
fn the_previous_run_is_the_newest_before_the_date_that_its_date_stands_by() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    assert_eq!(previous_run(&out.join("nowhere"), day(1)).unwrap(), None);
    let first = night(out, 1, day(1));
    let second = night(out, 2, day(2));
    let rerun = night(out, 3, day(1));
    assert!(!rerun.is_current && second.is_current);
    assert_eq!(previous_run(out, day(1)).unwrap(), None, "strictly before");
    assert_eq!(previous(out, day(2)).run_id, rerun.run_id, "published last for its date");
    assert_eq!(previous(out, day(3)).run_id, second.run_id);
    assert_eq!(previous(out, day(30)).as_of, day(2));
    // Going back to the first configuration of a date lets the date stand by that run again.
    night(out, 1, day(1));
    assert_eq!(previous(out, day(2)).run_id, first.run_id);
    // Lost pointers of dates: the run that finished last.
    fs::remove_file(out.join("as_of=2018-08-01/current.json")).unwrap();
    assert_eq!(previous(out, day(2)).run_id, rerun.run_id);
}

#[test]
fn a_broken_run_is_passed_over_by_name_and_nothing_but_broken_runs_is_no_first_night() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (first, second) = (night(out, 1, day(1)), night(out, 2, day(2)));
    break_manifest(&second);
    let found = previous(out, day(3));
    assert_eq!(found.run_id, first.run_id);
    assert_eq!(found.passed_over, [format!("as_of=2018-08-02/run={}", second.run_id)]);
    fs::remove_file(first.run_dir.join("manifest.json.sha256")).unwrap();
    assert_eq!(previous(out, day(3)).run_id, first.run_id, "the date's pointer vouches for the manifest");
    fs::remove_dir_all(&first.run_dir).unwrap();
    match previous_run(out, day(3)) {
        Err(PublishError::NoIntactRun { passed_over, .. }) => assert_eq!(passed_over.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_of_the_previous_run_is_believed_only_with_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let run = night(folder.path(), 1, day(1));
    let found = previous(folder.path(), day(2));
    let results: serde_json::Value = found.json("results.json").unwrap().unwrap();
    assert_eq!(results["merchants_scored"], 40);
    assert_eq!(found.file("offers.parquet").unwrap(), Some(run.run_dir.join("offers.parquet")));
    assert_eq!(found.file("no-such-file").unwrap(), None);
    fs::write(run.run_dir.join("offers.parquet"), b"other").unwrap();
    assert!(matches!(found.file("offers.parquet"), Err(PublishError::DigestMismatch { .. })));
    fs::remove_file(run.run_dir.join("offers.parquet")).unwrap();
    assert!(matches!(found.file("offers.parquet"), Err(PublishError::Missing(_))));
}

#[test]
fn another_history_is_another_identity_and_the_clock_is_not() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut ids = Vec::new();
    for (out, tag) in [(one.path(), 1), (two.path(), 1), (two.path(), 3)] {
        // The clock in the manifest differs from run to run.
        fs::create_dir_all(out).unwrap();
        let mut publisher = Publisher::open(out).unwrap();
        if let Begun::Stage(mut stage) = publisher.begin(identity_on(tag, day(1)), Pointing::Forward).unwrap() {
            super::fixture::fill(&mut stage, tag).unwrap();
            stage.publish(super::fixture::provenance(u8::try_from(ids.len()).unwrap())).unwrap();
        }
        let mut tonight = identity_on(2, day(2));
        tonight.previous = Some(previous(out, day(2)).identity());
        ids.push(tonight.run_id());
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    assert_ne!(identity_on(2, day(2)).run_id(), ids[0], "a first night is another night");
}

#[test]
fn a_date_published_by_mistake_is_set_back_and_later_right_nights_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let right = night(out, 1, day(1));
    let mistake = night(out, 2, date(2018, 12, 1));
    let late = night(out, 3, day(2));
    assert!(!late.is_current, "what the mistake does until it is set back");
    let mistaken = format!("as_of=2018-12-01/run={}", mistake.run_id);

    let set_back = point(out, &late.run_id).unwrap();
    let entry = set_back.entry.unwrap();
    assert_eq!(entry.from.as_deref(), Some(mistaken.as_str()));
    assert_eq!(entry.withdrawn, [mistaken]);
    assert_eq!(current(out), late.run_id);
    assert_eq!(Pointings::read(out).unwrap().entries, [entry]);
    assert!(verify(out, None).unwrap().is_sound());

    // Nights go forward from there, on what came before, not on the mistake.
    assert!(night(out, 4, day(3)).is_current);
    assert_eq!(previous(out, date(2018, 12, 2)).as_of, day(3), "the mistake is not built upon");
    // Lost pointers find no way back to it either.
    fs::write(out.join("current.json"), b"{").unwrap();
    assert_eq!(ScoreBook::open(out).unwrap().as_of(), day(3));
    // The same command again does not bring it back.
    let again = night(out, 2, date(2018, 12, 1));
    assert!(!again.is_current);
    assert!(again.not_current_because.unwrap().contains("published with a future date"));
    assert_eq!(ScoreBook::open(out).unwrap().as_of(), day(3));
    // The right run of that very date, once it comes, is current; and a person may set anything current again.
    assert!(night(out, 5, date(2018, 12, 1)).is_current);
    assert_eq!(point(out, &mistake.run_id).unwrap().entry.unwrap().withdrawn.len(), 1);
    assert_eq!(current(out), mistake.run_id);
    assert!(point(out, &mistake.run_id).unwrap().entry.is_none(), "current already");
    assert_eq!(point(out, &right.run_id).unwrap().entry.unwrap().withdrawn.len(), 3);
}

#[test]
fn a_rerun_set_back_after_a_later_night_does_not_come_back_when_pointers_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let right = night(out, 1, day(1));
    let mistaken = night(out, 2, day(1));
    night(out, 3, day(2));
    let withdrawn = point(out, &right.run_id).unwrap().entry.unwrap().withdrawn;
    assert_eq!(withdrawn.len(), 2, "the night after it, and the rerun that its own date stood by");
    assert!(withdrawn.iter().any(|run| run.ends_with(&mistaken.run_id)));
    assert_eq!(previous(out, day(2)).run_id, right.run_id);
}

#[test]
fn a_damaged_log_is_said_to_readers_and_stops_the_next_night() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let run = night(out, 1, day(1));
    fs::write(out.join("pointings.jsonl"), b"{\n").unwrap();
    let entry = lookup(out, &merchant(0)).unwrap().unwrap();
    assert_eq!(entry.run_id, run.run_id);
    assert!(entry.note.unwrap().contains("pointings.jsonl"));
    assert!(!verify(out, None).unwrap().is_sound());
    assert!(matches!(previous_run(out, day(2)), Err(PublishError::Malformed { .. })));
}

#[test]
fn only_an_intact_published_run_can_be_set_current() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (first, second) = (night(out, 1, day(1)), night(out, 2, day(2)));
    match point(out, "0123456789ab") {
        Err(PublishError::UnknownRun { known, .. }) => assert!(known[0].ends_with(&second.run_id)),
        other => panic!("{other:?}"),
    }
    fs::write(first.run_dir.join("offers.parquet"), b"other").unwrap();
    assert!(matches!(point(out, &first.run_id), Err(PublishError::Damaged { .. })));
    assert_eq!(current(out), second.run_id);
    assert!(!out.join("pointings.jsonl").exists());
    let holder = Publisher::open(out).unwrap();
    assert!(matches!(point(out, &first.run_id), Err(PublishError::Busy { .. })));
    drop(holder);
}

#[test]
fn a_person_gets_out_of_a_current_run_that_is_damaged_or_lost() {
    let break_file = |run: &Published| fs::write(run.run_dir.join("manifest.json"), b"{}").unwrap();
    let lose_file = |run: &Published| fs::remove_file(run.run_dir.join("manifest.json")).unwrap();
    let lose_run = |run: &Published| fs::remove_dir_all(&run.run_dir).unwrap();
    let damages: [&dyn Fn(&Published); 3] = [&break_file, &lose_file, &lose_run];
    for (at, damage) in damages.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let (first, newest) = (night(out, 1, day(1)), night(out, 2, day(2)));
        damage(&newest);
        // Nothing goes back by itself: neither readers nor the next night.
        assert!(lookup(out, &merchant(0)).unwrap_err().is_damage(), "{at}");
        assert!(Publisher::open(out).is_err_and(|e| e.is_damage()), "{at}");
        let entry = point(out, &first.run_id).unwrap().entry.unwrap();
        assert!(entry.withdrawn.iter().any(|run| run.ends_with(&newest.run_id)), "{at}: {entry:?}");
        assert_eq!(lookup(out, &merchant(0)).unwrap().unwrap().run_id, first.run_id, "{at}");
        let previous = previous(out, day(3));
        assert_eq!((previous.run_id, previous.passed_over), (first.run_id, Vec::new()), "{at}");
        night(out, 3, day(3));
    }
}

#[test]
fn a_pointing_killed_after_any_step_is_finished_or_never_was() {
    let album = tempfile::tempdir().unwrap();
    let out = album.path().join("out");
    let (first, second) = (night(&out, 1, day(1)), night(&out, 2, day(2)));
    let mut photos = Vec::new();
    let observer = |_: &integrity::publish::Step| {
        let copy = album.path().join(format!("photo-{}", photos.len()));
        super::fixture::copy_folder(&out, &copy);
        photos.push(copy);
        Ok(())
    };
    let order = PointingOrder {
        run_id: first.run_id.clone(),
        reason: "test".to_owned(),
        by: "test".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    };
    Publisher::open_observed(&out, Box::new(observer)).unwrap().repoint(&order).unwrap();
    assert!(photos.len() >= 6);
    for photo in photos {
        let logged = !Pointings::read(&photo).unwrap().entries.is_empty();
        let expected = if logged { &first } else { &second };
        assert_eq!(ScoreBook::open(&photo).unwrap().run_id(), expected.run_id);
        drop(Publisher::open(&photo).unwrap());
        assert_eq!(current(&photo), expected.run_id);
        assert!(verify(&photo, None).unwrap().is_sound());
        assert!(files_below(&photo).iter().all(|f| !f.contains(".new")));
    }
}

#[test]
fn a_rotten_pointer_never_lets_an_older_night_take_over() {
    type Rot = fn(&str, &str) -> Option<String>;
    // Torn, lost, and altered so that run and run_id agree on a run that never was, on the newest date or on another.
    let rotten: [Rot; 4] = [
        |_, _| Some("{".to_owned()),
        |_, _| None,
        |text, run_id| Some(text.replace(run_id, &run_id.chars().rev().collect::<String>())),
        |text, _| Some(text.replace(&day(3).to_string(), &day(4).to_string())),
    ];
    for rot in rotten {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        night(out, 1, day(1));
        let newest = night(out, 2, day(3));
        let pointer = out.join("current.json");
        match rot(&fs::read_to_string(&pointer).unwrap(), &newest.run_id) {
            Some(text) => fs::write(&pointer, text).unwrap(),
            None => fs::remove_file(&pointer).unwrap(),
        }
        let entry = lookup(out, &merchant(0)).unwrap().unwrap();
        assert_eq!(entry.run_id, newest.run_id);
        assert!(entry.note.unwrap().contains("current.json"));
        let report = verify(out, None).unwrap();
        assert!(!report.is_sound() && report.runs[0].run.ends_with(&newest.run_id));

        let mut publisher = Publisher::open(out).unwrap();
        assert!(publisher.mended().unwrap().contains(&newest.run_id));
        let older = publish_with(&mut publisher, identity_on(3, day(2)), 3, Pointing::Forward).unwrap();
        assert!(!older.is_current);
        drop(publisher);
        assert_eq!(current(out), newest.run_id);
        assert!(verify(out, None).unwrap().is_sound());
    }
}

#[test]
fn what_killed_runs_left_is_swept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    night(out, 1, day(1));
    let before = files_below(out);
    for left in [".staging/x", "store.building/orders", "as_of=2018-08-09"] {
        fs::create_dir_all(out.join(left)).unwrap();
    }
    fs::write(out.join(".staging/x/scores.parquet"), b"half").unwrap();
    for left in [".current.json.new", ".pointings.jsonl.new", "as_of=2018-08-01/.current.json.new"] {
        fs::write(out.join(left), b"half").unwrap();
    }
    drop(Publisher::open(out).unwrap());
    assert_eq!(files_below(out), before);
    assert!(!out.join("as_of=2018-08-09").exists() && !out.join("store.building").exists());
    assert!(verify(out, None).unwrap().is_sound());
}

#[test]
fn every_new_folder_is_forced_to_disk_up_to_the_one_that_stood_there() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a/b/out");
    let mut made = Vec::new();
    let observer = |step: &integrity::publish::Step| {
        if let integrity::publish::Step::FolderMade(path) = step {
            made.push(path.clone());
        }
        Ok(())
    };
    drop(Publisher::open_observed(&out, Box::new(observer)).unwrap());
    assert_eq!(made, ["a", "a/b", "a/b/out"].map(|f| folder.path().join(f)));
}

#[test]
fn a_published_file_that_is_gone_is_damage_and_not_a_refusal_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let run = publish_with(&mut Publisher::open(out).unwrap(), identity(1), 1, Pointing::Forward).unwrap();
    for gone in ["alerts.parquet", "manifest.json"] {
        fs::remove_file(run.run_dir.join(gone)).unwrap();
        match lookup(out, &merchant(0)) {
            Err(PublishError::Missing(path)) => assert!(path.ends_with(gone)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn runs_are_listed_with_what_became_of_them_and_when_each_was_current() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let first = night(out, 1, day(1));
    let again = night(out, 2, day(1));
    let second = night(out, 3, day(2));
    let third = night(out, 4, day(3));
    point(out, &second.run_id).unwrap();
    break_manifest(&first);
    let list = run_list(out).unwrap();
    let states: Vec<_> = list.runs.iter().map(|run| (run.run.rsplit('=').next().unwrap(), run.state)).collect();
    let mut expected = vec![
        (first.run_id.as_str(), RunState::Broken),
        (again.run_id.as_str(), RunState::Standing),
        (second.run_id.as_str(), RunState::Current),
        (third.run_id.as_str(), RunState::Withdrawn),
    ];
    expected.sort_by_key(|(id, _)| list.runs.iter().position(|run| run.run.ends_with(id)));
    assert_eq!(states, expected);
    let withdrawn = list.runs.iter().find(|run| run.state == RunState::Withdrawn).unwrap();
    assert!(withdrawn.why.as_deref().is_some_and(|why| why.contains("published with a future date")), "{withdrawn:?}");
    let current: Vec<_> = list.periods.iter().map(|p| p.run.rsplit('=').next().unwrap()).collect();
    assert_eq!(current, [&again.run_id, &second.run_id, &third.run_id, &second.run_id]);
    let by_hand = list.at(Timestamp::from_second(1_533_100_001).unwrap()).unwrap();
    assert_eq!((by_hand.run.rsplit('=').next(), by_hand.set_by.is_some()), (Some(second.run_id.as_str()), true));
}

#[test]
fn a_current_run_that_is_lost_is_not_replaced_by_an_older_night() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    night(out, 1, day(1));
    let newest = night(out, 2, day(3));
    fs::remove_dir_all(newest.run_dir).unwrap();
    assert!(ScoreBook::open(out).is_err());
}
