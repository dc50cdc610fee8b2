//! Reads a store back, bucket by bucket, as of any instant up to its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use polars::prelude::*;

use super::broken::{self, BrokenRecord};
use super::earlier::earlier_versions;
use super::error::{StoreError, frame_error};
use super::held_amounts::hold_amounts;
use super::held_ends::hold_ends;
use super::held_losses::hold_losses;
use super::held_names::hold_names;
use super::held_times::{hold_times, tables_with_held_times};
use super::index::{BROKEN, LAYOUT, StoreIndex, bucket_path};
use super::shard::Shard;
use crate::contract::{
    self, APPLICATIONS, DISPUTES, ORDERS, PAYMENTS, REVIEWS, SHIPMENTS, TableContract, data_type, visible,
};
use crate::domain::{AsOf, Digest};

/// Clean events, bucketed by merchant and sorted by merchant and time.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    index: StoreIndex,
}

/// The rows of a bucket, of all times, parents first.
#[derive(Debug, Clone)]
pub struct WholeBucket {
    tables: Vec<(&'static TableContract, DataFrame)>,
    broken: Vec<BrokenRecord>,
}

impl WholeBucket {
    /// The merchants and their loan book alone.
    #[must_use]
    pub fn loans(&self) -> Self {
        let tables = self.tables.iter().filter(|(table, _)| is_of_loans(table.name)).cloned().collect();
        Self { tables, broken: self.broken.clone() }
    }
}

fn is_of_loans(table: &str) -> bool {
    ["merchants", "loans", "instalments", "payments"].contains(&table)
}

impl Store {
    /// Opens the store at `folder`.
    ///
    /// # Errors
    /// `store.json` is missing, is not a store's, or has another layout.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("store.json");
        let text = fs::read_to_string(&path).map_err(|e| StoreError::Io {
            action: "read",
            path: path.clone(),
            why: e.to_string(),
        })?;
        let index: StoreIndex =
            serde_json::from_str(&text).map_err(|e| StoreError::Corrupt { path: path.clone(), why: e.to_string() })?;
        if index.layout != LAYOUT {
            return Err(StoreError::Version { path, found: index.layout, expected: LAYOUT });
        }
        Ok(Self { folder: folder.to_owned(), index })
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it holds.
    #[must_use]
    pub const fn index(&self) -> &StoreIndex {
        &self.index
    }

    /// Number of buckets: `shard` takes `0..buckets`.
    #[must_use]
    pub const fn buckets(&self) -> u32 {
        self.index.buckets
    }

    /// Rows of a table in their latest version; `None` where the job does not have it.
    #[must_use]
    pub fn rows(&self, table: &str) -> Option<u64> {
        self.index.tables.get(table).map(|t| t.rows)
    }

    /// Rows of all tables, earlier versions included.
    #[must_use]
    pub fn all_rows(&self) -> u64 {
        self.index.tables.values().map(|table| table.rows + table.superseded).sum()
    }

    /// One bucket's tables as of an instant up to the store's own: visible rows, later milestones masked, the version that was the
    /// latest then, but for what later versions may not change: amounts after sending, ends, losses, times, promises that fell due, and names after two weeks (`held_*.rs`). Rows whose parent could not be seen then are left out; sorted by merchant, event time and key. Tables
    /// that do not name a merchant carry their loan's `merchant_id` as last column.
    ///
    /// # Errors
    /// No such bucket, an instant after the store's own, or a file that cannot be read.
    pub fn shard(&self, bucket: u32, as_of: &AsOf) -> Result<Shard, StoreError> {
        self.seen(&self.whole(bucket)?, as_of)
    }

    /// A bucket's rows of all times, to be [`Self::seen`] at several instants.
    ///
    /// # Errors
    /// No such bucket, or a file that cannot be read.
    pub fn whole(&self, bucket: u32) -> Result<WholeBucket, StoreError> {
        self.read_bucket(bucket, |_| true)
    }

    /// The merchants of a bucket and their loan book alone, of all times, to be [`Self::seen`] at several instants.
    ///
    /// # Errors
    /// No such bucket, or a file that cannot be read.
    pub fn loans(&self, bucket: u32) -> Result<WholeBucket, StoreError> {
        self.read_bucket(bucket, is_of_loans)
    }

    /// Some tables of a bucket alone, of all times, to be [`Self::seen`].
    ///
    /// # Errors
    /// No such bucket, or a file that cannot be read.
    pub fn tables(&self, bucket: u32, names: &[&str]) -> Result<WholeBucket, StoreError> {
        self.read_bucket(bucket, |table| names.contains(&table))
    }

