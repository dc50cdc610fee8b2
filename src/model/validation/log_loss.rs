//! Log loss: the mean surprise at the outcomes, in nats.
//!
//! `log loss = Σ w · −ln(probability given to what happened) / Σ w`
//!
//! The denominator is all rows: the figure moves with the bad rate, so compare models on one sample, not samples. A certain
//! prediction that fails has infinite loss; probabilities are therefore held within [ε, 1 − ε] with ε = 2⁻⁵² (as scikit-learn does), which
//! caps one row's loss at 36 nats.

use super::ranked::{Tie, class_mass};
use crate::domain::elementary::{ln, ln_1p};

/// How near to certainty a prediction may come in a logarithm.
pub const CERTAINTY: f64 = f64::EPSILON;

/// Mean negative log likelihood.
#[must_use]
pub fn log_loss(ties: &[Tie]) -> f64 {
    let (good, bad) = class_mass(ties);
    ties.iter().map(|tie| tie.good * loss_of_good(tie.pd) + tie.bad * loss_of_bad(tie.pd)).sum::<f64>() / (good + bad)
}

/// Surprise in nats when a row with this prediction turns out good.
#[must_use]
pub fn loss_of_good(pd: f64) -> f64 {
    -ln_1p(-pd.min(1.0 - CERTAINTY))
}

/// Surprise in nats when a row with this prediction turns out bad.
#[must_use]
pub fn loss_of_bad(pd: f64) -> f64 {
    -ln(pd.max(CERTAINTY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked, weighted};
    use crate::model::validation::ranked::Ranked;

    // scikit-learn 1.9.1: log_loss(y, pd), and with sample_weight.
    #[test]
    fn equals_scikit_learn() {
        assert_close(log_loss(ranked().ties()), 0.589_952_120_663_387_4, 1e-14);
        assert_close(log_loss(weighted().ties()), 0.594_337_298_203_622_1, 1e-14);
    }

    #[test]
    fn certainty_that_fails_is_dear_and_finite() {
        let wrong = Ranked::new(&[true, false], &[0.0, 1.0]).unwrap();
        assert_close(log_loss(wrong.ties()), 36.043_653_389_117_15, 1e-9);
        let right = Ranked::new(&[false, true], &[0.0, 1.0]).unwrap();
        assert_close(log_loss(right.ties()), 0.0, 1e-15);
    }
}
