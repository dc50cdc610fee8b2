//! What a validator does with a trained model, by the command line: document, compare, validate, counterfactual.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use integrity::cli::{self, ExitCode};
use integrity::domain::elementary::sigmoid;
use integrity::page::workbook::{CellValue, Sheet, workbook};
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
    assert!(page.contains("gross &#34;margin&#34;, 90d") && !page.contains("<b>") && !page.contains("<script"));
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
    assert_eq!(study(&train, &["--odds", "0"]), ExitCode::Data, "odds of zero are not an assumption");
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

/// Runs a command and reads the JSON that it prints.
fn answer(arguments: &[&str]) -> serde_json::Value {
    let all = ["--quiet", "--format", "json"].iter().chain(arguments);
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_integrity")).args(all).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    serde_json::from_slice(&told.stdout).unwrap()
}

fn said(answer: &serde_json::Value, list: &str, words: &str) -> bool {
    answer[list].as_array().unwrap().iter().any(|w| w.as_str().unwrap().contains(words))
}

fn text_of<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    lines.flat_map(|line| [line.as_str(), "\n"]).collect()
}

#[test]
fn rows_trained_on_are_recognised_in_tables_measured_on() {
    let World { folder, test, model, .. } = world();
    let at = |name: &str| folder.path().join(name);
    let lines =
        |path: &Path| -> Vec<String> { std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect() };
    let (train, fresh) = (lines(&at("train.csv")), lines(&test));
    // 300 training rows in another order among 700 fresh ones, columns swapped: neither file's digest tells.
    let mixed = at("mixed.csv");
    let swap = |line: &String| {
        let (rest, bad) = line.rsplit_once(',').unwrap();
        format!("{bad},{rest}\n")
    };
    std::fs::write(&mixed, fresh.iter().chain(train.iter().skip(900).take(300).rev()).map(swap).collect::<String>())
        .unwrap();
    let measured =
        |table: &Path| answer(&["validate", "--model", text(&model), "--table", text(table), "--target", "bad"]);
    let clean = measured(&test);
    assert!(
        clean["overlap"]["seen"].as_u64().unwrap() < 15 && !said(&clean, "notes", "in every column"),
        "{}",
        clean["overlap"]
    );
    let leaky = measured(&mixed);
    assert!(leaky["overlap"]["seen"].as_u64().unwrap() >= 300, "{}", leaky["overlap"]);
    assert!(said(&leaky, "notes", "equal a row of its training"));

    // A forest grown on a table that holds the rows compared on.
    let forest = |from: &Path| {
        answer(&["compare", text(&model), "--forest-from", text(from), "--table", text(&test), "--target", "bad"])
    };
    let both = at("both.csv");
    std::fs::write(&both, text_of(train.iter().chain(fresh.iter().skip(1)))).unwrap();
    let told = forest(&both);
    assert_eq!(told["challenger_overlap"]["seen"], 700);
    assert!(said(&told, "notes", "which the forest was grown on"));
    assert!(!said(&forest(&at("train.csv")), "notes", "which the forest was grown on"));

    // A table that holds rows twice, on both sides of the split.
    let twice = at("twice.csv");
    let rows = train.iter().chain(train.iter().skip(1).step_by(2));
    std::fs::write(&twice, text_of(rows)).unwrap();
    let trained = |table: &Path, out: &str| {
        let common = ["train", "--table", text(table), "--target", "bad", "--drop", "month", "--test-share", "0.3"];
        answer(&[&common[..], &["--out", text(&at(out))]].concat())
    };
    let leaky = trained(&twice, "leaky");
    assert!(
        said(&leaky, "warnings", "the test part") && leaky["overlap"]["share"].as_f64().unwrap() > 0.3,
        "{}",
        leaky["overlap"]
    );
    assert!(!said(&trained(&at("train.csv"), "sound"), "warnings", "the test part"));
}

