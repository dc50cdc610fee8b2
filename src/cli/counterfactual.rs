//! `integrity counterfactual`: what would have to change for a row to reach a cut-off.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::apply::score_file;
use super::name_list::listed_names;
use super::output_file::create_new;
use super::{ExitCode, Failure, Output, Terminal};
use crate::model::registry::load_folder;
use crate::model::{ModelError, Scorecard};
use crate::run::Progress as _;
use crate::workbench::counterfactual::{Change, Counterfactual, CounterfactualSearch};
use crate::workbench::table::open_table;

/// What `counterfactual` takes.
#[derive(Debug, clap::Args)]
pub struct CounterfactualArgs {
    /// Model folder.
    #[arg(value_name = "MODEL", required_unless_present = "model_named")]
    model: Option<PathBuf>,
    /// The same by name, as `apply` and `validate` take it.
    #[arg(long = "model", value_name = "MODEL", conflicts_with = "model", hide_short_help = true)]
    model_named: Option<PathBuf>,
    /// Table to search: a CSV or Parquet file, or a folder of them.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Score to reach.
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true, required_unless_present = "pd_at_most")]
    score_at_least: Option<i32>,
    /// Probability of default to get down to, instead of a score.
    #[arg(long, value_name = "PD", conflicts_with = "score_at_least")]
    pd_at_most: Option<f64>,
    /// Columns that can be changed, separated by commas; repeat the option for names that hold commas. All others stay.
    #[arg(long, value_name = "COLUMNS", required = true)]
    actionable: Vec<String>,
    /// Row of the table, counted from 1; repeat the option for more. Default: every row.
    #[arg(long, value_name = "N")]
    row: Vec<usize>,
    /// CSV file to write the answers to; must not exist. Without one they are printed.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What the command prints as JSON.
#[derive(Debug, Default, Serialize)]
struct Answer {
    model: PathBuf,
    score_at_least: i32,
    /// Rows searched.
    rows: usize,
    /// Rows that reach the score as they are.
    enough: usize,
    /// Rows that would reach it by a change.
    reachable: usize,
    /// Rows that no change of the actionable columns brings there.
    unreachable: usize,
    /// Where the answers were written; null where they are in `found`.
    out: Option<PathBuf>,
    /// Rows below the score, in order.
    found: Vec<Found>,
}

/// One row below the score.
#[derive(Debug, Serialize)]
struct Found {
    /// Counted from 1.
    row: usize,
    score: i32,
    /// Score after the change; null where none brings it there.
    reached: Option<i32>,
    changes: Vec<Change>,
}

/// Rows told one by one on a terminal.
const SHOWN: usize = 20;
/// Rows of equal bins share an answer; as many are remembered.
const REMEMBERED: usize = 200_000;

/// Runs the command.
///
/// # Errors
/// The model or the table cannot be read, a column is not a variable, or the output exists.
pub fn execute(args: &CounterfactualArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(ModelError::Exists { path: out.clone() }.into());
    }
    terminal.stage("search", None);
    let answer = search(args)?;
    terminal.finish();
    output.show(&answer, text)?;
    Ok(ExitCode::Ok)
}

fn search(args: &CounterfactualArgs) -> Result<Answer, ModelError> {
    let model = args.model.as_deref().or(args.model_named.as_deref()).unwrap_or(Path::new(""));
    let bundle = load_folder(model)?;
    let card = &bundle.scorecard;
    let file = open_table(&args.table)?;
    if let Some(row) = args.row.iter().find(|row| **row == 0 || **row > file.rows()) {
        let why = format!("{row} is not among the table's rows, 1 to {}", file.rows());
        return Err(ModelError::BadSetting { setting: "row", why });
    }
    let at_least = cut_off(args, card)?;
    let actionable = listed_names(&args.actionable, |name| card.variables.iter().any(|v| v.bins.name == name));
    let search = CounterfactualSearch::new(card, &actionable, at_least)?;
    let mut answer =
        Answer { model: model.to_owned(), score_at_least: at_least, out: args.out.clone(), ..Answer::default() };
    let mut sink = args.out.as_deref().map(Sink::create).transpose()?;
    let mut known: HashMap<Vec<u8>, Option<Counterfactual>> = HashMap::new();
    let outcome = score_file(
        card,
        &file,
        &mut |first, block, _| {
            for (i, &score) in block.score.iter().enumerate() {
                let row = first + i + 1;
                if !args.row.is_empty() && !args.row.contains(&row) {
                    continue;
                }
                answer.rows += 1;
                if score >= at_least {
                    answer.enough += 1;
                    continue;
                }
                let bins: Vec<u8> = block.bins.iter().filter_map(|b| b.get(i)).copied().collect();
                let found = if let Some(found) = known.get(&bins) {
                    found.clone()
                } else {
                    let found = search.find(&bins)?;
                    if known.len() < REMEMBERED {
                        known.insert(bins, found.clone());
                    }
                    found
                };
                answer.reachable += usize::from(found.is_some());
                answer.unreachable += usize::from(found.is_none());
                let found = Found {
                    row,
                    score,
                    reached: found.as_ref().map(|f| f.reached),
                    changes: found.map(|f| f.changes).unwrap_or_default(),
                };
                match &mut sink {
                    Some(sink) => sink.write(&found)?,
                    None => answer.found.push(found),
                }
            }
            Ok(())
        },
        &[],
    )
    .and_then(|()| sink.as_mut().map_or(Ok(()), Sink::finish));
    if let (Err(_), Some(out)) = (&outcome, &args.out) {
        // A half-written file must not be taken for a whole one.
        let _ = std::fs::remove_file(out);
    }
    outcome.map(|()| answer)
}

