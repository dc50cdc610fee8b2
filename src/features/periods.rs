//! Equal periods: a window cut into months, or whatever length is asked for.

use super::kind::{MeasureId, Names, Read};
use super::measured::MerchantTiles;
use super::params::{MAX_REACH_DAYS, Params};
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// Equal periods, back from as-of (or from `maturity_days` before it), without a gap.
#[derive(Debug, Clone, Copy)]
pub struct Periods {
    measure: MeasureId,
    days: u16,
    count: u16,
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

    /// How a feature's name may mention them: `360d`, or `12m` for months of 30 days.
    pub fn window_words(self) -> Vec<String> {
        let days = format!("{}d", self.days.saturating_mul(self.count));
        if self.days == 30 { vec![days, format!("{}m", self.count)] } else { vec![days] }
    }

    /// What is summed in each of them, for formulas.
    pub fn words(self, names: Names) -> String {
        format!("{} in each of {} periods of {} days", self.whole().sum_words(names), self.count, self.days)
    }

    /// Sums of the periods, latest first; `None` without evidence.
    pub fn sums(self, merchant: &MerchantTiles) -> Option<Vec<i64>> {
        (0..self.count)
            .map(|n| {
                let window = DayWindow::new(self.skip + n * self.days, self.days);
                merchant.tally(Read { measure: self.measure, window }).map(|t| t.sum)
            })
            .collect()
    }
}
