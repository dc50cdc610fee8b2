//! Days since: how long ago something last happened.

use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;

/// Calendar days from the date of the measure's last row to as-of: 1 for yesterday. `window_days` where the window holds no row
/// and the merchant was there for all of it; null where it was not.
#[derive(Debug)]
pub struct DaysSince {
    read: Read,
}

impl DaysSince {
    /// Keys: `measure`, `window_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let measure = p.measure("measure")?;
        let window = crate::tiles::DayWindow::new(0, p.days("window_days")?);
        Ok(Self { read: Read { measure, window } })
    }
}

impl FeatureKind for DaysSince {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn named_days(&self) -> Option<u16> {
        self.read.window.days()
    }

    fn formula(&self, names: Names) -> String {
        let days = self.read.window.to;
        format!(
            "days from the last {} in {} to D; {days} where there is none",
            names(self.read.measure),
            window_words(self.read.window)
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let Some(mut tiles) = merchant.days(self.read) else { return Ok(None) };
        let window = self.read.window.to;
        Ok(match tiles.next() {
            Some(tile) => Some(f64::from(tile.day) + 1.0),
            None if merchant.tenure_days() >= i64::from(window) => Some(f64::from(window)),
            None => None,
        })
    }
}
