//! Quantile regression of receipts on a merchant's own levels, under bounds that make it fit to lend by.
//!
//! The pinball loss is brought down by a majorising quadratic (Hunter and Lange, 2000): each step is a least-squares problem with the weights
//! `1 ÷ (ε + |residual|)`. Its bounds are few, so that every set of them that may bind is tried, and the best feasible solution is the
//! optimum. linfa's least squares, whose last bits differ by processor, must agree with the last step's.

use linfa::prelude::*;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};
use rayon::prelude::*;

use super::history::LEVELS;
use crate::model::ModelError;
use crate::model::fit::Factor;

/// Columns: the constant, size, the levels but the first against the first, and how many days had receipts.
pub(super) const WIDTH: usize = 7;
/// Column of the merchant's size.
const SIZE: usize = 1;
/// Column of the quarter's level.
pub(super) const QUARTER_COLUMN: usize = 2;
/// Columns of levels.
const RATIOS: std::ops::Range<usize> = 2..1 + LEVELS;

/// One row's columns.
pub(super) type Row = [f64; WIDTH];
/// Coefficients of the columns.
pub(super) type Coefficients = [f64; WIDTH];

/// Rows of a regression.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub x: Vec<Row>,
    pub y: Vec<f64>,
}

/// What the fit adds up to for a row.
pub(super) fn fitted(coefficients: &Coefficients, row: &Row) -> f64 {
    coefficients.iter().zip(row).map(|(c, x)| c * x).sum()
}

/// Smooths the loss at 0, in logarithms: a hundredth is one per cent of the receipts.
const SMOOTH: f64 = 0.01;
const MOST_STEPS: usize = 200;
/// The fit has settled when no coefficient moves by more.
const SETTLED: f64 = 1e-6;
/// Rows whose sums are taken in one go.
const BLOCK: usize = 4_096;

/// What a larger merchant's quantile may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeEffect {
    /// At least the same share: the exponents of all levels add up to at least 1.
    AtLeastInProportion,
    /// A smaller share too.
    Free,
}

/// Fits one quantile. No level and no active day ever lowers it.
pub(super) fn fit(sample: &Sample, level: f64, size: SizeEffect, ridge: f64) -> Result<Coefficients, ModelError> {
    let mut coefficients = [0.0; WIDTH];
    let mut weights = vec![1.0; sample.x.len()];
    for step in 0..MOST_STEPS {
        // The first step is plain least squares.
        let tilt = if step == 0 { 0.0 } else { 2.0 * level - 1.0 };
        let normal = Normal::of(sample, &weights, tilt, ridge);
        let (found, kept) = normal.solve(size)?;
        let moved = found.iter().zip(&coefficients).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        coefficients = found;
        if (step > 0 && moved < SETTLED) || step + 1 == MOST_STEPS {
            confirm(sample, &weights, tilt, &normal, kept, &coefficients)?;
            break;
        }
        for (weight, (row, y)) in weights.iter_mut().zip(sample.x.iter().zip(&sample.y)) {
            *weight = 1.0 / (SMOOTH + (y - fitted(&coefficients, row)).abs());
        }
    }
    Ok(coefficients)
}

type Matrix = [[f64; WIDTH]; WIDTH];

/// `XᵀWX` and `XᵀWy + tilt × Xᵀ1`.
struct Normal {
    matrix: Matrix,
    right: Coefficients,
    ridge: f64,
}

/// Which columns are free; with `is_tight` the first level's own exponent is 0, and size follows from the other levels.
#[derive(Debug, Clone, Copy)]
struct FreeColumns {
    columns: [bool; WIDTH],
    is_tight: bool,
}

impl FreeColumns {
    fn free(self) -> Vec<usize> {
        (0..WIDTH).filter(|&c| self.columns.get(c) == Some(&true) && !(self.is_tight && c == SIZE)).collect()
    }

    /// What a free column moves: itself, and size with the levels where size follows.
    fn moves_size(self, column: usize) -> f64 {
        f64::from(u8::from(self.is_tight && RATIOS.contains(&column)))
    }
}

