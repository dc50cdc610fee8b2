//! Training of the ability model: ridge regression on standardised logarithms, then corrections on rows it did not see.
//!
//! **Sign control.** An input of which more makes a merchant safer never lowers what the merchant is expected to take in, one of which
//! more is riskier never raises it: an input whose coefficient says otherwise is left out and the rest is fitted again. A missing value
//! never adds anything: at best it counts as the average one. So worse or missing evidence on such an input buys no limit.

use std::collections::BTreeMap;

use crate::domain::elementary::{exp_m1, ln_1p};
use linfa::prelude::*;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::predict::{AbilityInput, AbilityModel, SizeGroup, numbers, signed_ln};
use crate::model::Direction;
use crate::model::ModelError;
use crate::model::fit::Factor;
use crate::model::table::{Column, ScoringTable};

/// How the ability model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AbilitySettings {
    /// Share of outcomes that may fall below the lower figure.
    pub quantile: f64,
    /// Ridge strength, in rows: each coefficient is drawn to zero as if by so many rows.
    pub ridge: f64,
    /// Groups of predicted size that are corrected apart.
    pub groups: usize,
}

impl Default for AbilitySettings {
    fn default() -> Self {
        Self { quantile: 0.1, ridge: 3.0, groups: 4 }
    }
}

/// Rows to train on.
struct AbilityTable<'a> {
    features: ScoringTable,
    receipts_minor: &'a [i64],
    held_out: &'a [bool],
}

/// A trained ability model and what its training told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedAbility {
    /// The model.
    pub ability: AbilityModel,
    /// The report.
    pub report: AbilityReport,
}

/// What training tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbilityReport {
    /// Rows the regression saw.
    pub train_rows: usize,
    /// Rows the corrections saw.
    pub held_out_rows: usize,
    /// Share of the variance of `ln(1 + receipts)` explained on the held-out rows.
    pub r_squared: f64,
    /// Share of held-out rows below the lower figure.
    pub share_below_lower: f64,
    /// Sum of means over sum of receipts, held-out rows.
    pub mean_over_observed: f64,
    /// Inputs left out, with the reason.
    pub dropped: Vec<(String, String)>,
}

/// Rows whose receipts are known that each part needs.
pub(crate) const MIN_ROWS: usize = 30;

