//! Writes one sorted table to Parquet, in bounded memory.
//!
//! The bytes are a function of the rows and the table alone: rows are encoded in blocks of a fixed size however they
//! arrive, row groups end at fixed counts, and no library version or clock is written.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::column::OutputTable;
use super::digest_file::{DigestFile, Unsynced};
use super::error::PublishError;
use super::row::{OutputRow, label};
use crate::domain::Digest;

/// Rows encoded at once. Divides [`GROUP_ROWS`], so that blocks never straddle row groups.
const BLOCK_ROWS: usize = 8_192;
/// Rows a row group: what a point look-up's bloom filter and page index cover.
const GROUP_ROWS: usize = 65_536;
/// Rows a page: what a point look-up decompresses.
const PAGE_ROWS: usize = 2_048;
/// Layout version written into every file.
const LAYOUT: &str = "1";

/// What was written: the line of the manifest, but for the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Size.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// Digest of the bytes.
    pub sha256: Digest,
}

/// A Parquet file being written. Rows must come in strictly ascending key order; at most 8,192 are held as structs, and one
/// row group in encoded form.
pub struct TableWriter<R: OutputRow> {
    table: OutputTable,
    path: PathBuf,
    writer: ArrowWriter<DigestFile>,
    pending: Vec<R>,
    last: Option<R>,
    rows: u64,
}

impl<R: OutputRow> TableWriter<R> {
    /// Starts a new file at `path`.
    ///
    /// # Errors
    /// The file exists already or cannot be made.
    pub fn create(path: &Path, table: OutputTable) -> Result<Self, PublishError> {
        let file = DigestFile::create(path)?;
        let properties = properties(&table).map_err(PublishError::parquet("set up", path))?;
        let writer = ArrowWriter::try_new(file, table.schema(), Some(properties))
            .map_err(PublishError::parquet("start", path))?;
        Ok(Self { table, path: path.to_owned(), writer, pending: Vec::new(), last: None, rows: 0 })
    }

    /// Adds one row.
    ///
    /// # Errors
    /// The row does not ascend, holds a number that is not finite or out of range, or the file cannot be written.
    pub fn push(&mut self, row: R) -> Result<(), PublishError> {
        if let Some(previous) = self.pending.last().or(self.last.as_ref())
            && previous.order(&row) != Ordering::Less
        {
            let (previous, next) = (label(previous, &self.table), label(&row, &self.table));
            return Err(PublishError::OutOfOrder { table: self.table.name, previous, next });
        }
        self.pending.push(row);
        if self.pending.len() == BLOCK_ROWS { self.write_block() } else { Ok(()) }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// As [`TableWriter::push`].
    pub fn extend(&mut self, rows: impl IntoIterator<Item = R>) -> Result<(), PublishError> {
        rows.into_iter().try_for_each(|row| self.push(row))
    }

    /// Rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows + self.pending.len() as u64
    }

    /// Where it is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the file and forces it to disk.
    ///
    /// # Errors
    /// As [`TableWriter::push`].
    pub fn finish(self) -> Result<Written, PublishError> {
        let path = self.path.clone();
        let (written, unsynced) = self.finish_unsynced()?;
        unsynced.file.sync_all().map_err(PublishError::io("force to disk", &path))?;
        Ok(written)
    }

    pub(super) fn finish_unsynced(mut self) -> Result<(Written, Unsynced), PublishError> {
        self.write_block()?;
        let file = self.writer.into_inner().map_err(PublishError::parquet("write", &self.path))?;
        let unsynced = file.finish(&self.path)?;
        Ok((Written { bytes: unsynced.bytes, rows: self.rows, sha256: unsynced.sha256 }, unsynced))
    }

    fn write_block(&mut self) -> Result<(), PublishError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let batch = R::encode(&self.pending, &self.table)?;
        self.writer.write(&batch).map_err(PublishError::parquet("write", &self.path))?;
        self.rows += self.pending.len() as u64;
        self.last = self.pending.pop();
        self.pending.clear();
        Ok(())
    }
}

fn properties(table: &OutputTable) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_created_by("integrity".to_owned())
        .set_key_value_metadata(Some(vec![
            KeyValue::new("integrity.table".to_owned(), table.name.to_owned()),
            KeyValue::new("integrity.layout".to_owned(), LAYOUT.to_owned()),
        ]))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(None)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(PAGE_ROWS);
    if table.columns.iter().any(|c| c.name == "merchant_id") {
        let merchant = || ColumnPath::from("merchant_id");
        builder = builder
            .set_column_bloom_filter_enabled(merchant(), true)
            .set_column_bloom_filter_fpp(merchant(), 0.01)
            .set_column_bloom_filter_max_ndv(merchant(), GROUP_ROWS as u64)
            // Ascending and nearly unique: a dictionary would only double it.
            .set_column_dictionary_enabled(merchant(), false);
    }
    Ok(builder.set_sorting_columns(sorting(table)).build())
}

/// Leaf indices of the sort key, known where no list column stands before a key column.
fn sorting(table: &OutputTable) -> Option<Vec<SortingColumn>> {
    let leaf = |name: &&str| {
        let at = table.columns.iter().position(|c| c.name == *name)?;
        i32::try_from(at).ok().map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true })
    };
    table.sorted_by.iter().map(leaf).collect()
}
