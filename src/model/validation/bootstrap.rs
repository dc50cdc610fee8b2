//! Bootstrap intervals: how far each figure would move on another sample of the same size.
//!
//! Each replicate draws as many rows as there are, with replacement, and recomputes every figure in one pass over the sorted ties: no
//! sorting again, O(rows) a replicate. Where many rows are identical (a scorecard has few distinct PDs), the counts of the cells are drawn
//! as one multinomial, by conditional binomials, and a replicate costs O(cells). Intervals are percentiles of the
//! replicates (Efron & Tibshirani 1993, chapter 13).
//!
//! The calibration line is not refitted: one Newton step from the full sample's fit, which is as good to first order (Shorack 1982; Moulton &
//! Zeger 1991, Computational Statistics & Data Analysis 11).
//!
//! Replicate r uses stream r of one `ChaCha8` generator, so the figures do not depend on the number of threads. Replicates with only one
//! outcome class are left out and counted; with fewer than half usable there is no interval.

use rand::SeedableRng;
use rand::distr::{Distribution, Uniform};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::auc::{auc, gini_of_auc};
use super::calibration_line::{CalibrationLine, Normal, clamped_logit};
use super::error::Undefined;
use super::h_measure::h_measure;
use super::ks::ks;
use super::log_loss::{loss_of_bad, loss_of_good};
use super::precision_recall::average_precision;
use super::ranked::{Cell, Ranked, Tie};
use crate::domain::elementary::sigmoid;
use crate::domain::sampling::binomial;

/// Percentile intervals of the headline figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapIntervals {
    /// Replicates drawn.
    pub replicates: u32,
    /// Replicates that held both classes.
    pub usable: u32,
    /// Area under the ROC curve.
    pub auc: [f64; 2],
    /// Gini.
    pub gini: [f64; 2],
    /// Kolmogorov–Smirnov. Biased upwards, as the statistic is: a maximum only gains from noise.
    pub ks: [f64; 2],
    /// H-measure. Biased upwards for the same reason: it is taken under the convex hull.
    pub h_measure: [f64; 2],
    /// Area under the precision–recall curve.
    pub average_precision: [f64; 2],
    /// Brier score.
    pub brier: [f64; 2],
    /// Log loss.
    pub log_loss: [f64; 2],
    /// Slope and intercept of the calibration line, where there is one.
    pub calibration: Option<CalibrationIntervals>,
}

/// Percentile intervals of the calibration line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationIntervals {
    /// Slope.
    pub slope: [f64; 2],
    /// Intercept.
    pub intercept: [f64; 2],
}

/// Fewest replicates worth quoting a percentile of, whatever the size of the sample.
const LEAST_REPLICATES: u32 = 200;
/// Draws (of rows or cells) after which further replicates are not worth their time.
const DRAW_BUDGET: u64 = 200_000_000;
/// Drawing a cell's binomial count costs about as much as drawing this many rows.
const ROWS_PER_BINOMIAL: u64 = 12;

