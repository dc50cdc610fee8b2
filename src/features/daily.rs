//! One measure by merchant and day, for whatever windows a caller asks for.

use super::error::FeatureError;
use super::settings::FeatureConfig;
use crate::tiles::{DayClock, DayTile, DayWindow, Forms, Measured, Measuring, Merchants, Views};

/// One measure of all merchants of a shard, by day.
#[derive(Debug, Clone)]
pub struct DailyMeasure {
    merchants: Merchants,
    measured: Option<Measured>,
}

impl DailyMeasure {
    /// Merchant ids, sorted; a merchant's place is its number.
    #[must_use]
    pub fn merchants(&self) -> &[String] {
        self.merchants.ids()
    }

    /// A merchant's number.
    #[must_use]
    pub fn number(&self, merchant: &str) -> Option<usize> {
        self.merchants.number(merchant).and_then(|number| usize::try_from(number).ok())
    }

    /// Sum of a window; `None` where the measure is not known of the merchant, or a table that it needs is absent.
    #[must_use]
    pub fn sum(&self, number: usize, window: DayWindow) -> Option<i64> {
        self.measured.as_ref()?.tally(number, window).map(|tally| tally.sum)
    }

    /// Days of a window that have rows, nearest first; `None` as for [`Self::sum`].
    #[must_use]
    pub fn days(&self, number: usize, window: DayWindow) -> Option<impl Iterator<Item = DayTile>> {
        self.measured.as_ref()?.days(number, window)
    }
}

/// Measures the named measure, days told apart as far back as `reach_days` before the views' instant.
///
/// # Errors
/// A broken table.
pub fn daily_measure(
    views: &Views,
    config: &FeatureConfig,
    measure: &str,
    reach_days: u16,
) -> Result<DailyMeasure, FeatureError> {
    let clock = DayClock::new(&views.as_of, reach_days)?;
    let measured = match config.measures.iter().find(|spec| spec.name == measure) {
        Some(spec) => Measuring::new(views, &clock).evaluate(spec, Forms { days: true, rows: false })?,
        None => None,
    };
    Ok(DailyMeasure { merchants: views.merchants.clone(), measured })
}
