//! Newton's method for the two- and three-parameter logistic maps.

use crate::model::validation::{Tie, Undefined, sigmoid};

const MAX_STEPS: usize = 100;
const MAX_HALVINGS: u32 = 40;

/// One tie: its features (the first is the constant 1), goods and bads.
type Row<const D: usize> = ([f64; D], f64, f64);

/// Maximises the binomial likelihood of `sigmoid(Σ weight × feature)` over ties. The first feature must be the constant 1.
///
/// The other features are centred and scaled inside, so that their units do not matter to the solver.
pub(super) fn fit<const D: usize>(ties: &[Tie], features: impl Fn(f64) -> [f64; D]) -> Result<[f64; D], Undefined> {
    let mut rows: Vec<Row<D>> = ties.iter().map(|tie| (features(tie.pd), tie.good, tie.bad)).collect();
    let (centre, scale) = standardise(&mut rows)?;
    let total: f64 = rows.iter().map(|(_, good, bad)| good + bad).sum();
    let bads: f64 = rows.iter().map(|(_, _, bad)| bad).sum();

    let mut beta = [0.0; D];
    if let Some(intercept) = beta.first_mut() {
        *intercept = (bads / (total - bads)).ln();
    }
    let mut likelihood = log_likelihood(&rows, &beta);
    for _ in 0..MAX_STEPS {
        let step = newton_step(&rows, &beta).ok_or(Undefined::NotConverged)?;
        let mut scale_step = 1.0;
        let mut next = moved(&beta, &step, scale_step);
        let mut next_likelihood = log_likelihood(&rows, &next);
        for _ in 0..MAX_HALVINGS {
            if next_likelihood >= likelihood - 1e-12 * likelihood.abs() {
                break;
            }
            scale_step /= 2.0;
            next = moved(&beta, &step, scale_step);
            next_likelihood = log_likelihood(&rows, &next);
        }
        beta = next;
        likelihood = next_likelihood;
        if step.iter().zip(&beta).all(|(s, b)| s.abs() <= 1e-11 * (1.0 + b.abs())) {
            return Ok(unscaled(beta, &centre, &scale));
        }
    }
    Err(Undefined::NotConverged)
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

fn moved<const D: usize>(beta: &[f64; D], step: &[f64; D], scale: f64) -> [f64; D] {
    let mut next = *beta;
    for (b, s) in next.iter_mut().zip(step) {
        *b += scale * s;
    }
    next
}

fn dot<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn log_likelihood<const D: usize>(rows: &[Row<D>], beta: &[f64; D]) -> f64 {
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    rows.iter()
        .map(|(x, good, bad)| {
            let odds = dot(x, beta);
            -good * softplus(odds) - bad * softplus(-odds)
        })
        .sum()
}

fn newton_step<const D: usize>(rows: &[Row<D>], beta: &[f64; D]) -> Option<[f64; D]> {
    let mut gradient = [0.0; D];
    let mut information = [[0.0; D]; D];
    for (x, good, bad) in rows {
        let p = sigmoid(dot(x, beta));
        let residual = bad * (1.0 - p) - good * p;
        let spread = (good + bad) * p * (1.0 - p);
        for ((g, row), xi) in gradient.iter_mut().zip(&mut information).zip(x) {
            *g += residual * xi;
            for (h, xj) in row.iter_mut().zip(x) {
                *h += spread * xi * xj;
            }
        }
    }
    solve(information, gradient)
}

/// Solves a small symmetric positive definite system by elimination; none where a pivot vanishes.
fn solve<const D: usize>(mut matrix: [[f64; D]; D], mut right: [f64; D]) -> Option<[f64; D]> {
    let largest = matrix.iter().flatten().fold(0.0_f64, |most, h| most.max(h.abs()));
    for pivot in 0..D {
        let pivot_row = *matrix.get(pivot)?;
        let pivot_right = *right.get(pivot)?;
        let diagonal = *pivot_row.get(pivot)?;
        // A pivot lost in rounding means that the features say the same thing.
        if diagonal.is_nan() || diagonal <= 1e-13 * largest {
            return None;
        }
        for (row, value) in matrix.iter_mut().zip(&mut right).skip(pivot + 1) {
            let factor = row.get(pivot)? / diagonal;
            for (h, p) in row.iter_mut().zip(&pivot_row) {
                *h -= factor * p;
            }
            *value -= factor * pivot_right;
        }
    }
    let mut solution = [0.0; D];
    for i in (0..D).rev() {
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
        let found = solve([[4.0, 2.0], [2.0, 3.0]], [2.0, 5.0]).unwrap();
        assert!((found[0] + 0.5).abs() < 1e-15 && (found[1] - 2.0).abs() < 1e-15);
        assert_eq!(solve([[1.0, 1.0], [1.0, 1.0]], [1.0, 1.0]), None);
    }
}
