//! The scorecard: integer points a bin, a score, a probability, reasons.

use serde::{Deserialize, Serialize};

use super::binning::{Assigner, Bins};
use super::calibration::Calibration;
use super::error::ModelError;
use super::points::Scaling;
use super::table::{Column, Kind, ScoringTable};
use crate::domain::elementary::sigmoid;

/// A variable with points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredVariable {
    /// Reason code: stable, kebab-case.
    pub code: String,
    /// Its bins.
    pub bins: Bins,
    /// Points of each bin.
    pub points: Vec<i32>,
    /// Log odds of good that the points stand for, before rounding.
    pub log_odds: Vec<f64>,
    /// Points of the average training row: what reasons are measured against.
    pub reference_points: i32,
}

/// A small table of points over two variables, on top of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairTable {
    /// Reason code.
    pub code: String,
    /// First variable: its position in the scorecard, the row of each of its bins.
    pub left: usize,
    /// Row of each bin of the first variable.
    pub left_groups: Vec<u8>,
    /// Labels of the rows.
    pub left_labels: Vec<String>,
    /// Second variable.
    pub right: usize,
    /// Column of each bin of the second variable.
    pub right_groups: Vec<u8>,
    /// Labels of the columns.
    pub right_labels: Vec<String>,
    /// Points, row by row.
    pub points: Vec<Vec<i32>>,
    /// Log odds of good before rounding.
    pub log_odds: Vec<Vec<f64>>,
    /// Points of the average training row.
    pub reference_points: i32,
}

/// A band of the master scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// `A` is the safest.
    pub name: String,
    /// Lowest score of the band; `None` for the last.
    pub min_score: Option<i32>,
}

/// A reason for a lower score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code of the factor.
    pub code: String,
    /// The factor and what was found, in words.
    pub text: String,
    /// The variable (for a table, both, joined by ` × `).
    pub variable: String,
    /// Points below the reference.
    pub points_lost: i32,
}

/// One scored row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Probability of default.
    pub pd: f64,
    /// Score; higher is safer.
    pub score: i32,
    /// Band of the master scale.
    pub band: String,
    /// Points of each variable, then of each table; with the base points they sum to the score.
    pub points: Vec<i32>,
    /// Bin of each variable.
    pub bins: Vec<u8>,
    /// One to four reasons, most points lost first; none where nothing was lost.
    pub reasons: Vec<Reason>,
}

/// Scores of a block of rows, by column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BlockScores {
    /// Score of each row.
    pub score: Vec<i32>,
    /// Bins of each variable.
    pub bins: Vec<Vec<u8>>,
}

/// Scores a table that comes in blocks.
#[derive(Debug)]
pub struct BlockScorer<'a> {
    card: &'a Scorecard,
    assigners: Vec<Assigner<'a>>,
}

impl<'a> BlockScorer<'a> {
    /// Prepares to find bins, once for all blocks.
    #[must_use]
    pub fn new(card: &'a Scorecard) -> Self {
        Self { card, assigners: card.variables.iter().map(|v| Assigner::new(&v.bins)).collect() }
    }

    /// Scores columns given in the order of [`Scorecard::inputs`].
    ///
    /// # Errors
    /// A column of another kind or with an infinite value.
    pub fn score(&self, columns: &[&Column]) -> Result<BlockScores, ModelError> {
        if columns.len() != self.assigners.len() {
            let why = format!("{} columns given, {} needed", columns.len(), self.assigners.len());
            return Err(ModelError::CannotTrain { why });
        }
        let rows = columns.first().map_or(0, |c| c.len());
        let bins: Vec<Vec<u8>> =
            self.assigners.iter().zip(columns).map(|(a, c)| a.assign(c)).collect::<Result<_, _>>()?;
        Ok(BlockScores { score: self.card.score_codes(&bins, rows), bins })
    }
}

