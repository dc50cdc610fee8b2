//! Share: one measure as a part of another over the same window.

use super::error::FeatureError;
use super::kind::{FeatureKind, MeasureId, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// `Σ numerator ÷ Σ denominator`, from 0 to 1. Null where the denominator is below `min_denominator`: three orders make no
/// rate.
///
/// With both measures dated by the order, and `maturity_days` set, the cohort ends that long before as-of, so that outcomes
/// not yet arrived are not taken for good ones. Example: 90 days with 30 days of maturity as of 2018-08-01 speak of orders placed
/// from 2018-04-03 to 2018-07-01. A quotient outside 0 to 1, possible only where the numerator is no part of the denominator, is
/// cut to that range.
#[derive(Debug)]
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
}

/// `numerator ÷ denominator`, cut to 0–1; null below the smallest denominator.
pub fn share_of(numerator: i64, denominator: i64, least: i64) -> Option<f64> {
    (denominator >= least.max(1)).then(|| (numerator as f64 / denominator as f64).clamp(0.0, 1.0))
}

impl FeatureKind for Share {
    fn reads(&self) -> Vec<Read> {
        [self.numerator, self.denominator].map(|measure| Read { measure, window: self.window }).to_vec()
    }

    fn named_days(&self) -> Option<u16> {
        self.window.days()
    }

    fn formula(&self, names: Names) -> String {
        format!(
            "Σ {} ÷ Σ {} over {}; null where Σ {} < {}",
            names(self.numerator),
            names(self.denominator),
            window_words(self.window),
            names(self.denominator),
            self.min_denominator
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let tally = |measure| merchant.tally(Read { measure, window: self.window });
        let both = tally(self.numerator)?.zip(tally(self.denominator)?);
        Ok(both.and_then(|(n, d)| share_of(n.sum, d.sum, self.min_denominator)))
    }
}
