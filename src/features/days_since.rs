//! Days since: how long ago something last happened.

use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

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
        let window = DayWindow::new(0, p.days("window_days")?);
        Ok(Self { read: Read { measure, window } })
    }
}

impl FeatureKind for DaysSince {
    fn reads(&self) -> Vec<Read> {
        vec![self.read]
    }

    fn guards(&self) -> Vec<Guard> {
        vec![Guard::RowOrHistory { read: self.read, days: self.read.window.to }]
    }

    fn formula(&self, names: Names) -> String {
        format!(
            "days from the last row of {} to D, {} where there is none",
            self.read.words(names),
            self.read.window.to
        )
    }
}

impl OwnKind for DaysSince {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let last = merchant.days(self.read)?.next();
        Some(last.map_or_else(|| f64::from(self.read.window.to), |tile| f64::from(tile.day) + 1.0))
    }
}
