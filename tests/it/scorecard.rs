//! The scorecard engine on tables as they come: bad input is refused in words, good input gives a card whose every number adds up.

use std::path::{Path, PathBuf};

use integrity::domain::Digest;
use integrity::domain::elementary::sigmoid;
use integrity::model::binning::{BinRole, BinningSettings, Trend};
use integrity::model::registry::{Contents, Origin, Registry};
use integrity::model::table::Values;
use integrity::model::{
    Column, Direction, Dropped, ModelError, ScoredVariable, ScoringTable, TestFigures, TrainSettings, TrainedScorecard,
    TrainingTable, train_scorecard,
};
use integrity::workbench::table::{features_beside, open_table, read_target};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn train_file(path: &Path, target: &str, positive: Option<&str>) -> Result<TrainedScorecard, ModelError> {
    let file = open_table(path)?;
    let (outcome, _) = read_target(&file, target, positive)?;
    let mut table = TrainingTable::new(Vec::new(), outcome)?;
    table.features = features_beside(file, &[target.to_owned()]);
    train_scorecard(&table, &quick())
}

fn quick() -> TrainSettings {
    TrainSettings { members: 5, ..TrainSettings::default() }
}

/// A sample where `risk` raises and `cash` lowers the odds of bad, `noise` does nothing.
fn sample(rows: usize, seed: u64) -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<bool>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut risk, mut cash, mut noise, mut bad) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rows {
        let (r, c, n): (f64, f64, f64) = (rng.random(), rng.random(), rng.random());
        let log_odds = -1.5 + 3.0 * (r - 0.5) - 2.0 * (c - 0.5);
        bad.push(rng.random::<f64>() < sigmoid(log_odds));
        risk.push((r * 1000.0).round());
        cash.push((c * 1e6).round() / 100.0);
        noise.push(n);
    }
    (risk, cash, noise, bad)
}

fn columns(rows: usize, seed: u64) -> (Vec<Column>, Vec<bool>) {
    let (risk, cash, noise, bad) = sample(rows, seed);
    let some = |v: &[f64]| v.iter().map(|x| Some(*x)).collect::<Vec<_>>();
    // Every twentieth cash figure is not known.
    let cash: Vec<Option<f64>> = cash.iter().enumerate().map(|(i, c)| (i % 20 != 0).then_some(*c)).collect();
    let columns = vec![
        Column::from_options("risk", &some(&risk)),
        Column::from_options("cash", &cash),
        Column::from_options("noise", &some(&noise)),
    ];
    (columns, bad)
}

fn trained() -> TrainedScorecard {
    let (columns, bad) = columns(2_000, 1);
    let table = TrainingTable::new(columns, bad)
        .unwrap()
        .expecting("risk", Direction::LowerSafer)
        .expecting("cash", Direction::HigherSafer);
    train_scorecard(&table, &quick()).unwrap()
}

fn csv(header: &str, rows: impl Iterator<Item = String>) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    text
}

#[test]
fn targets_that_are_none_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let table = |values: &[&str]| {
        let rows = (0..60).map(|i| format!("{i}.5,{}", values[i % values.len()]));
        write(folder.path(), "t.csv", &csv("x,y", rows))
    };
    let why = |values: &[&str], positive| train_file(&table(values), "y", positive).unwrap_err().to_string();
    assert!(why(&["0"], None).contains("all rows have one value"));
    assert!(why(&["0", "1", "2"], None).contains("it has 3 values"));
    assert!(why(&["0", "1", ""], None).contains("20 rows have no outcome (the first is row 3)"));
    assert!(why(&["red", "blue"], None).contains("--positive"));
    assert!(why(&["red", "blue"], Some("green")).contains("does not occur"));
    let missing = train_file(&table(&["0", "1"]), "outcome", None).unwrap_err();
    assert!(matches!(missing, ModelError::NoColumn { .. }), "{missing}");
}

#[test]
fn tables_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &str| train_file(&write(folder.path(), name, text), "y", None).unwrap_err();
    assert!(matches!(refused("empty.csv", ""), ModelError::BadTable { .. }));
    assert!(matches!(refused("header.csv", "x,y\n"), ModelError::BadTarget { .. }));
    assert!(matches!(refused("ragged.csv", "x,y\n1,0\n2\n"), ModelError::BadTable { .. }));
    assert!(matches!(refused("twice.csv", "x,x,y\n1,2,0\n"), ModelError::BadTable { .. }));
    assert!(matches!(refused("cut.parquet", "PAR1 and nothing more"), ModelError::BadTable { .. }));
    assert!(matches!(refused("one.csv", "x,y\n1,0\n"), ModelError::BadTarget { .. }));
    assert!(matches!(refused("two.csv", "x,y\n1,0\n2,1\n"), ModelError::CannotTrain { .. }));
    assert!(matches!(train_file(&folder.path().join("none.csv"), "y", None), Err(ModelError::NoFile { .. })));
}

#[test]
fn an_infinite_value_names_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..100).map(|i| format!("{},{}", if i == 41 { "-inf".to_owned() } else { i.to_string() }, i % 2));
    let error = train_file(&write(folder.path(), "t.csv", &csv("x,y", rows)), "y", None).unwrap_err();
    assert!(matches!(&error, ModelError::Infinite { column, row: 42 } if column == "x"), "{error}");
}

