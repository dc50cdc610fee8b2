//! Reads a sorted table back row by row, and merges several into one.
//!
//! Merchants are worked on bucket by bucket, and buckets are not in merchant order. Each bucket therefore writes sorted parts
//! of its own, which the merge brings into one file while holding one block of each.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::error::PublishError;
use super::row::OutputRow;
use super::writer::TableWriter;

/// Rows decoded at once.
const BLOCK_ROWS: usize = 1_024;

/// The rows of one table file, in its order, in bounded memory.
pub struct TableReader<R> {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    rows: VecDeque<R>,
    failed: bool,
}

impl<R: OutputRow> TableReader<R> {
    /// Opens a table file, without any check of its digest.
    ///
    /// # Errors
    /// It cannot be opened or is not Parquet.
    pub fn open(path: &Path) -> Result<Self, PublishError> {
        let file = File::open(path).map_err(PublishError::io("open", path))?;
        let batches = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(|builder| builder.with_batch_size(BLOCK_ROWS).build())
            .map_err(PublishError::parquet("read", path))?;
        Ok(Self { path: path.to_owned(), batches, rows: VecDeque::new(), failed: false })
    }

    fn read_block(&mut self) -> Result<(), PublishError> {
        while self.rows.is_empty() {
            let Some(batch) = self.batches.next() else { return Ok(()) };
            let batch = batch.map_err(|e| PublishError::malformed(&self.path, e.to_string()))?;
            self.rows = R::decode(&self.path, &batch)?.into();
        }
        Ok(())
    }
}

impl<R: OutputRow> Iterator for TableReader<R> {
    type Item = Result<R, PublishError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match self.read_block() {
            Ok(()) => self.rows.pop_front().map(Ok),
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

/// Merges sorted parts into a writer. The result depends on the rows alone, not on how they were split.
///
/// # Errors
/// A part cannot be read, two parts hold the same key, or the writer refuses.
pub fn merge_sorted<R: OutputRow>(parts: &[PathBuf], writer: &mut TableWriter<R>) -> Result<(), PublishError> {
    let mut readers = parts.iter().map(|part| TableReader::open(part)).collect::<Result<Vec<_>, _>>()?;
    let mut heads = BinaryHeap::with_capacity(readers.len());
    for (part, reader) in readers.iter_mut().enumerate() {
        if let Some(row) = reader.next().transpose()? {
            heads.push(Head { row, part });
        }
    }
    while let Some(Head { row, part }) = heads.pop() {
        writer.push(row)?;
        if let Some(row) = readers.get_mut(part).and_then(Iterator::next).transpose()? {
            heads.push(Head { row, part });
        }
    }
    Ok(())
}

/// The next row of a part. The greatest of a heap of these is the one that comes first.
struct Head<R> {
    row: R,
    part: usize,
}

impl<R: OutputRow> Ord for Head<R> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.row.order(&self.row).then_with(|| other.part.cmp(&self.part))
    }
}

impl<R: OutputRow> PartialOrd for Head<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R: OutputRow> PartialEq for Head<R> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<R: OutputRow> Eq for Head<R> {}
