//! Lowest period: the worst month of the last so many.

use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use super::periods::Periods;
use crate::config::ConfigError;

/// The least of the sums of `periods` periods of `period_days`. Null where the merchant was not there for all of them.
///
/// What a merchant sells in its worst month it will probably sell in the next: a large marketplace lender lends up to twice the
/// lowest month of twelve.
#[derive(Debug)]
pub struct LowestPeriod(Periods);

impl LowestPeriod {
    /// Keys: those of [`Periods`].
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Periods::read(p).map(Self)
    }
}

impl FeatureKind for LowestPeriod {
    fn reads(&self) -> Vec<Read> {
        vec![self.0.whole()]
    }

    fn window_words(&self) -> Vec<String> {
        self.0.window_words()
    }

    fn history_days(&self) -> u16 {
        self.0.whole().window.to
    }

    fn formula(&self, names: Names) -> String {
        format!("min x, x = {}", self.0.words(names))
    }
}

impl OwnKind for LowestPeriod {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        self.0.sums(merchant)?.into_iter().min().map(|least| least as f64)
    }
}
