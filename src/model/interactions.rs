//! Two-variable tables: what one variable means at each level of another, beyond what each says alone.
//!
//! Search and fit start from log odds that were predicted for rows their makers had not seen, so that what is left to explain is not
//! hidden by overfitting. Pairs are ranked by a score statistic over coarse grids; tables enter one by one, each fitted as cells drawn
//! towards zero; how many enter is decided on rows held out from all of it.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::bag::{Bag, log_loss};
use super::binning::{Cell, FineColumn};
use super::prepare::Prepared;
use super::settings::TrainSettings;
use super::shape::order_of;
use super::table::TrainingTable;
use crate::domain::elementary::sigmoid;

/// A variable cut coarsely, as one side of tables.
#[derive(Debug, Clone)]
pub struct Side {
    /// Where groups of regular cells end, in the variable's order of cells.
    pub ends: Vec<usize>,
    /// Group of each fine code.
    pub group_of_code: Vec<u8>,
    /// Number of groups: regular ones, then one for special values, then one for missing.
    pub groups: usize,
}

/// A table that pays.
#[derive(Debug, Clone)]
pub struct Found {
    /// First variable, by position among the prepared columns.
    pub left: usize,
    /// Second variable.
    pub right: usize,
    /// Log odds of good, row by row.
    pub values: Vec<f64>,
}

/// Outcome of the search.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Tables that pay, in order of entry.
    pub found: Vec<Found>,
    /// Sides of the columns that were searched.
    pub sides: BTreeMap<usize, Side>,
    /// Mean log loss on held-out rows by number of tables.
    pub tried: Vec<(usize, f64)>,
    /// Log odds of good of the bag's rows, tables included, from folds that had not seen the row.
    pub log_odds: Vec<f64>,
}

const FOLDS: usize = 4;
/// Groups of regular values on a side.
const SIDE_GROUPS: usize = 8;
/// Columns whose pairs are searched at most.
const SEARCHED_COLUMNS: usize = 48;
/// Pairs that are looked at again before each entry.
const SHORTLIST: usize = 48;
/// Standardised score that a pair must reach to be tried.
const LEAST_SCORE: f64 = 3.0;
/// Steps without gain after which a fold stops.
const PATIENCE: usize = 3;
const SWEEPS: usize = 6;
/// Strengths against the cells of tables.
const STRENGTHS: [f64; 2] = [4.0, 25.0];

/// Rows as the search sees them.
struct Rows {
    codes: BTreeMap<usize, Vec<u8>>,
    good: Vec<f64>,
    weight: Vec<f64>,
    offset: Vec<f64>,
}

impl Rows {
    fn select(&self, at: &[usize]) -> Self {
        let pick = |v: &Vec<f64>| at.iter().filter_map(|&i| v.get(i).copied()).collect();
        let codes =
            self.codes.iter().map(|(c, v)| (*c, at.iter().filter_map(|&i| v.get(i).copied()).collect())).collect();
        Self { codes, good: pick(&self.good), weight: pick(&self.weight), offset: pick(&self.offset) }
    }

    fn cells(&self, pair: (usize, usize), width: usize) -> Vec<u8> {
        let empty = Vec::new();
        let (a, b) = (self.codes.get(&pair.0).unwrap_or(&empty), self.codes.get(&pair.1).unwrap_or(&empty));
        a.iter()
            .zip(b)
            .map(|(&x, &y)| u8::try_from(usize::from(x) * width + usize::from(y)).unwrap_or(u8::MAX))
            .collect()
    }
}