#[test]
fn useless_columns_leave_with_a_reason_and_odd_names_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (risk, cash, _, bad) = sample(1_500, 3);
    let header = "row id,\"größe, \"\"netto\"\"\",stable,nothing,mixed,note,what for,y";
    let rows = (0..risk.len()).map(|i| {
        let mixed = if i % 300 == 7 { "n.a.!".to_owned() } else { cash[i].to_string() };
        let purpose = if risk[i] > 600.0 { "\"car, new | used\"" } else { "\"tv; \"\"4k\"\"\"" };
        format!("{i},{},7,,{mixed},free text {i},{purpose},{}", risk[i], if bad[i] { "bad" } else { "good" })
    });
    let report = train_file(&write(folder.path(), "t.csv", &csv(header, rows)), "y", None).unwrap();
    let rule = |name: &str| report.report.dropped.iter().find(|d| d.variable == name).map(|d| d.rule.as_str());
    assert_eq!(rule("row id"), Some("unique-id"));
    assert_eq!(rule("stable"), Some("constant"));
    assert_eq!(rule("nothing"), Some("all-missing"));
    assert_eq!(rule("note"), Some("unique-id"));
    assert!(report.report.warnings.iter().any(|w| w.contains("\"mixed\"")), "{:?}", report.report.warnings);
    let names: Vec<&str> = report.scorecard.variables.iter().map(|v| v.bins.name.as_str()).collect();
    assert!(names.contains(&"größe, \"netto\""), "{names:?}");
}

#[test]
fn a_hundred_thousand_levels_are_no_variable() {
    let folder = tempfile::tempdir().unwrap();
    let (risk, _, _, bad) = sample(100_000, 4);
    let rows = (0..risk.len()).map(|i| format!("L{i},{},{}", risk[i], u8::from(bad[i])));
    let report = train_file(&write(folder.path(), "t.csv", &csv("level,risk,y", rows)), "y", None).unwrap();
    assert_eq!(report.report.dropped.first().map(|d| d.rule.as_str()), Some("unique-id"));
    assert_eq!(report.scorecard.variables.len(), 1);
}

#[test]
fn each_selection_rule_names_itself() {
    let (mut columns, bad) = columns(2_000, 7);
    let of = |f: &dyn Fn(usize) -> Option<f64>| (0..2_000).map(f).collect::<Vec<_>>();
    let Values::Number(risk) = columns[0].values.clone() else { panic!("risk is a number") };
    columns.push(Column::from_options("rarely known", &of(&|i| (i % 250 == 3).then_some(i as f64))));
    columns.push(Column::from_options("calendar", &of(&|i| Some((i / 10) as f64))));
    columns.push(Column::from_options("risk against its sign", &of(&|i| Some(risk[i] + 0.25 * (i % 9) as f64))));
    let mut table =
        TrainingTable::new(columns, bad).unwrap().expecting("risk against its sign", Direction::HigherSafer);
    table.times = Some((0..2_000).map(f64::from).collect());
    let report = train_scorecard(&table, &quick()).unwrap().report;
    let rule = |name: &str| report.dropped.iter().find(|d| d.variable == name).map(|d| d.rule.as_str());
    assert_eq!(rule("rarely known"), Some("missing-share"));
    assert_eq!(rule("calendar"), Some("stability"));
    assert_eq!(rule("risk against its sign"), Some("direction"));
    assert_eq!(rule("risk"), None);
}

#[test]
fn what_harms_rows_not_seen_leaves_and_no_more_variables_stay_than_asked_for() {
    let (mut columns, bad) = columns(3_000, 4);
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for k in 0..24 {
        let noise: Vec<Option<f64>> = (0..bad.len()).map(|_| Some(rng.random())).collect();
        columns.push(Column::from_options(&format!("noise {k}"), &noise));
    }
    let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    let train = |settings: &TrainSettings| {
        train_scorecard(&TrainingTable::new(columns.clone(), bad.clone()).unwrap(), settings).unwrap()
    };
    let every = TrainSettings { min_iv: 0.0, max_variables: 100, ..quick() };
    for settings in [every.clone(), TrainSettings { max_variables: 2, max_tables: 0, ..every }] {
        let TrainedScorecard { scorecard, report } = train(&settings);
        let used: Vec<&str> = scorecard.variables.iter().map(|v| v.bins.name.as_str()).collect();
        assert!(used.contains(&"risk") && used.contains(&"cash"), "{used:?}");
        assert!(used.len() <= settings.max_variables.min(20), "{used:?}");
        let left = |rule: &str| report.dropped.iter().filter(|d| d.rule == rule).count();
        assert!(left("rows-not-seen") >= 3 || settings.max_variables == 2, "{:?}", report.dropped);
        // Each column is in the card or left it for one stated reason.
        let mut told: Vec<&str> = used.into_iter().chain(report.dropped.iter().map(|d| d.variable.as_str())).collect();
        told.sort_unstable();
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        all.sort_unstable();
        assert_eq!(told, all);
    }
}

#[test]
fn a_leak_is_named() {
    let (mut columns, bad) = columns(2_000, 5);
    let leak: Vec<Option<f64>> = bad.iter().map(|b| Some(f64::from(u8::from(*b)))).collect();
    columns.push(Column::from_options("days late at the end", &leak));
    let report = train_scorecard(&TrainingTable::new(columns, bad).unwrap(), &quick()).unwrap().report;
    assert!(report.warnings.iter().any(|w| w.contains("\"days late at the end\"") && w.contains("leak")));
}

/// By weights the bad are so few that the column cannot be cut over all rows; members cut it.
#[test]
fn a_leak_is_named_where_weights_leave_too_few_rows_of_it_for_a_bin() {
    let (mut columns, mut bad) = columns(10_000, 5);
    bad.iter_mut().enumerate().for_each(|(i, bad)| *bad &= i % 5 == 0);
    let leak = bad.iter().enumerate().map(|(i, b)| Some(f64::from(u8::from(*b)) * 100.0 + (i % 7) as f64));
    columns.push(Column::from_options("recovered", &leak.collect::<Vec<_>>()));
    let weights = bad.iter().map(|bad| if *bad { 1.0 } else { 4.0 }).collect();
    let table = TrainingTable { weights: Some(weights), ..TrainingTable::new(columns, bad).unwrap() };
    let report = train_scorecard(&table, &quick()).unwrap().report;
    assert!(report.warnings.iter().any(|w| w.contains("\"recovered\"")), "{:?}", report.warnings);
}

