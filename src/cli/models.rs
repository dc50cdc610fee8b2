//! `integrity train`, `apply`, `validate`, `approve`: models, of a job or on any table.

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::apply::{ApplyArgs, apply_table};
use super::day::day;
use super::run::JobArgs;
use super::train::{TrainTableArgs, train_table};
use super::validate::{ValidateArgs, validate_table};
use super::{ExitCode, Failure, Output, Terminal};
use crate::model::registry::{approve_folder, load_folder};
use crate::run::{AsOfRule, Progress, no_better_than_chance, train_model};

/// A job to train for, or a table to train on.
#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// Job file: trains its willingness and ability models on snapshots of its data.
    #[arg(value_name = "JOB.toml", conflicts_with = "table", required_unless_present = "table")]
    job: Option<PathBuf>,
    /// With a job: the day of training. Facts of this day and later are not seen. A date, or "yesterday" or "today" in the job's time zone.
    #[arg(long, value_name = "DATE", requires = "job")]
    as_of: Option<AsOfRule>,
    /// With a job: read raw files below this folder instead of the job's.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Threads; every number gives the same model. Default: all cores.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    table: TrainTableArgs,
}

/// Runs `train`.
///
/// # Errors
/// No model can be trained, or it exists already.
pub fn train(args: &TrainArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let job = JobArgs {
        path: args.job.clone().unwrap_or_default(),
        as_of: args.as_of,
        data: args.data.clone(),
        threads: args.threads,
    };
    let options = job.options()?;
    let answer = if args.job.is_some() {
        // With a job, --out is where models are kept.
        let options = crate::run::RunOptions { models: args.table.out.clone(), ..options };
        let bundle = train_model(&job.path, &options, terminal)?;
        json!({
            "model": bundle.folder,
            "train": bundle.validation["train"],
            "test": bundle.validation["test"],
            "approved_by": bundle.approval.map(|a| a.by),
        })
    } else {
        terminal.stage("train", None);
        train_table(&args.table, today())?
    };
    terminal.finish();
    output.show(&answer, figures)?;
    Ok(ExitCode::Ok)
}

/// Runs `apply`.
///
/// # Errors
/// The model is damaged, the table lacks its columns, or the output exists.
pub fn apply(args: &ApplyArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    terminal.stage("score", None);
    let answer = apply_table(args)?;
    terminal.finish();
    for warning in answer["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        terminal.note(&format!("warning: {warning}"));
    }
    output.show(&answer, pretty)?;
    Ok(ExitCode::Ok)
}

/// Runs `validate`.
///
/// # Errors
/// The model is damaged, or the table lacks its columns.
pub fn validate(args: &ValidateArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    terminal.stage("validate", None);
    let answer = validate_table(args)?;
    terminal.finish();
    output.show(&answer, super::validate_text::render)?;
    Ok(ExitCode::Ok)
}

/// Who approves what.
#[derive(Debug, clap::Args)]
pub struct ApproveArgs {
    /// Model folder: `models/<name>/<version>`.
    model: PathBuf,
    /// Who has read it and answers for it.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Date of the approval; default today.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    on: Option<Date>,
}

/// Runs `approve`.
///
/// # Errors
/// The model is damaged, or cannot be written.
pub fn approve(args: &ApproveArgs, output: Output) -> Result<ExitCode, Failure> {
    let on = args.on.unwrap_or_else(today);
    let before = approve_folder(&args.model, &args.by, on)?;
    let replaces = before.as_ref().map(|b| json!({ "approved_by": b.by, "on": b.on.to_string() }));
    let warning = no_better_than_chance(load_folder(&args.model)?.test_figures().as_ref());
    let answer = json!({
        "model": args.model, "approved_by": args.by, "on": on.to_string(), "replaces": replaces, "warning": warning
    });
    output.show(&answer, |_| {
        let instead = before.map(|b| format!(", in the place of {} on {}", b.by, b.on)).unwrap_or_default();
        let warning = warning.map(|warning| format!("\nwarning: {warning}")).unwrap_or_default();
        format!("{} approved by {} on {on}{instead}{warning}", args.model.display(), args.by)
    })?;
    Ok(ExitCode::Ok)
}

pub(super) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Figures side by side, train and test.
fn figures(answer: &Value) -> String {
    const ROWS: [&str; 10] = [
        "rows",
        "bad",
        "auc",
        "gini",
        "ks",
        "brier",
        "log_loss",
        "calibration_slope",
        "calibration_intercept",
        "mean_pd",
    ];
    let cell = |part: &str, row: &str| match &answer[part][row] {
        Value::Null => String::new(),
        Value::Number(n) if n.is_f64() => format!("{:.4}", n.as_f64().unwrap_or_default()),
        other => other.to_string(),
    };
    let mut text =
        format!("model {}\n{:<24}{:>12}{:>12}\n", answer["model"].as_str().unwrap_or(""), "", "train", "test");
    for row in ROWS {
        let (train, test) = (cell("train", row), cell("test", row));
        if !(train.is_empty() && test.is_empty()) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{:<24}{train:>12}{test:>12}", row.replace('_', " "));
        }
    }
    for edit in answer["edits"].as_array().into_iter().flatten() {
        text.push_str(&edited(edit));
    }
    for warning in answer["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(text, "note: {warning}");
    }
    text
}

/// An edited variable before and after, train and test.
fn edited(edit: &Value) -> String {
    let figure = |side: &str, part: &str, what: &str| {
        edit[side][part][what].as_f64().map_or_else(|| "–".to_owned(), |v| format!("{v:.4}"))
    };
    let change = |part: &str, what: &str| format!("{} → {}", figure("before", part, what), figure("after", part, what));
    format!(
        "edited {}: IV {} (test {}), KS {} (test {})\n",
        edit["variable"],
        change("train", "iv"),
        change("test", "iv"),
        change("train", "ks"),
        change("test", "ks")
    )
}

fn pretty(answer: &Value) -> String {
    let mut text = String::new();
    for (key, value) in answer.as_object().into_iter().flatten() {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:<12} {shown}", key.replace('_', " "));
    }
    text
}
