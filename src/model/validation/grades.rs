//! Back-test of a rating scale: is each grade's PD high enough for what happened in it?
//!
//! Per grade the binomial and the Jeffreys p-value (see [`super::proportion`]), both one-sided: only a PD that is too *low* fails. Rows belong to
//! the first grade whose upper bound is not below their prediction. The verdict carries its evidence and its level; with many
//! grades some fail by chance, so the report also counts what chance alone would give.

use serde::{Deserialize, Serialize};

use super::error::ValidationError;
use super::proportion::{binomial_p_value, exact_interval, jeffreys_p_value};
use super::ranked::Ranked;

/// A grade of a rating scale: predictions up to and including `upper_pd`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradeBound {
    /// The grade's name.
    pub grade: String,
    /// Highest prediction in the grade; the last grade must reach 1.
    pub upper_pd: f64,
    /// The PD the scale states for the grade; the mean prediction of its rows is tested where none is stated.
    pub stated_pd: Option<f64>,
}

/// What happened in one grade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GradeResult {
    /// The grade's name.
    pub grade: String,
    /// Number of rows.
    pub rows: u64,
    /// Number of bad rows.
    pub bad: u64,
    /// The PD under test; null for an empty grade without a stated one.
    pub pd: Option<f64>,
    /// Observed default rate; null for an empty grade.
    pub bad_rate: Option<f64>,
    /// Exact interval of the observed rate; null for an empty grade.
    pub bad_rate_interval: Option<[f64; 2]>,
    /// One-sided binomial p-value; null for an empty grade.
    pub binomial_p_value: Option<f64>,
    /// One-sided Jeffreys p-value; null for an empty grade.
    pub jeffreys_p_value: Option<f64>,
    /// Whether the Jeffreys test finds the PD too low at the configured level; null where nothing was observed.
    pub is_pd_too_low: Option<bool>,
}

/// Tests each grade at one-sided level `level` (0.05 is customary).
///
/// # Errors
/// Bounds that do not ascend, are not probabilities, or do not reach 1.
pub fn grade_tests(
    ranked: &Ranked,
    grades: &[GradeBound],
    confidence: f64,
    level: f64,
) -> Result<Vec<GradeResult>, ValidationError> {
    check_bounds(grades)?;
    let mut counts = vec![Counts::default(); grades.len()];
    let mut grade = 0;
    for cell in ranked.cells() {
        let Some(tie) = ranked.ties().get(cell.tie) else { continue };
        while grades.get(grade).is_some_and(|bound| tie.pd > bound.upper_pd) {
            grade += 1;
        }
        if let Some(count) = counts.get_mut(grade) {
            count.rows += cell.rows;
            count.bad += if cell.is_bad { cell.rows } else { 0 };
            count.pd_sum += cell.rows as f64 * tie.pd;
        }
    }
    Ok(grades.iter().zip(counts).map(|(bound, count)| count.test(bound, confidence, level)).collect())
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    rows: u64,
    bad: u64,
    pd_sum: f64,
}

impl Counts {
    fn test(self, bound: &GradeBound, confidence: f64, level: f64) -> GradeResult {
        let Self { rows, bad, pd_sum } = self;
        let observed = rows > 0;
        let pd = bound.stated_pd.or_else(|| observed.then(|| pd_sum / rows as f64));
        let tested = pd.filter(|_| observed);
        let jeffreys = tested.map(|pd| jeffreys_p_value(bad, rows, pd));
        GradeResult {
            grade: bound.grade.clone(),
            rows,
            bad,
            pd,
            bad_rate: observed.then(|| bad as f64 / rows as f64),
            bad_rate_interval: observed.then(|| exact_interval(bad, rows, confidence)),
            binomial_p_value: tested.map(|pd| binomial_p_value(bad, rows, pd)),
            jeffreys_p_value: jeffreys,
            is_pd_too_low: jeffreys.map(|p| p < level),
        }
    }
}

fn check_bounds(grades: &[GradeBound]) -> Result<(), ValidationError> {
    let bad = |value, allowed| Err(ValidationError::BadSetting { setting: "a grade's upper PD", value, allowed });
    let mut previous = f64::NEG_INFINITY;
    for bound in grades {
        if !(0.0..=1.0).contains(&bound.upper_pd) {
            return bad(bound.upper_pd, "a finite number from 0 to 1");
        }
        if bound.upper_pd <= previous {
            return bad(bound.upper_pd, "above the grade before it");
        }
        if let Some(value) = bound.stated_pd.filter(|pd| !(0.0..=1.0).contains(pd)) {
            return Err(ValidationError::BadSetting {
                setting: "a grade's stated PD",
                value,
                allowed: "a finite number from 0 to 1",
            });
        }
        previous = bound.upper_pd;
    }
    match grades.last() {
        Some(last) if last.upper_pd < 1.0 => bad(last.upper_pd, "1 for the last grade"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked};

    fn grade(name: &str, upper_pd: f64, stated_pd: Option<f64>) -> GradeBound {
        GradeBound { grade: name.to_owned(), upper_pd, stated_pd }
    }

    #[test]
    fn counts_per_grade_and_p_values() {
        let grades = [grade("A", 0.01, None), grade("B", 0.25, Some(0.05)), grade("C", 1.0, None)];
        let results = grade_tests(&ranked(), &grades, 0.95, 0.05).unwrap();
        assert_eq!((results[0].rows, results[0].is_pd_too_low), (0, None));
        assert_eq!((results[1].rows, results[1].bad), (20, 4));
        assert_close(results[1].jeffreys_p_value.unwrap(), jeffreys_p_value(4, 20, 0.05), 0.0);
        assert_eq!(results[1].is_pd_too_low, Some(true));
        assert_eq!((results[2].rows, results[2].bad), (20, 9));
        assert_eq!(results[2].is_pd_too_low, Some(false));
        assert!(results[2].pd.unwrap() > 0.25);
    }

    #[test]
    fn a_bound_belongs_to_its_grade() {
        let results = grade_tests(&ranked(), &[grade("A", 0.03, None), grade("B", 1.0, None)], 0.95, 0.05).unwrap();
        assert_eq!(results[0].rows, 1);
    }

    #[test]
    fn scales_with_holes_are_refused() {
        for grades in [
            vec![grade("A", 0.5, None)],
            vec![grade("A", 0.5, None), grade("B", 0.5, None), grade("C", 1.0, None)],
            vec![grade("A", f64::NAN, None), grade("C", 1.0, None)],
            vec![grade("A", 0.5, Some(1.5)), grade("C", 1.0, None)],
        ] {
            assert!(matches!(grade_tests(&ranked(), &grades, 0.95, 0.05), Err(ValidationError::BadSetting { .. })));
        }
    }
}
