//! Standard errors at the penalised optimum.
//!
//! The covariance of the estimates is the sandwich `H⁻¹ J H⁻¹`: `H` is the second derivative of likelihood *and penalty*, `J` the
//! spread of the rows' scores (of their sums over clusters, where rows belong together). It says how far the penalised estimates
//! would move on another sample of the same size. What the penalty holds back (its bias), and what cutting, selecting and choosing the
//! strength did before, it does not say: intervals cover the penalised target, given bins and strength.
//!
//! Source: White (1982), Econometrica 50, 1–25; Liang & Zeger (1986), Biometrika 73, 13–22 for clusters.

use super::cholesky::Factor;
use super::penalised::Solver;
use super::penalty::Penalty;
use super::problem::Problem;
use crate::domain::elementary::sigmoid;
use crate::model::ModelError;

/// What the scores of rows are summed over before their spread is taken.
#[derive(Debug, Clone, Copy)]
pub struct Sampling<'a> {
    /// Cluster of each row; `None` takes rows as independent.
    pub clusters: Option<&'a [u64]>,
    /// Rows of the whole that each row stands for, beyond its own weight.
    pub stands_for: f64,
}

/// Covariance of estimates: of merged parameters, asked for by contrasts of all.
#[derive(Debug, Clone)]
pub struct Covariance {
    groups: Vec<usize>,
    merged: usize,
    matrix: Vec<f64>,
}

impl Covariance {
    /// The sandwich at `theta`; parameters of one number in `groups` are held equal.
    ///
    /// # Errors
    /// The penalised second derivative is not positive definite.
    pub fn sandwich(
        problem: &Problem,
        groups: &[usize],
        penalty: &Penalty,
        theta: &[f64],
        sampling: Sampling<'_>,
    ) -> Result<Self, ModelError> {
        let mut solver = Solver::new(problem);
        solver.hold(groups.to_vec());
        let (bread, q) = solver.information(theta, penalty);
        let factor = Factor::new(&bread, q).ok_or_else(|| ModelError::Solver {
            why: format!("the curvature of {q} parameters is not positive definite"),
        })?;
        let scores: Vec<f64> = problem
            .log_odds(theta)
            .iter()
            .zip(&problem.good)
            .enumerate()
            .map(|(i, (&x, &y))| {
                let weight = problem.weights.as_ref().and_then(|w| w.get(i)).copied().unwrap_or(1.0);
                weight / sampling.stands_for * (y - sigmoid(x))
            })
            .collect();
        let spread = match sampling.clusters {
            Some(clusters) => clustered(problem, groups, q, &scores, clusters),
            None => independent(problem, groups, q, &scores),
        };
        let meat: Vec<f64> = spread.iter().map(|v| v * sampling.stands_for).collect();
        let half = solved(&factor, &meat, q);
        Ok(Self { groups: groups.to_vec(), merged: q, matrix: solved(&factor, &half, q) })
    }

    /// Standard error of Σ contrast × parameter, over all parameters in order, the intercept last.
    #[must_use]
    pub fn error(&self, contrast: &[f64]) -> f64 {
        let mut merged = vec![0.0; self.merged];
        for (&g, &c) in self.groups.iter().zip(contrast) {
            if let Some(m) = merged.get_mut(g) {
                *m += c;
            }
        }
        let rows = self.matrix.chunks(self.merged.max(1)).zip(&merged).filter(|(_, c)| **c != 0.0);
        let variance: f64 = rows.map(|(row, c)| c * row.iter().zip(&merged).map(|(v, d)| v * d).sum::<f64>()).sum();
        // Which zero the larger of two is, is up to the processor.
        variance.max(0.0).sqrt() + 0.0
    }
}

