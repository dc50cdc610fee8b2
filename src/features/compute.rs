//! From measures to the feature table.

use std::collections::BTreeMap;

use super::error::FeatureError;
use super::industry::IndustryTotals;
use super::kind::Read;
use super::measured::{MerchantTiles, ShardMeasures};
use super::settings::{FeatureConfig, FeatureSpec};

/// One feature of all merchants.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureColumn {
    /// The feature.
    pub name: String,
    /// Values in the order of [`FeatureTable::merchants`]; finite where known.
    pub values: Vec<Option<f64>>,
}

/// Merchants × features.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureTable {
    /// Merchant ids, sorted.
    pub merchants: Vec<String>,
    /// Features in the order of the configuration.
    pub columns: Vec<FeatureColumn>,
}

impl FeatureTable {
    /// The feature of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&FeatureColumn> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// A feature of the merchant at that position; `None` where unknown.
    #[must_use]
    pub fn value(&self, name: &str, merchant: usize) -> Option<f64> {
        self.column(name)?.values.get(merchant).copied().flatten()
    }

    /// A merchant's position.
    #[must_use]
    pub fn position(&self, merchant: &str) -> Option<usize> {
        self.merchants.binary_search_by(|id| id.as_str().cmp(merchant)).ok()
    }
}

/// Computes every feature of every merchant of a shard.
///
/// `industry` are the totals of *all* shards, merged.
///
/// # Errors
/// Sums beyond 64 bits, or a formula that left the finite numbers.
pub fn compute(
    shard: &ShardMeasures,
    industry: &IndustryTotals,
    config: &FeatureConfig,
) -> Result<FeatureTable, FeatureError> {
    let slots = config.industry_slots();
    let columns = config
        .features
        .iter()
        .map(|spec| {
            let values = (0..shard.merchants.len())
                .map(|number| value(shard, industry, &slots, spec, number))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(FeatureColumn { name: spec.name.clone(), values })
        })
        .collect::<Result<Vec<_>, FeatureError>>()?;
    Ok(FeatureTable { merchants: shard.merchants.ids().to_vec(), columns })
}

/// One feature of one merchant.
pub(super) fn value(
    shard: &ShardMeasures,
    industry: &IndustryTotals,
    slots: &BTreeMap<Read, usize>,
    spec: &FeatureSpec,
    number: usize,
) -> Result<Option<f64>, FeatureError> {
    let merchant = MerchantTiles { shard, industry, slots, number };
    if merchant.tenure_days() < i64::from(spec.min_history_days.max(spec.kind.history_days())) {
        return Ok(None);
    }
    match spec.kind.value(&merchant)? {
        // Minus zero is zero: the two must not differ in published bytes.
        Some(value) if value.is_finite() => Ok(Some(value + 0.0)),
        Some(_) => {
            Err(FeatureError::NotFinite { feature: spec.name.clone(), merchant: shard.merchants.id(number).to_owned() })
        }
        None => Ok(None),
    }
}
