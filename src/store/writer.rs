//! Writes a store: bucket by bucket, from several threads, into a folder beside it, renamed into place when all is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use polars::prelude::*;

use super::broken::{self, BrokenRecord};
use super::error::{StoreError, frame_error};
use super::hash::bucket_of;
use super::index::{BROKEN, BucketFile, LAYOUT, StoreIndex, bucket_path};
use super::reader::{Store, read_file};
use super::row_order::sorted;
use crate::contract::{SUPERSEDED_AT, TableContract};
use crate::domain::{AsOf, Digest, parallel};

/// A store being written.
pub struct StoreWriter {
    folder: PathBuf,
    building: PathBuf,
    index: Mutex<StoreIndex>,
}

impl StoreWriter {
    /// Begins a store that will stand at `folder`. What an earlier attempt left half-built is removed.
    ///
    /// # Errors
    /// The folder beside it cannot be made.
    pub fn create(folder: &Path, as_of: &AsOf, buckets: u32) -> Result<Self, StoreError> {
        let building = building(folder);
        if building.exists() {
            fs::remove_dir_all(&building).map_err(|e| io("remove", &building, &e))?;
        }
        let scratch = Self::scratch_of(folder);
        fs::create_dir_all(&scratch).map_err(|e| io("make", &scratch, &e))?;
        let index = StoreIndex {
            layout: LAYOUT,
            as_of: as_of.date().to_string(),
            time_zone: as_of.time_zone().iana_name().unwrap_or("UTC").to_owned(),
            as_of_micros: as_of.micros(),
            buckets: buckets.max(1),
            tables: BTreeMap::new(),
            broken: BTreeMap::new(),
        };
        Ok(Self { folder: folder.to_owned(), building, index: Mutex::new(index) })
    }

    /// The scratch folder beside the store, which is gone when the store is finished or given up.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        Self::scratch_of(&self.folder)
    }

    /// That of a store that is yet to be begun at `folder`.
    #[must_use]
    pub fn scratch_of(folder: &Path) -> PathBuf {
        building(folder).join("scratch")
    }

    /// Enters a table that the job has, perhaps without rows.
    ///
    /// # Errors
    /// Another thread failed.
    pub fn declare(&self, table: &TableContract) -> Result<(), StoreError> {
        self.index()?.tables.entry(table.name.to_owned()).or_default();
        Ok(())
    }

    /// Writes washed rows of one bucket: columns of the contract, `merchant_id` and `superseded_at`. Rows that the bucket already has stay:
    /// it is written anew with both. Rows are sorted by merchant, event time, key and `recorded_at`, so that equal rows give equal bytes
    /// in whatever order they come.
    ///
    /// # Errors
    /// A column is missing, or the system refuses a file.
    pub fn write(&self, table: &TableContract, bucket: u32, clean: DataFrame) -> Result<(), StoreError> {
        if clean.height() == 0 {
            return Ok(());
        }
        let broken = |e: PolarsError| frame_error(table.name, &e);
        let superseded = |rows: &DataFrame| rows.column(SUPERSEDED_AT).map(|c| (c.len() - c.null_count()) as u64);
        let (added, added_superseded) = (clean.height() as u64, superseded(&clean).map_err(broken)?);
        let is_there = self.index()?.tables.get(table.name).is_some_and(|t| t.files.contains_key(&bucket));
        let rows = if is_there {
            let before = read_file(&self.building.join(bucket_path(table.name, bucket)))?;
            before.vstack(&clean).map_err(broken)?
        } else {
            clean
        };
        let sorted = sorted(rows, &table.sort_columns()).map_err(broken)?;
        let file = self.write_bucket(table.name, bucket, sorted)?;
        let mut index = self.index()?;
        let table = index.tables.entry(table.name.to_owned()).or_default();
        table.rows += added - added_superseded;
        table.superseded += added_superseded;
        table.files.insert(bucket, file);
        Ok(())
    }

    /// Writes washed rows of any buckets, as [`Self::write`] does.
    ///
    /// # Errors
    /// A column is missing, or the system refuses a file.
    pub fn write_any(&self, table: &TableContract, clean: &DataFrame) -> Result<(), StoreError> {
        let broken = |e: PolarsError| frame_error(table.name, &e);
        let buckets = self.index()?.buckets;
        let mut rows_by_bucket: BTreeMap<u32, Vec<IdxSize>> = BTreeMap::new();
        let merchants = clean.column("merchant_id").map_err(broken)?.str().map_err(broken)?;
        for (row, merchant) in (0..).zip(merchants.iter()) {
            rows_by_bucket.entry(bucket_of(merchant.unwrap_or(""), buckets)).or_default().push(row);
        }
        parallel::each(rows_by_bucket.into_iter().collect(), |(bucket, rows)| {
            let of_bucket = clean.take(&IdxCa::from_vec("rows".into(), rows)).map_err(broken)?;
            self.write(table, bucket, of_bucket)
        })
        .map(drop)
    }

    /// Writes broken records of any table, each under its merchant, beside those that are there. Records that lead to no merchant are not
    /// the store's.
    ///
    /// # Errors
    /// The system refuses a file.
    pub fn write_broken(&self, records: &[BrokenRecord]) -> Result<(), StoreError> {
        let buckets = self.index()?.buckets;
        let mut by_bucket: BTreeMap<u32, BTreeSet<BrokenRecord>> = BTreeMap::new();
        for record in records {
            if let Some(merchant) = &record.merchant_id {
                by_bucket.entry(bucket_of(merchant, buckets)).or_default().insert(record.clone());
            }
        }
        for (bucket, mut records) in by_bucket {
            if self.index()?.broken.contains_key(&bucket) {
                let before = read_file(&self.building.join(bucket_path(BROKEN, bucket)))?;
                records.extend(broken::from_frame(&before).map_err(|e| frame_error(BROKEN, &e))?);
            }
            let records: Vec<BrokenRecord> = records.into_iter().collect();
            let frame = broken::to_frame(&records).map_err(|e| frame_error(BROKEN, &e))?;
            let file = self.write_bucket(BROKEN, bucket, frame)?;
            self.index()?.broken.insert(bucket, file);
        }
        Ok(())
    }

    fn index(&self) -> Result<MutexGuard<'_, StoreIndex>, StoreError> {
        self.index
            .lock()
            .map_err(|_| StoreError::Frame { table: "store.json".to_owned(), why: "another thread failed".to_owned() })
    }

    fn write_bucket(&self, table: &str, bucket: u32, mut rows: DataFrame) -> Result<BucketFile, StoreError> {
        // Row groups follow chunks: one chunk, so that bytes do not depend on how the rows came together.
        rows.rechunk_mut();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Lz4Raw)
            .with_statistics(StatisticsOptions::empty())
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
        let scratch = self.scratch();
        if scratch.exists() {
            fs::remove_dir_all(&scratch).map_err(|e| io("remove", &scratch, &e))?;
        }
        let path = self.building.join("store.json");
        let text = serde_json::to_string_pretty(&*self.index()?)
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

/// Where a store is built that will stand at `folder`.
fn building(folder: &Path) -> PathBuf {
    let mut building = folder.as_os_str().to_owned();
    building.push(".building");
    PathBuf::from(building)
}

fn io(action: &'static str, path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { action, path: path.to_owned(), why: error.to_string() }
}
