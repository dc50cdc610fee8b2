//! Evidence: from a feature back to windows and row counts.

use serde::{Deserialize, Serialize};

use super::error::FeatureError;
use super::kind::Read;
use super::measured::ShardMeasures;
use crate::config::FeatureConfig;
use crate::tiles::TileError;

/// One window that a feature was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowEvidence {
    /// The measure.
    pub measure: String,
    /// The view it is declared on.
    pub table: String,
    /// First local date of the window (ISO 8601); `None` for all of history.
    pub from_on: Option<String>,
    /// Local date that ends the window, exclusive.
    pub before_on: String,
    /// The measure's sum; `None` without evidence.
    pub sum: Option<i64>,
    /// Rows behind the sum; `None` without evidence.
    pub rows: Option<u64>,
}

/// All windows that a feature was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureEvidence {
    /// The feature.
    pub feature: String,
    /// Its formula in plain text.
    pub formula: String,
    /// Its windows.
    pub windows: Vec<WindowEvidence>,
}

impl ShardMeasures {
    /// The evidence behind every feature of a merchant; `None` where the shard does not have it.
    ///
    /// # Errors
    /// Sums beyond 64 bits, or dates beyond the calendar.
    pub fn evidence(
        &self,
        config: &FeatureConfig,
        merchant: &str,
    ) -> Result<Option<Vec<FeatureEvidence>>, FeatureError> {
        let Some(number) = self.merchants.number(merchant).and_then(|n| usize::try_from(n).ok()) else {
            return Ok(None);
        };
        let names = |id: usize| self.names.get(id).cloned().unwrap_or_default();
        let features = config.features.iter().map(|spec| {
            let windows = spec.kind.reads().into_iter().map(|read| self.window_evidence(config, read, number));
            Ok(FeatureEvidence {
                feature: spec.name.clone(),
                formula: spec.kind.formula(&names),
                windows: windows.collect::<Result<_, FeatureError>>()?,
            })
        });
        features.collect::<Result<Vec<_>, FeatureError>>().map(Some)
    }

    fn window_evidence(
        &self,
        config: &FeatureConfig,
        read: Read,
        number: usize,
    ) -> Result<WindowEvidence, FeatureError> {
        let date =
            |days: u16| self.as_of.days_before(i32::from(days)).map(|a| a.date().to_string()).map_err(TileError::from);
        let tally = self.tally(read, number)?;
        Ok(WindowEvidence {
            measure: self.names.get(read.measure).cloned().unwrap_or_default(),
            table: config.measures.get(read.measure).map(|m| m.view.name.to_owned()).unwrap_or_default(),
            from_on: read.window.days().map(|_| date(read.window.to)).transpose()?,
            before_on: date(read.window.from)?,
            sum: tally.map(|t| t.sum),
            rows: tally.map(|t| t.rows),
        })
    }
}
