//! Training a scorecard, from table to points.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::binning::Cell;
use super::calibration::{Calibration, CalibrationChoice, CalibrationSettings, Method, choose_calibration};
use super::error::ModelError;
use super::fit::{Penalty, Problem, Solution, Solver, SolverCheck, inverse_diagonal, polish, sigmoid};
use super::points::round_jointly;
use super::prepare::{Prepared, prepare};
use super::report::{
    Dropped, PartReport, Removal, RoundingReport, Stage, TrainReport, TuningReport, VariableReport, measure_part,
};
use super::scorecard::{FORMAT, Scorecard, ScoredVariable, reason_code};
use super::selection::{Candidate, suspected_leaks};
use super::settings::TrainSettings;
use super::sign::{Order, solve_signed};
use super::table::TrainingTable;
use super::terms;
use super::tune::{Tuned, tune};
use super::validation::{Ranked, ValidationSettings};

/// A trained scorecard and what its training told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainedScorecard {
    /// The scorecard.
    pub scorecard: Scorecard,
    /// The report.
    pub report: TrainReport,
}

/// Gradient (per row) of the final optimum.
const TOLERANCE: f64 = 1e-9;
/// Bootstrap resamples behind the intervals of the test figures.
const TEST_REPLICATES: u32 = 200;
/// Outcomes of each kind that training needs at least.
const MIN_OUTCOMES: usize = 10;

/// Trains a scorecard. The result depends on the table and the settings only, not on threads.
///
/// # Errors
/// The table cannot carry a model (one outcome, too few rows, no usable column), holds infinite values, or a solver fails.
pub fn train_scorecard(table: &TrainingTable, settings: &TrainSettings) -> Result<TrainedScorecard, ModelError> {
    settings.check()?;
    check_rows(table)?;
    let rows = part(table, false);
    let prepared = prepare(table, settings)?;
    let (candidates, more) = terms::cut(&prepared, table, &rows, settings);
    let mut dropped = prepared.dropped.clone();
    dropped.extend(more);
    if candidates.is_empty() {
        let reasons: Vec<String> = dropped.iter().take(8).map(|d| format!("{:?}: {}", d.variable, d.why)).collect();
        return Err(ModelError::CannotTrain {
            why: format!("no variable tells good from bad ({})", reasons.join("; ")),
        });
    }
    let mut warnings = suspected_leaks(&candidates);
    warnings.extend(prepared.notes.iter().cloned());

    let tuned = tune(&prepared, table, &rows, settings)?;
    let fitted = fit(candidates, &prepared, table, &rows, &tuned, settings, &mut dropped)?;
    build(table, settings, &prepared, &rows, &tuned, fitted, dropped, warnings)
}

fn check_rows(table: &TrainingTable) -> Result<(), ModelError> {
    let n = table.target.len();
    if table.test.len() != n || table.groups.as_ref().is_some_and(|g| g.len() != n) {
        return Err(ModelError::CannotTrain { why: "target, test flags and groups differ in length".to_owned() });
    }
    if let Some(weights) = &table.weights
        && (weights.len() != n || weights.iter().any(|w| !w.is_finite() || *w <= 0.0))
    {
        return Err(ModelError::BadSetting { setting: "weights", why: "one finite, positive weight a row".to_owned() });
    }
    if u32::try_from(n).is_err() {
        return Err(ModelError::CannotTrain { why: format!("{n} rows are more than {}", u32::MAX) });
    }
    let bad = table.target.iter().zip(&table.test).filter(|(y, t)| **y && !**t).count();
    let all = table.test.iter().filter(|t| !**t).count();
    if bad < MIN_OUTCOMES || all - bad < MIN_OUTCOMES {
        return Err(ModelError::CannotTrain {
            why: format!(
                "{all} training rows with {bad} bad ones: at least {MIN_OUTCOMES} bad and {MIN_OUTCOMES} good are needed"
            ),
        });
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "the row count was checked to fit 32 bits")]
fn part(table: &TrainingTable, test: bool) -> Vec<u32> {
    table.test.iter().enumerate().filter(|(_, t)| **t == test).map(|(i, _)| i as u32).collect()
}

