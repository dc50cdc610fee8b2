//! Evidence: from a feature back to windows and row counts.

use super::error::FeatureError;
use super::kind::Read;
use super::settings::FeatureConfig;
use crate::domain::AsOf;
use crate::tiles::TileError;

/// One window that a feature is made from: the same for every merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceWindow {
    /// The measure's name.
    pub measure: String,
    /// The view it is declared on.
    pub table: String,
    /// First local date of the window (ISO 8601); `None` for all of history.
    pub from_on: Option<String>,
    /// Local date that ends the window, exclusive.
    pub before_on: String,
    /// What [`super::ShardMeasures::tally`] tells of one merchant.
    pub read: Read,
}

/// All windows that a feature is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureEvidence {
    /// The feature.
    pub feature: String,
    /// Its formula in plain text.
    pub formula: String,
    /// Its windows.
    pub windows: Vec<EvidenceWindow>,
}

/// Formula and windows of every feature, as of an observation.
///
/// # Errors
/// Dates beyond the calendar.
pub fn evidence(config: &FeatureConfig, as_of: &AsOf) -> Result<Vec<FeatureEvidence>, FeatureError> {
    let name = |id: usize| config.measures.get(id).map(|m| m.name.clone()).unwrap_or_default();
    let date = |days: u16| as_of.days_before(i32::from(days)).map(|a| a.date().to_string()).map_err(TileError::from);
    let window = |read: Read| {
        Ok(EvidenceWindow {
            measure: name(read.measure),
            table: config.measures.get(read.measure).map(|m| m.view.name.to_owned()).unwrap_or_default(),
            from_on: read.window.days().map(|_| date(read.window.to)).transpose()?,
            before_on: date(read.window.from)?,
            read,
        })
    };
    config
        .features
        .iter()
        .map(|spec| {
            Ok(FeatureEvidence {
                feature: spec.name.clone(),
                formula: spec.formula(&name),
                windows: spec.kind.reads().into_iter().map(window).collect::<Result<_, FeatureError>>()?,
            })
        })
        .collect()
}
