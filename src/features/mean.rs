//! Mean: a measure's average value a row.

use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// `Σ measure ÷ rows` over the window; null with fewer than `min_rows` rows. Rows whose value is null are no rows.
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

    fn named_days(&self) -> Option<u16> {
        self.read.window.days()
    }

    fn formula(&self, names: Names) -> String {
        let name = names(self.read.measure);
        format!(
            "Σ {name} ÷ its rows over {}; null with fewer than {} rows",
            window_words(self.read.window),
            self.min_rows
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let tally = merchant.tally(self.read)?;
        Ok(tally.filter(|t| t.rows >= self.min_rows).map(|t| t.sum as f64 / t.rows as f64))
    }
}