/// A fitted model before it becomes points.
struct Fitted {
    candidates: Vec<Candidate>,
    problem: Problem,
    penalty: Penalty,
    orders: Vec<Order>,
    theta: Vec<f64>,
    check: SolverCheck,
    information: (Vec<f64>, usize),
    groups: Vec<usize>,
}

/// Fits on all training rows; variables that add nothing leave, and the rest is fitted again.
fn fit(
    mut candidates: Vec<Candidate>,
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    tuned: &Tuned,
    settings: &TrainSettings,
    dropped: &mut Vec<Dropped>,
) -> Result<Fitted, ModelError> {
    loop {
        let problem = terms::problem(&candidates, prepared, table, rows);
        let penalty = terms::penalty(&candidates, tuned.strength);
        let orders = terms::orders(&candidates);
        let offsets = problem.codes.offsets();
        let start = terms::start(&candidates, &problem);
        let mut solver = Solver::new(&problem);
        let solution = solve_signed(&mut solver, &offsets, &orders, &start, &penalty, TOLERANCE)?;
        let leaving = without_points(&candidates, &offsets, &solution, settings);
        if leaving.is_empty() || leaving.len() == candidates.len() {
            let groups = solver.groups().to_vec();
            let information = solver.information(&solution.theta, &penalty);
            let (theta, check) = polish(&problem, &groups, &penalty, &solution)?;
            drop(solver);
            return Ok(Fitted { candidates, problem, penalty, orders, theta, check, information, groups });
        }
        for (at, range) in leaving.into_iter().rev() {
            let gone = candidates.remove(at);
            let (stage, rule, why) = if range <= 1e-9 {
                let why = "given the other variables its points would contradict its event rates".to_owned();
                (Stage::Sign, "wrong-sign", why)
            } else {
                let why = format!("its bins differ by {range:.2} points");
                (Stage::Contribution, "no-points", why)
            };
            dropped.push(Dropped { variable: gone.binned.bins.name.clone(), stage, rule: rule.to_owned(), why });
        }
    }
}

/// Variables whose points would not differ, with the range of their points.
fn without_points(
    candidates: &[Candidate],
    offsets: &[usize],
    solution: &Solution,
    settings: &TrainSettings,
) -> Vec<(usize, f64)> {
    let factor = settings.scaling.factor();
    let mut leaving = Vec::new();
    for (at, (candidate, &offset)) in candidates.iter().zip(offsets).enumerate() {
        let values = candidate
            .binned
            .bins
            .bins
            .iter()
            .enumerate()
            .filter(|(_, b)| b.rows > 0.0)
            .filter_map(|(i, _)| solution.theta.get(offset + i));
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
        let range = (high - low) * factor;
        if range < f64::from(settings.min_points_range) {
            leaving.push((at, range.max(0.0)));
        }
    }
    leaving
}