/// The second is left out of the model since it says what the first does, and would be in it as soon as that is dropped.
#[test]
fn a_leak_is_named_though_another_one_takes_its_place() {
    let (mut columns, bad) = columns(2_000, 5);
    for (name, noise) in [("recovered", 0), ("total paid", 7)] {
        let leak = bad.iter().enumerate().map(|(i, b)| Some(f64::from(u8::from(*b)) * 100.0 + (i * noise % 11) as f64));
        columns.push(Column::from_options(name, &leak.collect::<Vec<_>>()));
    }
    let report = train_scorecard(&TrainingTable::new(columns, bad).unwrap(), &quick()).unwrap().report;
    for name in ["\"recovered\"", "\"total paid\""] {
        let told = |w: &&String| w.contains(name) && w.contains("leak");
        assert_eq!(report.warnings.iter().filter(told).count(), 1, "{name}: {:?}", report.warnings);
    }
    let is_left = |d: &Dropped| d.rule == "correlation" && ["recovered", "total paid"].contains(&d.variable.as_str());
    assert!(report.dropped.iter().any(is_left), "{:?}", report.dropped);
}

/// Where hardly two rows have one value, ranking the values by what came of them finds whatever it likes.
#[test]
fn noise_in_a_small_table_is_no_leak() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let bad: Vec<bool> = (0..200).map(|i| i % 3 == 0).collect();
    let mut told = |signal: f64| {
        // About normal: no stretch of values is of one outcome alone.
        let value = |b: &bool| Some((0..12).map(|_| rng.random::<f64>()).sum::<f64>() + if *b { signal } else { 0.0 });
        let values: Vec<Option<f64>> = bad.iter().map(value).collect();
        let table = TrainingTable::new(vec![Column::from_options("x", &values)], bad.clone()).unwrap();
        train_scorecard(&table, &quick()).is_ok_and(|made| made.report.warnings.iter().any(|w| w.contains("leak")))
    };
    assert!(!told(1.0));
    assert!(told(12.0));
}

/// Nothing but the outcome itself could bring these values about, though few rows have them and the column as a whole ranks badly.
#[test]
fn what_is_known_with_the_outcome_only_is_named() {
    let (mut columns, bad) = columns(4_000, 1);
    let recovered = |i: usize, is_bad: bool| (is_bad && i.is_multiple_of(5)).then_some(10.0 + (i % 700) as f64);
    let values: Vec<Option<f64>> = bad.iter().enumerate().map(|(i, b)| recovered(i, *b)).collect();
    columns.push(Column::from_options("recovered", &values));
    let training = train_scorecard(&TrainingTable::new(columns, bad).unwrap(), &quick()).unwrap();
    let told: Vec<_> = training.report.warnings.iter().filter(|w| w.contains("after the fact")).collect();
    assert!(told.len() == 1 && told.iter().all(|w| w.contains("\"recovered\"")), "{:?}", training.report.warnings);
}

#[test]
fn a_column_forced_in_is_in_the_card_whatever_figures_say() {
    let (mut columns, bad) = columns(2_000, 1);
    let noisy: Vec<Option<f64>> = match &columns[0].values {
        // The same as `risk`, but for a few rows: it tells less, and what tells more leaves in its favour.
        Values::Number(risk) => {
            risk.iter().enumerate().map(|(i, r)| Some(if i % 50 == 0 { 500.0 } else { *r })).collect()
        }
        Values::Text(_) => unreachable!(),
    };
    columns.push(Column::from_options("rounded risk", &noisy));
    columns.push(Column::from_options("constant", &vec![Some(1.0); bad.len()]));
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    columns[2] = Column::from_options("noise", &(0..bad.len()).map(|_| Some(rng.random())).collect::<Vec<_>>());
    let train = |force_in: &[&str]| {
        let force_in = force_in.iter().map(|name| (*name).to_owned()).collect();
        let table = TrainingTable::new(columns.clone(), bad.clone()).unwrap();
        train_scorecard(&table, &TrainSettings { force_in, max_correlation: 0.9, ..quick() })
    };
    let names = |trained: &TrainedScorecard| -> Vec<String> {
        trained.scorecard.variables.iter().map(|v| v.bins.name.clone()).collect()
    };
    let free = train(&[]).unwrap();
    assert!(!names(&free).contains(&"rounded risk".to_owned()), "{:?}", names(&free));
    let forced = train(&["rounded risk", "noise"]).unwrap();
    assert!(names(&forced).contains(&"rounded risk".to_owned()) && names(&forced).contains(&"noise".to_owned()));
    let left = forced.report.dropped.iter().find(|d| d.variable == "risk").unwrap();
    assert!(left.why.contains("which is forced in"), "{left:?}");
    let refused = train(&["constant"]).unwrap_err().to_string();
    assert!(refused.contains("\"constant\"") && refused.contains("cannot be in the card"), "{refused}");
    let unknown = train(&["no such"]).unwrap_err().to_string();
    assert!(unknown.contains("\"no such\""), "{unknown}");
}

#[test]
fn points_sum_to_the_score_and_reasons_lost_points() {
    let card = trained().scorecard;
    let (columns, _) = columns(500, 9);
    for scored in card.score(&ScoringTable { columns }).unwrap() {
        assert_eq!(scored.points.iter().sum::<i32>() + card.base_points, scored.score);
        assert!(scored.pd > 0.0 && scored.pd < 1.0);
        assert!(scored.reasons.len() <= 4 && scored.reasons.iter().all(|r| r.points_lost > 0));
        assert!(scored.reasons.windows(2).all(|w| w[0].points_lost >= w[1].points_lost));
        assert_eq!(card.band(scored.score), scored.band);
    }
}