    fn read_bucket(&self, bucket: u32, is_wanted: impl Fn(&str) -> bool) -> Result<WholeBucket, StoreError> {
        if bucket >= self.index.buckets {
            return Err(StoreError::NoBucket { bucket, buckets: self.index.buckets });
        }
        let wanted = contract::TABLES.iter().filter(|t| self.index.tables.contains_key(t.name) && is_wanted(t.name));
        let tables = wanted.map(|&table| Ok((table, self.read(table, bucket)?))).collect::<Result<_, StoreError>>()?;
        Ok(WholeBucket { tables, broken: self.broken(bucket)? })
    }

    /// What of a bucket's rows could be seen at an instant, as [`Self::shard`] says.
    ///
    /// # Errors
    /// An instant after the store's own, or a frame operation fails.
    pub fn seen(&self, bucket: &WholeBucket, as_of: &AsOf) -> Result<Shard, StoreError> {
        if as_of.micros() > self.index.as_of_micros {
            return Err(StoreError::TooLate { wanted: as_of.date(), washed: self.index.as_of.clone() });
        }
        let looks_back = as_of.micros() < self.index.as_of_micros;
        let mut tables: BTreeMap<&'static str, DataFrame> = BTreeMap::new();
        for (table, rows) in &bucket.tables {
            let broken = |e: PolarsError| frame_error(table.name, &e);
            let mut rows = visible(table, rows.clone(), as_of, None).map_err(broken)?.visible;
            if looks_back {
                rows = with_seen_parents(table, rows, &tables).map_err(broken)?;
            }
            tables.insert(table.name, rows.select(columns(table)).map_err(broken)?);
        }
        let earlier = |wanted: &TableContract| {
            let found = bucket.tables.iter().find(|(table, _)| table.name == wanted.name);
            let versions = found.map(|(table, rows)| earlier_versions(table, rows, as_of)).transpose();
            versions.map(Option::flatten).map_err(|e| frame_error(wanted.name, &e))
        };
        let mut before: BTreeMap<&'static str, DataFrame> = BTreeMap::new();
        for table in [&ORDERS, &SHIPMENTS, &REVIEWS, &DISPUTES, &PAYMENTS, &APPLICATIONS] {
            before.extend(earlier(table)?.map(|versions| (table.name, versions)));
        }
        let sent_before = before.get(SHIPMENTS.name);
        if let (Some(before), Some(orders)) = (before.get(ORDERS.name), tables.get(ORDERS.name)) {
            let parcels: Vec<&DataFrame> = tables.get(SHIPMENTS.name).into_iter().chain(sent_before).collect();
            if let Some(held) = hold_amounts(orders, before, &parcels).map_err(|e| frame_error(ORDERS.name, &e))? {
                tables.insert(ORDERS.name, held);
            }
            let open_again = tables.get(ORDERS.name).map(|orders| hold_ends(orders, before)).transpose();
            if let Some(held) = open_again.map_err(|e| frame_error(ORDERS.name, &e))?.flatten() {
                tables.insert(ORDERS.name, held);
            }
        }
        if let (Some(before), Some(parcels)) = (sent_before, tables.get(SHIPMENTS.name)) {
            let held = hold_losses(parcels, before).map_err(|e| frame_error(SHIPMENTS.name, &e))?;
            tables.extend(held.map(|held| (SHIPMENTS.name, held)));
        }
        for table in tables_with_held_times() {
            if let (Some(before), Some(rows)) = (before.get(table.name), tables.get(table.name)) {
                let held = hold_times(table, rows, before).map_err(|e| frame_error(table.name, &e))?;
                tables.extend(held.map(|held| (table.name, held)));
            }
        }
        hold_names(&mut tables, &before, as_of).map_err(|(table, e)| frame_error(table, &e))?;
        before.retain(|table, _| [PAYMENTS.name, APPLICATIONS.name].contains(table));
        let broken = bucket.broken.iter().filter(|record| record.counts_at(as_of)).cloned().collect();
        Ok(Shard { as_of: as_of.clone(), tables, earlier: before, broken })
    }

    /// Every broken record of a bucket, whenever it was known.
    fn broken(&self, bucket: u32) -> Result<Vec<BrokenRecord>, StoreError> {
        if !self.index.broken.contains_key(&bucket) {
            return Ok(Vec::new());
        }
        let frame = self.read_file(BROKEN, bucket)?;
        broken::from_frame(&frame).map_err(|e| frame_error(BROKEN, &e))
    }

