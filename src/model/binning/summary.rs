//! What binning must know of a column, summed up shard by shard.
//!
//! Summaries of shards, merged in whatever order, equal the summary of the whole: a training set that is larger than memory is cut
//! as one in memory would be.

use std::collections::HashMap;

use super::dynamic::Cell;
use super::places::rank;
use crate::model::ModelError;
use crate::model::table::{Column, MISSING_LEVEL, TextValues, Values, number_as_text, same_number};

/// Spans of numbers that are told apart at most. Beyond them, the last bits of numbers are left out, as few as will do: a span is then
/// a few hundred-thousandths of its numbers wide.
const MAX_SPANS: usize = 1 << 16;
/// Values that are sorted at a time.
const BLOCK: usize = 1 << 16;

/// Which rows are looked at, and their outcomes.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// One a row: whether it trains.
    pub train: &'a [bool],
    /// One a row: `true` is bad.
    pub target: &'a [bool],
}

impl<'a> Rows<'a> {
    /// Outcomes of the rows that train, with their positions.
    fn training(self) -> impl Iterator<Item = (usize, bool)> + use<'a> {
        self.train
            .iter()
            .zip(self.target)
            .enumerate()
            .filter(|(_, (train, _))| **train)
            .map(|(row, (_, bad))| (row, *bad))
    }

    /// The rows `first .. first + count`.
    #[must_use]
    pub fn part(self, first: usize, count: usize) -> Self {
        let of = |all: &'a [bool]| all.get(first..first + count).unwrap_or_default();
        Self { train: of(self.train), target: of(self.target) }
    }
}

/// Training rows of a column, by value.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Special values, which are counted apart.
    specials: Vec<f64>,
    /// Counts of special values, in their order.
    of_special: Vec<Cell>,
    /// Counts of rows without a value.
    missing: Cell,
    values: Regular,
}

/// What is neither special nor missing.
#[derive(Debug, Clone, PartialEq)]
enum Regular {
    Numbers(Spans),
    Levels(HashMap<String, Cell>),
}

impl Summary {
    /// Sums up a column, or a shard of it.
    ///
    /// # Errors
    /// An infinite value in any row, which no summary can hold.
    pub fn of(column: &Column, rows: Rows<'_>, specials: &[f64]) -> Result<Self, ModelError> {
        let mut summary = Self {
            specials: specials.to_vec(),
            of_special: vec![Cell::default(); specials.len()],
            missing: Cell::default(),
            values: match &column.values {
                Values::Number(_) => Regular::Numbers(Spans::default()),
                Values::Text(_) => Regular::Levels(HashMap::new()),
            },
        };
        match &column.values {
            Values::Number(values) => {
                refuse_infinite(column, values, specials)?;
                summary.add_numbers(values, rows);
            }
            Values::Text(text) => summary.add_levels(text, rows),
        }
        Ok(summary)
    }

    fn add_numbers(&mut self, values: &[f64], rows: Rows<'_>) {
        let Regular::Numbers(spans) = &mut self.values else { return };
        let mut block: Vec<(f64, bool)> = Vec::with_capacity(BLOCK.min(values.len()));
        for (row, bad) in rows.training() {
            let Some(&value) = values.get(row) else { break };
            if value.is_nan() {
                self.missing = self.missing.plus(one(bad));
            } else if let Some(at) = self.specials.iter().position(|s| same_number(*s, value)) {
                count(self.of_special.get_mut(at), one(bad));
            } else {
                block.push((value + 0.0, bad));
                if block.len() == BLOCK {
                    spans.add(&mut block);
                }
            }
        }
        spans.add(&mut block);
    }

