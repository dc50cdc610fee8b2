//! The contest again within each segment: a challenger that wins on the whole may lose where it matters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contest::{LossDifference, squared_error_difference};
use super::error::CompareError;
use crate::model::validation::{Ranked, ValidationError, auc};
use crate::workbench::validation::{DeLongTest, MOST_SEGMENTS, delong_test};

/// Champion and challenger within one segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentContest {
    /// The segment; null for rows whose segment is unknown.
    pub segment: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Bad rows.
    pub bad: u64,
    /// The champion's AUC; null with one outcome class.
    pub champion_auc: Option<f64>,
    /// The challenger's.
    pub challenger_auc: Option<f64>,
    /// `DeLong`'s test of the two, champion first; null where it is undefined.
    pub auc_test: Option<DeLongTest>,
    /// Squared errors compared, champion less challenger.
    pub brier_difference: LossDifference,
}

/// The rows of one segment.
#[derive(Default)]
struct Part {
    is_bad: Vec<bool>,
    champion: Vec<f64>,
    challenger: Vec<f64>,
}

/// Compares two models within each segment, unknown first, then by name. The four columns are of one table.
///
/// # Errors
/// Columns that do not fit each other, predictions that are not probabilities, more than [`MOST_SEGMENTS`] segments.
pub fn compare_segments(
    is_bad: &[bool],
    champion_pd: &[f64],
    challenger_pd: &[f64],
    segment: &[Option<String>],
    confidence: f64,
) -> Result<Vec<SegmentContest>, CompareError> {
    let expected = is_bad.len();
    let lengths =
        [("champion's PDs", champion_pd.len()), ("challenger's PDs", challenger_pd.len()), ("segments", segment.len())];
    if let Some((what, found)) = lengths.into_iter().find(|(_, found)| *found != expected) {
        return Err(ValidationError::LengthMismatch { what, expected, found }.into());
    }
    let mut rows: BTreeMap<Option<&str>, Part> = BTreeMap::new();
    for ((bad, segment), (one, two)) in is_bad.iter().zip(segment).zip(champion_pd.iter().zip(challenger_pd)) {
        let part = rows.entry(segment.as_deref()).or_default();
        part.is_bad.push(*bad);
        part.champion.push(*one);
        part.challenger.push(*two);
    }
    if rows.len() > MOST_SEGMENTS {
        return Err(ValidationError::TooManySegments { segments: rows.len(), limit: MOST_SEGMENTS }.into());
    }
    rows.into_iter()
        .map(|(segment, part)| {
            let (bads, ones, twos) = (&part.is_bad, &part.champion, &part.challenger);
            let (one, two) = (Ranked::new(bads, ones)?, Ranked::new(bads, twos)?);
            Ok(SegmentContest {
                segment: segment.map(str::to_owned),
                rows: one.rows(),
                bad: one.bad_rows(),
                champion_auc: auc(one.ties()).ok(),
                challenger_auc: auc(two.ties()).ok(),
                auc_test: delong_test(bads, ones, twos, confidence)?.ok(),
                brier_difference: squared_error_difference(bads, ones, twos, confidence),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{OTHER_PD, PD, is_bad};
    use crate::workbench::compare::{ComparisonSettings, compare};

    #[test]
    fn one_segment_is_the_whole_and_parts_add_up() {
        let whole = compare(&is_bad(), &PD, &OTHER_PD, &ComparisonSettings::default()).unwrap();
        let one = compare_segments(&is_bad(), &PD, &OTHER_PD, &vec![Some("all".to_owned()); 40], 0.95).unwrap();
        assert_eq!((one[0].champion_auc, one[0].auc_test), (whole.champion.auc, whole.auc_test));
        assert_eq!(one[0].brier_difference, whole.brier_difference);
        let parts: Vec<Option<String>> = (0..40).map(|i| (i % 4 != 0).then(|| format!("s{}", i % 2))).collect();
        let found = compare_segments(&is_bad(), &PD, &OTHER_PD, &parts, 0.95).unwrap();
        assert_eq!(found.iter().map(|s| s.rows).collect::<Vec<_>>(), [10, 10, 20]);
        assert!(found[0].segment.is_none() && found.iter().map(|s| s.bad).sum::<u64>() == 13);
        assert!(compare_segments(&is_bad(), &PD, &OTHER_PD, &parts[1..], 0.95).is_err());
    }
}
