//! Variation: how unsteady a measure is from period to period.

use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use super::periods::Periods;
use crate::config::ConfigError;

/// Coefficient of variation over equal periods: `√(n Σx² − (Σx)²) ÷ Σx` for the sums `x` of `n` periods, which is their
/// standard deviation (dividing by `n`) over their mean.
///
/// Dividing by `n`, not `n − 1`: the periods are all there are, no sample. Null where the periods sum to 0 or less, or where the
/// merchant was not there for all of them.
#[derive(Debug)]
pub struct Variation(Periods);

impl Variation {
    /// Keys: those of [`Periods`].
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Periods::read(p).map(Self)
    }
}

impl FeatureKind for Variation {
    fn reads(&self) -> Vec<Read> {
        vec![self.0.whole()]
    }

    fn guards(&self) -> Vec<Guard> {
        vec![Guard::Sum { read: self.0.whole(), least: 1 }]
    }

    fn window_words(&self) -> Vec<String> {
        self.0.window_words()
    }

    fn history_days(&self) -> u16 {
        self.0.whole().window.to
    }

    fn formula(&self, names: Names) -> String {
        format!("√(n Σx² − (Σx)²) ÷ Σx, x = {}, n = their number", self.0.words(names))
    }
}

impl OwnKind for Variation {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let sums = self.0.sums(merchant)?;
        let total: i128 = sums.iter().map(|x| i128::from(*x)).sum();
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
        Some(spread.sqrt() / total as f64)
    }
}
