//! An independent fit of every member: linfa's logistic regression, started at our solution, must not find a better optimum.
//!
//! linfa adds up with kernels that it picks by processor (matrixmultiply) and calls the C library's exponential, so that its coefficients
//! differ in their last bits from machine to machine. What is published is therefore our own solution, and nothing that linfa says goes into a
//! file: it either agrees to a tolerance far above such differences, or training stops.
//!
//! linfa knows one ridge strength for all coefficients and no weights. The penalised problem becomes exactly that after a
//! change of variables: with the penalty block of a term factored as `L Lᵀ`, the coefficients `s = Lᵀ θ` have the penalty
//! `½ sᵀs`, and the design row of a bin is `L⁻¹ e_bin`. Where the dense design would not fit the budget, or rows carry weights,
//! there is no second fit; the record says so.

use linfa::prelude::*;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::cholesky::Factor;
use super::penalised::{Solution, objective_at};
use super::penalty::{Penalty, side};
use super::problem::Problem;
use crate::model::ModelError;

/// Cells of the dense design linfa is given at most (8 bytes each).
const MAX_CELLS: usize = 24_000_000;

/// Relative lead of linfa's objective that stops a training: far above rounding, far below what moves a point.
const LEAD: f64 = 1e-6;

/// How well the coefficients are known to be the optimum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SolverCheck {
    /// Largest element of the gradient at the end, per row.
    pub gradient: f64,
    /// Whether linfa fitted the same problem, and found nothing better.
    pub confirmed_by_linfa: bool,
    /// Why linfa was not asked.
    pub why_not: Option<String>,
}

impl SolverCheck {
    /// A solution that linfa was not asked about.
    pub(crate) fn alone(gradient: f64, why: &str) -> Self {
        Self { gradient, confirmed_by_linfa: false, why_not: Some(why.to_owned()) }
    }
}

/// Has linfa fit the same problem, from `solution`.
///
/// # Errors
/// linfa refuses the problem, or finds a better optimum.
pub fn confirm(
    problem: &Problem,
    groups: &[usize],
    penalty: &Penalty,
    solution: &Solution,
) -> Result<SolverCheck, ModelError> {
    let alone = |why: &str| Ok(SolverCheck::alone(solution.gradient, why));
    if problem.weights.is_some() {
        return alone("rows carry weights, which linfa ignores");
    }
    if problem.offset.is_some() {
        return alone("rows carry an offset, which linfa does not know");
    }
    let merged = groups.iter().max().map_or(0, |m| m + 1);
    let columns = merged.saturating_sub(1);
    if problem.rows().saturating_mul(columns) > MAX_CELLS {
        return alone("the dense design that linfa needs is larger than the memory allowed");
    }
    let failed = |why: String| ModelError::Solver { why };
    let terms = terms(problem, groups, penalty)?;
    let mut design = Array2::<f64>::zeros((problem.rows(), columns));
    let mut start = Array1::<f64>::zeros(columns + 1);
    for (term, codes) in terms.iter().zip(&problem.codes.columns) {
        for (mut row, &code) in design.rows_mut().into_iter().zip(codes) {
            let values = term.rows.get(usize::from(code)).map_or(&[][..], Vec::as_slice);
            for (slot, &v) in row.iter_mut().skip(term.first).zip(values) {
                *slot = v;
            }
        }
        for (slot, v) in start.iter_mut().skip(term.first).zip(term.coefficients(&solution.theta)) {
            *slot = v;
        }
    }
    if let (Some(slot), Some(&intercept)) = (start.get_mut(columns), solution.theta.last()) {
        *slot = intercept;
    }
    // linfa takes the more frequent class, or on a tie the first one met, as positive; we model good.
    let good_rows = problem.good.iter().filter(|g| **g > 0.5).count();
    let first_good = problem.good.first().is_some_and(|g| *g > 0.5);
    let good_is_positive = 2 * good_rows > problem.rows() || (2 * good_rows == problem.rows() && first_good);
    let sign = if good_is_positive { 1.0 } else { -1.0 };
    let classes = Array1::from_iter(problem.good.iter().map(|g| *g > 0.5));
    let attempt = LogisticRegression::default()
        .alpha(1.0)
        .max_iterations(50)
        .gradient_tolerance(1e-6 * problem.rows() as f64)
        .initial_params(start.mapv(|v| v * sign))
        .fit(&Dataset::new(design, classes));
    let confirmed = SolverCheck { gradient: solution.gradient, confirmed_by_linfa: true, why_not: None };
    // At the optimum its line search may find no step that helps, and says so as an error: that is agreement.
    let Ok(fitted) = attempt else { return Ok(confirmed) };
    if fitted.labels().pos.class != good_is_positive {
        return Err(failed("linfa took another class as positive than its counts say".to_owned()));
    }
    let coefficients: Vec<f64> = fitted.params().iter().map(|v| v * sign).collect();
    let mut theta = solution.theta.clone();
    for term in &terms {
        term.write_values(&coefficients, &mut theta);
    }
    if let Some(last) = theta.last_mut() {
        *last = fitted.intercept() * sign;
    }
    let found = objective_at(problem, penalty, &theta);
    if found < solution.objective - LEAD * solution.objective.abs() {
        let why = format!("linfa reached {found}, below our optimum of {}", solution.objective);
        return Err(failed(why));
    }
    Ok(confirmed)
}

