//! Reads a table back row by row.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::record_batch::RecordBatchReader as _;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::column::OutputColumn;
use super::error::PublishError;
use super::row::OutputRow;

/// Rows decoded at once.
const BLOCK_ROWS: usize = 1_024;

/// The rows of one table file, in its order, in bounded memory.
pub struct TableReader<R> {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    rows: VecDeque<R>,
    failed: bool,
    is_earlier: bool,
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
        let schema = batches.schema();
        let was_added = |c: &OutputColumn| c.earlier.is_some() || c.formerly.is_some();
        let is_earlier = R::table().columns.iter().any(|c| was_added(c) && schema.column_with_name(&c.name).is_none());
        Ok(Self { path: path.to_owned(), batches, rows: VecDeque::new(), failed: false, is_earlier })
    }

    /// Whether columns were added to the table since the file was written.
    #[must_use]
    pub const fn is_earlier(&self) -> bool {
        self.is_earlier
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
