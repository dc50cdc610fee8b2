//! The figures by which a model is approved, read back from its validation report.

use serde::Deserialize;
use serde_json::Value;

use super::report::BandRows;

/// Figures of the rows that a model was judged by and had not learnt from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TestFigures {
    /// Rows.
    pub rows: u64,
    /// Bad ones.
    pub bad: u64,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Its bootstrap interval.
    pub auc_interval: Option<[f64; 2]>,
    /// Rows of each band; empty where the report does not say.
    #[serde(skip)]
    pub by_band: Vec<u64>,
}

impl TestFigures {
    /// Those of a report; `None` where it has none, or in a form that is not read: nothing is known of such a model.
    #[must_use]
    pub fn of(validation: &Value) -> Option<Self> {
        #[derive(Deserialize)]
        struct Report {
            test: Option<TestFigures>,
            #[serde(default)]
            bands: Vec<BandRows>,
        }
        let Report { test, bands } = Report::deserialize(validation).ok()?;
        Some(Self { by_band: bands.iter().map(|band| band.test_rows).collect(), ..test? })
    }

    /// Rows of the rarer outcome.
    #[must_use]
    pub fn rarer(&self) -> u64 {
        self.bad.min(self.rows.saturating_sub(self.bad))
    }
}