/// The score to reach: as given, or the lowest whose PD is low enough.
fn cut_off(args: &CounterfactualArgs, card: &Scorecard) -> Result<i32, ModelError> {
    let refuse = |setting, why: String| Err(ModelError::BadSetting { setting, why });
    match (args.score_at_least, args.pd_at_most) {
        (Some(score), _) => Ok(score),
        (None, Some(pd)) => {
            let (low, high) = card.score_range();
            let found = (low..=high).find(|&score| card.probability(score) <= pd);
            found.map_or_else(
                || {
                    refuse(
                        "pd-at-most",
                        format!("no score has a PD of {pd} or less; the lowest is {}", card.probability(high)),
                    )
                },
                Ok,
            )
        }
        (None, None) => refuse("score-at-least", "--score-at-least or --pd-at-most is needed".to_owned()),
    }
}

/// The file of answers.
struct Sink {
    writer: csv::Writer<File>,
    path: PathBuf,
}

impl Sink {
    fn create(path: &Path) -> Result<Self, ModelError> {
        let file = create_new(path)?;
        let mut sink = Self { writer: csv::Writer::from_writer(file), path: path.to_owned() };
        sink.record(&["row", "score", "reached", "variables_changed", "bins_moved", "changes"].map(str::to_owned))?;
        Ok(sink)
    }

    fn write(&mut self, found: &Found) -> Result<(), ModelError> {
        let moved: usize = found.changes.iter().map(|c| c.moved).sum();
        self.record(&[
            found.row.to_string(),
            found.score.to_string(),
            found.reached.map(|r| r.to_string()).unwrap_or_default(),
            found.changes.len().to_string(),
            moved.to_string(),
            told(&found.changes),
        ])
    }

    fn record(&mut self, cells: &[String; 6]) -> Result<(), ModelError> {
        self.writer.write_record(cells).map_err(|e| ModelError::table(&self.path, e))
    }

    fn finish(&mut self) -> Result<(), ModelError> {
        self.writer.flush().map_err(|e| ModelError::io(&self.path, e))
    }
}

fn told(changes: &[Change]) -> String {
    let one = |c: &Change| format!("{}: {} (now {})", c.variable, c.to, c.from);
    changes.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The answers as a person reads them. Writing to a String cannot fail.
fn text(answer: &Answer) -> String {
    let mut text = format!(
        "{} rows: {} reach {} as they are, {} would by a change, {} by none of these columns\n",
        answer.rows, answer.enough, answer.score_at_least, answer.reachable, answer.unreachable
    );
    if let Some(out) = &answer.out {
        let _ = writeln!(text, "written to {}", out.display());
    }
    for found in answer.found.iter().take(SHOWN) {
        let _ = match found.reached {
            Some(reached) => {
                writeln!(text, "  row {}: {} → {reached}  {}", found.row, found.score, told(&found.changes))
            }
            None => writeln!(text, "  row {}: {}  out of reach", found.row, found.score),
        };
    }
    let more = answer.found.len().saturating_sub(SHOWN);
    if more > 0 {
        let _ = writeln!(text, "  … and {more} more: --row N, --out FILE or --format json tells them");
    }
    text
}
