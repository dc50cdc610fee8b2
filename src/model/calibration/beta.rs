//! Beta calibration: what a logistic line cannot bend, the two ends apart.
//!
//! If raw PDs of goods and of bads follow Beta distributions, the true log odds are `c + a ln p − b ln(1 − p)`. With `a = b` it is Platt's line; `a ≠ b`
//! lets the safe and the risky end be stretched differently. `a, b ≥ 0` keeps the order: where the free optimum is negative, that parameter is held at 0
//! and the rest fitted again.
//!
//! Source: Kull, Silva Filho & Flach (2017), AISTATS; targets softened as in Platt's method.

use super::error::CalibrationError;
use super::map::{CalibrationMap, beta_features};
use super::platt::base_log_odds;
use super::targets::softened;
use crate::model::validation::{Tie, Undefined, logistic};

/// Fits the three parameters to a sample's ties.
///
/// # Errors
/// One outcome class, too few distinct predictions to tell the parameters apart, or no convergence.
pub fn fit_beta(ties: &[Tie]) -> Result<CalibrationMap, CalibrationError> {
    let no_fit = |reason| CalibrationError::NoFit { method: "beta", reason };
    let ties = softened(ties).map_err(no_fit)?;
    if ties.len() < 3 {
        return Err(no_fit(Undefined::TooFewGroups));
    }
    let [c, a, b] = logistic::fit(&ties, |p| {
        let [ln_p, minus_ln_q] = beta_features(p);
        [1.0, ln_p, minus_ln_q]
    })
    .map_err(no_fit)?;
    if a >= 0.0 && b >= 0.0 {
        return Ok(CalibrationMap::Beta { a, b, c });
    }
    let held = if a < 0.0 {
        let [c, b] = logistic::fit(&ties, |p| [1.0, beta_features(p)[1]]).map_err(no_fit)?;
        CalibrationMap::Beta { a: 0.0, b, c }
    } else {
        let [c, a] = logistic::fit(&ties, |p| [1.0, beta_features(p)[0]]).map_err(no_fit)?;
        CalibrationMap::Beta { a, b: 0.0, c }
    };
    // Both ends fall: the raw PD carries no information.
    if matches!(held, CalibrationMap::Beta { a, b, .. } if a < 0.0 || b < 0.0) {
        return Ok(CalibrationMap::Beta { a: 0.0, b: 0.0, c: base_log_odds(&ties) });
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::elementary::sigmoid;
    use crate::model::validation::Ranked;
    use crate::model::validation::fixture::{assert_close, ranked, single_class};

    fn parameters(map: &CalibrationMap) -> [f64; 3] {
        match map {
            CalibrationMap::Beta { a, b, c } => [*a, *b, *c],
            other => panic!("{other:?}"),
        }
    }

    // statsmodels 0.15.0: GLM([t, 1 - t], add_constant([log(pd), -log(1 - pd)]), Binomial()), t = 14/15 for bads, 1/29 for goods
    #[test]
    fn equals_statsmodels() {
        let found = parameters(&fit_beta(ranked().ties()).unwrap());
        for (found, expected) in
            found.iter().zip([0.796_944_616_920_228_6, 0.461_491_959_533_368_86, 0.160_506_940_453_198_24])
        {
            assert_close(*found, expected, 1e-8);
        }
    }

    #[test]
    fn too_little_to_tell_parameters_apart() {
        let no_fit = |reason| Err(CalibrationError::NoFit { method: "beta", reason });
        assert_eq!(fit_beta(single_class().ties()), no_fit(Undefined::SingleClass));
        let two = Ranked::new(&[true, false, false, true], &[0.3, 0.3, 0.4, 0.4]).unwrap();
        assert_eq!(fit_beta(two.ties()), no_fit(Undefined::TooFewGroups));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn finds_a_planted_map(a in 0.3_f64..2.0, b in 0.3_f64..2.0, c in -1.0_f64..1.0) {
            // Masses so large that softening is negligible, and exactly on the planted curve.
            let ties: Vec<Tie> = (1..40)
                .map(|i| {
                    let pd = f64::from(i) / 40.0;
                    let [ln_p, minus_ln_q] = beta_features(pd);
                    let truth = sigmoid(c + a * ln_p + b * minus_ln_q);
                    Tie { pd, good: 1e9 * (1.0 - truth), bad: 1e9 * truth }
                })
                .collect();
            let found = parameters(&fit_beta(&ties).unwrap());
            for (found, expected) in found.iter().zip([a, b, c]) {
                prop_assert!((found - expected).abs() < 1e-5);
            }
        }

        #[test]
        fn never_turns_the_order(rows in prop::collection::vec((any::<bool>(), 1_u8..30), 3..60)) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 31.0).collect();
            if let Ok(map) = fit_beta(Ranked::new(&is_bad, &pd).unwrap().ties()) {
                let [a, b, c] = parameters(&map);
                prop_assert!(a >= 0.0 && b >= 0.0 && c.is_finite());
            }
        }
    }
}
