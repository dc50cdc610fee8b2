//! Repeat share: how many buyers came back.

use super::buyers::by_buyer;
use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// `buyers with two or more rows ÷ buyers` in the window; null with fewer than `min_buyers` buyers.
#[derive(Debug)]
pub struct RepeatShare {
    read: Read,
    min_buyers: usize,
}

impl RepeatShare {
    /// Keys: `measure`, `window_days`, `maturity_days`, `min_buyers`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: Read { measure: p.buyer_measure()?, window: p.window()? }, min_buyers: min_buyers(p)? })
    }
}

/// `min_buyers`, 1 where not given.
pub fn min_buyers(p: &mut Params) -> Result<usize, ConfigError> {
    let least = p.optional_whole("min_buyers", 1..=1_000_000)?.unwrap_or(1);
    Ok(usize::try_from(least).unwrap_or(1))
}

impl FeatureKind for RepeatShare {
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
            "buyers with 2 or more {} ÷ buyers over {}; null with fewer than {} buyers",
            names(self.read.measure),
            window_words(self.read.window),
            self.min_buyers
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let Some(rows) = merchant.rows(self.read) else { return Ok(None) };
        let buyers = by_buyer(rows);
        let repeat = buyers.iter().filter(|b| b.rows >= 2).count();
        Ok((buyers.len() >= self.min_buyers).then(|| repeat as f64 / buyers.len() as f64))
    }
}
