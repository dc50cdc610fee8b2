//! Ratio: one measure against another, without bounds.

use super::error::FeatureError;
use super::kind::{FeatureKind, MeasureId, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// `Σ numerator ÷ Σ denominator`; with `denominator_mean` the denominator is its mean a row, with `numerator_ever` the
/// numerator is summed over all of history. Null where the denominator is below `min_denominator`.
///
/// Inventory turnover is cost of sales over mean stock; a backlog in days' worth of trade is what is open now over what is sold.
#[derive(Debug)]
pub struct Ratio {
    numerator: MeasureId,
    denominator: MeasureId,
    window: DayWindow,
    numerator_ever: bool,
    denominator_mean: bool,
    min_denominator: i64,
}

impl Ratio {
    /// Keys: `numerator`, `denominator`, `window_days`, `maturity_days`, `numerator_ever`, `denominator_mean`,
    /// `min_denominator`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self {
            numerator: p.measure("numerator")?,
            denominator: p.measure("denominator")?,
            window: p.window()?,
            numerator_ever: p.flag("numerator_ever")?,
            denominator_mean: p.flag("denominator_mean")?,
            min_denominator: p.optional_whole("min_denominator", 1..=i64::MAX)?.unwrap_or(1),
        })
    }

    fn numerator_read(&self) -> Read {
        let window = if self.numerator_ever { DayWindow::ALL } else { self.window };
        Read { measure: self.numerator, window }
    }

    fn denominator_read(&self) -> Read {
        Read { measure: self.denominator, window: self.window }
    }
}

impl FeatureKind for Ratio {
    fn reads(&self) -> Vec<Read> {
        vec![self.numerator_read(), self.denominator_read()]
    }

    fn named_days(&self) -> Option<u16> {
        self.window.days()
    }

    fn formula(&self, names: Names) -> String {
        let below = if self.denominator_mean { "mean" } else { "Σ" };
        format!(
            "Σ {} over {} ÷ {below} {} over {}; null where that is < {}",
            names(self.numerator),
            window_words(self.numerator_read().window),
            names(self.denominator),
            window_words(self.window),
            self.min_denominator
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let both = merchant.tally(self.numerator_read())?.zip(merchant.tally(self.denominator_read())?);
        Ok(both.and_then(|(above, below)| {
            if self.denominator_mean && below.rows == 0 {
                return None;
            }
            let divisor = if self.denominator_mean { below.sum as f64 / below.rows as f64 } else { below.sum as f64 };
            (divisor >= self.min_denominator as f64).then(|| above.sum as f64 / divisor)
        }))
    }
}
