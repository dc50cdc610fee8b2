//! The penalised problem for Newton's method, with a second derivative that is reused while it serves.

use super::cholesky::Factor;
use super::penalty::{Penalty, side};
use super::problem::Problem;
use crate::domain::elementary::{sigmoid, sigmoid_and_softplus};
use crate::model::ModelError;
use crate::model::newton::{Convex, minimise};

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

/// Solves one problem under several penalties; the last second derivative is kept between calls.
#[derive(Debug)]
pub struct Solver<'a> {
    problem: &'a Problem,
    /// Merged parameter of each parameter; parameters of one number are held equal.
    groups: Vec<usize>,
    merged: usize,
    curvature: Option<Vec<f64>>,
}

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

    /// Second derivative of the likelihood where rows have these probabilities of being good.
    fn curve(&self, probs: &[f64]) -> Vec<f64> {
        let w: Vec<f64> = probs.iter().enumerate().map(|(i, &p)| (p * (1.0 - p)).max(1e-9) * self.weight(i)).collect();
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

    /// The objective, and each row's probability of being good.
    fn look(&self, theta: &[f64], penalty: &Penalty) -> Seen {
        let log_odds = self.problem.log_odds(theta);
        let mut probs = Vec::with_capacity(log_odds.len());
        let loss = |(i, (&x, &y)): (usize, (&f64, &f64))| {
            let (p, softplus) = sigmoid_and_softplus(x);
            probs.push(p);
            self.weight(i) * (softplus - y * x)
        };
        let fit: f64 = log_odds.iter().zip(&self.problem.good).enumerate().map(loss).sum();
        let stray: f64 = penalty.times(theta).iter().zip(theta).map(|(a, b)| a * b).sum();
        Seen { probs, objective: fit + 0.5 * stray }
    }

    /// The optimum from `start`, to a gradient of `tolerance` per unit of weight.
    ///
    /// # Errors
    /// No descent is possible: the data or the penalty is degenerate.
    pub fn solve(&mut self, start: &[f64], penalty: &Penalty, tolerance: f64) -> Result<Solution, ModelError> {
        let theta = self.evened(start);
        let scale = self.total_weight().max(1.0);
        let mut search = Search {
            solver: self,
            penalty,
            tolerance,
            scale,
            factor: None,
            gradient: f64::INFINITY,
            before: f64::INFINITY,
        };
        let found = minimise(&mut search, theta)?;
        Ok(Solution { theta: found.at, objective: found.seen.objective, gradient: search.gradient, steps: found.steps })
    }

    /// Derivative of the objective by the merged parameters.
    fn slope(&self, theta: &[f64], probs: &[f64], penalty: &Penalty) -> Vec<f64> {
        let residual: Vec<f64> =
            probs.iter().zip(&self.problem.good).enumerate().map(|(i, (&p, &y))| self.weight(i) * (p - y)).collect();
        let mut full = self.problem.gather(&residual);
        for (g, p) in full.iter_mut().zip(penalty.times(theta)) {
            *g += p;
        }
        self.merge(&full)
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
        let probs: Vec<f64> = self.problem.log_odds(theta).into_iter().map(sigmoid).collect();
        let curvature = self.curve(&probs);
        (self.merged_matrix(&curvature, penalty), self.merged)
    }
}

/// One search for the optimum.
struct Search<'s, 'a> {
    solver: &'s mut Solver<'a>,
    penalty: &'s Penalty,
    tolerance: f64,
    /// Weight of all rows.
    scale: f64,
    factor: Option<Factor>,
    /// Largest element of the last gradient per unit of weight.
    gradient: f64,
    /// The objective before the last step.
    before: f64,
}

/// A point with every row's probability of being good.
struct Seen {
    probs: Vec<f64>,
    objective: f64,
}

impl Convex for Search<'_, '_> {
    type Seen = Seen;
    type Error = ModelError;

    fn look(&self, at: &[f64]) -> Seen {
        self.solver.look(at, self.penalty)
    }

    fn value(&self, seen: &Seen) -> f64 {
        seen.objective
    }

    fn step(&mut self, at: &[f64], seen: &Seen) -> Result<Option<Vec<f64>>, ModelError> {
        let slope = self.solver.slope(at, &seen.probs, self.penalty);
        let last = std::mem::replace(&mut self.gradient, largest(&slope) / self.scale);
        if !self.gradient.is_finite() {
            return Err(ModelError::Solver { why: "the gradient is not finite".to_owned() });
        }
        let stalled = (self.before - seen.objective).abs() <= 1e-13 * seen.objective.abs() && last < 1e-6;
        if self.gradient <= self.tolerance || stalled {
            return Ok(None);
        }
        self.before = seen.objective;
        // A second derivative that no longer brings the gradient down fast is computed again.
        if self.solver.curvature.is_none() || (self.factor.is_some() && self.gradient > 0.3 * last) {
            self.solver.curvature = Some(self.solver.curve(&seen.probs));
            self.factor = None;
        }
        let factor = match self.factor.take() {
            Some(factor) => factor,
            None => self.solver.factor(self.penalty)?,
        };
        let mut step = slope;
        factor.solve(&mut step);
        self.factor = Some(factor);
        Ok(Some(self.solver.groups.iter().map(|&g| step.get(g).copied().unwrap_or_default()).collect()))
    }

    fn overshot(&mut self) {
        self.solver.curvature = None;
    }

    fn not_converged(&self, steps: usize) -> ModelError {
        ModelError::Solver { why: format!("no optimum within {steps} steps: the outcome may be separated") }
    }
}

fn largest(slope: &[f64]) -> f64 {
    slope.iter().fold(0.0_f64, |m, g| m.max(g.abs()))
}

/// The penalised objective at any parameters.
pub(super) fn objective_at(problem: &Problem, penalty: &Penalty, theta: &[f64]) -> f64 {
    Solver::new(problem).look(theta, penalty).objective
}
