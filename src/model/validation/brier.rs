//! Brier score: the mean squared error of the predicted probabilities, and what it is made of.
//!
//! `Brier = Σ w (pd − y)² / Σ w`
//!
//! The denominator is all rows. A model that always says the bad rate π scores π(1 − π): the *uncertainty*, which no model is to
//! blame for. Over bins b with mean prediction `p_b` and bad rate `o_b` the score splits exactly into
//!
//! `reliability Σ w_b (p_b − o_b)² − resolution Σ w_b (o_b − π)² + uncertainty π(1 − π) + within`
//!
//! where *within* is what predictions vary inside a bin, `variance − 2 covariance` (Stephenson, Coelho & Jolliffe 2008, Weather
//! and Forecasting 23), zero when a bin holds a single prediction. Small reliability is good calibration, large resolution good ranking.
//!
//! Source: Brier (1950); Murphy (1973), Journal of Applied Meteorology 12.

use serde::{Deserialize, Serialize};

use super::bins::PdBin;
use super::ranked::{Tie, class_mass};

/// Mean squared error of the predictions.
#[must_use]
pub fn brier(ties: &[Tie]) -> f64 {
    let (good, bad) = class_mass(ties);
    ties.iter().map(|tie| tie.good * tie.pd * tie.pd + tie.bad * (1.0 - tie.pd) * (1.0 - tie.pd)).sum::<f64>()
        / (good + bad)
}

/// Parts of the Brier score: `reliability − resolution + uncertainty + within = brier`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BrierParts {
    /// Mean squared distance of bins' predictions from bins' bad rates; 0 is perfectly calibrated.
    pub reliability: f64,
    /// Mean squared distance of bins' bad rates from the overall bad rate; more is better.
    pub resolution: f64,
    /// Variance of the outcome: the same for every model.
    pub uncertainty: f64,
    /// Variance of predictions inside bins less twice their covariance with the outcome.
    pub within: f64,
}

/// Splits the Brier score over bins made of the same ties.
#[must_use]
pub fn brier_parts(ties: &[Tie], bins: &[PdBin]) -> BrierParts {
    let (good, bad) = class_mass(ties);
    let total = good + bad;
    let base = bad / total;
    let mut parts = BrierParts { reliability: 0.0, resolution: 0.0, uncertainty: base * (1.0 - base), within: 0.0 };
    for bin in bins {
        let share = bin.weight / total;
        parts.reliability += share * (bin.mean_pd - bin.bad_rate).powi(2);
        parts.resolution += share * (bin.bad_rate - base).powi(2);
        for tie in ties.get(bin.ties.clone()).unwrap_or_default() {
            let off = tie.pd - bin.mean_pd;
            let covariance = off * (tie.bad * (1.0 - bin.bad_rate) - tie.good * bin.bad_rate);
            parts.within += (tie.mass() * off * off - 2.0 * covariance) / total;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::bins::equal_mass_bins;
    use crate::model::validation::fixture::{assert_close, ranked, weighted};
    use crate::model::validation::ranked::Ranked;

    // scikit-learn 1.9.1: brier_score_loss(y, pd), and with sample_weight.
    #[test]
    fn equals_scikit_learn() {
        assert_close(brier(ranked().ties()), 0.202_872_5, 1e-15);
        assert_close(brier(weighted().ties()), 0.205_001_428_571_428_57, 1e-15);
    }

    #[test]
    fn the_bad_rate_as_prediction_scores_the_uncertainty() {
        let flat = Ranked::new(&[true, false, false, false], &[0.25; 4]).unwrap();
        let parts = brier_parts(flat.ties(), &equal_mass_bins(flat.ties(), 10));
        assert_close(brier(flat.ties()), 0.1875, 1e-15);
        let expected = BrierParts { reliability: 0.0, resolution: 0.0, uncertainty: 0.1875, within: 0.0 };
        assert_eq!(parts, expected);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_score(
            rows in prop::collection::vec((any::<bool>(), 0_u16..=1000), 1..80),
            bins in 1_usize..12,
        ) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 1000.0).collect();
            let ranked = Ranked::new(&is_bad, &pd).unwrap();
            let parts = brier_parts(ranked.ties(), &equal_mass_bins(ranked.ties(), bins));
            let sum = parts.reliability - parts.resolution + parts.uncertainty + parts.within;
            prop_assert!((sum - brier(ranked.ties())).abs() < 1e-12);
        }
    }
}
