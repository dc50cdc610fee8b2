//! Day tiles: one measure's exact sums by merchant and day.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::clock::{EVER, OLDER};

/// Days `from..to` before as-of, `from` the nearer. Window `[D − w, D)` is `0..w`; shifted back by a maturity of `m` days
/// it is `m..m + w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayWindow {
    /// Nearest day, inclusive.
    pub from: u16,
    /// Farthest day, exclusive; [`EVER`] for all of history.
    pub to: u16,
}

impl DayWindow {
    /// All of history.
    pub const ALL: Self = Self { from: 0, to: EVER };

    /// `days` days that end `skip` days before as-of.
    #[must_use]
    pub const fn new(skip: u16, days: u16) -> Self {
        Self { from: skip, to: skip.saturating_add(days) }
    }

    /// Its length; `None` for all of history.
    #[must_use]
    pub const fn days(self) -> Option<u16> {
        if self.to == EVER { None } else { Some(self.to - self.from) }
    }
}

/// A window's sum and how many rows stand behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Exact sum of the measure's values.
    pub sum: i64,
    /// Rows counted.
    pub rows: u64,
}

/// Compressed rows: for each merchant its days, ascending (nearest first), each once, with sum and row count. Days without
/// rows take no place: a merchant who sells once a week pays for one tile a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayTiles {
    offsets: Vec<usize>,
    days: Vec<u16>,
    rows: Vec<u32>,
    sums: Vec<i64>,
}

/// One tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayTile {
    /// Day before as-of, [`OLDER`] for all before the horizon.
    pub day: u16,
    /// Rows of that day.
    pub rows: u32,
    /// Sum of that day.
    pub sum: i64,
}

impl DayTiles {
    /// Sums `(day, value)` rows grouped by merchant: `offsets[m]..offsets[m + 1]` are merchant `m`'s, in any order.
    ///
    /// Also returns the merchants whose values, taken without their signs, add up to more than 64 bits hold: they get no tiles. No window
    /// of any other merchant can overflow.
    #[must_use]
    pub fn collect(offsets: &[usize], entries: &mut [(u16, i64)]) -> (Self, BTreeSet<usize>) {
        let mut tiles =
            Self { offsets: Vec::with_capacity(offsets.len()), days: Vec::new(), rows: Vec::new(), sums: Vec::new() };
        let mut overflowing = BTreeSet::new();
        tiles.offsets.push(0);
        for (number, bounds) in offsets.windows(2).enumerate() {
            let [from, to] = bounds else { continue };
            let mine = entries.get_mut(*from..*to).unwrap_or_default();
            let size = mine.iter().fold(0_u64, |size, (_, value)| size.saturating_add(value.unsigned_abs()));
            // The largest number itself counts as too large: it is what sums of columns are cut to.
            if size >= i64::MAX.unsigned_abs() {
                overflowing.insert(number);
            } else {
                mine.sort_unstable_by_key(|(day, _)| *day);
                for same_day in mine.chunk_by(|a, b| a.0 == b.0) {
                    tiles.days.push(same_day.first().map_or(OLDER, |(day, _)| *day));
                    // A shard holds fewer rows than 32 bits count.
                    tiles.rows.push(u32::try_from(same_day.len()).unwrap_or(u32::MAX));
                    tiles.sums.push(same_day.iter().map(|(_, value)| value).sum());
                }
            }
            tiles.offsets.push(tiles.days.len());
        }
        (tiles, overflowing)
    }

    /// A merchant's tiles in a window, nearest day first.
    pub fn window(&self, merchant: usize, window: DayWindow) -> impl Iterator<Item = DayTile> {
        let from = self.offsets.get(merchant).copied().unwrap_or(0);
        let to = merchant.checked_add(1).and_then(|next| self.offsets.get(next)).copied().unwrap_or(from);
        let days = self.days.get(from..to).unwrap_or_default();
        let start = from + days.partition_point(|day| *day < window.from);
        let end = from + days.partition_point(|day| *day < window.to);
        let range = start..end.max(start);
        let days = self.days.get(range.clone()).unwrap_or_default();
        let rows = self.rows.get(range.clone()).unwrap_or_default();
        let sums = self.sums.get(range).unwrap_or_default();
        days.iter().zip(rows).zip(sums).map(|((&day, &rows), &sum)| DayTile { day, rows, sum })
    }

    /// Sum and rows of a window. The sum fits: see [`Self::collect`].
    #[must_use]
    pub fn tally(&self, merchant: usize, window: DayWindow) -> Tally {
        self.window(merchant, window).fold(Tally::default(), |total, tile| Tally {
            sum: total.sum + tile.sum,
            rows: total.rows + u64::from(tile.rows),
        })
    }
}
