//! Newton's method for the penalised problem, with a second derivative that is reused while it serves.

use super::cholesky::Factor;
use super::penalty::{Penalty, side};
use super::problem::Problem;
use crate::model::ModelError;

/// 1 / (1 + e^−x), without overflow.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// ln(1 + eˣ), without overflow.
fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

/// An optimum.
#[derive(Debug, Clone)]
pub struct Solution {
    /// All parameters, the intercept last.
    pub theta: Vec<f64>,
    /// Negative log likelihood plus penalty.
    pub objective: f64,
    /// Largest element of the gradient at the end, per unit of weight.
    pub gradient: f64,
    /// Steps taken.
    pub steps: usize,
}

/// Newton with memory: the factor of the last second derivative is kept between calls.
#[derive(Debug)]
pub struct Solver<'a> {
    problem: &'a Problem,
    /// Merged parameter of each parameter; parameters of one number are held equal.
    groups: Vec<usize>,
    merged: usize,
    curvature: Option<Vec<f64>>,
}

const MAX_STEPS: usize = 60;

impl<'a> Solver<'a> {
    /// A solver where every parameter is free.
    #[must_use]
    pub fn new(problem: &'a Problem) -> Self {
        let n = problem.codes.parameters() + 1;
        Self { problem, groups: (0..n).collect(), merged: n, curvature: None }
    }

    /// Holds parameters of equal number equal. The numbers are `0..`, without gaps, in order of first appearance.
    pub fn hold(&mut self, groups: Vec<usize>) {
        self.merged = groups.iter().max().map_or(0, |m| m + 1);
        self.groups = groups;
    }

    /// Merged parameter of each parameter.
    #[must_use]
    pub fn groups(&self) -> &[usize] {
        &self.groups
    }

