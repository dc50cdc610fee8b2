//! Repeat share: how many buyers came back.

use super::buyers::{BuyerWindow, by_buyer};
use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// `buyers with two or more rows ÷ buyers` in the window; null with fewer than `min_buyers` buyers.
#[derive(Debug)]
pub struct RepeatShare(BuyerWindow);

impl RepeatShare {
    /// Keys: those of [`BuyerWindow`].
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        BuyerWindow::read(p).map(Self)
    }
}

impl FeatureKind for RepeatShare {
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
        format!("buyers with 2 or more rows ÷ distinct buyers of {}", self.0.read.words(names))
    }
}

impl OwnKind for RepeatShare {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let buyers = by_buyer(merchant.rows(self.0.read)?);
        let repeat = buyers.iter().filter(|b| b.rows >= 2).count();
        Some(repeat as f64 / buyers.len() as f64)
    }
}
