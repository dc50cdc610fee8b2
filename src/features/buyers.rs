//! A window's rows by buyer: what all kinds that speak of buyers start from.

use crate::tiles::TileRow;

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