/// Searches tables over the columns given, the most telling first.
pub fn search(
    prepared: &Prepared,
    table: &TrainingTable,
    bag: &Bag,
    columns: &[usize],
    shapes: &BTreeMap<usize, Vec<f64>>,
    settings: &TrainSettings,
) -> Tables {
    let mut out = Tables { log_odds: bag.log_odds.clone(), ..Tables::default() };
    if settings.max_tables == 0 || columns.len() < 2 {
        return out;
    }
    let searched: Vec<usize> = columns.iter().copied().take(SEARCHED_COLUMNS).collect();
    for &c in &searched {
        if let Some(column) = prepared.columns.get(c) {
            let shape = shapes.get(&c).cloned().unwrap_or_else(|| vec![0.0; column.width()]);
            let side = side_of(column, &bag.rows, &shape);
            if side.groups > 1 {
                out.sides.insert(c, side);
            }
        }
    }
    let rows = rows_of(prepared, table, bag, &out.sides);
    let pairs: Vec<(usize, usize)> = searched
        .iter()
        .enumerate()
        .flat_map(|(i, &a)| searched.iter().skip(i + 1).map(move |&b| (a.min(b), a.max(b))))
        .filter(|(a, b)| out.sides.contains_key(a) && out.sides.contains_key(b))
        .collect();

    let fold_of = folds(bag.rows.len(), &rows.good, table, bag, settings);
    let jobs: Vec<(usize, f64)> = (0..FOLDS).flat_map(|f| STRENGTHS.iter().map(move |&s| (f, s))).collect();
    let paths: Vec<(usize, f64, Vec<Vec<f64>>)> = jobs
        .par_iter()
        .map(|&(fold, strength)| {
            let part = |inside: bool| -> Vec<usize> {
                fold_of.iter().enumerate().filter(|(_, f)| (**f == fold) == inside).map(|(i, _)| i).collect()
            };
            let (fit, held) = (rows.select(&part(false)), rows.select(&part(true)));
            (fold, strength, path(&fit, Some(&held), &pairs, &out.sides, settings.max_tables, strength).1)
        })
        .collect();
    let (steps, strength, tried, log_odds) = choose(&paths, &fold_of, &rows, settings.max_tables);
    out.tried = tried;
    if steps > 0 {
        out.found = path(&rows, None, &pairs, &out.sides, steps, strength).0;
        out.log_odds = log_odds;
    }
    out
}

/// Groups of about equal rows; special values together, missing apart.
fn side_of(column: &FineColumn, rows: &[u32], shape: &[f64]) -> Side {
    let mut counts = vec![0_usize; column.width()];
    for &row in rows {
        if let Some(n) = column.codes.get(row as usize).and_then(|&c| counts.get_mut(usize::from(c))) {
            *n += 1;
        }
    }
    let order = order_of(column, shape);
    let count = |c: usize| counts.get(c).copied().unwrap_or(0);
    let total: usize = order.iter().map(|&c| count(c)).sum();
    let mut group_of_code = vec![0_u8; column.width()];
    let (mut ends, mut open, mut left, mut group) = (Vec::new(), 0_usize, total, 0_u8);
    for (k, &c) in order.iter().enumerate() {
        if let Some(slot) = group_of_code.get_mut(c) {
            *slot = group;
        }
        open += count(c);
        let groups_left = SIDE_GROUPS.saturating_sub(usize::from(group)).max(1);
        let next = order.get(k + 1).map_or(0, |&c| count(c));
        let quota = left.div_ceil(groups_left);
        let full = open >= quota || open + next > quota + quota / 2;
        if k + 1 == order.len() || (open > 0 && groups_left > 1 && full) {
            ends.push(k + 1);
            left -= open;
            open = 0;
            group += 1;
        }
    }
    let mut groups = usize::from(group);
    for (c, slot) in group_of_code.iter_mut().enumerate().skip(column.cells) {
        *slot = if c == column.missing() { group + 1 } else { group };
    }
    groups += 2;
    Side { ends, group_of_code, groups }
}

