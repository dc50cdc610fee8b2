//! The bins of one variable as a model keeps them: where a value falls, and what its bin is worth.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::dynamic::{Cell, Trend};
use crate::model::ModelError;
use crate::model::table::{Column, MISSING_LEVEL, Values, number_as_text};

/// What a bin holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BinRole {
    /// An interval of numbers or a group of levels.
    Regular,
    /// One special value.
    Special,
    /// Missing values.
    Missing,
}

/// One bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// What falls into it, in words.
    pub label: String,
    /// What it holds.
    pub role: BinRole,
    /// Training rows (weighted).
    pub rows: f64,
    /// Bad training rows (weighted).
    pub bad: f64,
    /// Weight of evidence, ln of the bin's odds good : bad over the overall odds, smoothed. Positive is safer than average; a
    /// bin that no training row fell into has 0.
    pub woe: f64,
}

impl Bin {
    /// Its counts.
    #[must_use]
    pub fn cell(&self) -> Cell {
        Cell { rows: self.rows, bad: self.bad }
    }
}

/// How regular values find their bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BinKind {
    /// Upper edges, inclusive, of all regular bins but the last, which has no upper edge.
    Number {
        /// Ascending.
        edges: Vec<f64>,
    },
    /// Levels of each regular bin, and the bin of levels that training never saw.
    Text {
        /// One list a regular bin.
        levels: Vec<Vec<String>>,
        /// Index of the fallback bin.
        unseen: usize,
    },
}

/// All bins of a variable: regular ones in order, then special values, then missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// Column that is read.
    pub name: String,
    /// How regular values find their bin.
    pub kind: BinKind,
    /// Values with a bin of their own, and its index.
    pub specials: Vec<(f64, usize)>,
    /// Index of the bin of missing values.
    pub missing: usize,
    /// Shape of the event rate over the regular bins.
    pub trend: Trend,
    /// Information value over all bins that hold rows.
    pub iv: f64,
    /// The bins.
    pub bins: Vec<Bin>,
}

impl Bins {
    /// The bin of every value of a column. A text model column read as numbers is compared as text; numbers must be numbers.
    ///
    /// # Errors
    /// Text where the model needs numbers, or an infinite value that is no special one.
    pub fn assign(&self, column: &Column) -> Result<Vec<u8>, ModelError> {
        match (&self.kind, &column.values) {
            (BinKind::Number { edges }, Values::Number(values)) => self.assign_numbers(edges, values),
            (BinKind::Number { .. }, Values::Text(text)) => {
                // A column without a single value has no kind of its own.
                if let Some(row) = text.codes.iter().position(|c| *c != MISSING_LEVEL) {
                    return Err(ModelError::WrongKind {
                        column: self.name.clone(),
                        expected: "a number",
                        found: text.get(row).unwrap_or_default().to_owned(),
                        row: row + 1,
                    });
                }
                Ok(vec![byte(self.missing); text.codes.len()])
            }
            (BinKind::Text { levels, unseen }, values) => Ok(self.assign_text(levels, *unseen, values)),
        }
    }

    fn assign_numbers(&self, edges: &[f64], values: &[f64]) -> Result<Vec<u8>, ModelError> {
        let missing = byte(self.missing);
        let (mut codes, any_infinite) = if edges.len() <= COMPARED_EDGES {
            compared(edges, values, missing)
        } else {
            sought(edges, values, missing)
        };
        if any_infinite {
            self.refuse_infinite(values)?;
        }
        if !self.specials.is_empty() {
            for (code, value) in codes.iter_mut().zip(values) {
                if let Some((_, bin)) = self.specials.iter().find(|(s, _)| s.total_cmp(value).is_eq()) {
                    *code = byte(*bin);
                }
            }
        }
        Ok(codes)
    }

    fn refuse_infinite(&self, values: &[f64]) -> Result<(), ModelError> {
        let infinite = |v: &f64| v.is_infinite() && !self.specials.iter().any(|(s, _)| s.total_cmp(v).is_eq());
        match values.iter().position(infinite) {
            Some(row) => Err(ModelError::Infinite { column: self.name.clone(), row: row + 1 }),
            None => Ok(()),
        }
    }

    fn assign_text(&self, levels: &[Vec<String>], unseen: usize, values: &Values) -> Vec<u8> {
        let mut bin_of: HashMap<&str, u8> = HashMap::new();
        for (bin, names) in levels.iter().enumerate() {
            bin_of.extend(names.iter().map(|n| (n.as_str(), byte(bin))));
        }
        let specials: Vec<(String, u8)> =
            self.specials.iter().map(|(s, bin)| (number_as_text(*s), byte(*bin))).collect();
        bin_of.extend(specials.iter().map(|(s, bin)| (s.as_str(), *bin)));
        let find = |text: &str| bin_of.get(text).copied().unwrap_or(byte(unseen));
        match values {
            Values::Text(text) => {
                let of_level: Vec<u8> = text.levels.iter().map(|l| find(l)).collect();
                let missing = byte(self.missing);
                text.codes.iter().map(|&c| of_level.get(c as usize).copied().unwrap_or(missing)).collect()
            }
            Values::Number(numbers) => numbers
                .iter()
                .map(|&v| if v.is_nan() { byte(self.missing) } else { find(&number_as_text(v)) })
                .collect(),
        }
    }
}

/// Edges up to which comparing a value with every one of them beats looking for its place.
const COMPARED_EDGES: usize = 24;

/// Number of edges below each value, or `missing` for NaN; and whether any value is infinite.
///
/// Without branches, over arrays of a fixed length: the processor compares several values at once. Iterators over them do not compile to that.
fn compared(edges: &[f64], values: &[f64], missing: u8) -> (Vec<u8>, bool) {
    const LANES: usize = 8;
    let mut codes = Vec::with_capacity(values.len());
    let mut infinite = [0_u64; LANES];
    let (body, tail) = values.as_chunks::<LANES>();
    for values in body {
        let mut counts = [0_u64; LANES];
        for edge in edges {
            for k in 0..LANES {
                counts[k] += u64::from(values[k] > *edge);
            }
        }
        let mut lanes = [missing; LANES];
        for k in 0..LANES {
            infinite[k] |= u64::from(values[k].abs() == f64::INFINITY);
            if !values[k].is_nan() {
                lanes[k] = counts[k].to_le_bytes()[0];
            }
        }
        codes.extend_from_slice(&lanes);
    }
    let (rest, any_infinite) = sought(edges, tail, missing);
    codes.extend(rest);
    (codes, any_infinite || infinite.iter().any(|&n| n != 0))
}

/// The same for any number of edges, each value looked for by itself.
fn sought(edges: &[f64], values: &[f64], missing: u8) -> (Vec<u8>, bool) {
    let place = |v: &f64| if v.is_nan() { missing } else { byte(edges.partition_point(|e| e < v)) };
    (values.iter().map(place).collect(), values.iter().any(|v| v.is_infinite()))
}

/// Bins are at most 100 regular, 40 special and missing: they fit a byte.
fn byte(bin: usize) -> u8 {
    u8::try_from(bin).unwrap_or(u8::MAX)
}
