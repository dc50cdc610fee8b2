//! Balance: what is open now.

use super::error::FeatureError;
use super::kind::{FeatureKind, MeasureId, Names, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// `Σ measure over all of history`. The measure's predicate speaks of rows as they stand at as-of (`completed_at IS NULL`), so that
/// the sum is what is open now, however old.
#[derive(Debug)]
pub struct Balance {
    measure: MeasureId,
}

impl Balance {
    /// Keys: `measure`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { measure: p.measure("measure")? })
    }
}

impl FeatureKind for Balance {
    fn reads(&self) -> Vec<Read> {
        vec![Read { measure: self.measure, window: DayWindow::ALL }]
    }

    fn named_days(&self) -> Option<u16> {
        None
    }

    fn formula(&self, names: Names) -> String {
        format!("Σ {} as it stands at D, over all of history", names(self.measure))
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        Ok(merchant.tally(Read { measure: self.measure, window: DayWindow::ALL })?.map(|t| t.sum as f64))
    }
}
