//! What a training run tells about itself.

use serde::{Deserialize, Serialize};

use super::binning::{EditReport, Trend};
use super::calibration::{CalibrationChoice, MasterScale};
use super::error::ModelError;
use super::fit::{SolverCheck, Strength};
use super::validation::{ValidationReport, ValidationSettings, validate, validate_weighted};

/// Where a variable left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// While the column was read.
    Reading,
    /// While it was cut into bins.
    Binning,
    /// By a selection rule.
    Selection,
    /// By sign control.
    Sign,
    /// Because it adds no points.
    Contribution,
}

/// A column that is not in the model, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The column.
    pub variable: String,
    /// Where it left.
    pub stage: Stage,
    /// The rule, a stable word.
    pub rule: String,
    /// In words, with figures.
    pub why: String,
}

/// Bins that sign control held equal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The variable.
    pub variable: String,
    /// Labels of the bins that carry equal points.
    pub bins: Vec<String>,
    /// Why.
    pub why: String,
}

/// A small bin of missing or special values that shares a regular one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// The variable.
    pub variable: String,
    /// The small bin.
    pub bin: String,
    /// Its training rows (weighted).
    pub rows: f64,
    /// The regular bin it shares.
    pub with: String,
}

/// One variable of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariableReport {
    /// The column.
    pub variable: String,
    /// Information value in training.
    pub iv: f64,
    /// Kolmogorov–Smirnov distance of good and bad over the bins, training.
    pub ks: f64,
    /// Pearson's χ² of bins against outcome, training.
    pub chi_square: f64,
    /// Shape of the event rate.
    pub trend: Trend,
    /// Whether the points follow the event rates: always true, checked after rounding.
    pub signs_agree: bool,
    /// Population stability of the bins, train against test; `None` without a test part.
    pub stability_index: Option<f64>,
    /// Slope of the log odds on the weight of evidence (1 would be the variable alone) at the penalised optimum over the card's bins.
    pub slope: f64,
    /// Its standard error there, see [`InferenceReport`].
    pub slope_error: f64,
    /// Two-sided p-value of the slope.
    pub p_value: f64,
    /// 95 % interval of the slope.
    pub interval: (f64, f64),
    /// The coefficient of each bin that holds rows, with its error.
    #[serde(default)]
    pub coefficients_at_penalised_optimum: Vec<Coefficient>,
    /// Points between the worst and the best bin.
    pub points_range: i32,
}

/// One bin's log odds of good against the average training row, at the penalised optimum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// The bin.
    pub bin: String,
    /// Log odds; higher is safer.
    pub log_odds: f64,
    /// Standard error by the sandwich `H⁻¹ J H⁻¹`.
    pub sandwich_error: f64,
    /// Two-sided p-value against 0, the average row.
    pub p_value: f64,
    /// 95 % interval.
    pub interval: (f64, f64),
}

/// Where standard errors come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InferenceReport {
    /// In words: the estimator, and what its intervals do not cover.
    pub method: String,
    /// Largest element of the gradient, per row, where errors were taken; `None` where the optimum was not reached.
    pub gradient: Option<f64>,
    /// Rows they rest on.
    pub rows: usize,
    /// Whether rows of one group counted as one observation.
    pub clustered: bool,
    /// Why errors were taken at the card's own values, where the optimum over its bins was not reached.
    pub why_not_at_optimum: Option<String>,
}

/// Figures of one part of the rows.
pub type PartReport = ValidationReport;

/// How strengths and tables were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuningReport {
    /// Members whose points were averaged.
    pub members: usize,
    /// Rows that were predicted by members that had not seen them.
    pub rows: usize,
    /// Chosen strengths.
    pub strength: Strength,
    /// Mean log loss, on rows not seen, of every strength tried.
    pub tried: Vec<(Strength, f64)>,
    /// Mean log loss, on rows not seen, by number of two-variable tables.
    pub tables_tried: Vec<(usize, f64)>,
    /// Figures on the training rows, each predicted only by members (and tables) that had not seen it.
    pub out_of_fold: PartReport,
}

/// How many rows fall into a band.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandRows {
    /// The band.
    pub band: String,
    /// Training rows.
    pub train_rows: u64,
    /// Rows set aside.
    pub test_rows: u64,
}

/// What rounding to integers cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoundingReport {
    /// Root mean squared error of the score when every figure is rounded by itself.
    pub singly: f64,
    /// The same after the joint search.
    pub jointly: f64,
}

/// Everything a training run tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainReport {
    /// Figures on the training rows (optimistic by nature).
    pub train: PartReport,
    /// Figures on the rows set aside.
    pub test: Option<PartReport>,
    /// Cross-validation.
    pub tuning: TuningReport,
    /// Variables of the model.
    pub variables: Vec<VariableReport>,
    /// Where their standard errors come from.
    #[serde(default)]
    pub inference: Option<InferenceReport>,
    /// Columns that are not in it.
    pub dropped: Vec<Dropped>,
    /// Bins held equal by sign control.
    pub removals: Vec<Removal>,
    /// Small bins of missing or special values that share a regular one.
    #[serde(default)]
    pub shared: Vec<Shared>,
    /// Variables whose bins a person set, before and after.
    #[serde(default)]
    pub edits: Vec<EditReport>,
    /// Calibrations compared on rows predicted out of fold.
    pub calibration: CalibrationChoice,
    /// What each band's PD is stated as with a margin of conservatism, from rows predicted out of fold. Bands themselves are cut at fixed
    /// PDs, so that a name means the same from model to model.
    #[serde(default)]
    pub master_scale: Option<MasterScale>,
    /// Rows of each band, safest first.
    #[serde(default)]
    pub bands: Vec<BandRows>,
    /// Rounding loss.
    pub rounding: RoundingReport,
    /// How well the coefficients are known to be the optimum.
    pub solver: SolverCheck,
    /// What a reader must know: suspected leaks, columns of mixed content.
    pub warnings: Vec<String>,
}

/// The figures of one part. `replicates` bootstrap resamples give the intervals; 0 gives none.
///
/// # Errors
/// Columns that differ in length or are empty.
pub fn measure_part(
    pd: &[f64],
    bad: &[bool],
    weights: Option<&[f64]>,
    settings: &ValidationSettings,
) -> Result<PartReport, ModelError> {
    let report = match weights {
        Some(weights) => validate_weighted(bad, pd, weights, settings),
        None => validate(bad, pd, settings),
    };
    report.map_err(|e| ModelError::CannotMeasure { why: e.to_string() })
}
