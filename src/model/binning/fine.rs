//! Fine cells: a column read once becomes one byte a row.
//!
//! Codes `0..cells` are regular cells in order, then one code for each special value, then one for missing and, for text, one for levels that
//! no training row has. Edges come from the training rows only and, but for tree pre-binning, never look at the target.

use crate::domain::elementary::log10;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::dynamic::Cell;
use super::places::{Places, byte};
use super::settings::BinningSettings;
use super::summary::{Rows, Spans, Summary};
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
    /// One code a row, of the rows coded so far.
    pub codes: Vec<u8>,
}

impl FineColumn {
    /// The code of missing values.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.cells + self.specials.len()
    }

    /// The code of levels that no training row has; numbers have none.
    #[must_use]
    pub fn unseen(&self) -> Option<usize> {
        matches!(self.scale, FineScale::Text { .. }).then(|| self.missing() + 1)
    }

    /// All codes: regular, special, missing, unseen.
    #[must_use]
    pub fn width(&self) -> usize {
        self.unseen().unwrap_or(self.missing()) + 1
    }

    /// Appends the codes of a column, or of the next shard of it.
    ///
    /// # Errors
    /// The column is of another kind than the one that was summed up.
    pub fn append(&mut self, column: &Column) -> Result<(), ModelError> {
        let missing = byte(self.missing());
        match (&self.scale, &column.values) {
            (FineScale::Number { edges }, Values::Number(values)) => {
                let specials = self.specials.iter().enumerate().map(|(at, s)| (*s, byte(self.cells + at))).collect();
                Places::new(edges, specials, missing).codes(values, &mut self.codes);
                Ok(())
            }
            (FineScale::Text { levels, .. }, Values::Text(text)) => {
                let of_level = level_codes(levels, &self.specials, text);
                let code = |c: &u32| of_level.get(*c as usize).copied().unwrap_or(missing);
                self.codes.extend(text.codes.iter().map(|c| if *c == MISSING_LEVEL { missing } else { code(c) }));
                Ok(())
            }
            _ => {
                let why = format!("column {:?} changed its kind while it was read", self.name);
                Err(ModelError::CannotTrain { why })
            }
        }
    }

    /// Counts of every code over the training rows that were summed up. Exact but for uniform edges over more values than a summary holds.
    #[must_use]
    pub fn tally_of(&self, summary: &Summary) -> Vec<Cell> {
        let mut cells = match (&self.scale, summary.regular()) {
            (FineScale::Number { edges }, Ok(spans)) => spans.tally(edges),
            (FineScale::Text { levels, .. }, Err(counts)) => levels
                .iter()
                .map(|names| names.iter().filter_map(|n| counts.get(n)).fold(Cell::default(), |a, &c| a.plus(c)))
                .collect(),
            _ => vec![Cell::default(); self.cells],
        };
        cells.extend(summary.beside());
        // No training row has what no training row has.
        cells.resize(self.width(), Cell::default());
        cells
    }
}

