//! `bins`: every column of a table cut by itself, or a model's bins; as a file to edit.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::bins_text::bins_text;
use super::name_list::left_out;
use super::outcome::{OutcomeRuleArgs, outcome_of};
use super::output_file::create_new;
use super::train::{known_columns, settings_with};
use super::{ExitCode, Failure, Output};
use crate::model::binning::Bins;
use crate::model::registry::{Bundle, load_folder};
use crate::model::{ModelError, TrainingTable};
use crate::report::text_table;
use crate::workbench::SettingsFile;
use crate::workbench::bin_edits::{LogEntry, render};
use crate::workbench::document::screen;
use crate::workbench::figures::share;
use crate::workbench::table::{features_beside, open_table};
use crate::workbench::univariate::{Outcome, Univariate, univariate};

/// The attachment of a model folder that logs edits.
pub const EDITS: &str = "edits.json";

/// What `bins` takes.
#[derive(Debug, Clone, Args)]
pub struct BinsArgs {
    /// Model folder whose bins are written or shown; or give --table.
    #[arg(value_name = "MODEL", required_unless_present = "table", conflicts_with = "table")]
    pub model: Option<PathBuf>,
    /// Table whose columns are cut, each by itself, over all rows: a CSV or Parquet file, or a folder of them.
    #[arg(long, value_name = "FILE")]
    pub table: Option<PathBuf>,
    /// Column of the outcome; two values.
    #[arg(long, value_name = "COLUMN", requires = "table")]
    pub target: Option<String>,
    /// The value of the target that means bad, where 0 and 1, good and bad, no and yes and the like do not say it.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, requires = "table")]
    pub positive: Option<String>,
    /// The outcome by conditions.
    #[command(flatten)]
    pub rule: OutcomeRuleArgs,
    /// Columns to leave out, separated by commas; repeat the option for names that hold commas.
    #[arg(long, value_name = "COLUMNS", requires = "table")]
    pub drop: Vec<String>,
    /// Columns to look at, and no others, separated by commas.
    #[arg(long, value_name = "COLUMNS", requires = "table", conflicts_with = "drop")]
    pub keep_only: Vec<String>,
    /// Shows the bins of this variable: counts, bad rates, weights of evidence and a bar for each. Repeat it for more.
    #[arg(long, value_name = "NAME")]
    pub variable: Vec<String>,
    /// Numbers with a meaning of their own, such as -9, separated by commas.
    #[arg(long, value_name = "VALUES", value_delimiter = ',', allow_hyphen_values = true, requires = "table")]
    pub special: Vec<f64>,
    /// How to cut, and expected directions, in TOML; `integrity schema --settings` prints one with the defaults.
    #[arg(long, value_name = "FILE", requires = "table")]
    pub settings: Option<PathBuf>,
    /// HTML page to write, with a plot and a table of every column's bins; must not exist.
    #[arg(long, value_name = "FILE", requires = "table")]
    pub page: Option<PathBuf>,
    /// TOML file to write; must not exist. `train --table F --target COL --bins FILE` reads it back.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Runs `bins`.
///
/// # Errors
/// The model is damaged, the table or the settings are refused, or the file exists or cannot be written.
pub fn execute(args: &BinsArgs, output: Output) -> Result<ExitCode, Failure> {
    match (&args.model, &args.table, &args.out) {
        (Some(model), _, out) if out.is_some() || !args.variable.is_empty() => {
            of_model(model, out.as_deref(), &args.variable, output)
        }
        (None, Some(table), _) => of_table(args, table, output),
        _ => Err(Failure::Usage(
            "give a model folder and --out or --variable, or --table with --target or --bad".to_owned(),
        )),
    }
}

fn of_model(model: &Path, out: Option<&Path>, shown: &[String], output: Output) -> Result<ExitCode, Failure> {
    let bundle = load_folder(model)?;
    let bins = || bundle.scorecard.variables.iter().map(|v| &v.bins);
    let wanted = named(shown, bins())?;
    if let Some(out) = out {
        write_bins(out, bins(), &log_of(&bundle)?)?;
    }
    let variables = bundle.scorecard.variables.len();
    let answer = json!({ "model": model, "bins": out, "variables": variables, "shown": wanted });
    output.show(&answer, |_| {
        let mut text: String = wanted.iter().map(|bins| bins_text(bins)).collect();
        if let Some(out) = out {
            let _ = writeln!(text, "bins of {variables} variables written to {}", out.display());
        }
        text
    })?;
    Ok(ExitCode::Ok)
}

/// The bins of the variables named.
fn named<'a>(names: &[String], bins: impl Iterator<Item = &'a Bins>) -> Result<Vec<&'a Bins>, Failure> {
    let bins: Vec<&Bins> = bins.collect();
    let find = |name: &String| {
        bins.iter().copied().find(|b| b.name == *name).ok_or_else(|| {
            let known = bins.iter().map(|b| b.name.as_str()).collect::<Vec<_>>().join(", ");
            Failure::NotFound(format!("no variable {name:?} has bins; those that have: {known}"))
        })
    };
    names.iter().map(find).collect()
}

