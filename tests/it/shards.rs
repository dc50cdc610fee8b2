//! Tables in many files: the same model as from one.

use std::fs;
use std::path::{Path, PathBuf};

use integrity::cli::{ExitCode, main};
use integrity::domain::elementary::sigmoid;
use integrity::model::{TrainSettings, TrainedScorecard, TrainingTable, train_scorecard};
use integrity::workbench::table::{features_beside, open_table, read_target};
use integrity::workbench::univariate::{Outcome, univariate};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Rows with a number, a number with gaps, a level, a date and the outcome.
fn rows(n: usize) -> Vec<[String; 5]> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    (0..n)
        .map(|i| {
            let (risk, cash): (f64, f64) = (rng.random(), rng.random());
            let colour = ["red", "blue", "green", "grey"][rng.random_range(0..4)];
            let log_odds = 3.0 * (risk - 0.5) - 2.0 * (cash - 0.5) + if colour == "red" { 0.8 } else { 0.0 } - 1.0;
            let bad = rng.random::<f64>() < sigmoid(log_odds);
            let cash = if i % 13 == 0 { String::new() } else { format!("{cash:.4}") };
            let day = format!("2018-{:02}-{:02}", 1 + i * 12 / n, 1 + i % 28);
            [format!("{risk:.6}"), cash, colour.to_owned(), day, u8::from(bad).to_string()]
        })
        .collect()
}

/// One file, and the same rows in a folder of three, the second with its columns in another order.
fn both(folder: &Path) -> (PathBuf, PathBuf) {
    const NAMES: [&str; 5] = ["risk", "cash", "colour", "day", "bad"];
    let all = rows(3_000);
    let csv = |part: &[[String; 5]], order: [usize; 5]| {
        let line = |cells: [&str; 5]| order.map(|i| cells[i]).join(",");
        let lines = part.iter().map(|r| line([&r[0], &r[1], &r[2], &r[3], &r[4]]));
        std::iter::once(line(NAMES)).chain(lines).collect::<Vec<_>>().join("\n")
    };
    let (one, many) = (folder.join("one.csv"), folder.join("many"));
    fs::write(&one, csv(&all, [0, 1, 2, 3, 4])).unwrap();
    fs::create_dir(&many).unwrap();
    fs::write(many.join("_SUCCESS"), "").unwrap();
    fs::write(many.join("part-0.csv"), csv(&all[..700], [0, 1, 2, 3, 4])).unwrap();
    fs::write(many.join("part-1.csv"), csv(&all[700..1_900], [4, 2, 0, 1, 3])).unwrap();
    fs::write(many.join("part-2.csv"), csv(&all[1_900..], [0, 1, 2, 3, 4])).unwrap();
    (one, many)
}

fn table(path: &Path) -> TrainingTable {
    let file = open_table(path).unwrap();
    let (outcome, _) = read_target(&file, "bad", None).unwrap();
    let mut table = TrainingTable::new(Vec::new(), Vec::new()).unwrap();
    table.test = (0..outcome.len()).map(|row| row % 4 == 0).collect();
    table.target = outcome;
    table.features = features_beside(file, &["bad".to_owned()]);
    table
}

fn trained(path: &Path) -> TrainedScorecard {
    train_scorecard(&table(path), &TrainSettings { members: 5, ..TrainSettings::default() }).unwrap()
}

#[test]
fn a_folder_of_files_trains_and_cuts_like_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let (one, many) = both(folder.path());
    let card = trained(&one);
    assert_eq!(trained(&many), card);
    assert!(card.scorecard.variables.len() >= 3, "{:?}", card.report.dropped);
    let settings = TrainSettings::default();
    let cut = univariate(&table(&one), &settings).unwrap();
    assert_eq!(univariate(&table(&many), &settings).unwrap(), cut);
    let of = |name: &str| cut.iter().find(|c| c.variable == name).unwrap();
    assert!((of("cash").missing_share.unwrap() - 1.0 / 13.0).abs() < 0.001);
    // Cut over all rows that train, as training cuts them.
    let Outcome::Cut { bins, .. } = &of("risk").outcome else { panic!("{cut:?}") };
    let rows: f64 = bins.bins.iter().map(|b| b.rows).sum();
    assert!((rows - 2_250.0).abs() < 0.5);
}

