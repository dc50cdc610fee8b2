//! How variables are cut.

use serde::{Deserialize, Serialize};

use super::dynamic::{Cell, Objective, Trend};
use super::fine::PreBinning;
use crate::model::ModelError;

/// Settings of the binning of every variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BinningSettings {
    /// How fine cells are found.
    pub pre_binning: PreBinning,
    /// Fine cells at most, 2 to 200. More than 40 only where each holds twice what `max_log_odds_error` asks for.
    pub max_cells: usize,
    /// What the partition maximises.
    pub objective: Objective,
    /// Shape of the event rate over the bins of a numeric variable; a declared direction overrides it.
    pub trend: Trend,
    /// Bins at least.
    pub min_bins: usize,
    /// Bins at most. More than 10 only where each holds twice what `max_log_odds_error` asks for.
    pub max_bins: usize,
    /// Share of the variable's regular rows that a bin must hold, where that is less than what `max_log_odds_error` asks for.
    pub min_size_share: f64,
    /// A bin holds enough rows where its log odds, at the variable's event rate p, have no larger standard error than this:
    /// `1 / (error² p (1 − p))` rows, whatever their share. 0: shares alone count, and `max_cells` and `max_bins` hold for tables of any size.
    pub max_log_odds_error: f64,
    /// Bad rows that a bin must hold.
    pub min_events: f64,
    /// Good rows that a bin must hold.
    pub min_non_events: f64,
    /// Least difference of event rates between neighbours.
    pub min_rate_difference: f64,
    /// Largest p-value of the two-proportion test between neighbours; `None` does not test.
    pub max_p_value: Option<f64>,
    /// Pseudo-rows at the overall event rate that are added to each bin before its weight of evidence is taken: small bins
    /// are drawn towards zero.
    pub smoothing: f64,
    /// Rows a text level needs to stand alone before binning; rarer ones are pooled.
    pub min_level_rows: f64,
}

/// Fine cells that every table may have, however small.
const FEW_CELLS: usize = 40;
/// Bins that every table may have, however small.
const FEW_BINS: usize = 10;

impl Default for BinningSettings {
    fn default() -> Self {
        Self {
            pre_binning: PreBinning::Quantile,
            max_cells: 100,
            objective: Objective::Iv,
            trend: Trend::Auto,
            min_bins: 2,
            max_bins: 20,
            min_size_share: 0.03,
            max_log_odds_error: 0.15,
            min_events: 0.0,
            min_non_events: 0.0,
            min_rate_difference: 0.0,
            max_p_value: None,
            smoothing: 4.0,
            min_level_rows: 10.0,
        }
    }
}

impl BinningSettings {
    /// Rows that are enough for a bin, whatever share they are of rows like `whole`; infinite where shares alone count.
    #[must_use]
    pub fn enough_rows(&self, whole: Cell) -> f64 {
        let information = self.max_log_odds_error.powi(2) * whole.rate() * (1.0 - whole.rate());
        if information > 0.0 { 1.0 / information } else { f64::INFINITY }
    }

    /// Rows that a bin of a variable with such regular rows must hold.
    #[must_use]
    pub fn min_rows(&self, regular: Cell) -> f64 {
        (self.min_size_share * regular.rows).min(self.enough_rows(regular))
    }

    /// Fine cells at most of a column with such regular rows.
    #[must_use]
    pub fn cells_for(&self, regular: Cell) -> usize {
        self.no_more_than(self.max_cells, FEW_CELLS, regular)
    }

    /// Bins at most of a variable with such regular rows.
    #[must_use]
    pub fn bins_for(&self, regular: Cell) -> usize {
        self.no_more_than(self.max_bins, FEW_BINS, regular).max(self.min_bins)
    }

    fn no_more_than(&self, most: usize, few: usize, regular: Cell) -> usize {
        if self.max_log_odds_error <= 0.0 {
            return most;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of rows, cut off at the largest"
        )]
        let borne = (regular.rows / (2.0 * self.enough_rows(regular))) as usize;
        most.min(few.max(borne))
    }

    /// # Errors
    /// A value out of range.
    pub fn check(&self) -> Result<(), ModelError> {
        let refuse = |setting, why: &str| Err(ModelError::BadSetting { setting, why: why.to_owned() });
        if !(2..=200).contains(&self.max_cells) {
            return refuse("max_cells", "from 2 to 200");
        }
        if self.min_bins < 1 || self.min_bins > self.max_bins || self.max_bins > 100 {
            return refuse("max_bins", "1 ≤ min_bins ≤ max_bins ≤ 100");
        }
        if !(0.0..=0.5).contains(&self.min_size_share) {
            return refuse("min_size_share", "from 0 to 0.5");
        }
        if !(0.0..=10.0).contains(&self.max_log_odds_error) {
            return refuse("max_log_odds_error", "from 0, which turns it off, to 10");
        }
        let counts = [self.min_events, self.min_non_events, self.smoothing, self.min_level_rows];
        if counts.iter().any(|v| !v.is_finite() || *v < 0.0) {
            return refuse("min_events", "counts are finite and not negative");
        }
        if !(0.0..1.0).contains(&self.min_rate_difference) {
            return refuse("min_rate_difference", "from 0 to below 1");
        }
        if self.max_p_value.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
            return refuse("max_p_value", "above 0 and at most 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: f64) -> Cell {
        Cell { rows, bad: 0.1 * rows }
    }

    #[test]
    fn small_tables_are_cut_by_shares_and_large_ones_by_what_events_bear() {
        let settings = BinningSettings::default();
        // 1 / (0.15² × 0.1 × 0.9)
        let enough = 493.827_160_5;
        assert!((settings.enough_rows(rows(7.0)) - enough).abs() < 1e-6);
        for (n, min_rows, cells, bins) in [
            (700.0, 21.0, 40, 10),
            (9_000.0, 270.0, 40, 10),
            (16_400.0, 492.0, 40, 16),
            (50_000.0, enough, 50, 20),
            (1_000_000.0, enough, 100, 20),
        ] {
            let whole = rows(n);
            assert!((settings.min_rows(whole) - min_rows).abs() < 1e-6, "{n}");
            assert_eq!((settings.cells_for(whole), settings.bins_for(whole)), (cells, bins), "{n}");
        }
        // What a person sets lower holds at any size; without the error shares alone count.
        let coarse = BinningSettings { max_bins: 5, max_cells: 20, ..BinningSettings::default() };
        assert_eq!((coarse.cells_for(rows(1e6)), coarse.bins_for(rows(1e6))), (20, 5));
        let shares = BinningSettings { max_log_odds_error: 0.0, ..BinningSettings::default() };
        assert!((shares.min_rows(rows(1e6)) - 30_000.0).abs() < 1e-6);
        assert_eq!((shares.cells_for(rows(7.0)), shares.bins_for(rows(7.0))), (100, 20));
        // One outcome bears nothing finer.
        assert_eq!(settings.bins_for(Cell { rows: 1e6, bad: 0.0 }), 10);
    }
}
