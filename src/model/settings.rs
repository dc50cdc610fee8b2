//! Settings of a training run. The defaults are meant for any table; nothing in them is fitted to a data set.

use serde::{Deserialize, Serialize};

use super::binning::{BinningSettings, VariableEdit};
use super::calibration::Method;
use super::error::ModelError;
use super::points::Scaling;

/// How a scorecard is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainSettings {
    /// How variables are cut.
    pub binning: BinningSettings,
    /// Values that get a bin of their own in every numeric variable.
    pub specials: Vec<f64>,
    /// Share of the training rows that may have no value.
    pub max_missing_share: f64,
    /// Population stability index, between the earlier and the later half of the training rows, above which a column leaves. Only
    /// where rows have times.
    pub max_stability_index: f64,
    /// Information value a variable needs to enter.
    pub min_iv: f64,
    /// Of two variables whose weights of evidence correlate above this, the one of lower information value leaves.
    pub max_correlation: f64,
    /// Variance inflation of the weights of evidence above which a variable leaves.
    pub max_vif: f64,
    /// Variables at most, by information value.
    pub max_variables: usize,
    /// Columns that enter whatever the figures above and rows not seen say of them; others leave in their favour.
    pub force_in: Vec<String>,
    /// Points that a variable's best and worst bin must differ by.
    pub min_points_range: i32,
    /// Members whose points are averaged: so many up to 8,000 training rows, fewer beyond, down to half. More rows even out what averaging would.
    pub members: usize,
    /// Rows that members share at most, of which each sees a part and is tested on the rest. Of the rows beyond them each is fitted to no more than
    /// twice as many, its own; cuts look at all of them.
    pub member_rows: usize,
    /// Two-variable tables at most; 0 searches none.
    pub max_tables: usize,
    /// Score scale.
    pub scaling: Scaling,
    /// Maps from score to probability that are tried; the best out of sample is taken. An isotonic one may give near scores one probability.
    pub calibration: Vec<Method>,
    /// Lowest probability of default that is ever stated.
    pub pd_floor: f64,
    /// Confidence of the margin of conservatism in the stated PDs of the bands.
    pub margin_confidence: f64,
    /// Missing values never earn more than the average row, whatever training saw: for tables where a gap may be of the subject's own making.
    pub missing_is_never_good: bool,
    /// Bins of missing or special values with fewer training rows than this share the regular bin nearest to them in risk; 0 merges none. A
    /// variable of a two-variable table keeps them apart.
    pub merge_below_rows: f64,
    /// Variables whose bins a person set: cut as given, whatever the settings above would do. They come from a file of bins, which logs them.
    #[serde(skip_deserializing, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<VariableEdit>,
    /// A model that only judges how another does on rows not seen: linfa is not asked about its members.
    #[serde(skip)]
    pub is_trial: bool,
    /// Seed of the members' parts.
    pub seed: u64,
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            binning: BinningSettings::default(),
            specials: Vec::new(),
            max_missing_share: 0.99,
            max_stability_index: 1.0,
            min_iv: 0.005,
            max_correlation: 0.97,
            max_vif: 20.0,
            max_variables: 48,
            force_in: Vec::new(),
            min_points_range: 1,
            members: 16,
            member_rows: 60_000,
            max_tables: 16,
            scaling: Scaling::default(),
            calibration: vec![Method::Platt, Method::Beta],
            pd_floor: 0.0003,
            margin_confidence: 0.75,
            missing_is_never_good: false,
            merge_below_rows: 0.0,
            edits: Vec::new(),
            is_trial: false,
            seed: 42,
        }
    }
}

/// Training rows up to which every member is grown.
const ROWS_OF_ALL_MEMBERS: usize = 8_000;

impl TrainSettings {
    /// Members for so many training rows.
    #[must_use]
    pub fn members_for(&self, rows: usize) -> usize {
        let in_proportion = (self.members * ROWS_OF_ALL_MEMBERS).div_ceil(rows.max(1));
        in_proportion.clamp(self.members.div_ceil(2), self.members)
    }

    /// Whether a column enters whatever figures say of it.
    #[must_use]
    pub fn is_forced(&self, column: &str) -> bool {
        self.force_in.iter().any(|name| name == column)
    }

    /// # Errors
    /// A value out of range.
    pub fn check(&self) -> Result<(), ModelError> {
        let refuse = |setting, why: &str| Err(ModelError::BadSetting { setting, why: why.to_owned() });
        self.binning.check()?;
        self.scaling.check()?;
        if self.specials.iter().any(|v| v.is_nan()) {
            return refuse("special", "a special value is a number; missing values have a bin of their own already");
        }
        if !self.min_iv.is_finite() || self.min_iv < 0.0 {
            return refuse("min_iv", "0 or more");
        }
        if !(0.0..=1.0).contains(&self.max_correlation) {
            return refuse("max_correlation", "from 0 to 1");
        }
        if !(0.0..=1.0).contains(&self.max_missing_share) {
            return refuse("max_missing_share", "from 0 to 1");
        }
        if !self.max_stability_index.is_finite() || self.max_stability_index <= 0.0 {
            return refuse("max_stability_index", "above 0");
        }
        if !self.max_vif.is_finite() || self.max_vif <= 1.0 {
            return refuse("max_vif", "above 1, which means no inflation");
        }
        if self.max_variables == 0 {
            return refuse("max_variables", "1 or more");
        }
        if self.force_in.len() > self.max_variables {
            return refuse("force_in", "at most max_variables columns");
        }
        if !(5..=200).contains(&self.members) || self.member_rows < 1_000 {
            return refuse("members", "from 5 to 200, with member_rows at least 1000");
        }
        if self.calibration.is_empty() {
            return refuse("calibration", "one map or more: identity, platt, beta, isotonic");
        }
        if !(0.5..=0.999).contains(&self.margin_confidence) {
            return refuse("margin_confidence", "from 0.5 to 0.999");
        }
        if !self.merge_below_rows.is_finite() || self.merge_below_rows < 0.0 {
            return refuse("merge-below", "0 rows or more");
        }
        if self.missing_is_never_good && self.merge_below_rows > 0.0 {
            return refuse("merge-below", "where missing is never good, missing values keep a bin of their own");
        }
        if self.missing_is_never_good && self.edits.iter().any(|e| e.cuts.missing_with.is_some()) {
            return refuse("bins", "where missing is never good, missing values keep a bin of their own");
        }
        if !(0.0..0.5).contains(&self.pd_floor) {
            return refuse("pd_floor", "from 0 to below 0.5");
        }
        Ok(())
    }
}
