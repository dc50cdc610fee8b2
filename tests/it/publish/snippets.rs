//! The snippets of docs/reading.md and docs/scheduling.md do what the text says.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use integrity::publish::ScoreBook;

use super::fixture::{merchant, publish};

/// The first block of a language in a chapter of `docs/`.
fn snippet(chapter: &str, language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(chapter);
    let text = fs::read_to_string(path).unwrap();
    let (_, after) = text.split_once(&format!("```{language}\n")).unwrap();
    after.split_once("```").unwrap().0.to_owned()
}

/// Whether the tool that a snippet needs is at hand; where it is not, its test has nothing to run.
fn is_at_hand(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|done| done.status.success())
}

fn python(out: &Path, merchant: &str, today: &str) -> Output {
    Command::new("python3")
        .arg("-c")
        .arg(snippet("reading.md", "python"))
        .arg(out)
        .args([merchant, today])
        .output()
        .unwrap()
}

#[test]
fn a_reader_in_python_sees_what_the_library_sees() {
    if !is_at_hand("python3", &["-c", "import duckdb"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let published = publish(folder.path(), 1);
    let done = python(folder.path(), &merchant(2), "2018-08-31");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let entry = ScoreBook::open(folder.path()).unwrap().get(&merchant(2)).unwrap().unwrap();
    let expected: Vec<_> = entry
        .offers
        .iter()
        .map(|o| {
            serde_json::json!([o.offer_id, o.product, o.limit_minor, o.daily_rate_ppm, o.valid_until_on.to_string()])
        })
        .collect();
    assert_eq!(expected.len(), 2);
    assert_eq!(seen["offers"], serde_json::json!(expected));
    assert_eq!((seen["as_of"].as_str(), seen["currency"].as_str()), (Some("2018-08-01"), Some("CNY")));
    for (who, day) in [(merchant(2), "2018-09-01"), (merchant(1), "2018-08-31")] {
        let none: serde_json::Value = serde_json::from_slice(&python(folder.path(), &who, day).stdout).unwrap();
        assert_eq!(none["offers"], serde_json::json!([]), "{who} {day}");
    }
    // One byte of the file, then of the manifest.
    for name in ["offers.parquet", "manifest.json"] {
        let path = published.run_dir.join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let refused = python(folder.path(), &merchant(2), "2018-08-31");
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn the_wrapper_for_schedulers_lets_99_pass_and_no_other_code() {
    let folder = tempfile::tempdir().unwrap();
    let wrapper = snippet("scheduling.md", "sh");
    for (code, expected) in [(0, 0), (99, 0), (65, 65), (75, 75), (80, 80)] {
        let stub = format!("integrity() {{ [ \"$1 $2\" = 'run job.toml' ] || exit 1; return {code}; }}\n{wrapper}");
        let done =
            Command::new("sh").current_dir(folder.path()).args(["-c", &stub, "night", "job.toml"]).status().unwrap();
        assert_eq!(done.code(), Some(expected), "{code}");
    }
}
