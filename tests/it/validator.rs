//! What a validator does with a trained model, by the command line: document, compare, validate, counterfactual.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use integrity::cli::{self, ExitCode};
use integrity::domain::elementary::sigmoid;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// A table whose names hold quotes, spaces, commas and Unicode.
fn table(folder: &Path, name: &str, rows: usize, seed: u64) -> PathBuf {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut text = String::from("\"gross \"\"margin\"\", 90d\",città,age,month,bad\n");
    for i in 0..rows {
        let (a, c): (f64, f64) = (rng.random(), rng.random());
        let level = ["it's fine", "B|<b>", "x, y"][rng.random_range(0..3_usize)];
        let log_odds = -1.2 + 2.5 * (0.5 - a) + if level == "B|<b>" { 0.9 } else { 0.0 } + (0.5 - c);
        let bad = rng.random::<f64>() < sigmoid(log_odds);
        let margin = if i % 23 == 0 { "-9".to_owned() } else { format!("{:.3}", a * 10.0) };
        let level = if i % 31 == 0 { "" } else { level };
        let month = i % 3 + 1;
        let _ = writeln!(text, "{margin},\"{level}\",{:.0},2026-0{month}-15,{}", 18.0 + c * 60.0, u8::from(bad));
    }
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn run(arguments: &[&str]) -> ExitCode {
    let all = ["integrity", "--quiet", "--format", "json"].iter().chain(arguments);
    cli::main(all.map(OsString::from).collect::<Vec<_>>())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

struct World {
    folder: tempfile::TempDir,
    test: PathBuf,
    model: PathBuf,
    challenger: PathBuf,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let train = table(folder.path(), "train.csv", 1500, 1);
    let test = table(folder.path(), "test.csv", 700, 2);
    let [model, challenger] = ["champion", "challenger"].map(|m| folder.path().join(m));
    let common = ["train", "--table", text(&train), "--target", "bad", "--special=-9", "--drop", "month"];
    assert_eq!(run(&[&common[..], &["--out", text(&model)]].concat()), ExitCode::Ok);
    assert_eq!(run(&[&common[..], &["--drop", "città", "--out", text(&challenger)]].concat()), ExitCode::Ok);
    World { folder, test, model, challenger }
}

#[test]
fn a_model_is_documented_compared_validated_and_explained() {
    let World { folder, test, model, challenger } = world();
    let at = |name: &str| folder.path().join(name);
    let (model, test) = (text(&model), text(&test));
    let measured = ["--table", test, "--target", "bad"];

    // Documents: whole, the same twice, never over another.
    let document = |out: &Path| run(&[&["document", model][..], &measured, &["--out", text(out)]].concat());
    assert_eq!(document(&at("one")), ExitCode::Ok);
    assert_eq!(document(&at("two")), ExitCode::Ok);
    assert_eq!(document(&at("one")), ExitCode::RefusesToOverwrite);
    for file in ["model.md", "model.html", "scorecard.sql", "scorecard.schema.json", "plots/sample_1_roc.svg"] {
        let read = |folder: &str| std::fs::read_to_string(at(folder).join(file)).unwrap();
        assert!(read("one") == read("two") && !read("one").is_empty(), "{file}");
    }
    let page = std::fs::read_to_string(at("one").join("model.html")).unwrap();
    assert!(page.contains("gross &quot;margin&quot;, 90d") && !page.contains("<b>") && !page.contains("<script"));
    assert_eq!(run(&["document", model, "--out", text(&at("unmeasured"))]), ExitCode::Ok);
    assert_eq!(run(&["document", model, "--keep", "Score", "--out", text(&at("three"))]), ExitCode::Usage);
    assert_eq!(run(&["document", text(&at("none")), "--out", text(&at("three"))]), ExitCode::InputMissing);
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".staging") || name == "three")
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // Comparison.
    let compare = |more: &[&str]| run(&[&["compare", model, text(&challenger)][..], &measured, more].concat());
    assert_eq!(compare(&["--by", "month", "--by", "città", "--cutoff-approve-share", "0.7"]), ExitCode::Ok);
    assert_eq!(compare(&["--cutoff-approve-share", "1.5"]), ExitCode::Usage);
    assert_eq!(compare(&["--by", "nothing"]), ExitCode::Data);
    let forest = |from: &str| run(&[&["compare", model, "--forest-from", from][..], &measured].concat());
    assert_eq!(forest(text(&at("train.csv"))), ExitCode::Ok);
    assert_eq!(forest(test), ExitCode::Usage, "a forest knows the outcomes of its own rows");

    // Validation.
    let validate = |more: &[&str]| run(&[&["validate", "--model", model][..], &measured, more].concat());
    let judged = ["--by", "month", "--fairness", "città", "--alike-in", "month", "--cutoff-approve-share", "0.6"];
    assert_eq!(validate(&judged), ExitCode::Ok);
    assert_eq!(validate(&["--fairness", "città"]), ExitCode::Usage, "who is approved must be said");
    assert_eq!(validate(&["--fairness", "città", "--cutoff-pd", "2"]), ExitCode::Usage);
    assert_eq!(validate(&["--by", "nothing"]), ExitCode::Data);

    // Rejects.
    let train = at("train.csv");
    let study = |rejected: &Path, more: &[&str]| {
        let tables = ["--accepted", test, "--target", "bad", "--rejected", text(rejected)];
        run(&[&["reject-study", "--model", model][..], &tables, more].concat())
    };
    assert_eq!(study(&train, &["--odds", "1,4"]), ExitCode::Ok);
    assert_eq!(study(&train, &["--odds", "0"]), ExitCode::Data, "odds of nothing are no assumption");
    let header = std::fs::read_to_string(&train).unwrap().lines().next().unwrap().to_owned();
    let nobody = at("nobody.csv");
    std::fs::write(&nobody, format!("{header}\n")).unwrap();
    assert_eq!(study(&nobody, &[]), ExitCode::Usage);
    std::fs::write(&nobody, "shoe size\n41\n").unwrap();
    assert_eq!(study(&nobody, &[]), ExitCode::Data);

    // Counterfactuals.
    let search = |more: &[&str]| run(&[&["counterfactual", model, "--table", test][..], more].concat());
    let answers = at("answers.csv");
    let names = ["--actionable", "gross \"margin\", 90d", "--actionable", "age", "--score-at-least", "460"];
    assert_eq!(search(&[&names[..], &["--out", text(&answers)]].concat()), ExitCode::Ok);
    assert_eq!(search(&[&names[..], &["--out", text(&answers)]].concat()), ExitCode::RefusesToOverwrite);
    assert!(std::fs::read_to_string(&answers).unwrap().lines().count() > 1);
    assert_eq!(search(&["--actionable", "age,città", "--pd-at-most", "0.2", "--row", "3"]), ExitCode::Ok);
    assert_eq!(search(&["--actionable", "shoe size", "--score-at-least", "460"]), ExitCode::Usage);
    assert_eq!(search(&["--actionable", "age", "--score-at-least", "460", "--row", "0"]), ExitCode::Usage);
    assert_eq!(search(&["--actionable", "age", "--pd-at-most", "0.0000001"]), ExitCode::Usage);
}
