//! A shard's features before the totals of the industry are known.
//!
//! Everything that depends on the merchant alone is computed here, so that the shard's views and tiles can be dropped. Of the features
//! that compare with the industry only the merchant's own sums are kept, until every shard has been prepared.
//!
//! What is kept is flat: 8 bytes for every feature of a merchant, and for every window that is compared 24 more. With the 115 features and
//! 8 compared windows of a large feature set that is about 1.1 kB a merchant, its id and category included.

use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::error::FeatureError;
use super::industry::IndustryTotals;
use super::kind::Kind;
use super::measured::{MerchantTiles, ShardMeasures};
use super::settings::{FeatureConfig, FeatureSpec};
use super::table::{FeatureColumn, FeatureTable};
use crate::tiles::Tally;

/// A measure that is unknown for a merchant, because the merchant's rows add up to more than 64 bits hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Overflow {
    /// The merchant.
    pub merchant: String,
    /// The measure.
    pub measure: String,
}

/// One feature of all merchants of a shard, as far as the shard alone can tell.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum PreparedColumn {
    /// Values; NaN stands for null, at half the memory of an `Option`.
    Own(Vec<f64>),
    /// Whether the merchant's own evidence passes the guards.
    Compared(Vec<bool>),
}

/// A shard's features, as far as the shard alone can tell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreparedFeatures {
    merchants: Vec<String>,
    /// Distinct categories, sorted.
    categories: Vec<String>,
    /// By merchant, the place in `categories`.
    category: Vec<u32>,
    columns: Vec<PreparedColumn>,
    /// The merchant's own sums over the compared windows, by slot and merchant.
    pub(super) tallies: Vec<Vec<Option<Tally>>>,
    /// By merchant what is in the totals of the industry, by slot; empty where that is what `tallies` says.
    counted: Vec<Vec<Option<Tally>>>,
    /// Measures that are unknown for a merchant because they overflow, sorted.
    pub overflows: Vec<Overflow>,
}

/// Computes what a shard alone can tell.
///
/// # Errors
/// A formula that left the finite numbers.
pub fn prepare(shard: &ShardMeasures, config: &FeatureConfig) -> Result<PreparedFeatures, FeatureError> {
    let columns = config.features.iter().map(|spec| column(shard, spec)).collect::<Result<Vec<_>, _>>()?;
    let merchants = shard.merchants.ids().to_vec();
    let mut categories = shard.categories.clone();
    categories.sort_unstable();
    categories.dedup();
    let place = |category: &String| categories.binary_search(category).ok().and_then(|n| u32::try_from(n).ok());
    let category = shard.categories.iter().map(|c| place(c).unwrap_or(u32::MAX)).collect();
    let slots = config.industry_slots();
    let mut tallies = vec![Vec::new(); slots.len()];
    for (read, slot) in &slots {
        if let Some(tallies) = tallies.get_mut(*slot) {
            *tallies = (0..merchants.len()).map(|number| shard.tally(*read, number)).collect();
        }
    }
    Ok(PreparedFeatures {
        merchants,
        categories,
        category,
        columns,
        tallies,
        counted: Vec::new(),
        overflows: shard.overflows(),
    })
}

fn column(shard: &ShardMeasures, spec: &FeatureSpec) -> Result<PreparedColumn, FeatureError> {
    let merchants = (0..shard.merchants.len()).map(|number| MerchantTiles { shard, number });
    let passes = |merchant: &MerchantTiles| spec.guards.iter().all(|guard| guard.holds(merchant));
    Ok(match &spec.kind {
        Kind::Own(kind) => PreparedColumn::Own(
            merchants
                .map(|merchant| {
                    let value = if passes(&merchant) { kind.value(&merchant) } else { None };
                    Ok(finite(value, spec, shard.merchants.id(merchant.number))?.unwrap_or(f64::NAN))
                })
                .collect::<Result<_, FeatureError>>()?,
        ),
        Kind::Compared(_) => PreparedColumn::Compared(merchants.map(|merchant| passes(&merchant)).collect()),
    })
}

/// A value that may be published.
fn finite(value: Option<f64>, spec: &FeatureSpec, merchant: &str) -> Result<Option<f64>, FeatureError> {
    match value {
        // Minus zero is zero: the two must not differ in published bytes.
        Some(value) if value.is_finite() => Ok(Some(value + 0.0)),
        Some(_) => Err(FeatureError::NotFinite { feature: spec.name.clone(), merchant: merchant.to_owned() }),
        None => Ok(None),
    }
}

impl PreparedFeatures {
    /// The merchants, sorted.
    #[must_use]
    pub fn merchants(&self) -> &[String] {
        &self.merchants
    }

    /// Says that the totals of the industry hold these merchants as `published` has them, not as they are here.
    #[must_use]
    pub fn counted_as(mut self, published: &Self) -> Self {
        let of = |merchant: &String| {
            let number = published.merchants.binary_search(merchant).ok();
            let tally = |slot: &Vec<Option<Tally>>| number.and_then(|number| slot.get(number).copied().flatten());
            published.tallies.iter().map(tally).collect()
        };
        self.counted = self.merchants.iter().map(of).collect();
        self
    }

    /// A merchant's category; empty where unknown.
    pub(super) fn category(&self, number: usize) -> &str {
        let place = self.category.get(number).and_then(|n| usize::try_from(*n).ok());
        place.and_then(|n| self.categories.get(n)).map_or("", String::as_str)
    }

    /// Fills in the features that compare with the industry.
    ///
    /// `totals` are those of *all* shards, `config` is what the shard was prepared with.
    ///
    /// # Errors
    /// A formula that left the finite numbers.
    pub fn finish(mut self, totals: &IndustryTotals, config: &FeatureConfig) -> Result<FeatureTable, FeatureError> {
        let columns = std::mem::take(&mut self.columns);
        let columns = columns
            .into_iter()
            .zip(&config.features)
            .map(|(column, spec)| {
                let values = match (column, &spec.kind) {
                    (PreparedColumn::Own(values), _) => {
                        values.into_iter().map(|value| (!value.is_nan()).then_some(value)).collect()
                    }
                    (PreparedColumn::Compared(passes), kind) => self.compare(&passes, spec, kind, totals, config)?,
                };
                Ok(FeatureColumn { name: spec.name.clone(), values })
            })
            .collect::<Result<Vec<_>, FeatureError>>()?;
        Ok(FeatureTable { merchants: self.merchants, columns })
    }

    fn compare(
        &self,
        passes: &[bool],
        spec: &FeatureSpec,
        kind: &Kind,
        totals: &IndustryTotals,
        config: &FeatureConfig,
    ) -> Result<Vec<Option<f64>>, FeatureError> {
        let Kind::Compared(kind) = kind else { return Ok(vec![None; passes.len()]) };
        let slots = config.industry_slots();
        let guards = kind.peer_guards();
        passes
            .iter()
            .zip(&self.merchants)
            .enumerate()
            .map(|(number, (passes, merchant))| {
                let totals = totals.of(self.category(number));
                let counted = self.counted.get(number).map(Vec::as_slice);
                let comparison = Comparison { slots: &slots, tallies: &self.tallies, number, counted, totals };
                let enough = *passes && guards.iter().all(|guard| guard.holds(&comparison));
                finite(if enough { kind.value(&comparison) } else { None }, spec, merchant)
            })
            .collect()
    }
}
