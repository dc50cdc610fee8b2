//! Raw files kept by digest: each whole under the digest of its bytes at any instant, there as long as a run that was made from it, and gone after.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use integrity::domain::Digest;
use integrity::exposure::OpenOffer;
use integrity::monitor::LoanLine;
use integrity::publish::{
    ArchivePolicy, Begun, InputArchive, InputFile, InputsKept, Manifest, OutputRow, Pointing, PruningOrder,
    PublishError, PublishedRun, Publisher, Retention, RunState, Step, plan_pruning, previous_run, run_list, verify,
};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use super::fixture::{copy_folder, fill, identity_on, provenance};

/// Raw files of a night, by name, with what they hold.
type Files = BTreeMap<String, String>;

fn files(of: &[(&str, &str)]) -> Files {
    of.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn write(data: &Path, files: &Files) {
    for (name, text) in files {
        let path = data.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        fs::write(path, text).unwrap();
    }
}

/// The raw files as a night has read them.
fn inputs(files: &Files) -> Vec<InputFile> {
    let input = |(name, text): (&String, &String)| InputFile {
        name: name.clone(),
        bytes: text.len() as u64,
        sha256: Digest::of(text.as_bytes()),
        is_verified: false,
    };
    files.iter().map(input).collect()
}

/// Publishes a night made from raw files below `data`, which keeps them.
fn publish(
    publisher: &mut Publisher<'_>,
    as_of: Date,
    data: &Path,
    read: &Files,
    policy: ArchivePolicy,
) -> Result<String, PublishError> {
    let mut identity = identity_on(1, as_of);
    identity.inputs = inputs(read);
    identity.previous = previous_run(publisher.out(), as_of).unwrap().map(|run| run.identity());
    let run = identity.run_path();
    if let Begun::Stage(mut stage) = publisher.begin(identity, Pointing::Forward)? {
        stage.archive_inputs(data, policy)?;
        fill(&mut stage, 1)?;
        let open = stage.table::<OpenOffer>(OpenOffer::table())?;
        stage.seal(open)?;
        let loans = stage.table::<LoanLine>(LoanLine::table())?;
        stage.seal(loans)?;
        stage.publish(provenance(1))?;
    }
    Ok(run)
}

fn publish_one(out: &Path, as_of: Date, data: &Path, read: &Files, policy: ArchivePolicy) -> String {
    write(data, read);
    publish(&mut Publisher::open(out).unwrap(), as_of, data, read, policy).unwrap()
}

fn order(keep_last: u16) -> PruningOrder {
    let retention = Retention { keep_last, keep_month_ends: 0, keep_raw_files: None };
    PruningOrder { retention, by: "officer".to_owned(), at: Timestamp::from_second(1_600_000_000).unwrap() }
}

/// Every file below the archive as `ab/abcd…`, read off the folder and not through the program.
fn found(out: &Path) -> BTreeSet<String> {
    super::fixture::files_below(&out.join("archive")).into_iter().collect()
}

fn name(text: &str) -> String {
    let hex = Digest::of(text.as_bytes()).to_string();
    format!("{}/{hex}", &hex[..2])
}

fn names<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    texts.into_iter().map(name).collect()
}

/// Every file is what its name says.
fn assert_sound(out: &Path, when: &str) {
    for file in found(out).iter().filter(|file| *file != ".new") {
        let bytes = fs::read(out.join("archive").join(file)).unwrap();
        assert_eq!(Digest::of(&bytes).to_string(), file.rsplit('/').next().unwrap(), "{when}: {file}");
    }
}

/// The raw files that the runs in an output folder were made from, by their manifests as plain JSON.
fn named_by_manifests(out: &Path) -> BTreeSet<String> {
    let manifests = super::fixture::files_below(out)
        .into_iter()
        .filter(|file| file.starts_with("as_of=") && file.ends_with("/manifest.json"));
    let mut named = BTreeSet::new();
    for file in manifests {
        let manifest: serde_json::Value = serde_json::from_slice(&fs::read(out.join(file)).unwrap()).unwrap();
        for input in manifest["inputs"].as_array().unwrap() {
            let hex = input["sha256"].as_str().unwrap();
            named.insert(format!("{}/{hex}", &hex[..2]));
        }
    }
    named
}

