//! No damage to a published run goes unseen.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use integrity::domain::Digest;
use integrity::publish::{Problem, PublishError, ScoreBook, verify};
use jiff::civil::date;
use proptest::prelude::*;

use super::book::publish_merchants;
use super::fixture::{copy_folder, files_below, merchant, publish};

/// The findings of the current run, as path and problem.
fn findings(out: &Path) -> Vec<(String, Problem)> {
    verify(out, None).unwrap().all_findings().map(|f| (f.path.clone(), f.problem.clone())).collect()
}

fn fresh(original: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(original, copy.path());
    copy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flipped_bit_is_found_by_name(file in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), bit in 0_u8..8) {
        static ORIGINAL: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
            let folder = tempfile::tempdir().unwrap();
            publish(folder.path(), 1);
            folder
        });
        let original = fresh(ORIGINAL.path());
        let files = files_below(original.path());
        let name = file.get(&files);
        let path = original.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let at = byte.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();

        let found = findings(original.path());
        prop_assert!(!found.is_empty(), "bit {bit} of byte {at} of {name} was flipped unseen");
        // A pointer whose digest was hit accuses the manifest, and the manifest's own digest clears it.
        let accused = found.iter().any(|(path, _)| path == name || path.starts_with(name.trim_end_matches(".sha256")));
        prop_assert!(accused || name.ends_with("current.json"), "{name} was altered, accused: {found:?}");
        let by_date = verify(original.path(), Some(date(2018, 8, 1))).unwrap();
        prop_assert!(!by_date.is_sound());

        if name == "current.json" {
            prop_assert!(ScoreBook::open(original.path()).unwrap().note().is_some(), "believed, and nothing said");
        }
        let served = ["manifest.json", "scores.parquet", "offers.parquet", "declines.parquet", "alerts.parquet"];
        if served.iter().any(|s| name.ends_with(s)) {
            prop_assert!(ScoreBook::open(original.path()).is_err(), "{name} was altered and believed");
        }
    }
}

/// Files of many blocks, of which a look-up reads few.
#[test]
fn no_look_up_believes_an_altered_block_and_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let merchants: Vec<String> = (0..150_000).map(merchant).collect();
    // Digits of a digest are as good as random: they do not compress.
    let value = |m: &str, column: usize| {
        let digits = Digest::of(m.as_bytes()).to_string();
        u64::from_str_radix(&digits[column * 12..][..12], 16).unwrap() as f64
    };
    publish_merchants(folder.path(), &merchants, |m| vec![Some(value(m, 0)), Some(value(m, 1))]);
    let book = ScoreBook::open(folder.path()).unwrap();
    let asked: Vec<&String> = merchants.iter().step_by(9_973).collect();
    let sound: Vec<_> = asked.iter().map(|m| book.features(m).unwrap()).collect();
    let path = book.run_dir().join("features.parquet");
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() > 2 << 20, "{} bytes are too few blocks", bytes.len());
    let mut refused = 0;
    for at in (0..bytes.len() - 16).step_by(bytes.len() / 23) {
        let mut altered = bytes.clone();
        altered[at] ^= 4;
        fs::write(&path, &altered).unwrap();
        let book = ScoreBook::open(folder.path()).unwrap();
        for (merchant, sound) in asked.iter().zip(&sound) {
            match book.features(merchant) {
                Ok(found) => assert_eq!(found, *sound),
                Err(error) => {
                    assert!(error.is_damage(), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(!verify(folder.path(), None).unwrap().is_sound());
    }
    assert!(refused > 0, "no look-up read an altered block");
    for shorter in [bytes.len() - 1, bytes.len() / 2, 0] {
        fs::write(&path, &bytes[..shorter]).unwrap();
        assert!(ScoreBook::open(folder.path()).unwrap().features(&merchants[0]).is_err());
    }
}

#[test]
fn every_flipped_bit_of_the_pointer_is_found_by_date_too() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), 1);
    let pointer = folder.path().join("current.json");
    let bytes = fs::read(&pointer).unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << bit;
            fs::write(&pointer, altered).unwrap();
            for as_of in [None, Some(date(2018, 8, 1))] {
                let report = verify(folder.path(), as_of).unwrap();
                assert!(!report.is_sound(), "bit {bit} of byte {at} was flipped unseen, asked for {as_of:?}");
            }
        }
    }
}