/// A scorecard. It is data: JSON in, JSON out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// Version of this layout.
    pub format: u32,
    /// Score scale; a higher score is safer.
    pub scaling: Scaling,
    /// Points every row has.
    pub base_points: i32,
    /// Variables.
    pub variables: Vec<ScoredVariable>,
    /// Two-variable tables.
    pub tables: Vec<PairTable>,
    /// From the score to a probability, with the lowest one ever stated.
    pub calibration: Calibration,
    /// Bands, safest first.
    pub bands: Vec<Band>,
}

/// Reasons given at most.
const MAX_REASONS: usize = 4;
/// Version of the layout that this code reads and writes.
pub const FORMAT: u32 = 1;
/// Probabilities of default that part one band from the next.
const BAND_LIMITS: [f64; 8] = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64];
const BAND_NAMES: [&str; 9] = ["A", "B", "C", "D", "E", "F", "G", "H", "I"];

impl Scorecard {
    /// Columns that scoring reads, with the kind each must have.
    #[must_use]
    pub fn inputs(&self) -> Vec<(String, Kind)> {
        let kind = |b: &Bins| match b.kind {
            super::binning::BinKind::Number { .. } => Kind::Number,
            super::binning::BinKind::Text { .. } => Kind::Text,
        };
        self.variables.iter().map(|v| (v.bins.name.clone(), kind(&v.bins))).collect()
    }

    /// Probability of default at a score.
    #[must_use]
    pub fn probability(&self, score: i32) -> f64 {
        self.calibration.apply(sigmoid(-self.scaling.log_odds(f64::from(score))))
    }

    /// Band of a score.
    #[must_use]
    pub fn band(&self, score: i32) -> &str {
        self.bands.iter().find(|b| b.min_score.is_none_or(|m| score >= m)).map_or("", |b| b.name.as_str())
    }

    /// Names and highest probabilities of default of the bands, safest first: what grades of a master scale are fitted to.
    #[must_use]
    pub fn band_bounds() -> Vec<(String, f64)> {
        let limits = BAND_LIMITS.iter().copied().chain([1.0]);
        BAND_NAMES.iter().map(|name| (*name).to_owned()).zip(limits).collect()
    }

