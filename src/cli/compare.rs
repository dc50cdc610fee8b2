//! `integrity compare`: champion and challenger on one table.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::outcome::{OutcomeRuleArgs, outcome_of};
use super::scored_table::{overlap_with_training, score_table, seen_in_training};
use super::segments::segments;
use super::{ExitCode, Failure, Output, Terminal};
use crate::model::registry::{Bundle, load_folder};
use crate::model::table::{Kind, Values};
use crate::model::{ModelError, Scorecard};
use crate::run::Progress as _;
use crate::workbench::compare::{
    ChallengerColumn, ChallengerSettings, Comparison, ComparisonSettings, SegmentContest, compare, compare_segments,
    grow_challenger,
};
use crate::workbench::table::{Overlap, TableFile, open_table, row_digests};
use crate::workbench::validation::{CustomaryBand, score_stability};

/// What `compare` takes.
#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// Model folder in use.
    #[arg(value_name = "CHAMPION")]
    champion: PathBuf,
    /// Model folder that would replace it.
    #[arg(value_name = "CHALLENGER", required_unless_present = "forest_from")]
    challenger: Option<PathBuf>,
    /// Instead of a challenger's folder: grow a forest over the champion's columns on this table, which must not be the one compared on.
    /// It shows what points over those columns cost; it cannot become a model.
    #[arg(long, value_name = "FILE", conflicts_with = "challenger")]
    forest_from: Option<PathBuf>,
    /// Table with known outcomes that neither was trained on.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Column of the outcome.
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// The value of the target that means bad.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    positive: Option<String>,
    /// The outcome by conditions, on both tables.
    #[command(flatten)]
    rule: OutcomeRuleArgs,
    /// Share of rows approved, at which swap sets are made; repeat the option for more. Default 0.5 to 0.9.
    #[arg(long, value_name = "SHARE")]
    cutoff_approve_share: Vec<f64>,
    /// Column to compare by (a vintage, a segment); repeat the option for more.
    #[arg(long, value_name = "COLUMN")]
    by: Vec<String>,
}

/// What the command prints as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    champion_model: String,
    challenger_model: String,
    table: PathBuf,
    /// Figures of both, tests, swap sets, migration.
    #[serde(flatten)]
    pub(super) comparison: Comparison,
    /// How far the two spread PDs differently over the same rows; null where one gives all rows one PD. The rows are the same, so chance has no part in it.
    pub(super) pd_stability_index: Option<f64>,
    /// Its customary reading.
    pub(super) pd_stability: Option<CustomaryBand>,
    /// Both again within segments.
    pub(super) by: Vec<ComparedBy>,
    /// Rows that the champion was trained on; null where its folder does not tell.
    champion_overlap: Option<Overlap>,
    /// The same of the challenger, or of the forest.
    challenger_overlap: Option<Overlap>,
    /// What a reader must know.
    pub(super) notes: Vec<String>,
}

/// The contest within the segments of one column.
#[derive(Debug, Serialize)]
pub(super) struct ComparedBy {
    pub(super) column: String,
    pub(super) segments: Vec<SegmentContest>,
}

impl Compared {
    /// Names of both models.
    pub(super) fn names(&self) -> [&str; 2] {
        [&self.champion_model, &self.challenger_model]
    }
}

/// Runs the command.
///
/// # Errors
/// A model or a table cannot be read or lacks columns, or an option is out of range.
pub fn execute(args: &CompareArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    terminal.stage("compare", None);
    let answer = contest(args)?;
    terminal.finish();
    output.show(&answer, super::compare_text::render)?;
    Ok(ExitCode::Ok)
}