/// Trains the ability model on numeric `columns`, each with what more of it says about a merchant. `receipts_minor` are the net receipts of the next window in minor units, one a
/// row; negative ones count as 0, because nothing can be repaid from them. Rows with `held_out` (the later part of the time) are kept
/// from the regression and set mean and quantile.
///
/// # Errors
/// Lengths differ, too few rows in either part, infinite values, or no input that varies.
pub fn train_ability(
    columns: Vec<(Column, Direction)>,
    receipts_minor: &[i64],
    held_out: &[bool],
    settings: &AbilitySettings,
) -> Result<TrainedAbility, ModelError> {
    let (columns, directions): (Vec<Column>, Vec<Direction>) = columns.into_iter().unzip();
    let directions: BTreeMap<String, Direction> = columns.iter().map(|c| c.name.clone()).zip(directions).collect();
    let table = &AbilityTable { features: ScoringTable { columns }, receipts_minor, held_out };
    let n = table.receipts_minor.len();
    if !(settings.quantile > 0.0 && settings.quantile < 0.5 && settings.ridge > 0.0 && settings.groups > 0) {
        return Err(ModelError::BadSetting {
            setting: "ability",
            why: "0 < quantile < 0.5, ridge above 0, at least one group".to_owned(),
        });
    }
    if table.held_out.len() != n || table.features.columns.iter().any(|c| c.len() != n) {
        return Err(ModelError::CannotTrain { why: "features, receipts and flags differ in length".to_owned() });
    }
    let part = |held: bool| -> Vec<usize> {
        table.held_out.iter().enumerate().filter(|(_, h)| **h == held).map(|(i, _)| i).collect()
    };
    let (train, held_out) = (part(false), part(true));
    if train.len() < MIN_ROWS || held_out.len() < MIN_ROWS {
        let why = format!(
            "{} rows to fit and {} held out: at least {MIN_ROWS} of each are needed for ability",
            train.len(),
            held_out.len()
        );
        return Err(ModelError::CannotTrain { why });
    }
    let target: Vec<f64> = table.receipts_minor.iter().map(|&r| ln_1p(r.max(0) as f64)).collect();
    let (mut inputs, mut columns, mut dropped) = standardise(table, &train)?;
    let coefficients = loop {
        if inputs.is_empty() {
            let why = "no feature of the ability model varies, or none says what its direction says".to_owned();
            return Err(ModelError::CannotTrain { why });
        }
        let coefficients = regress(&columns, &target, &train, settings.ridge)?;
        let keep = |(input, pair): (&AbilityInput, &[f64])| {
            agrees(directions.get(&input.name).copied(), pair.first().copied().unwrap_or_default())
        };
        let keeps: Vec<bool> = inputs.iter().zip(coefficients.chunks(2)).map(keep).collect();
        if keeps.iter().all(|keep| *keep) {
            break coefficients;
        }
        for (input, _) in inputs.iter().zip(&keeps).filter(|(_, keep)| !**keep) {
            dropped.push((input.name.clone(), "its coefficient contradicts its direction".to_owned()));
        }
        inputs = kept(inputs, &keeps);
        columns = kept(columns, &keeps);
    };
    let mean: f64 = train.iter().filter_map(|&i| target.get(i)).sum::<f64>() / train.len() as f64;
    let mut intercept = mean;
    for (input, (column, pair)) in inputs.iter_mut().zip(columns.iter().zip(coefficients.chunks(2))) {
        input.coefficient = pair.first().copied().unwrap_or_default();
        // The missing indicator was centred: its mean share goes to the intercept. What is unknown never speaks for a merchant.
        let weight = pair.get(1).copied().unwrap_or_default().min(0.0);
        input.missing = weight;
        intercept -= weight * column.missing_share;
    }
    let ceiling = train.iter().filter_map(|&i| target.get(i)).fold(0.0_f64, |m, &v| m.max(v));
    let mut model =
        AbilityModel { format: 1, inputs, intercept, ceiling, quantile: settings.quantile, groups: Vec::new() };
    let logarithms = model.logarithms(&table.features)?;
    model.groups = correct(&logarithms, &target, table.receipts_minor, &held_out, settings);
    let report = judge(&model, table, &logarithms, &target, &held_out, train.len(), dropped)?;
    Ok(TrainedAbility { ability: model, report })
}

/// Whether a coefficient says of an input what its direction says.
fn agrees(direction: Option<Direction>, coefficient: f64) -> bool {
    match direction {
        Some(Direction::HigherSafer) => coefficient >= 0.0,
        Some(Direction::LowerSafer) => coefficient <= 0.0,
        Some(Direction::Either) | None => true,
    }
}

fn kept<T>(all: Vec<T>, keeps: &[bool]) -> Vec<T> {
    all.into_iter().zip(keeps).filter_map(|(item, keep)| keep.then_some(item)).collect()
}

/// A standardised input over all rows.
struct Standard {
    values: Vec<f64>,
    missing: Vec<bool>,
    missing_share: f64,
}

type Standardised = (Vec<AbilityInput>, Vec<Standard>, Vec<(String, String)>);

