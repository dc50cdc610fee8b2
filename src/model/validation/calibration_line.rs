//! Calibration slope and intercept: the logistic line through the outcomes along the model's own log odds.
//!
//! `P(bad) = 1 / (1 + exp(−(intercept + slope × ln(pd / (1 − pd)))))`
//!
//! A calibrated model has intercept 0 and slope 1. A slope below 1 says the predictions are spread too widely (overfitting: low risks are
//! predicted too low, high ones too high), above 1 too narrowly. *Calibration in the large* is the intercept with the slope held at
//! 1: above 0, more defaults than predicted. Predictions of 0 and 1 have no log odds and are held within [ε, 1 − ε] as in the log loss.
//!
//! The log likelihood is concave. Standard errors from the observed information.
//!
//! Source: Cox (1958), Biometrika 45; Van Calster et al. (2019), BMC Medicine 17.

use serde::{Deserialize, Serialize};

use super::error::Undefined;
use super::log_loss::CERTAINTY;
use super::logistic;
use super::ranked::{Tie, class_mass};
use crate::domain::elementary::{logit, sigmoid};

/// A fitted calibration line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationLine {
    /// Log odds of default where the model predicts even odds; 0 is ideal.
    pub intercept: f64,
    /// Change of true log odds per unit of predicted log odds; 1 is ideal.
    pub slope: f64,
    /// Standard error of the intercept.
    pub intercept_error: f64,
    /// Standard error of the slope.
    pub slope_error: f64,
}

/// Log odds of a probability, held within [ε, 1 − ε].
#[must_use]
pub fn clamped_logit(pd: f64) -> f64 {
    logit(pd.clamp(CERTAINTY, 1.0 - CERTAINTY))
}

/// Score vector and information matrix of the line at (intercept, slope).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Normal {
    pub(crate) g0: f64,
    pub(crate) g1: f64,
    pub(crate) h00: f64,
    pub(crate) h01: f64,
    pub(crate) h11: f64,
}

impl Normal {
    /// Adds `good` and `bad` weight at log odds `x` under predicted probability `p`.
    pub(crate) fn add(&mut self, x: f64, p: f64, good: f64, bad: f64) {
        let residual = bad * (1.0 - p) - good * p;
        let spread = (good + bad) * p * (1.0 - p);
        self.g0 += residual;
        self.g1 += residual * x;
        self.h00 += spread;
        self.h01 += spread * x;
        self.h11 += spread * x * x;
    }

    /// The Newton step, where the information is invertible.
    pub(crate) fn step(&self) -> Option<(f64, f64)> {
        let det = self.h00 * self.h11 - self.h01 * self.h01;
        let step = ((self.h11 * self.g0 - self.h01 * self.g1) / det, (self.h00 * self.g1 - self.h01 * self.g0) / det);
        (det > 0.0 && step.0.is_finite() && step.1.is_finite()).then_some(step)
    }
}

/// Fits the line.
///
/// # Errors
/// One outcome class, constant predictions, outcomes that predictions separate completely, or no convergence.
pub fn calibration_line(ties: &[Tie]) -> Result<CalibrationLine, Undefined> {
    check_overlap(ties)?;
    let [intercept, slope] = logistic::fit(ties, |pd| [1.0, clamped_logit(pd)])?;
    let at = normal_at(ties, intercept, slope);
    let det = at.h00 * at.h11 - at.h01 * at.h01;
    Ok(CalibrationLine { intercept, slope, intercept_error: (at.h11 / det).sqrt(), slope_error: (at.h00 / det).sqrt() })
}

/// Intercept of the calibration line whose slope is held at 1.
///
/// # Errors
/// One outcome class, or no convergence.
pub fn calibration_in_the_large(ties: &[Tie]) -> Result<f64, Undefined> {
    let (good, bad) = class_mass(ties);
    if good <= 0.0 || bad <= 0.0 {
        return Err(Undefined::SingleClass);
    }
    // The score Σ (bad − mass × p) falls strictly in the intercept: bisect, then no start value can mislead.
    let score = |a: f64| ties.iter().map(|tie| tie.bad - tie.mass() * sigmoid(a + clamped_logit(tie.pd))).sum::<f64>();
    let (mut low, mut high) = (-80.0, 80.0);
    if score(low) <= 0.0 || score(high) >= 0.0 {
        return Err(Undefined::NotConverged);
    }
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if score(middle) > 0.0 { low = middle } else { high = middle }
    }
    Ok(f64::midpoint(low, high))
}

