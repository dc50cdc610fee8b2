//! Sum: a measure added up over a window.

use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// `Σ measure over the window`. A window without rows sums to 0: nothing happened, and that is known.
#[derive(Debug)]
pub struct Sum {
    read: Read,
}

impl Sum {
    /// Keys: `measure`, `window_days`, `maturity_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: p.read()? })
    }
}

impl FeatureKind for Sum {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn named_days(&self) -> Option<u16> {
        self.read.window.days()
    }

    fn formula(&self, names: Names) -> String {
        format!("Σ {} over {}", names(self.read.measure), window_words(self.read.window))
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        Ok(merchant.tally(self.read)?.map(|t| t.sum as f64))
    }
}
