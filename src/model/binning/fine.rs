//! Fine cells: a column read once becomes one byte a row.
//!
//! Codes `0..cells` are regular cells in order, then one code for each special value, then one for missing. Edges come from the
//! training rows only and, but for tree pre-binning, never look at the target.

use serde::{Deserialize, Serialize};

use super::dynamic::Cell;
use crate::model::ModelError;
use crate::model::table::{Column, MISSING_LEVEL, TextValues, Values, number_as_text};

/// How cells of a numeric column are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreBinning {
    /// Equal numbers of rows.
    #[default]
    Quantile,
    /// Equal widths.
    Uniform,
    /// Splits that lower Gini impurity most, found greedily over 200 quantile cells.
    Tree,
}

/// What a cell stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum FineScale {
    /// Upper edges (inclusive) of all cells but the last.
    Number {
        /// Ascending.
        edges: Vec<f64>,
    },
    /// Levels of each cell; the last cell may be the pool of rare ones.
    Text {
        /// One list a cell.
        levels: Vec<Vec<String>>,
        /// The cell that rare levels were pooled in.
        pool: Option<u8>,
    },
}

/// A column as codes.
#[derive(Debug, Clone, PartialEq)]
pub struct FineColumn {
    /// The column's name.
    pub name: String,
    /// What the cells are.
    pub scale: FineScale,
    /// Number of regular cells.
    pub cells: usize,
    /// Values that have a code of their own.
    pub specials: Vec<f64>,
    /// One code a row.
    pub codes: Vec<u8>,
}

impl FineColumn {
    /// The code of missing values.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.cells + self.specials.len()
    }

    /// All codes: regular, special, missing.
    #[must_use]
    pub fn width(&self) -> usize {
        self.missing() + 1
    }
}

/// Why a column cannot be a variable; the reason is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Stable word: `all-missing`, `constant`, `unique-id`, `too-many-levels`, `type`.
    pub rule: &'static str,
    /// In words, with figures.
    pub why: String,
}

const TREE_CELLS: usize = 200;
const MAX_SPECIALS: usize = 40;
const SORT_SAMPLE: usize = 1_000_000;

/// Codes one column. `train` marks rows that edges may be learnt from.
///
/// # Errors
/// An infinite value, or more special values than fit.
pub fn code_column(
    column: &Column,
    train: &[bool],
    target: &[bool],
    specials: &[f64],
    pre_binning: PreBinning,
    max_cells: usize,
    min_level_rows: f64,
) -> Result<Result<FineColumn, Unusable>, ModelError> {
    if specials.len() > MAX_SPECIALS {
        return Err(ModelError::BadSetting { setting: "special", why: format!("at most {MAX_SPECIALS} values") });
    }
    match &column.values {
        Values::Number(values) => code_numbers(column, values, train, target, specials, pre_binning, max_cells),
        Values::Text(text) => Ok(code_text(column, text, train, specials, max_cells, min_level_rows)),
    }
}

fn code_numbers(
    column: &Column,
    values: &[f64],
    train: &[bool],
    target: &[bool],
    specials: &[f64],
    pre_binning: PreBinning,
    max_cells: usize,
) -> Result<Result<FineColumn, Unusable>, ModelError> {
    let is_special = |v: f64| specials.iter().any(|s| s.total_cmp(&v).is_eq());
    if let Some(row) = values.iter().position(|v| v.is_infinite() && !is_special(*v)) {
        return Err(ModelError::Infinite { column: column.name.clone(), row: row + 1 });
    }
    let regular = |(v, t): (&f64, &bool)| (*t && !v.is_nan() && !is_special(*v)).then_some(*v);
    let mut sorted: Vec<f64> = values.iter().zip(train).filter_map(regular).collect();
    let any_special = values.iter().zip(train).any(|(v, t)| *t && is_special(*v));
    if sorted.is_empty() && !any_special {
        return Ok(Err(Unusable { rule: "all-missing", why: "no training row has a value".to_owned() }));
    }
    let known = sorted.len();
    if known > 2 * SORT_SAMPLE {
        // Every k-th value in file order stands for the whole: edges need no more, counts are taken over all rows.
        let step = known.div_ceil(SORT_SAMPLE);
        sorted = sorted.into_iter().step_by(step).collect();
    }
    sorted.sort_unstable_by(f64::total_cmp);
    // −0.0 and 0.0 are one value.
    let distinct = 1 + sorted.iter().zip(sorted.iter().skip(1)).filter(|(a, b)| a < b).count();
    let nothing_else = known == train.iter().filter(|t| **t).count() && !any_special;
    if (distinct == 1 || sorted.is_empty()) && nothing_else {
        let value = sorted.first().copied().unwrap_or_default();
        return Ok(Err(Unusable { rule: "constant", why: format!("every training row is {value}") }));
    }
    if looks_like_row_numbers(&sorted, distinct) {
        return Ok(Err(Unusable {
            rule: "unique-id",
            why: format!("{distinct} distinct whole numbers in {known} rows, without gaps: an identifier"),
        }));
    }
    let edges = match pre_binning {
        PreBinning::Quantile => quantile_edges(&sorted, max_cells),
        PreBinning::Uniform => uniform_edges(&sorted, max_cells),
        PreBinning::Tree => {
            let fine = quantile_edges(&sorted, TREE_CELLS);
            tree_edges(&fine, values, train, target, is_special, max_cells)
        }
    };
    let cells = edges.len() + 1;
    let codes = values.iter().map(|&v| number_code(v, &edges, specials)).collect();
    Ok(Ok(FineColumn {
        name: column.name.clone(),
        scale: FineScale::Number { edges },
        cells,
        specials: specials.to_vec(),
        codes,
    }))
}

