//! What crosses merchants: totals by category, added up over all prepared shards.

use std::collections::{BTreeMap, BTreeSet};

use super::error::FeatureError;
use super::prepared::PreparedFeatures;
use super::settings::FeatureConfig;
use crate::tiles::{self, DayClock, Forms, Measured, Measuring, Tally, Views};

/// A category's total of one measure over one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CategoryTotal {
    /// Exact sum over its merchants. Each merchant's sum fits 64 bits, so that this cannot overflow.
    pub sum: i128,
    /// Merchants with any row in the window.
    pub merchants: u64,
}

impl CategoryTotal {
    fn of(tally: Tally) -> Self {
        Self { sum: i128::from(tally.sum), merchants: u64::from(tally.rows > 0) }
    }
}

/// Totals by category, one slot for each (measure, window) of the features that compare with the industry.
///
/// Totals are whole numbers: shards may come in any order and grouping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IndustryTotals {
    by_category: BTreeMap<String, Vec<Option<CategoryTotal>>>,
}

impl IndustryTotals {
    /// The merchants of one shard. A merchant whose sum is unknown counts for nothing.
    #[must_use]
    pub fn of_shard(shard: &PreparedFeatures) -> Self {
        let mut totals = Self::default();
        for (slot, tallies) in shard.tallies.iter().enumerate() {
            for (number, tally) in tallies.iter().enumerate() {
                let Some(tally) = tally else { continue };
                totals.add(shard.category(number), slot, shard.tallies.len(), CategoryTotal::of(*tally));
            }
        }
        totals
    }

    /// The same where nothing but these totals is wanted: the measures that are compared are evaluated, and no others.
    ///
    /// # Errors
    /// A broken table.
    pub fn of_views(views: &Views, config: &FeatureConfig) -> Result<Self, FeatureError> {
        let clock = DayClock::new(&views.as_of, config.horizon_days())?;
        let mut measuring = Measuring::new(views, &clock);
        let categories = tiles::merchant_texts(views, "category")?;
        let slots = config.industry_slots();
        let compared: BTreeSet<usize> = slots.keys().map(|read| read.measure).collect();
        measuring.look_ahead(compared.iter().filter_map(|id| config.measures.get(*id)));
        let mut measured: BTreeMap<usize, Option<Measured>> = BTreeMap::new();
        for id in compared {
            if let Some(spec) = config.measures.get(id) {
                measured.insert(id, measuring.evaluate(spec, Forms { days: true, rows: false })?);
            }
        }
        let mut totals = Self::default();
        for (read, slot) in &slots {
            let Some(measured) = measured.get(&read.measure).and_then(Option::as_ref) else { continue };
            for (number, category) in categories.iter().enumerate() {
                if let Some(tally) = measured.tally(number, read.window) {
                    totals.add(category.as_deref().unwrap_or_default(), *slot, slots.len(), CategoryTotal::of(tally));
                }
            }
        }
        Ok(totals)
    }

    /// Adds the merchants of other shards.
    pub fn merge(&mut self, other: &Self) {
        for (category, slots) in &other.by_category {
            for (slot, total) in slots.iter().enumerate() {
                if let Some(total) = total {
                    self.add(category, slot, slots.len(), *total);
                }
            }
        }
    }

    /// Those of a marketplace of which these merchants are one in so many, chosen by chance.
    #[must_use]
    pub fn of_part(mut self, one_in: u64) -> Self {
        for total in self.by_category.values_mut().flatten().flatten() {
            total.sum *= i128::from(one_in);
            total.merchants *= one_in;
        }
        self
    }

    fn add(&mut self, category: &str, slot: usize, slots: usize, more: CategoryTotal) {
        if !self.by_category.contains_key(category) {
            self.by_category.insert(category.to_owned(), vec![None; slots]);
        }
        if let Some(total) = self.by_category.get_mut(category).and_then(|totals| totals.get_mut(slot)) {
            let total = total.get_or_insert_with(CategoryTotal::default);
            total.sum += more.sum;
            total.merchants += more.merchants;
        }
    }

    /// Totals of a category by slot; empty where it has none.
    pub(super) fn of(&self, category: &str) -> &[Option<CategoryTotal>] {
        self.by_category.get(category).map_or(&[], Vec::as_slice)
    }
}