    fn add_levels(&mut self, text: &TextValues, rows: Rows<'_>) {
        let Regular::Levels(levels) = &mut self.values else { return };
        let mut cells = vec![Cell::default(); text.levels.len()];
        for (row, bad) in rows.training() {
            match text.codes.get(row) {
                Some(&code) if code != MISSING_LEVEL => count(cells.get_mut(code as usize), one(bad)),
                Some(_) => self.missing = self.missing.plus(one(bad)),
                None => break,
            }
        }
        let texts: Vec<String> = self.specials.iter().map(|s| number_as_text(*s)).collect();
        for (level, cell) in text.levels.iter().zip(cells).filter(|(_, cell)| cell.rows > 0.0) {
            match texts.iter().position(|s| s == level) {
                Some(at) => count(self.of_special.get_mut(at), cell),
                None => count(Some(levels.entry(level.clone()).or_default()), cell),
            }
        }
    }

    /// Adds another shard's summary of the same column.
    ///
    /// # Errors
    /// One holds numbers and the other text: the caller reads both as text.
    pub fn merge(&mut self, other: Self) -> Result<(), MixedKinds> {
        match (&mut self.values, other.values) {
            (Regular::Numbers(mine), Regular::Numbers(theirs)) => mine.merge(theirs),
            (Regular::Levels(mine), Regular::Levels(theirs)) => {
                for (level, cell) in theirs {
                    count(Some(mine.entry(level).or_default()), cell);
                }
            }
            _ => return Err(MixedKinds),
        }
        self.missing = self.missing.plus(other.missing);
        for (mine, theirs) in self.of_special.iter_mut().zip(other.of_special) {
            *mine = mine.plus(theirs);
        }
        Ok(())
    }

    /// Rows of special values and of missing ones, in the order of fine codes.
    #[must_use]
    pub fn beside(&self) -> Vec<Cell> {
        self.of_special.iter().copied().chain([self.missing]).collect()
    }

    /// Training rows that hold a value, a special one too.
    pub(super) fn special_rows(&self) -> f64 {
        self.of_special.iter().map(|c| c.rows).sum()
    }

    /// Training rows without a value.
    #[must_use]
    pub fn missing_rows(&self) -> f64 {
        self.missing.rows
    }

    /// The special values.
    pub(super) fn specials(&self) -> &[f64] {
        &self.specials
    }

    /// Regular values: spans of numbers, or levels in no order.
    pub(super) fn regular(&self) -> Result<&Spans, &HashMap<String, Cell>> {
        match &self.values {
            Regular::Numbers(spans) => Ok(spans),
            Regular::Levels(levels) => Err(levels),
        }
    }
}

/// Shards of one column that hold numbers in one place and text in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MixedKinds;

fn one(bad: bool) -> Cell {
    Cell { rows: 1.0, bad: f64::from(u8::from(bad)) }
}

fn count(slot: Option<&mut Cell>, cell: Cell) {
    if let Some(slot) = slot {
        *slot = slot.plus(cell);
    }
}

fn refuse_infinite(column: &Column, values: &[f64], specials: &[f64]) -> Result<(), ModelError> {
    let refused = |v: &f64| v.is_infinite() && !specials.iter().any(|s| same_number(*s, *v));
    match values.iter().position(refused) {
        Some(row) => Err(ModelError::Infinite { column: column.name.clone(), row: row + 1 }),
        None => Ok(()),
    }
}

/// Numbers in ascending spans.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Spans {
    /// Last bits of the rank that are left out.
    coarseness: u32,
    ascending: Vec<Span>,
    any_fraction: bool,
}

/// Rows whose numbers agree but for the bits left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    /// Least of its numbers.
    pub(super) low: f64,
    /// Greatest of its numbers.
    pub(super) high: f64,
    /// Its rows; integral.
    pub(super) cell: Cell,
}

impl Spans {
    /// In ascending order.
    pub(super) fn spans(&self) -> &[Span] {
        &self.ascending
    }

    /// Regular rows.
    pub(super) fn rows(&self) -> f64 {
        self.ascending.iter().map(|s| s.cell.rows).sum()
    }

