//! From candidates to a fitting problem: codes, penalties, the order that signs must keep.

use crate::domain::elementary::logit;
use rayon::prelude::*;

use super::binning::{Bin, BinRole, Cell, FineColumn, FineScale, Unusable, as_given, bin_variable, tally};
use super::error::ModelError;
use super::fit::{Codes, Penalty, Problem, Strength};
use super::prepare::Prepared;
use super::report::{Dropped, Stage};
use super::selection::{Candidate, select};
use super::settings::TrainSettings;
use super::sign::Order;
use super::table::{Direction, TrainingTable};

/// Counts of every code of every column over the rows given.
pub fn tallies(prepared: &Prepared, table: &TrainingTable, rows: &[u32]) -> Vec<Vec<Cell>> {
    let weights = table.weights.as_deref();
    prepared.columns.par_iter().map(|column| tally(column, rows, &table.target, weights)).collect()
}

/// Cuts and selects variables on the rows given, and nothing else. `tallies` are those of these rows, and of no others but rows that nobody is
/// tested on.
pub fn cut_and_select(
    prepared: &Prepared,
    table: &TrainingTable,
    rows: &[u32],
    tallies: &[Vec<Cell>],
    settings: &TrainSettings,
) -> Vec<Candidate> {
    let (candidates, mut dropped) = cut(prepared, table, tallies, settings);
    select(candidates, &prepared.columns, rows, settings, &mut dropped)
}

/// Cuts every column that may be a variable.
pub fn cut(
    prepared: &Prepared,
    table: &TrainingTable,
    tallies: &[Vec<Cell>],
    settings: &TrainSettings,
) -> (Vec<Candidate>, Vec<Dropped>) {
    let passing = screened(prepared, tallies, settings);
    let outcomes: Vec<_> = prepared
        .columns
        .par_iter()
        .zip(tallies)
        .zip(&passing)
        .enumerate()
        .map(|(at, ((column, counts), &passes))| {
            passes.then(|| {
                if let Some(merged) = prepared.given.get(&at) {
                    return Ok(as_given(column, counts, merged, &settings.binning));
                }
                let direction = prepared.direction(at, table);
                bin_variable(column, counts, direction, &settings.binning)
            })
        })
        .collect();
    let mut dropped = Vec::new();
    let mut candidates = Vec::new();
    for (column, (fine, outcome)) in prepared.columns.iter().zip(outcomes).enumerate() {
        let Some(outcome) = outcome else {
            dropped.push(Dropped {
                variable: fine.name.clone(),
                stage: Stage::Selection,
                rule: "screen".to_owned(),
                why: format!("{} columns tell more before they are cut", SCREEN_FACTOR * settings.max_variables),
            });
            continue;
        };
        match outcome {
            Ok(binned) => candidates.push(Candidate { column, binned }),
            Err(unusable) => {
                let counts = tallies.get(column).map_or(&[][..], Vec::as_slice);
                dropped.push(uncut(fine, counts, table, unusable, settings));
            }
        }
    }
    (candidates, dropped)
}

/// Why a column could not be cut: its own constraints, or a declared direction that its event rates contradict.
fn uncut(
    fine: &FineColumn,
    counts: &[Cell],
    table: &TrainingTable,
    unusable: Unusable,
    settings: &TrainSettings,
) -> Dropped {
    let variable = fine.name.clone();
    let declared = table.directions.get(&fine.name).copied().unwrap_or_default();
    let free = (declared != Direction::Either && matches!(fine.scale, FineScale::Number { .. }))
        .then(|| bin_variable(fine, counts, Direction::Either, &settings.binning).ok())
        .flatten();
    let Some(free) = free else {
        return Dropped { variable, stage: Stage::Binning, rule: unusable.rule.to_owned(), why: unusable.why };
    };
    let expected = if declared == Direction::HigherSafer { "fall" } else { "rise" };
    let why = format!(
        "declared so that event rates {expected} with it; without that they would be cut as {:?} with information value {:.4}",
        free.bins.trend, free.bins.iv
    );
    Dropped { variable, stage: Stage::Selection, rule: "direction".to_owned(), why }
}

/// Of how many times `max_variables` columns the cuts are searched at most.
const SCREEN_FACTOR: usize = 2;
/// Groups of cells over which columns are compared before they are cut.
const SCREEN_GROUPS: f64 = 8.0;

/// Where there are far more columns than variables can be, only those are cut that tell most over a few groups of cells.
fn screened(prepared: &Prepared, tallies: &[Vec<Cell>], settings: &TrainSettings) -> Vec<bool> {
    let most = SCREEN_FACTOR * settings.max_variables;
    if tallies.len() <= most {
        return vec![true; tallies.len()];
    }
    let worth: Vec<f64> = prepared.columns.iter().zip(tallies).map(|(c, t)| rough_worth(c, t)).collect();
    let mut order: Vec<usize> = (0..worth.len()).collect();
    let value = |i: usize| worth.get(i).copied().unwrap_or_default();
    order.sort_by(|&a, &b| value(b).total_cmp(&value(a)).then(a.cmp(&b)));
    let mut passing = vec![false; worth.len()];
    let forced = prepared.columns.iter().enumerate().filter(|(_, column)| settings.is_forced(&column.name));
    let held = prepared.given.keys().copied().chain(forced.map(|(at, _)| at));
    for i in order.into_iter().take(most).chain(held) {
        if let Some(slot) = passing.get_mut(i) {
            *slot = true;
        }
    }
    passing
}

