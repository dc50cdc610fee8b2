//! Lowest period: the worst month of the last so many.

use super::error::FeatureError;
use super::kind::{FeatureKind, MeasureId, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::{MAX_REACH_DAYS, Params};
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// Equal periods, back from as-of (or from `maturity_days` before it), without a gap.
#[derive(Debug, Clone, Copy)]
pub struct Periods {
    /// What is summed.
    pub measure: MeasureId,
    /// Days of a period.
    pub days: u16,
    /// How many.
    pub count: u16,
    skip: u16,
}

impl Periods {
    /// Keys: `measure`, `period_days`, `periods`, `maturity_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let measure = p.measure("measure")?;
        let days = p.days("period_days")?;
        let Some(count) = p.optional_days("periods", 2)? else {
            return Err(p.refuse("periods is missing", "how many periods, periods = 12"));
        };
        let skip = p.optional_days("maturity_days", 0)?.unwrap_or(0);
        let reach = u32::from(days) * u32::from(count) + u32::from(skip);
        if reach > u32::from(MAX_REACH_DAYS) {
            return Err(
                p.refuse(format!("the periods reach {reach} days back"), format!("at most {MAX_REACH_DAYS} days"))
            );
        }
        Ok(Self { measure, days, count, skip })
    }

    /// All periods together.
    pub fn whole(self) -> Read {
        Read { measure: self.measure, window: DayWindow::new(self.skip, self.days.saturating_mul(self.count)) }
    }

    /// How a name may mention them: `360d`, or `12m` for months of 30 days.
    pub fn words(self) -> Vec<String> {
        let days = format!("{}d", self.days.saturating_mul(self.count));
        if self.days == 30 { vec![days, format!("{}m", self.count)] } else { vec![days] }
    }

    /// Sums of the periods, latest first; `None` without evidence.
    pub fn sums(self, merchant: &MerchantTiles) -> Result<Option<Vec<i64>>, FeatureError> {
        (0..self.count)
            .map(|n| {
                let window = DayWindow::new(self.skip + n * self.days, self.days);
                Ok(merchant.tally(Read { measure: self.measure, window })?.map(|t| t.sum))
            })
            .collect()
    }
}

/// The least of the sums of `periods` periods of `period_days`. Null where the merchant was not there for all of them.
///
/// What a merchant sells in its worst month it will probably sell in the next: a large marketplace lender lends up to twice the
/// lowest month of twelve.
#[derive(Debug)]
pub struct LowestPeriod {
    periods: Periods,
}

impl LowestPeriod {
    /// Keys: `measure`, `period_days`, `periods`, `maturity_days`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { periods: Periods::read(p)? })
    }
}

impl FeatureKind for LowestPeriod {
    fn reads(&self) -> Vec<Read> {
        vec![self.periods.whole()]
    }

    fn named_days(&self) -> Option<u16> {
        self.periods.whole().window.days()
    }

    fn window_words(&self) -> Vec<String> {
        self.periods.words()
    }

    fn history_days(&self) -> u16 {
        self.periods.whole().window.to
    }

    fn formula(&self, names: Names) -> String {
        format!(
            "least Σ {} of {} periods of {} days over {}",
            names(self.periods.measure),
            self.periods.count,
            self.periods.days,
            window_words(self.periods.whole().window)
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        Ok(self.periods.sums(merchant)?.and_then(|sums| sums.into_iter().min()).map(|least| least as f64))
    }
}
