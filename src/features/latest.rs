//! Latest: the value of the last row.

use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// The measure's value on its last row in the window; of rows at one instant the least. Null where the window holds none.
#[derive(Debug)]
pub struct Latest {
    read: Read,
}

impl Latest {
    /// Keys: `measure`, `window_days`, `maturity_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: p.read()? })
    }
}

impl FeatureKind for Latest {
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
        format!("last {} in {}", names(self.read.measure), window_words(self.read.window))
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        Ok(merchant.rows(self.read).and_then(|rows| rows.first()).map(|row| row.value as f64))
    }
}