/// Pearson's χ² over a few groups of cells, special and missing values apart.
fn rough_worth(column: &FineColumn, counts: &[Cell]) -> f64 {
    let total = counts.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let rate = total.rate();
    let piece = |c: Cell| {
        let expected = c.rows * rate;
        if c.rows > 0.0 { (c.bad - expected).powi(2) / (expected * (1.0 - rate)).max(1e-12) } else { 0.0 }
    };
    let (regular, beside) = counts.split_at(column.cells.min(counts.len()));
    let mut order: Vec<Cell> = regular.to_vec();
    if matches!(column.scale, FineScale::Text { .. }) {
        order.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    }
    let mut worth: f64 = beside.iter().map(|&c| piece(c)).sum();
    let mut open = Cell::default();
    for cell in order {
        open = open.plus(cell);
        if open.rows >= total.rows / SCREEN_GROUPS {
            worth += piece(open);
            open = Cell::default();
        }
    }
    worth + piece(open)
}

/// Bin codes of the candidates for the rows given.
pub fn codes(candidates: &[Candidate], columns: &[FineColumn], rows: &[u32]) -> Codes {
    let coded = candidates.par_iter().map(|c| {
        let fine = columns.get(c.column).map_or(&[][..], |f| f.codes.as_slice());
        let map = &c.binned.map;
        let bin = |r: &u32| fine.get(*r as usize).and_then(|&f| map.get(usize::from(f))).copied().unwrap_or_default();
        rows.iter().map(bin).collect()
    });
    Codes { columns: coded.collect(), widths: candidates.iter().map(|c| c.binned.bins.bins.len()).collect() }
}

/// The fitting problem over the rows given.
pub fn problem(candidates: &[Candidate], prepared: &Prepared, table: &TrainingTable, rows: &[u32]) -> Problem {
    let good = rows.iter().map(|&r| if table.target.get(r as usize) == Some(&true) { 0.0 } else { 1.0 }).collect();
    let weight = |w: &Vec<f64>| rows.iter().map(|&r| w.get(r as usize).copied().unwrap_or(1.0)).collect();
    Problem {
        codes: codes(candidates, &prepared.columns, rows),
        good,
        weights: table.weights.as_ref().map(weight),
        offset: None,
    }
}

/// The penalty of the candidates at a strength.
pub fn penalty(candidates: &[Candidate], strength: Strength) -> Penalty {
    let blocks = candidates
        .iter()
        .map(|c| {
            let bins = &c.binned.bins;
            let woe: Vec<f64> = bins.bins.iter().map(|b| b.woe).collect();
            let ordered = match bins.kind {
                super::binning::BinKind::Number { .. } => {
                    bins.bins.iter().filter(|b| b.role == BinRole::Regular).count()
                }
                super::binning::BinKind::Text { .. } => 0,
            };
            Penalty::variable(&woe, ordered, strength)
        })
        .collect();
    Penalty { blocks }
}

/// The order that sign control keeps.
pub fn orders(candidates: &[Candidate]) -> Vec<Order> {
    candidates
        .iter()
        .map(|c| {
            let woe: Vec<f64> = c.binned.bins.bins.iter().map(|b| b.woe).collect();
            let rows: Vec<f64> = c.binned.bins.bins.iter().map(|b| b.rows).collect();
            Order::new(&woe, &rows)
        })
        .collect()
}

/// Parameters to start from: half the weight of evidence, and the overall log odds.
pub fn start(candidates: &[Candidate], problem: &Problem) -> Vec<f64> {
    let mut theta: Vec<f64> = candidates.iter().flat_map(|c| c.binned.bins.bins.iter().map(|b| 0.4 * b.woe)).collect();
    let (mut good, mut all) = (0.0, 0.0);
    for (i, &g) in problem.good.iter().enumerate() {
        let w = problem.weights.as_ref().and_then(|w| w.get(i)).copied().unwrap_or(1.0);
        good += w * g;
        all += w;
    }
    let rate: f64 = (good / all).clamp(1e-6, 1.0 - 1e-6);
    theta.push(logit(rate));
    theta
}

/// Holds the bin of missing values at the average row or below. Terms are centred; what the average row loses by it is left with it: the
/// model errs on the side of caution.
pub fn cap_missing(candidates: &[Candidate], theta: &mut [f64]) {
    let mut offset = 0;
    for candidate in candidates {
        let bins = &candidate.binned.bins;
        if let Some(value) = theta.get_mut(offset + bins.missing) {
            *value = value.min(0.0);
        }
        offset += bins.bins.len();
    }
}