fn standardise(table: &AbilityTable<'_>, train: &[usize]) -> Result<Standardised, ModelError> {
    let (mut inputs, mut columns, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    for column in &table.features.columns {
        let raw = numbers(column)?;
        let known: Vec<f64> =
            train.iter().filter_map(|&i| raw.get(i)).filter(|x| !x.is_nan()).map(|&x| signed_ln(x)).collect();
        let count = known.len().max(1) as f64;
        let centre = known.iter().sum::<f64>() / count;
        let spread = (known.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / count).sqrt();
        if known.len() < MIN_ROWS || spread.is_nan() || spread < 1e-9 {
            dropped.push((column.name.clone(), format!("{} known values that do not vary", known.len())));
            continue;
        }
        let standard = |x: f64| if x.is_nan() { 0.0 } else { (signed_ln(x) - centre) / spread };
        let (low, high) = known
            .iter()
            .map(|v| (v - centre) / spread)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let missing_share = 1.0 - count / train.len() as f64;
        columns.push(Standard {
            values: raw.iter().map(|&x| standard(x).clamp(low, high)).collect(),
            missing: raw.iter().map(|x| x.is_nan()).collect(),
            missing_share,
        });
        inputs.push(AbilityInput {
            name: column.name.clone(),
            centre,
            spread,
            low,
            high,
            coefficient: 0.0,
            missing: 0.0,
        });
    }
    Ok((inputs, columns, dropped))
}

/// Ridge regression without intercept on centred columns, by the normal equations; the ridge keeps them regular where columns are collinear.
/// linfa's least squares, whose last bits differ by processor, must agree.
fn regress(columns: &[Standard], target: &[f64], train: &[usize], ridge: f64) -> Result<Vec<f64>, ModelError> {
    let width = columns.len() * 2;
    let mean = train.iter().filter_map(|&i| target.get(i)).sum::<f64>() / train.len() as f64;
    let rows = Rows { columns, target, mean };
    // Blocks of fixed size, added up in their order: the same sums for any number of threads.
    let parts: Vec<Normal> = train.par_chunks(BLOCK).map(|block| rows.normal(block, width)).collect();
    let mut normal = Normal::empty(width);
    for part in &parts {
        normal.add(part);
    }
    for k in 0..width {
        if let Some(diagonal) = normal.matrix.get_mut(k * width + k) {
            *diagonal += ridge;
        }
    }
    let factor = Factor::new(&normal.matrix, width).ok_or_else(|| ModelError::Solver {
        why: "the ability model's equations are not positive definite".to_owned(),
    })?;
    let mut coefficients = normal.right.clone();
    factor.solve(&mut coefficients);
    if coefficients.iter().any(|c| !c.is_finite()) {
        return Err(ModelError::Solver { why: "the ability model has coefficients that are not finite".to_owned() });
    }
    confirm(&rows, train, ridge, &coefficients, &normal)?;
    Ok(coefficients)
}

/// Rows whose sums are taken in one go.
const BLOCK: usize = 4_096;

/// Rows of the regression: each column's standardised value and its centred indicator of missing values.
struct Rows<'a> {
    columns: &'a [Standard],
    target: &'a [f64],
    mean: f64,
}

impl Rows<'_> {
    fn fill(&self, i: usize, row: &mut [f64]) -> f64 {
        for (pair, column) in row.chunks_exact_mut(2).zip(self.columns) {
            let missing = f64::from(u8::from(column.missing.get(i) == Some(&true)));
            let values = [column.values.get(i).copied().unwrap_or_default(), missing - column.missing_share];
            pair.copy_from_slice(&values);
        }
        self.target.get(i).copied().unwrap_or_default() - self.mean
    }

    fn normal(&self, rows: &[usize], width: usize) -> Normal {
        let mut normal = Normal::empty(width);
        let mut row = vec![0.0; width];
        for &i in rows {
            let y = self.fill(i, &mut row);
            for ((&a, line), right) in row.iter().zip(normal.matrix.chunks_mut(width.max(1))).zip(&mut normal.right) {
                *right += a * y;
                for (slot, &b) in line.iter_mut().zip(&row) {
                    *slot += a * b;
                }
            }
        }
        normal
    }
}

/// `XᵀX`, row-major, and `Xᵀy`.
struct Normal {
    matrix: Vec<f64>,
    right: Vec<f64>,
}

impl Normal {
    fn empty(width: usize) -> Self {
        Self { matrix: vec![0.0; width * width], right: vec![0.0; width] }
    }

    fn add(&mut self, other: &Self) {
        self.matrix.iter_mut().zip(&other.matrix).for_each(|(a, b)| *a += b);
        self.right.iter_mut().zip(&other.right).for_each(|(a, b)| *a += b);
    }

    /// `½ cᵀ(XᵀX)c − cᵀXᵀy`: the squared error, halved and up to a constant.
    fn objective(&self, c: &[f64]) -> f64 {
        let width = c.len().max(1);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let square: f64 = self.matrix.chunks(width).zip(c).map(|(line, x)| x * dot(line, c)).sum();
        0.5 * square - dot(c, &self.right)
    }
}

/// Relative lead of linfa's solution that stops a training: far above rounding.
const LEAD: f64 = 1e-6;