#[test]
fn each_raw_file_lies_there_once_whatever_its_name() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("out"), root.path().join("data"));
    let first = files(&[("orders.csv", "a"), ("old/orders.csv", "b"), ("copy.csv", "a")]);
    let run = publish_one(&out, date(2018, 8, 1), &data, &first, ArchivePolicy::Copy);
    let second = files(&[("orders.csv", "c"), ("old/orders.csv", "b")]);
    publish_one(&out, date(2018, 8, 2), &data, &second, ArchivePolicy::Copy);
    assert_eq!(found(&out), names(["a", "b", "c"]));
    assert_sound(&out, "two nights");
    assert!(fs::metadata(out.join("archive").join(name("b"))).unwrap().permissions().readonly());
    // Nothing that happens to the sender's files reaches the copies.
    fs::write(data.join("old/orders.csv"), "z").unwrap();
    assert_sound(&out, "overwritten");
    let manifest: Manifest = PublishedRun::open(&out.join(&run)).unwrap().manifest().clone();
    assert!(manifest.inputs_archived);
    let kept: Vec<Option<InputsKept>> = run_list(&out).unwrap().runs.iter().map(|run| run.inputs).collect();
    assert_eq!(kept, [Some(InputsKept { kept: 3, of: 3 }), Some(InputsKept { kept: 2, of: 2 })]);
}

#[cfg(unix)]
#[test]
fn a_link_is_the_senders_own_file_and_an_old_one_that_was_written_into_is_replaced() {
    use std::os::unix::fs::MetadataExt as _;
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("out"), root.path().join("data"));
    fs::create_dir_all(&data).unwrap();
    fs::write(root.path().join("elsewhere.csv"), "b").unwrap();
    std::os::unix::fs::symlink(root.path().join("elsewhere.csv"), data.join("linked.csv")).unwrap();
    fs::write(data.join("orders.csv"), "a").unwrap();
    let read = files(&[("orders.csv", "a"), ("linked.csv", "b")]);
    let night = |day: i8, read: &Files| {
        let mut publisher = Publisher::open(&out).unwrap();
        publish(&mut publisher, date(2018, 8, day), &data, read, ArchivePolicy::Link).unwrap()
    };
    night(1, &read);
    let inode = |path: PathBuf| fs::symlink_metadata(path).unwrap().ino();
    assert_eq!(inode(out.join("archive").join(name("a"))), inode(data.join("orders.csv")));
    assert_eq!(inode(out.join("archive").join(name("b"))), inode(root.path().join("elsewhere.csv")));
    // The sender writes into the file, against what the policy asks, and sends the old one again the night after.
    fs::write(data.join("orders.csv"), "x").unwrap();
    night(2, &files(&[("orders.csv", "x")]));
    assert!(!verify(&out, Some(date(2018, 8, 1))).unwrap().is_sound());
    fs::remove_file(data.join("orders.csv")).unwrap();
    fs::write(data.join("orders.csv"), "a").unwrap();
    night(3, &files(&[("orders.csv", "a")]));
    assert_eq!(found(&out), names(["a", "b", "x"]));
    assert_sound(&out, "healed");
    assert!(verify(&out, Some(date(2018, 8, 1))).unwrap().is_sound());
}

#[test]
fn a_file_that_changed_while_the_night_ran_stops_it() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("out"), root.path().join("data"));
    let read = files(&[("orders.csv", "a"), ("payments.csv", "b")]);
    write(&data, &read);
    fs::write(data.join("payments.csv"), "B").unwrap();
    for policy in [ArchivePolicy::Copy, ArchivePolicy::Link] {
        let mut publisher = Publisher::open(&out).unwrap();
        let refused = publish(&mut publisher, date(2018, 8, 1), &data, &read, policy);
        let path = data.join("payments.csv");
        assert!(matches!(refused, Err(PublishError::InputChanged { path: at, .. }) if at == path));
        assert!(run_list(&out).unwrap().runs.is_empty());
        assert_eq!(found(&out), names(["a"]));
    }
}

