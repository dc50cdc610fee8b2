//! The validation report again, for each vintage, segment or band of history length.
//!
//! A model that is good on the whole can be useless for the merchants who matter (young ones, one industry). Every segment gets the full report with its own
//! intervals; small segments get wide ones, and nulls with reasons where there is nothing to say. Rows whose segment is unknown are a segment of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::validation::{ValidationError, ValidationReport, ValidationSettings, validate};

/// One segment's report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentReport {
    /// The segment; null for rows whose segment is unknown.
    pub segment: Option<String>,
    /// What the model is worth there.
    pub report: ValidationReport,
}

/// Most segments a breakdown will report on: more is a column of ids, not a segment.
pub const MOST_SEGMENTS: usize = 500;

/// Validates each segment on its own, unknown first, then by name. The three columns are of one table.
///
/// # Errors
/// Columns that do not fit each other, predictions that are not probabilities, more than [`MOST_SEGMENTS`] segments.
pub fn breakdown<S: AsRef<str>>(
    is_bad: &[bool],
    pd: &[f64],
    segment: &[Option<S>],
    settings: &ValidationSettings,
) -> Result<Vec<SegmentReport>, ValidationError> {
    let expected = is_bad.len();
    for (what, found) in [("predictions", pd.len()), ("segments", segment.len())] {
        if found != expected {
            return Err(ValidationError::LengthMismatch { what, expected, found });
        }
    }
    if let Some((row, value)) = pd.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(ValidationError::NotAProbability { row, value: *value });
    }
    let mut rows: BTreeMap<Option<&str>, (Vec<bool>, Vec<f64>)> = BTreeMap::new();
    for ((bad, pd), segment) in is_bad.iter().zip(pd).zip(segment) {
        let (bads, pds) = rows.entry(segment.as_ref().map(AsRef::as_ref)).or_default();
        bads.push(*bad);
        pds.push(*pd);
    }
    if rows.len() > MOST_SEGMENTS {
        return Err(ValidationError::TooManySegments { segments: rows.len(), limit: MOST_SEGMENTS });
    }
    rows.into_iter()
        .map(|(segment, (bads, pds))| {
            let report = validate(&bads, &pds, settings)?;
            Ok(SegmentReport { segment: segment.map(str::to_owned), report })
        })
        .collect()
}

/// Names the band of each value, for breakdowns by history length or size: `"< 90"`, `"90 ≤ … < 365"`, `"≥ 365"` for bounds 90 and 365. Null stays null.
///
/// Names carry a leading band number, so that they sort by size.
///
/// # Errors
/// Bounds that do not rise or are not finite; a value that is not finite.
pub fn band_labels(values: &[Option<f64>], bounds: &[f64]) -> Result<Vec<Option<String>>, ValidationError> {
    let bad = |value, allowed| Err(ValidationError::BadSetting { setting: "a band's bound", value, allowed });
    if let Some(value) = bounds.iter().find(|b| !b.is_finite()) {
        return bad(*value, "a finite number");
    }
    if let Some([_, value]) = bounds.array_windows().find(|[low, high]| low >= high) {
        return bad(*value, "above the bound before it");
    }
    let width = (bounds.len() + 1).to_string().len();
    let name = |i: usize| {
        let number = format!("{:0width$}", i + 1);
        match (i.checked_sub(1).and_then(|i| bounds.get(i)), bounds.get(i)) {
            (None, None) => format!("{number}: all"),
            (None, Some(high)) => format!("{number}: < {high}"),
            (Some(low), None) => format!("{number}: ≥ {low}"),
            (Some(low), Some(high)) => format!("{number}: {low} ≤ … < {high}"),
        }
    };
    values
        .iter()
        .enumerate()
        .map(|(row, value)| match value {
            None => Ok(None),
            Some(value) if value.is_finite() => Ok(Some(name(bounds.partition_point(|bound| bound <= value)))),
            Some(value) => Err(ValidationError::NotFinite { row, value: *value }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{PD, is_bad};

    fn segments() -> Vec<Option<&'static str>> {
        (0..40).map(|i| [Some("b"), Some("a"), None, Some("a")][i % 4]).collect()
    }

    #[test]
    fn each_segment_reports_as_if_alone() {
        let settings = ValidationSettings { bootstrap_replicates: 50, ..ValidationSettings::default() };
        let found = breakdown(&is_bad(), &PD, &segments(), &settings).unwrap();
        let names: Vec<Option<&str>> = found.iter().map(|s| s.segment.as_deref()).collect();
        assert_eq!(names, [None, Some("a"), Some("b")]);
        assert_eq!(found.iter().map(|s| s.report.rows).collect::<Vec<_>>(), [10, 20, 10]);
        let bads: Vec<bool> = is_bad().into_iter().enumerate().filter(|(i, _)| i % 2 == 1).map(|(_, b)| b).collect();
        let pds: Vec<f64> = PD.into_iter().enumerate().filter(|(i, _)| i % 2 == 1).map(|(_, p)| p).collect();
        assert_eq!(found[1].report, validate(&bads, &pds, &settings).unwrap());
    }

    #[test]
    fn columns_must_fit_and_ids_are_no_segments() {
        let settings = ValidationSettings::default();
        assert!(matches!(
            breakdown(&is_bad(), &PD, &[Some("a")], &settings),
            Err(ValidationError::LengthMismatch { what: "segments", expected: 40, found: 1 })
        ));
        let ids: Vec<Option<String>> = (0..501).map(|i| Some(i.to_string())).collect();
        let refused = breakdown(&[false; 501], &[0.1; 501], &ids, &settings);
        assert_eq!(refused, Err(ValidationError::TooManySegments { segments: 501, limit: 500 }));
    }

    #[test]
    fn bands_are_half_open_and_sort_by_size() {
        let found = band_labels(&[Some(0.0), Some(90.0), Some(364.9), Some(365.0), None], &[90.0, 365.0]).unwrap();
        let expected = [Some("1: < 90"), Some("2: 90 ≤ … < 365"), Some("2: 90 ≤ … < 365"), Some("3: ≥ 365"), None];
        assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
        assert!(band_labels(&[Some(f64::NAN)], &[1.0]).is_err());
        assert!(band_labels(&[], &[2.0, 1.0]).is_err());
    }
}
