//! Sum: a measure added up over a window.

use super::kind::{FeatureKind, Names, OwnKind, Read};
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

    fn formula(&self, names: Names) -> String {
        self.read.sum_words(names)
    }
}

impl OwnKind for Sum {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        merchant.tally(self.read).map(|t| t.sum as f64)
    }
}