#[expect(clippy::too_many_arguments, reason = "the last step sees everything that came before it")]
fn build(
    table: &TrainingTable,
    settings: &TrainSettings,
    prepared: &Prepared,
    rows: &[u32],
    tuned: &Tuned,
    mut fitted: Fitted,
    dropped: Vec<Dropped>,
    warnings: Vec<String>,
) -> Result<TrainedScorecard, ModelError> {
    centre(&mut fitted);
    let offsets = fitted.problem.codes.offsets();
    let scaling = settings.scaling;
    let factor = scaling.factor();
    let mut exact: Vec<f64> = fitted.theta.iter().map(|t| t * factor).collect();
    if let Some(base) = exact.last_mut() {
        *base += scaling.offset();
    }
    let ones: Vec<f64> = fitted.problem.weights.clone().unwrap_or_else(|| vec![1.0; fitted.problem.rows()]);
    let cross = fitted.problem.cross(&ones);
    let in_order: Vec<Vec<usize>> =
        fitted.orders.iter().zip(&offsets).map(|(o, &offset)| o.bins.iter().map(|b| offset + b).collect()).collect();
    let weight: f64 = ones.iter().sum();
    let (points, singly, jointly) = round_jointly(&exact, &cross, weight, &in_order);

    let mut scorecard = Scorecard {
        format: FORMAT,
        scaling,
        base_points: points.last().copied().unwrap_or_default(),
        variables: variables(&fitted, &offsets, &points),
        tables: Vec::new(),
        calibration: Calibration::identity(),
        bands: Vec::new(),
    };
    let (calibration, out_of_fold) = calibrate(table, tuned, settings)?;
    scorecard.calibration = calibration.calibration.clone();
    scorecard.master_scale();

    let measure = |rows: &[u32], replicates: u32| {
        let settings =
            ValidationSettings { bootstrap_replicates: replicates, seed: settings.seed, ..Default::default() };
        measure(&scorecard, &fitted.candidates, prepared, table, rows, &settings)
    };
    let test_rows = part(table, true);
    let report = TrainReport {
        train: measure(rows, 0)?,
        test: if test_rows.is_empty() { None } else { Some(measure(&test_rows, TEST_REPLICATES)?) },
        tuning: TuningReport {
            folds: settings.folds,
            rows: tuned.rows.len(),
            strength: tuned.strength,
            tried: tuned.tried.clone(),
            tables_tried: tuned.tables_tried.clone(),
            out_of_fold,
        },
        variables: variable_reports(&fitted, &offsets, &scorecard, prepared, &test_rows),
        dropped,
        removals: removals(&fitted, &offsets),
        calibration,
        rounding: RoundingReport { singly, jointly },
        solver: fitted.check.clone(),
        warnings,
    };
    Ok(TrainedScorecard { scorecard, report })
}

/// Shifts each term so that the average training row has 0 from it; the intercept takes the rest.
fn centre(fitted: &mut Fitted) {
    let mut offset = 0;
    let mut shift = 0.0;
    for candidate in &fitted.candidates {
        let bins = &candidate.binned.bins.bins;
        let values = fitted.theta.get_mut(offset..offset + bins.len()).unwrap_or_default();
        let rows: f64 = bins.iter().map(|b| b.rows).sum();
        let mean = bins.iter().zip(values.iter()).map(|(b, v)| b.rows * v).sum::<f64>() / rows.max(1.0);
        for v in values.iter_mut() {
            *v -= mean;
        }
        // What training never saw stays at the average: unknown is never good.
        for (v, b) in values.iter_mut().zip(bins) {
            if b.rows <= 0.0 {
                *v = v.min(0.0);
            }
        }
        shift += mean;
        offset += bins.len();
    }
    if let Some(intercept) = fitted.theta.last_mut() {
        *intercept += shift;
    }
}

fn variables(fitted: &Fitted, offsets: &[usize], points: &[i32]) -> Vec<ScoredVariable> {
    let mut taken = BTreeSet::new();
    fitted
        .candidates
        .iter()
        .zip(offsets)
        .enumerate()
        .map(|(position, (candidate, &offset))| {
            let bins = candidate.binned.bins.clone();
            let width = bins.bins.len();
            let points = points.get(offset..offset + width).unwrap_or_default().to_vec();
            let rows: f64 = bins.bins.iter().map(|b| b.rows).sum();
            let mean = bins.bins.iter().zip(&points).map(|(b, &p)| b.rows * f64::from(p)).sum::<f64>() / rows.max(1.0);
            let mut code = reason_code(&bins.name, position);
            while !taken.insert(code.clone()) {
                code = format!("{code}-{}", position + 1);
            }
            #[expect(clippy::cast_possible_truncation, reason = "a mean of points is a small number")]
            let reference_points = mean.round() as i32;
            let log_odds = fitted.theta.get(offset..offset + width).unwrap_or_default().to_vec();
            ScoredVariable { code, bins, points, log_odds, reference_points }
        })
        .collect()
}