    /// Recomputes the digest of every file.
    ///
    /// # Errors
    /// The first file that is missing or whose bytes have changed.
    pub fn verify(&self) -> Result<(), StoreError> {
        let tables = self.index.tables.iter().map(|(table, index)| (table.as_str(), &index.files));
        for (table, files) in tables.chain([(BROKEN, &self.index.broken)]) {
            for (&bucket, file) in files {
                let path = self.folder.join(bucket_path(table, bucket));
                let digest = Digest::of_file(&path).map_err(|e| StoreError::Io {
                    action: "read",
                    path: path.clone(),
                    why: e.to_string(),
                })?;
                if digest != file.sha256 {
                    let why = format!("its digest is {digest}, store.json says {}", file.sha256);
                    return Err(StoreError::Corrupt { path, why });
                }
            }
        }
        Ok(())
    }

    fn read(&self, table: &TableContract, bucket: u32) -> Result<DataFrame, StoreError> {
        let has_rows = self.index.tables.get(table.name).is_some_and(|t| t.files.contains_key(&bucket));
        if !has_rows {
            let fields = columns(table).map(|name| {
                let dtype = table.column(name).map_or(DataType::String, |c| data_type(c.kind));
                Field::new(name.into(), dtype)
            });
            return Ok(DataFrame::empty_with_schema(&fields.collect::<Schema>()));
        }
        self.read_file(table.name, bucket)
    }

    fn read_file(&self, table: &str, bucket: u32) -> Result<DataFrame, StoreError> {
        read_file(&self.folder.join(bucket_path(table, bucket)))
    }
}

pub(super) fn read_file(path: &Path) -> Result<DataFrame, StoreError> {
    let file =
        File::open(path).map_err(|e| StoreError::Io { action: "read", path: path.to_owned(), why: e.to_string() })?;
    ParquetReader::new(file).finish().map_err(|e| StoreError::Corrupt { path: path.to_owned(), why: e.to_string() })
}

/// The contract's columns, and `merchant_id` where it is not among them.
pub(super) fn columns(table: &TableContract) -> impl Iterator<Item = &'static str> {
    let merchant = table.column("merchant_id").is_none().then_some("merchant_id");
    table.columns.iter().map(|c| c.name).chain(merchant)
}

/// Leaves out rows that refer to a row which cannot be seen, or which is another merchant's.
fn with_seen_parents(
    table: &TableContract,
    mut rows: DataFrame,
    seen: &BTreeMap<&'static str, DataFrame>,
) -> PolarsResult<DataFrame> {
    for reference in table.foreign_keys {
        let Some(parent) = seen.get(reference.table) else { continue };
        let referred = rows.column(reference.column)?.str()?;
        let keys = parent.column(reference.key)?.str()?;
        let stays = if reference.same_merchant {
            let (own, merchants) = (rows.column("merchant_id")?.str()?, parent.column("merchant_id")?.str()?);
            referred_among_own(referred, own, keys, merchants)
        } else {
            let there: PlHashSet<&str> = keys.iter().flatten().collect();
            referred.iter().map(|key| key.is_none_or(|key| there.contains(key))).collect()
        };
        if stays.iter().any(|stays| !stays) {
            rows = rows.filter(&BooleanChunked::from_slice("stays".into(), &stays))?;
        }
    }
    Ok(rows)
}

/// For each row whether it refers to nothing, or to a key of its own merchant. Both tables are sorted by merchant, so that only one merchant's keys are
/// looked through at a time.
fn referred_among_own(
    referred: &StringChunked,
    own: &StringChunked,
    keys: &StringChunked,
    merchants: &StringChunked,
) -> Vec<bool> {
    let mut parents = merchants.iter().zip(keys.iter()).peekable();
    let mut of_merchant: Option<Option<&str>> = None;
    let mut there: PlHashSet<&str> = PlHashSet::new();
    let mut stays = Vec::with_capacity(referred.len());
    for (key, own) in referred.iter().zip(own.iter()) {
        if of_merchant != Some(own) {
            of_merchant = Some(own);
            there.clear();
            while parents.next_if(|(merchant, _)| *merchant < own).is_some() {}
            while let Some((_, key)) = parents.next_if(|(merchant, _)| *merchant == own) {
                there.extend(key);
            }
        }
        stays.push(key.is_none_or(|key| there.contains(key)));
    }
    stays
}
