//! Rows per buyer: how often the average buyer bought.

use super::buyers::{BuyerWindow, by_buyer};
use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// `rows ÷ distinct buyers` in the window; null with fewer than `min_buyers` buyers. A large marketplace takes 3 orders a buyer
/// for a sign of fake trade.
#[derive(Debug)]
pub struct RowsPerBuyer(BuyerWindow);

impl RowsPerBuyer {
    /// Keys: those of [`BuyerWindow`].
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        BuyerWindow::read(p).map(Self)
    }
}

impl FeatureKind for RowsPerBuyer {
    fn reads(&self) -> Vec<Read> {
        vec![self.0.read]
    }

    fn needs_rows(&self) -> bool {
        true
    }

    fn guards(&self) -> Vec<Guard> {
        vec![self.0.guard()]
    }

    fn formula(&self, names: Names) -> String {
        format!("rows ÷ distinct buyers of {}", self.0.read.words(names))
    }
}

impl OwnKind for RowsPerBuyer {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let rows = merchant.rows(self.0.read)?;
        Some(rows.len() as f64 / by_buyer(rows).len() as f64)
    }
}
