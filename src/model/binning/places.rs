//! Finding the place of a number among edges, for many numbers.

use crate::model::table::same_number;

/// Edges, special values and missing: the code of every number.
#[derive(Debug)]
pub(super) struct Places<'a> {
    /// Upper and inclusive, ascending.
    edges: &'a [f64],
    /// Values with a code of their own.
    specials: Vec<(f64, u8)>,
    missing: u8,
    line: Line,
}

impl<'a> Places<'a> {
    pub(super) fn new(edges: &'a [f64], specials: Vec<(f64, u8)>, missing: u8) -> Self {
        let line = Line::new(edges, &specials);
        Self { edges, specials, missing, line }
    }

    /// Whether a value has a code of its own.
    pub(super) fn is_special(&self, value: f64) -> bool {
        self.specials.iter().any(|(s, _)| same_number(*s, value))
    }

    /// Appends the code of every number. Says whether any is infinite.
    #[expect(clippy::cast_possible_truncation, reason = "the lesser of it and an index")]
    pub(super) fn codes(&self, values: &[f64], codes: &mut Vec<u8>) -> bool {
        const INFINITE: u64 = f64::INFINITY.to_bits();
        // What the loop reads is in variables of its own, and it has one branch, rarely taken: it is where scoring spends its time.
        let Line { lowest, shift, ref bins } = self.line;
        let last = bins.len() as u64 - 1;
        let mut infinite = false;
        let before = codes.len();
        codes.resize(before + values.len(), 0);
        let fresh = codes.get_mut(before..).unwrap_or_default();
        for (code, &value) in fresh.iter_mut().zip(values) {
            let known = bins.get(step(rank(value), lowest, shift).min(last) as usize).copied().unwrap_or(UNSURE);
            let magnitude = value.to_bits() & !(1 << 63);
            *code = if known == UNSURE || magnitude >= INFINITE {
                infinite |= magnitude == INFINITE;
                if value.is_nan() { self.missing } else { self.compared(value) }
            } else {
                known
            };
        }
        infinite
    }

    /// The code of a number that is not missing, by comparing.
    #[cold]
    fn compared(&self, value: f64) -> u8 {
        let special = self.specials.iter().find(|(s, _)| same_number(*s, value));
        special.map_or_else(|| byte(self.edges.partition_point(|e| *e < value)), |(_, code)| *code)
    }
}

/// Stands for a cell that an edge or a special value divides; codes are below it.
const UNSURE: u8 = u8::MAX;
/// Cells at most: few hold an edge, so few values must be compared with any.
const MAX_CELLS: u64 = 1 << 16;

/// The line of numbers in cells of equal steps of their rank, most of which lie between two edges: a value is found by a shift and a look.
///
/// Cell 0 holds what is below every edge and special value, the last what is above.
#[derive(Debug)]
struct Line {
    /// Where cell 0 begins: a cell below the least edge.
    lowest: i64,
    shift: u32,
    bins: Vec<u8>,
}

impl Line {
    fn new(edges: &[f64], specials: &[(f64, u8)]) -> Self {
        let marks = || edges.iter().chain(specials.iter().map(|(s, _)| s)).map(|v| rank(*v));
        let (Some(lowest), Some(highest)) = (marks().min(), marks().max()) else {
            return Self { lowest: 0, shift: 0, bins: vec![0] };
        };
        let span = highest.abs_diff(lowest);
        let shift = (0..63).find(|shift| (span >> shift) + 3 <= MAX_CELLS).unwrap_or(62);
        let mut line = Self { lowest: lowest.saturating_sub(1 << shift), shift, bins: Vec::new() };
        for (bin, &edge) in edges.iter().enumerate() {
            let at = line.cell(edge);
            line.bins.resize(at.max(line.bins.len()), byte(bin));
            line.bins.resize((at + 1).max(line.bins.len()), UNSURE);
        }
        let last = usize::try_from(step(highest, line.lowest, shift) + 1).unwrap_or_default();
        line.bins.resize(last + 1, byte(edges.len()));
        for (special, _) in specials {
            let at = line.cell(*special);
            if let Some(slot) = line.bins.get_mut(at) {
                *slot = UNSURE;
            }
        }
        line
    }

    fn cell(&self, mark: f64) -> usize {
        usize::try_from(step(rank(mark), self.lowest, self.shift)).unwrap_or_default()
    }
}

/// Cells above `lowest` that a rank lies; 0 below it.
#[inline]
fn step(rank: i64, lowest: i64, shift: u32) -> u64 {
    rank.max(lowest).abs_diff(lowest) >> shift
}

/// Whole numbers in the order of numbers; both zeros have one.
#[expect(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "bits, not amounts")]
#[inline]
pub(super) fn rank(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// Bins are at most 100 regular, 40 special and missing, fine cells 200, 40 and 1: they fit a byte.
pub(super) fn byte(bin: usize) -> u8 {
    u8::try_from(bin).unwrap_or(u8::MAX)
}
