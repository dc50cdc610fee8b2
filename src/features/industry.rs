//! What crosses merchants: totals by category, reduced over shards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::FeatureError;
use super::measured::ShardMeasures;
use super::settings::FeatureConfig;

/// A category's total of one measure over one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CategoryTotal {
    /// Exact sum over its merchants.
    pub sum: i64,
    /// Merchants with any row in the window.
    pub merchants: u64,
}

/// Totals by category, one slot for each (measure, window) of the features that compare with the industry.
///
/// Merging adds whole numbers: shards may come in any order and grouping.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct IndustryTotals {
    slots: usize,
    by_category: BTreeMap<String, Vec<Option<CategoryTotal>>>,
}

impl IndustryTotals {
    /// Adds another shard's totals.
    ///
    /// # Errors
    /// A sum beyond 64 bits, or totals made under another configuration.
    pub fn merge(&mut self, other: &Self) -> Result<(), FeatureError> {
        if self.by_category.is_empty() {
            self.slots = self.slots.max(other.slots);
        }
        if self.slots != other.slots && !other.by_category.is_empty() {
            return Err(FeatureError::IndustryMismatch { left: self.slots, right: other.slots });
        }
        for (category, totals) in &other.by_category {
            let mine = self.by_category.entry(category.clone()).or_insert_with(|| vec![None; other.slots]);
            for (slot, (mine, other)) in mine.iter_mut().zip(totals).enumerate() {
                let Some(other) = other else { continue };
                let total = mine.get_or_insert_with(CategoryTotal::default);
                total.sum = total.sum.checked_add(other.sum).ok_or_else(|| FeatureError::IndustryOverflow {
                    measure: format!("(slot {slot})"),
                    category: category.clone(),
                })?;
                total.merchants += other.merchants;
            }
        }
        Ok(())
    }

    pub(super) fn total(&self, category: &str, slot: usize) -> Option<CategoryTotal> {
        self.by_category.get(category)?.get(slot).copied().flatten()
    }
}

/// One shard's totals by category.
///
/// # Errors
/// A sum beyond 64 bits.
pub fn industry_totals(shard: &ShardMeasures, config: &FeatureConfig) -> Result<IndustryTotals, FeatureError> {
    let reads = config.industry_slots();
    let mut totals = IndustryTotals { slots: reads.len(), by_category: BTreeMap::new() };
    for (number, category) in shard.categories.iter().enumerate() {
        for (read, slot) in &reads {
            let Some(tally) = shard.tally(*read, number)? else { continue };
            let slots = totals.by_category.entry(category.clone()).or_insert_with(|| vec![None; reads.len()]);
            let Some(total) = slots.get_mut(*slot) else { continue };
            let total = total.get_or_insert_with(CategoryTotal::default);
            total.sum = total.sum.checked_add(tally.sum).ok_or_else(|| FeatureError::IndustryOverflow {
                measure: shard.names.get(read.measure).cloned().unwrap_or_default(),
                category: category.clone(),
            })?;
            total.merchants += u64::from(tally.rows > 0);
        }
    }
    Ok(totals)
}
