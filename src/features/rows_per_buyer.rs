//! Rows per buyer: how often the average buyer bought.

use super::buyers::by_buyer;
use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use super::repeat_share::min_buyers;
use crate::config::ConfigError;

/// `rows ÷ distinct buyers` in the window; null with fewer than `min_buyers` buyers. A large marketplace takes 3 orders a buyer
/// for a sign of fake trade.
#[derive(Debug)]
pub struct RowsPerBuyer {
    read: Read,
    min_buyers: usize,
}

impl RowsPerBuyer {
    /// Keys: `measure`, `window_days`, `maturity_days`, `min_buyers`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: Read { measure: p.buyer_measure()?, window: p.window()? }, min_buyers: min_buyers(p)? })
    }
}

impl FeatureKind for RowsPerBuyer {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn needs_rows(&self) -> bool {
        true
    }

    fn named_days(&self) -> Option<u16> {
        self.read.window.days()
    }

    fn formula(&self, names: Names) -> String {
        format!(
            "rows of {} ÷ distinct buyers over {}; null with fewer than {} buyers",
            names(self.read.measure),
            window_words(self.read.window),
            self.min_buyers
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let Some(rows) = merchant.rows(self.read) else { return Ok(None) };
        let buyers = by_buyer(rows).len();
        Ok((buyers >= self.min_buyers).then(|| rows.len() as f64 / buyers as f64))
    }
}
