//! How many of several borrowers default together: the one-factor Gaussian copula.
//!
//! A borrower with probability of default `p` defaults where `√ρ·Z + √(1 − ρ)·ε ≤ Φ⁻¹(p)`, with one `Z` for all and an `ε` of each one's own (Vasicek,
//! "Probability of loss on loan portfolio", 1987; Li, "On default correlation", 2000). Given `Z` they default independently of one another, so that their
//! number is Poisson-binomial and is added up borrower by borrower. Over `Z` it is summed at fixed points: the trapezoidal rule on a smooth function that
//! dies away on both sides errs by less than any power of the step. All functions are this program's own, and every sum goes in one order: the same bits on every processor.

use super::distributions::normal_two_sided_quantile;
use super::elementary::{erfc, exp};

/// Points from −8 to 8; beyond lies less than 10⁻¹⁵ of a normal variable.
const POINTS: i32 = 1_025;
const REACH: f64 = 8.0;

/// `P(Z ≤ x)`.
fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x / std::f64::consts::SQRT_2)
}

/// The `x` with `P(Z ≤ x) = p`; infinite where p is 0 or 1.
fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        f64::NEG_INFINITY
    } else if p >= 1.0 {
        f64::INFINITY
    } else if p <= 0.5 {
        -normal_two_sided_quantile(2.0 * p)
    } else {
        normal_two_sided_quantile(2.0 * (1.0 - p))
    }
}

/// `P(k of the others default)` for k = 0, 1, …; where `borrower` is given, on condition that a borrower with that probability of default does.
///
/// `correlation` is that of asset values, held within 0 and 0.99. Probabilities of default are held within 0 and 1; a borrower with 0 is taken to say
/// nothing of the others.
#[must_use]
pub fn number_of_defaults(others: &[f64], borrower: Option<f64>, correlation: f64) -> Vec<f64> {
    let correlation = correlation.clamp(0.0, 0.99);
    let (common, own) = (correlation.sqrt(), (1.0 - correlation).sqrt());
    let thresholds: Vec<f64> = others.iter().map(|p| normal_quantile(p.clamp(0.0, 1.0))).collect();
    let condition = borrower.filter(|p| *p > 0.0).map(normal_quantile);
    let step = 2.0 * REACH / f64::from(POINTS - 1);
    let (mut sums, mut weights) = (vec![0.0; others.len() + 1], 0.0);
    for point in 0..POINTS {
        let z = f64::from(point) * step - REACH;
        let given = |threshold: f64| normal_cdf((threshold - common * z) / own);
        let weight = exp(-0.5 * z * z) * condition.map_or(1.0, given);
        let at_z = independent(thresholds.iter().map(|threshold| given(*threshold)), others.len());
        for (sum, probability) in sums.iter_mut().zip(at_z) {
            *sum += weight * probability;
        }
        weights += weight;
    }
    for sum in &mut sums {
        *sum /= weights;
    }
    sums
}

/// `P(k default)` of borrowers who default independently of one another.
fn independent(probabilities: impl Iterator<Item = f64>, count: usize) -> Vec<f64> {
    let mut number = vec![0.0; count + 1];
    if let Some(none) = number.first_mut() {
        *none = 1.0;
    }
    for (seen, p) in probabilities.enumerate() {
        // From the largest number down: what has been added in is not looked at again.
        for k in (0..=seen + 1).rev() {
            let stays = number.get(k).copied().unwrap_or(0.0) * (1.0 - p);
            let joins = k.checked_sub(1).and_then(|below| number.get(below)).copied().unwrap_or(0.0) * p;
            if let Some(of_k) = number.get_mut(k) {
                *of_k = stays + joins;
            }
        }
    }
    number
}

#[cfg(test)]
#[path = "joint_default_tests.rs"]
mod tests;
