//! Day tiles: one measure's exact sums by merchant and day.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::clock::EVER;

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

/// The days on which each merchant has rows of a view, by one column of times, and which of them is each row's. It is worked out once; the tiles of every measure
/// of that column are added up in it.
#[derive(Debug)]
pub(super) struct DayPlaces {
    /// By merchant its first place; after the last merchant, how many places there are.
    offsets: Vec<usize>,
    /// By place its day; a merchant's ascend.
    days: Vec<u16>,
    /// By row its place; [`NOWHERE`] without a merchant or a day.
    of_rows: Vec<u32>,
}

/// Stands for no place: a shard holds fewer rows.
const NOWHERE: u32 = u32::MAX;

impl DayPlaces {
    /// Of rows with their merchant and day, in any order.
    pub fn new(merchants: usize, rows: impl ExactSizeIterator<Item = Option<(u32, u16)>>) -> Self {
        let mut of_rows = vec![NOWHERE; rows.len()];
        let placed = (0_u32..).zip(rows).filter_map(|(row, at)| at.map(|(owner, day)| (owner, day, row)));
        let mut placed: Vec<(u32, u16, u32)> = placed.collect();
        // A view's rows come merchant by merchant.
        if !placed.is_sorted_by_key(|(owner, ..)| *owner) {
            placed.sort_by_key(|(owner, ..)| *owner);
        }
        let mut offsets = Vec::with_capacity(merchants + 1);
        let mut days = Vec::new();
        for mine in placed.chunk_by_mut(|a, b| a.0 == b.0) {
            mine.sort_unstable_by_key(|(_, day, _)| *day);
            let owner = mine.first().map_or(0, |(owner, ..)| *owner as usize);
            offsets.resize(owner + 1, days.len());
            for same_day in mine.chunk_by(|a, b| a.1 == b.1) {
                let place = u32::try_from(days.len()).unwrap_or(NOWHERE);
                days.extend(same_day.first().map(|(_, day, _)| *day));
                for (_, _, row) in same_day {
                    if let Some(slot) = of_rows.get_mut(*row as usize) {
                        *slot = place;
                    }
                }
            }
        }
        offsets.resize(merchants + 1, days.len());
        Self { offsets, days, of_rows }
    }

    /// For each row whether it has a place.
    pub fn are_placed(&self) -> impl Iterator<Item = bool> {
        self.of_rows.iter().map(|place| *place != NOWHERE)
    }

    fn place(&self, row: usize) -> Option<usize> {
        self.of_rows.get(row).filter(|place| **place != NOWHERE).map(|place| *place as usize)
    }
}

impl DayTiles {
    /// Sums rows with what each of them adds.
    ///
    /// Also returns the merchants whose values, taken without their signs, add up to more than 64 bits hold: they get no tiles. No window
    /// of any other merchant can overflow.
    #[must_use]
    pub(super) fn collect(
        places: &DayPlaces,
        rows: impl Iterator<Item = (usize, i64)> + Clone,
    ) -> (Self, BTreeSet<usize>) {
        let mut counts = vec![0_u32; places.days.len()];
        let mut sums = vec![0_i64; places.days.len()];
        let (mut largest, mut counted) = (0_u64, 0_u64);
        for (row, value) in rows.clone() {
            let Some(place) = places.place(row) else { continue };
            if let (Some(count), Some(sum)) = (counts.get_mut(place), sums.get_mut(place)) {
                *count += 1;
                // Where this wraps, the merchant is found below and gets no tiles.
                *sum = sum.wrapping_add(value);
                largest = largest.max(value.unsigned_abs());
                counted += 1;
            }
        }
        let overflowing = match largest.checked_mul(counted) {
            // The largest number itself counts as too large: it is what sums of columns are cut to.
            Some(most) if most < i64::MAX.unsigned_abs() => BTreeSet::new(),
            _ => overflowing(places, rows),
        };
        let mut tiles = Self {
            offsets: Vec::with_capacity(places.offsets.len()),
            days: Vec::new(),
            rows: Vec::new(),
            sums: Vec::new(),
        };
        tiles.offsets.push(0);
        for (number, bounds) in places.offsets.windows(2).enumerate() {
            let [from, to] = bounds else { continue };
            if !overflowing.contains(&number) {
                let of = *from..*to;
                let days = places.days.get(of.clone()).unwrap_or_default();
                let counts = counts.get(of.clone()).unwrap_or_default();
                for ((day, count), sum) in days.iter().zip(counts).zip(sums.get(of).unwrap_or_default()) {
                    if *count > 0 {
                        tiles.days.push(*day);
                        tiles.rows.push(*count);
                        tiles.sums.push(*sum);
                    }
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

/// The merchants whose values, taken without their signs, add up to more than 64 bits hold.
fn overflowing(places: &DayPlaces, rows: impl Iterator<Item = (usize, i64)>) -> BTreeSet<usize> {
    let mut sizes: BTreeMap<usize, u64> = BTreeMap::new();
    for (row, value) in rows {
        let Some(place) = places.place(row) else { continue };
        let owner = places.offsets.partition_point(|first| *first <= place).saturating_sub(1);
        let size = sizes.entry(owner).or_default();
        *size = size.saturating_add(value.unsigned_abs());
    }
    sizes.into_iter().filter(|(_, size)| *size >= i64::MAX.unsigned_abs()).map(|(owner, _)| owner).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::clock::OLDER;
    use super::*;

    const MERCHANTS: u32 = 4;

    /// Whose it is and of which day, and what it adds.
    type Row = (Option<(u32, u16)>, Option<i64>);

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let at = prop::option::weighted(0.9, (0..MERCHANTS, prop_oneof![0_u16..4, Just(OLDER)]));
        let value = prop_oneof![9 => -5_i64..5, 1 => Just(i64::MAX / 2), 1 => Just(i64::MIN)];
        prop::collection::vec((at, prop::option::weighted(0.8, value)), 0..40)
    }

    proptest! {
        #[test]
        fn tiles_are_what_adding_up_by_hand_gives(rows in rows()) {
            let places = DayPlaces::new(MERCHANTS as usize, rows.iter().map(|(at, _)| *at));
            let counted = rows.iter().enumerate().filter_map(|(row, (_, value))| value.map(|value| (row, value)));
            let (tiles, overflowing) = DayTiles::collect(&places, counted);
            for owner in 0..MERCHANTS {
                let merchant = owner as usize;
                let mut expected: BTreeMap<u16, (u32, i128)> = BTreeMap::new();
                let mut size = 0_u128;
                for (at, value) in &rows {
                    let (Some((theirs, day)), Some(value)) = (at, value) else { continue };
                    if *theirs == owner {
                        let tile = expected.entry(*day).or_default();
                        *tile = (tile.0 + 1, tile.1 + i128::from(*value));
                        size += u128::from(value.unsigned_abs());
                    }
                }
                let is_too_large = size >= i64::MAX as u128;
                prop_assert_eq!(overflowing.contains(&merchant), is_too_large);
                let found: Vec<(u16, (u32, i128))> = tiles
                    .window(merchant, DayWindow::ALL)
                    .map(|tile| (tile.day, (tile.rows, i128::from(tile.sum))))
                    .collect();
                let expected = if is_too_large { Vec::new() } else { expected.into_iter().collect() };
                prop_assert_eq!(found, expected);
            }
        }
    }
}