impl Normal {
    fn of(sample: &Sample, weights: &[f64], tilt: f64, ridge: f64) -> Self {
        let rows: Vec<usize> = (0..sample.x.len()).collect();
        let block = |rows: &[usize]| {
            let (mut matrix, mut right) = ([[0.0; WIDTH]; WIDTH], [0.0; WIDTH]);
            for &i in rows {
                let (Some(row), Some(y), Some(w)) = (sample.x.get(i), sample.y.get(i), weights.get(i)) else {
                    continue;
                };
                for ((a, line), slot) in row.iter().zip(&mut matrix).zip(&mut right) {
                    *slot += a * (w * y + tilt);
                    line.iter_mut().zip(row).for_each(|(cell, b)| *cell += w * a * b);
                }
            }
            (matrix, right)
        };
        // Blocks of fixed size, added up in their order: the same sums for any number of threads.
        let parts: Vec<(Matrix, Coefficients)> = rows.par_chunks(BLOCK).map(block).collect();
        let (mut matrix, mut right) = ([[0.0; WIDTH]; WIDTH], [0.0; WIDTH]);
        for (part, more) in &parts {
            matrix.iter_mut().flatten().zip(part.iter().flatten()).for_each(|(sum, m)| *sum += m);
            right.iter_mut().zip(more).for_each(|(sum, m)| *sum += m);
        }
        // So many rows of the mean weight; the constant is free.
        let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
        Self { matrix, right, ridge: ridge * mean }
    }

    fn cell(&self, i: usize, j: usize) -> f64 {
        let ridge = if i == j && i > 0 { self.ridge } else { 0.0 };
        self.matrix.get(i).and_then(|line| line.get(j)).copied().unwrap_or_default() + ridge
    }

    /// Half the squared error up to a constant.
    fn objective(&self, c: &Coefficients) -> f64 {
        let line = |i: usize| c.iter().enumerate().map(|(j, x)| self.cell(i, j) * x).sum::<f64>();
        c.iter().enumerate().map(|(i, x)| x * (0.5 * line(i) - self.right.get(i).copied().unwrap_or_default())).sum()
    }

    /// The least-squares solution with some columns at 0.
    fn with(&self, kept: FreeColumns) -> Option<Coefficients> {
        let free = kept.free();
        let n = free.len();
        // Where size follows from the levels: coefficients = M × free − (1 at size).
        let right_of = |column: usize| {
            let offset = if kept.is_tight { -1.0 } else { 0.0 };
            let plain = |c: usize| self.right.get(c).copied().unwrap_or_default() - offset * self.cell(c, SIZE);
            plain(column) + kept.moves_size(column) * plain(SIZE)
        };
        let mut matrix = vec![0.0; n * n];
        for (slot, (&i, &j)) in matrix.iter_mut().zip(free.iter().flat_map(|i| free.iter().map(move |j| (i, j)))) {
            let (si, sj) = (kept.moves_size(i), kept.moves_size(j));
            *slot =
                self.cell(i, j) + si * self.cell(SIZE, j) + sj * self.cell(i, SIZE) + si * sj * self.cell(SIZE, SIZE);
        }
        let mut solution: Vec<f64> = free.iter().map(|&c| right_of(c)).collect();
        Factor::new(&matrix, n)?.solve(&mut solution);
        let mut coefficients = [0.0; WIDTH];
        for (&column, value) in free.iter().zip(solution) {
            *coefficients.get_mut(column)? = value;
        }
        if kept.is_tight {
            *coefficients.get_mut(SIZE)? = coefficients.get(RATIOS)?.iter().sum::<f64>() - 1.0;
        }
        Some(coefficients)
    }

    /// The best solution within the bounds: every set of bounds that may bind is tried.
    fn solve(&self, size: SizeEffect) -> Result<(Coefficients, FreeColumns), ModelError> {
        let mut best: Option<(f64, Coefficients, FreeColumns)> = None;
        for mask in 0..1_u32 << (WIDTH - 1) {
            for is_tight in [false, true] {
                let mut columns = [true; WIDTH];
                for (bit, column) in columns.iter_mut().skip(1).enumerate() {
                    *column = mask >> bit & 1 == 1;
                }
                let kept = FreeColumns { columns, is_tight };
                let Some(found) = self.with(kept).filter(|c| is_allowed(c, size)) else { continue };
                let objective = self.objective(&found);
                if objective.is_finite() && best.as_ref().is_none_or(|(least, ..)| objective < *least) {
                    best = Some((objective, found, kept));
                }
            }
        }
        let why = "no coefficients of the ability model stay within their bounds".to_owned();
        best.map(|(_, found, kept)| (found, kept)).ok_or(ModelError::Solver { why })
    }
}

/// Whether no bound is broken. Rounding may leave a zero a little below 0: such a solution is refused, the one with the column out is not.
fn is_allowed(c: &Coefficients, effect: SizeEffect) -> bool {
    let size = c.get(SIZE).copied().unwrap_or_default();
    let ratios: f64 = c.get(RATIOS).unwrap_or_default().iter().sum();
    let others = c.iter().skip(2).all(|&x| x >= 0.0);
    others && (size >= 0.0 || effect == SizeEffect::Free) && 1.0 + size - ratios >= -1e-12
}

/// Relative lead of linfa's solution that stops a training: far above rounding.
const LEAD: f64 = 1e-6;

