//! The bins of one variable as a model keeps them: where a value falls, and what its bin is worth.

use serde::{Deserialize, Serialize};

use super::dynamic::{Cell, Trend};

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
    /// Levels that no training row has.
    Unseen,
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
        /// Index of the bin of levels in no list: one of role [`BinRole::Unseen`], or a regular one that a person named.
        unseen: usize,
    },
}

/// All bins of a variable: regular ones in order, then special values, then missing, then levels never seen.
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
