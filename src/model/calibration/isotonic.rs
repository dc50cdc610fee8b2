//! Isotonic calibration: the best never-falling step curve through the outcomes.
//!
//! Neighbouring predictions whose bad rates fall are pooled until none do (pool adjacent violators). It bends to any shape and so needs many rows. Both
//! ends of each pool become knots, so a pool is level throughout and the curve runs straight between pools. Targets are softened: no
//! plateau at 0 or 1.
//!
//! Why not linfa's regression: version 0.8.1 pools too far (after one backward merge it compares with the pool it has just swallowed instead of the one before),
//! and answers inside a pool by interpolating towards the pool before, which states too low a PD. A test below pins both, and tells when to come back.
//!
//! Source: Ayer et al. (1955), Annals of Mathematical Statistics 26; Zadrozny & Elkan (2002), KDD.

use super::error::CalibrationError;
use super::map::CalibrationMap;
use super::targets::softened;
use crate::model::validation::Tie;

/// Neighbouring ties of one calibrated level.
struct Pool {
    first_pd: f64,
    last_pd: f64,
    bad: f64,
    mass: f64,
}

impl Pool {
    fn rate(&self) -> f64 {
        self.bad / self.mass
    }
}

/// Fits the step curve to a sample's ties, which ascend.
///
/// # Errors
/// One outcome class.
pub fn fit_isotonic(ties: &[Tie]) -> Result<CalibrationMap, CalibrationError> {
    let ties = softened(ties).map_err(|reason| CalibrationError::NoFit { method: "isotonic", reason })?;
    let mut pools: Vec<Pool> = Vec::new();
    for tie in &ties {
        let mut pool = Pool { first_pd: tie.pd, last_pd: tie.pd, bad: tie.bad, mass: tie.mass() };
        while let Some(before) = pools.pop_if(|before| before.rate() >= pool.rate()) {
            pool.first_pd = before.first_pd;
            pool.bad += before.bad;
            pool.mass += before.mass;
        }
        pools.push(pool);
    }
    let (mut raw, mut calibrated): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for pool in &pools {
        let level = pool.rate().clamp(0.0, 1.0);
        raw.push(pool.first_pd);
        calibrated.push(level);
        if pool.last_pd > pool.first_pd {
            raw.push(pool.last_pd);
            calibrated.push(level);
        }
    }
    Ok(CalibrationMap::Isotonic { raw, calibrated })
}

#[cfg(test)]
mod tests {
    use linfa::Dataset;
    use linfa::traits::{Fit, Predict};
    use linfa_linear::IsotonicRegression;
    use ndarray::{Array1, array};
    use proptest::prelude::*;

    use super::*;
    use crate::model::calibration::map::Calibration;
    use crate::model::validation::fixture::{assert_close, ranked, single_class};
    use crate::model::validation::{Ranked, Undefined};

    /// The min–max formula of isotonic regression: the largest, over starts, of the smallest, over ends, of mean rates.
    fn isotonic_by_min_max(ties: &[Tie]) -> Vec<f64> {
        let mean = |from: usize, to: usize| {
            let run = &ties[from..=to];
            run.iter().map(|t| t.bad).sum::<f64>() / run.iter().map(Tie::mass).sum::<f64>()
        };
        (0..ties.len())
            .map(|i| {
                (0..=i)
                    .map(|from| (i..ties.len()).map(|to| mean(from, to)).fold(f64::INFINITY, f64::min))
                    .fold(f64::NEG_INFINITY, f64::max)
            })
            .collect()
    }

    fn at(map: &CalibrationMap, pd: f64) -> f64 {
        Calibration::new(map.clone(), 0.0).unwrap().apply(pd)
    }

    // scikit-learn 1.9.1: IsotonicRegression().fit(pd, t).predict(…), t = 14/15 for bads, 1/29 for goods
    #[test]
    fn equals_scikit_learn() {
        let map = fit_isotonic(ranked().ties()).unwrap();
        for (pd, expected) in [
            (0.03, 0.034_482_758_620_689_655),
            (0.1, 0.034_482_758_620_689_655),
            (0.2, 0.234_227_330_779_054_9),
            (0.36, 0.483_908_045_977_011_5),
            (0.37, 0.483_908_045_977_011_5),
            (0.5, 0.483_908_045_977_011_5),
            (0.71, 0.933_333_333_333_333_3),
            (0.9, 0.933_333_333_333_333_3),
        ] {
            assert_close(at(&map, pd), expected, 1e-12);
        }
    }

    /// Right is .1, then .433 three times, then 1: the pool of .6, .7 and 0 has no quarrel with .1. When this fails, linfa may be worth another look.
    #[test]
    fn linfa_still_pools_too_far() {
        let sample = Dataset::new(array![[0.0], [1.0], [2.0], [3.0], [4.0]], array![0.1, 0.6, 0.7, 0.0, 1.0]);
        let found: Array1<f64> = IsotonicRegression::new().fit(&sample).unwrap().predict(&sample);
        assert!((found[0] - 0.35).abs() < 1e-12, "{found}");
        // Right is .5 for both: the second and third value are one pool.
        let sample = Dataset::new(array![[0.0], [1.0], [2.0]], array![0.1, 0.75, 0.25]);
        let found: Array1<f64> = IsotonicRegression::new().fit(&sample).unwrap().predict(&sample);
        assert!((found[1] - 0.3).abs() < 1e-12 && (found[2] - 0.5).abs() < 1e-12, "{found}");
    }

    #[test]
    fn a_falling_sample_becomes_one_level() {
        let sample = Ranked::new(&[true, true, false, false], &[0.1, 0.2, 0.3, 0.4]).unwrap();
        let map = fit_isotonic(sample.ties()).unwrap();
        assert_eq!(map, CalibrationMap::Isotonic { raw: vec![0.1, 0.4], calibrated: vec![0.5, 0.5] });
    }

    #[test]
    fn one_prediction_is_one_knot_and_one_class_has_no_curve() {
        let flat = Ranked::new(&[true, false, false], &[0.3; 3]).unwrap();
        let CalibrationMap::Isotonic { raw, calibrated } = fit_isotonic(flat.ties()).unwrap() else { panic!() };
        assert_eq!(raw, [0.3]);
        assert_close(calibrated[0], (2.0 / 3.0 + 2.0 / 4.0) / 3.0, 1e-9);
        let refused = fit_isotonic(single_class().ties());
        assert_eq!(refused, Err(CalibrationError::NoFit { method: "isotonic", reason: Undefined::SingleClass }));
    }

    proptest! {
        #[test]
        fn equals_the_min_max_formula(rows in prop::collection::vec((any::<bool>(), 0_u8..25), 2..80)) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 25.0).collect();
            let sample = Ranked::new(&is_bad, &pd).unwrap();
            if let Ok(map) = fit_isotonic(sample.ties()) {
                let expected = isotonic_by_min_max(&softened(sample.ties()).unwrap());
                for (tie, expected) in sample.ties().iter().zip(expected) {
                    prop_assert!((at(&map, tie.pd) - expected).abs() < 1e-12, "{} {}", at(&map, tie.pd), expected);
                }
            }
        }
    }
}