#[test]
fn columns_of_points_add_up_to_the_score_and_weights_of_evidence_are_the_bins() {
    let World { folder, test, model, .. } = world();
    let out = folder.path().join("points.csv");
    let asked = ["--points", "--woe", "--reasons", "2", "--keep", "age"];
    let told = answer(
        &[&["apply", "--model", text(&model), "--table", text(&test), "--out", text(&out)][..], &asked].concat(),
    );
    let base = told["base_points"].as_i64().unwrap();
    let card: serde_json::Value = serde_json::from_slice(&std::fs::read(model.join("model.json")).unwrap()).unwrap();
    let variables = card["variables"].as_array().unwrap();
    let mut reader = csv::Reader::from_path(&out).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let place = |name: &str| names.iter().position(|n| n == name).unwrap();
    let (score, points): (usize, Vec<usize>) =
        (place("score"), (0..names.len()).filter(|at| names[*at].starts_with("points_")).collect());
    assert_eq!(points.len(), variables.len() + card["tables"].as_array().unwrap().len());
    for row in reader.records() {
        let row = row.unwrap();
        let sum: i64 = points.iter().map(|at| row[*at].parse::<i64>().unwrap()).sum();
        assert_eq!(base + sum, row[score].parse::<i64>().unwrap());
        for variable in variables {
            let name = variable["bins"]["name"].as_str().unwrap();
            let woe: f64 = row[place(&format!("woe_{name}"))].parse().unwrap();
            let own: i64 = row[place(&format!("points_{name}"))].parse().unwrap();
            let bins = variable["bins"]["bins"].as_array().unwrap().iter().zip(variable["points"].as_array().unwrap());
            let is_a_bin = |(bin, points): (&serde_json::Value, &serde_json::Value)| {
                bin["woe"].as_f64() == Some(woe) && points.as_i64() == Some(own)
            };
            assert!(bins.into_iter().any(is_a_bin), "{name}: {woe} {own}");
        }
    }
    // A column that is carried over must not be mistaken for one that is written.
    let clash = folder.path().join("clash.csv");
    std::fs::write(&clash, std::fs::read_to_string(&test).unwrap().replacen(",month,", ",points_age,", 1)).unwrap();
    let again = folder.path().join("again.csv");
    let apply =
        ["apply", "--model", text(&model), "--table", text(&clash), "--out", text(&again), "--keep", "points_age"];
    assert_eq!(run(&apply), ExitCode::Ok);
    std::fs::remove_file(&again).unwrap();
    assert_ne!(run(&[&apply[..], &["--points"]].concat()), ExitCode::Ok);
}

#[test]
fn levels_never_seen_are_counted_when_a_table_is_scored() {
    let World { folder, test, model, .. } = world();
    let strange = folder.path().join("strange.csv");
    let table = std::fs::read_to_string(&test).unwrap();
    std::fs::write(&strange, table.replacen("it's fine", "wedding", 3).replacen("\"x, y\"", "moon", 2)).unwrap();
    let score = |table: &Path, out: &str| {
        let out = folder.path().join(out);
        answer(&["apply", "--model", text(&model), "--table", text(table), "--out", text(&out)])
    };
    let found = score(&strange, "a.csv");
    assert_eq!(found["unseen_levels"]["città"]["rows"], 5);
    assert_eq!(found["unseen_levels"]["città"]["most_frequent"], serde_json::json!({ "moon": 2, "wedding": 3 }));
    assert!(said(&found, "warnings", "città") && said(&found, "warnings", "wedding"));
    assert!(score(&test, "b.csv")["warnings"].as_array().unwrap().is_empty());
    let validated = answer(&["validate", "--model", text(&model), "--table", text(&strange), "--target", "bad"]);
    assert!(said(&validated, "notes", "wedding"));
}

/// A text table as a workbook: below a title, numbers as numbers, days as days, on the larger of two sheets.
fn as_workbook(table: &Path) -> Vec<u8> {
    let cell = |text: &str| match (text.parse::<f64>(), text.parse::<jiff::civil::Date>()) {
        (Ok(number), _) => CellValue::Number(number),
        (_, Ok(day)) => CellValue::Day(day),
        _ => CellValue::text(text),
    };
    let mut rows = vec![vec![CellValue::text("Loans of the year")]];
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(table).unwrap();
    rows.extend(reader.records().map(|record| record.unwrap().iter().map(cell).collect::<Vec<_>>()));
    workbook(&[
        Sheet { name: "Notes", rows: vec![vec![CellValue::text("made by hand")]] },
        Sheet { name: "Loans", rows },
    ])
}

