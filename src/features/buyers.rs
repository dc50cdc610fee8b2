//! A window's rows by buyer: what all kinds that speak of buyers start from.

use super::guard::Guard;
use super::kind::Read;
use super::params::Params;
use crate::config::ConfigError;
use crate::tiles::TileRow;

/// A window whose rows name buyers, and how many there must be.
#[derive(Debug, Clone, Copy)]
pub struct BuyerWindow {
    /// The window.
    pub read: Read,
    min_buyers: usize,
}

impl BuyerWindow {
    /// Keys: `measure` (on a table that names buyers), `window_days`, `maturity_days`, `min_buyers` (1 where not given).
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let read = Read { measure: p.buyer_measure()?, window: p.window()? };
        let least = p.optional_whole("min_buyers", 1..=1_000_000)?.unwrap_or(1);
        Ok(Self { read, min_buyers: usize::try_from(least).unwrap_or(1) })
    }

    /// Enough buyers.
    pub fn guard(self) -> Guard {
        Guard::Buyers { read: self.read, least: self.min_buyers }
    }
}

/// One buyer's part of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuyerPart {
    /// Rows.
    pub rows: u64,
    /// Sum of their values.
    pub sum: i128,
}

/// Parts by buyer, in no meaningful order.
pub fn by_buyer(rows: &[TileRow]) -> Vec<BuyerPart> {
    let mut sorted: Vec<(u32, i64)> = rows.iter().map(|row| (row.buyer, row.value)).collect();
    sorted.sort_unstable();
    sorted
        .chunk_by(|a, b| a.0 == b.0)
        .map(|mine| BuyerPart { rows: mine.len() as u64, sum: mine.iter().map(|(_, v)| i128::from(*v)).sum() })
        .collect()
}
