//! What a validation is asked for.

use serde::{Deserialize, Serialize};

use super::error::ValidationError;
use super::grades::GradeBound;

/// Settings of a validation report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidationSettings {
    /// Coverage of all intervals, 0.5 to 0.999.
    pub confidence: f64,
    /// Level of the one-sided grade tests, above 0 and at most 0.5.
    pub grade_test_level: f64,
    /// Most bootstrap resamples; 0 leaves bootstrap intervals null. Large samples take fewer, at least 200.
    pub bootstrap_replicates: u32,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Bins of the calibration, gains and Hosmer–Lemeshow tables, 2 to 100.
    pub bins: usize,
    /// The rating scale to back-test; empty for none.
    pub grades: Vec<GradeBound>,
    /// Whether the predictions come from a model fitted to these rows (costs two degrees of freedom in Hosmer–Lemeshow).
    pub fitted_on_sample: bool,
}

impl Default for ValidationSettings {
    fn default() -> Self {
        Self {
            confidence: 0.95,
            grade_test_level: 0.05,
            bootstrap_replicates: 1000,
            seed: 1,
            bins: 10,
            grades: Vec::new(),
            fitted_on_sample: false,
        }
    }
}

impl ValidationSettings {
    pub(crate) fn check(&self) -> Result<(), ValidationError> {
        check_confidence(self.confidence)?;
        if !(self.grade_test_level > 0.0 && self.grade_test_level <= 0.5) {
            return Err(ValidationError::BadSetting {
                setting: "grade_test_level",
                value: self.grade_test_level,
                allowed: "above 0 and at most 0.5",
            });
        }
        if !(2..=100).contains(&self.bins) {
            return Err(ValidationError::BadSetting { setting: "bins", value: self.bins as f64, allowed: "2 to 100" });
        }
        if (1..20).contains(&self.bootstrap_replicates) {
            return Err(ValidationError::BadSetting {
                setting: "bootstrap_replicates",
                value: f64::from(self.bootstrap_replicates),
                allowed: "0, or 20 and more",
            });
        }
        Ok(())
    }
}

/// Refuses a confidence no interval should be quoted at.
pub(crate) fn check_confidence(confidence: f64) -> Result<(), ValidationError> {
    if (0.5..=0.999).contains(&confidence) {
        Ok(())
    } else {
        Err(ValidationError::BadSetting { setting: "confidence", value: confidence, allowed: "0.5 to 0.999" })
    }
}
