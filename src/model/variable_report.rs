//! What the report says of each variable of the model.

use crate::domain::distributions::normal_two_sided;
use crate::domain::elementary::ln;

use super::assemble::Fitted;
use super::bag::Bag;
use super::binning::{Bin, Cell, separation};
use super::error::ModelError;
use super::fit::{Covariance, Sampling, Solver};
use super::prepare::Prepared;
use super::report::{Coefficient, InferenceReport, VariableReport};
use super::scorecard::{Scorecard, ScoredVariable};
use super::selection::Candidate;
use super::sign::{Order, solve_signed};
use super::table::TrainingTable;
use super::terms;

/// Gradient (per row) of the optimum that errors are taken at.
const TOLERANCE: f64 = 1e-7;
/// 97.5 % point of the normal distribution.
const TWO_SIDED_95: f64 = 1.959_963_984_540_054;
const METHOD: &str = "sandwich H⁻¹ J H⁻¹ at the penalised optimum over the card's bins, H the second derivative of likelihood and \
                      penalty, J the spread of the scores; given bins, strength, tables and the equalities of sign control, so that intervals \
                      cover the penalised target and lean towards confidence";

/// Estimates with their covariance.
pub struct Inference {
    theta: Vec<f64>,
    covariance: Covariance,
    /// How they were come by.
    pub report: InferenceReport,
}

/// Solves the penalised problem over the card's bins, beside its tables, and takes the sandwich there.
///
/// # Errors
/// The penalised second derivative is not positive definite.
pub fn inference(fitted: &Fitted, table: &TrainingTable, bag: &Bag) -> Result<Inference, ModelError> {
    let parameters = fitted.mains.codes.parameters();
    let mut problem = fitted.mains.clone();
    problem.offset = table_log_odds(fitted);
    let offsets = problem.codes.offsets();
    let penalty = terms::penalty(&fitted.candidates, bag.strength);
    let mut start = fitted.theta.get(..parameters).unwrap_or_default().to_vec();
    start.extend(fitted.theta.last());
    let mut solver = Solver::new(&problem);
    let solved = solve_signed(&mut solver, &offsets, &fitted.orders, &start, &penalty, TOLERANCE);
    let groups = solver.groups().to_vec();
    let (theta, gradient, why_not_at_optimum) = match solved {
        Ok(solution) => (solution.theta, Some(solution.gradient), None),
        Err(e) => (start, None, Some(e.to_string())),
    };
    let of = |groups: &Vec<u64>| fitted.sample.iter().filter_map(|&r| groups.get(r as usize).copied()).collect();
    let clusters: Option<Vec<u64>> = table.groups.as_ref().map(of);
    let sampling = Sampling { clusters: clusters.as_deref(), stands_for: fitted.stands_for };
    let covariance = Covariance::sandwich(&problem, &groups, &penalty, &theta, sampling)?;
    let report = InferenceReport {
        method: METHOD.to_owned(),
        gradient,
        rows: fitted.sample.len(),
        clustered: clusters.is_some(),
        why_not_at_optimum,
    };
    Ok(Inference { theta, covariance, report })
}

/// Log odds that the card's tables give each row.
fn table_log_odds(fitted: &Fitted) -> Option<Vec<f64>> {
    let first = fitted.mains.codes.columns.len();
    let offsets = fitted.problem.codes.offsets();
    let cells = || fitted.problem.codes.columns.iter().zip(&offsets).skip(first);
    cells().next()?;
    let mut out = vec![0.0; fitted.sample.len()];
    for (codes, offset) in cells() {
        for (o, &code) in out.iter_mut().zip(codes) {
            *o += fitted.theta.get(offset + usize::from(code)).copied().unwrap_or_default();
        }
    }
    Some(out)
}

/// A figure with its error.
struct Estimate {
    value: f64,
    error: f64,
    p_value: f64,
    interval: (f64, f64),
}

impl Inference {
    /// Σ weight × parameter over one term.
    fn estimate(&self, offset: usize, weights: &[f64]) -> Estimate {
        let mut contrast = vec![0.0; self.theta.len()];
        for (slot, &w) in contrast.iter_mut().skip(offset).zip(weights) {
            *slot = w;
        }
        let value = contrast.iter().zip(&self.theta).map(|(c, t)| c * t).sum::<f64>();
        let error = self.covariance.error(&contrast);
        let p_value = match (error > 0.0, value.abs() > 0.0) {
            (true, _) => normal_two_sided(value / error),
            (false, true) => 0.0,
            (false, false) => 1.0,
        };
        let half = TWO_SIDED_95 * error;
        Estimate { value, error, p_value, interval: (value - half, value + half) }
    }