fn rows_of(prepared: &Prepared, table: &TrainingTable, bag: &Bag, sides: &BTreeMap<usize, Side>) -> Rows {
    let codes = sides
        .iter()
        .map(|(&c, side)| {
            let fine = prepared.columns.get(c).map_or(&[][..], |f| f.codes.as_slice());
            let group = |r: &u32| {
                let code = fine.get(*r as usize).copied().unwrap_or_default();
                side.group_of_code.get(usize::from(code)).copied().unwrap_or_default()
            };
            (c, bag.rows.iter().map(group).collect())
        })
        .collect();
    let bad = |r: &u32| table.target.get(*r as usize) == Some(&true);
    let weight = |r: &u32| table.weights.as_ref().and_then(|w| w.get(*r as usize)).copied().unwrap_or(1.0);
    Rows {
        codes,
        good: bag.rows.iter().map(|r| if bad(r) { 0.0 } else { 1.0 }).collect(),
        weight: bag.rows.iter().map(weight).collect(),
        offset: bag.log_odds.clone(),
    }
}

fn folds(n: usize, good: &[f64], table: &TrainingTable, bag: &Bag, settings: &TrainSettings) -> Vec<usize> {
    if let Some(groups) = &table.groups {
        let of = |r: &u32| groups.get(*r as usize).copied().unwrap_or_default();
        return bag
            .rows
            .iter()
            .map(|r| ChaCha8Rng::seed_from_u64(of(r) ^ settings.seed.rotate_left(32)).random_range(0..FOLDS))
            .collect();
    }
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut out = vec![0; n];
    for wanted in [0.0, 1.0] {
        let mut members: Vec<usize> =
            good.iter().enumerate().filter(|(_, g)| (**g - wanted).abs() < 0.5).map(|(i, _)| i).collect();
        for i in (1..members.len()).rev() {
            members.swap(i, rng.random_range(0..=i));
        }
        for (k, i) in members.into_iter().enumerate() {
            if let Some(slot) = out.get_mut(i) {
                *slot = k % FOLDS;
            }
        }
    }
    out
}

/// Lets tables in one by one; also gives, after each number of tables from 0, the log odds of held-out rows.
fn path(
    fit: &Rows,
    held: Option<&Rows>,
    pairs: &[(usize, usize)],
    sides: &BTreeMap<usize, Side>,
    most: usize,
    strength: f64,
) -> (Vec<Found>, Vec<Vec<f64>>) {
    let groups = |c: usize| sides.get(&c).map_or(1, |s| s.groups);
    let mut log_odds = fit.offset.clone();
    let mut shortlist: Vec<(usize, usize)> = {
        let here = derivatives(fit, &log_odds);
        let mut scored: Vec<(f64, (usize, usize))> =
            pairs.par_iter().map(|&(a, b)| (score(fit, &here, (a, b), groups(a), groups(b)), (a, b))).collect();
        scored.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(&y.1)));
        scored.into_iter().filter(|(s, _)| *s > LEAST_SCORE).take(SHORTLIST).map(|(_, p)| p).collect()
    };
    let mut tables: Vec<(Found, Vec<u8>)> = Vec::new();
    let mut seen = held.map(|h| vec![h.offset.clone()]).unwrap_or_default();
    let mut best = held.map_or(0.0, |h| loss(h, &h.offset));
    let mut since = 0;
    while tables.len() < most {
        let here = derivatives(fit, &log_odds);
        let entry = shortlist
            .iter()
            .enumerate()
            .map(|(at, &(a, b))| (score(fit, &here, (a, b), groups(a), groups(b)), at))
            .filter(|(s, _)| *s > LEAST_SCORE)
            .max_by(|x, y| x.0.total_cmp(&y.0).then(y.1.cmp(&x.1)));
        let Some((_, at)) = entry else { break };
        let (left, right) = shortlist.remove(at);
        let cells = fit.cells((left, right), groups(right));
        tables.push((Found { left, right, values: vec![0.0; groups(left) * groups(right)] }, cells));
        sweep(fit, &mut tables, &mut log_odds, strength);
        if let Some(held) = held {
            let mut odds = held.offset.clone();
            for (found, _) in &tables {
                for (o, &c) in odds.iter_mut().zip(&held.cells((found.left, found.right), groups(found.right))) {
                    *o += found.values.get(usize::from(c)).copied().unwrap_or_default();
                }
            }
            let here = loss(held, &odds);
            seen.push(odds);
            if here < best - 1e-12 {
                best = here;
                since = 0;
            } else {
                since += 1;
                if since >= PATIENCE {
                    break;
                }
            }
        }
    }
    (tables.into_iter().map(|(found, _)| found).collect(), seen)
}