#[test]
fn what_is_not_as_it_was_is_found() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("out"), root.path().join("data"));
    let read = files(&[("orders.csv", "aaa"), ("payments.csv", "bbb"), ("reviews.csv", "ccc")]);
    let run = publish_one(&out, date(2018, 8, 1), &data, &read, ArchivePolicy::Copy);
    assert!(verify(&out, None).unwrap().is_sound());
    let at = |text: &str| out.join("archive").join(name(text));
    fs::remove_file(at("aaa")).unwrap();
    fs::remove_file(at("bbb")).unwrap();
    fs::write(at("bbb"), "bbB").unwrap();
    fs::remove_file(at("ccc")).unwrap();
    fs::write(at("ccc"), "c").unwrap();
    let report = verify(&out, None).unwrap();
    let wrong: BTreeSet<String> = report.all_findings().map(|finding| finding.path.clone()).collect();
    let expected: BTreeSet<String> =
        names(["aaa", "bbb", "ccc"]).iter().map(|name| format!("archive/{name}")).collect();
    assert_eq!(wrong, expected);
    assert_eq!(run_list(&out).unwrap().runs[0].inputs, Some(InputsKept { kept: 1, of: 3 }));
    // What is published is sound all the same: the run is found as it was, and can be served.
    let mut publisher = Publisher::open(&out).unwrap();
    assert_eq!(publish(&mut publisher, date(2018, 8, 1), &data, &read, ArchivePolicy::Copy).unwrap(), run);
    // A later night that reads the same files mends what it can see to be wrong.
    publish(&mut publisher, date(2018, 8, 2), &data, &read, ArchivePolicy::Copy).unwrap();
    assert_eq!(run_list(&out).unwrap().runs[0].inputs, Some(InputsKept { kept: 3, of: 3 }));
}

/// Five nights: one file that all read, one that every second reads, and one of each night's own.
fn five_nights(out: &Path, data: &Path) -> Vec<String> {
    (0..5)
        .map(|night| {
            let (own, half) = (format!("own {night}"), format!("half {}", night / 2));
            let read = files(&[("all.csv", "all"), ("half.csv", &half), ("own.csv", &own)]);
            publish_one(out, date(2018, 8, 1).saturating_add(night.days()), data, &read, ArchivePolicy::Copy)
        })
        .collect()
}

#[test]
fn pruning_removes_what_no_run_needs_and_logs_it() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("out"), root.path().join("data"));
    five_nights(&out, &data);
    fs::write(out.join("archive/note.txt"), "not ours").unwrap();
    // The newest night stays, and the one that it was made from.
    let plan = plan_pruning(&out, order(1).retention).unwrap();
    assert_eq!((plan.inputs.staying.len(), plan.inputs.leaving.len()), (5, 4));
    Publisher::open(&out).unwrap().prune(&order(1)).unwrap();
    let mut expected = names(["all", "half 1", "half 2", "own 3", "own 4"]);
    assert_eq!(named_by_manifests(&out), expected);
    expected.insert("note.txt".to_owned());
    assert_eq!(found(&out), expected);
    let log = fs::read_to_string(out.join("prunings.jsonl")).unwrap();
    let entry: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
    assert_eq!(entry["inputs"].as_array().unwrap().len(), 4);
    let again = Publisher::open(&out).unwrap().prune(&order(1)).unwrap();
    assert!(again.1.is_none(), "nothing is left to remove");
}

#[test]
fn while_a_manifest_is_damaged_no_raw_file_goes() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("out"), root.path().join("data"));
    let runs = five_nights(&out, &data);
    let before = found(&out);
    fs::write(out.join(&runs[0]).join("manifest.json"), "{}").unwrap();
    let (plan, _) = Publisher::open(&out).unwrap().prune(&order(1)).unwrap();
    assert!(plan.leaving().next().is_some(), "runs go");
    assert_eq!(plan.inputs.held_by.as_deref(), Some(runs[0].as_str()));
    assert_eq!(found(&out), before);
    fs::remove_dir_all(out.join("as_of=2018-08-01")).unwrap();
    Publisher::open(&out).unwrap().prune(&order(1)).unwrap();
    assert_eq!(found(&out), named_by_manifests(&out));
}