#[test]
fn a_run_that_nothing_points_to_is_verified_too() {
    let folder = tempfile::tempdir().unwrap();
    let old = publish(folder.path(), 1).run_dir;
    publish(folder.path(), 2);
    let manifest = old.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("job.toml", "jab.toml")).unwrap();
    assert!(verify(folder.path(), None).unwrap().is_sound());
    let report = verify(folder.path(), Some(date(2018, 8, 1))).unwrap();
    assert_eq!(report.runs.len(), 2);
    let found: Vec<_> = report.all_findings().collect();
    assert_eq!(found.len(), 1);
    assert!(found[0].path.ends_with("manifest.json") && matches!(found[0].problem, Problem::Altered { .. }));
}

#[test]
fn truncated_missing_and_extra_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = publish(folder.path(), 1).run_dir;
    let run = run.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned();
    assert_eq!(findings(folder.path()), []);
    for name in files_below(&folder.path().join(&run)) {
        let copy = fresh(folder.path());
        let path = format!("{run}/{name}");
        let file = copy.path().join(&path);

        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
        let found = findings(copy.path());
        assert!(found.iter().any(|(p, _)| *p == path), "{name} truncated: {found:?}");

        fs::remove_file(&file).unwrap();
        assert_eq!(findings(copy.path()), [(path, Problem::Missing)]);
    }
    for extra in ["zz.parquet", "quarantine/zz.parquet"] {
        let copy = fresh(folder.path());
        fs::write(copy.path().join(&run).join(extra), b"x").unwrap();
        assert_eq!(findings(copy.path()), [(format!("{run}/{extra}"), Problem::Extra)]);
    }
    let copy = fresh(folder.path());
    fs::create_dir(copy.path().join(&run).join("empty")).unwrap();
    assert_eq!(findings(copy.path()), [(format!("{run}/empty"), Problem::Extra)]);

    let copy = fresh(folder.path());
    fs::write(copy.path().join("as_of=2018-08-01/notes.txt"), b"x").unwrap();
    let report = verify(copy.path(), Some(date(2018, 8, 1))).unwrap();
    assert_eq!(report.findings[0].path, "as_of=2018-08-01/notes.txt");
}

#[test]
fn a_link_is_not_taken_for_the_file_it_points_to() {
    let folder = tempfile::tempdir().unwrap();
    let run = publish(folder.path(), 1).run_dir;
    fs::rename(run.join("scores.parquet"), folder.path().join("moved.parquet")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("moved.parquet"), run.join("scores.parquet")).unwrap();
    let found = findings(folder.path());
    assert!(matches!(&found[..], [(path, Problem::Malformed { .. })] if path.ends_with("scores.parquet")), "{found:?}");
}

#[test]
fn a_run_under_another_name_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let run = publish(folder.path(), 1).run_dir;
    publish(folder.path(), 2);
    let renamed = run.with_file_name("run=000000000000");
    fs::rename(&run, &renamed).unwrap();
    let report = verify(folder.path(), Some(date(2018, 8, 1))).unwrap();
    assert!(report.all_findings().any(|f| f.path.contains("run=000000000000/manifest.json")));
}

#[test]
fn a_run_folder_that_vanished_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let run = publish(folder.path(), 1).run_dir;
    fs::remove_dir_all(&run).unwrap();
    for as_of in [None, Some(date(2018, 8, 1))] {
        let report = verify(folder.path(), as_of).unwrap();
        assert!(matches!(report.runs[0].findings[0].problem, Problem::Missing));
    }
    assert!(ScoreBook::open(folder.path()).is_err());
}

#[test]
fn where_nothing_is_published_there_is_nothing_to_verify() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(verify(folder.path(), None), Err(PublishError::NothingPublished(_))));
    publish(folder.path(), 1);
    assert!(matches!(verify(folder.path(), Some(date(2018, 1, 1))), Err(PublishError::NoSuchRun { .. })));
    assert!(matches!(
        ScoreBook::open_as_of(folder.path(), date(2018, 1, 1)).map(|_| ()),
        Err(PublishError::NoSuchRun { .. })
    ));
}
