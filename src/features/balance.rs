//! Balance: what is open now.

use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// `Σ measure over all of history`. The measure's predicate is about rows as they stand at as-of (`completed_at IS NULL`), so that
/// the sum is what is open now, however old.
#[derive(Debug)]
pub struct Balance {
    read: Read,
}

impl Balance {
    /// Keys: `measure`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: Read { measure: p.measure("measure")?, window: DayWindow::ALL } })
    }
}

impl FeatureKind for Balance {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn formula(&self, names: Names) -> String {
        self.read.sum_words(names)
    }
}

impl OwnKind for Balance {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        merchant.tally(self.read).map(|t| t.sum as f64)
    }
}
