//! What crosses merchants: totals by category, added up over all prepared shards.

use std::collections::BTreeMap;

use super::prepared::PreparedFeatures;

/// A category's total of one measure over one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CategoryTotal {
    /// Exact sum over its merchants. Each merchant's sum fits 64 bits, so that this cannot overflow.
    pub sum: i128,
    /// Merchants with any row in the window.
    pub merchants: u64,
}

/// Totals by category, one slot for each (measure, window) of the features that compare with the industry.
///
/// Totals are whole numbers: shards may come in any order and grouping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndustryTotals {
    by_category: BTreeMap<String, Vec<Option<CategoryTotal>>>,
}

impl IndustryTotals {
    /// Adds up the merchants of these shards, which must be all there are. A merchant whose sum is unknown counts for nothing.
    #[must_use]
    pub fn over<'a>(shards: impl IntoIterator<Item = &'a PreparedFeatures>) -> Self {
        let mut totals = Self::default();
        for shard in shards {
            for (slot, tallies) in shard.tallies.iter().enumerate() {
                for (number, tally) in tallies.iter().enumerate() {
                    let Some(tally) = tally else { continue };
                    let category = shard.category(number);
                    if !totals.by_category.contains_key(category) {
                        totals.by_category.insert(category.to_owned(), vec![None; shard.tallies.len()]);
                    }
                    let slots = totals.by_category.get_mut(category);
                    if let Some(total) = slots.and_then(|slots| slots.get_mut(slot)) {
                        let total = total.get_or_insert_with(CategoryTotal::default);
                        total.sum += i128::from(tally.sum);
                        total.merchants += u64::from(tally.rows > 0);
                    }
                }
            }
        }
        totals
    }

    /// Totals of a category by slot; empty where it has none.
    pub(super) fn of(&self, category: &str) -> &[Option<CategoryTotal>] {
        self.by_category.get(category).map_or(&[], Vec::as_slice)
    }
}
