//! Outcomes and predictions, checked and brought into one order that every metric sums in.

use rayon::prelude::*;

use super::error::ValidationError;

/// Rows that no metric can tell apart: same prediction, same outcome, same weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Index of the tie this cell belongs to.
    pub tie: usize,
    /// Whether the rows are bad.
    pub is_bad: bool,
    /// Number of rows.
    pub rows: u64,
    /// Weight of each of the rows (1 when unweighted).
    pub row_weight: f64,
}

/// All rows of one predicted probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tie {
    /// The predicted probability of default.
    pub pd: f64,
    /// Weight of the goods.
    pub good: f64,
    /// Weight of the bads.
    pub bad: f64,
}

impl Tie {
    /// Weight of goods and bads.
    #[must_use]
    pub fn mass(&self) -> f64 {
        self.good + self.bad
    }
}

/// A checked sample, sorted by ascending predicted probability with equal rows merged.
///
/// Every metric is a pass over [`Ranked::ties`], so it sums in ascending order of the prediction whatever the order of the rows
/// was: shuffling the table changes no bit of any figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    ties: Vec<Tie>,
    cells: Vec<Cell>,
    rows: u64,
    bad_rows: u64,
    is_weighted: bool,
}

impl Ranked {
    /// Sorts unweighted rows. `is_bad` and `pd` are columns of one table.
    ///
    /// # Errors
    /// Empty or unequal columns; a prediction that is not a probability.
    pub fn new(is_bad: &[bool], pd: &[f64]) -> Result<Self, ValidationError> {
        Self::build(is_bad, pd, None)
    }

    /// Sorts weighted rows: a row of weight 2 counts as two rows would, except in intervals and tests, which know rows only.
    ///
    /// # Errors
    /// As [`Ranked::new`], and for weights that are not finite and positive.
    pub fn weighted(is_bad: &[bool], pd: &[f64], weight: &[f64]) -> Result<Self, ValidationError> {
        Self::build(is_bad, pd, Some(weight))
    }

    fn build(is_bad: &[bool], pd: &[f64], weight: Option<&[f64]>) -> Result<Self, ValidationError> {
        check_columns(is_bad, pd, weight)?;
        let mut order: Vec<(f64, bool, f64)> = match weight {
            None => is_bad.iter().zip(pd).map(|(&bad, &p)| (p + 0.0, bad, 1.0)).collect(),
            Some(weight) => is_bad.iter().zip(pd).zip(weight).map(|((&bad, &p), &w)| (p + 0.0, bad, w)).collect(),
        };
        order.par_sort_unstable_by(|a, b| {
            a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)).then_with(|| a.2.total_cmp(&b.2))
        });

        let mut ties: Vec<Tie> = Vec::new();
        let mut cells: Vec<Cell> = Vec::new();
        let mut bad_rows = 0;
        for (pd, is_bad, row_weight) in order {
            bad_rows += u64::from(is_bad);
            let is_new_tie = ties.last().is_none_or(|tie| tie.pd.to_bits() != pd.to_bits());
            if is_new_tie {
                ties.push(Tie { pd, good: 0.0, bad: 0.0 });
            }
            let tie = ties.len() - 1;
            match cells.last_mut() {
                Some(cell)
                    if !is_new_tie && cell.is_bad == is_bad && cell.row_weight.to_bits() == row_weight.to_bits() =>
                {
                    cell.rows += 1;
                }
                _ => cells.push(Cell { tie, is_bad, rows: 1, row_weight }),
            }
        }
        for cell in &cells {
            if let Some(tie) = ties.get_mut(cell.tie) {
                let mass = cell.rows as f64 * cell.row_weight;
                if cell.is_bad { tie.bad += mass } else { tie.good += mass }
            }
        }
        Ok(Self { ties, cells, rows: is_bad.len() as u64, bad_rows, is_weighted: weight.is_some() })
    }

    /// The distinct predictions in ascending order with the weight of goods and bads at each.
    #[must_use]
    pub fn ties(&self) -> &[Tie] {
        &self.ties
    }

    /// Groups of identical rows in ascending order of prediction: what a resample draws from.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Number of bad rows.
    #[must_use]
    pub fn bad_rows(&self) -> u64 {
        self.bad_rows
    }

    /// Whether rows carry weights.
    #[must_use]
    pub fn is_weighted(&self) -> bool {
        self.is_weighted
    }
}

fn check_columns(is_bad: &[bool], pd: &[f64], weight: Option<&[f64]>) -> Result<(), ValidationError> {
    let expected = is_bad.len();
    if expected == 0 {
        return Err(ValidationError::Empty);
    }
    if u32::try_from(expected).is_err() {
        return Err(ValidationError::TooManyRows { rows: expected, limit: u32::MAX as usize });
    }
    if pd.len() != expected {
        return Err(ValidationError::LengthMismatch { what: "predictions", expected, found: pd.len() });
    }
    if let Some((row, &value)) = pd.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        return Err(ValidationError::NotAProbability { row, value });
    }
    let Some(weight) = weight else { return Ok(()) };
    if weight.len() != expected {
        return Err(ValidationError::LengthMismatch { what: "weights", expected, found: weight.len() });
    }
    match weight.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w > 0.0)) {
        Some((row, &value)) => Err(ValidationError::NotAWeight { row, value }),
        None => Ok(()),
    }
}

/// Weight of goods and of bads in a sample.
#[must_use]
pub fn class_mass(ties: &[Tie]) -> (f64, f64) {
    ties.iter().fold((0.0, 0.0), |(good, bad), tie| (good + tie.good, bad + tie.bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_merge_and_order_does_not_matter() {
        let one = Ranked::new(&[true, false, true, true], &[0.2, 0.1, 0.2, 0.1]).unwrap();
        let other = Ranked::new(&[true, true, false, true], &[0.1, 0.2, 0.1, 0.2]).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.ties(), [Tie { pd: 0.1, good: 1.0, bad: 1.0 }, Tie { pd: 0.2, good: 0.0, bad: 2.0 }]);
        assert_eq!(one.cells().iter().map(|cell| cell.rows).collect::<Vec<_>>(), [1, 1, 2]);
        assert_eq!((one.rows(), one.bad_rows()), (4, 3));
    }

    #[test]
    fn negative_zero_is_zero() {
        assert_eq!(Ranked::new(&[true, false], &[0.0, -0.0]).unwrap().ties().len(), 1);
    }

    #[test]
    fn bad_input_is_refused_with_its_row() {
        assert_eq!(Ranked::new(&[], &[]), Err(ValidationError::Empty));
        assert_eq!(
            Ranked::new(&[true], &[0.1, 0.2]),
            Err(ValidationError::LengthMismatch { what: "predictions", expected: 1, found: 2 })
        );
        for value in [f64::INFINITY, f64::NEG_INFINITY, -0.01, 1.01] {
            let refused = Ranked::new(&[true, false], &[0.1, value]);
            assert_eq!(refused, Err(ValidationError::NotAProbability { row: 1, value }));
        }
        assert!(matches!(
            Ranked::new(&[true], &[f64::NAN]),
            Err(ValidationError::NotAProbability { row: 0, value }) if value.is_nan()
        ));
        for value in [0.0, -1.0, f64::INFINITY] {
            let refused = Ranked::weighted(&[true], &[0.1], &[value]);
            assert_eq!(refused, Err(ValidationError::NotAWeight { row: 0, value }));
        }
    }
}
