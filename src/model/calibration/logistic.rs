//! Newton's method for the two- and three-parameter logistic maps.

use crate::model::validation::{Tie, Undefined, sigmoid};

const MAX_STEPS: usize = 100;
const MAX_HALVINGS: u32 = 40;

/// Maximises the binomial likelihood of `sigmoid(intercept + Σ weight × feature)` over ties; returns `[intercept, weights…]`.
///
/// Features are centred and scaled inside, so that their units do not matter to the solver.
pub(super) fn fit<const K: usize>(ties: &[Tie], features: impl Fn(f64) -> [f64; K]) -> Result<Vec<f64>, Undefined> {
    let rows: Vec<([f64; K], f64, f64)> = ties.iter().map(|tie| (features(tie.pd), tie.good, tie.bad)).collect();
    let total: f64 = rows.iter().map(|(_, good, bad)| good + bad).sum();
    let mut centre = [0.0; K];
    let mut scale = [0.0; K];
    for (k, (centre, scale)) in centre.iter_mut().zip(&mut scale).enumerate() {
        let value = |x: &[f64; K]| x.get(k).copied().unwrap_or(0.0);
        *centre = rows.iter().map(|(x, good, bad)| (good + bad) * value(x)).sum::<f64>() / total;
        *scale =
            (rows.iter().map(|(x, good, bad)| (good + bad) * (value(x) - *centre).powi(2)).sum::<f64>() / total).sqrt();
        if *scale <= 1e-12 * (1.0 + centre.abs()) {
            return Err(Undefined::ConstantPrediction);
        }
    }
    let design: Vec<(Vec<f64>, f64, f64)> = rows
        .iter()
        .map(|(x, good, bad)| {
            let mut z = vec![1.0];
            z.extend(x.iter().zip(&centre).zip(&scale).map(|((x, centre), scale)| (x - centre) / scale));
            (z, *good, *bad)
        })
        .collect();

    let bads: f64 = rows.iter().map(|(_, _, bad)| bad).sum();
    let mut beta = vec![0.0; K + 1];
    if let Some(intercept) = beta.first_mut() {
        *intercept = (bads / (total - bads)).ln();
    }
    let mut likelihood = log_likelihood(&design, &beta);
    for _ in 0..MAX_STEPS {
        let step = newton_step(&design, &beta).ok_or(Undefined::NotConverged)?;
        let mut scale_step = 1.0;
        let mut next = moved(&beta, &step, scale_step);
        let mut next_likelihood = log_likelihood(&design, &next);
        for _ in 0..MAX_HALVINGS {
            if next_likelihood >= likelihood - 1e-12 * likelihood.abs() {
                break;
            }
            scale_step /= 2.0;
            next = moved(&beta, &step, scale_step);
            next_likelihood = log_likelihood(&design, &next);
        }
        beta = next;
        likelihood = next_likelihood;
        if step.iter().zip(&beta).all(|(s, b)| s.abs() <= 1e-11 * (1.0 + b.abs())) {
            return Ok(unscaled(&beta, &centre, &scale));
        }
    }
    Err(Undefined::NotConverged)
}

fn unscaled(beta: &[f64], centre: &[f64], scale: &[f64]) -> Vec<f64> {
    let mut intercept = beta.first().copied().unwrap_or(0.0);
    let mut weights = vec![0.0];
    for ((b, centre), scale) in beta.iter().skip(1).zip(centre).zip(scale) {
        intercept -= b * centre / scale;
        weights.push(b / scale);
    }
    if let Some(first) = weights.first_mut() {
        *first = intercept;
    }
    weights
}

fn moved(beta: &[f64], step: &[f64], scale: f64) -> Vec<f64> {
    beta.iter().zip(step).map(|(b, s)| b + scale * s).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn log_likelihood(design: &[(Vec<f64>, f64, f64)], beta: &[f64]) -> f64 {
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    design
        .iter()
        .map(|(z, good, bad)| {
            let odds = dot(z, beta);
            -good * softplus(odds) - bad * softplus(-odds)
        })
        .sum()
}

fn newton_step(design: &[(Vec<f64>, f64, f64)], beta: &[f64]) -> Option<Vec<f64>> {
    let k = beta.len();
    let mut gradient = vec![0.0; k];
    let mut information = vec![vec![0.0; k]; k];
    for (z, good, bad) in design {
        let p = sigmoid(dot(z, beta));
        let residual = bad * (1.0 - p) - good * p;
        let spread = (good + bad) * p * (1.0 - p);
        for ((g, row), zi) in gradient.iter_mut().zip(&mut information).zip(z) {
            *g += residual * zi;
            for (h, zj) in row.iter_mut().zip(z) {
                *h += spread * zi * zj;
            }
        }
    }
    solve(information, gradient)
}

/// Solves a small symmetric positive definite system by elimination; none where a pivot vanishes.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let k = right.len();
    let largest = matrix.iter().flatten().fold(0.0_f64, |most, h| most.max(h.abs()));
    for pivot in 0..k {
        let pivot_row = matrix.get(pivot)?.clone();
        let pivot_right = *right.get(pivot)?;
        let diagonal = *pivot_row.get(pivot)?;
        // A pivot lost in rounding means that the features say the same thing.
        if diagonal.is_nan() || diagonal <= 1e-13 * largest {
            return None;
        }
        for (row, value) in matrix.iter_mut().zip(&mut right).skip(pivot + 1) {
            let factor = row.get(pivot)? / diagonal;
            row.iter_mut().zip(&pivot_row).for_each(|(h, p)| *h -= factor * p);
            *value -= factor * pivot_right;
        }
    }
    let mut solution = vec![0.0; k];
    for i in (0..k).rev() {
        let row = matrix.get(i)?;
        let known: f64 = row.iter().zip(&solution).skip(i + 1).map(|(h, s)| h * s).sum();
        *solution.get_mut(i)? = (right.get(i)? - known) / row.get(i)?;
    }
    solution.iter().all(|s| s.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_by_hand() {
        let found = solve(vec![vec![4.0, 2.0], vec![2.0, 3.0]], vec![2.0, 5.0]).unwrap();
        assert!((found[0] + 0.5).abs() < 1e-15 && (found[1] - 2.0).abs() < 1e-15);
        assert_eq!(solve(vec![vec![1.0, 1.0], vec![1.0, 1.0]], vec![1.0, 1.0]), None);
    }
}
