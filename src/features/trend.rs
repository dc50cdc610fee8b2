//! Trend: a window against the one before it.

use super::guard::Guard;
use super::kind::{FeatureKind, MeasureId, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// A measure over a window and over the one before it.
#[derive(Debug, Clone, Copy)]
pub struct TwoWindows {
    /// The window.
    pub recent: Read,
    /// The window that it is compared with: the one before it, or one `lag_days` further back.
    pub earlier: Read,
}

impl TwoWindows {
    /// Keys: `measure`, `window_days`, `maturity_days`, `against_days` (as long as the window where not given), `lag_days` (days left out
    /// between the two, none where not given: a year less the window compares with the same season).
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let measure: MeasureId = p.measure("measure")?;
        let recent = p.window()?;
        let against = p.optional_days("against_days", 1)?.unwrap_or(recent.to - recent.from);
        let lag = p.optional_days("lag_days", 0)?.unwrap_or(0);
        let earlier = p.within_reach(DayWindow::new(recent.to.saturating_add(lag), against))?;
        Ok(Self { recent: Read { measure, window: recent }, earlier: Read { measure, window: earlier } })
    }

    /// Both windows, the recent one first.
    pub fn both(self) -> Vec<Read> {
        vec![self.recent, self.earlier]
    }

    /// `(r − e) ÷ (|r| + |e|)` for the sums a day, computed in whole numbers until the last division; `None` where both are 0.
    pub fn change(self, recent: i128, earlier: i128) -> Option<f64> {
        let (recent_days, earlier_days) = self.recent.window.days().zip(self.earlier.window.days())?;
        let r = recent * i128::from(earlier_days);
        let e = earlier * i128::from(recent_days);
        let size = r.abs() + e.abs();
        (size > 0).then(|| (r - e) as f64 / size as f64)
    }

    /// What `r` and `e` are, for formulas.
    pub fn words(self, names: Names) -> String {
        let daily = |read: Read| {
            let days = read.window.days().unwrap_or_default();
            format!("{} ÷ {days}", read.sum_words(names))
        };
        format!("r = {}, e = {}", daily(self.recent), daily(self.earlier))
    }
}

/// `(r − e) ÷ (|r| + |e|)`, where `r` is the measure a day in the window and `e` a day in the `against_days` before it.
///
/// From −1 (all gone) over 0 (unchanged) to 1 (all new): growth rates explode where the past was small, this does not. Doubling
/// gives ⅓, halving −⅓. Null where both are 0, where the sizes of the two sums together are below `min_total`, or where the
/// merchant was not there for both windows.
#[derive(Debug)]
pub struct Trend {
    windows: TwoWindows,
    min_total: i64,
}

impl Trend {
    /// Keys: those of [`TwoWindows`], `min_total`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let windows = TwoWindows::read(p)?;
        // Two windows without anything in them show no trend, whatever the least total.
        let min_total = p.optional_whole("min_total", 0..=i64::MAX)?.unwrap_or(0).max(1);
        Ok(Self { windows, min_total })
    }
}

impl FeatureKind for Trend {
    fn reads(&self) -> Vec<Read> {
        self.windows.both()
    }

    fn guards(&self) -> Vec<Guard> {
        let TwoWindows { recent, earlier } = self.windows;
        vec![Guard::Movement { recent, earlier, least: self.min_total }]
    }

    fn history_days(&self) -> u16 {
        self.windows.earlier.window.to
    }

    fn formula(&self, names: Names) -> String {
        format!("(r − e) ÷ (|r| + |e|), {}", self.windows.words(names))
    }
}

impl OwnKind for Trend {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        let (recent, earlier) = merchant.tally(self.windows.recent).zip(merchant.tally(self.windows.earlier))?;
        self.windows.change(recent.sum.into(), earlier.sum.into())
    }
}
