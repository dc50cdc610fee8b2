//! A shard's measures, and one merchant's view of them.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::Attribute;
use super::error::FeatureError;
use super::industry::{CategoryTotal, IndustryTotals};
use super::kind::{MeasureId, Read};
use super::settings::FeatureConfig;
use crate::domain::AsOf;
use crate::tiles::{self, DayClock, DayTile, Forms, Measured, Merchants, TileRow, Views};

/// Everything that features are made of, for all merchants of a shard.
#[derive(Debug, Clone)]
pub struct ShardMeasures {
    pub(super) as_of: AsOf,
    pub(super) merchants: Merchants,
    pub(super) tenure_days: Vec<i64>,
    pub(super) categories: Vec<String>,
    pub(super) attributes: BTreeMap<Attribute, Vec<Option<i64>>>,
    /// By measure id; `None` where a table that the measure needs is absent, or no feature reads it.
    pub(super) measures: Vec<Option<Measured>>,
    pub(super) names: Vec<String>,
}

impl ShardMeasures {
    /// Merchant ids, sorted; every merchant that can be seen, whether it traded or not.
    #[must_use]
    pub fn merchants(&self) -> &[String] {
        self.merchants.ids()
    }

    /// The observation.
    #[must_use]
    pub const fn as_of(&self) -> &AsOf {
        &self.as_of
    }
}

/// Evaluates every measure that a feature reads.
///
/// # Errors
/// A broken table, or sums beyond 64 bits (measure and merchant are named).
pub fn measure_shard(views: &Views, config: &FeatureConfig) -> Result<ShardMeasures, FeatureError> {
    measure(views, config, |id| config.forms(id))
}

/// Evaluates the measures that comparison with the industry reads, and no other: what the first pass over the shards needs.
///
/// # Errors
/// As [`measure_shard`].
pub fn measure_industry(views: &Views, config: &FeatureConfig) -> Result<ShardMeasures, FeatureError> {
    let compared: BTreeSet<MeasureId> = config.industry_slots().keys().map(|read| read.measure).collect();
    measure(views, config, |id| Forms { days: compared.contains(&id), rows: false })
}

fn measure(
    views: &Views,
    config: &FeatureConfig,
    forms: impl Fn(MeasureId) -> Forms,
) -> Result<ShardMeasures, FeatureError> {
    let clock = DayClock::new(&views.as_of, config.horizon_days())?;
    let mut measures = Vec::with_capacity(config.measures.len());
    for (id, spec) in config.measures.iter().enumerate() {
        let forms = forms(id);
        let measured = if forms.days || forms.rows { tiles::evaluate(views, spec, &clock, forms)? } else { None };
        measures.push(measured);
    }
    let facts = tiles::merchant_facts(views, &clock)?;
    let mut attributes = BTreeMap::new();
    for attribute in config.features.iter().filter_map(|f| f.kind.attribute()) {
        if !attributes.contains_key(attribute) {
            attributes.insert(attribute.clone(), attribute_values(views, attribute)?);
        }
    }
    Ok(ShardMeasures {
        as_of: views.as_of.clone(),
        merchants: views.merchants.clone(),
        tenure_days: facts.tenure_days,
        categories: facts.categories,
        attributes,
        measures,
        names: config.measures.iter().map(|m| m.name.clone()).collect(),
    })
}

fn attribute_values(views: &Views, attribute: &Attribute) -> Result<Vec<Option<i64>>, FeatureError> {
    if attribute.words.is_empty() {
        return Ok(tiles::merchant_integers(views, &attribute.column)?);
    }
    let texts = tiles::merchant_texts(views, &attribute.column)?;
    Ok(texts.into_iter().map(|text| text.and_then(|text| attribute.words.get(&text).copied())).collect())
}

/// One merchant's tiles: all that a kind of feature may look at.
#[derive(Debug, Clone, Copy)]
pub struct MerchantTiles<'a> {
    pub(super) shard: &'a ShardMeasures,
    pub(super) industry: &'a IndustryTotals,
    pub(super) slots: &'a BTreeMap<Read, usize>,
    pub(super) number: usize,
}

impl<'a> MerchantTiles<'a> {
    fn measured(&self, read: Read) -> Option<&'a Measured> {
        self.shard.measures.get(read.measure).and_then(Option::as_ref)
    }

    /// Sum and rows of a window; `None` without evidence.
    ///
    /// # Errors
    /// The sum does not fit 64 bits.
    pub fn tally(&self, read: Read) -> Result<Option<tiles::Tally>, FeatureError> {
        self.shard.tally(read, self.number)
    }

    /// Days of a window that have rows, nearest first; `None` without evidence.
    #[must_use]
    pub fn days(&self, read: Read) -> Option<impl Iterator<Item = DayTile> + 'a> {
        let days = self.measured(read)?.days.as_ref()?;
        Some(days.window(self.number, read.window))
    }

    /// Rows of a window, latest first; `None` without evidence.
    #[must_use]
    pub fn rows(&self, read: Read) -> Option<&'a [TileRow]> {
        Some(self.measured(read)?.rows.as_ref()?.window(self.number, read.window))
    }

    /// Calendar days since the merchant registered.
    #[must_use]
    pub fn tenure_days(&self) -> i64 {
        self.shard.tenure_days.get(self.number).copied().unwrap_or(0)
    }

    /// The merchant's own column.
    #[must_use]
    pub fn attribute(&self, attribute: &Attribute) -> Option<i64> {
        self.shard.attributes.get(attribute)?.get(self.number).copied().flatten()
    }

    /// The category's total of a window without this merchant; `None` without evidence.
    ///
    /// # Errors
    /// A sum does not fit 64 bits.
    pub fn peers(&self, read: Read) -> Result<Option<CategoryTotal>, FeatureError> {
        let Some(own) = self.tally(read)? else { return Ok(None) };
        let category = self.shard.categories.get(self.number).map_or("", String::as_str);
        let total = self.slots.get(&read).and_then(|slot| self.industry.total(category, *slot));
        let Some(CategoryTotal { sum, merchants }) = total else { return Ok(None) };
        let sum = sum.checked_sub(own.sum).ok_or_else(|| FeatureError::IndustryOverflow {
            measure: self.shard.names.get(read.measure).cloned().unwrap_or_default(),
            category: category.to_owned(),
        })?;
        Ok(Some(CategoryTotal { sum, merchants: merchants.saturating_sub(u64::from(own.rows > 0)) }))
    }
}

impl ShardMeasures {
    /// Sum and rows of a window for the merchant of that position in [`Self::merchants`]; `None` without evidence.
    ///
    /// # Errors
    /// The sum does not fit 64 bits.
    pub fn tally(&self, read: Read, merchant: usize) -> Result<Option<tiles::Tally>, FeatureError> {
        let measured = self.measures.get(read.measure).and_then(Option::as_ref);
        let Some(days) = measured.and_then(|m| m.days.as_ref()) else { return Ok(None) };
        match days.tally(merchant, read.window) {
            Some(tally) => Ok(Some(tally)),
            None => Err(FeatureError::Overflow {
                measure: self.names.get(read.measure).cloned().unwrap_or_default(),
                merchant: self.merchants.id(merchant).to_owned(),
                from: read.window.from,
                to: read.window.to,
            }),
        }
    }
}
