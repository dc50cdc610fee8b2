//! Longest gap: the longest time in which nothing happened.

use super::kind::{FeatureKind, Names, OwnKind, Read};
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

    fn history_days(&self) -> u16 {
        self.read.window.to
    }

    fn formula(&self, names: Names) -> String {
        format!("most days in a row without a row of {}", self.read.words(names))
    }
}

impl OwnKind for LongestGap {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let mut longest = 0;
        let mut next = self.read.window.from;
        for tile in merchant.days(self.read)? {
            longest = longest.max(tile.day.saturating_sub(next));
            next = tile.day.saturating_add(1);
        }
        Some(f64::from(longest.max(self.read.window.to.saturating_sub(next))))
    }
}