fn contest(args: &CompareArgs) -> Result<Compared, ModelError> {
    let champion = load_folder(&args.champion)?;
    let mut file = open_table(&args.table)?;
    let outcome = outcome_of(&mut file, args.target.as_deref(), args.positive.as_deref(), &args.rule)?;
    let bad = outcome.is_bad;
    for column in &args.by {
        file.position(column)?;
    }
    let scored = score_table(&champion.scorecard, &file)?;
    let champion_pd = scored.pd;
    let mut notes: Vec<String> = seen_in_training(&champion, &file)?.into_iter().collect();
    notes.extend(outcome.note);
    notes.extend(scored.unseen.warnings());
    let measured = "the table compared on";
    let champion_overlap = overlap_with_training(&champion, &file, &bad)?;
    notes.extend(champion_overlap.as_ref().and_then(|o| o.warning(measured, "the champion's training")));
    let challenger_overlap;
    let (challenger_model, challenger_pd) = match (&args.challenger, &args.forest_from) {
        (Some(folder), _) => {
            let challenger = load_folder(folder)?;
            notes.extend(seen_in_training(&challenger, &file)?);
            challenger_overlap = overlap_with_training(&challenger, &file, &bad)?;
            notes.extend(challenger_overlap.as_ref().and_then(|o| o.warning(measured, "the challenger's training")));
            (named(&challenger), score_table(&challenger.scorecard, &file)?.pd)
        }
        (None, Some(from)) => {
            let Forest { pd, overlap, note } = forest(args, from, &champion.scorecard, (&file, &bad))?;
            notes.extend(note.map(|note| format!("{}: {note}", from.display())));
            notes.extend(overlap.warning(measured, &format!("{}, which the forest was grown on", from.display())));
            challenger_overlap = Some(overlap);
            (format!("a forest grown on {}", from.display()), pd)
        }
        (None, None) => {
            let why = "name a model folder, or --forest-from FILE".to_owned();
            return Err(ModelError::BadSetting { setting: "challenger", why });
        }
    };
    let mut settings = ComparisonSettings::default();
    if !args.cutoff_approve_share.is_empty() {
        settings.approval_rates.clone_from(&args.cutoff_approve_share);
        if let Some(share) = settings.approval_rates.iter().find(|s| !(**s > 0.0 && **s <= 1.0)) {
            let why = format!("{share} is not above 0 and at most 1");
            return Err(ModelError::BadSetting { setting: "cutoff-approve-share", why });
        }
    }
    let unmeasured = |why: String| ModelError::CannotMeasure { why };
    let comparison = compare(&bad, &champion_pd, &challenger_pd, &settings).map_err(|e| unmeasured(e.to_string()))?;
    let spread = score_stability(&champion_pd, &challenger_pd, settings.validation.bins);
    let spread = spread.map_err(|e| unmeasured(e.to_string()))?.ok();
    let by = args
        .by
        .iter()
        .map(|column| {
            let names = segments(&file, column)?;
            let segments = compare_segments(&bad, &champion_pd, &challenger_pd, &names, settings.validation.confidence);
            let segments = segments.map_err(|e| unmeasured(format!("column {column:?}: {e}")))?;
            Ok(ComparedBy { column: column.clone(), segments })
        })
        .collect::<Result<_, ModelError>>()?;
    Ok(Compared {
        champion_model: named(&champion),
        challenger_model,
        table: args.table.clone(),
        comparison,
        pd_stability_index: spread.as_ref().map(|s| s.index),
        pd_stability: spread.as_ref().map(|s| s.customary),
        by,
        champion_overlap,
        challenger_overlap,
        notes,
    })
}

fn named(bundle: &Bundle) -> String {
    format!("{} ({})", bundle.id(), bundle.folder.display())
}

/// A forest grown on another table over the champion's columns.
struct Forest {
    /// Of the rows compared on.
    pd: Vec<f64>,
    /// How many of them it has seen.
    overlap: Overlap,
    /// What was left out of its table.
    note: Option<String>,
}

fn forest(
    args: &CompareArgs,
    from: &Path,
    champion: &Scorecard,
    (file, outcomes): (&TableFile, &[bool]),
) -> Result<Forest, ModelError> {
    let mut training = open_table(from)?;
    if training.digest()? == file.digest()? {
        let why = "it is the table compared on: a forest knows the outcomes of its own rows by heart".to_owned();
        return Err(ModelError::BadSetting { setting: "forest-from", why });
    }
    let outcome = outcome_of(&mut training, args.target.as_deref(), args.positive.as_deref(), &args.rule)?;
    let refused = |e: crate::workbench::compare::CompareError| ModelError::CannotMeasure { why: e.to_string() };
    let grown = grow_challenger(&columns(champion, &training)?, &outcome.is_bad, &ChallengerSettings::default());
    let pd = grown.map_err(refused)?.predict(&columns(champion, file)?).map_err(refused)?;
    let trained = row_digests(champion, &training, &outcome.is_bad)?;
    let overlap = Overlap::of(&trained, &row_digests(champion, file, outcomes)?);
    Ok(Forest { pd, overlap, note: outcome.note })
}

fn columns(card: &Scorecard, file: &TableFile) -> Result<Vec<(String, ChallengerColumn)>, ModelError> {
    card.inputs()
        .into_iter()
        .map(|(name, kind): (String, Kind)| {
            let unusable =
                || ModelError::CannotMeasure { why: format!("column {name:?} holds nested or binary values") };
            let (column, _) = file.load(file.position(&name)?, Some(kind))?.ok_or_else(unusable)?;
            let column = match column.values {
                Values::Number(numbers) => {
                    ChallengerColumn::Numeric(numbers.into_iter().map(|v| (!v.is_nan()).then_some(v)).collect())
                }
                Values::Text(text) => ChallengerColumn::Category(
                    (0..text.codes.len()).map(|row| text.get(row).map(str::to_owned)).collect(),
                ),
            };
            Ok((name, column))
        })
        .collect()
}
