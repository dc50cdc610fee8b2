//! Row tiles: one measure's rows by merchant, for what sums cannot tell: distinct buyers, concentration, quantiles, the latest.

/// One row of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileRow {
    /// Day before as-of.
    pub day: u16,
    /// Microseconds since 1970-01-01 (for dates: days) of the event, to tell the latest.
    pub at: i64,
    /// The buyer's number, meaningful within the merchant only; 0 where the view has no buyers.
    pub buyer: u32,
    /// The measure's value.
    pub value: i64,
}

/// For each merchant its rows, latest first; rows at one instant by buyer's number and value, so that no result can depend on
/// the order in which they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowTiles {
    offsets: Vec<usize>,
    rows: Vec<TileRow>,
}

impl RowTiles {
    /// Sorts rows grouped by merchant: `offsets[m]..offsets[m + 1]` are merchant `m`'s.
    #[must_use]
    pub fn collect(offsets: Vec<usize>, mut rows: Vec<TileRow>) -> Self {
        for bounds in offsets.windows(2) {
            let [from, to] = bounds else { continue };
            let mine = rows.get_mut(*from..*to).unwrap_or_default();
            mine.sort_unstable_by(|a, b| (a.day, b.at, a.value, a.buyer).cmp(&(b.day, a.at, b.value, b.buyer)));
        }
        Self { offsets, rows }
    }

    /// A merchant's rows in a window, latest first.
    #[must_use]
    pub fn window(&self, merchant: usize, window: super::DayWindow) -> &[TileRow] {
        let from = self.offsets.get(merchant).copied().unwrap_or(0);
        let to = merchant.checked_add(1).and_then(|next| self.offsets.get(next)).copied().unwrap_or(from);
        let mine = self.rows.get(from..to).unwrap_or_default();
        let start = mine.partition_point(|row| row.day < window.from);
        let end = mine.partition_point(|row| row.day < window.to);
        mine.get(start..end.max(start)).unwrap_or_default()
    }
}