    /// Each bin that holds rows against the average row.
    fn coefficients(&self, bins: &[Bin], offset: usize) -> Vec<Coefficient> {
        let rows: f64 = bins.iter().map(|b| b.rows).sum();
        let shares: Vec<f64> = bins.iter().map(|b| b.rows / rows.max(f64::MIN_POSITIVE)).collect();
        let seen = bins.iter().enumerate().filter(|(_, b)| b.rows > 0.0);
        seen.map(|(at, bin)| {
            let own = |k: usize| if k == at { 1.0 } else { 0.0 };
            let weights: Vec<f64> = shares.iter().enumerate().map(|(k, share)| own(k) - share).collect();
            let Estimate { value, error, p_value, interval } = self.estimate(offset, &weights);
            Coefficient { bin: bin.label.clone(), log_odds: value, sandwich_error: error, p_value, interval }
        })
        .collect()
    }
}

/// One report a variable, in the card's order.
pub fn variable_reports(
    fitted: &Fitted,
    offsets: &[usize],
    scorecard: &Scorecard,
    prepared: &Prepared,
    test_rows: &[u32],
    inference: &Inference,
) -> Vec<VariableReport> {
    let test_codes = terms::codes(&fitted.candidates, &prepared.columns, test_rows);
    let empty = Order::default();
    let of = |(at, ((candidate, variable), &offset)): (usize, ((&Candidate, &ScoredVariable), &usize))| {
        let bins = &candidate.binned.bins;
        let cells: Vec<Cell> = bins.bins.iter().map(Bin::cell).collect();
        let slope = inference.estimate(offset, &loading(&bins.bins));
        let seen = cells.iter().zip(&variable.points).filter(|(c, _)| c.rows > 0.0).map(|(_, p)| *p);
        let points_range = seen.clone().max().unwrap_or(0) - seen.min().unwrap_or(0);
        let (ks, chi_square) = separation(&cells);
        VariableReport {
            variable: bins.name.clone(),
            iv: bins.iv,
            ks,
            chi_square,
            trend: bins.trend,
            signs_agree: in_order(fitted.orders.get(at).unwrap_or(&empty), &variable.points),
            stability_index: (!test_rows.is_empty())
                .then(|| stability(&cells, test_codes.columns.get(at).map_or(&[][..], Vec::as_slice))),
            slope: slope.value,
            slope_error: slope.error,
            p_value: slope.p_value,
            interval: slope.interval,
            coefficients_at_penalised_optimum: inference.coefficients(&bins.bins, offset),
            points_range,
        }
    };
    fitted.candidates.iter().zip(&scorecard.variables).zip(offsets).enumerate().map(of).collect()
}

/// Weights that make a term's values their slope on the weight of evidence, rows as weights.
fn loading(bins: &[Bin]) -> Vec<f64> {
    let rows: f64 = bins.iter().map(|b| b.rows).sum();
    let mean = bins.iter().map(|b| b.rows * b.woe).sum::<f64>() / rows.max(1.0);
    let spread: f64 = bins.iter().map(|b| b.rows * (b.woe - mean).powi(2)).sum();
    bins.iter().map(|b| b.rows * (b.woe - mean) / spread.max(1e-12)).collect()
}

/// Whether points rise along the weight of evidence.
fn in_order(order: &Order, points: &[i32]) -> bool {
    let value = |i: &usize| points.get(*i).copied().unwrap_or_default();
    order.bins.iter().zip(order.bins.iter().skip(1)).all(|(a, b)| value(a) <= value(b))
}

/// Population stability index of the bins; empty bins count as half a row.
fn stability(cells: &[Cell], test: &[u8]) -> f64 {
    let rows: f64 = cells.iter().map(|c| c.rows).sum();
    let mut counts = vec![0.0_f64; cells.len()];
    for &code in test {
        if let Some(n) = counts.get_mut(usize::from(code)) {
            *n += 1.0;
        }
    }
    cells
        .iter()
        .zip(counts)
        .filter(|(c, n)| c.rows > 0.0 || *n > 0.0)
        .map(|(c, n)| {
            let expected = c.rows.max(0.5) / rows;
            let actual = n.max(0.5) / test.len() as f64;
            (actual - expected) * ln(actual / expected)
        })
        .sum()
}