/// Newton steps cell by cell, table by table: the cells of one table share no row.
fn sweep(fit: &Rows, tables: &mut [(Found, Vec<u8>)], log_odds: &mut [f64], strength: f64) {
    for _ in 0..SWEEPS {
        for (found, cells) in tables.iter_mut() {
            let (slope, curve) = by_cell(cells, &derivatives(fit, log_odds), found.values.len(), strength);
            let step: Vec<f64> = slope
                .iter()
                .zip(&curve)
                .zip(&found.values)
                .map(|((s, k), v)| ((s - strength * v) / k).clamp(-1.0, 1.0))
                .collect();
            for (v, d) in found.values.iter_mut().zip(&step) {
                *v += d;
            }
            for (x, &c) in log_odds.iter_mut().zip(cells.iter()) {
                *x += step.get(usize::from(c)).copied().unwrap_or_default();
            }
        }
    }
}

fn loss(rows: &Rows, log_odds: &[f64]) -> f64 {
    let each = rows.good.iter().zip(&rows.weight).zip(log_odds);
    each.map(|((&g, &w), &x)| w * log_loss(x, g < 0.5)).sum()
}

/// First and second derivative of each row's log likelihood by its log odds, the second with its sign turned.
fn derivatives(rows: &Rows, log_odds: &[f64]) -> Vec<(f64, f64)> {
    let each = log_odds.iter().zip(rows.good.iter().zip(&rows.weight));
    each.map(|(&x, (&y, &w))| {
        let p = sigmoid(x);
        (w * (y - p), w * (p * (1.0 - p)))
    })
    .collect()
}

/// Sums of derivatives over the rows of each cell, the second's from `least` on.
fn by_cell(cells: &[u8], derivatives: &[(f64, f64)], size: usize, least: f64) -> (Vec<f64>, Vec<f64>) {
    let mut slope = vec![0.0; size];
    let mut curve = vec![least; size];
    for (&c, &(first, second)) in cells.iter().zip(derivatives) {
        if let (Some(s), Some(k)) = (slope.get_mut(usize::from(c)), curve.get_mut(usize::from(c))) {
            *s += first;
            *k += second;
        }
    }
    (slope, curve)
}

/// How much the cells of a pair hold beyond the sum of its rows and columns: χ², standardised by its degrees of freedom.
fn score(rows: &Rows, derivatives: &[(f64, f64)], pair: (usize, usize), a: usize, b: usize) -> f64 {
    let cells = rows.cells(pair, b);
    let (slope, curve) = by_cell(&cells, derivatives, a * b, 0.0);
    // Weighted two-way fit by turns.
    let (mut by_row, mut by_column) = (vec![0.0; a], vec![0.0; b]);
    for _ in 0..8 {
        for along_rows in [true, false] {
            let size = if along_rows { a } else { b };
            let (mut num, mut den) = (vec![0.0; size], vec![1e-9; size]);
            for (at, (&s, &k)) in slope.iter().zip(&curve).enumerate() {
                let (i, j) = (at / b, at % b);
                let (own, other) = if along_rows { (i, by_column.get(j)) } else { (j, by_row.get(i)) };
                if let (Some(n), Some(d), Some(&o)) = (num.get_mut(own), den.get_mut(own), other) {
                    *n += s - k * o;
                    *d += k;
                }
            }
            let effects: Vec<f64> = num.iter().zip(&den).map(|(n, d)| n / d).collect();
            if along_rows { by_row = effects } else { by_column = effects }
        }
    }
    let mut statistic = 0.0;
    let (mut used_rows, mut used_columns, mut used) = (vec![false; a], vec![false; b], 0_usize);
    for (at, (&s, &k)) in slope.iter().zip(&curve).enumerate() {
        if k > 0.5 {
            let (i, j) = (at / b, at % b);
            let additive = by_row.get(i).zip(by_column.get(j)).map_or(0.0, |(r, c)| r + c);
            statistic += (s - k * additive).powi(2) / k;
            used += 1;
            if let (Some(r), Some(c)) = (used_rows.get_mut(i), used_columns.get_mut(j)) {
                *r = true;
                *c = true;
            }
        }
    }
    let count = |v: &[bool]| v.iter().filter(|u| **u).count();
    let freedom = (used + 1).saturating_sub(count(&used_rows) + count(&used_columns));
    if freedom == 0 {
        return f64::NEG_INFINITY;
    }
    (statistic - freedom as f64) / (2.0 * freedom as f64).sqrt()
}

