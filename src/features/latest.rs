//! Latest: the value of the last row.

use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
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

    fn guards(&self) -> Vec<Guard> {
        vec![Guard::Rows { read: self.read, least: 1 }]
    }

    fn formula(&self, names: Names) -> String {
        format!("last value of {}", self.read.words(names))
    }
}

impl OwnKind for Latest {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        merchant.rows(self.read)?.first().map(|row| row.value as f64)
    }
}
