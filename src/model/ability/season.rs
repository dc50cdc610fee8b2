//! Seasons of categories: how much more, or less, a category takes in over the days ahead than over the last quarter.
//!
//! `L(k) = ln(mean month over the horizon after ÷ mean month of the quarter before)`, seen k periods ago, over all of a category's merchants.
//! The season ahead is `L(12) − median of L over a year`: what this time of the year does beyond what the category always does. Growth and
//! the coming and going of merchants are in both and cancel. Where less than a year of `k` is known the season counts in part, below half a
//! year not at all; a period in which the data begin is not known, for only a part of it is seen. A category's season is shrunk to that of all categories by how many of its merchants traded a year ago.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::history::{PERIOD_DAYS, PERIODS, QUARTER, ReceiptHistory, YEAR};
use crate::domain::elementary::ln;

/// Merchants of a category at which its own season counts half.
const MERCHANTS_HALF: f64 = 30.0;
/// No season more than doubles or halves receipts (project judgement: the strongest of retail trade's months is about twice the mean).
const MOST: f64 = std::f64::consts::LN_2;
/// Of the median period the share below which a period lies before the data begin (project judgement: no category rests so in season).
const LEAST_SHARE: f64 = 0.1;

/// Receipts of all merchants by category and period, as they could be seen at an observation. Whole numbers: shards may come in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CategoryReceipts {
    by_category: BTreeMap<String, Sums>,
    all: Sums,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Sums {
    /// By period, the latest first.
    periods: Vec<i128>,
    /// Merchants who traded a year ago.
    merchants: u64,
}

impl Sums {
    fn add(&mut self, periods: impl ExactSizeIterator<Item = i128>, merchants: u64) {
        self.periods.resize(periods.len().max(self.periods.len()), 0);
        self.periods.iter_mut().zip(periods).for_each(|(sum, more)| *sum += more);
        self.merchants += merchants;
    }

    fn mean(&self, from: usize, to: usize) -> f64 {
        let sum: i128 = self.periods.get(from..to).unwrap_or_default().iter().sum();
        sum.max(0) as f64 / to.saturating_sub(from).max(1) as f64
    }

    /// Whole periods of which the receipts are known, the latest first. Data begin somewhere: before, next to nothing was taken in beside the usual, and the period
    /// in which they begin is seen in part. The usual is the median, which no single month and no single merchant moves.
    fn known_periods(&self) -> usize {
        let mut some: Vec<i128> = self.periods.iter().copied().filter(|receipts| *receipts > 0).collect();
        some.sort_unstable();
        let usual = some.get(some.len() / 2).copied().unwrap_or(0) as f64;
        let begins = self.periods.iter().rposition(|&receipts| receipts > 0 && receipts as f64 >= LEAST_SHARE * usual);
        match begins {
            // As far back as is looked: it began before.
            Some(begins) if begins + 1 == self.periods.len() => self.periods.len(),
            Some(begins) => begins,
            None => 0,
        }
    }

    /// The season ahead as a logarithm.
    fn season(&self, ahead: usize) -> f64 {
        let year_of = ahead..ahead + YEAR;
        let known_periods = self.known_periods();
        let change = |k: usize| -> Option<f64> {
            let (before, after) = (self.mean(k, k + QUARTER), self.mean(k.checked_sub(ahead)?, k));
            (k + QUARTER <= known_periods && before > 0.0 && after > 0.0).then(|| ln(after / before))
        };
        let mut known: Vec<f64> = year_of.filter_map(change).collect();
        let Some(tonight) = change(YEAR).filter(|_| known.len() >= YEAR / 2) else { return 0.0 };
        known.sort_by(f64::total_cmp);
        let middle = |n: usize| known.get(n).copied().unwrap_or_default();
        let usual = f64::midpoint(middle((known.len() - 1) / 2), middle(known.len() / 2));
        (known.len() as f64 / YEAR as f64 * (tonight - usual)).clamp(-MOST, MOST)
    }
}

impl CategoryReceipts {
    /// Adds one merchant.
    pub fn add(&mut self, history: &ReceiptHistory) {
        let traded = u64::from(history.sum(YEAR, QUARTER) > 0.0);
        let periods = || history.periods.iter().map(|&p| i128::from(p));
        self.all.add(periods(), traded);
        self.by_category.entry(history.category.clone()).or_default().add(periods(), traded);
    }

    /// The same with one merchant looked at as it might have been, not as it was `counted`.
    #[must_use]
    pub fn with_instead(&self, counted: &ReceiptHistory, assumed: &ReceiptHistory) -> Self {
        let mut changed = self.clone();
        let traded = u64::from(counted.sum(YEAR, QUARTER) > 0.0);
        let of_category = changed.by_category.get_mut(&counted.category);
        for sums in of_category.into_iter().chain(std::iter::once(&mut changed.all)) {
            sums.add(counted.periods.iter().map(|&p| -i128::from(p)), 0);
            sums.merchants = sums.merchants.saturating_sub(traded);
        }
        changed.add(assumed);
        changed
    }

    /// Adds another shard's merchants.
    pub fn merge(&mut self, other: &Self) {
        self.all.add(other.all.periods.iter().copied(), other.all.merchants);
        for (category, sums) in &other.by_category {
            self.by_category.entry(category.clone()).or_default().add(sums.periods.iter().copied(), sums.merchants);
        }
    }

    /// Whole periods of which the receipts of all merchants together are known, at most a year's: levels rest on no more.
    #[must_use]
    pub fn known_periods(&self) -> usize {
        self.all.known_periods().min(YEAR)
    }

