//! What a model is worth on rows it has not seen: one file a figure, each with its formula, denominator and source.
//!
//! Polarity: `is_bad = true` is the positive class, predictions are probabilities of default, more is riskier. All figures sum in ascending order
//! of the prediction, so neither row order nor threads change a bit. A figure that a sample cannot give is null with a reason.
//!
//! ```text
//! rows ── ranked (checked, sorted, ties merged)
//!           ├─ auc, ks, h_measure, precision_recall     does it rank?
//!           ├─ brier, log_loss, calibration_line        are the probabilities right?
//!           ├─ bins ── deciles, gains, hosmer_lemeshow  where are they wrong?
//!           ├─ grades                                   is each grade's PD high enough?
//!           └─ bootstrap                                how sure are we?
//!                └─ report
//! ```

mod auc;
mod bins;
mod bootstrap;
mod brier;
mod calibration_line;
mod deciles;
mod error;
#[cfg(test)]
pub(crate) mod fixture;
mod gains;
mod grades;
mod h_measure;
mod hosmer_lemeshow;
mod ks;
mod log_loss;
pub(crate) mod logistic;
mod normal;
mod precision_recall;
mod proportion;
mod ranked;
mod report;
mod settings;

pub use auc::{auc, auc_standard_error, gini, gini_of_auc};
pub use bins::{PdBin, equal_mass_bins};
pub use bootstrap::{BootstrapIntervals, CalibrationIntervals, bootstrap};
pub use brier::{BrierParts, brier, brier_parts};
pub use calibration_line::{CalibrationLine, calibration_in_the_large, calibration_line, clamped_logit};
pub use deciles::{Decile, deciles};
pub use error::{Undefined, ValidationError};
pub use gains::{Gain, gains};
pub use grades::{GradeBound, GradeResult, grade_tests};
pub use h_measure::h_measure;
pub use hosmer_lemeshow::{HosmerLemeshow, hosmer_lemeshow};
pub use ks::{Ks, ks};
pub use log_loss::log_loss;
pub use normal::{two_sided_p_value, two_sided_z};
pub use precision_recall::average_precision;
pub use proportion::{binomial_p_value, exact_interval, jeffreys_p_value, jeffreys_upper};
pub use ranked::{Cell, Ranked, Tie, class_mass};
pub use report::{UndefinedFigure, ValidationReport, validate, validate_ranked, validate_weighted};
pub use settings::ValidationSettings;
pub(crate) use settings::check_confidence;
