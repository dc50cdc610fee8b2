//! Finds one merchant's rows in a sorted table file without reading the rest.

use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use super::chunk_file::{ChunkFile, is_altered};
use super::error::PublishError;
use super::manifest::FileEntry;
use super::row::OutputRow;

const KEY: &str = "merchant_id";

/// A table file sorted by merchant. What is read of it is what was published, or an error.
pub(super) struct SortedFile {
    path: PathBuf,
    file: ChunkFile,
    metadata: ArrowReaderMetadata,
    key: usize,
}

impl SortedFile {
    /// Opens the file and loads its indices.
    pub(super) fn open(run: &Path, entry: &FileEntry) -> Result<Self, PublishError> {
        let path = run.join(&entry.path);
        let file = ChunkFile::open(&path, entry)?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(|e| refuse(&path, e))?;
        let key = metadata.parquet_schema().columns().iter().position(|c| c.path().parts() == [KEY]);
        let key = key.ok_or_else(|| PublishError::malformed(&path, format!("column {KEY} is missing")))?;
        Ok(Self { path, file, metadata, key })
    }

    /// Names of its columns, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.metadata.schema().fields().iter().map(|f| f.name().as_str())
    }

    /// The rows of one merchant, in the file's order.
    ///
    /// Row groups are ruled out by their least and greatest merchant, then by bloom filter; within a row group only the pages
    /// whose range holds the merchant are read.
    pub(super) fn rows<R: OutputRow>(&self, merchant: &str) -> Result<Vec<R>, PublishError> {
        let mut rows = Vec::new();
        for (at, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            if self.may_hold(group, merchant) {
                self.read_group(at, group, merchant, &mut rows)?;
            }
        }
        Ok(rows)
    }

    /// Statistics may be shortened, then always outwards: what they rule out is not there.
    fn may_hold(&self, group: &RowGroupMetaData, merchant: &str) -> bool {
        let Some(statistics) = group.columns().get(self.key).and_then(|c| c.statistics()) else { return true };
        let (least, greatest) = (statistics.min_bytes_opt(), statistics.max_bytes_opt());
        holds(least, greatest, merchant)
    }

    fn read_group<R: OutputRow>(
        &self,
        at: usize,
        group: &RowGroupMetaData,
        merchant: &str,
        rows: &mut Vec<R>,
    ) -> Result<(), PublishError> {
        let refuse = |error: ParquetError| refuse(&self.path, error);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), self.metadata.clone());
        let bloom = builder.get_row_group_column_bloom_filter(at, self.key).map_err(refuse)?;
        if bloom.is_some_and(|bloom| !bloom.check(merchant)) {
            return Ok(());
        }
        let builder = builder.with_row_groups(vec![at]);
        let builder = match self.pages(at, group, merchant)? {
            Some(pages) => builder.with_row_selection(pages),
            None => builder,
        };
        for batch in builder.build().map_err(refuse)? {
            let batch = batch.map_err(|e| PublishError::malformed(&self.path, e.to_string()))?;
            let found = self.slice(&batch, merchant)?;
            if !found.is_empty() {
                rows.extend(R::decode(&self.path, &batch.slice(found.start, found.len()))?);
            }
        }
        Ok(())
    }

    /// The rows of the pages that may hold the merchant; `None` where there is no page index.
    fn pages(&self, at: usize, group: &RowGroupMetaData, merchant: &str) -> Result<Option<RowSelection>, PublishError> {
        let Some(index) = self.metadata.metadata().page_index() else { return Ok(None) };
        let (Some(ColumnIndexMetaData::BYTE_ARRAY(values)), Some(offsets)) =
            (index.column_index(at, self.key), index.offset_index(at, self.key))
        else {
            return Ok(None);
        };
        let row =
            |n: i64| usize::try_from(n).map_err(|_| PublishError::malformed(&self.path, "a row count is negative"));
        let total = row(group.num_rows())?;
        let pages = offsets.page_locations();
        let mut ranges = Vec::new();
        for (at, page) in pages.iter().enumerate() {
            if holds(values.min_value(at), values.max_value(at), merchant) {
                let end = pages.get(at + 1).map_or(Ok(total), |next| row(next.first_row_index))?;
                ranges.push(row(page.first_row_index)?..end);
            }
        }
        Ok(Some(RowSelection::from_consecutive_ranges(ranges.into_iter(), total)))
    }

    /// Where in a batch, which is sorted, the merchant's rows stand.
    fn slice(&self, batch: &RecordBatch, merchant: &str) -> Result<Range<usize>, PublishError> {
        let merchants = batch.column_by_name(KEY).and_then(|c| c.as_string_opt::<i32>());
        let merchants = merchants.filter(|m| m.null_count() == 0);
        let merchants = merchants
            .ok_or_else(|| PublishError::malformed(&self.path, format!("column {KEY} is not Utf8 or has nulls")))?;
        let count = |keep: &dyn Fn(&str) -> bool| merchants.iter().flatten().take_while(|m| keep(m)).count();
        Ok(count(&|m| m < merchant)..count(&|m| m <= merchant))
    }
}

/// Altered bytes are damage; anything else is the library's.
fn refuse(path: &Path, error: ParquetError) -> PublishError {
    if is_altered(&error) {
        PublishError::malformed(path, error.to_string())
    } else {
        PublishError::parquet("read", path)(error)
    }
}

/// Whether a range of values, unknown ends being open, holds the merchant; texts compare by bytes.
fn holds(least: Option<&[u8]>, greatest: Option<&[u8]>, merchant: &str) -> bool {
    let merchant = merchant.as_bytes();
    least.is_none_or(|least| least <= merchant) && greatest.is_none_or(|greatest| merchant <= greatest)
}
