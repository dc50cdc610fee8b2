//! Writes a store: table by table into a folder beside it, renamed into place when all is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use rayon::prelude::*;

use super::broken::{self, BrokenRecord};
use super::error::StoreError;
use super::hash::bucket_of;
use super::index::{BROKEN, BucketFile, LAYOUT, StoreIndex, TableIndex, bucket_path};
use super::reader::Store;
use crate::contract::{SUPERSEDED_AT, TableContract, Visibility};
use crate::domain::{AsOf, Digest};

/// A store being written.
pub struct StoreWriter {
    folder: PathBuf,
    building: PathBuf,
    index: StoreIndex,
}

impl StoreWriter {
    /// Begins a store that will stand at `folder`. What an earlier attempt left half-built is removed.
    ///
    /// # Errors
    /// The folder beside it cannot be made.
    pub fn create(folder: &Path, as_of: &AsOf, buckets: u32) -> Result<Self, StoreError> {
        let mut building = folder.as_os_str().to_owned();
        building.push(".building");
        let building = PathBuf::from(building);
        if building.exists() {
            fs::remove_dir_all(&building).map_err(|e| io("remove", &building, &e))?;
        }
        fs::create_dir_all(&building).map_err(|e| io("make", &building, &e))?;
        let index = StoreIndex {
            layout: LAYOUT,
            as_of: as_of.date().to_string(),
            time_zone: as_of.time_zone().iana_name().unwrap_or("UTC").to_owned(),
            as_of_micros: as_of.micros(),
            buckets: buckets.max(1),
            tables: BTreeMap::new(),
            broken: BTreeMap::new(),
        };
        Ok(Self { folder: folder.to_owned(), building, index })
    }

    /// Adds one washed table: columns of the contract, `merchant_id` and `superseded_at`. Rows are sorted by merchant, event time,
    /// key and `recorded_at`, so that equal rows give equal bytes in whatever order they come.
    ///
    /// # Errors
    /// A column is missing, or the system refuses a file.
    pub fn write_table(&mut self, table: &TableContract, clean: &DataFrame) -> Result<(), StoreError> {
        let broken = |e: PolarsError| frame_error(table.name, &e);
        let buckets = self.index.buckets;
        let mut rows_by_bucket: Vec<Vec<IdxSize>> = vec![Vec::new(); buckets as usize];
        let merchants = clean.column("merchant_id").map_err(broken)?.str().map_err(broken)?;
        for (row, merchant) in (0..).zip(merchants.iter()) {
            let bucket = bucket_of(merchant.unwrap_or(""), buckets);
            if let Some(rows) = rows_by_bucket.get_mut(bucket as usize) {
                rows.push(row);
            }
        }
        let superseded = clean.height() - clean.column(SUPERSEDED_AT).map_err(broken)?.null_count();
        let order = sort_columns(table);
        let written: Vec<Option<(u32, BucketFile)>> = rows_by_bucket
            .into_par_iter()
            .zip(0..buckets)
            .map(|(rows, bucket)| {
                if rows.is_empty() {
                    return Ok(None);
                }
                let of_bucket = clean.take(&IdxCa::from_vec("rows".into(), rows)).map_err(broken)?;
                let sorted = of_bucket.sort(&order, SortMultipleOptions::default()).map_err(broken)?;
                self.write_bucket(table.name, bucket, sorted).map(|file| Some((bucket, file)))
            })
            .collect::<Result<_, _>>()?;
        let files: BTreeMap<_, _> = written.into_iter().flatten().collect();
        let (rows, superseded) = ((clean.height() - superseded) as u64, superseded as u64);
        self.index.tables.insert(table.name.to_owned(), TableIndex { rows, superseded, files });
        Ok(())
    }

    /// Adds the broken records of all tables, each under its merchant. Records that lead to no merchant are not the store's.
    ///
    /// # Errors
    /// The system refuses a file.
    pub fn write_broken(&mut self, records: &[BrokenRecord]) -> Result<(), StoreError> {
        let buckets = self.index.buckets;
        let mut by_bucket: BTreeMap<u32, BTreeSet<BrokenRecord>> = BTreeMap::new();
        for record in records {
            if let Some(merchant) = &record.merchant_id {
                by_bucket.entry(bucket_of(merchant, buckets)).or_default().insert(record.clone());
            }
        }
        for (bucket, records) in by_bucket {
            let records: Vec<BrokenRecord> = records.into_iter().collect();
            let frame = broken::to_frame(&records).map_err(|e| frame_error(BROKEN, &e))?;
            let file = self.write_bucket(BROKEN, bucket, frame)?;
            self.index.broken.insert(bucket, file);
        }
        Ok(())
    }

    fn write_bucket(&self, table: &str, bucket: u32, mut rows: DataFrame) -> Result<BucketFile, StoreError> {
        // Row groups follow chunks: one chunk, so that bytes do not depend on how the rows came together.
        rows.rechunk_mut();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Zstd(None))
            .set_parallel(false)
            .finish(&mut rows)
            .map_err(|e| frame_error(table, &e))?;
        let path = self.building.join(bucket_path(table, bucket));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| io("make", parent, &e))?;
        }
        fs::write(&path, &bytes).map_err(|e| io("write", &path, &e))?;
        Ok(BucketFile { rows: rows.height() as u64, bytes: bytes.len() as u64, sha256: Digest::of(&bytes) })
    }

    /// Writes `store.json` and puts the store in place of whatever stood there.
    ///
    /// # Errors
    /// The system refuses to write or rename.
    pub fn finish(self) -> Result<Store, StoreError> {
        let path = self.building.join("store.json");
        let text = serde_json::to_string_pretty(&self.index)
            .map_err(|e| StoreError::Corrupt { path: path.clone(), why: e.to_string() })?;
        fs::write(&path, text + "\n").map_err(|e| io("write", &path, &e))?;
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(|e| io("remove", &self.folder, &e))?;
        }
        fs::rename(&self.building, &self.folder).map_err(|e| io("rename", &self.building, &e))?;
        Store::open(&self.folder)
    }
}

/// A store that is not finished leaves nothing behind.
impl Drop for StoreWriter {
    fn drop(&mut self) {
        if self.building.exists()
            && let Err(error) = fs::remove_dir_all(&self.building)
        {
            tracing::warn!(folder = %self.building.display(), %error, "cannot remove a half-built store");
        }
    }
}

fn sort_columns(table: &TableContract) -> Vec<&'static str> {
    let event = match table.visibility {
        Visibility::Instant(event) | Visibility::Day(event) => Some(event),
        Visibility::Parent => None,
    };
    let recorded = table.has_recorded_at().then_some("recorded_at");
    let mut order = Vec::new();
    for name in std::iter::once("merchant_id").chain(event).chain(table.key.iter().copied()).chain(recorded) {
        if !order.contains(&name) {
            order.push(name);
        }
    }
    order
}

fn io(action: &'static str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { action, path: path.to_owned(), why: error.to_string() }
}

fn frame_error(table: &str, error: &PolarsError) -> StoreError {
    StoreError::Frame { table: table.to_owned(), why: error.to_string() }
}