    /// Bands whose limits are probabilities of default: each is twice the one before.
    pub(crate) fn master_scale(&mut self) {
        let (low, high) = self.score_range();
        self.bands = BAND_NAMES
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let min_score = BAND_LIMITS.get(i).map(|&limit| {
                    // The probability falls as the score rises: bisect for the lowest score below the limit.
                    let (mut a, mut b) = (low - 1, high + 1);
                    while b - a > 1 {
                        let middle = a + (b - a) / 2;
                        if self.probability(middle) < limit { b = middle } else { a = middle }
                    }
                    b
                });
                Band { name: (*name).to_owned(), min_score }
            })
            .collect();
    }

    /// Lowest and highest score that any row can have.
    #[must_use]
    pub fn score_range(&self) -> (i32, i32) {
        let (mut low, mut high) = (self.base_points, self.base_points);
        let mains = self.variables.iter().map(|v| v.points.as_slice());
        let tables = self.tables.iter().map(|t| t.points.concat());
        for points in mains.map(<[i32]>::to_vec).chain(tables) {
            low += points.iter().min().copied().unwrap_or(0);
            high += points.iter().max().copied().unwrap_or(0);
        }
        (low, high)
    }

    /// Scores of rows whose bins are known, variable by variable.
    pub(crate) fn score_codes(&self, bins: &[Vec<u8>], rows: usize) -> Vec<i32> {
        let mut score = vec![self.base_points; rows];
        for (variable, codes) in self.variables.iter().zip(bins) {
            let points = padded(&variable.points);
            for (s, &code) in score.iter_mut().zip(codes) {
                *s += points[usize::from(code)];
            }
        }
        for table in &self.tables {
            let (Some(left), Some(right)) = (bins.get(table.left), bins.get(table.right)) else { continue };
            for ((s, &l), &r) in score.iter_mut().zip(left).zip(right) {
                *s += table.points_at(l, r);
            }
        }
        score
    }

    /// Scores every row of a table, with points and reasons.
    ///
    /// # Errors
    /// A needed column is absent, of another kind, or holds an infinite value.
    pub fn score(&self, table: &ScoringTable) -> Result<Vec<Scored>, ModelError> {
        let columns: Vec<&Column> =
            self.variables.iter().map(|v| table.column(&v.bins.name)).collect::<Result<_, _>>()?;
        if let Some(other) = columns.iter().find(|c| c.len() != table.rows()) {
            let why = format!("column {:?} has {} rows, the table {}", other.name, other.len(), table.rows());
            return Err(ModelError::CannotTrain { why });
        }
        let block = BlockScorer::new(self).score(&columns)?;
        Ok((0..table.rows())
            .map(|row| {
                let bins: Vec<u8> = block.bins.iter().filter_map(|b| b.get(row)).copied().collect();
                let score = block.score.get(row).copied().unwrap_or_default();
                let points = self.points_of(&bins);
                let reasons = self.reasons(&bins);
                Scored { pd: self.probability(score), score, band: self.band(score).to_owned(), points, bins, reasons }
            })
            .collect())
    }

    /// Points of each variable, then of each table, for a row's bins.
    #[must_use]
    pub fn points_of(&self, bins: &[u8]) -> Vec<i32> {
        let at = |i: usize| bins.get(i).copied().unwrap_or_default();
        let mains = self
            .variables
            .iter()
            .enumerate()
            .map(|(i, v)| v.points.get(usize::from(at(i))).copied().unwrap_or_default());
        let tables = self.tables.iter().map(|t| t.points_at(at(t.left), at(t.right)));
        mains.chain(tables).collect()
    }

    /// The factors that lost most points against the average training row; where none did, against the best bin.
    #[must_use]
    pub fn reasons(&self, bins: &[u8]) -> Vec<Reason> {
        let points = self.points_of(bins);
        let against = |reference: &dyn Fn(usize) -> i32| -> Vec<(i32, usize)> {
            let mut lost: Vec<(i32, usize)> =
                points.iter().enumerate().map(|(i, &p)| (reference(i) - p, i)).filter(|(lost, _)| *lost > 0).collect();
            lost.sort_by_key(|&(lost, i)| (-lost, i));
            lost.truncate(MAX_REASONS);
            lost
        };
        let n = self.variables.len();
        let mut lost = against(&|i| {
            self.variables
                .get(i)
                .map(|v| v.reference_points)
                .or_else(|| self.tables.get(i.checked_sub(n)?).map(|t| t.reference_points))
                .unwrap_or_default()
        });
        if lost.is_empty() {
            lost = against(&|i| {
                let best = |p: &[i32]| p.iter().max().copied().unwrap_or_default();
                self.variables
                    .get(i)
                    .map(|v| best(&v.points))
                    .or_else(|| self.tables.get(i.checked_sub(n)?).map(|t| best(&t.points.concat())))
                    .unwrap_or_default()
            });
        }
        lost.into_iter().filter_map(|(points_lost, i)| self.reason(bins, i, points_lost)).collect()
    }

    /// Codes of all factors: variables, then tables.
    #[must_use]
    pub fn factor_codes(&self) -> Vec<&str> {
        self.variables.iter().map(|v| v.code.as_str()).chain(self.tables.iter().map(|t| t.code.as_str())).collect()
    }

    /// The factors of [`Self::reasons`] for a block of rows: up to four positions in [`Self::factor_codes`] a row, most points lost
    /// first. The same answer as row by row, at a fraction of the cost.
    #[must_use]
    pub fn reason_factors(&self, block: &BlockScores) -> Vec<[Option<u8>; MAX_REASONS]> {
        let rows = block.score.len();
        let mut worst = vec![Worst::default(); rows];
        for (factor, (variable, bins)) in self.variables.iter().zip(&block.bins).enumerate() {
            let lost = padded(&variable.points).map(|p| variable.reference_points - p);
            for (worst, &bin) in worst.iter_mut().zip(bins) {
                worst.offer(lost[usize::from(bin)], factor);
            }
        }
        for (at, table) in self.tables.iter().enumerate() {
            let (Some(left), Some(right)) = (block.bins.get(table.left), block.bins.get(table.right)) else { continue };
            for (worst, (&l, &r)) in worst.iter_mut().zip(left.iter().zip(right)) {
                worst.offer(table.reference_points - table.points_at(l, r), self.variables.len() + at);
            }
        }
        let best = |points: &[i32]| points.iter().max().copied().unwrap_or_default();
        let best_of: Vec<i32> = self
            .variables
            .iter()
            .map(|v| best(&v.points))
            .chain(self.tables.iter().map(|t| best(&t.points.concat())))
            .collect();
        for (row, worst) in worst.iter_mut().enumerate().filter(|(_, w)| w.factors[0].is_none()) {
            let bins: Vec<u8> = block.bins.iter().filter_map(|b| b.get(row)).copied().collect();
            for (factor, (points, best)) in self.points_of(&bins).into_iter().zip(&best_of).enumerate() {
                worst.offer(best - points, factor);
            }
        }
        worst.into_iter().map(|w| w.factors).collect()
    }

    fn reason(&self, bins: &[u8], factor: usize, points_lost: i32) -> Option<Reason> {
        let found = |i: usize| {
            let v = self.variables.get(i)?;
            let bin = v.bins.bins.get(usize::from(*bins.get(i)?))?;
            Some((v.bins.name.as_str(), bin.label.as_str()))
        };
        if let Some(v) = self.variables.get(factor) {
            let (name, label) = found(factor)?;
            let text = format!("{name}: {label}");
            return Some(Reason { code: v.code.clone(), text, variable: name.to_owned(), points_lost });
        }
        let table = self.tables.get(factor.checked_sub(self.variables.len())?)?;
        let ((left, l), (right, r)) = (found(table.left)?, found(table.right)?);
        Some(Reason {
            code: table.code.clone(),
            text: format!("{left}: {l}, together with {right}: {r}"),
            variable: format!("{left} × {right}"),
            points_lost,
        })
    }
}

