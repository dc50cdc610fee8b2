//! Distinct buyers: how many different people bought.

use super::buyers::by_buyer;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// Exact number of distinct buyers among the measure's rows in the window.
#[derive(Debug)]
pub struct DistinctBuyers {
    read: Read,
}

impl DistinctBuyers {
    /// Keys: `measure`, `window_days`, `maturity_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: Read { measure: p.buyer_measure()?, window: p.window()? } })
    }
}

impl FeatureKind for DistinctBuyers {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn needs_rows(&self) -> bool {
        true
    }

    fn formula(&self, names: Names) -> String {
        format!("distinct buyers of {}", self.read.words(names))
    }
}

impl OwnKind for DistinctBuyers {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        merchant.rows(self.read).map(|rows| by_buyer(rows).len() as f64)
    }
}