    /// Counts of cells with the given edges, upper and inclusive. Exact where no edge falls inside of a span.
    pub(super) fn tally(&self, edges: &[f64]) -> Vec<Cell> {
        let mut cells = vec![Cell::default(); edges.len() + 1];
        for span in &self.ascending {
            count(cells.get_mut(edges.partition_point(|e| *e < span.high)), span.cell);
        }
        cells
    }

    /// Whole numbers, all different, nearly without gaps: row numbers and identifiers drawn in order.
    pub(super) fn looks_like_row_numbers(&self) -> bool {
        let (Some(first), Some(last)) = (self.ascending.first(), self.ascending.last()) else { return false };
        let rows = self.rows();
        // Where spans hold several numbers, no span has more rows than whole numbers.
        rows >= 100.0
            && !self.any_fraction
            && last.high - first.low < 3.0 * rows
            && self.ascending.iter().all(|s| s.cell.rows <= s.high - s.low + 1.0)
    }

    /// Takes the block in, and leaves it empty.
    fn add(&mut self, block: &mut Vec<(f64, bool)>) {
        if block.is_empty() {
            return;
        }
        block.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut other = Self { coarseness: self.coarseness, ..Self::default() };
        for (value, bad) in block.drain(..) {
            other.any_fraction |= value.fract() != 0.0;
            other.push(Span { low: value, high: value, cell: one(bad) });
        }
        self.merge(other);
    }

    /// Appends a span whose least number is not below that of the last.
    fn push(&mut self, span: Span) {
        let key = |s: &Span| rank(s.low) >> self.coarseness;
        match self.ascending.last_mut() {
            Some(last) if key(last) == key(&span) => {
                last.high = last.high.max(span.high);
                last.cell = last.cell.plus(span.cell);
            }
            _ => self.ascending.push(span),
        }
    }

    fn merge(&mut self, other: Self) {
        self.any_fraction |= other.any_fraction;
        self.coarseness = self.coarseness.max(other.coarseness);
        let mine = std::mem::take(&mut self.ascending);
        self.ascending.reserve(mine.len() + other.ascending.len());
        let (mut mine, mut theirs) = (mine.into_iter().peekable(), other.ascending.into_iter().peekable());
        loop {
            let next = match (mine.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.low <= b.low => mine.next(),
                (Some(_), None) => mine.next(),
                _ => theirs.next(),
            };
            let Some(span) = next else { break };
            self.push(span);
        }
        while self.ascending.len() > MAX_SPANS {
            self.coarsen();
        }
    }

