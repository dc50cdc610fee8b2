//! The ability model as data, and its predictions.

use crate::domain::elementary::{exp_m1, ln_1p};
use serde::{Deserialize, Serialize};

use crate::model::ModelError;
use crate::model::table::{Column, ScoringTable, Values};

/// One input: `z = (signed_ln(x) − centre) / spread`, held to `low..high`; a missing value adds `missing` instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbilityInput {
    /// Column.
    pub name: String,
    /// Mean of `signed_ln(x)` in training.
    pub centre: f64,
    /// Standard deviation of the same.
    pub spread: f64,
    /// Lowest standardised value seen in training.
    pub low: f64,
    /// Highest.
    pub high: f64,
    /// Coefficient of the standardised value.
    pub coefficient: f64,
    /// What a missing value adds.
    pub missing: f64,
}

/// Corrections for rows of one size of predicted receipts, learnt on rows that the regression did not see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SizeGroup {
    /// Upper end (inclusive) of the predicted `ln(1 + receipts)`; `None` for the largest group.
    pub up_to: Option<f64>,
    /// Observed sum over predicted sum: turns a prediction of the logarithm into one of the mean.
    pub mean_factor: f64,
    /// Added to the prediction to reach the lower quantile.
    pub lower_shift: f64,
    /// Rows behind both.
    pub rows: usize,
}

/// Regression of `ln(1 + net receipts)` in minor units of the next window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbilityModel {
    /// Version of this layout.
    pub format: u32,
    /// Inputs.
    pub inputs: Vec<AbilityInput>,
    /// Intercept.
    pub intercept: f64,
    /// No prediction of the logarithm is above the highest outcome of training.
    pub ceiling: f64,
    /// Share of rows meant to lie below the lower figure.
    pub quantile: f64,
    /// Corrections, smallest group first.
    pub groups: Vec<SizeGroup>,
}

/// What a merchant is expected to take in over the next window, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbilityEstimate {
    /// Expected net receipts.
    pub mean_minor: i64,
    /// Receipts that are reached with the stated confidence; never above the mean.
    pub lower_minor: i64,
}

/// `sign(x) · ln(1 + |x|)`.
pub(super) fn signed_ln(x: f64) -> f64 {
    x.signum() * ln_1p(x.abs())
}

/// A column of numbers, NaN for missing; infinities refused.
pub(super) fn numbers(column: &Column) -> Result<&[f64], ModelError> {
    match &column.values {
        Values::Number(v) => match v.iter().position(|x| x.is_infinite()) {
            Some(row) => Err(ModelError::Infinite { column: column.name.clone(), row: row + 1 }),
            None => Ok(v),
        },
        Values::Text(t) => Err(ModelError::WrongKind {
            column: column.name.clone(),
            expected: "a number",
            found: t.levels.first().cloned().unwrap_or_default(),
            row: 1,
        }),
    }
}

impl AbilityModel {
    /// Predicted `ln(1 + receipts)` of every row.
    pub(super) fn logarithms(&self, table: &ScoringTable) -> Result<Vec<f64>, ModelError> {
        let mut out = vec![self.intercept; table.rows()];
        for input in &self.inputs {
            let column = numbers(table.column(&input.name)?)?;
            for (o, &x) in out.iter_mut().zip(column) {
                *o += if x.is_nan() {
                    input.missing
                } else {
                    ((signed_ln(x) - input.centre) / input.spread).clamp(input.low, input.high) * input.coefficient
                };
            }
        }
        for v in &mut out {
            *v = v.clamp(0.0, self.ceiling);
        }
        Ok(out)
    }

    /// Estimates for every row.
    ///
    /// # Errors
    /// A needed column is absent, no number, or infinite.
    pub fn predict(&self, table: &ScoringTable) -> Result<Vec<AbilityEstimate>, ModelError> {
        Ok(self.logarithms(table)?.into_iter().map(|v| self.estimate(v)).collect())
    }

    /// Each group has corrections of its own, so that its largest row might come out above the smallest of the next group. No estimate is
    /// above what the beginning of a larger group gives: a worse prediction never becomes a larger limit.
    fn estimate(&self, logarithm: f64) -> AbilityEstimate {
        let by = |at: f64, group: &SizeGroup| (exp_m1(at) * group.mean_factor, exp_m1(at + group.lower_shift));
        let own = self.groups.iter().position(|g| g.up_to.is_none_or(|up_to| logarithm <= up_to));
        let (mut mean, mut lower) = match own.and_then(|own| self.groups.get(own)) {
            Some(group) => by(logarithm, group),
            None => (exp_m1(logarithm), exp_m1(logarithm)),
        };
        for (below, group) in self.groups.iter().zip(self.groups.iter().skip(1)).skip(own.unwrap_or(usize::MAX)) {
            if let Some(begin) = below.up_to {
                let (least_mean, least_lower) = by(begin, group);
                (mean, lower) = (mean.min(least_mean), lower.min(least_lower));
            }
        }
        let mean = minor(mean);
        AbilityEstimate { mean_minor: mean, lower_minor: minor(lower).min(mean) }
    }
}

/// Whole minor units, rounded down, never negative.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of exact whole numbers")]
fn minor(value: f64) -> i64 {
    value.floor().clamp(0.0, 9.0e15) as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model(shifts: [f64; 3], factors: [f64; 3]) -> AbilityModel {
        let up_to = [Some(8.0), Some(10.0), None];
        let group = |g: usize| SizeGroup { up_to: up_to[g], mean_factor: factors[g], lower_shift: shifts[g], rows: 30 };
        AbilityModel {
            format: 1,
            inputs: Vec::new(),
            intercept: 0.0,
            ceiling: 16.0,
            quantile: 0.1,
            groups: (0..3).map(group).collect(),
        }
    }

    proptest! {
        #[test]
        fn a_larger_prediction_is_never_a_smaller_estimate(
            shifts in prop::array::uniform3(-3.0_f64..0.5),
            factors in prop::array::uniform3(0.2_f64..3.0),
            predictions in prop::collection::vec(0.0_f64..16.0, 2..20),
        ) {
            let model = model(shifts, factors);
            let mut predictions = [predictions, vec![8.0, 8.0 + 1e-9, 10.0, 10.0 + 1e-9]].concat();
            predictions.sort_by(f64::total_cmp);
            let estimates: Vec<AbilityEstimate> = predictions.iter().map(|p| model.estimate(*p)).collect();
            for pair in estimates.windows(2) {
                prop_assert!(pair[0].mean_minor <= pair[1].mean_minor, "{pair:?}");
                prop_assert!(pair[0].lower_minor <= pair[1].lower_minor, "{pair:?}");
            }
        }
    }
}