    fn merge(&self, full: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.merged];
        for (&g, &v) in self.groups.iter().zip(full) {
            if let Some(o) = out.get_mut(g) {
                *o += v;
            }
        }
        out
    }

    /// Second derivative of the likelihood at `log_odds`.
    fn curve(&self, log_odds: &[f64]) -> Vec<f64> {
        let w: Vec<f64> = log_odds
            .iter()
            .enumerate()
            .map(|(i, &x)| {
                let p = sigmoid(x);
                (p * (1.0 - p)).max(1e-9) * self.weight(i)
            })
            .collect();
        self.problem.cross(&w)
    }

    fn weight(&self, row: usize) -> f64 {
        self.problem.weights.as_ref().and_then(|w| w.get(row)).copied().unwrap_or(1.0)
    }

    fn total_weight(&self) -> f64 {
        self.problem.weights.as_ref().map_or(self.problem.rows() as f64, |w| w.iter().sum())
    }

    fn factor(&self, penalty: &Penalty) -> Result<Factor, ModelError> {
        let curvature = self.curvature.as_deref().unwrap_or_default();
        let matrix = self.merged_matrix(curvature, penalty);
        Factor::new(&matrix, self.merged).ok_or_else(|| ModelError::Solver {
            why: format!("the curvature of {} parameters is not positive definite", self.merged),
        })
    }

    /// Curvature plus penalty over merged parameters.
    fn merged_matrix(&self, curvature: &[f64], penalty: &Penalty) -> Vec<f64> {
        let (n, q) = (self.groups.len(), self.merged);
        let mut matrix = vec![0.0; q * q];
        if q == n {
            matrix.copy_from_slice(curvature);
        } else {
            for (row, &gi) in curvature.chunks(n.max(1)).zip(&self.groups) {
                for (&value, &gj) in row.iter().zip(&self.groups) {
                    if let Some(m) = matrix.get_mut(gi * q + gj) {
                        *m += value;
                    }
                }
            }
        }
        let mut offset = 0;
        for block in &penalty.blocks {
            let k = side(block);
            let here = self.groups.get(offset..offset + k).unwrap_or_default();
            for (row, &gi) in block.chunks(k.max(1)).zip(here) {
                for (&value, &gj) in row.iter().zip(here) {
                    if let Some(m) = matrix.get_mut(gi * q + gj) {
                        *m += value;
                    }
                }
            }
            offset += k;
        }
        matrix
    }

    fn objective(&self, theta: &[f64], log_odds: &[f64], penalty: &Penalty) -> f64 {
        let fit: f64 = log_odds
            .iter()
            .zip(&self.problem.good)
            .enumerate()
            .map(|(i, (&x, &y))| self.weight(i) * (softplus(x) - y * x))
            .sum();
        let stray: f64 = penalty.times(theta).iter().zip(theta).map(|(a, b)| a * b).sum();
        fit + 0.5 * stray
    }

    /// The optimum from `start`, to a gradient of `tolerance` per unit of weight.
    ///
    /// # Errors
    /// No descent is possible: the data or the penalty is degenerate.
    pub fn solve(&mut self, start: &[f64], penalty: &Penalty, tolerance: f64) -> Result<Solution, ModelError> {
        let mut theta = self.evened(start);
        let mut log_odds = self.problem.log_odds(&theta);
        let mut objective = self.objective(&theta, &log_odds, penalty);
        let scale = self.total_weight().max(1.0);
        let mut factor: Option<Factor> = None;
        let mut last = f64::INFINITY;
        for steps in 0..MAX_STEPS {
            let residual: Vec<f64> = log_odds
                .iter()
                .zip(&self.problem.good)
                .enumerate()
                .map(|(i, (&x, &y))| self.weight(i) * (sigmoid(x) - y))
                .collect();
            let mut full = self.problem.gather(&residual);
            for (g, p) in full.iter_mut().zip(penalty.times(&theta)) {
                *g += p;
            }
            let slope = self.merge(&full);
            let gradient = slope.iter().fold(0.0_f64, |m, g| m.max(g.abs())) / scale;
            if !gradient.is_finite() {
                return Err(ModelError::Solver { why: "the gradient is not finite".to_owned() });
            }
            if gradient <= tolerance {
                return Ok(Solution { theta, objective, gradient, steps });
            }
            // A second derivative that no longer brings the gradient down fast is taken anew.
            if self.curvature.is_none() || (factor.is_some() && gradient > 0.3 * last) {
                self.curvature = Some(self.curve(&log_odds));
                factor = None;
            }
            last = gradient;
            let current = match factor.take() {
                Some(current) => current,
                None => self.factor(penalty)?,
            };
            let mut step = slope;
            current.solve(&mut step);
            factor = Some(current);
            let mut length = 1.0;
            let (next, next_odds, next_objective) = loop {
                let next: Vec<f64> = theta
                    .iter()
                    .zip(&self.groups)
                    .map(|(t, &g)| t - length * step.get(g).copied().unwrap_or_default())
                    .collect();
                let odds = self.problem.log_odds(&next);
                let value = self.objective(&next, &odds, penalty);
                if value <= objective + 1e-12 * objective.abs() || length < 1e-6 {
                    break (next, odds, value);
                }
                length /= 2.0;
            };
            if length < 1.0 {
                self.curvature = None;
            }
            let stalled = (objective - next_objective).abs() <= 1e-13 * objective.abs() && gradient < 1e-6;
            (theta, log_odds, objective) = (next, next_odds, next_objective);
            if stalled {
                return Ok(Solution { theta, objective, gradient, steps });
            }
        }
        Err(ModelError::Solver { why: format!("no optimum within {MAX_STEPS} steps: the outcome may be separated") })
    }

    /// Parameters held equal start from their mean.
    fn evened(&self, start: &[f64]) -> Vec<f64> {
        if self.merged == self.groups.len() {
            return start.to_vec();
        }
        let (sums, ones) = (self.merge(start), self.merge(&vec![1.0; start.len()]));
        let mean = |g: usize| sums.get(g).zip(ones.get(g)).map_or(0.0, |(s, n)| s / n.max(1.0));
        self.groups.iter().map(|&g| mean(g)).collect()
    }

    /// Second derivative plus penalty at the optimum over merged parameters, fresh.
    #[must_use]
    pub fn information(&self, theta: &[f64], penalty: &Penalty) -> (Vec<f64>, usize) {
        let curvature = self.curve(&self.problem.log_odds(theta));
        (self.merged_matrix(&curvature, penalty), self.merged)
    }
}

/// Largest element of the gradient over merged parameters, per unit of weight.
pub(super) fn gradient_at(problem: &Problem, groups: &[usize], penalty: &Penalty, theta: &[f64]) -> f64 {
    let mut solver = Solver::new(problem);
    solver.hold(groups.to_vec());
    let residual: Vec<f64> = problem
        .log_odds(theta)
        .iter()
        .zip(&problem.good)
        .enumerate()
        .map(|(i, (&x, &y))| solver.weight(i) * (sigmoid(x) - y))
        .collect();
    let mut full = problem.gather(&residual);
    for (g, p) in full.iter_mut().zip(penalty.times(theta)) {
        *g += p;
    }
    solver.merge(&full).iter().fold(0.0_f64, |m, g| m.max(g.abs())) / solver.total_weight().max(1.0)
}