/// Edges are upper and inclusive.
#[expect(clippy::cast_possible_truncation, reason = "at most 200 cells, 40 special values and missing")]
fn number_code(value: f64, edges: &[f64], specials: &[f64]) -> u8 {
    let cells = edges.len() + 1;
    if value.is_nan() {
        (cells + specials.len()) as u8
    } else if let Some(which) = specials.iter().position(|s| s.total_cmp(&value).is_eq()) {
        (cells + which) as u8
    } else {
        edges.partition_point(|e| *e < value) as u8
    }
}

/// Whole numbers, all different, nearly without gaps: row numbers and identifiers drawn in order.
fn looks_like_row_numbers(sorted: &[f64], distinct: usize) -> bool {
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return false };
    sorted.len() >= 100
        && distinct == sorted.len()
        && sorted.iter().all(|v| v.fract() == 0.0)
        && last - first < 3.0 * sorted.len() as f64
}

fn quantile_edges(sorted: &[f64], max_cells: usize) -> Vec<f64> {
    let mut runs: Vec<(f64, usize)> = Vec::new();
    for &v in sorted {
        match runs.last_mut() {
            Some((last, n)) if *last >= v => *n += 1,
            _ => runs.push((v, 1)),
        }
    }
    let pairs = || runs.iter().zip(runs.iter().skip(1));
    if runs.len() <= max_cells {
        return pairs().map(|(a, b)| cut_between(a.0, b.0)).collect();
    }
    // A value that holds many rows takes a cell; the rest share what cells are left.
    let mut edges = Vec::new();
    let (mut open, mut left_rows, mut left_cells) = (0_usize, sorted.len(), max_cells);
    for (run, next) in pairs() {
        open += run.1;
        let quota = left_rows.div_ceil(left_cells.max(1));
        if left_cells > 1 && (open >= quota || open + next.1 > quota + quota / 2) {
            edges.push(cut_between(run.0, next.0));
            left_rows -= open;
            left_cells -= 1;
            open = 0;
        }
    }
    edges
}

fn uniform_edges(sorted: &[f64], max_cells: usize) -> Vec<f64> {
    let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let width = (last - first) / max_cells as f64;
    let mut edges: Vec<f64> = (1..max_cells).map(|k| first + width * k as f64).collect();
    // Empty cells have nothing to say.
    edges.dedup_by_key(|e| sorted.partition_point(|v| v <= e));
    edges.retain(|e| {
        let below = sorted.partition_point(|v| v <= e);
        below > 0 && below < sorted.len()
    });
    edges
}

fn tree_edges(
    fine: &[f64],
    values: &[f64],
    train: &[bool],
    target: &[bool],
    is_special: impl Fn(f64) -> bool,
    max_cells: usize,
) -> Vec<f64> {
    let mut cells = vec![Cell::default(); fine.len() + 1];
    for ((&v, &t), &y) in values.iter().zip(train).zip(target) {
        if t && !v.is_nan() && !is_special(v) {
            let at = fine.partition_point(|e| *e < v);
            if let Some(cell) = cells.get_mut(at) {
                *cell = cell.plus(Cell { rows: 1.0, bad: f64::from(u8::from(y)) });
            }
        }
    }
    let sum = |i: usize, j: usize| cells.get(i..j).unwrap_or_default().iter().fold(Cell::default(), |a, &c| a.plus(c));
    let impurity = |c: Cell| c.rows * c.rate() * (1.0 - c.rate());
    let split = |i: usize, j: usize| {
        let whole = impurity(sum(i, j));
        let mut best: Option<(f64, usize)> = None;
        for k in i + 1..j {
            let gain = whole - impurity(sum(i, k)) - impurity(sum(k, j));
            if gain > 0.0 && best.is_none_or(|(g, _)| gain > g) {
                best = Some((gain, k));
            }
        }
        best
    };
    let mut leaves = vec![(0_usize, cells.len(), split(0, cells.len()))];
    while leaves.len() < max_cells {
        let widest = leaves
            .iter()
            .enumerate()
            .filter_map(|(at, leaf)| leaf.2.map(|(gain, k)| (gain, at, k)))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let Some((_, at, k)) = widest else { break };
        let (i, j, _) = leaves.swap_remove(at);
        leaves.push((i, k, split(i, k)));
        leaves.push((k, j, split(k, j)));
    }
    let mut starts: Vec<usize> = leaves.iter().map(|l| l.0).filter(|&i| i > 0).collect();
    starts.sort_unstable();
    starts.iter().filter_map(|&i| fine.get(i - 1).copied()).collect()
}