/// `(A⁻¹ B)ᵀ` for square `B`; applied twice to symmetric `B` it gives `A⁻¹ B A⁻¹`.
fn solved(factor: &Factor, matrix: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    for (j, row) in out.chunks_mut(n.max(1)).enumerate() {
        for (i, slot) in row.iter_mut().enumerate() {
            *slot = matrix.get(i * n + j).copied().unwrap_or_default();
        }
        factor.solve(row);
    }
    out
}

/// Σ s sᵀ over rows, less what their mean contributes.
fn independent(problem: &Problem, groups: &[usize], q: usize, scores: &[f64]) -> Vec<f64> {
    let squares: Vec<f64> = scores.iter().map(|s| s * s).collect();
    let full = problem.cross(&squares);
    let mut spread = vec![0.0; q * q];
    for (row, &gi) in full.chunks(groups.len().max(1)).zip(groups) {
        for (&value, &gj) in row.iter().zip(groups) {
            add(&mut spread, gi * q + gj, value);
        }
    }
    centre(&mut spread, problem, groups, q, scores, scores.len());
    spread
}

/// The same over clusters of rows.
fn clustered(problem: &Problem, groups: &[usize], q: usize, scores: &[f64], clusters: &[u64]) -> Vec<f64> {
    let offsets = problem.codes.offsets();
    let cluster = |row: usize| clusters.get(row).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by_key(|&row| (cluster(row), row));
    let mut spread = vec![0.0; q * q];
    let mut sums = vec![0.0; q];
    let mut count = 0;
    for rows in order.chunk_by(|&a, &b| cluster(a) == cluster(b)) {
        let mut touched = Vec::new();
        for &row in rows {
            let score = scores.get(row).copied().unwrap_or_default();
            let codes = problem.codes.columns.iter().zip(&offsets);
            let parameters = codes.map(|(c, offset)| offset + usize::from(c.get(row).copied().unwrap_or_default()));
            for parameter in parameters.chain(groups.len().checked_sub(1)) {
                let merged = groups.get(parameter).copied().unwrap_or_default();
                add(&mut sums, merged, score);
                touched.push(merged);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for &i in &touched {
            let own = sums.get(i).copied().unwrap_or_default();
            for &j in &touched {
                add(&mut spread, i * q + j, own * sums.get(j).copied().unwrap_or_default());
            }
        }
        for &i in &touched {
            if let Some(s) = sums.get_mut(i) {
                *s = 0.0;
            }
        }
        count += 1;
    }
    centre(&mut spread, problem, groups, q, scores, count);
    spread
}

/// At a penalised optimum scores do not sum to 0.
fn centre(spread: &mut [f64], problem: &Problem, groups: &[usize], q: usize, scores: &[f64], count: usize) {
    let mut total = vec![0.0; q];
    for (&g, &v) in groups.iter().zip(&problem.gather(scores)) {
        add(&mut total, g, v);
    }
    for (i, a) in total.iter().enumerate() {
        for (j, b) in total.iter().enumerate() {
            add(spread, i * q + j, -a * b / count.max(1) as f64);
        }
    }
}

fn add(values: &mut [f64], at: usize, value: f64) {
    if let Some(slot) = values.get_mut(at) {
        *slot += value;
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::elementary::ln;
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::model::fit::{Codes, Strength};

    const ROWS: Sampling<'_> = Sampling { clusters: None, stands_for: 1.0 };

    fn problem(columns: Vec<Vec<u8>>, widths: Vec<usize>, good: Vec<f64>) -> Problem {
        Problem { codes: Codes { columns, widths }, good, weights: None, offset: None }
    }

    fn penalty(widths: &[usize], size: f64) -> Penalty {
        let strength = Strength { deviation: size, slope: size, smooth: 0.0 };
        let woe = |k: usize| (0..k).map(|i| i as f64 - 0.5).collect::<Vec<_>>();
        Penalty { blocks: widths.iter().map(|&k| Penalty::variable(&woe(k), 0, strength)).collect() }
    }

    fn fitted(problem: &Problem, penalty: &Penalty) -> Vec<f64> {
        let start = vec![0.0; problem.codes.parameters() + 1];
        Solver::new(problem).solve(&start, penalty, 1e-12).unwrap().theta
    }

    fn free(problem: &Problem) -> Vec<usize> {
        (0..=problem.codes.parameters()).collect()
    }

    #[test]
    fn one_variable_of_two_bins_has_the_closed_form() {
        // 2 × 2 table: the log odds ratio's variance is the sum of the reciprocal counts.
        let cells = [(0_u8, 1.0, 40), (0, 0.0, 10), (1, 1.0, 25), (1, 0.0, 30)];
        let expand = |f: &dyn Fn(&(u8, f64, usize)) -> f64| -> Vec<f64> {
            cells.iter().flat_map(|c| std::iter::repeat_n(f(c), c.2)).collect()
        };
        let codes = cells.iter().flat_map(|c| std::iter::repeat_n(c.0, c.2)).collect();
        let problem = problem(vec![codes], vec![2], expand(&|c| c.1));
        let penalty = penalty(&[2], 1e-4);
        let theta = fitted(&problem, &penalty);
        let ratio = ln(40.0 * 30.0 / (10.0 * 25.0_f64));
        assert!((theta[0] - theta[1] - ratio).abs() < 1e-3);
        let made = Covariance::sandwich(&problem, &free(&problem), &penalty, &theta, ROWS).unwrap();
        let variance: f64 = [40.0, 10.0, 25.0, 30.0].iter().map(|n| 1.0 / n).sum();
        assert!((made.error(&[1.0, -1.0, 0.0]) - variance.sqrt()).abs() < 1e-4, "{}", made.error(&[1.0, -1.0, 0.0]));
        // Held equal, nothing can differ.
        let held = Covariance::sandwich(&problem, &[0, 0, 1], &penalty, &theta, ROWS).unwrap();
        assert!(held.error(&[1.0, -1.0, 0.0]).abs() < 1e-12);
    }

    fn drawn(rng: &mut ChaCha8Rng, rows: usize, values: &[[f64; 3]; 2]) -> Problem {
        let mut draw = || -> Vec<u8> { (0..rows).map(|_| rng.random_range(0..3)).collect() };
        let columns = vec![draw(), draw()];
        let good = (0..rows).map(|i| {
            let x: f64 = columns.iter().zip(values).map(|(c, v)| v[usize::from(c[i])]).sum();
            f64::from(u8::from(rng.random::<f64>() < sigmoid(1.0 + x)))
        });
        let good = good.collect();
        problem(columns, vec![3, 3], good)
    }

    /// The specification: dense rows, one by one.
    fn naive(problem: &Problem, penalty: &Penalty, theta: &[f64], contrast: &[f64]) -> f64 {
        let (n, offsets) = (theta.len(), problem.codes.offsets());
        let mut bread = vec![0.0; n * n];
        let (mut meat, mut total) = (vec![0.0; n * n], vec![0.0; n]);
        for row in 0..problem.rows() {
            let mut x = vec![0.0; n];
            for (c, o) in problem.codes.columns.iter().zip(&offsets) {
                x[o + usize::from(c[row])] = 1.0;
            }
            x[n - 1] = 1.0;
            let p = sigmoid(x.iter().zip(theta).map(|(a, b)| a * b).sum());
            let s = problem.good[row] - p;
            for i in 0..n {
                total[i] += s * x[i];
                for j in 0..n {
                    bread[i * n + j] += p * (1.0 - p) * x[i] * x[j];
                    meat[i * n + j] += s * s * x[i] * x[j];
                }
            }
        }
        let mut unit = vec![0.0; n];
        for j in 0..n {
            unit.fill(0.0);
            unit[j] = 1.0;
            for (i, v) in penalty.times(&unit).iter().enumerate() {
                bread[i * n + j] += v;
            }
        }
        let mut pull = contrast.to_vec();
        Factor::new(&bread, n).unwrap().solve(&mut pull);
        let rows = problem.rows() as f64;
        let value: f64 = (0..n)
            .flat_map(|i| (0..n).map(move |j| (i, j)))
            .map(|(i, j)| pull[i] * pull[j] * (meat[i * n + j] - total[i] * total[j] / rows))
            .sum();
        value.sqrt()
    }

    #[test]
    fn the_sandwich_is_what_its_definition_says() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for size in [0.01, 5.0, 200.0] {
            let problem = drawn(&mut rng, 300, &[[0.5, 0.0, -0.5], [-1.0, 0.0, 1.0]]);
            let penalty = penalty(&[3, 3], size);
            let theta = fitted(&problem, &penalty);
            let contrast = [1.0, -0.4, -0.6, 0.2, -0.2, 0.0, 0.0];
            let expected = naive(&problem, &penalty, &theta, &contrast);
            let free = free(&problem);
            let made = |sampling| Covariance::sandwich(&problem, &free, &penalty, &theta, sampling).unwrap();
            assert!((made(ROWS).error(&contrast) / expected - 1.0).abs() < 1e-6);
            // Clusters of one row each are rows.
            let alone: Vec<u64> = (0..300).map(|i| i * 7 % 300).collect();
            let single = made(Sampling { clusters: Some(&alone), stands_for: 1.0 });
            assert!((single.error(&contrast) / expected - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn rows_given_twice_are_no_news_to_clusters() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let once = drawn(&mut rng, 400, &[[0.5, 0.0, -0.5], [-1.0, 0.0, 1.0]]);
        let twice = |v: &[f64]| v.iter().chain(v).copied().collect::<Vec<_>>();
        let columns = once.codes.columns.iter().map(|c| c.iter().chain(c).copied().collect()).collect();
        let both = problem(columns, vec![3, 3], twice(&once.good));
        let contrast = [1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let (small, double) = (penalty(&[3, 3], 0.01), penalty(&[3, 3], 0.02));
        let theta = fitted(&once, &small);
        let alone = Covariance::sandwich(&once, &free(&once), &small, &theta, ROWS).unwrap().error(&contrast);
        let clusters: Vec<u64> = (0..400).chain(0..400).collect();
        let sampling = Sampling { clusters: Some(&clusters), stands_for: 1.0 };
        let clustered = Covariance::sandwich(&both, &free(&both), &double, &theta, sampling).unwrap().error(&contrast);
        assert!((clustered / alone - 1.0).abs() < 1e-9);
        // Every row standing for two gives the error of twice the rows.
        let mut weighted = once.clone();
        weighted.weights = Some(vec![2.0; 400]);
        let sampling = Sampling { clusters: None, stands_for: 2.0 };
        let thinned =
            Covariance::sandwich(&weighted, &free(&once), &double, &theta, sampling).unwrap().error(&contrast);
        assert!((thinned * 2.0_f64.sqrt() / alone - 1.0).abs() < 1e-9);
    }

    #[test]
    fn intervals_cover_as_often_as_they_say_where_the_penalty_is_small() {
        let values = [[0.8, 0.0, -0.6], [-0.5, 0.2, 0.5]];
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut covered, runs) = (0, 400);
        for _ in 0..runs {
            let problem = drawn(&mut rng, 600, &values);
            let penalty = penalty(&[3, 3], 0.05);
            let theta = fitted(&problem, &penalty);
            let made = Covariance::sandwich(&problem, &free(&problem), &penalty, &theta, ROWS).unwrap();
            let half = 1.96 * made.error(&[1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0]);
            covered += u32::from((theta[0] - theta[2] - 1.4).abs() <= half);
        }
        // Binomial error of the share: 0.011.
        let share = f64::from(covered) / f64::from(runs);
        assert!((share - 0.95).abs() < 0.03, "{share}");
    }
}
