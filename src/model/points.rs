//! From log odds to integer points.
//!
//! `score = offset + factor · ln(odds good : bad)`, `factor = pdo / ln 2`, `offset = base_score − factor · ln(base_odds)`: a
//! higher score is safer, and each `pdo` points double the odds. Points are rounded jointly: what is minimised is the mean squared
//! difference between the integer score and the exact one over the training rows, not the rounding error of single bins.

use crate::domain::elementary::ln;
use serde::{Deserialize, Serialize};

use super::error::ModelError;

/// The score scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// Score at the base odds.
    pub base_score: f64,
    /// Odds good : bad at the base score.
    pub base_odds: f64,
    /// Points that double the odds.
    pub pdo: f64,
}

impl Default for Scaling {
    fn default() -> Self {
        Self { base_score: 600.0, base_odds: 50.0, pdo: 40.0 }
    }
}

impl Scaling {
    /// # Errors
    /// A scale that is not finite and positive.
    pub fn check(&self) -> Result<(), ModelError> {
        let good = |v: f64| v.is_finite() && v > 0.0 && v < 1e6;
        if good(self.base_score) && good(self.base_odds) && good(self.pdo) && self.pdo >= 5.0 {
            Ok(())
        } else {
            Err(ModelError::BadSetting {
                setting: "scaling",
                why: "base_score, base_odds and pdo are positive, pdo at least 5".to_owned(),
            })
        }
    }

    /// Points per unit of log odds.
    #[must_use]
    pub fn factor(&self) -> f64 {
        self.pdo / std::f64::consts::LN_2
    }

    /// Score at even odds.
    #[must_use]
    pub fn offset(&self) -> f64 {
        self.base_score - self.factor() * ln(self.base_odds)
    }

    /// Log odds of good at a score.
    #[must_use]
    pub fn log_odds(&self, score: f64) -> f64 {
        (score - self.offset()) / self.factor()
    }
}

/// Integer points for `exact` (the last is the base), and the root mean squared rounding error of the score before and after the
/// joint search. `cross` counts, over training rows, how often two parameters apply together (row-major, diagonal included).
/// `order` lists positions whose points must not fall along the list, so that rounding never turns a sign: along event rates, and along a declared direction.
#[must_use]
pub fn round_jointly(exact: &[f64], cross: &[f64], rows: f64, order: &[Vec<usize>]) -> (Vec<i32>, f64, f64) {
    let n = exact.len();
    #[expect(clippy::cast_possible_truncation, reason = "points are small numbers")]
    let mut points: Vec<i32> = exact.iter().map(|v| v.round() as i32).collect();
    let mut error: Vec<f64> = points.iter().zip(exact).map(|(&p, e)| f64::from(p) - e).collect();
    let row = |i: usize| cross.get(i * n..(i + 1) * n).unwrap_or_default();
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
    let mut pull: Vec<f64> = (0..n).map(|i| dot(row(i), &error)).collect();
    let loss = |error: &[f64], pull: &[f64]| (dot(error, pull).max(0.0) / rows.max(1.0)).sqrt();
    let before = loss(&error, &pull);
    let mut neighbours: Vec<(Vec<usize>, Vec<usize>)> = vec![(Vec::new(), Vec::new()); n];
    for list in order {
        for (at, &i) in list.iter().enumerate() {
            if let Some(slot) = neighbours.get_mut(i) {
                slot.0.extend(at.checked_sub(1).and_then(|b| list.get(b)));
                slot.1.extend(list.get(at + 1));
            }
        }
    }
    for _ in 0..20 {
        let mut moved = false;
        for i in 0..n {
            let weight = row(i).get(i).copied().unwrap_or_default();
            let (Some(&here), Some(&exact_here)) = (points.get(i), exact.get(i)) else { continue };
            if weight <= 0.0 {
                continue;
            }
            for step in [1, -1] {
                let change = 2.0 * f64::from(step) * pull.get(i).copied().unwrap_or_default() + weight;
                let next = here + step;
                let near = (f64::from(next) - exact_here).abs() < 1.5;
                let (below, above) = neighbours.get(i).map_or((&[][..], &[][..]), |(b, a)| (b, a));
                let at = |j: &usize| points.get(*j).copied().unwrap_or(next);
                let ordered = below.iter().all(|j| at(j) <= next) && above.iter().all(|j| at(j) >= next);
                if change < -1e-9 * rows && near && ordered {
                    if let (Some(p), Some(e)) = (points.get_mut(i), error.get_mut(i)) {
                        *p = next;
                        *e += f64::from(step);
                    }
                    for (total, c) in pull.iter_mut().zip(row(i)) {
                        *total += f64::from(step) * c;
                    }
                    moved = true;
                    break;
                }
            }
        }
        if !moved {
            break;
        }
    }
    let after = loss(&error, &pull);
    (points, before, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_doubles_odds() {
        let scaling = Scaling { base_score: 600.0, base_odds: 50.0, pdo: 20.0 };
        assert!((scaling.log_odds(600.0) - ln(50.0_f64)).abs() < 1e-12);
        assert!((scaling.log_odds(620.0) - ln(100.0_f64)).abs() < 1e-12);
    }

    #[test]
    fn joint_rounding_beats_single_rounding() {
        // Three terms of one code each and the base always apply together: exact sum 1.6, singly rounded 0.
        let exact = [0.4, 0.4, 0.4, 0.4];
        let (points, before, after) = round_jointly(&exact, &[10.0; 16], 10.0, &[]);
        assert_eq!(points.iter().sum::<i32>(), 2);
        assert!((before - 1.6).abs() < 1e-12 && (after - 0.4).abs() < 1e-12);
    }
}