/// One term in linfa's coordinates.
struct Term {
    /// First column of the design.
    first: usize,
    /// Merged parameters of the term: global number of each.
    members: Vec<usize>,
    /// Positions in theta, with the local merged number of each.
    positions: Vec<(usize, usize)>,
    /// Design row of each code.
    rows: Vec<Vec<f64>>,
    /// Factor of the merged penalty.
    factor: Factor,
}

impl Term {
    fn coefficients(&self, theta: &[f64]) -> Vec<f64> {
        let k = self.members.len();
        let mut values = vec![0.0; k];
        for &(position, local) in &self.positions {
            if let (Some(v), Some(&t)) = (values.get_mut(local), theta.get(position)) {
                *v = t;
            }
        }
        // s = Lᵀ θ
        (0..k)
            .map(|j| {
                values.iter().enumerate().map(|(i, v)| self.factor.lower().get(i * k + j).unwrap_or(&0.0) * v).sum()
            })
            .collect()
    }

    fn write_values(&self, coefficients: &[f64], theta: &mut [f64]) {
        let k = self.members.len();
        let mut values = coefficients.get(self.first..self.first + k).unwrap_or_default().to_vec();
        self.factor.backward(&mut values);
        for &(position, local) in &self.positions {
            if let (Some(t), Some(&v)) = (theta.get_mut(position), values.get(local)) {
                *t = v;
            }
        }
    }
}

fn terms(problem: &Problem, groups: &[usize], penalty: &Penalty) -> Result<Vec<Term>, ModelError> {
    let mut terms = Vec::new();
    let (mut offset, mut first) = (0, 0);
    for block in &penalty.blocks {
        let width = side(block);
        let here = groups.get(offset..offset + width).unwrap_or_default();
        let mut members: Vec<usize> = Vec::new();
        let mut positions = Vec::new();
        for (i, &g) in here.iter().enumerate() {
            let local = members.iter().position(|m| *m == g).unwrap_or_else(|| {
                members.push(g);
                members.len() - 1
            });
            positions.push((offset + i, local));
        }
        let k = members.len();
        let mut matrix = vec![0.0; k * k];
        for (row, &(_, a)) in block.chunks(width.max(1)).zip(&positions) {
            for (&value, &(_, b)) in row.iter().zip(&positions) {
                if let Some(m) = matrix.get_mut(a * k + b) {
                    *m += value;
                }
            }
        }
        let factor = Factor::new(&matrix, k)
            .ok_or_else(|| ModelError::Solver { why: "a penalty block is not positive definite".to_owned() })?;
        let rows = positions
            .iter()
            .map(|&(_, local)| {
                let mut unit = vec![0.0; k];
                if let Some(u) = unit.get_mut(local) {
                    *u = 1.0;
                }
                factor.forward(&mut unit);
                unit
            })
            .collect();
        terms.push(Term { first, members, positions, rows, factor });
        offset += width;
        first += k;
    }
    debug_assert_eq!(offset, problem.codes.parameters());
    Ok(terms)
}