#[test]
fn a_process_killed_after_any_step_leaves_whole_files_and_no_run_without_its_own() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("out"), root.path().join("data"));
    five_nights(&out, &data);
    let read = files(&[("all.csv", "all"), ("new.csv", "new")]);
    write(&data, &read);
    let mut photographs: Vec<(Step, PathBuf)> = Vec::new();
    let observer = |step: &Step| {
        let copy = root.path().join(format!("photo-{}", photographs.len()));
        copy_folder(&out, &copy);
        photographs.push((step.clone(), copy));
        Ok(())
    };
    let mut publisher = Publisher::open_observed(&out, Box::new(observer)).unwrap();
    publish(&mut publisher, date(2018, 8, 9), &data, &read, ArchivePolicy::Copy).unwrap();
    publisher.prune(&order(1)).unwrap();
    drop(publisher);
    let count = |wanted: fn(&Step) -> bool| photographs.iter().filter(|(step, _)| wanted(step)).count();
    assert_eq!(count(|step| matches!(step, Step::Archived(_))), 1, "the other file was there");
    assert_eq!(count(|step| matches!(step, Step::Unarchived(_))), 6);
    for (step, photo) in &photographs {
        let when = format!("{step:?}");
        assert_sound(photo, &when);
        assert!(named_by_manifests(photo).is_subset(&found(photo)), "{when}");
        // The next start sweeps what was on its way, and finishes both.
        let mut publisher = Publisher::open(photo).unwrap();
        for run in run_list(photo).unwrap().runs.iter().filter(|run| run.state != RunState::Pruned) {
            assert!(verify(photo, Some(run.as_of)).unwrap().is_sound(), "{when}");
        }
        publish(&mut publisher, date(2018, 8, 9), &data, &read, ArchivePolicy::Copy).unwrap();
        publisher.prune(&order(1)).unwrap();
        drop(publisher);
        assert_eq!(found(photo), names(["all", "new", "half 2", "own 4"]), "{when}");
        assert_eq!(found(photo), named_by_manifests(photo), "{when}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nights that share raw files in any way, pruned in between: what lies in the archive is what the runs that are left were made from, no more and no less.
    #[test]
    fn the_archive_holds_what_the_runs_that_are_left_were_made_from(
        nights in prop::collection::vec((prop::collection::btree_map("[ab]", "[x-z]{1,2}", 1..3), prop::option::of(1..4_u16)), 2..7)
    ) {
        let root = tempfile::tempdir().unwrap();
        let (out, data) = (root.path().join("out"), root.path().join("data"));
        for ((read, pruned), day) in nights.iter().zip(1..) {
            publish_one(&out, date(2018, 8, day), &data, read, ArchivePolicy::Copy);
            prop_assert!(named_by_manifests(&out).is_subset(&found(&out)));
            if let Some(keep_last) = pruned {
                Publisher::open(&out).unwrap().prune(&order(*keep_last)).unwrap();
                prop_assert_eq!(found(&out), named_by_manifests(&out));
            }
        }
        assert_sound(&out, "at the end");
        prop_assert!(InputArchive::of(&out).entries().unwrap().len() == found(&out).len());
    }
}

/// Raw files of few nights are kept, runs of many: what a person may still have to make again keeps its files.
#[test]
fn raw_files_may_leave_before_their_runs_but_not_those_of_an_open_offer() {
    let root = tempfile::tempdir().unwrap();
    let (out, data) = (root.path().join("out"), root.path().join("data"));
    let runs = five_nights(&out, &data);
    let mut order = order(16);
    order.retention.keep_raw_files = Some(2);
    let (plan, entry) = Publisher::open(&out).unwrap().prune(&order).unwrap();
    assert_eq!(plan.leaving().count(), 0, "every run stays");
    assert_eq!(plan.inputs.without, runs[..3]);
    assert_eq!(entry.unwrap().without_inputs, runs[..3]);
    assert_eq!(found(&out), names(["all", "half 1", "half 2", "own 3", "own 4"]));
    for day in 1..=5 {
        assert!(verify(&out, Some(date(2018, 8, day))).unwrap().is_sound(), "what left by order is no damage: {day}");
    }
    assert!(Publisher::open(&out).unwrap().prune(&order).unwrap().1.is_none(), "nothing is left to remove");
    // A file that nobody ordered away is missed, whoever else has lost the right to it.
    fs::remove_file(out.join("archive").join(name("own 3"))).unwrap();
    assert!(!verify(&out, Some(date(2018, 8, 4))).unwrap().is_sound());
    let listed = run_list(&out).unwrap().runs;
    let kept: Vec<_> = listed.iter().filter_map(|run| run.inputs.as_ref().map(|kept: &InputsKept| kept.kept)).collect();
    assert_eq!(kept, [1, 1, 2, 2, 3]);
}
