//! `integrity validate`: a model's figures on a table with outcomes, by segment, for fairness, and against the training population.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::cut_off::CutOffArgs;
use super::outcome::{OutcomeRuleArgs, outcome_of};
use super::scored_table::{grades, overlap_with_training, score_table, seen_in_training};
use super::segments::segments;
use crate::model::registry::load_folder;
use crate::model::validation::{ValidationError, ValidationReport, ValidationSettings};
use crate::model::{ModelError, TrainReport, measure_part};
use crate::workbench::table::{Overlap, open_table};
use crate::workbench::validation::{Drift, training_drift};
use crate::workbench::validation::{FairnessReport, FairnessSettings, Named, SegmentReport, breakdown, fairness};

/// What `validate` takes.
#[derive(Debug, Clone, Args)]
pub struct ValidateArgs {
    /// Model folder.
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Table to validate on: a CSV or Parquet file, or a folder of them.
    #[arg(long, value_name = "FILE")]
    pub table: PathBuf,
    /// Column of the outcome.
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// The value of the target that means bad.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub positive: Option<String>,
    /// The outcome by conditions.
    #[command(flatten)]
    pub rule: OutcomeRuleArgs,
    /// Column to break the figures down by (a vintage, a segment, history length); repeat the option for more.
    #[arg(long, value_name = "COLUMN")]
    pub by: Vec<String>,
    /// Column whose groups the cut-off is judged over: adverse impact, equal opportunity; repeat the option for more.
    #[arg(long, value_name = "COLUMN", requires = "cut-off")]
    pub fairness: Vec<String>,
    /// With --fairness: a legitimate column; approval is also compared among rows alike in it (conditional parity).
    #[arg(long, value_name = "COLUMN", requires = "fairness")]
    pub alike_in: Option<String>,
    /// Who is approved.
    #[command(flatten)]
    pub cut_off: CutOffArgs,
}

/// What `validate` finds: the JSON it prints.
#[derive(Debug, Serialize)]
pub struct Validated {
    /// The model folder.
    pub model: PathBuf,
    /// Figures of the whole table, with a back-test by band.
    pub test: ValidationReport,
    /// PSI and CSI against the training population.
    pub stability: Drift,
    /// Figures by segment of each column asked for.
    pub by: Vec<Breakdown>,
    /// Fairness over each column asked for.
    pub fairness: Vec<FairnessReport>,
    /// Rows that the model was trained on; null where its folder does not tell.
    pub overlap: Option<Overlap>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// Figures by segment of one column.
#[derive(Debug, Serialize)]
pub struct Breakdown {
    /// The column.
    pub column: String,
    /// One entry a segment, unknown first.
    pub segments: Vec<SegmentReport>,
}

/// Scores the table and measures.
///
/// # Errors
/// Whatever is wrong with the model folder, the table or the columns named.
pub fn validate_table(args: &ValidateArgs) -> Result<Validated, ModelError> {
    let bundle = load_folder(&args.model)?;
    let card = &bundle.scorecard;
    let mut file = open_table(&args.table)?;
    let outcome = outcome_of(&mut file, args.target.as_deref(), args.positive.as_deref(), &args.rule)?;
    let bad = outcome.is_bad;
    // Columns named wrongly are told before a large table is scored.
    for column in args.by.iter().chain(&args.fairness).chain(&args.alike_in) {
        file.position(column)?;
    }
    let scored = score_table(card, &file)?;
    let settings = ValidationSettings { grades: grades(card), ..ValidationSettings::default() };
    let test = measure_part(&scored.pd, &bad, None, &settings)?;
    let report: Option<TrainReport> = serde_json::from_value(bundle.validation.clone()).ok();
    let trained = report.as_ref().map(|r| r.train.deciles.as_slice());
    let stability = training_drift(card, trained, &scored.pd, &scored.bin_counts)?;
    let plain = ValidationSettings::default();
    let by = args
        .by
        .iter()
        .map(|column| {
            let names = segments(&file, column)?;
            let segments = breakdown(&bad, &scored.pd, &names, &plain).map_err(|e| unmeasured(column, &e))?;
            Ok(Breakdown { column: column.clone(), segments })
        })
        .collect::<Result<_, ModelError>>()?;
    let alike = args.alike_in.as_ref().map(|column| Ok((column, segments(&file, column)?))).transpose()?;
    let fairness = match args.cut_off.pd(&bad, &scored.pd)? {
        None => Vec::new(),
        Some(cut_off_pd) => args
            .fairness
            .iter()
            .map(|column| {
                let settings = FairnessSettings::at(cut_off_pd);
                let groups = segments(&file, column)?;
                let groups = borrowed(&groups);
                let alike = alike.as_ref().map(|(name, values)| (name.as_str(), borrowed(values)));
                let condition = alike.as_ref().map(|(name, values)| Named { name, values });
                fairness(&bad, &scored.pd, Named { name: column, values: &groups }, condition, &settings)
                    .map_err(|e| unmeasured(column, &e))
            })
            .collect::<Result<_, ModelError>>()?,
    };
    let mut notes: Vec<String> = seen_in_training(&bundle, &file)?.into_iter().collect();
    notes.extend(outcome.note);
    notes.extend(scored.unseen.warnings());
    let overlap = overlap_with_training(&bundle, &file, &bad)?;
    notes.extend(overlap.as_ref().and_then(|o| o.warning("the table", "its training")));
    Ok(Validated { model: args.model.clone(), test, stability, by, fairness, overlap, notes })
}

fn borrowed(values: &[Option<String>]) -> Vec<Option<&str>> {
    values.iter().map(Option::as_deref).collect()
}

fn unmeasured(column: &str, error: &ValidationError) -> ModelError {
    ModelError::CannotMeasure { why: format!("column {column:?}: {error}") }
}
