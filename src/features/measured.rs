//! A shard's measures, and one merchant's view of them.

use std::collections::BTreeMap;

use super::attribute::Attribute;
use super::error::FeatureError;
use super::kind::Read;
use super::prepared::Overflow;
use super::settings::FeatureConfig;
use crate::domain::AsOf;
use crate::tiles::{self, DayClock, DayTile, Forms, Measured, Measuring, Merchants, Tally, TileRow, Views};

/// Everything that features are made of, for all merchants of a shard.
#[derive(Debug, Clone)]
pub struct ShardMeasures {
    pub(super) as_of: AsOf,
    pub(super) merchants: Merchants,
    pub(super) tenure_days: Vec<i64>,
    pub(super) categories: Vec<String>,
    pub(super) attributes: BTreeMap<Attribute, Vec<Option<i64>>>,
    /// By measure id; `None` where a table that the measure needs is absent, or no feature reads it.
    measures: Vec<Option<Measured>>,
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
/// A broken table.
pub fn measure_shard(views: &Views, config: &FeatureConfig) -> Result<ShardMeasures, FeatureError> {
    let clock = DayClock::new(&views.as_of, config.horizon_days())?;
    let mut measuring = Measuring::new(views, &clock);
    let is_read = |id: usize| config.forms(id) != Forms::default();
    measuring.look_ahead(config.measures.iter().enumerate().filter(|(id, _)| is_read(*id)).map(|(_, spec)| spec));
    let mut measures = Vec::with_capacity(config.measures.len());
    for (id, spec) in config.measures.iter().enumerate() {
        let forms = config.forms(id);
        let measured = if forms.days || forms.rows { measuring.evaluate(spec, forms)? } else { None };
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
    pub(super) number: usize,
}

impl<'a> MerchantTiles<'a> {
    /// Sum and rows of a window; `None` without evidence.
    #[must_use]
    pub fn tally(&self, read: Read) -> Option<Tally> {
        self.shard.tally(read, self.number)
    }

    /// Days of a window that have rows, nearest first; `None` without evidence.
    #[must_use]
    pub fn days(&self, read: Read) -> Option<impl Iterator<Item = DayTile> + 'a> {
        self.shard.measured(read)?.days(self.number, read.window)
    }

    /// Rows of a window, latest first; `None` without evidence.
    #[must_use]
    pub fn rows(&self, read: Read) -> Option<&'a [TileRow]> {
        self.shard.measured(read)?.rows(self.number, read.window)
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
}

impl ShardMeasures {
    /// Sum and rows of a window for the merchant of that position in [`Self::merchants`]; `None` without evidence.
    #[must_use]
    pub fn tally(&self, read: Read, merchant: usize) -> Option<Tally> {
        self.measured(read)?.tally(merchant, read.window)
    }

    /// A measure's tiles; `None` where a table that it needs is absent.
    fn measured(&self, read: Read) -> Option<&Measured> {
        self.measures.get(read.measure)?.as_ref()
    }

    /// Measures that are unknown for a merchant because they overflow, sorted.
    pub(super) fn overflows(&self) -> Vec<Overflow> {
        let measures = self.measures.iter().zip(&self.names).filter_map(|(m, name)| Some((m.as_ref()?, name)));
        let mut found: Vec<Overflow> = measures
            .flat_map(|(measured, name)| measured.overflowing().map(move |number| (number, name)))
            .map(|(number, name)| Overflow { merchant: self.merchants.id(number).to_owned(), measure: name.clone() })
            .collect();
        found.sort_unstable();
        found
    }
}
