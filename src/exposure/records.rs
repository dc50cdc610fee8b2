//! How much of a merchant's records is broken.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::PolarsError;

use serde::{Deserialize, Serialize};

use super::error::ExposureError;
use crate::store::Shard;

/// A merchant's broken rows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenShare {
    /// Contract table.
    pub table: String,
    /// Broken rows.
    pub broken: u64,
    /// All rows of the merchant, broken ones included.
    pub rows: u64,
}

impl BrokenShare {
    /// Broken rows ÷ all rows, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.broken as f64 / self.rows.max(1) as f64
    }
}

/// For each merchant with a broken record the table of which the largest share is broken, the first by name where two tie.
///
/// # Errors
/// A table that names no merchant.
pub fn broken_shares(shard: &Shard) -> Result<BTreeMap<String, BrokenShare>, ExposureError> {
    let mut broken: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for record in &shard.broken {
        if let Some(merchant) = &record.merchant_id {
            *broken.entry((record.table.as_str(), merchant.as_str())).or_default() += 1;
        }
    }
    let mut sound: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (&table, frame) in &shard.tables {
        if !broken.keys().any(|(t, _)| *t == table) {
            continue;
        }
        let merchants = frame.column("merchant_id").and_then(|c| c.str());
        let merchants = merchants.map_err(|source: PolarsError| ExposureError::Frame { table, source })?;
        // Rows come sorted by merchant: each is looked up once.
        let mut merchants = merchants.iter().flatten().peekable();
        while let Some(merchant) = merchants.next() {
            let mut rows = 1;
            while merchants.next_if_eq(&merchant).is_some() {
                rows += 1;
            }
            if let Some((&(table, merchant), _)) = broken.get_key_value(&(table, merchant)) {
                *sound.entry((table, merchant)).or_default() += rows;
            }
        }
    }
    let mut worst: BTreeMap<String, BrokenShare> = BTreeMap::new();
    for ((table, merchant), broken) in broken {
        let rows = broken + sound.get(&(table, merchant)).copied().unwrap_or(0);
        let share = BrokenShare { table: table.to_owned(), broken, rows };
        match worst.get(merchant) {
            Some(known) if known.share() >= share.share() => {}
            _ => {
                worst.insert(merchant.to_owned(), share);
            }
        }
    }
    Ok(worst)
}

/// Merchants with a broken record of a table.
pub(super) fn merchants_of_broken<'a>(
    shard: &'a Shard,
    table: &str,
    counts: impl Fn(Option<i64>) -> bool,
) -> BTreeSet<&'a str> {
    let records = shard.broken.iter().filter(|record| record.table == table && counts(record.known_at));
    records.filter_map(|record| record.merchant_id.as_deref()).collect()
}
