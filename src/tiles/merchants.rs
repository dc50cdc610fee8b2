//! The merchants of a shard, numbered in order of their ids.

use polars::prelude::{DataFrame, PlHashMap};

use super::clock::DayClock;
use super::column::{integers, required_texts, texts};
use super::error::TileError;
use super::view::Views;
use crate::store::Shard;

/// Merchant ids, sorted, each once; a merchant's position is its number in every tile.
#[derive(Debug, Clone)]
pub struct Merchants {
    ids: Vec<String>,
    numbers: PlHashMap<String, u32>,
}

impl Merchants {
    /// The merchants that a shard can see.
    ///
    /// # Errors
    /// The table `merchants` is missing or has no ids.
    pub fn of(shard: &Shard) -> Result<Self, TileError> {
        let table = shard.table("merchants").ok_or(TileError::MissingTable { table: "merchants" })?;
        let ids: Vec<String> =
            required_texts(table, "merchants", "merchant_id")?.iter().flatten().map(str::to_owned).collect();
        Self::from_ids(ids)
    }

    fn from_ids(mut ids: Vec<String>) -> Result<Self, TileError> {
        ids.sort_unstable();
        ids.dedup();
        let limit = usize::try_from(u32::MAX - 1).unwrap_or(usize::MAX);
        if ids.len() > limit {
            return Err(TileError::TooMany { what: "merchants".to_owned(), rows: ids.len(), limit });
        }
        let numbers = ids.iter().cloned().zip(0_u32..).collect();
        Ok(Self { ids, numbers })
    }

    /// Ids in order.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// A merchant's number.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// A merchant's id, for messages.
    #[must_use]
    pub fn id(&self, number: usize) -> &str {
        self.ids.get(number).map_or("(unknown)", String::as_str)
    }

    /// Each row's merchant; `None` where the row names none of them.
    ///
    /// # Errors
    /// The frame has no merchant ids.
    pub fn of_rows(&self, frame: &DataFrame, table: &str) -> Result<Vec<Option<u32>>, TileError> {
        let ids = required_texts(frame, table, "merchant_id")?;
        let mut last: Option<(&str, Option<u32>)> = None;
        Ok(ids
            .iter()
            .map(|id| {
                let id = id?;
                match last {
                    // Rows come sorted by merchant: the table of numbers is asked once a merchant.
                    Some((same, number)) if same == id => number,
                    _ => {
                        let number = self.number(id);
                        last = Some((id, number));
                        number
                    }
                }
            })
            .collect())
    }
}

/// Where each merchant's rows begin, and after the last, where they end, once rows are grouped by merchant. `owners` come in any order.
pub(super) fn offsets(merchants: usize, owners: impl Iterator<Item = u32>) -> Vec<usize> {
    let mut offsets = vec![0_usize; merchants + 1];
    for owner in owners {
        if let Some(count) = offsets.get_mut(owner as usize + 1) {
            *count += 1;
        }
    }
    let mut total = 0;
    for offset in &mut offsets {
        total += *offset;
        *offset = total;
    }
    offsets
}

/// What features need of every merchant, in the order of their numbers.
#[derive(Debug, Clone)]
pub struct MerchantFacts {
    /// Calendar days since registration; 0, as for a merchant who is new, where the date lies outside the calendar.
    pub tenure_days: Vec<i64>,
    /// Category; empty where unknown.
    pub categories: Vec<String>,
}

/// Reads tenure and category.
///
/// # Errors
/// A column of another type.
pub fn merchant_facts(views: &Views, clock: &DayClock) -> Result<MerchantFacts, TileError> {
    let registered = merchant_integers(views, "registered_at")?;
    // One merchant's impossible date must not stop the others.
    let tenure = |at: Option<i64>| at.and_then(|at| clock.days_since(at).ok()).unwrap_or(0);
    let tenure_days = registered.into_iter().map(tenure).collect();
    let categories = merchant_texts(views, "category")?.into_iter().map(Option::unwrap_or_default).collect();
    Ok(MerchantFacts { tenure_days, categories })
}

/// A numeric column of the table `merchants`, by merchant number.
///
/// # Errors
/// Another type.
pub fn merchant_integers(views: &Views, column: &str) -> Result<Vec<Option<i64>>, TileError> {
    let values = integers(&views.merchant_rows, "merchants", column)?;
    by_number(views, |row| values.get(row))
}

/// A text column of the table `merchants`, by merchant number.
///
/// # Errors
/// Another type.
pub fn merchant_texts(views: &Views, column: &str) -> Result<Vec<Option<String>>, TileError> {
    let values = texts(&views.merchant_rows, "merchants", column)?;
    by_number(views, |row| values.get(row).map(str::to_owned))
}

fn by_number<T: Clone>(views: &Views, value: impl Fn(usize) -> Option<T>) -> Result<Vec<Option<T>>, TileError> {
    let owners = views.merchants.of_rows(&views.merchant_rows, "merchants")?;
    let mut ordered = vec![None; views.merchants.len()];
    for (row, owner) in owners.into_iter().enumerate() {
        let slot = owner.and_then(|n| usize::try_from(n).ok()).and_then(|n| ordered.get_mut(n));
        if let Some(slot) = slot {
            *slot = value(row);
        }
    }
    Ok(ordered)
}