    /// The season of a category over the `horizon_days` ahead, as a logarithm: 0 is none.
    #[must_use]
    pub fn season(&self, category: &str, horizon_days: u16) -> f64 {
        let ahead = usize::from(horizon_days.div_ceil(PERIOD_DAYS).clamp(1, PERIODS)).min(YEAR);
        let all = self.all.season(ahead);
        let Some(own) = self.by_category.get(category) else { return all };
        let weight = own.merchants as f64 / (own.merchants as f64 + MERCHANTS_HALF);
        weight * own.season(ahead) + (1.0 - weight) * all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::elementary::{cos, exp};

    /// Merchants whose months follow `e^(strength × cos)`, the peak `peak` periods before the observation.
    fn market(strength: f64, peak: f64, growth: f64) -> CategoryReceipts {
        let mut receipts = CategoryReceipts::default();
        let month = |n: u16| {
            let phase = std::f64::consts::TAU * (f64::from(n) + 0.5 - peak) * 30.0 / 365.0;
            #[expect(clippy::cast_possible_truncation, reason = "amounts of a test")]
            let minor = (1e6 * exp(strength * cos(phase) - growth * f64::from(n))) as i64;
            minor
        };
        for _ in 0..300 {
            let periods = (0..PERIODS).map(month).collect();
            receipts.add(&ReceiptHistory { category: "toys".into(), periods, ..ReceiptHistory::default() });
        }
        receipts
    }

    #[test]
    fn a_season_is_found_and_growth_is_none() {
        // The peak lies a month and a half ahead: 12.17 − 1.5 periods ago.
        let season = market(0.4, 10.67, 0.0).season("toys", 90);
        assert!(season > 0.25, "{season}");
        let over = market(0.4, 1.5, 0.0).season("toys", 90);
        assert!(over < -0.1, "{over}");
        let growing = market(0.0, 0.0, 0.05).season("toys", 90);
        assert!(growing.abs() < 1e-3, "{growing}");
    }

    #[test]
    fn an_unknown_category_has_the_season_of_all_and_a_short_history_none() {
        let receipts = market(0.4, 10.67, 0.0);
        assert!((receipts.season("books", 90) - receipts.season("toys", 90)).abs() < 1e-12);
        let mut short = CategoryReceipts::default();
        let mut periods = vec![0; usize::from(PERIODS)];
        periods[..9].fill(100);
        short.add(&ReceiptHistory { periods, ..ReceiptHistory::default() });
        assert!(short.season("", 90).abs() < 1e-12);
    }

    #[test]
    fn the_period_in_which_the_data_begin_says_nothing() {
        // A flat market whose data begin so many days before the observation.
        let season = |history_days: i64| {
            let taken = |period: i64| 1_000 * (history_days - 30 * period).clamp(0, 30);
            let periods = (0..i64::from(PERIODS)).map(taken).collect();
            let mut receipts = CategoryReceipts::default();
            receipts.add(&ReceiptHistory { category: "toys".into(), periods, ..ReceiptHistory::default() });
            receipts.season("toys", 90)
        };
        for history_days in 0..=900 {
            assert!(season(history_days).abs() < 1e-12, "{history_days} days: {}", season(history_days));
        }
        // A few merchants of long before do not begin it earlier.
        let mut receipts = CategoryReceipts::default();
        for number in 0..200 {
            let months = if number < 5 { 20 } else { 13 };
            let periods = (0..PERIODS).map(|period| if period < months { 1_000 } else { 0 }).collect();
            receipts.add(&ReceiptHistory { category: "toys".into(), periods, ..ReceiptHistory::default() });
        }
        assert!(receipts.season("toys", 90).abs() < 1e-12);
        assert_eq!(receipts.known_periods(), 12);
    }

    #[test]
    fn neither_a_month_of_another_size_nor_an_empty_one_makes_the_past_unknown() {
        let known = |periods: Vec<i64>| {
            let mut receipts = CategoryReceipts::default();
            receipts.add(&ReceiptHistory { periods, ..ReceiptHistory::default() });
            receipts.known_periods()
        };
        let usual = vec![100; usize::from(PERIODS)];
        for (at, taken) in [(0, 5_000), (1, 5_000), (3, 0), (3, -50), (0, 1)] {
            let mut periods = usual.clone();
            periods[at] = taken;
            assert_eq!(known(periods), YEAR, "{taken} in period {at}");
        }
        assert_eq!((known(vec![0; usize::from(PERIODS)]), known(Vec::new())), (0, 0));
    }

    #[test]
    fn shards_add_up_in_any_order() {
        let history = |minor: i64| ReceiptHistory { periods: vec![minor; 28], ..ReceiptHistory::default() };
        let of = |minors: &[i64]| {
            let mut receipts = CategoryReceipts::default();
            for &minor in minors {
                receipts.add(&history(minor));
            }
            receipts
        };
        let mut merged = of(&[3]);
        merged.merge(&of(&[1, 2]));
        assert_eq!(merged, of(&[1, 2, 3]));
    }

    #[test]
    fn a_merchant_looked_at_otherwise_is_in_the_sums_once() {
        let history = |category: &str, minor: i64| ReceiptHistory {
            category: category.into(),
            periods: vec![minor; usize::from(PERIODS)],
            ..ReceiptHistory::default()
        };
        let mut market = market(0.4, 3.0, 0.0);
        let mut expected = market.clone();
        market.add(&history("toys", 500));
        expected.add(&history("toys", 70));
        assert_eq!(market.with_instead(&history("toys", 500), &history("toys", 70)), expected);
    }
}
