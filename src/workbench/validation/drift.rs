//! Has the population moved since training? PSI of the score, CSI of each characteristic.
//!
//! The training side comes from the model folder alone: bins of the scorecard hold their training rows, the training report holds how many rows
//! fell into each tenth of the PD. Weighted training rows count by their weights.

use serde::{Deserialize, Serialize};

use super::stability::{CharacteristicStability, Stability, characteristic_stability, stability};
use crate::model::validation::{Decile, Undefined, UndefinedFigure, ValidationError};
use crate::model::{ModelError, Scorecard};

/// A table's population against the one of the training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// PSI over the tenths of the training PD; null where the model folder keeps none.
    pub score: Option<Stability>,
    /// CSI of each variable over its bins, in the scorecard's order.
    pub characteristics: Vec<CharacteristicStability>,
    /// What could not be computed, and why.
    pub undefined: Vec<UndefinedFigure>,
}

/// Compares a scored table with the training rows.
///
/// `bin_counts` holds the rows of each bin of each variable, in the scorecard's order; `pd` one value a row; `trained` the tenths of the
/// training rows, safest first.
///
/// # Errors
/// A table without rows.
pub fn training_drift(
    card: &Scorecard,
    trained: Option<&[Decile]>,
    pd: &[f64],
    bin_counts: &[Vec<u64>],
) -> Result<Drift, ModelError> {
    let mut drift = Drift { score: None, characteristics: Vec::new(), undefined: Vec::new() };
    match trained.filter(|deciles| !deciles.is_empty()) {
        Some(deciles) => match measured(stability(&score_bins(deciles, pd)))? {
            Ok(found) => drift.score = Some(found),
            Err(why) => drift.refuse("PSI of the score", &why.to_string()),
        },
        None => drift.refuse("PSI of the score", "the model folder does not tell how training rows were scored"),
    }
    for (variable, actual) in card.variables.iter().zip(bin_counts) {
        let counts = variable.bins.bins.iter().zip(actual).zip(&variable.points);
        let bins: Vec<(String, f64, u64, u64)> = counts
            .map(|((bin, actual), points)| (bin.label.clone(), f64::from(*points), whole(bin.rows), *actual))
            .collect();
        match measured(characteristic_stability(&variable.bins.name, &bins))? {
            Ok(found) => drift.characteristics.push(found),
            Err(why) => drift.refuse(&format!("CSI of {}", variable.bins.name), &why.to_string()),
        }
    }
    Ok(drift)
}

impl Drift {
    fn refuse(&mut self, figure: &str, reason: &str) {
        self.undefined.push(UndefinedFigure { figure: figure.to_owned(), reason: reason.to_owned() });
    }
}

fn measured<T>(outcome: Result<Result<T, Undefined>, ValidationError>) -> Result<Result<T, Undefined>, ModelError> {
    outcome.map_err(|e| ModelError::CannotMeasure { why: e.to_string() })
}

/// Rows of both sides in each tenth; what lies beyond the training's extremes belongs to the first and the last.
#[must_use]
pub fn score_bins(trained: &[Decile], pd: &[f64]) -> Vec<(String, u64, u64)> {
    let mut actual = vec![0_u64; trained.len()];
    let last = trained.len().saturating_sub(1);
    for p in pd {
        let at = trained.partition_point(|d| d.max_pd < *p).min(last);
        if let Some(count) = actual.get_mut(at) {
            *count += 1;
        }
    }
    let name = |i: usize, d: &Decile| {
        if i == last { "riskiest".to_owned() } else { format!("PD ≤ {:.6}", d.max_pd) }
    };
    trained.iter().enumerate().zip(actual).map(|((i, d), actual)| (name(i, d), d.rows, actual)).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows, or weights that stand for them"
)]
fn whole(rows: f64) -> u64 {
    rows.max(0.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calibration::CalibrationMap;
    use crate::model::fixture::card;
    use crate::model::validation::{ValidationSettings, validate};

    #[test]
    fn the_training_population_itself_has_not_moved() {
        let card = card(CalibrationMap::Identity);
        let pd: Vec<f64> = (0..600).map(|i| f64::from(i % 97) / 100.0).collect();
        let bad: Vec<bool> = (0..600).map(|i| i % 5 == 0).collect();
        let report =
            validate(&bad, &pd, &ValidationSettings { bootstrap_replicates: 0, ..Default::default() }).unwrap();
        let same: Vec<Vec<u64>> =
            card.variables.iter().map(|v| v.bins.bins.iter().map(|b| whole(b.rows)).collect()).collect();
        let found = training_drift(&card, Some(&report.deciles), &pd, &same).unwrap();
        assert!(found.score.unwrap().index.abs() < 1e-15 && found.undefined.is_empty());
        assert!(found.characteristics.iter().all(|c| c.stability.index.abs() < 1e-15 && c.score_shift.abs() < 1e-12));
    }

    #[test]
    fn a_moved_population_is_seen_where_it_moved() {
        let card = card(CalibrationMap::Identity);
        let moved = vec![vec![600, 0, 0, 0, 0, 0, 0], vec![300, 200, 20, 80], vec![300, 300, 0]];
        let found = training_drift(&card, None, &[0.5; 600], &moved).unwrap();
        assert!(found.characteristics[0].stability.is_significant && found.characteristics[0].score_shift < 0.0);
        assert!(!found.characteristics[1].stability.is_significant);
        assert!(found.score.is_none() && found.undefined.len() == 1);
        assert!(training_drift(&card, None, &[], &[vec![0; 7], vec![0; 4], vec![0; 3]]).is_err());
    }
}
