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
        let mut codes = match edges.len() {
            0..=4 => counted::<4>(edges, values),
            5..=8 => counted::<8>(edges, values),
            9..=16 => counted::<16>(edges, values),
            _ => values.iter().map(|v| byte(edges.partition_point(|e| e < v))).collect(),
        };
        let missing = byte(self.missing);
        if self.specials.is_empty() {
            let mut broken = false;
            for (code, &value) in codes.iter_mut().zip(values) {
                if value.is_nan() {
                    *code = missing;
                }
                broken |= value.is_infinite();
            }
            if broken {
                self.refuse_infinite(values)?;
            }
        } else {
            self.refuse_infinite(values)?;
            for (code, &value) in codes.iter_mut().zip(values) {
                if value.is_nan() {
                    *code = missing;
                } else if let Some((_, bin)) = self.specials.iter().find(|(s, _)| s.total_cmp(&value).is_eq()) {
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

/// Number of edges below each value, for at most `N` edges.
///
/// Every edge is compared with every value: without branches, several at once, that beats looking for the place.
fn counted<const N: usize>(edges: &[f64], values: &[f64]) -> Vec<u8> {
    const LANES: usize = 16;
    let mut padded = [f64::INFINITY; N];
    for (slot, &edge) in padded.iter_mut().zip(edges) {
        *slot = edge;
    }
    let count = |v: f64| padded.iter().fold(0_u8, |n, &edge| n + u8::from(v > edge));
    let mut codes = vec![0_u8; values.len()];
    let whole = values.len() - values.len() % LANES;
    let (body, tail) = values.split_at(whole);
    let (body_codes, tail_codes) = codes.split_at_mut(whole);
    for (values, codes) in body.chunks_exact(LANES).zip(body_codes.chunks_exact_mut(LANES)) {
        let mut counts = [0_u64; LANES];
        for &edge in padded.iter().take(edges.len()) {
            for (count, &v) in counts.iter_mut().zip(values) {
                *count += u64::from(v > edge);
            }
        }
        for (code, &count) in codes.iter_mut().zip(&counts) {
            *code = count.to_le_bytes()[0];
        }
    }
    for (code, &v) in tail_codes.iter_mut().zip(tail) {
        *code = count(v);
    }
    codes
}

/// Bins are at most 100 regular, 40 special and missing: they fit a byte.
fn byte(bin: usize) -> u8 {
    u8::try_from(bin).unwrap_or(u8::MAX)
}