/// What stands in a table is cut as the table needs it, whatever event rates do there; a variable's own points go along the declared direction all the same,
/// rounded and with gaps that share a bin.
#[test]
fn own_points_go_along_a_declared_direction_whatever_event_rates_do() {
    let mut contradicted = 0;
    for seed in 0..4 {
        let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
        let rows = 4_000;
        let mut draw = |gaps: f64| -> Vec<Option<f64>> {
            (0..rows).map(|_| (rng.random::<f64>() >= gaps).then(|| rng.random::<f64>())).collect()
        };
        let columns = [("up", draw(0.01)), ("down", draw(0.0)), ("weak up", draw(0.02)), ("weak down", draw(0.005))];
        let of = |column: usize, row: usize| columns[column].1[row].unwrap_or(0.5) - 0.5;
        let bad: Vec<bool> = (0..rows)
            .map(|i| {
                let log_odds = -1.2 - 1.0 * of(0, i) + 0.9 * of(1, i) + 14.0 * of(2, i) * of(3, i);
                rng.random::<f64>() < sigmoid(log_odds)
            })
            .collect();
        let mut table =
            TrainingTable::new(columns.iter().map(|(n, v)| Column::from_options(n, v)).collect(), bad).unwrap();
        for (name, _) in &columns {
            let safer = if name.ends_with("up") { Direction::HigherSafer } else { Direction::LowerSafer };
            table = table.expecting(name, safer);
        }
        let settings = TrainSettings { missing_is_never_good: true, max_tables: 3, ..quick() };
        for variable in train_scorecard(&table, &settings).unwrap().scorecard.variables {
            let bins = variable.bins.bins.iter().zip(&variable.points);
            let mut regular: Vec<(f64, i32)> = bins
                .filter(|(bin, _)| bin.role == BinRole::Regular && bin.rows > 0.0)
                .map(|(bin, points)| (bin.woe, *points))
                .collect();
            if variable.bins.name.ends_with("down") {
                regular.reverse();
            }
            contradicted += regular.windows(2).filter(|w| w[0].0 > w[1].0).count();
            assert!(regular.windows(2).all(|w| w[0].1 <= w[1].1), "{}, seed {seed}: {regular:?}", variable.bins.name);
        }
    }
    assert!(contradicted > 0, "event rates that go along the direction everywhere show nothing");
}

#[test]
fn a_trend_that_is_monotone_either_way_holds_for_the_whole_card() {
    let (risk, cash, noise, _) = sample(4_000, 31);
    // Of `noise` both ends are risky: each half alone pulls its own way.
    let mut rng = ChaCha8Rng::seed_from_u64(32);
    let bad: Vec<bool> = (0..risk.len())
        .map(|i| {
            let log_odds = -1.5 + 3.0 * (risk[i] / 1000.0 - 0.5) - 2.0 * (cash[i] / 10_000.0 - 0.5)
                + 8.0 * (noise[i] - 0.45).powi(2);
            rng.random::<f64>() < sigmoid(log_odds)
        })
        .collect();
    let column = |name: &str, v: &[f64]| Column::from_options(name, &v.iter().map(|x| Some(*x)).collect::<Vec<_>>());
    let table = || {
        let columns = vec![column("risk", &risk), column("cash", &cash), column("valley", &noise)];
        TrainingTable::new(columns, bad.clone()).unwrap()
    };
    let settings = |trend| TrainSettings {
        binning: BinningSettings { trend, ..BinningSettings::default() },
        max_tables: 0,
        ..quick()
    };
    let steps = |trend| -> Vec<(String, bool, bool)> {
        let card = train_scorecard(&table(), &settings(trend)).unwrap().scorecard;
        let of = |v: &ScoredVariable| {
            let regular: Vec<i32> = v
                .bins
                .bins
                .iter()
                .zip(&v.points)
                .filter(|(b, _)| b.role == BinRole::Regular)
                .map(|(_, p)| *p)
                .collect();
            let up = regular.windows(2).any(|w| w[1] > w[0]);
            (v.bins.name.clone(), up, regular.windows(2).any(|w| w[1] < w[0]))
        };
        card.variables.iter().map(of).collect()
    };
    let monotone = steps(Trend::Monotone);
    assert!(monotone.iter().any(|v| *v == ("risk".to_owned(), false, true)), "{monotone:?}");
    assert!(monotone.iter().any(|v| *v == ("cash".to_owned(), true, false)), "{monotone:?}");
    assert!(monotone.iter().all(|(_, up, down)| !(*up && *down)), "{monotone:?}");
    assert!(steps(Trend::Auto).iter().any(|(name, up, down)| name == "valley" && *up && *down));
}

#[test]
fn worsening_an_input_never_raises_the_score() {
    let card = trained().scorecard;
    let score = |risk: f64, cash: f64| {
        let table = ScoringTable {
            columns: vec![
                Column::from_options("risk", &[Some(risk)]),
                Column::from_options("cash", &[Some(cash)]),
                Column::from_options("noise", &[Some(0.5)]),
            ],
        };
        card.score(&table).unwrap()[0].score
    };
    for step in 0..100 {
        let at = f64::from(step) * 10.0;
        assert!(score(at + 10.0, 5_000.0) <= score(at, 5_000.0), "risk {at}");
        assert!(score(500.0, at * 10.0) <= score(500.0, at * 10.0 + 100.0), "cash {at}");
    }
    assert!(score(1_000.0, 5_000.0) < score(0.0, 5_000.0));
}