/// linfa's solution of the same problem must not be better. The ridge enters it as one extra row a coefficient.
fn confirm(
    rows: &Rows<'_>,
    train: &[usize],
    ridge: f64,
    coefficients: &[f64],
    normal: &Normal,
) -> Result<(), ModelError> {
    let width = coefficients.len();
    let mut x = Array2::<f64>::zeros((train.len() + width, width));
    let mut y = Array1::<f64>::zeros(train.len() + width);
    let mut values = vec![0.0; width];
    for ((mut row, slot), &i) in x.rows_mut().into_iter().zip(y.iter_mut()).zip(train) {
        *slot = rows.fill(i, &mut values);
        row.iter_mut().zip(&values).for_each(|(cell, v)| *cell = *v);
    }
    for (k, mut row) in x.rows_mut().into_iter().skip(train.len()).enumerate() {
        if let Some(slot) = row.get_mut(k) {
            *slot = ridge.sqrt();
        }
    }
    let fitted = LinearRegression::new()
        .with_intercept(false)
        .fit(&Dataset::new(x, y))
        .map_err(|e| ModelError::Solver { why: format!("linfa's linear regression: {e}") })?;
    let theirs: Vec<f64> = fitted.params().to_vec();
    let (ours, found) = (normal.objective(coefficients), normal.objective(&theirs));
    if found < ours - LEAD * ours.abs() {
        let why = format!("linfa's linear regression reached {found}, below our optimum of {ours}");
        return Err(ModelError::Solver { why });
    }
    Ok(())
}

fn correct(
    logarithms: &[f64],
    target: &[f64],
    receipts: &[i64],
    held_out: &[usize],
    settings: &AbilitySettings,
) -> Vec<SizeGroup> {
    let at = |i: usize| logarithms.get(i).copied().unwrap_or_default();
    let mut order = held_out.to_vec();
    order.sort_by(|&a, &b| at(a).total_cmp(&at(b)).then(a.cmp(&b)));
    // Every group needs rows enough for its quantile.
    let groups = settings.groups.min(order.len() / MIN_ROWS).max(1);
    let size = order.len().div_ceil(groups);
    let chunks: Vec<&[usize]> = order.chunks(size.max(1)).collect();
    let last = chunks.len() - 1;
    chunks
        .iter()
        .enumerate()
        .map(|(g, rows)| {
            let observed: f64 = rows.iter().filter_map(|&i| receipts.get(i)).map(|&r| r.max(0) as f64).sum();
            let predicted: f64 = rows.iter().map(|&i| exp_m1(at(i))).sum();
            let mut residuals: Vec<f64> =
                rows.iter().map(|&i| target.get(i).copied().unwrap_or_default() - at(i)).collect();
            residuals.sort_by(f64::total_cmp);
            // Conformal: the ⌊q(n + 1)⌋-th smallest residual, so that coverage holds for a new row too.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
            let rank = ((residuals.len() + 1) as f64 * settings.quantile).floor() as usize;
            let lower_shift = residuals.get(rank.saturating_sub(1)).copied().unwrap_or_default();
            SizeGroup {
                up_to: if g == last { None } else { rows.last().map(|&i| at(i)) },
                mean_factor: if predicted > 0.0 { observed / predicted } else { 1.0 },
                lower_shift,
                rows: rows.len(),
            }
        })
        .collect()
}

fn judge(
    model: &AbilityModel,
    table: &AbilityTable<'_>,
    logarithms: &[f64],
    target: &[f64],
    held_out: &[usize],
    train_rows: usize,
    dropped: Vec<(String, String)>,
) -> Result<AbilityReport, ModelError> {
    let estimates = model.predict(&table.features)?;
    let n = held_out.len() as f64;
    let value = |v: &[f64], i: usize| v.get(i).copied().unwrap_or_default();
    let mean = held_out.iter().map(|&i| value(target, i)).sum::<f64>() / n;
    let total: f64 = held_out.iter().map(|&i| (value(target, i) - mean).powi(2)).sum();
    let left: f64 = held_out.iter().map(|&i| (value(target, i) - value(logarithms, i)).powi(2)).sum();
    let receipt = |i: usize| table.receipts_minor.get(i).copied().unwrap_or_default().max(0);
    let below = held_out.iter().filter(|&&i| estimates.get(i).is_some_and(|e| receipt(i) < e.lower_minor)).count();
    let means: f64 = held_out.iter().filter_map(|&i| estimates.get(i)).map(|e| e.mean_minor as f64).sum();
    let observed: f64 = held_out.iter().map(|&i| receipt(i) as f64).sum();
    Ok(AbilityReport {
        train_rows,
        held_out_rows: held_out.len(),
        r_squared: if total > 0.0 { 1.0 - left / total } else { 0.0 },
        share_below_lower: below as f64 / n,
        mean_over_observed: if observed > 0.0 { means / observed } else { 0.0 },
        dropped,
    })
}
