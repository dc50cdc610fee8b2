//! Trend: a window against the one before it.

use super::error::FeatureError;
use super::kind::{FeatureKind, MeasureId, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// `(r − e) ÷ (|r| + |e|)`, where `r` is the measure a day in the window and `e` a day in the `against_days` before it.
///
/// From −1 (all gone) over 0 (unchanged) to 1 (all new): growth rates explode where the past was small, this does not. Doubling
/// gives ⅓, halving −⅓. Null where both are 0, where the two sums together are below `min_total`, or where the merchant was
/// not there for both windows.
#[derive(Debug)]
pub struct Trend {
    measure: MeasureId,
    recent: DayWindow,
    earlier: DayWindow,
    min_total: i64,
}

impl Trend {
    /// Keys: `measure`, `window_days`, `maturity_days`, `against_days` (as long as the window where not given), `min_total`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let measure = p.measure("measure")?;
        let (recent, earlier) = trend_windows(p)?;
        Ok(Self { measure, recent, earlier, min_total: p.optional_whole("min_total", 0..=i64::MAX)?.unwrap_or(0) })
    }
}

/// The window and the one before it.
pub fn trend_windows(p: &mut Params) -> Result<(DayWindow, DayWindow), ConfigError> {
    let recent = p.window()?;
    let against = p.optional_days("against_days", 1)?.unwrap_or(recent.to - recent.from);
    let earlier = p.within_reach(DayWindow::new(recent.to, against))?;
    Ok((recent, earlier))
}

/// The bounded ratio of two daily rates, reckoned in whole numbers until the last division.
pub fn bounded_change(recent: i64, recent_days: u16, earlier: i64, earlier_days: u16) -> Option<f64> {
    let r = i128::from(recent) * i128::from(earlier_days);
    let e = i128::from(earlier) * i128::from(recent_days);
    let size = r.abs() + e.abs();
    (size > 0).then(|| (r - e) as f64 / size as f64)
}

impl FeatureKind for Trend {
    fn reads(&self) -> Vec<Read> {
        [self.recent, self.earlier].map(|window| Read { measure: self.measure, window }).to_vec()
    }

    fn named_days(&self) -> Option<u16> {
        self.recent.days()
    }

    fn history_days(&self) -> u16 {
        self.earlier.to
    }

    fn formula(&self, names: Names) -> String {
        let name = names(self.measure);
        let (recent, earlier) = (window_words(self.recent), window_words(self.earlier));
        format!("(r − e) ÷ (|r| + |e|), r = Σ {name} a day over {recent}, e = Σ {name} a day over {earlier}")
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let tally = |window| merchant.tally(Read { measure: self.measure, window });
        let both = tally(self.recent)?.zip(tally(self.earlier)?);
        Ok(both.and_then(|(recent, earlier)| {
            let total = i128::from(recent.sum).abs() + i128::from(earlier.sum).abs();
            if total < i128::from(self.min_total) {
                return None;
            }
            bounded_change(recent.sum, self.recent.days()?, earlier.sum, self.earlier.days()?)
        }))
    }
}