/// Draws replicates and takes percentiles. `line` is the calibration line of the full sample, where it exists.
///
/// # Errors
/// [`Undefined::SingleClass`], or [`Undefined::TooFewResamples`] when fewer than half of the replicates held both classes.
pub fn bootstrap(
    ranked: &Ranked,
    line: Option<&CalibrationLine>,
    replicates: u32,
    seed: u64,
    confidence: f64,
) -> Result<BootstrapIntervals, Undefined> {
    if ranked.bad_rows() == 0 || ranked.bad_rows() == ranked.rows() {
        return Err(Undefined::SingleClass);
    }
    let draws = Draws::new(ranked);
    let replicates = affordable(replicates, draws.cost());
    let losses: Vec<(f64, f64)> = ranked.ties().iter().map(|t| (loss_of_good(t.pd), loss_of_bad(t.pd))).collect();
    let odds: Vec<(f64, f64)> = line.map_or_else(Vec::new, |line| {
        let at = |t: &Tie| (clamped_logit(t.pd), sigmoid(line.intercept + line.slope * clamped_logit(t.pd)));
        ranked.ties().iter().map(at).collect()
    });

    let drawn: Vec<Option<Figures>> = (0..replicates)
        .into_par_iter()
        .map_init(
            || (vec![0_u32; ranked.cells().len()], ranked.ties().to_vec()),
            |(counts, ties), replicate| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(u64::from(replicate));
                draws.fill(counts, &mut rng);
                tally(ranked.cells(), counts, ties);
                figures(ties, &losses, line.map(|line| (line, odds.as_slice())))
            },
        )
        .collect();

    let held: Vec<Figures> = drawn.into_iter().flatten().collect();
    let usable = u32::try_from(held.len()).unwrap_or(u32::MAX);
    if usable < 10 || usable < replicates / 2 {
        return Err(Undefined::TooFewResamples);
    }
    let interval = |figure: fn(&Figures) -> f64| percentiles(held.iter().map(figure).collect(), confidence);
    let lines: Vec<(f64, f64)> = held.iter().filter_map(|f| f.line).collect();
    let calibration = (line.is_some() && lines.len() * 2 >= held.len()).then(|| CalibrationIntervals {
        intercept: percentiles(lines.iter().map(|l| l.0).collect(), confidence),
        slope: percentiles(lines.iter().map(|l| l.1).collect(), confidence),
    });
    Ok(BootstrapIntervals {
        replicates,
        usable,
        auc: interval(|f| f.auc),
        gini: interval(|f| gini_of_auc(f.auc)),
        ks: interval(|f| f.ks),
        h_measure: interval(|f| f.h_measure),
        average_precision: interval(|f| f.average_precision),
        brier: interval(|f| f.brier),
        log_loss: interval(|f| f.log_loss),
        calibration,
    })
}

fn affordable(wanted: u32, cost: u64) -> u32 {
    let within_budget = u32::try_from(DRAW_BUDGET / cost.max(1)).unwrap_or(u32::MAX);
    wanted.min(within_budget.max(LEAST_REPLICATES))
}

/// How a replicate's row counts are drawn.
enum Draws {
    /// Row by row: the cell of each row, and the uniform index.
    Rows(Vec<u32>, Uniform<u32>),
    /// Cell by cell: rows of each cell, and of all.
    Cells(Vec<u64>, u64),
}

impl Draws {
    fn new(ranked: &Ranked) -> Self {
        let by_cell = || Self::Cells(ranked.cells().iter().map(|cell| cell.rows).collect(), ranked.rows());
        let cells = ranked.cells().len() as u64;
        let rows = u32::try_from(ranked.rows()).ok().and_then(|rows| Uniform::new(0, rows).ok());
        match rows {
            Some(uniform) if cells.saturating_mul(ROWS_PER_BINOMIAL) > ranked.rows() => {
                let cell_of_row =
                    ranked.cells().iter().zip(0_u32..).flat_map(|(cell, i)| (0..cell.rows).map(move |_| i)).collect();
                Self::Rows(cell_of_row, uniform)
            }
            _ => by_cell(),
        }
    }

    fn cost(&self) -> u64 {
        match self {
            Self::Rows(rows, _) => rows.len() as u64,
            Self::Cells(cells, _) => cells.len() as u64 * ROWS_PER_BINOMIAL,
        }
    }

    fn fill(&self, counts: &mut [u32], rng: &mut ChaCha8Rng) {
        counts.fill(0);
        match self {
            Self::Rows(cell_of_row, uniform) => {
                for _ in 0..cell_of_row.len() {
                    let row = uniform.sample(rng) as usize;
                    if let Some(count) = cell_of_row.get(row).and_then(|cell| counts.get_mut(*cell as usize)) {
                        *count += 1;
                    }
                }
            }
            Self::Cells(cells, rows) => {
                let (mut to_draw, mut left) = (*rows, *rows);
                for (count, cell) in counts.iter_mut().zip(cells) {
                    let drawn =
                        if *cell >= left { to_draw } else { binomial(rng, to_draw, *cell as f64 / left as f64) };
                    *count = u32::try_from(drawn).unwrap_or(u32::MAX);
                    to_draw -= drawn;
                    left -= cell;
                }
            }
        }
    }
}