/// linfa's solution of the last step's problem must not be better. Weights enter as factors of the rows, the ridge as one extra row a column.
fn confirm(
    sample: &Sample,
    weights: &[f64],
    tilt: f64,
    normal: &Normal,
    kept: FreeColumns,
    ours: &Coefficients,
) -> Result<(), ModelError> {
    let free = kept.free();
    let rows = sample.x.len();
    let mut x = Array2::<f64>::zeros((rows + WIDTH - 1, free.len()));
    let mut y = Array1::<f64>::zeros(rows + WIDTH - 1);
    let offset = if kept.is_tight { -1.0 } else { 0.0 };
    let in_free = |row: &Row, column: usize| {
        let at = |c: usize| row.get(c).copied().unwrap_or_default();
        at(column) + kept.moves_size(column) * at(SIZE)
    };
    let data = sample.x.iter().zip(&sample.y).zip(weights).map(|((row, y), w)| (*row, y + tilt / w, w.sqrt()));
    let ridge = (1..WIDTH).map(|column| {
        let mut row = [0.0; WIDTH];
        if let Some(slot) = row.get_mut(column) {
            *slot = 1.0;
        }
        (row, 0.0, normal.ridge.sqrt())
    });
    for ((mut line, slot), (row, target, root)) in x.rows_mut().into_iter().zip(y.iter_mut()).zip(data.chain(ridge)) {
        *slot = root * (target - offset * row.get(SIZE).copied().unwrap_or_default());
        line.iter_mut().zip(&free).for_each(|(cell, &column)| *cell = root * in_free(&row, column));
    }
    let fitted = LinearRegression::new()
        .with_intercept(false)
        .fit(&Dataset::new(x, y))
        .map_err(|e| ModelError::Solver { why: format!("linfa's linear regression: {e}") })?;
    let mut theirs = [0.0; WIDTH];
    for (&column, value) in free.iter().zip(fitted.params()) {
        if let Some(slot) = theirs.get_mut(column) {
            *slot = *value;
        }
    }
    if kept.is_tight {
        let ratios: f64 = theirs.get(RATIOS).unwrap_or_default().iter().sum();
        if let Some(slot) = theirs.get_mut(SIZE) {
            *slot = ratios - 1.0;
        }
    }
    let (least, found) = (normal.objective(ours), normal.objective(&theirs));
    if found < least - LEAD * least.abs() {
        let why = format!("linfa's linear regression reached {found}, below our optimum of {least}");
        return Err(ModelError::Solver { why });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// `y = 0.3 + 0.2 × size + 0.5 × ratio₁ + spread × noise` with uniform noise on (0, 1): the `level` quantile is known.
    fn sample(rows: usize, slope: f64, spread: f64) -> Sample {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut sample = Sample::default();
        for _ in 0..rows {
            let size = rng.random::<f64>() * 6.0 - 3.0;
            let ratio = rng.random::<f64>() * 2.0 - 1.0;
            sample.x.push([1.0, size, ratio, rng.random(), 0.0, 0.0, 0.0]);
            sample.y.push(0.3 + 0.2 * size + slope * ratio + spread * rng.random::<f64>());
        }
        sample
    }

    #[test]
    fn quantiles_are_found() {
        let sample = sample(4_000, 0.5, 1.0);
        for level in [0.1, 0.5, 0.9] {
            let found = fit(&sample, level, SizeEffect::AtLeastInProportion, 1.0).unwrap();
            assert!((found[0] - 0.3 - level).abs() < 0.05, "{level}: {found:?}");
            assert!((found[1] - 0.2).abs() < 0.02 && (found[2] - 0.5).abs() < 0.04, "{level}: {found:?}");
            let below = sample.x.iter().zip(&sample.y).filter(|(x, y)| **y < fitted(&found, x)).count();
            assert!((below as f64 / 4_000.0 - level).abs() < 0.02, "{level}: {below}");
        }
    }

    #[test]
    fn bounds_hold_where_the_data_say_otherwise() {
        let mut falling = sample(1_000, -0.7, 0.1);
        falling.y.iter_mut().zip(&falling.x).for_each(|(y, x)| *y -= 0.6 * x[1]);
        let bounded = fit(&falling, 0.1, SizeEffect::AtLeastInProportion, 1.0).unwrap();
        assert!(bounded[1] >= 0.0 && bounded[2..].iter().all(|c| *c >= 0.0), "{bounded:?}");
        let free = fit(&falling, 0.5, SizeEffect::Free, 1.0).unwrap();
        assert!((free[1] + 0.4).abs() < 0.05, "{free:?}");
        // Levels may not outweigh 1 + size.
        let steep = fit(&sample(1_000, 1.9, 0.1), 0.1, SizeEffect::AtLeastInProportion, 1.0).unwrap();
        assert!(1.0 + steep[1] - steep[2..6].iter().sum::<f64>() >= -1e-9, "{steep:?}");
    }
}
