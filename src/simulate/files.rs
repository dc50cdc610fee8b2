//! One Parquet file a table, written row group by row group, and its digest beside it as `sha256sum` states it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::Serialize;

use super::columns;
use super::error::SimulateError;
use super::rows::Rows;
use crate::contract::{TableContract, Type};
use crate::domain::Digest;

/// Rows a row group: small enough that a million merchants stream through a bounded buffer.
const ROW_GROUP_ROWS: usize = 131_072;

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SimulatedFile {
    /// Path below the output folder, with `/`.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Digest of its bytes.
    pub sha256: Digest,
}

/// A table being written.
pub(super) struct TableFile {
    name: String,
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<File>,
    rows: u64,
}

impl TableFile {
    /// Creates `name` (relative, with `/`) below `out`, with the columns of `schema`: those of `table`, and perhaps more.
    pub(super) fn create(
        out: &Path,
        name: String,
        table: &TableContract,
        schema: SchemaRef,
    ) -> Result<Self, SimulateError> {
        let path = out.join(&name);
        let file = File::create_new(&path).map_err(SimulateError::io(&path))?;
        let properties = properties(table, &path)?;
        let writer =
            ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(SimulateError::parquet(&path))?;
        Ok(Self { name, path, schema, writer, rows: 0 })
    }

    pub(super) fn write(&mut self, rows: &Rows) -> Result<(), SimulateError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.write_batch(&columns::batch(rows, &self.schema)?)
    }

    pub(super) fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), SimulateError> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(SimulateError::parquet(&self.path))
    }

    /// Completes the file, and states its digest beside it: who reads it finds a flipped bit that still decodes.
    pub(super) fn finish(self) -> Result<SimulatedFile, SimulateError> {
        let statement = self.path.with_added_extension("sha256");
        let made = self.close()?;
        let name = made.file.rsplit('/').next().unwrap_or_default();
        fs::write(&statement, made.sha256.stated(name)).map_err(SimulateError::io(&statement))?;
        Ok(made)
    }

    /// Completes the file and makes it durable.
    pub(super) fn close(self) -> Result<SimulatedFile, SimulateError> {
        let Self { name, path, writer, rows, .. } = self;
        let file = writer.into_inner().map_err(SimulateError::parquet(&path))?;
        file.sync_all().map_err(SimulateError::io(&path))?;
        let bytes = file.metadata().map_err(SimulateError::io(&path))?.len();
        let sha256 = Digest::of_file(&path).map_err(SimulateError::io(&path))?;
        Ok(SimulatedFile { file: name, rows, bytes, sha256 })
    }
}

/// Ids ascend and share prefixes; instants and money hardly repeat; days, words and a merchant's own id do.
fn properties(table: &TableContract, path: &Path) -> Result<WriterProperties, SimulateError> {
    let level = ZstdLevel::try_new(9).map_err(SimulateError::parquet(path))?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    for column in table.columns {
        let at = ColumnPath::from(column.name);
        let is_day_end = matches!(column.name, "ship_by_at" | "promised_at");
        let is_own_id = column.name == "tracking"
            || (column.kind == Type::Id && !matches!(column.name, "merchant_id" | "buyer_id"));
        if is_own_id {
            properties = properties
                .set_column_dictionary_enabled(at.clone(), false)
                .set_column_encoding(at, Encoding::DELTA_BYTE_ARRAY);
        } else if (column.kind == Type::Instant && !is_day_end) || column.name == "amount_minor" {
            properties = properties.set_column_dictionary_enabled(at, false);
        }
    }
    Ok(properties.build())
}