fn normal_at(ties: &[Tie], a: f64, b: f64) -> Normal {
    let mut normal = Normal::default();
    for tie in ties {
        let x = clamped_logit(tie.pd);
        normal.add(x, sigmoid(a + b * x), tie.good, tie.bad);
    }
    normal
}

fn check_overlap(ties: &[Tie]) -> Result<(), Undefined> {
    let range = |weight: fn(&Tie) -> f64| {
        let mut held = ties.iter().filter(|tie| weight(tie) > 0.0).map(|tie| tie.pd);
        let first = held.next()?;
        Some((first, held.next_back().unwrap_or(first)))
    };
    let (Some(good), Some(bad)) = (range(|tie| tie.good), range(|tie| tie.bad)) else {
        return Err(Undefined::SingleClass);
    };
    if ties.len() < 2 {
        return Err(Undefined::ConstantPrediction);
    }
    if good.1 <= bad.0 || bad.1 <= good.0 { Err(Undefined::Separated) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked, single_class, weighted};
    use crate::model::validation::ranked::Ranked;

    // statsmodels 0.15.0: Logit(y, add_constant(log(pd / (1 - pd)))).fit(tol=1e-14), GLM(…, freq_weights=w), GLM(y, 1, offset=…)
    #[test]
    fn equals_statsmodels() {
        let line = calibration_line(ranked().ties()).unwrap();
        assert_close(line.intercept, 0.010_020_764_364_180_56, 1e-10);
        assert_close(line.slope, 0.794_845_851_481_441_8, 1e-10);
        assert_close(line.intercept_error, 0.516_635_999_859_813, 1e-8);
        assert_close(line.slope_error, 0.449_376_165_329_024_1, 1e-8);
        let line = calibration_line(weighted().ties()).unwrap();
        assert_close(line.intercept, 0.031_754_460_730_829_38, 1e-10);
        assert_close(line.slope, 0.789_745_735_028_694_3, 1e-10);
        assert_close(calibration_in_the_large(ranked().ties()).unwrap(), 0.178_320_41, 1e-8);
    }

    #[test]
    fn undefined_lines_say_why() {
        assert_eq!(calibration_line(single_class().ties()), Err(Undefined::SingleClass));
        assert_eq!(calibration_in_the_large(single_class().ties()), Err(Undefined::SingleClass));
        let line = |bad: &[bool], pd: &[f64]| calibration_line(Ranked::new(bad, pd).unwrap().ties());
        assert_eq!(line(&[true, false], &[0.2, 0.2]), Err(Undefined::ConstantPrediction));
        assert_eq!(line(&[true, false], &[0.3, 0.2]), Err(Undefined::Separated));
        assert_eq!(line(&[true, false], &[0.2, 0.3]), Err(Undefined::Separated));
        // Touching at one value still lets the slope run away.
        assert_eq!(line(&[false, false, true, true], &[0.1, 0.2, 0.2, 0.3]), Err(Undefined::Separated));
    }

    #[test]
    fn certain_predictions_stay_finite() {
        let ranked = Ranked::new(&[false, true, false, true], &[0.0, 0.0, 1.0, 1.0]).unwrap();
        let line = calibration_line(ranked.ties()).unwrap();
        assert_close(line.slope, 0.0, 1e-9);
        assert!(line.intercept.is_finite());
    }

    proptest! {
        #[test]
        fn distorted_odds_are_found_out(a in -1.0_f64..1.0, b in 0.3_f64..2.0) {
            // Fractional weights make the sample obey the distorted line exactly, so the fit must return it.
            let ties: Vec<Tie> = (1..20)
                .map(|i| {
                    let pd = f64::from(i) / 20.0;
                    let truth = sigmoid(a + b * logit(pd));
                    Tie { pd, good: 1.0 - truth, bad: truth }
                })
                .collect();
            let line = calibration_line(&ties).unwrap();
            prop_assert!((line.intercept - a).abs() < 1e-7 && (line.slope - b).abs() < 1e-7);
        }
    }
}
