//! Share: one measure as a part of another over the same window.

use super::guard::Guard;
use super::kind::{FeatureKind, MeasureId, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// `Σ numerator ÷ Σ denominator`, from 0 to 1. Null where the denominator is below `min_denominator`: three orders make no
/// rate.
///
/// With both measures dated by the order, and `maturity_days` set, the cohort ends that long before as-of, so that outcomes
/// not yet arrived are not taken for good ones. Example: 90 days with 30 days of maturity as of 2018-08-01 cover orders placed
/// from 2018-04-03 to 2018-07-01. A quotient outside 0 to 1, possible only where the numerator is not a part of the denominator, is
/// cut to that range.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    numerator: MeasureId,
    denominator: MeasureId,
    window: DayWindow,
    min_denominator: i64,
}

impl Share {
    /// Keys: `numerator`, `denominator`, `window_days`, `maturity_days`, `min_denominator`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self {
            numerator: p.measure("numerator")?,
            denominator: p.measure("denominator")?,
            window: p.window()?,
            min_denominator: p.optional_whole("min_denominator", 1..=i64::MAX)?.unwrap_or(1),
        })
    }

    /// The window's numerator.
    pub fn numerator(&self) -> Read {
        Read { measure: self.numerator, window: self.window }
    }

    /// The window's denominator.
    pub fn denominator(&self) -> Read {
        Read { measure: self.denominator, window: self.window }
    }
}

/// `numerator ÷ denominator`, cut to 0–1. The guards see to it that the denominator is above 0.
pub fn share_of(numerator: i128, denominator: i128) -> f64 {
    (numerator as f64 / denominator as f64).clamp(0.0, 1.0)
}

impl FeatureKind for Share {
    fn reads(&self) -> Vec<Read> {
        vec![self.numerator(), self.denominator()]
    }

    fn guards(&self) -> Vec<Guard> {
        vec![Guard::Sum { read: self.denominator(), least: self.min_denominator }]
    }

    fn formula(&self, names: Names) -> String {
        format!("{} ÷ {}, cut to 0–1", self.numerator().sum_words(names), self.denominator().sum_words(names))
    }
}

impl OwnKind for Share {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let (numerator, denominator) = merchant.tally(self.numerator()).zip(merchant.tally(self.denominator()))?;
        Some(share_of(numerator.sum.into(), denominator.sum.into()))
    }
}