/// Parameters of the regular bins with rows, from the worst to the best, of each candidate whose values a direction holds.
pub fn along(candidates: &[Candidate], prepared: &Prepared, table: &TrainingTable) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    let mut offset = 0;
    for candidate in candidates {
        let bins = &candidate.binned.bins.bins;
        let regular = bins.iter().enumerate().filter(|(_, bin)| bin.role == BinRole::Regular && bin.rows > 0.0);
        let mut places: Vec<usize> = regular.map(|(at, _)| offset + at).collect();
        offset += bins.len();
        match prepared.held_direction(candidate.column, table) {
            Direction::HigherSafer => {}
            Direction::LowerSafer => places.reverse(),
            Direction::Either => continue,
        }
        all.push(places);
    }
    all
}

/// Lowers bins to the next better one. Where missing values share a regular bin and were held down with it, no worse one may stand above it.
pub fn lower_along(along: &[Vec<usize>], theta: &mut [f64]) {
    for places in along {
        let mut most = f64::INFINITY;
        for &place in places.iter().rev() {
            if let Some(value) = theta.get_mut(place) {
                *value = value.min(most);
                most = *value;
            }
        }
    }
}

/// Holds the bin of levels never seen at the average row or below, and at the pool of rare levels, which is what is known of levels like them.
/// Where missing is never good, neither is unseen: it stays at the bin whose bad rate is nearest the average, too. Returns the
/// parameters held, each with those above it.
///
/// # Errors
/// A person put unseen levels, where missing is never good, into a bin that is better than the average.
pub fn cap_unseen(
    candidates: &[Candidate],
    prepared: &Prepared,
    theta: &mut [f64],
    settings: &TrainSettings,
) -> Result<Vec<(usize, Vec<usize>)>, ModelError> {
    let mut caps = Vec::new();
    let mut offset = 0;
    for candidate in candidates {
        let bins = &candidate.binned.bins;
        let here = offset;
        offset += bins.bins.len();
        let super::binning::BinKind::Text { unseen, .. } = &bins.kind else { continue };
        let value = |theta: &[f64], bin: usize| theta.get(here + bin).copied().unwrap_or_default();
        if bins.bins.get(*unseen).is_none_or(|b| b.role != BinRole::Unseen) {
            if settings.missing_is_never_good && value(theta, *unseen) > 0.0 {
                let why = format!(
                    "where missing is never good, neither is a level never seen, and the bin that {:?} gives it is better than the \
                     average; `unseen = \"apart\"` gives it one of its own",
                    bins.name
                );
                return Err(ModelError::BadSetting { setting: "bins", why });
            }
            continue;
        }
        let mut above = Vec::new();
        if let Some(FineScale::Text { pool: Some(pool), .. }) = prepared.columns.get(candidate.column).map(|c| &c.scale)
        {
            above.extend(candidate.binned.map.get(usize::from(*pool)).map(|&bin| usize::from(bin)));
        }
        if settings.missing_is_never_good {
            above.extend(nearest_average(&bins.bins));
        }
        let most = above.iter().fold(0.0_f64, |most, &bin| most.min(value(theta, bin)));
        if let Some(slot) = theta.get_mut(here + unseen) {
            *slot = slot.min(most);
        }
        caps.push((here + unseen, above.iter().map(|bin| here + bin).collect()));
    }
    Ok(caps)
}

/// The regular bin whose bad rate is nearest the average; of two, the riskier.
fn nearest_average(bins: &[Bin]) -> Option<usize> {
    let whole = bins.iter().fold(Cell::default(), |a, b| a.plus(b.cell()));
    let far = |bin: &Bin| (bin.cell().rate() - whole.rate()).abs();
    let held = bins.iter().enumerate().filter(|(_, b)| b.role == BinRole::Regular && b.rows > 0.0);
    held.min_by(|(_, a), (_, b)| far(a).total_cmp(&far(b)).then(b.cell().rate().total_cmp(&a.cell().rate())))
        .map(|(at, _)| at)
}

/// Shifts each term so that the average row has 0 from it; returns what the intercept must take. Bins that training never saw stay
/// at the average or below: unknown is never good.
pub fn centre(candidates: &[Candidate], theta: &mut [f64]) -> f64 {
    let mut shift = 0.0;
    let mut offset = 0;
    for candidate in candidates {
        let bins = &candidate.binned.bins.bins;
        let values = theta.get_mut(offset..offset + bins.len()).unwrap_or_default();
        let rows: f64 = bins.iter().map(|b| b.rows).sum();
        let mean = bins.iter().zip(values.iter()).map(|(b, v)| b.rows * v).sum::<f64>() / rows.max(1.0);
        for (v, b) in values.iter_mut().zip(bins) {
            *v = if b.rows > 0.0 { *v - mean } else { (*v - mean).min(0.0) };
        }
        shift += mean;
        offset += bins.len();
    }
    shift
}
