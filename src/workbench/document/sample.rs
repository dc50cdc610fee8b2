//! One sample's figures and curves.

use super::curves::Curves;
use crate::model::ModelError;
use crate::model::validation::{GradeBound, Ranked, ValidationReport, ValidationSettings, validate_ranked};

/// One sample's figures and curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `Test rows`, `Training rows`, or the file measured.
    pub name: String,
    /// Its figures.
    pub report: ValidationReport,
    /// Its curves.
    pub curves: Curves,
}

impl Sample {
    /// Measures rows, and back-tests the grades given.
    ///
    /// # Errors
    /// Empty or unequal columns, predictions that are not probabilities, grades out of order.
    pub fn of_rows(name: &str, is_bad: &[bool], pd: &[f64], grades: Vec<GradeBound>) -> Result<Self, ModelError> {
        let failed = |e: crate::model::validation::ValidationError| ModelError::CannotMeasure { why: e.to_string() };
        let ranked = Ranked::new(is_bad, pd).map_err(failed)?;
        let report = validate_ranked(&ranked, &ValidationSettings { grades, ..ValidationSettings::default() })
            .map_err(failed)?;
        Ok(Self { name: name.to_owned(), report, curves: Curves::of(&ranked) })
    }

    /// What a report keeps of a sample: its curves run through the steps of the gains table only.
    #[must_use]
    pub fn of_report(name: &str, report: &ValidationReport) -> Self {
        let highest = report.deciles.iter().map(|d| d.max_pd).fold(0.0, f64::max);
        Self { name: name.to_owned(), report: report.clone(), curves: Curves::of_gains(&report.gains, highest) }
    }
}