type Choice = (usize, f64, Vec<(usize, f64)>, Vec<f64>);

/// The number of tables and the strength with the least held-out loss; none, unless the gain exceeds its standard error.
fn choose(paths: &[(usize, f64, Vec<Vec<f64>>)], fold_of: &[usize], rows: &Rows, most: usize) -> Choice {
    let total: f64 = rows.weight.iter().sum();
    let assembled = |steps: usize, strength: f64| -> Vec<f64> {
        let mut queues: BTreeMap<usize, std::slice::Iter<'_, f64>> = paths
            .iter()
            .filter(|(_, s, _)| s.total_cmp(&strength).is_eq())
            .filter_map(|(fold, _, path)| {
                // A fold that stopped early stays where it stopped.
                let at = steps.min(path.len().saturating_sub(1));
                path.get(at).map(|odds| (*fold, odds.iter()))
            })
            .collect();
        fold_of.iter().map(|f| queues.get_mut(f).and_then(Iterator::next).copied().unwrap_or_default()).collect()
    };
    let losses = |odds: &[f64]| -> Vec<f64> {
        rows.good.iter().zip(&rows.weight).zip(odds).map(|((&g, &w), &x)| w * log_loss(x, g < 0.5)).collect()
    };
    let plain = losses(&rows.offset);
    let base: f64 = plain.iter().sum();
    let mut tried = vec![(0, base / total)];
    let mut best: Option<(f64, usize, f64, Vec<f64>)> = None;
    for &strength in &STRENGTHS {
        for steps in 1..=most {
            if !paths.iter().any(|(_, s, p)| s.total_cmp(&strength).is_eq() && p.len() > steps) {
                break;
            }
            let odds = assembled(steps, strength);
            let each = losses(&odds);
            let gain: f64 = base - each.iter().sum::<f64>();
            tried.push((steps, (base - gain) / total));
            let n = each.len() as f64;
            let spread: f64 = plain.iter().zip(&each).map(|(a, b)| (a - b - gain / n).powi(2)).sum();
            if gain > spread.sqrt() && best.as_ref().is_none_or(|(g, ..)| gain > *g) {
                best = Some((gain, steps, strength, odds));
            }
        }
    }
    match best {
        Some((_, steps, strength, odds)) => (steps, strength, tried, odds),
        None => (0, 0.0, tried, rows.offset.clone()),
    }
}

/// Mean of a table's values over training rows, from a tally of its cells.
pub fn centred(values: &mut [f64], cells: &[Cell]) -> f64 {
    let rows: f64 = cells.iter().map(|c| c.rows).sum();
    let mean = values.iter().zip(cells).map(|(v, c)| v * c.rows).sum::<f64>() / rows.max(1.0);
    for v in values.iter_mut() {
        *v -= mean;
    }
    mean
}
