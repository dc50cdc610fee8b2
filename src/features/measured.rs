//! A shard's measures, and one merchant's view of them.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::Attribute;
use super::error::FeatureError;
use super::industry::{CategoryTotal, IndustryTotals};
use super::kind::{MeasureId, Read};
use super::settings::FeatureConfig;
use crate::domain::AsOf;
use crate::repayment::LoanLedger;
use crate::tiles::{self, DayClock, DayTile, Forms, MeasureSpec, Measured, Merchants, TileRow, Views};

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
    /// By measure id: whether it counts loans, what was promised on them or what was paid.
    pub(super) on_loans: Vec<bool>,
    /// By merchant: whether a loan of the merchant is not known, so that no sum over the merchant's loans is.
    pub(super) has_unknown_loan: Vec<bool>,
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
        on_loans: config.measures.iter().map(counts_loans).collect(),
        has_unknown_loan: has_unknown_loan(views),
    })
}

/// Views and tables that speak of loans.
const LOAN_VIEWS: [&str; 4] = ["loans", "payments", "instalment_status", "loan_status"];
const LOAN_TABLES: [&str; 3] = ["loans", "instalments", "payments"];

fn counts_loans(measure: &MeasureSpec) -> bool {
    LOAN_VIEWS.contains(&measure.view.name) || measure.needs.iter().any(|table| LOAN_TABLES.contains(table))
}

fn has_unknown_loan(views: &Views) -> Vec<bool> {
    let mut has_unknown = vec![false; views.merchants.len()];
    for merchant in views.ledger.iter().flat_map(LoanLedger::unknown_merchants) {
        let number = views.merchants.number(merchant).and_then(|n| usize::try_from(n).ok());
        if let Some(flag) = number.and_then(|n| has_unknown.get_mut(n)) {
            *flag = true;
        }
    }
    has_unknown
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
        self.shard.measured(read.measure, self.number)
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
    /// A measure as far as it can be known of a merchant; `None` without evidence.
    fn measured(&self, measure: MeasureId, merchant: usize) -> Option<&Measured> {
        let is_unknown = |flags: &[bool], at: usize| flags.get(at).copied().unwrap_or_default();
        if is_unknown(&self.on_loans, measure) && is_unknown(&self.has_unknown_loan, merchant) {
            return None;
        }
        self.measures.get(measure).and_then(Option::as_ref)
    }

    /// Sum and rows of a window for the merchant of that position in [`Self::merchants`]; `None` without evidence.
    ///
    /// # Errors
    /// The sum does not fit 64 bits.
    pub fn tally(&self, read: Read, merchant: usize) -> Result<Option<tiles::Tally>, FeatureError> {
        let measured = self.measured(read.measure, merchant);
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
