//! `train --table`: a scorecard from any table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::Failure;
use super::bins::EDITS;
use super::day::day;
use super::name_list::{left_out, listed_columns};
use super::outcome::{Outcome, OutcomeRuleArgs, outcome_of};
use crate::domain::{Digest, Hasher, date_of_days, days_since_epoch};
use crate::model::registry::{Contents, Origin, refuse_content, save_folder};
use crate::model::table::{Direction, Features, Kind, Values};
use crate::model::{ModelError, TrainSettings, TrainedScorecard, TrainingTable, train_scorecard};
use crate::workbench::bin_edits::{BinsFile, extended};
use crate::workbench::table::{
    Overlap, Split, TRAINING_ROWS, TableFile, TrainingRows, assign_split, features_beside, open_table, row_digests,
};
use crate::workbench::{SettingsFile, running_number_notes};

/// What `train --table` takes.
#[derive(Debug, Clone, Args)]
pub struct TrainTableArgs {
    /// Table to train on: a CSV or Parquet file or a workbook, or a folder of them.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,
    /// Column of the outcome; two values.
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// The value of the target that means bad, where 0 and 1, good and bad, no and yes and the like do not say it.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub positive: Option<String>,
    /// The outcome by conditions.
    #[command(flatten)]
    pub rule: OutcomeRuleArgs,
    /// Column of dates; rows from --test-from on test. It is not a variable.
    #[arg(long, value_name = "COLUMN", requires = "test_from", conflicts_with = "test_share")]
    pub time: Option<String>,
    /// First day of the test part.
    #[arg(long, value_name = "DATE", value_parser = day, requires = "time")]
    pub test_from: Option<Date>,
    /// Share of rows that test, drawn with --seed.
    #[arg(long, value_name = "SHARE")]
    pub test_share: Option<f64>,
    /// Rows to train and test on at most: drawn with --seed, as many of each outcome as their share asks for.
    #[arg(long, value_name = "ROWS", requires = "table")]
    pub sample: Option<usize>,
    /// Seed of the draw, of the split and of the cross-validation; 42 where it is given neither here nor in --settings.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Columns to leave out, separated by commas; repeat the option for names that hold commas.
    #[arg(long, value_name = "COLUMNS")]
    pub drop: Vec<String>,
    /// Columns to look at, and no others, separated by commas.
    #[arg(long, value_name = "COLUMNS", requires = "table", conflicts_with = "drop")]
    pub keep_only: Vec<String>,
    /// Columns that enter the card whatever selection says of them, separated by commas.
    #[arg(long, value_name = "COLUMNS", requires = "table")]
    pub force_in: Vec<String>,
    /// Numbers with a meaning of their own, such as -9, separated by commas.
    #[arg(long, value_name = "VALUES", value_delimiter = ',', allow_hyphen_values = true)]
    pub special: Vec<f64>,
    /// Column of positive row weights.
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
    /// Bins of missing or special values with fewer training rows share the regular bin nearest to them in risk; each is recorded.
    #[arg(long, value_name = "ROWS", requires = "table")]
    pub merge_below: Option<f64>,
    /// How to cut, select and fit, and expected directions, in TOML; `integrity schema --settings` prints one with the defaults. Options given here go first.
    #[arg(long, value_name = "FILE", requires = "table")]
    pub settings: Option<PathBuf>,
    /// Bins set by hand: a file that `integrity bins` wrote and a person edited. Each edit needs its reason.
    #[arg(long, value_name = "FILE", requires = "table")]
    pub bins: Option<PathBuf>,
    /// Model folder to write; must not exist.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Trains, writes the model folder, and returns what `--format json` prints.
///
/// # Errors
/// Whatever is wrong with the table, the options or the output folder.
pub fn train_table(args: &TrainTableArgs, today: Date) -> Result<Value, Failure> {
    let path = required(args.table.as_deref(), "table")?;
    let out = required(args.out.as_deref(), "out")?;
    refuse_content(out)?;
    let SettingsFile { directions, training: mut settings } = settings_of(args)?;
    settings.check()?;
    let file = open_table(path)?;
    let data_digest = file.digest()?;
    let left_out: Vec<String> = file.left_out().map(ToOwned::to_owned).collect();
    if !args.force_in.is_empty() {
        settings.force_in = listed_columns(&args.force_in, &file)?;
        settings.check()?;
    }
    let (mut table, split, outcome) = training_table(args, file, settings.seed)?;
    table.directions = known_columns(directions, &table.features)?;
    let mut attachments = BTreeMap::new();
    if let Some(path) = &args.bins {
        let names: Vec<String> = (0..table.features.len()).map(|i| table.features.name(i)).collect();
        let given = BinsFile::open(path, &names, &settings.specials)?;
        let log = extended(&given.log, &given.edits, given.by.as_deref(), today);
        attachments.insert(EDITS.to_owned(), serde_json::to_value(log).map_err(|e| broken(out, &e))?);
        settings.edits = given.edits;
        settings.check()?;
    }
    let mut trained = train_scorecard(&table, &settings)?;
    trained.report.warnings.extend(left_out);
    trained.report.warnings.extend(outcome.note);
    let used: Vec<String> = trained.report.variables.iter().map(|v| v.variable.clone()).collect();
    trained.report.warnings.extend(running_number_notes(&table, used.iter().map(String::as_str))?);
    let (kept, overlap) = contents(&trained, path, &table, outcome.kept)?;
    trained.report.warnings.extend(overlap.as_ref().and_then(|o| o.warning("the test part", "the training part")));
    attachments.insert(TRAINING_ROWS.to_owned(), serde_json::to_value(kept).map_err(|e| broken(out, &e))?);
    let config_digest = config_digest(args, &settings, &table.directions, &split);
    let report = json_value(&trained, out)?;
    let name = out.file_name().map_or_else(|| "scorecard".to_owned(), |n| n.to_string_lossy().into_owned());
    let origin = Origin {
        data_digest,
        config_digest,
        training_window: training_window(&table),
        trained_on: today,
        expires_on: None,
        limitations: vec!["trained on one table; not approved for lending decisions".to_owned()],
    };
    let contents = Contents { scorecard: &trained.scorecard, ability: None, validation: &report, attachments };
    save_folder(out, &name, &data_digest.short(), &contents, origin, None)?;
    Ok(printed(out, &trained, overlap.as_ref()))
}

/// The first and the last day of the rows that were trained on, where a column of dates says when they are of.
fn training_window(table: &TrainingTable) -> Option<(Date, Date)> {
    let trained = table.times.iter().flatten().zip(&table.test).filter(|(_, tests)| !**tests).map(|(time, _)| *time);
    #[expect(clippy::cast_possible_truncation, reason = "days of the calendar")]
    let day = |time: Option<f64>| time.and_then(|time| date_of_days(time.floor() as i64));
    day(trained.clone().min_by(f64::total_cmp)).zip(day(trained.max_by(f64::total_cmp)))
}

/// The file of settings, where there is one, under the options given.
fn settings_of(args: &TrainTableArgs) -> Result<SettingsFile, Failure> {
    let mut file = settings_with(args.settings.as_deref(), &args.special)?;
    let settings = &mut file.training;
    settings.seed = args.seed.unwrap_or(settings.seed);
    settings.merge_below_rows = args.merge_below.unwrap_or(settings.merge_below_rows);
    Ok(file)
}

/// A file of settings, or the defaults, under the special values given.
pub fn settings_with(path: Option<&Path>, special: &[f64]) -> Result<SettingsFile, Failure> {
    let mut file = path.map(SettingsFile::open).transpose()?.unwrap_or_default();
    if !special.is_empty() {
        file.training.specials = special.to_vec();
    }
    Ok(file)
}

/// Expectations of columns, each of which must be there.
pub fn known_columns(
    directions: BTreeMap<String, Direction>,
    features: &Features,
) -> Result<BTreeMap<String, Direction>, ModelError> {
    let names: Vec<String> = (0..features.len()).map(|i| features.name(i)).collect();
    match directions.keys().find(|name| !names.contains(name)) {
        Some(name) => {
            let why = format!("no column that may be a variable is called {name:?}");
            Err(ModelError::BadSetting { setting: "directions", why })
        }
        None => Ok(directions),
    }
}

fn required<'a, T: ?Sized>(value: Option<&'a T>, setting: &'static str) -> Result<&'a T, ModelError> {
    value.ok_or_else(|| ModelError::BadSetting { setting, why: format!("--{setting} is needed") })
}

fn training_table(
    args: &TrainTableArgs,
    mut file: TableFile,
    seed: u64,
) -> Result<(TrainingTable, Split, Outcome), ModelError> {
    let mut outcome = outcome_of(&mut file, args.target.as_deref(), args.positive.as_deref(), &args.rule)?;
    if let Some(rows) = args.sample {
        outcome.sample(&mut file, rows, seed)?;
    }
    let mut aside = outcome.columns.clone();
    aside.extend(left_out(&args.drop, &args.keep_only, &file)?);
    aside.extend(args.time.clone());
    aside.extend(args.weight.clone());
    let times = args.time.as_deref().map(|c| numbers(&file, c, Kind::Date)).transpose()?;
    let weights = args.weight.as_deref().map(|c| numbers(&file, c, Kind::Number)).transpose()?;
    let split = match (&args.time, args.test_from, args.test_share) {
        (Some(column), Some(from), _) => {
            Split::OutOfTime { column: column.clone(), test_from: f64::from(days_since_epoch(from)) }
        }
        (_, _, Some(test_share)) => Split::Random { test_share, seed },
        _ => Split::None,
    };
    let test = assign_split(&split, &outcome.is_bad, times.as_deref())?;
    let table = TrainingTable {
        features: features_beside(file, &aside),
        directions: BTreeMap::new(),
        target: std::mem::take(&mut outcome.is_bad),
        weights,
        test,
        groups: None,
        times,
    };
    Ok((table, split, outcome))
}

fn numbers(file: &TableFile, column: &str, kind: Kind) -> Result<Vec<f64>, ModelError> {
    let at = file.position(column)?;
    match file.load(at, Some(kind))?.map(|(c, _)| c.values) {
        Some(Values::Number(values)) => Ok(values),
        _ => {
            Err(ModelError::BadTarget { column: column.to_owned(), why: format!("it does not hold {}s", kind.word()) })
        }
    }
}

fn config_digest(
    args: &TrainTableArgs,
    settings: &TrainSettings,
    directions: &BTreeMap<String, Direction>,
    split: &Split,
) -> Digest {
    let mut hasher = Hasher::default();
    hasher.field(args.target.as_deref().unwrap_or_default().as_bytes());
    hasher.field(args.positive.as_deref().unwrap_or_default().as_bytes());
    for condition in [&args.rule.bad, &args.rule.good].into_iter().flatten() {
        hasher.field(condition.as_bytes());
    }
    for name in args.drop.iter().chain(&args.keep_only) {
        hasher.field(name.as_bytes());
    }
    if let Some(rows) = args.sample {
        hasher.field(&(rows as u64).to_le_bytes());
    }
    hasher.field(serde_json::to_string(&(settings, directions, split)).unwrap_or_default().as_bytes());
    hasher.finish()
}

fn json_value(trained: &TrainedScorecard, out: &Path) -> Result<Value, ModelError> {
    serde_json::to_value(&trained.report).map_err(|e| broken(out, &e))
}

fn broken(out: &Path, error: &serde_json::Error) -> ModelError {
    ModelError::BadModel { path: out.to_owned(), why: error.to_string() }
}

/// What was trained on, to be recognised later, and how much of it stands in the test part.
fn contents(
    trained: &TrainedScorecard,
    path: &Path,
    table: &TrainingTable,
    kept: Option<Vec<bool>>,
) -> Result<(TrainingRows, Option<Overlap>), ModelError> {
    let mut file = open_table(path)?;
    if let Some(kept) = kept {
        file.keep(kept);
    }
    let digests = row_digests(&trained.scorecard, &file, &table.target)?;
    let part = |test: bool| -> Vec<u64> {
        digests.iter().zip(&table.test).filter(|(_, t)| **t == test).map(|(digest, _)| *digest).collect()
    };
    let (train, test) = (part(false), part(true));
    Ok((TrainingRows::of(&train), (!test.is_empty()).then(|| Overlap::of(&train, &test))))
}

fn printed(out: &Path, trained: &TrainedScorecard, overlap: Option<&Overlap>) -> Value {
    let report = &trained.report;
    json!({
        "model": out,
        "train": report.train,
        "test": report.test,
        "out_of_fold": report.tuning.out_of_fold,
        "variables": trained.scorecard.variables.len(),
        "tables": trained.scorecard.tables.len(),
        "wrong_signs": report.variables.iter().filter(|v| !v.signs_agree).count(),
        "dropped": report.dropped,
        "edits": report.edits,
        "overlap": overlap,
        "warnings": report.warnings,
    })
}
