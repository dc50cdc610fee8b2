//! Rows as bin codes, and the sums over rows that fitting needs. Every sum runs in a fixed order, whatever the thread count.

use rayon::prelude::*;

/// Bin codes of the terms of a model, column by column.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    /// One column a term, one byte a row.
    pub columns: Vec<Vec<u8>>,
    /// Number of codes of each term.
    pub widths: Vec<usize>,
}

impl Codes {
    /// The rows given, in that order.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Self {
        let pick = |c: &Vec<u8>| rows.iter().map(|&r| c.get(r as usize).copied().unwrap_or_default()).collect();
        Self { columns: self.columns.par_iter().map(pick).collect(), widths: self.widths.clone() }
    }

    /// First parameter of each term; the intercept stands after all of them.
    #[must_use]
    pub fn offsets(&self) -> Vec<usize> {
        self.widths
            .iter()
            .scan(0, |sum, w| {
                let here = *sum;
                *sum += w;
                Some(here)
            })
            .collect()
    }

    /// Number of parameters without the intercept.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.widths.iter().sum()
    }
}

/// A fitting problem: log odds of *good* are the intercept plus one value a term.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Codes.
    pub codes: Codes,
    /// 1 for good, 0 for bad.
    pub good: Vec<f64>,
    /// Row weights, if any.
    pub weights: Option<Vec<f64>>,
    /// Log odds that each row has beside the terms, if any. linfa knows none.
    pub offset: Option<Vec<f64>>,
}

const BLOCK: usize = 8_192;

impl Problem {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.good.len()
    }

    /// Log odds of good for every row.
    #[must_use]
    pub fn log_odds(&self, theta: &[f64]) -> Vec<f64> {
        let offsets = self.codes.offsets();
        let intercept = theta.last().copied().unwrap_or_default();
        let mut out = match &self.offset {
            Some(offset) => offset.iter().map(|o| o + intercept).collect(),
            None => vec![intercept; self.rows()],
        };
        out.par_chunks_mut(BLOCK).enumerate().for_each(|(block, out)| {
            let start = block * BLOCK;
            for (column, &offset) in self.codes.columns.iter().zip(&offsets) {
                let values = theta.get(offset..).unwrap_or_default();
                let codes = column.get(start..start + out.len()).unwrap_or_default();
                for (o, &code) in out.iter_mut().zip(codes) {
                    *o += values.get(usize::from(code)).copied().unwrap_or_default();
                }
            }
        });
        out
    }

    /// Σ of a value per row into the parameters of each term, and over all rows into the last place.
    #[must_use]
    pub fn gather(&self, per_row: &[f64]) -> Vec<f64> {
        let mut out: Vec<f64> = self
            .codes
            .columns
            .par_iter()
            .zip(&self.codes.widths)
            .map(|(column, &width)| {
                let mut sums = vec![0.0; width];
                for (&code, &value) in column.iter().zip(per_row) {
                    if let Some(s) = sums.get_mut(usize::from(code)) {
                        *s += value;
                    }
                }
                sums
            })
            .flatten_iter()
            .collect();
        out.push(per_row.iter().sum());
        out
    }

    /// Σ of weight × indicator × indicator over rows: the square matrix of all parameters and the intercept, row-major.
    #[must_use]
    pub fn cross(&self, per_row: &[f64]) -> Vec<f64> {
        let n = self.codes.parameters() + 1;
        let offsets = self.codes.offsets();
        let terms = self.codes.columns.len();
        let mut matrix = vec![0.0; n * n];
        let pairs: Vec<(usize, usize)> = (0..terms).flat_map(|a| (a + 1..terms).map(move |b| (a, b))).collect();
        let blocks: Vec<Vec<f64>> = pairs.par_iter().map(|&(a, b)| self.pair(a, b, per_row)).collect();
        for (&(a, b), block) in pairs.iter().zip(&blocks) {
            let (Some(&oa), Some(&ob), Some(&wb)) = (offsets.get(a), offsets.get(b), self.codes.widths.get(b)) else {
                continue;
            };
            for (i, row) in block.chunks(wb.max(1)).enumerate() {
                for (j, &value) in row.iter().enumerate() {
                    if let Some(m) = matrix.get_mut((oa + i) * n + ob + j) {
                        *m = value;
                    }
                    if let Some(m) = matrix.get_mut((ob + j) * n + oa + i) {
                        *m = value;
                    }
                }
            }
        }
        for (i, &value) in self.gather(per_row).iter().enumerate() {
            for at in [i * n + i, i * n + n - 1, (n - 1) * n + i] {
                if let Some(m) = matrix.get_mut(at) {
                    *m = value;
                }
            }
        }
        matrix
    }

    fn pair(&self, a: usize, b: usize, per_row: &[f64]) -> Vec<f64> {
        let empty = Vec::new();
        let (ca, cb) = (self.codes.columns.get(a).unwrap_or(&empty), self.codes.columns.get(b).unwrap_or(&empty));
        let wa = self.codes.widths.get(a).copied().unwrap_or(0);
        let wb = self.codes.widths.get(b).copied().unwrap_or(0);
        let mut block = vec![0.0; wa * wb];
        for ((&x, &y), &value) in ca.iter().zip(cb).zip(per_row) {
            if let Some(m) = block.get_mut(usize::from(x) * wb + usize::from(y)) {
                *m += value;
            }
        }
        block
    }
}
