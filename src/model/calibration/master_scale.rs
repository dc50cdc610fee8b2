//! The master scale: a few named grades between the calibrated PD and the people who use it.
//!
//! A grade holds the PDs up to and including its upper bound. Its *stated* PD carries a margin of conservatism for estimation error:
//!
//! `stated = max(central, least over this and all riskier grades of J(bad, rows))`
//!
//! with `central` the mean calibrated PD of the grade's rows (its upper bound where it has none) and `J` the one-sided upper Jeffreys bound of the default
//! rate at the configured confidence. A thin grade borrows strength: it cannot be riskier than a riskier grade's bound. Both terms rise from grade to
//! grade, so stated PDs do. The margin `stated − central` is kept apart in the file. It covers estimation error alone, not
//! missing data or changed policy.
//!
//! Source: EBA/GL/2017/16, §§ 36–52 (category C); the bound as in the Jeffreys test of the ECB's validation reporting (2019).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::CalibrationError;
use crate::model::validation::{GradeBound, Ranked, jeffreys_upper};

/// One grade of a fitted scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grade {
    /// Its name.
    pub grade: String,
    /// Highest calibrated PD in the grade.
    pub upper_pd: f64,
    /// Mean calibrated PD of the rows it was fitted on; the upper bound where there were none.
    pub central_pd: f64,
    /// `pd − central_pd`.
    pub margin: f64,
    /// The stated PD: central with margin.
    pub pd: f64,
    /// Rows it was fitted on.
    pub rows: u64,
    /// Bad rows among them.
    pub bad: u64,
}

/// A fitted master scale, safest grade first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct MasterScale {
    grades: Vec<Grade>,
    confidence: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    confidence: f64,
    grades: Vec<Grade>,
}

impl TryFrom<Unchecked> for MasterScale {
    type Error = CalibrationError;
    fn try_from(read: Unchecked) -> Result<Self, CalibrationError> {
        check_bounds(&read.grades.iter().map(|g| (g.grade.clone(), g.upper_pd)).collect::<Vec<_>>())?;
        let mut previous = 0.0;
        for grade in &read.grades {
            if !(previous..=1.0).contains(&grade.pd) {
                return Err(CalibrationError::BadScale { reason: "stated PDs must rise within 0 to 1" });
            }
            previous = grade.pd;
        }
        Ok(Self { grades: read.grades, confidence: read.confidence })
    }
}

impl From<MasterScale> for Unchecked {
    fn from(scale: MasterScale) -> Self {
        Self { confidence: scale.confidence, grades: scale.grades }
    }
}

impl MasterScale {
    /// Fits stated PDs to named bounds. `sample` holds calibrated PDs; `confidence` is that of the margin (0.75 is customary, more is more careful).
    ///
    /// # Errors
    /// Bounds that do not rise to 1, repeated names, confidence outside 0.5 to 0.999.
    pub fn fit(sample: &Ranked, bounds: &[(String, f64)], confidence: f64) -> Result<Self, CalibrationError> {
        check_bounds(bounds)?;
        crate::model::validation::check_confidence(confidence)?;
        let mut counts = vec![(0_u64, 0_u64, 0.0_f64); bounds.len()];
        for cell in sample.cells() {
            let Some(tie) = sample.ties().get(cell.tie) else { continue };
            let grade = bounds.partition_point(|(_, upper)| *upper < tie.pd);
            if let Some((rows, bad, pd_sum)) = counts.get_mut(grade) {
                *rows += cell.rows;
                *bad += if cell.is_bad { cell.rows } else { 0 };
                *pd_sum += cell.rows as f64 * tie.pd;
            }
        }
        let mut least = f64::INFINITY;
        let mut grades: Vec<Grade> = bounds
            .iter()
            .zip(counts)
            .rev()
            .map(|((name, upper_pd), (rows, bad, pd_sum))| {
                least = least.min(jeffreys_upper(bad, rows, confidence));
                let central_pd = if rows > 0 { (pd_sum / rows as f64).min(*upper_pd) } else { *upper_pd };
                let pd = central_pd.max(least);
                Grade { grade: name.clone(), upper_pd: *upper_pd, central_pd, margin: pd - central_pd, pd, rows, bad }
            })
            .collect();
        grades.reverse();
        Ok(Self { grades, confidence })
    }

    /// The grade of a calibrated PD; none for what is not a probability.
    #[must_use]
    pub fn grade_of(&self, pd: f64) -> Option<&Grade> {
        if !(0.0..=1.0).contains(&pd) {
            return None;
        }
        self.grades.get(self.grades.partition_point(|grade| grade.upper_pd < pd))
    }

    /// The grades, safest first.
    #[must_use]
    pub fn grades(&self) -> &[Grade] {
        &self.grades
    }

    /// Confidence of the margin.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// The scale as the grade tests of a validation take it.
    #[must_use]
    pub fn bounds(&self) -> Vec<GradeBound> {
        self.grades
            .iter()
            .map(|grade| GradeBound { grade: grade.grade.clone(), upper_pd: grade.upper_pd, stated_pd: Some(grade.pd) })
            .collect()
    }
}

