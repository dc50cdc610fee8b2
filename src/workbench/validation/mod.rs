//! What a validation of an analyst's own tables tells beside the report of one sample, [`crate::model::validation`]: another sample
//! (`stability`, `drift`), another model on the same rows (`delong`), each vintage or segment (`breakdown`), groups of a named column
//! (`fairness`, with the tests of `two_by_two`).

mod breakdown;
mod delong;
mod drift;
mod fairness;
mod stability;
mod two_by_two;

pub use breakdown::{MOST_SEGMENTS, SegmentReport, band_labels, breakdown};
pub use delong::{DeLongTest, auc_interval, auc_variance, delong_test};
pub use drift::{Drift, score_bins, training_drift};
pub use fairness::{FairnessReport, FairnessSettings, GroupFairness, Named, fairness};
pub use stability::{
    CharacteristicStability, CustomaryBand, Stability, StabilityBin, characteristic_stability, score_stability,
    stability,
};
pub use two_by_two::{RateComparison, StratifiedComparison, Stratum, TwoByTwoTest, compare_rates, compare_strata};