#[test]
fn bands_state_their_pd_with_a_margin() {
    let made = trained();
    let scale = made.report.master_scale.as_ref().unwrap();
    let names: Vec<&str> = scale.grades().iter().map(|g| g.grade.as_str()).collect();
    assert_eq!(names, made.scorecard.bands.iter().map(|b| b.name.as_str()).collect::<Vec<_>>());
    assert!(scale.grades().iter().all(|g| g.margin >= 0.0 && g.pd >= TrainSettings::default().pd_floor));
    // Grade and band are one name but where a PD lies on the limit itself.
    let (low, high) = made.scorecard.score_range();
    for score in low..=high {
        let pd = made.scorecard.probability(score);
        let on_a_limit = scale.grades().iter().any(|g| (g.upper_pd - pd).abs() < 1e-12);
        let grade = scale.grade_of(pd).map(|g| g.grade.as_str());
        assert!(on_a_limit || grade == Some(made.scorecard.band(score)), "{score}: {pd} {grade:?}");
    }
}

#[test]
fn threads_change_nothing() {
    let json = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&trained()).unwrap())
    };
    assert_eq!(json(1), json(4));
}

#[test]
fn text_in_a_number_column_is_refused_and_unseen_levels_fall_back() {
    let card = trained().scorecard;
    let bad = ScoringTable {
        columns: vec![
            Column::from_texts("risk", &[Some("high")]),
            Column::from_options("cash", &[Some(1.0)]),
            Column::from_options("noise", &[Some(1.0)]),
        ],
    };
    assert!(matches!(card.score(&bad), Err(ModelError::WrongKind { row: 1, .. })));
    let (risk, _, _, bad) = sample(1_000, 6);
    let town: Vec<Option<&str>> = risk.iter().map(|r| Some(if *r > 500.0 { "Ulm" } else { "Bonn" })).collect();
    let table = TrainingTable::new(vec![Column::from_texts("town", &town)], bad).unwrap();
    let card = train_scorecard(&table, &quick()).unwrap().scorecard;
    let scored = card
        .score(&ScoringTable {
            columns: vec![Column::from_texts("town", &[Some("Ulm"), Some("Köln"), None, Some("Bonn")])],
        })
        .unwrap();
    assert!(scored[0].score < scored[1].score && scored[1].score < scored[3].score, "the unknown is average");
    assert_eq!(scored[1].score, scored[2].score);
}

#[test]
fn interactions_are_found_where_they_are_and_only_there() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let rows = 6_000;
    let mut draw = || (0..rows).map(|_| Some(rng.random::<f64>() - 0.5)).collect::<Vec<Option<f64>>>();
    let (a, b, c) = (draw(), draw(), draw());
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut outcome = |log_odds: f64| rng.random::<f64>() < sigmoid(log_odds);
    let table = |bad: Vec<bool>| {
        let columns = [("a", &a), ("b", &b), ("c", &c)].iter().map(|(n, v)| Column::from_options(n, v)).collect();
        TrainingTable::new(columns, bad).unwrap()
    };
    let value = |v: &[Option<f64>], i: usize| v[i].unwrap();
    let crossed = (0..rows).map(|i| outcome(14.0 * value(&a, i) * value(&b, i) + 2.0 * value(&c, i))).collect();
    let found = train_scorecard(&table(crossed), &quick()).unwrap();
    let names = |t: &integrity::model::PairTable| {
        let name = |i: usize| found.scorecard.variables[i].bins.name.clone();
        [name(t.left), name(t.right)]
    };
    let first = found.scorecard.tables.first().map(names);
    assert!(first.as_ref().is_some_and(|n| n.contains(&"a".to_owned()) && n.contains(&"b".to_owned())), "{first:?}");
    let plain = (0..rows).map(|i| outcome(3.0 * value(&a, i) + 2.0 * value(&c, i))).collect();
    assert!(train_scorecard(&table(plain), &quick()).unwrap().scorecard.tables.len() <= 1);
}