/// The calibration that does best on log odds predicted out of fold, and the figures out of fold after it.
fn calibrate(
    table: &TrainingTable,
    tuned: &Tuned,
    settings: &TrainSettings,
) -> Result<(CalibrationChoice, PartReport), ModelError> {
    let bad: Vec<bool> = tuned.rows.iter().map(|&r| table.target.get(r as usize) == Some(&true)).collect();
    let raw: Vec<f64> = tuned.log_odds.iter().map(|x| sigmoid(-x)).collect();
    let weights = table.weights.as_ref().map(|w| weights_of(w, &tuned.rows));
    let failed = |why: String| ModelError::CannotMeasure { why };
    let sample = match &weights {
        Some(w) => Ranked::weighted(&bad, &raw, w),
        None => Ranked::new(&bad, &raw),
    }
    .map_err(|e| failed(e.to_string()))?;
    // A step curve would merge scores that differ: the maps allowed here keep the order of every two rows.
    let calibration = CalibrationSettings {
        methods: vec![Method::Identity, Method::Platt, Method::Beta],
        seed: settings.seed,
        pd_floor: settings.pd_floor,
        ..CalibrationSettings::default()
    };
    let choice = choose_calibration(&sample, &calibration).map_err(|e| failed(e.to_string()))?;
    let pd: Vec<f64> = raw.iter().map(|&p| choice.calibration.apply(p)).collect();
    let settings = ValidationSettings { bootstrap_replicates: 0, ..ValidationSettings::default() };
    let out_of_fold = measure_part(&pd, &bad, weights.as_deref(), &settings)?;
    Ok((choice, out_of_fold))
}

fn weights_of(weights: &[f64], rows: &[u32]) -> Vec<f64> {
    rows.iter().map(|&r| weights.get(r as usize).copied().unwrap_or(1.0)).collect()
}

/// Scores the rows given from their fine codes.
fn measure(
    scorecard: &Scorecard,
    candidates: &[Candidate],
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    settings: &ValidationSettings,
) -> Result<PartReport, ModelError> {
    let codes = terms::codes(candidates, &prepared.columns, rows);
    let mut score = vec![scorecard.base_points; rows.len()];
    for (variable, column) in scorecard.variables.iter().zip(&codes.columns) {
        for (s, &code) in score.iter_mut().zip(column) {
            *s += variable.points.get(usize::from(code)).copied().unwrap_or_default();
        }
    }
    for pair in &scorecard.tables {
        if let (Some(left), Some(right)) = (codes.columns.get(pair.left), codes.columns.get(pair.right)) {
            for ((s, &l), &r) in score.iter_mut().zip(left).zip(right) {
                *s += pair.points_at(l, r);
            }
        }
    }
    let pd: Vec<f64> = score.iter().map(|&s| scorecard.probability(s)).collect();
    let bad: Vec<bool> = rows.iter().map(|&r| table.target.get(r as usize) == Some(&true)).collect();
    let weights = table.weights.as_ref().map(|w| weights_of(w, rows));
    measure_part(&pd, &bad, weights.as_deref(), settings)
}

fn removals(fitted: &Fitted, offsets: &[usize]) -> Vec<Removal> {
    let mut out = Vec::new();
    for (candidate, &offset) in fitted.candidates.iter().zip(offsets) {
        let bins = &candidate.binned.bins.bins;
        let groups = fitted.groups.get(offset..offset + bins.len()).unwrap_or_default();
        let distinct: BTreeSet<usize> = groups.iter().copied().collect();
        for group in distinct {
            let labels: Vec<String> =
                groups.iter().zip(bins).filter(|(g, _)| **g == group).map(|(_, b)| b.label.clone()).collect();
            if labels.len() > 1 {
                out.push(Removal {
                    variable: candidate.binned.bins.name.clone(),
                    bins: labels,
                    why: "fitted freely, their points would contradict their event rates".to_owned(),
                });
            }
        }
    }
    out
}

