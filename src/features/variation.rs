//! Variation: how unsteady a measure is from period to period.

use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::lowest_period::Periods;
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// Coefficient of variation over equal periods: `√(n Σx² − (Σx)²) ÷ Σx` for the sums `x` of `n` periods, which is their
/// standard deviation (dividing by `n`) over their mean.
///
/// Dividing by `n`, not `n − 1`: the periods are all there are, no sample. Null where the periods sum to 0 or less, or where the
/// merchant was not there for all of them.
#[derive(Debug)]
pub struct Variation {
    periods: Periods,
}

impl Variation {
    /// Keys: `measure`, `period_days`, `periods`, `maturity_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { periods: Periods::read(p)? })
    }
}

impl FeatureKind for Variation {
    fn reads(&self) -> Vec<Read> {
        vec![self.periods.whole()]
    }

    fn named_days(&self) -> Option<u16> {
        self.periods.whole().window.days()
    }

    fn window_words(&self) -> Vec<String> {
        self.periods.words()
    }

    fn history_days(&self) -> u16 {
        self.periods.whole().window.to
    }

    fn formula(&self, names: Names) -> String {
        format!(
            "√(n Σx² − (Σx)²) ÷ Σx, x = Σ {} in each of n = {} periods of {} days over {}",
            names(self.periods.measure),
            self.periods.count,
            self.periods.days,
            window_words(self.periods.whole().window)
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let Some(sums) = self.periods.sums(merchant)? else { return Ok(None) };
        let total: i128 = sums.iter().map(|x| i128::from(*x)).sum();
        if total <= 0 {
            return Ok(None);
        }
        // Exact in 128 bits up to sums of 10¹⁷ minor units; beyond that the floats below agree to 15 digits.
        let n = i128::try_from(sums.len()).unwrap_or(i128::MAX);
        let exact = || {
            let squares = sums.iter().try_fold(0_i128, |acc, x| acc.checked_add(i128::from(*x).checked_pow(2)?))?;
            n.checked_mul(squares)?.checked_sub(total.checked_pow(2)?)
        };
        let spread = exact().map_or_else(
            || {
                let squares: f64 = sums.iter().map(|x| (*x as f64).powi(2)).sum();
                (n as f64 * squares - (total as f64).powi(2)).max(0.0)
            },
            |spread| spread as f64,
        );
        Ok(Some(spread.sqrt() / total as f64))
    }
}
