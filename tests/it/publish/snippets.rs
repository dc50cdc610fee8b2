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

/// The snippet in SQL, filled in and run by the duckdb package.
fn sql(out: &Path, merchant: &str, today: &str) -> Output {
    let filled = snippet("reading.md", "sql")
        .replace("'OUT'", &format!("'{}'", out.display()))
        .replace("'MERCHANT'", &format!("'{merchant}'"))
        .replace("'TODAY'", &format!("'{today}'"));
    let run = "import duckdb, json, sys; print(json.dumps(duckdb.execute(sys.argv[1]).fetchall()))";
    Command::new("python3").args(["-c", run, &filled]).output().unwrap()
}

fn has_duckdb() -> bool {
    is_at_hand("python3", &["-c", "import duckdb"])
}

/// What the library says that a merchant is offered.
fn offered(out: &Path, merchant: &str) -> serde_json::Value {
    let entry = ScoreBook::open(out).unwrap().get(merchant).unwrap().unwrap();
    entry
        .offers
        .iter()
        .map(|o| {
            serde_json::json!([o.offer_id, o.product, o.limit_minor, o.daily_rate_ppm, o.valid_until_on.to_string()])
        })
        .collect()
}

/// A log of answers by day: first an offer in the place of the run's, then one that was declined, and a line that nobody has been given.
fn answers_by_day(out: &Path, merchant: &str, offer: &serde_json::Value) -> [String; 2] {
    let answer = |number: u64, offer: &serde_json::Value| {
        let application = serde_json::json!({ "merchant_id": merchant, "product": offer[1] });
        let columns = ["offer_id", "product", "limit_minor", "daily_rate_ppm", "valid_until_on"];
        let cells = columns.iter().zip(offer.as_array().unwrap());
        let offer: serde_json::Map<_, _> = cells.map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect();
        serde_json::json!({ "number": number, "application": application, "offer": offer })
    };
    let mut declined = answer(2, offer);
    declined["offer"] = serde_json::Value::Null;
    let mut other = answer(3, offer);
    other["application"]["merchant_id"] = "somebody else".into();
    let [new, declined, other] = [answer(1, offer), declined, other].map(|line| line.to_string());
    fs::write(out.join("decisions.jsonl"), "").unwrap();
    [format!("{new}\n{other}\n{declined}"), format!("{new}\n{other}\n{declined}\n")]
}

/// Of a product the newest answer by day counts.
fn newest_answer_counts(out: &Path, merchant: &str, reads: &dyn Fn() -> serde_json::Value) {
    let mut expected = offered(out, merchant);
    let offers = expected.as_array_mut().unwrap();
    let product = offers.last().unwrap()[1].clone();
    offers.last_mut().unwrap()[0] = "by-day".into();
    offers.last_mut().unwrap()[2] = 70_000.into();
    let [replaced, declined] = answers_by_day(out, merchant, offers.last().unwrap());
    assert_eq!(reads(), offered(out, merchant), "nothing was answered");
    fs::write(out.join("decisions.jsonl"), replaced).unwrap();
    assert_eq!(reads(), expected);
    fs::write(out.join("decisions.jsonl"), declined).unwrap();
    expected.as_array_mut().unwrap().retain(|offer| offer[1] != product);
    assert_eq!(reads(), expected);
    fs::remove_file(out.join("decisions.jsonl")).unwrap();
}