fn variable_reports(
    fitted: &Fitted,
    offsets: &[usize],
    scorecard: &Scorecard,
    prepared: &Prepared,
    test_rows: &[u32],
) -> Vec<VariableReport> {
    let variances = inverse_diagonal(&fitted.information.0, fitted.information.1).unwrap_or_default();
    let test_codes = terms::codes(&fitted.candidates, &prepared.columns, test_rows);
    let normal = Normal::standard();
    fitted
        .candidates
        .iter()
        .zip(&scorecard.variables)
        .zip(offsets)
        .enumerate()
        .map(|(at, ((candidate, variable), &offset))| {
            let bins = &candidate.binned.bins;
            let cells: Vec<Cell> = bins.bins.iter().map(super::binning::Bin::cell).collect();
            let woe: Vec<f64> = bins.bins.iter().map(|b| b.woe).collect();
            let rows: f64 = cells.iter().map(|c| c.rows).sum();
            // Slope of the points on the weight of evidence, rows as weights; its error by propagation.
            let mean = cells.iter().zip(&woe).map(|(c, w)| c.rows * w).sum::<f64>() / rows.max(1.0);
            let spread: f64 = cells.iter().zip(&woe).map(|(c, w)| c.rows * (w - mean).powi(2)).sum();
            let loading: Vec<f64> =
                cells.iter().zip(&woe).map(|(c, w)| c.rows * (w - mean) / spread.max(1e-12)).collect();
            let slope: f64 = loading.iter().zip(&variable.log_odds).map(|(l, v)| l * v).sum();
            let variance: f64 = loading
                .iter()
                .enumerate()
                .map(|(i, l)| {
                    let group = fitted.groups.get(offset + i).copied().unwrap_or(usize::MAX);
                    l * l * variances.get(group).copied().unwrap_or(0.0)
                })
                .sum();
            let slope_error = variance.sqrt();
            let p_value = 2.0 * (1.0 - normal.cdf((slope / slope_error.max(1e-12)).abs()));
            let order = fitted.orders.get(at);
            let signs_agree = order.is_some_and(|o| {
                let value = |i: &usize| variable.points.get(*i).copied().unwrap_or_default();
                o.bins.iter().zip(o.bins.iter().skip(1)).all(|(a, b)| value(a) <= value(b))
            });
            let seen = cells.iter().zip(&variable.points).filter(|(c, _)| c.rows > 0.0).map(|(_, p)| *p);
            let points_range = seen.clone().max().unwrap_or(0) - seen.min().unwrap_or(0);
            let (ks, chi_square) = distances(&cells);
            VariableReport {
                variable: bins.name.clone(),
                iv: bins.iv,
                ks,
                chi_square,
                trend: bins.trend,
                signs_agree,
                stability_index: (!test_rows.is_empty())
                    .then(|| stability(&cells, test_codes.columns.get(at).map_or(&[][..], Vec::as_slice))),
                slope,
                slope_error,
                p_value,
                interval: (slope - 1.96 * slope_error, slope + 1.96 * slope_error),
                points_range,
            }
        })
        .collect()
}

/// KS distance over bins in order of event rate, and Pearson's χ².
fn distances(cells: &[Cell]) -> (f64, f64) {
    let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let mut sorted: Vec<Cell> = cells.iter().copied().filter(|c| c.rows > 0.0).collect();
    sorted.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    let (mut good, mut bad, mut ks, mut chi) = (0.0, 0.0, 0.0_f64, 0.0);
    for c in sorted {
        good += c.good() / total.good();
        bad += c.bad / total.bad;
        ks = ks.max((good - bad).abs());
        let expected = c.rows * total.rate();
        chi += (c.bad - expected).powi(2) / (expected * (1.0 - total.rate()));
    }
    (ks, chi)
}

/// Population stability index of the bins; empty bins count as half a row.
fn stability(cells: &[Cell], test: &[u8]) -> f64 {
    let rows: f64 = cells.iter().map(|c| c.rows).sum();
    let mut counts = vec![0.0_f64; cells.len()];
    for &code in test {
        if let Some(n) = counts.get_mut(usize::from(code)) {
            *n += 1.0;
        }
    }
    cells
        .iter()
        .zip(counts)
        .filter(|(c, n)| c.rows > 0.0 || *n > 0.0)
        .map(|(c, n)| {
            let expected = c.rows.max(0.5) / rows;
            let actual = n.max(0.5) / test.len() as f64;
            (actual - expected) * (actual / expected).ln()
        })
        .sum()
}
