//! Rows that more than their own bucket decides.
//!
//! A bucket is washed alone. That is right for a row if all versions of its key and all rows that it refers to lie in the same bucket, or
//! nowhere. The others, *strays*, are taken out before anything is judged and washed together afterwards, when all buckets are known:
//!
//! - rows of a key that several buckets have (two versions of an order name two merchants), or that a malformed record seems to have;
//! - rows without a whole key;
//! - rows that refer to an order or a loan which is not in their bucket, or which is itself a stray, or to a merchant who is;
//! - all rows of a key of which one is a stray.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use polars::prelude::*;

use super::versions::key_hashes;
use crate::contract::{MERCHANTS, TableContract};
use crate::store::stable_hash;

/// What of a bucket's rows is its own.
#[derive(Default)]
pub(super) struct OwnKeys {
    /// By table, the hashes of keys of rows that are no strays.
    own: PlHashMap<&'static str, PlHashSet<u64>>,
    /// Merchants whose rows are strays.
    stray_merchants: PlHashSet<u64>,
}

impl OwnKeys {
    /// Which rows of a table are strays; the keys of the others are remembered. Tables come parents first.
    pub fn strays(
        &mut self,
        table: &'static TableContract,
        frame: &DataFrame,
        wandering: &HashSet<u64>,
    ) -> PolarsResult<BooleanChunked> {
        let keys = key_hashes(table, frame)?;
        let mut is_stray: Vec<bool> = if wandering.is_empty() {
            vec![false; keys.len()]
        } else {
            keys.iter().map(|key| wandering.contains(key)).collect()
        };
        for name in table.key {
            let column = frame.column(name)?;
            if column.null_count() > 0 {
                mark(&mut is_stray, column.is_null().iter().map(|null| null == Some(true)));
            }
        }
        for reference in table.foreign_keys {
            let named = frame.column(reference.column)?.str()?;
            let hashes = named.iter().map(|name| name.map(|name| stable_hash(name.as_bytes())));
            if reference.table == MERCHANTS.name {
                // A merchant lies in the bucket of its own id: one who is not there is nowhere.
                if !self.stray_merchants.is_empty() {
                    mark(&mut is_stray, hashes.map(|hash| hash.is_some_and(|h| self.stray_merchants.contains(&h))));
                }
            } else {
                let own = self.own.get(reference.table);
                let is_own = |hash: &u64| own.is_some_and(|own| own.contains(hash));
                mark(&mut is_stray, hashes.map(|hash| hash.is_some_and(|hash| !is_own(&hash))));
            }
        }
        let of_strays: PlHashSet<u64> =
            keys.iter().zip(&is_stray).filter(|(_, is_stray)| **is_stray).map(|(key, _)| *key).collect();
        if !of_strays.is_empty() {
            mark(&mut is_stray, keys.iter().map(|key| of_strays.contains(key)));
        }
        if let ([key], true) = (table.key, table.is_referred_to()) {
            let names = frame.column(key)?;
            // The hash of a reference is that of its text, the hash of a key mixes its parts.
            let names = names.str()?.iter().map(|name| stable_hash(name.unwrap_or("").as_bytes()));
            if table.name == MERCHANTS.name {
                self.stray_merchants.extend(names.zip(&is_stray).filter(|(_, stray)| **stray).map(|(name, _)| name));
            } else {
                let own = names.zip(&is_stray).filter(|(_, stray)| !**stray).map(|(name, _)| name);
                self.own.insert(table.name, own.collect());
            }
        }
        Ok(is_stray.into_iter().collect())
    }
}

fn mark(is_stray: &mut [bool], more: impl Iterator<Item = bool>) {
    for (slot, more) in is_stray.iter_mut().zip(more) {
        *slot |= more;
    }
}

/// What strays must know of the rows in all buckets: by table, the keys that they name.
#[derive(Default)]
pub(super) struct NamedKeys {
    keys: BTreeMap<&'static str, BTreeSet<String>>,
}

impl NamedKeys {
    /// Adds one key.
    pub fn add(&mut self, table: &'static str, key: Option<&str>) {
        if let Some(key) = key {
            self.keys.entry(table).or_default().insert(key.to_owned());
        }
    }

    /// Adds all keys that some rows name.
    pub fn add_rows(&mut self, table: &'static TableContract, frame: &DataFrame) -> PolarsResult<()> {
        for reference in table.foreign_keys {
            for name in frame.column(reference.column)?.str()?.iter() {
                self.add(reference.table, name);
            }
        }
        Ok(())
    }

    /// The keys of a table.
    pub fn of(&self, table: &str) -> Option<&BTreeSet<String>> {
        self.keys.get(table)
    }
}
