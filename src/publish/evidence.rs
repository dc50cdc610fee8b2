//! Which window stands behind which feature: the columns of `evidence.parquet` and the map to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::column::OutputColumn;
use super::tables::WideValue;
use crate::features::{EvidenceWindow, FeatureEvidence};

/// How a feature is computed, and from which columns of `evidence.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureFormula {
    /// The feature.
    pub feature: String,
    /// Its formula in plain text.
    pub formula: String,
    /// Its windows.
    pub windows: Vec<WindowColumns>,
}

/// A window, and its columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowColumns {
    /// The measure.
    pub measure: String,
    /// The view it is declared on.
    pub table: String,
    /// First date; null for all of history.
    pub from_on: Option<String>,
    /// The date that ends it, exclusive.
    pub before_on: String,
    /// Column of the sum.
    pub sum_column: String,
    /// Column of the rows.
    pub rows_column: String,
}

/// Identifies a window of a measure; the columns of `evidence.parquet` stand in the order of these names.
fn window_name(window: &EvidenceWindow) -> String {
    format!("{}__{}__{}", window.measure, window.from_on.as_deref().unwrap_or("ever"), window.before_on)
}

/// Every window once, by the name that its columns of `evidence.parquet` begin with.
#[must_use]
pub fn distinct_windows(evidence: &[FeatureEvidence]) -> BTreeMap<String, &EvidenceWindow> {
    evidence.iter().flat_map(|f| &f.windows).map(|w| (window_name(w), w)).collect()
}

/// Columns of `evidence.parquet`: two a window.
#[must_use]
pub fn evidence_columns(windows: &BTreeMap<String, &EvidenceWindow>) -> Vec<OutputColumn> {
    windows
        .iter()
        .flat_map(|(name, w)| {
            let from = w.from_on.as_deref().unwrap_or("the beginning");
            let span = format!("measure {} on {} from {from} until before {}", w.measure, w.table, w.before_on);
            [
                i64::column(&format!("{name}__sum"), "as the measure", &format!("Sum of {span}.")),
                i64::column(&format!("{name}__rows"), "as the measure", &format!("Rows in the sum of {span}.")),
            ]
        })
        .collect()
}

/// `evidence.json`.
#[must_use]
pub fn formulas(evidence: &[FeatureEvidence]) -> Vec<FeatureFormula> {
    evidence
        .iter()
        .map(|f| FeatureFormula {
            feature: f.feature.clone(),
            formula: f.formula.clone(),
            windows: f
                .windows
                .iter()
                .map(|w| WindowColumns {
                    measure: w.measure.clone(),
                    table: w.table.clone(),
                    from_on: w.from_on.clone(),
                    before_on: w.before_on.clone(),
                    sum_column: format!("{}__sum", window_name(w)),
                    rows_column: format!("{}__rows", window_name(w)),
                })
                .collect(),
        })
        .collect()
}