fn check_bounds(bounds: &[(String, f64)]) -> Result<(), CalibrationError> {
    let bad = |reason| Err(CalibrationError::BadScale { reason });
    if bounds.is_empty() {
        return bad("it needs at least one grade");
    }
    let names: BTreeSet<&str> = bounds.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() < bounds.len() {
        return bad("names of grades must differ");
    }
    if bounds.iter().any(|(_, upper)| !(0.0..=1.0).contains(upper)) {
        return bad("upper bounds must be finite numbers from 0 to 1");
    }
    if bounds.array_windows().any(|[(_, low), (_, high)]| low >= high) {
        return bad("upper bounds must rise");
    }
    match bounds.last() {
        Some((_, last)) if *last < 1.0 => bad("the last upper bound must be 1"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked};

    fn bounds(uppers: &[f64]) -> Vec<(String, f64)> {
        uppers.iter().enumerate().map(|(i, upper)| (format!("G{}", i + 1), *upper)).collect()
    }

    // Counts from the fixture by hand; bounds from scipy 1.17.1: beta.ppf(.75, bad + .5, rows - bad + .5).
    #[test]
    fn margin_by_hand() {
        let scale = MasterScale::fit(&ranked(), &bounds(&[0.16, 0.30, 1.0]), 0.75).unwrap();
        let counts: Vec<(u64, u64)> = scale.grades().iter().map(|g| (g.rows, g.bad)).collect();
        assert_eq!(counts, [(10, 2), (12, 2), (18, 9)]);
        // The thinner, safer grade takes the lesser bound of the one behind it; that one states its central PD, which is above its bound.
        assert_close(jeffreys_upper(2, 10, 0.75), 0.302_281_526_634_295_97, 1e-9);
        assert_close(scale.grades()[0].pd, 0.255_818_287_281_089_2, 1e-9);
        assert_close(scale.grades()[1].pd, 0.255_818_287_281_089_2_f64.max(scale.grades()[1].central_pd), 1e-9);
        assert_close(scale.grades()[0].margin, scale.grades()[0].pd - scale.grades()[0].central_pd, 0.0);
        assert!(scale.grades()[2].margin > 0.0);
    }

    #[test]
    fn a_bound_belongs_to_its_grade_and_unknown_has_none() {
        let scale = MasterScale::fit(&ranked(), &bounds(&[0.16, 0.25, 1.0]), 0.75).unwrap();
        let name = |pd: f64| scale.grade_of(pd).map(|g| g.grade.as_str());
        assert_eq!(
            (name(0.0), name(0.16), name(0.160_001), name(1.0)),
            (Some("G1"), Some("G1"), Some("G2"), Some("G3"))
        );
        assert_eq!((name(f64::NAN), name(1.1), name(-0.1)), (None, None, None));
    }

    #[test]
    fn an_empty_grade_states_its_upper_bound() {
        let scale = MasterScale::fit(&ranked(), &bounds(&[0.001, 0.25, 1.0]), 0.75).unwrap();
        assert_eq!(scale.grades()[0].rows, 0);
        assert!(scale.grades()[0].pd >= 0.001 && scale.grades()[0].pd <= scale.grades()[1].pd);
    }

    #[test]
    fn broken_scales_are_refused() {
        for uppers in [&[0.5][..], &[0.5, 0.5, 1.0], &[f64::NAN, 1.0], &[]] {
            assert!(MasterScale::fit(&ranked(), &bounds(uppers), 0.75).is_err());
        }
        assert!(MasterScale::fit(&ranked(), &bounds(&[1.0]), 0.2).is_err());
    }

    proptest! {
        #[test]
        fn stated_pds_rise_and_never_undercut_the_central(
            rows in prop::collection::vec((any::<bool>(), 0_u8..100), 1..80),
            cuts in prop::collection::btree_set(1_u8..99, 0..6),
        ) {
            let is_bad: Vec<bool> = rows.iter().map(|r| r.0).collect();
            let pd: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 100.0).collect();
            let mut uppers: Vec<f64> = cuts.iter().map(|c| f64::from(*c) / 100.0).collect();
            uppers.push(1.0);
            let scale = MasterScale::fit(&Ranked::new(&is_bad, &pd).unwrap(), &bounds(&uppers), 0.9).unwrap();
            prop_assert!(scale.grades().is_sorted_by(|a, b| a.pd <= b.pd));
            prop_assert!(scale.grades().iter().all(|g| g.margin >= 0.0 && g.pd <= 1.0));
            prop_assert_eq!(scale.grades().iter().map(|g| g.rows).sum::<u64>(), rows.len() as u64);
            let value = serde_json::to_value(&scale).unwrap();
            prop_assert_eq!(serde_json::from_value::<MasterScale>(value).unwrap(), scale);
        }
    }
}