fn tally(cells: &[Cell], counts: &[u32], ties: &mut [Tie]) {
    for tie in ties.iter_mut() {
        tie.good = 0.0;
        tie.bad = 0.0;
    }
    for (cell, count) in cells.iter().zip(counts) {
        if let Some(tie) = ties.get_mut(cell.tie) {
            let mass = f64::from(*count) * cell.row_weight;
            if cell.is_bad { tie.bad += mass } else { tie.good += mass }
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Figures {
    auc: f64,
    ks: f64,
    h_measure: f64,
    average_precision: f64,
    brier: f64,
    log_loss: f64,
    line: Option<(f64, f64)>,
}

fn figures(ties: &[Tie], losses: &[(f64, f64)], line: Option<(&CalibrationLine, &[(f64, f64)])>) -> Option<Figures> {
    let auc = auc(ties).ok()?;
    let ks = ks(ties).ok()?.ks;
    // A prediction that nobody drew is not a point of these two curves.
    let drawn: Vec<Tie> = ties.iter().filter(|tie| tie.mass() > 0.0).copied().collect();
    let h_measure = h_measure(&drawn).ok()?;
    let average_precision = average_precision(&drawn).ok()?;
    let (mut mass, mut brier, mut log_loss) = (0.0, 0.0, 0.0);
    for (tie, (good_loss, bad_loss)) in ties.iter().zip(losses) {
        mass += tie.mass();
        brier += tie.good * tie.pd * tie.pd + tie.bad * (1.0 - tie.pd) * (1.0 - tie.pd);
        log_loss += tie.good * good_loss + tie.bad * bad_loss;
    }
    let line = line.and_then(|(line, odds)| {
        let mut normal = Normal::default();
        for (tie, (x, p)) in ties.iter().zip(odds) {
            normal.add(*x, *p, tie.good, tie.bad);
        }
        normal.step().map(|(da, db)| (line.intercept + da, line.slope + db))
    });
    Some(Figures { auc, ks, h_measure, average_precision, brier: brier / mass, log_loss: log_loss / mass, line })
}

/// Equal-tailed interval by linear interpolation between order statistics (Hyndman & Fan's type 7).
pub(crate) fn percentiles(mut values: Vec<f64>, confidence: f64) -> [f64; 2] {
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    [quantile(&values, tail), quantile(&values, 1.0 - tail)]
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let below = place.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a floored index within the slice")]
    let index = below as usize;
    let low = sorted.get(index).copied().unwrap_or(f64::NAN);
    let high = sorted.get(index + 1).copied().unwrap_or(low);
    low + (place - below) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::auc::auc_standard_error;
    use crate::model::validation::brier::brier;
    use crate::model::validation::calibration_line::calibration_line;
    use crate::model::validation::fixture::{assert_close, is_bad, ranked, single_class};
    use crate::model::validation::log_loss::log_loss;

    /// A thousand rows whose bad rate follows the prediction, with few distinct predictions or with all distinct.
    fn sample(distinct: usize) -> Ranked {
        let pd: Vec<f64> =
            (0..1000).map(|i| (((i * 619) % 1000) * distinct / 1000 + 1) as f64 / (distinct + 2) as f64).collect();
        let is_bad: Vec<bool> = pd.iter().enumerate().map(|(i, p)| ((i * 37) % 101) as f64 / 101.0 < *p).collect();
        Ranked::new(&is_bad, &pd).unwrap()
    }

    #[test]
    fn identity_counts_give_the_sample_back() {
        let sample = ranked();
        let mut ties = sample.ties().to_vec();
        let counts: Vec<u32> = sample.cells().iter().map(|cell| u32::try_from(cell.rows).unwrap()).collect();
        tally(sample.cells(), &counts, &mut ties);
        assert_eq!(ties, sample.ties());
        let losses: Vec<(f64, f64)> = ties.iter().map(|t| (loss_of_good(t.pd), loss_of_bad(t.pd))).collect();
        let line = calibration_line(&ties).unwrap();
        let odds: Vec<(f64, f64)> = ties
            .iter()
            .map(|t| (clamped_logit(t.pd), sigmoid(line.intercept + line.slope * clamped_logit(t.pd))))
            .collect();
        let found = figures(&ties, &losses, Some((&line, &odds))).unwrap();
        assert_close(found.auc, auc(&ties).unwrap(), 0.0);
        assert_close(found.brier, brier(&ties), 1e-15);
        assert_close(found.log_loss, log_loss(&ties), 1e-15);
        assert_close(found.line.unwrap().1, line.slope, 1e-9);
    }

    #[test]
    fn both_ways_of_drawing_keep_the_number_of_rows_and_their_shares() {
        for sample in [sample(5), sample(1000)] {
            let rows: Vec<u64> = sample.cells().iter().map(|cell| cell.rows).collect();
            for draws in [Draws::new(&sample), Draws::Cells(rows.clone(), 1000)] {
                let mut counts = vec![0; rows.len()];
                let mut sums = vec![0_u64; rows.len()];
                let mut rng = ChaCha8Rng::seed_from_u64(3);
                for _ in 0..400 {
                    draws.fill(&mut counts, &mut rng);
                    assert_eq!(counts.iter().map(|c| u64::from(*c)).sum::<u64>(), 1000);
                    sums.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += u64::from(*count));
                }
                for (sum, rows) in sums.iter().zip(&rows) {
                    // Standard deviation of the mean count is below sqrt(rows / 400).
                    let mean = *sum as f64 / 400.0;
                    assert!((mean - *rows as f64).abs() < 6.0 * (*rows as f64 / 400.0).sqrt(), "{mean} {rows}");
                }
            }
        }
    }

    #[test]
    fn intervals_agree_with_theory_and_between_ways_of_drawing() {
        let sample = sample(1000);
        let line = calibration_line(sample.ties()).unwrap();
        let found = bootstrap(&sample, Some(&line), 2000, 9, 0.95).unwrap();
        let auc_here = auc(sample.ties()).unwrap();
        let (bad, good) = (sample.bad_rows() as f64, (sample.rows() - sample.bad_rows()) as f64);
        let half = 1.96 * auc_standard_error(auc_here, bad, good);
        assert_close(found.auc[0], auc_here - half, 0.3 * half);
        assert_close(found.auc[1], auc_here + half, 0.3 * half);
        let slope = found.calibration.unwrap().slope;
        assert_close(slope[0], line.slope - 1.96 * line.slope_error, 0.4 * line.slope_error);
        assert_close(slope[1], line.slope + 1.96 * line.slope_error, 0.4 * line.slope_error);
        assert_close(found.gini[0], 2.0 * found.auc[0] - 1.0, 1e-12);
        for (interval, here) in [
            (found.h_measure, h_measure(sample.ties()).unwrap()),
            (found.average_precision, average_precision(sample.ties()).unwrap()),
        ] {
            assert!(interval[0] < here && here < interval[1] && interval[1] - interval[0] < 0.2, "{interval:?} {here}");
        }
        assert!(found.brier[0] < brier(sample.ties()) && brier(sample.ties()) < found.brier[1]);
    }

    #[test]
    fn threads_and_row_order_change_nothing() {
        let sample = sample(200);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| bootstrap(&sample, None, 100, 4, 0.9).unwrap())
        };
        assert_eq!(run(1), run(5));
        let (mut bad, mut pd) = (is_bad(), crate::model::validation::fixture::PD.to_vec());
        bad.reverse();
        pd.reverse();
        let reversed = Ranked::new(&bad, &pd).unwrap();
        assert_eq!(bootstrap(&reversed, None, 50, 4, 0.9), bootstrap(&ranked(), None, 50, 4, 0.9));
        assert_ne!(bootstrap(&ranked(), None, 50, 5, 0.9), bootstrap(&ranked(), None, 50, 4, 0.9));
    }

    #[test]
    fn samples_without_both_classes_have_no_interval() {
        assert_eq!(bootstrap(&single_class(), None, 100, 1, 0.9), Err(Undefined::SingleClass));
        // Two rows: half of the resamples hold one class only; three rows with one bad do better.
        let rare = Ranked::new(&[true, false, false], &[0.3, 0.2, 0.1]).unwrap();
        let found = bootstrap(&rare, None, 100, 1, 0.9).unwrap();
        assert!(found.usable < found.replicates && found.usable >= 50);
    }

    #[test]
    fn large_samples_take_fewer_replicates() {
        assert_eq!(affordable(1000, 3_000), 1000);
        assert_eq!(affordable(1000, 400_000), 500);
        assert_eq!(affordable(1000, 100_000_000), 200);
        assert_eq!(affordable(50, 100_000_000), 50);
    }
}
