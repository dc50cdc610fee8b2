//! Mean: a measure's average value a row.

use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// `Σ measure ÷ rows` over the window; null with fewer than `min_rows` rows. Rows whose value is null do not count.
#[derive(Debug)]
pub struct Mean {
    read: Read,
    min_rows: u64,
}

impl Mean {
    /// Keys: `measure`, `window_days`, `maturity_days`, `min_rows`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { read: p.read()?, min_rows: min_rows(p)? })
    }
}

/// `min_rows`, 1 where not given.
pub fn min_rows(p: &mut Params) -> Result<u64, ConfigError> {
    Ok(p.optional_whole("min_rows", 1..=1_000_000_000)?.map_or(1, i64::unsigned_abs))
}

impl FeatureKind for Mean {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn guards(&self) -> Vec<Guard> {
        vec![Guard::Rows { read: self.read, least: self.min_rows }]
    }

    fn formula(&self, names: Names) -> String {
        format!("{} ÷ its rows", self.read.sum_words(names))
    }
}

impl OwnKind for Mean {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let tally = merchant.tally(self.read)?;
        Some(tally.sum as f64 / tally.rows as f64)
    }
}
