//! Hosmer–Lemeshow test of calibration over bins of risk.
//!
//! `H = Σ over bins of (observed − expected)² / (expected × (1 − expected / rows))`
//!
//! On a sample the model has not seen, H is χ² with as many degrees of freedom as bins; on the sample it was fitted to, with two less. The
//! denominator is the binomial variance at the bin's mean prediction. With many rows the test rejects for differences nobody would act
//! on, with few it sees nothing: read it beside the calibration slope and the deciles, never alone.
//!
//! Source: Hosmer, Lemeshow & Sturdivant (2013), Applied Logistic Regression, 3rd edition, § 5.2.2.

use serde::{Deserialize, Serialize};

use super::bins::PdBin;
use super::error::Undefined;
use crate::domain::distributions::chi_squared_survival;

/// The test's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HosmerLemeshow {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom it is compared with.
    pub degrees_of_freedom: usize,
    /// Probability of a statistic at least as large from a calibrated model.
    pub p_value: f64,
}

/// Runs the test. `fitted_on_sample` says whether the predictions come from a model fitted to these very rows.
///
/// # Errors
/// Bins whose predictions are all 0 or all 1 (no variance), or fewer bins than the test needs.
pub fn hosmer_lemeshow(bins: &[PdBin], fitted_on_sample: bool) -> Result<HosmerLemeshow, Undefined> {
    let mut statistic = 0.0;
    for bin in bins {
        let variance = bin.weight * bin.mean_pd * (1.0 - bin.mean_pd);
        if variance <= 0.0 {
            return Err(Undefined::ZeroVariance);
        }
        statistic += (bin.bad - bin.weight * bin.mean_pd).powi(2) / variance;
    }
    let degrees_of_freedom = bins.len().saturating_sub(if fitted_on_sample { 2 } else { 0 });
    let p_value = chi_squared_survival(statistic, degrees_of_freedom).ok_or(Undefined::TooFewGroups)?;
    Ok(HosmerLemeshow { statistic, degrees_of_freedom, p_value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::bins::equal_mass_bins;
    use crate::model::validation::fixture::{assert_close, ranked};
    use crate::model::validation::ranked::Ranked;

    // numpy 2 over the same bins, and scipy 1.17.1 chi2.sf(statistic, 10), chi2.sf(statistic, 8)
    #[test]
    fn equals_scipy() {
        let bins = equal_mass_bins(ranked().ties(), 10);
        let held_out = hosmer_lemeshow(&bins, false).unwrap();
        assert_close(held_out.statistic, 5.312_709_561_800_069, 1e-12);
        assert_close(held_out.p_value, 0.869_334_063_680_842_7, 1e-10);
        assert_eq!(held_out.degrees_of_freedom, 10);
        let fitted = hosmer_lemeshow(&bins, true).unwrap();
        assert_close(fitted.p_value, 0.723_689_979_326_647_4, 1e-10);
    }

    #[test]
    fn degenerate_bins_are_undefined() {
        let certain = Ranked::new(&[false, false, true], &[0.0, 0.0, 1.0]).unwrap();
        let bins = equal_mass_bins(certain.ties(), 2);
        assert_eq!(hosmer_lemeshow(&bins, false), Err(Undefined::ZeroVariance));
        let flat = Ranked::new(&[false, true], &[0.3, 0.3]).unwrap();
        let bins = equal_mass_bins(flat.ties(), 10);
        assert_eq!(hosmer_lemeshow(&bins, true), Err(Undefined::TooFewGroups));
    }
}
