//! Maximum likelihood of the small logistic fits: calibration lines and maps of two or three parameters.

use super::error::Undefined;
use super::ranked::Tie;
use crate::domain::elementary::{logit, sigmoid, softplus};
use crate::model::fit::Factor;
use crate::model::newton::{Convex, Optimum, minimise};

/// One tie: its features (the first is the constant 1), goods and bads.
type Row<const D: usize> = ([f64; D], f64, f64);

/// A step smaller than this part of every parameter says that the optimum is reached.
const TOLERANCE: f64 = 1e-11;

/// Maximises the binomial likelihood of `sigmoid(Σ weight × feature)` over ties. The first feature must be the constant 1.
///
/// The other features are centred and scaled inside, so that their units do not matter to the solver. The search starts from the flat line,
/// where every predicted probability is the bad rate: its first step is well conditioned however extreme the odds.
///
/// # Errors
/// Features that do not vary or say the same thing, or outcomes that they separate.
pub(crate) fn fit<const D: usize>(ties: &[Tie], features: impl Fn(f64) -> [f64; D]) -> Result<[f64; D], Undefined> {
    let mut rows: Vec<Row<D>> = ties.iter().map(|tie| (features(tie.pd), tie.good, tie.bad)).collect();
    let (centre, scale) = standardise(&mut rows)?;
    let total: f64 = rows.iter().map(|(_, good, bad)| good + bad).sum();
    let bads: f64 = rows.iter().map(|(_, _, bad)| bad).sum();
    let mut start = vec![0.0; D];
    if let Some(intercept) = start.first_mut() {
        *intercept = logit(bads / total);
    }
    let Optimum { at, .. } = minimise(&mut Likelihood { rows: &rows }, start)?;
    let beta = <[f64; D]>::try_from(at).map_err(|_| Undefined::NotConverged)?;
    Ok(unscaled(beta, &centre, &scale))
}

/// The negative log likelihood of rows.
struct Likelihood<'a, const D: usize> {
    rows: &'a [Row<D>],
}

impl<const D: usize> Convex for Likelihood<'_, D> {
    /// Log odds of each row.
    type Seen = Vec<f64>;
    type Error = Undefined;

    fn look(&self, at: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|(x, _, _)| x.iter().zip(at).map(|(a, b)| a * b).sum()).collect()
    }

    fn value(&self, log_odds: &Vec<f64>) -> f64 {
        let each = self.rows.iter().zip(log_odds);
        each.map(|((_, good, bad), &odds)| good * softplus(odds) + bad * softplus(-odds)).sum()
    }

    fn step(&mut self, at: &[f64], log_odds: &Vec<f64>) -> Result<Option<Vec<f64>>, Undefined> {
        let mut gradient = vec![0.0; D];
        let mut information = vec![0.0; D * D];
        for ((x, good, bad), &odds) in self.rows.iter().zip(log_odds) {
            let p = sigmoid(odds);
            let residual = good * p - bad * (1.0 - p);
            let spread = (good + bad) * p * (1.0 - p);
            for ((g, row), xi) in gradient.iter_mut().zip(information.chunks_mut(D.max(1))).zip(x) {
                *g += residual * xi;
                for (h, xj) in row.iter_mut().zip(x) {
                    *h += spread * xi * xj;
                }
            }
        }
        // No factor means that the features say the same thing, or that the outcome is separated.
        let factor = Factor::new(&information, D).ok_or(Undefined::NotConverged)?;
        let mut step = gradient;
        factor.solve(&mut step);
        if step.iter().any(|s| !s.is_finite()) {
            return Err(Undefined::NotConverged);
        }
        let reached = step.iter().zip(at).all(|(s, b)| s.abs() <= TOLERANCE * (1.0 + b.abs()));
        Ok((!reached).then_some(step))
    }

    fn not_converged(&self, _: usize) -> Undefined {
        Undefined::NotConverged
    }
}

/// Centres and scales all features but the constant; returns what was taken away and divided by.
fn standardise<const D: usize>(rows: &mut [Row<D>]) -> Result<([f64; D], [f64; D]), Undefined> {
    let total: f64 = rows.iter().map(|(_, good, bad)| good + bad).sum();
    let mut centre = [0.0; D];
    let mut scale = [1.0; D];
    for (k, (centre, scale)) in centre.iter_mut().zip(&mut scale).enumerate().skip(1) {
        let value = |x: &[f64; D]| x.get(k).copied().unwrap_or(0.0);
        *centre = rows.iter().map(|(x, good, bad)| (good + bad) * value(x)).sum::<f64>() / total;
        let variance =
            rows.iter().map(|(x, good, bad)| (good + bad) * (value(x) - *centre).powi(2)).sum::<f64>() / total;
        *scale = variance.sqrt();
        if *scale <= 1e-12 * (1.0 + centre.abs()) {
            return Err(Undefined::ConstantPrediction);
        }
    }
    for (x, _, _) in rows {
        for ((x, centre), scale) in x.iter_mut().zip(&centre).zip(&scale) {
            *x = (*x - centre) / scale;
        }
    }
    Ok((centre, scale))
}

fn unscaled<const D: usize>(mut beta: [f64; D], centre: &[f64; D], scale: &[f64; D]) -> [f64; D] {
    let mut moved = 0.0;
    for ((b, centre), scale) in beta.iter_mut().zip(centre).zip(scale) {
        *b /= scale;
        moved += *b * centre;
    }
    if let Some(intercept) = beta.first_mut() {
        *intercept -= moved;
    }
    beta
}
