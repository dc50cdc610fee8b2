//! How variables are cut.

use serde::{Deserialize, Serialize};

use super::dynamic::{Objective, Trend};
use super::fine::PreBinning;
use crate::model::ModelError;

/// Settings of the binning of every variable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BinningSettings {
    /// How fine cells are found.
    pub pre_binning: PreBinning,
    /// Fine cells at most, 2 to 200.
    pub max_cells: usize,
    /// What the partition maximises.
    pub objective: Objective,
    /// Shape of the event rate over the bins of a numeric variable; a declared direction overrides it.
    pub trend: Trend,
    /// Bins at least.
    pub min_bins: usize,
    /// Bins at most.
    pub max_bins: usize,
    /// Share of the variable's regular rows that a bin must hold.
    pub min_size_share: f64,
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

impl Default for BinningSettings {
    fn default() -> Self {
        Self {
            pre_binning: PreBinning::Quantile,
            max_cells: 40,
            objective: Objective::Iv,
            trend: Trend::Auto,
            min_bins: 2,
            max_bins: 10,
            min_size_share: 0.03,
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