    /// Leaves out one more bit.
    fn coarsen(&mut self) {
        self.coarseness += 1;
        let spans = std::mem::take(&mut self.ascending);
        self.ascending.reserve(spans.len() / 2);
        for span in spans {
            self.push(span);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::elementary::exp;
    use proptest::prelude::*;

    use super::*;
    use crate::model::binning::{BinningSettings, FineColumn, PreBinning, lay_out, tally};

    fn column(values: Vec<f64>) -> Column {
        Column { name: "x".to_owned(), values: Values::Number(values) }
    }

    /// A summary of rows dealt out to shards, which are merged in another order than they came.
    fn sharded(values: &[f64], bad: &[bool], train: &[bool], shards: usize, reversed: bool) -> Summary {
        let mut parts: Vec<(Vec<f64>, Vec<bool>, Vec<bool>)> = vec![Default::default(); shards];
        for (row, ((v, b), t)) in values.iter().zip(bad).zip(train).enumerate() {
            let part = &mut parts[(row * 7 + row / 3) % shards];
            part.0.push(*v);
            part.1.push(*b);
            part.2.push(*t);
        }
        if reversed {
            parts.reverse();
        }
        let mut summaries = parts.into_iter().map(|(v, bad, train)| {
            Summary::of(&column(v), Rows { train: &train, target: &bad }, &[-9.0, 0.0]).unwrap()
        });
        let mut whole = summaries.next().unwrap();
        summaries.for_each(|s| whole.merge(s).unwrap());
        whole
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn shards_add_up_to_the_whole(
            rows in prop::collection::vec((prop_oneof![Just(f64::NAN), Just(-9.0), Just(-0.0), (-20..20).prop_map(f64::from), -3.0..3.0], any::<bool>(), any::<bool>()), 1..300),
            shards in 1_usize..6,
            reversed in any::<bool>(),
        ) {
            let values: Vec<f64> = rows.iter().map(|r| r.0).collect();
            let bad: Vec<bool> = rows.iter().map(|r| r.1).collect();
            let train: Vec<bool> = rows.iter().map(|r| r.2).collect();
            let whole = Summary::of(&column(values.clone()), Rows { train: &train, target: &bad }, &[-9.0, 0.0]).unwrap();
            prop_assert_eq!(&sharded(&values, &bad, &train, shards, reversed), &whole);
            // What is summed up is what coding and counting find.
            for pre_binning in [PreBinning::Quantile, PreBinning::Uniform, PreBinning::Tree] {
                let settings = BinningSettings { pre_binning, max_cells: 6, ..BinningSettings::default() };
                let Ok(mut fine) = lay_out("x", &whole, &settings).unwrap() else { continue };
                fine.append(&column(values.clone())).unwrap();
                prop_assert_eq!(fine.tally_of(&whole), counted(&fine, &train, &bad));
                prop_assert!(fine.cells <= 6);
            }
        }
    }

    fn counted(fine: &FineColumn, train: &[bool], bad: &[bool]) -> Vec<Cell> {
        let rows: Vec<u32> = train.iter().zip(0..).filter(|(t, _)| **t).map(|(_, row)| row).collect();
        tally(fine, &rows, bad, None)
    }

    #[test]
    fn more_numbers_than_fit_are_cut_like_few() {
        use rand::{RngExt as _, SeedableRng as _};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
        let values: Vec<f64> =
            (0..300_000).map(|_| exp(rng.random::<f64>() * 12.0) * if rng.random() { 1.0 } else { -1.0 }).collect();
        let bad: Vec<bool> = (0..values.len()).map(|_| rng.random()).collect();
        let train = vec![true; values.len()];
        let whole = Summary::of(&column(values.clone()), Rows { train: &train, target: &bad }, &[-9.0, 0.0]).unwrap();
        assert_eq!(sharded(&values, &bad, &train, 4, true), whole);
        let Ok(spans) = whole.regular() else { panic!("numbers are summed up as numbers") };
        assert!(spans.spans().len() <= MAX_SPANS && spans.coarseness > 0, "{}", spans.coarseness);
        let fine =
            lay_out("x", &whole, &BinningSettings { max_cells: 40, ..BinningSettings::default() }).unwrap().unwrap();
        let cells = fine.tally_of(&whole);
        let even = values.len() as f64 / 40.0;
        assert!(cells[..fine.cells].iter().all(|c| (c.rows / even - 1.0).abs() < 0.02), "{cells:?}");
        let mut coded = fine;
        coded.append(&column(values)).unwrap();
        assert_eq!(counted(&coded, &train, &bad), cells);
    }

    #[test]
    fn identifiers_are_known_however_many() {
        for rows in [500, 200_000] {
            let ids: Vec<f64> = (0..rows).map(|i| 1e6 + f64::from((i * 7_919) % rows)).collect();
            let bad: Vec<bool> = (0..rows).map(|i| i % 3 == 0).collect();
            let train = vec![true; bad.len()];
            let of = |values: Vec<f64>| {
                let summary = Summary::of(&column(values), Rows { train: &train, target: &bad }, &[]).unwrap();
                lay_out("x", &summary, &BinningSettings::default()).unwrap().map_err(|u| u.rule)
            };
            assert_eq!(of(ids.clone()).unwrap_err(), "unique-id");
            // Whole numbers that repeat, or with gaps, are amounts.
            assert!(of(ids.iter().map(|v| (v / 2.0).floor()).collect()).is_ok());
            assert!(of(ids.iter().map(|v| v * 5.0).collect()).is_ok());
        }
    }
}