#[test]
fn files_that_are_no_table_together_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |why: &str| {
        let error = open_table(folder.path()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused("no .parquet and no .csv");
    fs::write(folder.path().join("a.csv"), "x,y\n1,0\n").unwrap();
    fs::write(folder.path().join("b.csv"), "x,z\n1,0\n").unwrap();
    refused("b.csv");
    refused("has a column \"z\"");
    fs::write(folder.path().join("b.csv"), "x\n1\n").unwrap();
    refused("lacks column \"y\"");
    fs::write(folder.path().join("b.csv"), "x,y\nmuch,0\n").unwrap();
    let mixed = open_table(folder.path()).unwrap();
    let (_, note) = mixed.load(0, None).unwrap().unwrap();
    assert!(note.unwrap().contains("treated as text"));
    fs::write(folder.path().join("b.csv"), "x,y\n2,0\n-inf,1\n").unwrap();
    let mut table = TrainingTable::new(Vec::new(), Vec::new()).unwrap();
    (table.target, table.test) = (vec![true, false, true], vec![false; 3]);
    table.features = features_beside(open_table(folder.path()).unwrap(), &["y".to_owned()]);
    let infinite = univariate(&table, &TrainSettings::default()).unwrap_err().to_string();
    assert!(infinite.contains("b.csv") && infinite.contains("row 2 is infinite"), "{infinite}");
    // Whatever its name ends in, a file of the folder is one of the table's.
    fs::write(folder.path().join("notes.txt"), "").unwrap();
    refused("notes.txt");
}

fn run(arguments: &[&str]) -> ExitCode {
    main(["integrity", "--quiet"].iter().chain(arguments).map(Into::into))
}

#[test]
fn the_command_line_cuts_scores_and_takes_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (one, many) = both(folder.path());
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (one, many) = (one.display().to_string(), many.display().to_string());
    assert_eq!(run(&["bins", "--table", &many, "--target", "bad", "--out", &path("bins.toml")]), ExitCode::Ok);
    assert_eq!(run(&["bins", "--table", &one, "--target", "bad", "--out", &path("again.toml")]), ExitCode::Ok);
    assert_eq!(fs::read(path("bins.toml")).unwrap(), fs::read(path("again.toml")).unwrap());
    assert_eq!(run(&["bins", "--table", &one]), ExitCode::Usage);

    let train = |settings: &str, out: &str| {
        fs::write(path("settings.toml"), settings).unwrap();
        let bins = path("bins.toml");
        run(&[
            "train",
            "--table",
            &many,
            "--target",
            "bad",
            "--settings",
            &path("settings.toml"),
            "--bins",
            &bins,
            "--out",
            &path(out),
        ])
    };
    assert_eq!(train("[training]\nmax_variables = 1\nmax_tables = 0\nmembers = 5\n", "small"), ExitCode::Ok);
    let model: serde_json::Value = serde_json::from_slice(&fs::read(path("small/model.json")).unwrap()).unwrap();
    let card = model.get("scorecard").unwrap_or(&model);
    assert_eq!(card["variables"].as_array().unwrap().len(), 1);
    assert_eq!(train("[training]\nmax_variable = 1\n", "typo"), ExitCode::Config);
    assert_eq!(train("[directions]\nwealth = \"higher-safer\"\n", "unknown"), ExitCode::Usage);
    // Cash is said to be dangerous, and is not: it leaves rather than score against its event rates.
    assert_eq!(train("[directions]\ncash = \"lower-safer\"\n[training]\nmembers = 5\n", "against"), ExitCode::Ok);
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(path("against/validation.json")).unwrap()).unwrap();
    let dropped = report["dropped"].as_array().unwrap();
    assert!(dropped.iter().any(|d| d["variable"] == "cash"), "{dropped:?}");

    let apply =
        |table: &str, out: &str| run(&["apply", "--model", &path("small"), "--table", table, "--out", &path(out)]);
    assert_eq!((apply(&one, "one-scores.csv"), apply(&many, "many-scores.csv")), (ExitCode::Ok, ExitCode::Ok));
    assert_eq!(fs::read(path("one-scores.csv")).unwrap(), fs::read(path("many-scores.csv")).unwrap());
}