impl PairTable {
    /// Points for a bin of each variable.
    #[must_use]
    pub fn points_at(&self, left_bin: u8, right_bin: u8) -> i32 {
        let row = self.left_groups.get(usize::from(left_bin)).copied().unwrap_or_default();
        let column = self.right_groups.get(usize::from(right_bin)).copied().unwrap_or_default();
        self.points.get(usize::from(row)).and_then(|r| r.get(usize::from(column))).copied().unwrap_or_default()
    }
}

/// The factors of one row that lost most points.
#[derive(Clone, Copy, Default)]
struct Worst {
    lost: [i32; MAX_REASONS],
    factors: [Option<u8>; MAX_REASONS],
}

impl Worst {
    /// Keeps a factor if it lost more than the least of those kept; on a tie the earlier one stays ahead.
    fn offer(&mut self, lost: i32, factor: usize) {
        if lost <= self.lost[MAX_REASONS - 1] {
            return;
        }
        let mut held = (lost, u8::try_from(factor).ok());
        for (l, f) in self.lost.iter_mut().zip(&mut self.factors) {
            if held.0 > *l {
                std::mem::swap(&mut held.0, l);
                std::mem::swap(&mut held.1, f);
            }
        }
    }
}

/// Points for every possible byte: looking them up needs no bounds check.
fn padded(points: &[i32]) -> [i32; 256] {
    let mut all = [0; 256];
    for (slot, &p) in all.iter_mut().zip(points) {
        *slot = p;
    }
    all
}

/// A reason code from a column name: lowercase letters and digits joined by hyphens; `factor-7` where nothing is left of it.
#[must_use]
pub fn reason_code(name: &str, position: usize) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { format!("factor-{}", position + 1) } else { words.join("-") }
}