fn seen(done: &Output) -> serde_json::Value {
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

/// Whoever reads finds nothing out of its days, and stops at one byte that is not as it was published, of the file and of the manifest.
fn keeps_to_what_was_published(
    run_dir: &Path,
    reads: &dyn Fn(&str, &str) -> Output,
    nothing: &dyn Fn(&Output) -> bool,
) {
    for (who, day) in [(merchant(2), "2018-09-01"), (merchant(1), "2018-08-31")] {
        assert!(nothing(&reads(&who, day)), "{who} {day}");
    }
    for name in ["offers.parquet", "manifest.json"] {
        let path = run_dir.join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let refused = reads(&merchant(2), "2018-08-31");
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{name}");
    }
}

#[test]
fn a_reader_in_python_sees_what_the_library_sees() {
    if !has_duckdb() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let published = publish(folder.path(), 1);
    let found = seen(&python(folder.path(), &merchant(2), "2018-08-31"));
    let expected = offered(folder.path(), &merchant(2));
    assert_eq!(expected.as_array().map(Vec::len), Some(2));
    assert_eq!(found["offers"], expected);
    assert_eq!((found["as_of"].as_str(), found["currency"].as_str()), (Some("2018-08-01"), Some("CNY")));
    let reads = |who: &str, day: &str| python(folder.path(), who, day);
    newest_answer_counts(folder.path(), &merchant(2), &|| seen(&reads(&merchant(2), "2018-08-31"))["offers"].clone());
    keeps_to_what_was_published(&published.run_dir, &reads, &|done| seen(done)["offers"] == serde_json::json!([]));
}

#[test]
fn a_reader_in_sql_sees_what_the_library_sees() {
    if !has_duckdb() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let published = publish(folder.path(), 1);
    assert_eq!(seen(&sql(folder.path(), &merchant(2), "2018-08-31")), offered(folder.path(), &merchant(2)));
    let run = published.run_dir.strip_prefix(folder.path()).unwrap().display().to_string();
    let log = folder.path().join("pointings.jsonl");
    let withdrawn = serde_json::json!({ "withdrawn": [run], "to": "as_of=2018-07-31/run=0123456789ab" });
    fs::write(&log, format!("{withdrawn}\n")).unwrap();
    assert!(!sql(folder.path(), &merchant(2), "2018-08-31").status.success(), "it is out of use");
    let back = serde_json::json!({ "withdrawn": [], "to": run });
    fs::write(&log, format!("{withdrawn}\n{back}\n")).unwrap();
    let reads = |who: &str, day: &str| sql(folder.path(), who, day);
    assert_eq!(seen(&reads(&merchant(2), "2018-08-31")), offered(folder.path(), &merchant(2)));
    newest_answer_counts(folder.path(), &merchant(2), &|| seen(&reads(&merchant(2), "2018-08-31")));
    keeps_to_what_was_published(&published.run_dir, &reads, &|done| seen(done) == serde_json::json!([]));
}

/// Compiled where there is a Java, and run where `DUCKDB_JDBC` names the driver.
#[test]
fn a_reader_in_java_compiles_and_sees_what_the_library_sees() {
    if !is_at_hand("javac", &["-version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("Offers.java");
    fs::write(&source, snippet("reading.md", "java")).unwrap();
    let compiled = Command::new("javac")
        .args(["-Xlint:all", "-Werror", "-d"])
        .args([folder.path(), source.as_path()])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let Some(driver) = std::env::var_os("DUCKDB_JDBC") else { return };
    let out = folder.path().join("out");
    let published = publish(&out, 1);
    let path = std::env::join_paths([folder.path().as_os_str(), driver.as_os_str()]).unwrap();
    let reads = |who: &str, day: &str| {
        Command::new("java").arg("-cp").arg(&path).arg("Offers").arg(&out).args([who, day]).output().unwrap()
    };
    let told = String::from_utf8(reads(&merchant(2), "2018-08-31").stdout).unwrap();
    let lines: Vec<Vec<&str>> = told.lines().map(|line| line.split(' ').collect()).collect();
    let expected = offered(&out, &merchant(2));
    let expected = expected.as_array().unwrap();
    assert_eq!(lines.len(), expected.len());
    for (line, offer) in lines.iter().zip(expected) {
        let words: Vec<String> = offer.as_array().unwrap().iter().map(|v| v.to_string().replace('"', "")).collect();
        assert_eq!(*line, words);
    }
    keeps_to_what_was_published(&published.run_dir, &reads, &|done| done.status.success() && done.stdout.is_empty());
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

/// The units of docs/scheduling.md, as systemd reads them.
#[test]
fn the_units_for_systemd_are_accepted_by_it() {
    if !is_at_hand("systemd-analyze", &["--version"]) {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scheduling.md");
    let text = fs::read_to_string(path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for block in text.split("```ini\n").skip(1) {
        let unit: Vec<&str> = block.split("```").next().unwrap().lines().map(str::trim).collect();
        let file = folder.path().join(unit.first().unwrap().trim_start_matches("# "));
        // The program is not installed where tests run.
        fs::write(&file, unit.join("\n").replace("/usr/local/bin/integrity", "/bin/true")).unwrap();
        units.push(file);
    }
    assert_eq!(units.len(), 2);
    let seen = Command::new("systemd-analyze").arg("verify").args(&units).output().unwrap();
    assert!(seen.status.success(), "{}", String::from_utf8_lossy(&seen.stderr));
}