fn of_table(args: &BinsArgs, path: &Path, output: Output) -> Result<ExitCode, Failure> {
    let SettingsFile { directions, training: settings } = settings_with(args.settings.as_deref(), &args.special)?;
    let mut file = open_table(path)?;
    let outcome = outcome_of(&mut file, args.target.as_deref(), args.positive.as_deref(), &args.rule)?;
    let mut aside = left_out(&args.drop, &args.keep_only, &file)?;
    aside.extend(outcome.columns);
    let mut table = TrainingTable::new(Vec::new(), Vec::new())?;
    table.test = vec![false; outcome.is_bad.len()];
    table.target = outcome.is_bad;
    table.features = features_beside(file, &aside);
    table.directions = known_columns(directions, &table.features)?;
    let columns = univariate(&table, &settings)?;
    if let Some(out) = &args.out {
        write_bins(out, columns.iter().filter_map(Univariate::bins), &[])?;
    }
    if let Some(page) = &args.page {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = screen(&name, &columns).map_err(|e| Failure::Internal(e.to_string()))?;
        create_new(page)?.write_all(text.as_bytes()).map_err(|e| Failure::Io { path: page.clone(), source: e })?;
    }
    let wanted = named(&args.variable, columns.iter().filter_map(Univariate::bins))?;
    let answer = json!({ "table": path, "bins": args.out, "page": args.page, "columns": columns, "shown": wanted, "note": outcome.note });
    output.show(&answer, |_| {
        let shown = if wanted.is_empty() {
            text(&columns, args.out.as_deref())
        } else {
            wanted.iter().map(|bins| bins_text(bins)).collect()
        };
        outcome.note.iter().fold(shown, |text, note| format!("{text}note: {note}\n"))
    })?;
    Ok(ExitCode::Ok)
}

fn write_bins<'a>(out: &Path, bins: impl Iterator<Item = &'a Bins>, log: &[LogEntry]) -> Result<(), Failure> {
    let mut file = create_new(out)?;
    file.write_all(render(bins, log).as_bytes()).map_err(|e| Failure::Io { path: out.to_owned(), source: e })
}

fn text(columns: &[Univariate], out: Option<&Path>) -> String {
    let mut rows = Vec::new();
    for column in columns {
        if let Outcome::Cut { ks, chi_square, bins } = &column.outcome {
            rows.push(vec![
                column.variable.clone(),
                format!("{:.4}", bins.iv),
                format!("{ks:.3}"),
                format!("{chi_square:.1}"),
                format!("{:?}", bins.trend).to_lowercase(),
                bins.bins.iter().filter(|b| b.rows > 0.0).count().to_string(),
                column.missing_share.map_or_else(String::new, share),
            ]);
        }
    }
    let cut = rows.len();
    let head = ["column", "IV", "KS", "χ²", "trend", "bins", "missing"];
    let mut text = text_table(&head, &rows);
    for column in columns {
        match &column.outcome {
            Outcome::Left { rule, why } => {
                let _ = writeln!(text, "not cut: {} ({rule}: {why})", column.variable);
            }
            Outcome::Cut { .. } => {
                for note in &column.notes {
                    let _ = writeln!(text, "note: {} {note}", column.variable);
                }
            }
        }
    }
    if let Some(out) = out {
        let _ = writeln!(text, "bins of {cut} columns written to {}", out.display());
    }
    text
}

/// Edits that a model was trained with.
fn log_of(bundle: &Bundle) -> Result<Vec<LogEntry>, ModelError> {
    bundle.attachments.get(EDITS).map_or_else(
        || Ok(Vec::new()),
        |value| {
            serde_json::from_value(value.clone()).map_err(|e| ModelError::BadModel {
                path: bundle.folder.join(EDITS),
                why: format!("it is not a log of edits: {e}"),
            })
        },
    )
}