/// The code of each level of a text column.
fn level_codes(levels: &[Vec<String>], specials: &[f64], text: &TextValues) -> Vec<u8> {
    let mut code_of: HashMap<String, u8> = HashMap::new();
    for (cell, names) in levels.iter().enumerate() {
        code_of.extend(names.iter().map(|n| (n.clone(), byte(cell))));
    }
    code_of.extend(specials.iter().enumerate().map(|(at, s)| (number_as_text(*s), byte(levels.len() + at))));
    let unseen = byte(levels.len() + specials.len() + 1);
    text.levels.iter().map(|l| code_of.get(l).copied().unwrap_or(unseen)).collect()
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

/// Codes one column that is in memory. `rows` says from which rows edges may be learnt.
///
/// # Errors
/// An infinite value, or more special values than fit.
pub fn code_column(
    column: &Column,
    rows: Rows<'_>,
    specials: &[f64],
    settings: &BinningSettings,
) -> Result<Result<FineColumn, Unusable>, ModelError> {
    let summary = Summary::of(column, rows, specials)?;
    match lay_out(&column.name, &summary, settings)? {
        Ok(mut fine) => {
            fine.append(column)?;
            Ok(Ok(fine))
        }
        Err(unusable) => Ok(Err(unusable)),
    }
}

/// The fine cells of a column, with no row coded yet.
///
/// # Errors
/// More special values than fit.
pub fn lay_out(
    name: &str,
    summary: &Summary,
    settings: &BinningSettings,
) -> Result<Result<FineColumn, Unusable>, ModelError> {
    if summary.specials().len() > MAX_SPECIALS {
        return Err(ModelError::BadSetting { setting: "special", why: format!("at most {MAX_SPECIALS} values") });
    }
    let scale = match summary.regular() {
        Ok(spans) => number_scale(spans, summary, settings),
        Err(levels) => text_scale(levels, summary, settings),
    };
    Ok(scale.map(|scale| {
        let cells = match &scale {
            FineScale::Number { edges } => edges.len() + 1,
            FineScale::Text { levels, .. } => levels.len(),
        };
        FineColumn { name: name.to_owned(), scale, cells, specials: summary.specials().to_vec(), codes: Vec::new() }
    }))
}

fn all_missing() -> Unusable {
    Unusable { rule: "all-missing", why: "no training row has a value".to_owned() }
}

fn number_scale(spans: &Spans, summary: &Summary, settings: &BinningSettings) -> Result<FineScale, Unusable> {
    let beside = summary.special_rows() + summary.missing_rows();
    match spans.spans() {
        [] if summary.special_rows() <= 0.0 => return Err(all_missing()),
        [only] if only.low >= only.high && beside <= 0.0 => {
            return Err(Unusable { rule: "constant", why: format!("every training row is {}", only.low) });
        }
        _ => {}
    }
    if spans.looks_like_row_numbers() {
        let rows = spans.rows();
        let why = format!(
            "{rows} rows hold as many different whole numbers, without gaps, words around them aside: an identifier"
        );
        return Err(Unusable { rule: "unique-id", why });
    }
    let cells = settings.cells_for(spans.spans().iter().fold(Cell::default(), |a, s| a.plus(s.cell)));
    let edges = match settings.pre_binning {
        PreBinning::Quantile => quantile_edges(spans, cells),
        PreBinning::Uniform => uniform_edges(spans, cells),
        PreBinning::Tree => {
            let fine = quantile_edges(spans, TREE_CELLS);
            tree_edges(&fine, &spans.tally(&fine), cells)
        }
    };
    Ok(FineScale::Number { edges })
}

fn quantile_edges(spans: &Spans, max_cells: usize) -> Vec<f64> {
    let spans_of = spans.spans();
    let pairs = || spans_of.iter().zip(spans_of.iter().skip(1));
    if spans_of.len() <= max_cells {
        return pairs().map(|(a, b)| cut_between(a.high, b.low)).collect();
    }
    // A value that holds many rows takes a cell; the rest share what cells are left.
    let mut edges = Vec::new();
    let (mut open, mut left_rows, mut left_cells) = (0.0, spans.rows(), max_cells);
    for (run, next) in pairs() {
        open += run.cell.rows;
        let quota = (left_rows / left_cells.max(1) as f64).ceil();
        if left_cells > 1 && (open >= quota || open + next.cell.rows > quota + (quota / 2.0).floor()) {
            edges.push(cut_between(run.high, next.low));
            left_rows -= open;
            left_cells -= 1;
            open = 0.0;
        }
    }
    edges
}

fn uniform_edges(spans: &Spans, max_cells: usize) -> Vec<f64> {
    let all = spans.spans();
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return Vec::new() };
    let width = (last.high - first.low) / max_cells as f64;
    let mut edges: Vec<(usize, f64)> = Vec::new();
    for k in 1..max_cells {
        let edge = first.low + width * k as f64;
        // Empty cells have nothing to say.
        let below = all.partition_point(|s| s.high <= edge);
        if edges.last().is_some_and(|(before, _)| *before == below) {
            continue;
        }
        if let (Some(under), Some(over)) = (below.checked_sub(1).and_then(|i| all.get(i)), all.get(below)) {
            // An edge within a span goes to its lower end: what is summed up cannot be divided.
            edges.push((below, if over.low <= edge { cut_between(under.high, over.low) } else { edge }));
        }
    }
    edges.into_iter().map(|(_, edge)| edge).collect()
}

fn tree_edges(fine: &[f64], cells: &[Cell], max_cells: usize) -> Vec<f64> {
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
    let first = -(log10(gap).floor() as i32);
    for digits in first..first + 3 {
        let scale = 10_f64.powi(digits);
        let rounded = (middle * scale).round() / scale;
        if rounded.is_finite() && rounded >= low && rounded < high {
            return rounded;
        }
    }
    middle
}

fn text_scale(
    levels: &HashMap<String, Cell>,
    summary: &Summary,
    settings: &BinningSettings,
) -> Result<FineScale, Unusable> {
    let present_specials: Vec<String> = summary
        .specials()
        .iter()
        .zip(summary.beside())
        .filter(|(_, cell)| cell.rows > 0.0)
        .map(|(s, _)| number_as_text(*s))
        .collect();
    let present = levels.len() + present_specials.len();
    let known = levels.values().map(|c| c.rows).sum::<f64>() + summary.special_rows();
    if present == 0 {
        return Err(all_missing());
    }
    if present == 1 && summary.missing_rows() <= 0.0 {
        let only = levels.keys().chain(&present_specials).next().cloned().unwrap_or_default();
        return Err(Unusable { rule: "constant", why: format!("every training row is {only:?}") });
    }
    if present > 50 && present as f64 * 2.0 > known {
        return Err(Unusable {
            rule: "unique-id",
            why: format!("{present} distinct values in {known} rows: an identifier or free text"),
        });
    }
    let mut order: Vec<(&String, f64)> = levels.iter().map(|(name, cell)| (name, cell.rows)).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let cells = settings.cells_for(levels.values().fold(Cell::default(), |a, &c| a.plus(c)));
    let may = order.iter().take(cells.max(2) - 1);
    let alone = may.filter(|(_, rows)| *rows >= settings.min_level_rows).count();
    let (own, pooled) = order.split_at(alone.min(order.len()));
    let sorted = |part: &[(&String, f64)]| {
        let mut names: Vec<String> = part.iter().map(|(name, _)| (*name).clone()).collect();
        names.sort();
        names
    };
    let mut cells: Vec<Vec<String>> = sorted(own).into_iter().map(|name| vec![name]).collect();
    let pool = (!pooled.is_empty()).then(|| byte(cells.len()));
    if !pooled.is_empty() {
        cells.push(sorted(pooled));
    }
    Ok(FineScale::Text { levels: cells, pool })
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
