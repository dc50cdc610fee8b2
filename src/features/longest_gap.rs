//! Longest gap: the longest time in which nothing happened.

use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// The most days in a row of the window on which the measure has no row; the whole window where it has none at all. Null where
/// the merchant was not there for the whole window.
#[derive(Debug)]
pub struct LongestGap {
    read: Read,
}

impl LongestGap {
    /// Keys: `measure`, `window_days`, `maturity_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: p.read()? })
    }
}

impl FeatureKind for LongestGap {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn named_days(&self) -> Option<u16> {
        self.read.window.days()
    }

    fn history_days(&self) -> u16 {
        self.read.window.to
    }

    fn formula(&self, names: Names) -> String {
        format!("most days in a row without {} in {}", names(self.read.measure), window_words(self.read.window))
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let Some(tiles) = merchant.days(self.read) else { return Ok(None) };
        let mut longest = 0;
        let mut next = self.read.window.from;
        for tile in tiles {
            longest = longest.max(tile.day.saturating_sub(next));
            next = tile.day.saturating_add(1);
        }
        Ok(Some(f64::from(longest.max(self.read.window.to.saturating_sub(next)))))
    }
}
