//! A merchant's receipts as they stood at an observation: all that ability looks at.

use serde::{Deserialize, Serialize};

/// Days of a period.
pub const PERIOD_DAYS: u16 = 30;
/// Periods that are kept: a season needs the year before last's last quarter too.
pub const PERIODS: u16 = 28;
/// Periods of a year.
pub(super) const YEAR: usize = 12;
/// Periods of a quarter.
pub(super) const QUARTER: usize = 3;
/// Levels that the merchant's own receipts give.
pub(super) const LEVELS: usize = 5;
/// Every level holds this share of the yearly mean, so that one empty month does not make it nothing.
const YEARLY_SHARE: f64 = 0.05;

/// A merchant's net receipts, as they could be seen at an observation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReceiptHistory {
    /// Category; empty where unknown.
    pub category: String,
    /// Days since the first receipt of the last [`PERIODS`] periods; 0 for none.
    pub history_days: u16,
    /// Days with receipts among the last 90.
    pub active_days: u16,
    /// Net receipts in minor units by period of 30 days, the latest first: [`PERIODS`] of them.
    pub periods: Vec<i64>,
    /// Net receipts over the same days a year ago, by horizon of the model.
    pub last_year: Vec<i64>,
}

impl ReceiptHistory {
    /// Net receipts of `count` periods that end `skip` periods ago, minor units, not below zero.
    #[must_use]
    pub fn sum(&self, skip: usize, count: usize) -> f64 {
        let sum = self.periods.iter().skip(skip).take(count).fold(0_i128, |sum, &p| sum + i128::from(p));
        sum.max(0) as f64
    }

    /// Net receipts of the last `count` periods, minor units, not below zero.
    #[must_use]
    pub fn sum_minor(&self, count: usize) -> i64 {
        self.periods.iter().take(count).fold(0_i64, |sum, period| sum.saturating_add(*period)).max(0)
    }

    /// The weakest of the last `count` periods.
    fn weakest(&self, count: usize) -> f64 {
        let last = self.periods.iter().take(count);
        if last.len() < count { 0.0 } else { last.copied().min().unwrap_or(0).max(0) as f64 }
    }

    /// Whether ability can be learnt from it, if all of the year before is known: something came in.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.levels(YEAR).is_some()
    }

    /// Mean receipts of a month by the year, the quarter, the last month, the weakest month of the quarter and of the year, all within the last
    /// `known` periods. `None` for a merchant without receipts in them.
    ///
    /// `known` is a number of the market, the same for all of its merchants. Every level is therefore superadditive in the merchant's receipts:
    /// two parts of a trade have levels that together are at most the whole's. With the merchant's own history in its place a shop that
    /// opens anew would count its few months as a year's.
    pub(super) fn levels(&self, known: usize) -> Option<[f64; LEVELS]> {
        let (quarter, year) = (known.clamp(1, QUARTER), known.clamp(1, YEAR));
        let with = |level: f64| self.with_yearly_share(level, known);
        let mean = self.mean(year);
        (mean >= 1.0).then(|| {
            [mean, with(self.mean(quarter)), with(self.mean(1)), with(self.weakest(quarter)), with(self.weakest(year))]
        })
    }

    /// A level with its share of the yearly mean.
    pub(super) fn with_yearly_share(&self, level: f64, known: usize) -> f64 {
        level + YEARLY_SHARE * self.mean(known.clamp(1, YEAR))
    }

    /// Mean receipts of the last `count` periods.
    fn mean(&self, count: usize) -> f64 {
        self.sum(0, count) / count as f64
    }

    /// Receipts of the same days a year ago, where the merchant traded then already.
    pub(super) fn same_days_last_year(&self, horizon: usize) -> Option<f64> {
        let known = self.history_days >= 365;
        self.last_year.get(horizon).filter(|_| known).map(|&minor| minor.max(0) as f64)
    }

    /// Twice the weakest month of the last year, over a horizon; known once a year of months is.
    pub(super) fn twice_the_weakest(&self, horizon_days: u16) -> Option<f64> {
        let known = self.history_days >= PERIOD_DAYS * 12;
        known.then(|| 2.0 * self.weakest(YEAR) * f64::from(horizon_days) / f64::from(PERIOD_DAYS))
    }

    /// The last 90 days, scaled to a horizon.
    pub(super) fn last_quarter(&self, horizon_days: u16) -> f64 {
        self.sum(0, QUARTER) * f64::from(horizon_days) / 90.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(periods: Vec<i64>) -> ReceiptHistory {
        ReceiptHistory { periods, history_days: 800, ..ReceiptHistory::default() }
    }

    proptest! {
        #[test]
        fn the_levels_of_two_parts_are_at_most_those_of_the_whole(
            parts in prop::collection::vec((0_i64..1_000_000, 0_i64..1_000_000), 28),
        ) {
            let one = with(parts.iter().map(|(a, _)| *a).collect());
            let other = with(parts.iter().map(|(_, b)| *b).collect());
            let whole = with(parts.iter().map(|(a, b)| a + b).collect());
            let none = [0.0; LEVELS];
            for known in [0, 1, 2, 5, YEAR, 28] {
                let (one, other) = (one.levels(known).unwrap_or(none), other.levels(known).unwrap_or(none));
                let whole = whole.levels(known).unwrap_or(none);
                for at in 0..LEVELS {
                    prop_assert!(one[at] + other[at] <= whole[at] * (1.0 + 1e-12), "level {at} of {known} periods");
                }
            }
        }
    }

    #[test]
    fn levels_are_means_of_the_periods_that_are_known() {
        // A steady trade, and data that begin in the sixth period.
        let mut history = with(vec![100; 28]);
        history.periods[5..].fill(0);
        history.periods[5] = 40;
        let steady = history.levels(5).unwrap();
        assert!(steady.iter().all(|level| (100.0..=105.0).contains(level)), "{steady:?}");
        assert_eq!(history.levels(2), Some(steady));
        assert!(history.levels(YEAR).unwrap()[0] < 50.0);
        // What came in before is not looked at.
        history.periods[..5].fill(0);
        assert_eq!(history.levels(5), None);
    }

    #[test]
    fn what_was_not_traded_a_year_is_not_known_of_last_year() {
        let mut history = with(vec![100; 28]);
        history.last_year = vec![40, 900];
        assert_eq!(history.same_days_last_year(1), Some(900.0));
        assert_eq!(history.twice_the_weakest(60), Some(400.0));
        assert!((history.last_quarter(180) - 600.0).abs() < 1e-9);
        history.history_days = 359;
        assert_eq!((history.same_days_last_year(1), history.twice_the_weakest(60)), (None, None));
        assert_eq!(with(vec![0; 28]).levels(YEAR), None);
    }
}
