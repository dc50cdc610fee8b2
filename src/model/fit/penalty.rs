//! How far points may stray: a quadratic penalty per term, drawn towards a multiple of the weight of evidence.
//!
//! For a term with values θ and weights of evidence w the penalty is the least, over a slope β, of
//! `½ · (deviation · (θ − βw)ᵀ M (θ − βw) + slope · β²)`, with `M = I + smooth · DᵀD` and D the differences of neighbouring
//! regular bins. A large `deviation` is the classical scorecard (θ = βw); a small one lets every bin speak for itself. The
//! least over β is again a quadratic form, so the problem stays one ridge regression.

use serde::{Deserialize, Serialize};

/// Strengths, chosen by cross-validation inside the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Strength {
    /// Against straying from a multiple of the weight of evidence.
    pub deviation: f64,
    /// Against the multiple itself.
    pub slope: f64,
    /// Against jumps between neighbouring bins, relative to `deviation`.
    pub smooth: f64,
}

/// The penalty of each term as a dense square block.
#[derive(Debug, Clone, PartialEq)]
pub struct Penalty {
    /// Row-major, one a term.
    pub blocks: Vec<Vec<f64>>,
}

impl Penalty {
    /// The block of a variable with weights of evidence `woe`, of which the first `ordered` belong to neighbouring bins.
    #[must_use]
    pub fn variable(woe: &[f64], ordered: usize, strength: Strength) -> Vec<f64> {
        let k = woe.len();
        let mut m = vec![0.0; k * k];
        let mut add = |i: usize, j: usize, v: f64| {
            if let Some(x) = m.get_mut(i * k + j) {
                *x += v;
            }
        };
        for i in 0..k {
            add(i, i, 1.0);
        }
        for i in 1..ordered.min(k) {
            for (a, b, sign) in [(i, i, 1.0), (i - 1, i - 1, 1.0), (i, i - 1, -1.0), (i - 1, i, -1.0)] {
                add(a, b, sign * strength.smooth);
            }
        }
        let mw: Vec<f64> = m.chunks(k.max(1)).map(|row| row.iter().zip(woe).map(|(a, b)| a * b).sum()).collect();
        let wmw: f64 = mw.iter().zip(woe).map(|(a, b)| a * b).sum();
        let d = strength.deviation;
        let shrink = d / (d * wmw + strength.slope);
        for (row, &a) in m.chunks_mut(k.max(1)).zip(&mw) {
            for (x, &b) in row.iter_mut().zip(&mw) {
                *x = d * (*x - shrink * a * b);
            }
        }
        m
    }

    /// Penalty times parameters, term by term; 0 for the intercept.
    #[must_use]
    pub fn times(&self, theta: &[f64]) -> Vec<f64> {
        let mut out = Vec::with_capacity(theta.len());
        let mut rest = theta;
        for block in &self.blocks {
            let k = side(block);
            let (head, tail) = rest.split_at(k.min(rest.len()));
            out.extend(block.chunks(k.max(1)).map(|row| row.iter().zip(head).map(|(a, b)| a * b).sum::<f64>()));
            rest = tail;
        }
        out.push(0.0);
        out
    }
}

/// Side of a square block.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the root of a length is a length")]
pub(super) fn side(block: &[f64]) -> usize {
    (block.len() as f64).sqrt().round() as usize
}