#[test]
fn the_registry_keeps_to_what_was_approved() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(folder.path());
    let card = trained();
    let day = |d| jiff::civil::date(2024, 1, d);
    let config = Digest::of(b"config");
    let origin = Origin {
        data_digest: Digest::of(b"data"),
        config_digest: config,
        training_window: None,
        trained_on: day(1),
        expires_on: Some(day(20)),
        limitations: vec![],
    };
    let validation = serde_json::to_value(&card.report).unwrap();
    let contents = Contents {
        scorecard: &card.scorecard,
        ability: None,
        validation: &validation,
        attachments: std::collections::BTreeMap::new(),
    };
    let model = registry.save("willingness", "v1", &contents, origin.clone(), None).unwrap();
    let refused = |day, config| match registry.load_approved("willingness", "v1", day, config) {
        Err(ModelError::Refused { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert!(refused(day(2), None).contains("nobody has approved"));
    registry.approve("willingness", "v1", "an analyst", day(2)).unwrap();
    let loaded = registry.load_approved("willingness", "v1", day(2), Some(config)).unwrap();
    assert_eq!(loaded.scorecard, card.scorecard);
    assert!(refused(day(1), None).contains("approval is dated"));
    assert!(refused(day(21), None).contains("expired"));
    assert!(refused(day(3), Some(Digest::of(b"other"))).contains("configuration"));
    assert!(matches!(registry.save("willingness", "v1", &contents, origin, None), Err(ModelError::Exists { .. })));
    let path = model.join("model.json");
    let altered = std::fs::read_to_string(&path).unwrap().replacen("\"base_points\": ", "\"base_points\": 1", 1);
    std::fs::write(&path, altered).unwrap();
    assert!(refused(day(3), None).contains("altered"));
}

/// A job approves its model by what is read back of the report, so it must be what the report says.
#[test]
fn the_figures_of_approval_are_those_of_the_report() {
    let (columns, bad) = columns(2_000, 1);
    let mut table = TrainingTable::new(columns, bad).unwrap();
    table.test = (0..2_000).map(|i| i % 3 == 0).collect();
    let report = train_scorecard(&table, &quick()).unwrap().report;
    let read = TestFigures::of(&serde_json::to_value(&report).unwrap()).unwrap();
    let test = report.test.unwrap();
    assert!(test.auc.is_some() && test.auc_interval.is_some());
    assert_eq!((read.auc, read.auc_interval), (test.auc, test.auc_interval));
    assert_eq!((read.rows, read.bad), (test.rows, test.bad));
    assert_eq!(read.by_band, report.bands.iter().map(|band| band.test_rows).collect::<Vec<_>>());
    assert_eq!(read.by_band.iter().sum::<u64>(), test.rows);
    table.test = vec![false; 2_000];
    let report = train_scorecard(&table, &quick()).unwrap().report;
    assert_eq!(TestFigures::of(&serde_json::to_value(&report).unwrap()), None);
}

#[test]
#[ignore = "needs the public HELOC table: INTEGRITY_DATA=FOLDER cargo test --test it -- --ignored home_equity"]
fn home_equity_lines_rank_without_a_wrong_sign() {
    let folder = std::env::var_os("INTEGRITY_DATA").expect("INTEGRITY_DATA names the folder of the public tables");
    let file = open_table(&PathBuf::from(folder).join("heloc/heloc_with_header.csv")).unwrap();
    let (outcome, _) = read_target(&file, "RiskPerformance_bad", Some("1")).unwrap();
    let mut table = TrainingTable::new(Vec::new(), outcome).unwrap();
    table.features = features_beside(file, &["RiskPerformance_bad".to_owned()]);
    table.test = (0..table.target.len()).map(|i| i % 3 == 0).collect();
    let settings = TrainSettings { specials: vec![-7.0, -8.0, -9.0], ..quick() };
    let report = train_scorecard(&table, &settings).unwrap().report;
    assert!(report.variables.iter().all(|v| v.signs_agree));
    assert!(report.test.as_ref().and_then(|t| t.auc).is_some_and(|a| a > 0.78 && a < 0.85));
}

mod edits {
    use integrity::model::binning::{BinKind, BinRole};
    use integrity::model::binning::{Cuts, Scale, VariableEdit};

    use super::*;

    fn edit(variable: &str, scale: Scale, missing_with: Option<usize>) -> VariableEdit {
        let cuts = Cuts { scale, missing_with, specials_with: vec![] };
        VariableEdit { variable: variable.to_owned(), before: None, cuts, reason: "a test".to_owned() }
    }

    fn trained_with(edits: Vec<VariableEdit>, directions: &[(&str, Direction)]) -> TrainedScorecard {
        let (columns, bad) = columns(2_000, 1);
        let mut table = TrainingTable::new(columns, bad).unwrap();
        for (name, direction) in directions {
            table = table.expecting(name, *direction);
        }
        table.test = (0..2_000).map(|i| i % 4 == 0).collect();
        train_scorecard(&table, &TrainSettings { edits, ..quick() }).unwrap()
    }

    #[test]
    fn an_edited_variable_keeps_its_bins_exactly() {
        let edges = vec![100.0, 120.0, 500.5, 990.0];
        let risk = edit("risk", Scale::Number { edges: edges.clone() }, None);
        let cash = edit("cash", Scale::Number { edges: vec![3_000.0] }, Some(0));
        let made = trained_with(vec![risk, cash], &[]);
        let bins = |name: &str| &made.scorecard.variables.iter().find(|v| v.bins.name == name).unwrap().bins;
        assert_eq!(bins("risk").kind, BinKind::Number { edges });
        let cash = bins("cash");
        assert_eq!((cash.kind.clone(), cash.missing), (BinKind::Number { edges: vec![3_000.0] }, 0));
        assert!(cash.bins.iter().all(|b| b.role == BinRole::Regular), "missing values share the first bin");
        let rows: f64 = cash.bins.iter().map(|b| b.rows).sum();
        assert!((rows - 1_500.0).abs() < 1e-9, "{rows}");
        // Scoring knows it too.
        let score = |cash: Option<f64>| {
            let one = |name, value| Column::from_options(name, &[value]);
            let columns = vec![one("risk", Some(1.0)), one("cash", cash), one("noise", Some(0.5))];
            made.scorecard.score(&ScoringTable { columns }).unwrap()[0].score
        };
        assert_eq!(score(None), score(Some(1.0)));
        assert!(score(None) < score(Some(9_000.0)));
        // The comparison adds up on both parts.
        let report = made.report.edits.iter().find(|e| e.variable == "cash").unwrap();
        let before = report.before.as_ref().unwrap();
        for side in [before, &report.after] {
            let rows = |f: &integrity::model::binning::CutFigures| f.bins.iter().map(|b| b.rows).sum::<f64>();
            assert!((rows(&side.train) - 1_500.0).abs() < 1e-9);
            assert!((rows(side.test.as_ref().unwrap()) - 500.0).abs() < 1e-9);
            assert!(side.train.iv > 0.0 && side.train.ks > 0.0);
        }
        assert!(before.train.iv > report.after.train.iv, "a coarser cut tells less");
        assert!((report.after.train.iv - cash.iv).abs() < 1e-12);
    }

    #[test]
    fn small_missing_bins_share_the_nearest_in_risk_and_it_is_recorded() {
        let (columns, bad) = columns(2_000, 1);
        let table = || TrainingTable::new(columns.clone(), bad.clone()).unwrap();
        let settings = |rows| TrainSettings { merge_below_rows: rows, max_tables: 0, ..quick() };
        let apart = train_scorecard(&table(), &settings(100.0)).unwrap();
        assert!(apart.report.shared.is_empty(), "a hundred rows are missing");
        let made = train_scorecard(&table(), &settings(101.0)).unwrap();
        let [shared] = made.report.shared.as_slice() else { panic!("{:?}", made.report.shared) };
        assert_eq!((shared.variable.as_str(), shared.bin.as_str(), shared.rows), ("cash", "missing", 100.0));
        let bins =
            |t: &TrainedScorecard| t.scorecard.variables.iter().find(|v| v.bins.name == "cash").unwrap().bins.clone();
        let (before, after) = (bins(&apart), bins(&made));
        let host = &after.bins[after.missing];
        assert_eq!((host.role, &host.label), (BinRole::Regular, &shared.with));
        assert!(after.bins.iter().all(|b| b.role != BinRole::Missing));
        let rows = |b: &integrity::model::binning::Bins| b.bins.iter().map(|b| b.rows).sum::<f64>();
        assert!((rows(&before) - rows(&after)).abs() < 1e-9);
        assert!(made.report.variables.iter().all(|v| v.signs_agree));
        // Scoring puts a gap where the card says.
        let column = |v| {
            vec![
                Column::from_options("cash", &[v]),
                Column::from_options("risk", &[Some(1.0)]),
                Column::from_options("noise", &[Some(0.5)]),
            ]
        };
        let score = |v| made.scorecard.score(&ScoringTable { columns: column(v) }).unwrap()[0].bins.clone();
        let at = made.scorecard.variables.iter().position(|v| v.bins.name == "cash").unwrap();
        assert_eq!(usize::from(score(None)[at]), after.missing);
        let never = TrainSettings { missing_is_never_good: true, ..settings(50.0) };
        assert!(matches!(train_scorecard(&table(), &never), Err(ModelError::BadSetting { .. })));
    }

    #[test]
    fn the_command_line_writes_bins_and_takes_them_back() {
        let folder = tempfile::tempdir().unwrap();
        let (risk, cash, _, bad) = sample(1_200, 11);
        let rows = (0..risk.len()).map(|i| format!("{},{},{}", risk[i], cash[i], u8::from(bad[i])));
        let table = write(folder.path(), "t.csv", &csv("risk,cash,y", rows));
        let at = |name: &str| folder.path().join(name);
        let run = |words: &[&str], paths: &[(&str, PathBuf)]| {
            let mut arguments: Vec<std::ffi::OsString> = vec!["integrity".into(), "--quiet".into()];
            arguments.extend(words.iter().map(Into::into));
            for (flag, path) in paths {
                arguments.extend((!flag.is_empty()).then(|| flag.into()));
                arguments.push(path.into());
            }
            integrity::cli::main(arguments) as u8
        };
        let train = |bins: Option<&str>, out: &str| {
            let mut paths = vec![("--table", table.clone()), ("--out", at(out))];
            paths.extend(bins.map(|b| ("--bins", at(b))));
            run(&["train", "--target", "y", "--test-share", "0.3"], &paths)
        };
        let bins = |model: &str, out: &str| run(&["bins"], &[("", at(model)), ("--out", at(out))]);
        assert_eq!((train(None, "m1"), bins("m1", "b.toml"), bins("m1", "b.toml"), bins("none", "x")), (0, 0, 73, 66));
        // Untouched, it changes nothing but the record that a file was given.
        assert_eq!(train(Some("b.toml"), "m2"), 0);
        let read = |file: &str| std::fs::read_to_string(at(file)).unwrap();
        assert_eq!(read("m1/model.json"), read("m2/model.json"));
        assert_eq!(read("m2/edits.json").trim(), "[]");
        let text = read("b.toml");
        let from = text.lines().find(|l| l.starts_with("edges")).unwrap().to_owned();
        write(folder.path(), "bare.toml", &text.replacen(&from, "edges = [250, 500, 750]", 1));
        assert_eq!((train(Some("bare.toml"), "m3"), at("m3").exists()), (78, false));
        write(folder.path(), "said.toml", &text.replacen(&from, "edges = [250, 500, 750]\nreason = \"quarters\"", 1));
        assert_eq!(
            (train(Some("said.toml"), "m4"), bins("m4", "again.toml"), train(Some("again.toml"), "m5")),
            (0, 0, 0)
        );
        assert!(read("m4/edits.json").contains("quarters") && read("m4/manifest.json").contains("edits.json"));
        assert_eq!((read("m4/edits.json"), read("m4/model.json")), (read("m5/edits.json"), read("m5/model.json")));
    }

    #[test]
    fn an_edited_variable_of_a_table_scores_as_it_trained() {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let rows = 5_000;
        let mut draw = || (0..rows).map(|_| rng.random::<f64>() - 0.5).collect::<Vec<f64>>();
        let (a, b, luck) = (draw(), draw(), draw());
        let bad = (0..rows).map(|i| luck[i] + 0.5 < sigmoid(14.0 * a[i] * b[i])).collect();
        let known = |v: &[f64], i: usize, every: usize| (!i.is_multiple_of(every)).then(|| v[i]);
        let column = |name, v: &[f64], every| {
            Column::from_options(name, &(0..rows).map(|i| known(v, i, every)).collect::<Vec<_>>())
        };
        let columns = vec![column("a", &a, 9), column("b", &b, 13)];
        let edits = vec![edit("a", Scale::Number { edges: vec![-0.25, 0.0, 0.25] }, Some(1))];
        let table = TrainingTable::new(columns.clone(), bad).unwrap();
        let made = train_scorecard(&table, &TrainSettings { edits, ..quick() }).unwrap();
        assert_eq!(made.scorecard.tables.len(), 1);
        let pd = made.scorecard.score(&ScoringTable { columns }).unwrap().iter().map(|s| s.pd).sum::<f64>();
        assert!((pd / rows as f64 - made.report.train.mean_pd).abs() < 1e-9);
        // Where both are known, the table pays; a gap in the edited variable counts as its second bin, in the table too.
        let score = |a: Option<f64>, b: f64| {
            let columns = vec![Column::from_options("a", &[a]), Column::from_options("b", &[Some(b)])];
            made.scorecard.score(&ScoringTable { columns }).unwrap()[0].score
        };
        assert!(score(Some(0.4), -0.4) > score(Some(0.4), 0.4));
        assert_eq!(score(None, 0.4), score(Some(-0.1), 0.4));
    }

    #[test]
    fn a_sign_conflict_of_an_edit_is_told_and_the_bins_stay() {
        // Declared the wrong way round: every pair of neighbours conflicts.
        let risk = edit("risk", Scale::Number { edges: vec![300.0, 600.0] }, None);
        let made = trained_with(vec![risk], &[("risk", Direction::HigherSafer)]);
        let told = made.report.warnings.iter().find(|w| w.contains("edited variable \"risk\""));
        assert!(told.is_some(), "{:?}", made.report.warnings);
        if let Some(v) = made.scorecard.variables.iter().find(|v| v.bins.name == "risk") {
            assert_eq!(v.bins.kind, BinKind::Number { edges: vec![300.0, 600.0] });
        }
    }

    #[test]
    fn levels_out_of_every_list_take_the_stated_bin_and_empty_bins_are_told() {
        let (risk, _, _, bad) = sample(1_000, 6);
        let town: Vec<Option<&str>> = risk
            .iter()
            .map(|r| {
                Some(if *r > 600.0 {
                    "Ulm"
                } else if *r > 300.0 {
                    "Bonn"
                } else {
                    "Kiel"
                })
            })
            .collect();
        let levels = [&["Ulm"][..], &["Bonn"], &["Rom"]].map(|l| l.iter().map(|s| (*s).to_owned()).collect()).to_vec();
        let table = TrainingTable::new(vec![Column::from_texts("town", &town)], bad).unwrap();
        let edits = vec![edit("town", Scale::Text { levels, unseen: Some(1) }, None)];
        let made = train_scorecard(&table, &TrainSettings { edits, ..quick() }).unwrap();
        assert!(made.report.warnings.iter().any(|w| w.contains("no training row falls into bin \"Rom\"")));
        let columns = vec![Column::from_texts("town", &[Some("Kiel"), Some("Bonn"), Some("?"), Some("Ulm")])];
        let scored = made.scorecard.score(&ScoringTable { columns }).unwrap();
        assert!(scored[0].score == scored[1].score && scored[1].score == scored[2].score);
        assert!(scored[3].score < scored[0].score);
    }
}

/// A table of one text column, where `level` of a row draws its rate of bad rows, and rare levels are the best of all.
fn purposes(seed: u64) -> TrainingTable {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rates: Vec<f64> = (0..5).map(|_| 0.05 + 0.5 * rng.random::<f64>()).collect();
    let (mut level, mut bad): (Vec<Option<String>>, Vec<bool>) = (Vec::new(), Vec::new());
    for row in 0..3_000 {
        // Forty rare levels without a bad row make a pool that outdoes every level that is known well.
        if row % 20 == 0 {
            level.push((row % 100 != 0).then(|| format!("rare-{}", (row / 20) % 40)));
            bad.push(false);
            continue;
        }
        let which = rng.random_range(0..rates.len());
        level.push(Some(format!("level-{which}")));
        bad.push(rng.random::<f64>() < rates[which]);
    }
    let level: Vec<Option<&str>> = level.iter().map(Option::as_deref).collect();
    TrainingTable::new(vec![Column::from_texts("purpose", &level)], bad).unwrap()
}

#[test]
fn a_level_never_seen_earns_no_more_than_the_average() {
    use integrity::model::binning::{BinKind, BinRole};
    for (seed, missing_is_never_good) in (0..6).flat_map(|seed| [(seed, true), (seed, false)]) {
        let settings = TrainSettings { missing_is_never_good, ..quick() };
        let card = train_scorecard(&purposes(seed), &settings).unwrap().scorecard;
        let [variable] = card.variables.as_slice() else { panic!("one variable") };
        let bins = &variable.bins;
        let BinKind::Text { unseen, .. } = bins.kind else { panic!("text") };
        assert_eq!(bins.bins[unseen].role, BinRole::Unseen);
        let earned = variable.points[unseen];
        assert!(
            earned <= 0 && earned < variable.points.iter().copied().max().unwrap(),
            "seed {seed}: {:?}",
            variable.points
        );
        let (rows, bad) = bins.bins.iter().fold((0.0, 0.0), |(r, b), bin| (r + bin.rows, b + bin.bad));
        let far = |i: &usize| (bins.bins[*i].bad / bins.bins[*i].rows - bad / rows).abs();
        let regular = (0..bins.bins.len()).filter(|i| bins.bins[*i].role == BinRole::Regular);
        let nearest = regular.min_by(|a, b| far(a).total_cmp(&far(b))).unwrap();
        if missing_is_never_good {
            assert!(earned <= variable.points[nearest], "seed {seed}: {:?} of {:?}", variable.points, bins.bins);
            assert!(variable.points[bins.missing] <= 0);
        }
        let columns = vec![Column::from_texts("purpose", &[Some("wedding"), Some("level-1"), None, Some("wedding")])];
        let scored = card.score_and_tell(&ScoringTable { columns }).unwrap();
        assert_eq!(scored.rows[0].points[0], earned);
        assert_eq!(scored.unseen["purpose"], [("wedding".to_owned(), 2)].into());
        let known = vec![Column::from_texts("purpose", &[Some("level-1"), Some("rare-3"), None])];
        assert!(card.score_and_tell(&ScoringTable { columns: known }).unwrap().unseen.is_empty());
    }
}