#[test]
fn a_workbook_gives_the_model_that_its_text_gives() {
    let World { folder, test, model, .. } = world();
    let at = |name: &str| folder.path().join(name);
    let book = at("train.xls");
    std::fs::write(&book, as_workbook(&at("train.csv"))).unwrap();
    let again = at("again");
    let common = ["--target", "bad", "--special=-9", "--drop", "month", "--out", text(&again)];
    assert_eq!(run(&[&["train", "--table", text(&book)][..], &common].concat()), ExitCode::Ok);
    let card = |model: &Path| std::fs::read_to_string(model.join("model.json")).unwrap();
    assert_eq!(card(&again), card(&model));
    // Months are days there too.
    let tested = at("test.xls");
    std::fs::write(&tested, as_workbook(&test)).unwrap();
    let by_month = |table: &Path| {
        answer(&["validate", "--model", text(&model), "--table", text(table), "--target", "bad", "--by", "month"])
    };
    assert_eq!(by_month(&tested)["by"], by_month(&test)["by"]);
}

/// The same rows with their outcome in words, and rows among them of which nobody can say.
fn in_words(plain: &Path) -> String {
    let mut worded = String::new();
    for (n, line) in std::fs::read_to_string(plain).unwrap().lines().enumerate() {
        let (cells, bad) = line.rsplit_once(',').unwrap();
        let outcome = match (n, bad) {
            (0, _) => "status,dpd",
            (_, "1") => "late,95",
            _ => "paid,0",
        };
        let _ = writeln!(worded, "{cells},{outcome}");
        if n % 4 == 1 {
            let _ = writeln!(worded, "{cells},current,40");
        }
    }
    worded
}

#[test]
fn conditions_measure_the_rows_that_a_column_of_their_outcome_measures() {
    let World { folder, test, model, challenger } = world();
    let at = |name: &str| folder.path().join(name);
    let (train, worded, worded_train) = (at("train.csv"), at("worded.csv"), at("worded-train.csv"));
    std::fs::write(&worded, in_words(&test)).unwrap();
    std::fs::write(&worded_train, in_words(&train)).unwrap();
    let column = ["--target", "bad"];
    let conditions = ["--bad", "status = 'late' AND dpd > 90", "--good", "status = 'paid'"];
    let left_out = "175 of 875 rows are left out";
    let (model, challenger) = (text(&model), text(&challenger));
    // All that is measured is the same; what is told of the tables is not.
    let figures = |mut told: serde_json::Value| {
        for key in ["table", "notes", "challenger_model"] {
            told.as_object_mut().unwrap().remove(key);
        }
        told
    };

    let compared = |who: &[&str], table: &Path, outcome: &[&str]| {
        answer(&[&["compare", model][..], who, &["--table", text(table)], outcome].concat())
    };
    let by_column = compared(&[challenger], &test, &column);
    let by_conditions = compared(&[challenger], &worded, &conditions);
    assert!(said(&by_conditions, "notes", left_out) && !said(&by_column, "notes", "left out"));
    assert_eq!(figures(by_column), figures(by_conditions));
    let grown = |from: &Path| compared(&["--forest-from", text(from)], &worded, &conditions);
    let forest = grown(&worded_train);
    assert!(said(&forest, "notes", "375 of 1875 rows are left out"));
    let plain = compared(&["--forest-from", text(&train)], &test, &column);
    assert_eq!(figures(forest), figures(plain));

    let studied = |accepted: &Path, outcome: &[&str]| {
        let tables = ["--accepted", text(accepted), "--rejected", text(&train)];
        answer(&[&["reject-study", "--model", model][..], &tables, outcome].concat())
    };
    let (by_column, by_conditions) = (studied(&test, &column), studied(&worded, &conditions));
    assert!(said(&by_conditions, "notes", left_out));
    assert_eq!(by_column["study"], by_conditions["study"]);

    let documented = |out: &str, table: &Path, outcome: &[&str]| {
        let out = at(out);
        let asked = ["document", model, "--table", text(table), "--out", text(&out)];
        assert_eq!(run(&[&asked[..], outcome].concat()), ExitCode::Ok);
        std::fs::read_to_string(out.join("model.md")).unwrap()
    };
    let (by_column, by_conditions) = (documented("a", &test, &column), documented("b", &worded, &conditions));
    assert!(by_conditions.contains(left_out));
    let name = "Table worded.csv; 175 of 875 rows are left out: neither bad";
    let start = by_conditions.find(name).unwrap();
    let named = by_conditions[start..].split(" |").next().unwrap().lines().next().unwrap();
    assert_eq!(by_conditions.replace(named, "Table test.csv"), by_column);
    assert_eq!(run(&["document", model, "--bad", "dpd > 90", "--out", text(&at("c"))]), ExitCode::Usage);
    assert_eq!(run(&["document", model, "--table", text(&test), "--out", text(&at("c"))]), ExitCode::Usage);
}