/// The shortest decimal `c` with `low ≤ c < high`, near the middle: edges that a person can read.
fn cut_between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    let gap = high - low;
    if !gap.is_finite() || middle <= low || middle >= high {
        return low;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a finite number is small")]
    let first = -(gap.log10().floor() as i32);
    for digits in first..first + 3 {
        let scale = 10_f64.powi(digits);
        let rounded = (middle * scale).round() / scale;
        if rounded.is_finite() && rounded >= low && rounded < high {
            return rounded;
        }
    }
    middle
}

fn code_text(
    column: &Column,
    text: &TextValues,
    train: &[bool],
    specials: &[f64],
    max_cells: usize,
    min_level_rows: f64,
) -> Result<FineColumn, Unusable> {
    let mut counts = vec![0_usize; text.levels.len()];
    let mut known = 0_usize;
    for (&code, _) in text.codes.iter().zip(train).filter(|(c, t)| **t && **c != MISSING_LEVEL) {
        if let Some(n) = counts.get_mut(code as usize) {
            *n += 1;
            known += 1;
        }
    }
    let rows = train.iter().filter(|t| **t).count();
    let present = counts.iter().filter(|n| **n > 0).count();
    if present == 0 {
        return Err(Unusable { rule: "all-missing", why: "no training row has a value".to_owned() });
    }
    if present == 1 && known == rows {
        let level = counts.iter().position(|n| *n > 0).and_then(|i| text.levels.get(i)).cloned().unwrap_or_default();
        return Err(Unusable { rule: "constant", why: format!("every training row is {level:?}") });
    }
    if present > 50 && present * 2 > known {
        return Err(Unusable {
            rule: "unique-id",
            why: format!("{present} distinct values in {known} rows: an identifier or free text"),
        });
    }
    let special_texts: Vec<String> = specials.iter().map(|s| number_as_text(*s)).collect();
    let mut order: Vec<usize> = (0..counts.len()).filter(|&i| counts.get(i).is_some_and(|n| *n > 0)).collect();
    let count = |i: usize| counts.get(i).copied().unwrap_or(0);
    let name = |i: usize| text.levels.get(i).map_or("", String::as_str);
    order.retain(|&i| !special_texts.iter().any(|s| s == name(i)));
    order.sort_by(|&a, &b| count(b).cmp(&count(a)).then_with(|| name(a).cmp(name(b))));
    let alone = order.iter().take(max_cells.max(2) - 1).filter(|&&i| count(i) as f64 >= min_level_rows).count();
    let (own, pooled) = order.split_at(alone.min(order.len()));
    let mut own = own.to_vec();
    own.sort_by(|&a, &b| name(a).cmp(name(b)));
    let mut levels: Vec<Vec<String>> = own.iter().map(|&i| vec![name(i).to_owned()]).collect();
    let mut pool = None;
    if !pooled.is_empty() {
        pool = u8::try_from(levels.len()).ok();
        let mut names: Vec<String> = pooled.iter().map(|&i| name(i).to_owned()).collect();
        names.sort();
        levels.push(names);
    }
    let cells = levels.len();
    #[expect(clippy::cast_possible_truncation, reason = "at most 200 cells, 40 special values and missing")]
    let missing = (cells + specials.len()) as u8;
    // Levels seen only in rows set aside are unseen: they are coded as missing here and take the fallback when scored.
    let mut code_of = vec![pool.unwrap_or(missing); text.levels.len()];
    for (cell, &i) in own.iter().enumerate() {
        if let (Some(slot), Ok(cell)) = (code_of.get_mut(i), u8::try_from(cell)) {
            *slot = cell;
        }
    }
    for (which, special) in special_texts.iter().enumerate() {
        if let Some(i) = text.levels.iter().position(|l| l == special)
            && let (Some(slot), Ok(code)) = (code_of.get_mut(i), u8::try_from(cells + which))
        {
            *slot = code;
        }
    }
    let codes = text
        .codes
        .iter()
        .map(|&c| if c == MISSING_LEVEL { missing } else { code_of.get(c as usize).copied().unwrap_or(missing) })
        .collect();
    Ok(FineColumn {
        name: column.name.clone(),
        scale: FineScale::Text { levels, pool },
        cells,
        specials: specials.to_vec(),
        codes,
    })
}

/// Counts of every code over the rows given. Shards' tallies add up to the whole's.
#[must_use]
pub fn tally(column: &FineColumn, rows: &[u32], target: &[bool], weights: Option<&[f64]>) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); column.width()];
    for &row in rows {
        let row = row as usize;
        let (Some(&code), Some(&bad)) = (column.codes.get(row), target.get(row)) else { continue };
        let weight = weights.and_then(|w| w.get(row)).copied().unwrap_or(1.0);
        if let Some(cell) = cells.get_mut(usize::from(code)) {
            cell.rows += weight;
            if bad {
                cell.bad += weight;
            }
        }
    }
    cells
}
