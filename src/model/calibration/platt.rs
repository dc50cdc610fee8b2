//! Platt calibration: a logistic line along the raw log odds.
//!
//! Two parameters repair the two commonest faults, a wrong level (intercept) and predictions spread too widely (slope below 1). A negative slope would
//! turn the order of the scores: it is held at 0, which says that the raw PD carries no information.
//!
//! Source: Platt (1999); targets softened as he proposes.

use super::error::CalibrationError;
use super::map::CalibrationMap;
use super::targets::softened;
use crate::domain::elementary::ln;
use crate::model::validation::{Tie, clamped_logit, logistic};

/// Fits the line to a sample's ties.
///
/// # Errors
/// One outcome class, constant predictions, or no convergence.
pub fn fit_platt(ties: &[Tie]) -> Result<CalibrationMap, CalibrationError> {
    let no_fit = |reason| CalibrationError::NoFit { method: "platt", reason };
    let ties = softened(ties).map_err(no_fit)?;
    let [intercept, slope] = logistic::fit(&ties, |p| [1.0, clamped_logit(p)]).map_err(no_fit)?;
    if slope >= 0.0 {
        Ok(CalibrationMap::Platt { intercept, slope })
    } else {
        Ok(CalibrationMap::Platt { intercept: base_log_odds(&ties), slope: 0.0 })
    }
}

/// Log odds of the overall bad rate.
pub(super) fn base_log_odds(ties: &[Tie]) -> f64 {
    let (good, bad) = ties.iter().fold((0.0, 0.0), |(g, b), tie| (g + tie.good, b + tie.bad));
    ln(bad / good)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked, single_class};
    use crate::model::validation::{Ranked, Undefined};

    // statsmodels 0.15.0: GLM([t, 1 - t], add_constant(log(pd / (1 - pd))), Binomial()) with t = 14/15 for bads, 1/29 for goods
    #[test]
    fn equals_statsmodels() {
        let CalibrationMap::Platt { intercept, slope } = fit_platt(ranked().ties()).unwrap() else { panic!() };
        assert_close(intercept, -0.066_719_425_948_045_14, 1e-9);
        assert_close(slope, 0.695_032_527_904_626_3, 1e-9);
    }

    #[test]
    fn separated_samples_have_a_finite_fit() {
        let sample = Ranked::new(&[false, false, true, true], &[0.1, 0.2, 0.6, 0.7]).unwrap();
        let CalibrationMap::Platt { intercept, slope } = fit_platt(sample.ties()).unwrap() else { panic!() };
        assert!(intercept.is_finite() && slope > 0.0 && slope < 10.0);
    }

    #[test]
    fn a_reversed_model_is_flattened_not_followed() {
        let sample = Ranked::new(&[true, true, false, false, true, false], &[0.1, 0.2, 0.6, 0.7, 0.4, 0.3]).unwrap();
        let CalibrationMap::Platt { intercept, slope } = fit_platt(sample.ties()).unwrap() else { panic!() };
        assert_close(slope, 0.0, 0.0);
        assert_close(intercept, 0.0, 1e-12);
    }

    #[test]
    fn one_class_or_one_prediction_has_no_line() {
        let no_fit = |reason| Err(CalibrationError::NoFit { method: "platt", reason });
        assert_eq!(fit_platt(single_class().ties()), no_fit(Undefined::SingleClass));
        let flat = Ranked::new(&[true, false], &[0.3, 0.3]).unwrap();
        assert_eq!(fit_platt(flat.ties()), no_fit(Undefined::ConstantPrediction));
    }
}