#[test]
fn conditions_give_the_model_that_a_column_of_their_outcome_gives() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let plain = table(folder.path(), "plain.csv", 1500, 1);
    std::fs::write(at("worded.csv"), in_words(&plain)).unwrap();
    let common = ["--special=-9", "--drop", "month"];
    let by_column = ["train", "--table", text(&plain), "--target", "bad", "--out"];
    assert_eq!(run(&[&by_column[..], &[text(&at("a"))], &common].concat()), ExitCode::Ok);
    let worded = at("worded.csv");
    let conditions = ["--bad", "status = 'late' AND dpd > 90", "--good", "status = 'paid'"];
    let by_conditions = [&["train", "--table", text(&worded)][..], &conditions, &common].concat();
    assert_eq!(run(&[&by_conditions[..], &["--out", text(&at("b"))]].concat()), ExitCode::Ok);
    let card = |model: &str| std::fs::read_to_string(at(model).join("model.json")).unwrap();
    assert_eq!(card("a"), card("b"));
    let report = std::fs::read_to_string(at("b").join("validation.json")).unwrap();
    assert!(report.contains("375 of 1875 rows are left out"), "{report}");
    let model = at("b");
    assert_eq!(
        run(&[&["validate", "--model", text(&model), "--table", text(&worded)][..], &conditions].concat()),
        ExitCode::Ok
    );
    // Of 1,500 rows with an outcome a third, of each outcome a third; the same seed draws the same.
    let drawn = |out: &str, seed: &str| {
        let more = ["--sample", "500", "--seed", seed, "--out"];
        let told = answer(&[&by_conditions[..], &more, &[text(&at(out))]].concat());
        assert!(said(&told, "warnings", &format!("500 of 1,500 rows were drawn with seed {seed}")), "{told}");
        assert_eq!(told["train"]["rows"], 500);
        card(out)
    };
    assert_eq!(drawn("c", "7"), drawn("d", "7"));
    assert_ne!(card("c"), drawn("e", "8"));
    let bins = |more: &[&str]| run(&[&["bins", "--table", text(&worded)][..], &conditions, more].concat());
    assert_eq!(bins(&["--variable", "age", "--keep-only", "age,città"]), ExitCode::Ok);
    assert_eq!(bins(&["--variable", "dpd"]), ExitCode::InputMissing, "what knows the outcome is no variable");
    let page = at("screen.html");
    assert_eq!(bins(&["--page", text(&page)]), ExitCode::Ok);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("città") && page.contains("<svg") && page.contains("Columns of"), "a plot of every column");
    let forced =
        |names: &str, out: &str| run(&[&by_conditions[..], &["--force-in", names, "--out", text(&at(out))]].concat());
    assert_eq!(forced("age", "f"), ExitCode::Ok);
    assert!(card("f").contains("\"age\""));
    assert_ne!(forced("no such", "g"), ExitCode::Ok);
    assert_eq!(run(&["bins", text(&model), "--variable", "age"]), ExitCode::Ok);
    assert_eq!(run(&[&by_conditions[..], &["--target", "bad", "--out", text(&at("c"))]].concat()), ExitCode::Usage);
}
