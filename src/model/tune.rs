//! Strengths chosen by cross-validation inside the training rows; everything supervised is done anew in each fold.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::error::ModelError;
use super::fit::{Solver, Strength};
use super::prepare::Prepared;
use super::settings::TrainSettings;
use super::sign::solve_signed;
use super::table::TrainingTable;
use super::terms;

/// What tuning found.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The chosen strengths.
    pub strength: Strength,
    /// Mean log loss out of fold of each strength tried.
    pub tried: Vec<(Strength, f64)>,
    /// Mean log loss by number of tables.
    pub tables_tried: Vec<(usize, f64)>,
    /// Rows that were predicted out of fold.
    pub rows: Vec<u32>,
    /// Their log odds of good.
    pub log_odds: Vec<f64>,
}

/// Strengths tried, from strong to weak within each slope so that each solution starts the next.
fn grid() -> Vec<Strength> {
    let mut grid = Vec::new();
    for slope in [1.0, 6.0] {
        for deviation in [400.0, 60.0, 20.0, 7.0, 2.5] {
            grid.push(Strength { deviation, slope, smooth: 1.0, pair: 10.0 });
        }
    }
    grid
}

/// Gradient (per row) at which a fold's solution is good enough to be compared.
const FOLD_TOLERANCE: f64 = 1e-5;

/// One fold's log odds for each strength.
struct FoldResult {
    valid: Vec<u32>,
    log_odds: Vec<Vec<f64>>,
}

/// Chooses strengths.
///
/// # Errors
/// A fold has one outcome only, or a solver fails.
pub fn tune(
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    settings: &TrainSettings,
) -> Result<Tuned, ModelError> {
    let rows = thinned(rows, table, settings);
    let fold_of = folds(&rows, table, settings);
    let grid = grid();
    let results: Vec<Result<FoldResult, ModelError>> = (0..settings.folds)
        .into_par_iter()
        .map(|fold| one_fold(fold, prepared, table, &rows, &fold_of, settings, &grid))
        .collect();
    let results: Vec<FoldResult> = results.into_iter().collect::<Result<_, _>>()?;
    let mut tried = Vec::new();
    for (at, &strength) in grid.iter().enumerate() {
        let (mut loss, mut weight) = (0.0, 0.0);
        for fold in &results {
            for (&row, &x) in fold.valid.iter().zip(fold.log_odds.get(at).map_or(&[][..], Vec::as_slice)) {
                let w = table.weights.as_ref().and_then(|w| w.get(row as usize)).copied().unwrap_or(1.0);
                loss += w * log_loss(x, table.target.get(row as usize) == Some(&true));
                weight += w;
            }
        }
        tried.push((strength, loss / weight));
    }
    let best = (0..tried.len())
        .min_by(|&a, &b| {
            let loss = |i: usize| tried.get(i).map_or(f64::INFINITY, |t| t.1);
            loss(a).total_cmp(&loss(b))
        })
        .unwrap_or(0);
    let strength = tried
        .get(best)
        .map_or_else(|| grid.first().copied(), |t| Some(t.0))
        .ok_or_else(|| ModelError::CannotTrain { why: "no strength was tried".to_owned() })?;
    let mut out_rows = Vec::with_capacity(rows.len());
    let mut log_odds = Vec::with_capacity(rows.len());
    for fold in results {
        out_rows.extend(fold.valid);
        log_odds.extend(fold.log_odds.into_iter().nth(best).unwrap_or_default());
    }
    Ok(Tuned { strength, tried, tables_tried: Vec::new(), rows: out_rows, log_odds })
}

fn log_loss(log_odds_good: f64, bad: bool) -> f64 {
    let x = if bad { log_odds_good } else { -log_odds_good };
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

fn one_fold(
    fold: usize,
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    fold_of: &[usize],
    settings: &TrainSettings,
    grid: &[Strength],
) -> Result<FoldResult, ModelError> {
    let part = |inside: bool| -> Vec<u32> {
        rows.iter().zip(fold_of).filter(|(_, f)| (**f == fold) == inside).map(|(r, _)| *r).collect()
    };
    let (fit_rows, valid) = (part(false), part(true));
    let bads = fit_rows.iter().filter(|r| table.target.get(**r as usize) == Some(&true)).count();
    if bads == 0 || bads == fit_rows.len() {
        return Err(ModelError::CannotTrain {
            why: format!("{bads} bad rows in {} are too few for {} folds", fit_rows.len(), settings.folds),
        });
    }
    let (candidates, _) = terms::cut(prepared, table, &fit_rows, settings);
    let problem = terms::problem(&candidates, prepared, table, &fit_rows);
    let held_out = terms::problem(&candidates, prepared, table, &valid);
    let offsets = problem.codes.offsets();
    let orders = terms::orders(&candidates);
    let mut solver = Solver::new(&problem);
    let mut theta = terms::start(&candidates, &problem);
    let mut log_odds = Vec::with_capacity(grid.len());
    for &strength in grid {
        let penalty = terms::penalty(&candidates, strength);
        let solution = solve_signed(&mut solver, &offsets, &orders, &theta, &penalty, FOLD_TOLERANCE)?;
        log_odds.push(held_out.log_odds(&solution.theta));
        theta = solution.theta;
    }
    Ok(FoldResult { valid, log_odds })
}

/// At most `tuning_rows` rows, every k-th; strengths need no more.
fn thinned(rows: &[u32], table: &TrainingTable, settings: &TrainSettings) -> Vec<u32> {
    let step = rows.len().div_ceil(settings.tuning_rows.max(1)).max(1);
    let part = |bad: bool| rows.iter().copied().filter(move |&r| table.target.get(r as usize) == Some(&bad));
    let mut out: Vec<u32> = part(false).step_by(step).chain(part(true).step_by(step)).collect();
    out.sort_unstable();
    out
}

/// Fold of each row: equal shares of each outcome, or whole groups where rows have groups.
fn folds(rows: &[u32], table: &TrainingTable, settings: &TrainSettings) -> Vec<usize> {
    let k = settings.folds;
    if let Some(groups) = &table.groups {
        return rows
            .iter()
            .map(|&r| {
                let group = groups.get(r as usize).copied().unwrap_or_default();
                let mut rng = ChaCha8Rng::seed_from_u64(group ^ settings.seed);
                rng.random_range(0..k)
            })
            .collect();
    }
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut out = vec![0; rows.len()];
    for bad in [true, false] {
        let mut members: Vec<usize> = rows
            .iter()
            .enumerate()
            .filter(|(_, r)| table.target.get(**r as usize) == Some(&bad))
            .map(|(i, _)| i)
            .collect();
        for i in (1..members.len()).rev() {
            members.swap(i, rng.random_range(0..=i));
        }
        for (n, i) in members.into_iter().enumerate() {
            if let Some(slot) = out.get_mut(i) {
                *slot = n % k;
            }
        }
    }
    out
}
