//! What stops a calibration.

use crate::model::validation::{Undefined, ValidationError};

/// Why a calibration or a rating scale could not be made or read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// The sample itself is unusable.
    #[error(transparent)]
    Sample(#[from] ValidationError),
    /// The method has no solution on this sample.
    #[error("calibrate by {method}: {reason}")]
    NoFit {
        /// The method.
        method: &'static str,
        /// Why it has none.
        reason: Undefined,
    },
    /// A parameter that would make the calibrated PD fall while the raw one rises, or leave 0 to 1.
    #[error("use {value} as {parameter} of a calibration: allowed is {allowed}")]
    BadParameter {
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A rating scale without grades, with repeated names, or with bounds that do not rise to 1.
    #[error("use a rating scale: {reason}")]
    BadScale {
        /// What is wrong with it.
        reason: &'static str,
    },
}
