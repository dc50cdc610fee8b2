//! Ratio: one measure against another, without bounds.

use super::guard::Guard;
use super::kind::{FeatureKind, Names, OwnKind, Read};
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
    numerator: Read,
    denominator: Read,
    denominator_mean: bool,
    min_denominator: i64,
}

impl Ratio {
    /// Keys: `numerator`, `denominator`, `window_days`, `maturity_days`, `numerator_ever`, `denominator_mean`,
    /// `min_denominator`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let (numerator, denominator) = (p.measure("numerator")?, p.measure("denominator")?);
        let window = p.window()?;
        let above = if p.flag("numerator_ever")? { DayWindow::ALL } else { window };
        Ok(Self {
            numerator: Read { measure: numerator, window: above },
            denominator: Read { measure: denominator, window },
            denominator_mean: p.flag("denominator_mean")?,
            min_denominator: p.optional_whole("min_denominator", 1..=i64::MAX)?.unwrap_or(1),
        })
    }
}

impl FeatureKind for Ratio {
    fn reads(&self) -> Vec<Read> {
        vec![self.numerator, self.denominator]
    }

    fn guards(&self) -> Vec<Guard> {
        let (read, least) = (self.denominator, self.min_denominator);
        vec![if self.denominator_mean { Guard::Mean { read, least } } else { Guard::Sum { read, least } }]
    }

    fn named_days(&self) -> Option<u16> {
        self.denominator.window.days()
    }

    fn formula(&self, names: Names) -> String {
        let (above, below) = (self.numerator.sum_words(names), self.denominator.sum_words(names));
        if self.denominator_mean { format!("{above} ÷ ({below} ÷ its rows)") } else { format!("{above} ÷ {below}") }
    }
}

impl OwnKind for Ratio {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let (above, below) = merchant.tally(self.numerator).zip(merchant.tally(self.denominator))?;
        let divisor = if self.denominator_mean { below.sum as f64 / below.rows as f64 } else { below.sum as f64 };
        Some(above.sum as f64 / divisor)
    }
}
