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
        let terms: Vec<(&[u8], usize)> =
            self.codes.columns.iter().map(Vec::as_slice).zip(self.codes.widths.iter().copied()).collect();
        let mut out: Vec<f64> =
            terms.par_chunks(SIDE_BY_SIDE).flat_map_iter(|some| sums_by_code(some, per_row)).flatten_iter().collect();
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
        let some = |a: usize| {
            let others: Vec<usize> = (a + 1..terms).collect();
            others.chunks(SIDE_BY_SIDE).map(|some| (a, some.to_vec())).collect::<Vec<_>>()
        };
        let pairs: Vec<(usize, Vec<usize>)> = (0..terms).flat_map(some).collect();
        let blocks: Vec<Vec<f64>> = pairs.par_iter().flat_map_iter(|(a, some)| self.pairs(*a, some, per_row)).collect();
        let pairs = pairs.iter().flat_map(|(a, some)| some.iter().map(move |b| (*a, *b)));
        for ((a, b), block) in pairs.zip(&blocks) {
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

    /// The blocks of one term beside some others.
    fn pairs(&self, a: usize, others: &[usize], per_row: &[f64]) -> Vec<Vec<f64>> {
        let term = |at: usize| {
            let codes = self.codes.columns.get(at).map(Vec::as_slice).unwrap_or_default();
            (codes, self.codes.widths.get(at).copied().unwrap_or(0))
        };
        let (ours, width) = term(a);
        let mut sums: Vec<Vec<f64>> = others.iter().map(|&b| vec![0.0; width * term(b).1]).collect();
        if let ([b, c, d, e], [of_b, of_c, of_d, of_e]) = (others, &mut sums[..]) {
            let [(b, wb), (c, wc), (d, wd), (e, we)] = [*b, *c, *d, *e].map(term);
            let theirs = b.iter().zip(c).zip(d).zip(e);
            for ((&x, (((&b, &c), &d), &e)), &value) in ours.iter().zip(theirs).zip(per_row) {
                let x = usize::from(x);
                add(of_b, x * wb + usize::from(b), value);
                add(of_c, x * wc + usize::from(c), value);
                add(of_d, x * wd + usize::from(d), value);
                add(of_e, x * we + usize::from(e), value);
            }
        } else {
            for (&b, sums) in others.iter().zip(&mut sums) {
                let (theirs, width) = term(b);
                for ((&x, &y), &value) in ours.iter().zip(theirs).zip(per_row) {
                    add(sums, usize::from(x) * width + usize::from(y), value);
                }
            }
        }
        sums
    }
}

/// Terms that are summed up side by side. Rows of one code come one after another, and each addition waits for the one before into the same place: those of
/// other terms fill the time. Into each place values are added in row order all the same.
const SIDE_BY_SIDE: usize = 4;

/// Sums by code of some terms, each with its number of codes.
fn sums_by_code(terms: &[(&[u8], usize)], per_row: &[f64]) -> Vec<Vec<f64>> {
    let mut sums: Vec<Vec<f64>> = terms.iter().map(|(_, width)| vec![0.0; *width]).collect();
    if let ([(a, _), (b, _), (c, _), (d, _)], [of_a, of_b, of_c, of_d]) = (terms, &mut sums[..]) {
        let codes = a.iter().zip(*b).zip(*c).zip(*d);
        for ((((&a, &b), &c), &d), &value) in codes.zip(per_row) {
            add(of_a, usize::from(a), value);
            add(of_b, usize::from(b), value);
            add(of_c, usize::from(c), value);
            add(of_d, usize::from(d), value);
        }
    } else {
        for ((codes, _), sums) in terms.iter().zip(&mut sums) {
            for (&code, &value) in codes.iter().zip(per_row) {
                add(sums, usize::from(code), value);
            }
        }
    }
    sums
}

fn add(sums: &mut [f64], at: usize, value: f64) {
    if let Some(sum) = sums.get_mut(at) {
        *sum += value;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each place is summed in row order, to the last bit, whatever stands beside it.
        #[test]
        fn sums_are_those_of_each_place_alone(
            rows in prop::collection::vec((prop::collection::vec(0_u8..5, 11), -3.0_f64..3.0), 0..60),
            terms in 0_usize..11,
        ) {
            let column = |term: usize| rows.iter().map(|(codes, _)| codes[term]).collect();
            let codes = Codes { columns: (0..terms).map(column).collect(), widths: vec![5; terms] };
            let values: Vec<f64> = rows.iter().map(|(_, value)| *value).collect();
            let problem = Problem { codes, good: vec![1.0; rows.len()], weights: None, offset: None };
            let n = 5 * terms + 1;
            // Whether a row counts for a parameter; for the intercept every row does.
            let counts = |row: usize, at: usize| at == n - 1 || usize::from(rows[row].0[at / 5]) == at % 5;
            let sum = |a: usize, b: usize| -> f64 {
                (0..rows.len()).filter(|&row| counts(row, a) && counts(row, b)).map(|row| values[row]).sum()
            };
            // No rows sum up to −0 here and to 0 there.
            let bits = |value: f64| (value + 0.0).to_bits();
            let gathered = problem.gather(&values);
            prop_assert_eq!(gathered.len(), n);
            for (at, value) in gathered.iter().enumerate() {
                prop_assert_eq!(bits(*value), bits(sum(at, at)));
            }
            let cross = problem.cross(&values);
            for a in 0..n {
                for b in 0..n {
                    prop_assert_eq!(bits(cross[a * n + b]), bits(sum(a, b)), "{} {}", a, b);
                }
            }
        }
    }
}
