//! Parquet, one column or one block of rows at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type, TimeUnit, TimestampMicrosecondType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::cell_form::CellForm;
use super::file::{ColumnFindings, refuse_duplicates};
use crate::domain::MICROS_PER_DAY;
use crate::model::ModelError;
use crate::model::table::{Column, Kind, TextBuilder, Values, number_as_text};

/// Rows of a block when a table is streamed: large enough to amortise calls, small enough to stay in cache.
const BLOCK_ROWS: usize = 16_384;

/// An opened Parquet file: its footer only.
#[derive(Debug)]
pub struct ParquetTable {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    names: Vec<String>,
    rows: usize,
}

impl ParquetTable {
    /// Reads the footer.
    ///
    /// # Errors
    /// The file is truncated or no Parquet.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|e| ModelError::io(path, e))?;
        let metadata =
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).map_err(|e| ModelError::table(path, e))?;
        let names: Vec<String> = metadata.schema().fields().iter().map(|f| f.name().clone()).collect();
        refuse_duplicates(path, &names)?;
        let rows = usize::try_from(metadata.metadata().file_metadata().num_rows())
            .map_err(|_| ModelError::table(path, "the row count in the footer is negative"))?;
        Ok(Self { path: path.to_owned(), metadata, names, rows })
    }

    /// Column names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What a column holds, by its type.
    pub(super) fn kind(&self, at: usize) -> ColumnFindings {
        match self.metadata.schema().fields().get(at).map(|field| field.data_type()) {
            None | Some(DataType::Null) => ColumnFindings::Empty,
            Some(stored) => {
                natural_kind(stored).map_or(ColumnFindings::Unusable, |kind| ColumnFindings::Is(kind, None))
            }
        }
    }

    /// One column; see [`super::TableFile::load`].
    ///
    /// # Errors
    /// The file cannot be decoded or a value is not of the kind asked for.
    pub fn load(&self, at: usize, kind: Kind) -> Result<Column, ModelError> {
        let name = self.names.get(at).cloned().unwrap_or_default();
        let mut numbers = Vec::new();
        let mut text = TextBuilder::default();
        let mut done = 0_usize;
        let is_text = matches!(self.kind(at), ColumnFindings::Is(Kind::Text, _));
        if kind == Kind::Date && is_text {
            return self.load_written_days(at, name);
        }
        for batch in self.batches(&[at])? {
            let batch = batch.map_err(|e| ModelError::table(&self.path, e))?;
            let array = batch.column(0);
            match kind {
                Kind::Text => push_text(&mut text, array, &self.path)?,
                Kind::Number | Kind::Date => push_numbers(&mut numbers, array, &name, kind, done, &self.path)?,
            }
            done += batch.num_rows();
        }
        let values = match kind {
            Kind::Text => Values::Text(text.finish()),
            Kind::Number | Kind::Date => Values::Number(numbers),
        };
        Ok(Column { name, values })
    }

    /// Dates that a column of text writes.
    fn load_written_days(&self, at: usize, name: String) -> Result<Column, ModelError> {
        let mut cells: Vec<Option<String>> = Vec::with_capacity(self.rows);
        for batch in self.batches(&[at])? {
            let batch = batch.map_err(|e| ModelError::table(&self.path, e))?;
            let plain = cast(batch.column(0), &DataType::LargeUtf8).map_err(|e| ModelError::table(&self.path, e))?;
            let there = |cell: &&str| !super::parse::is_missing(cell);
            cells.extend(
                plain.as_string::<i64>().iter().map(|cell| cell.map(str::trim).filter(there).map(ToOwned::to_owned)),
            );
        }
        let form = match CellForm::of(|| cells.iter().flatten().map(String::as_str)).0 {
            form @ CellForm::WrittenDay(_) => form,
            _ => CellForm::Day,
        };
        let values = cells.iter().enumerate().map(|(row, cell)| match cell {
            None => Ok(f64::NAN),
            Some(text) => form.value(text).ok_or_else(|| ModelError::WrongKind {
                column: name.clone(),
                expected: Kind::Date.word(),
                found: text.clone(),
                row: row + 1,
            }),
        });
        let values = Values::Number(values.collect::<Result<_, _>>()?);
        Ok(Column { name, values })
    }

    /// Streams blocks of the wanted columns; see [`super::TableFile::for_each_block`].
    ///
    /// # Errors
    /// As [`Self::load`], and whatever `each` returns.
    pub fn for_each_block(
        &self,
        wanted: &[(usize, Kind)],
        each: &mut dyn FnMut(usize, Vec<Column>) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let roots: Vec<usize> = wanted.iter().map(|&(at, _)| at).collect();
        let mut done = 0_usize;
        for batch in self.batches(&roots)? {
            let batch = batch.map_err(|e| ModelError::table(&self.path, e))?;
            let (schema, arrays, rows) = batch.into_parts();
            // Each array is handed over when it is wanted for the last time, so that its memory can become the column's.
            let mut arrays: Vec<Option<ArrayRef>> = arrays.into_iter().map(Some).collect();
            let mut columns = Vec::with_capacity(wanted.len());
            for (i, &(at, kind)) in wanted.iter().enumerate() {
                let name = self.names.get(at).cloned().unwrap_or_default();
                let again = wanted.iter().skip(i + 1).any(|(other, _)| *other == at);
                let slot = schema.index_of(&name).ok().and_then(|place| arrays.get_mut(place));
                let array = slot
                    .and_then(|slot| if again { slot.clone() } else { slot.take() })
                    .ok_or_else(|| ModelError::NoColumn { column: name.clone(), available: self.names.join(", ") })?;
                let values = if kind == Kind::Text {
                    let mut text = TextBuilder::default();
                    push_text(&mut text, &array, &self.path)?;
                    Values::Text(text.finish())
                } else if array.data_type() == &DataType::Float64 && array.null_count() == 0 {
                    Values::Number(as_they_are(array))
                } else {
                    let mut numbers = Vec::with_capacity(rows);
                    push_numbers(&mut numbers, &array, &name, kind, done, &self.path)?;
                    Values::Number(numbers)
                };
                columns.push(Column { name, values });
            }
            each(done, columns)?;
            done += rows;
        }
        Ok(())
    }

    fn batches(&self, roots: &[usize]) -> Result<parquet::arrow::arrow_reader::ParquetRecordBatchReader, ModelError> {
        let file = File::open(&self.path).map_err(|e| ModelError::io(&self.path, e))?;
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots.iter().copied());
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_projection(mask)
            .with_batch_size(BLOCK_ROWS)
            .build()
            .map_err(|e| ModelError::table(&self.path, e))
    }
}

/// What a stored type is by nature; `None` for nested and binary columns.
fn natural_kind(stored: &DataType) -> Option<Kind> {
    match stored {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => Some(Kind::Date),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Kind::Text),
        DataType::Dictionary(_, value) => natural_kind(value),
        DataType::Boolean | DataType::Null | DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => {
            Some(Kind::Number)
        }
        t if t.is_numeric() => Some(Kind::Number),
        _ => None,
    }
}

/// The values of an array of doubles without nulls; in its own memory where nobody else holds it.
fn as_they_are(array: ArrayRef) -> Vec<f64> {
    let data = array.to_data();
    drop(array);
    let (_, values, _) = Float64Array::from(data).into_parts();
    values.into_inner().into_vec().unwrap_or_else(|shared| shared.typed_data().to_vec())
}

fn push_text(text: &mut TextBuilder, array: &ArrayRef, path: &Path) -> Result<(), ModelError> {
    // Numbers stored where the model knows text are written the way the CSV reader would see them.
    let plain = match array.data_type() {
        DataType::Float32 | DataType::Float64 => {
            let numbers = cast(array, &DataType::Float64).map_err(|e| ModelError::table(path, e))?;
            for value in numbers.as_primitive::<Float64Type>() {
                text.push(value.filter(|v| !v.is_nan()).map(number_as_text).as_deref());
            }
            return Ok(());
        }
        _ => cast(array, &DataType::LargeUtf8).map_err(|e| ModelError::table(path, e))?,
    };
    for value in plain.as_string::<i64>() {
        text.push(value.map(str::trim).filter(|v| !super::parse::is_missing(v)));
    }
    Ok(())
}

fn push_numbers(
    out: &mut Vec<f64>,
    array: &ArrayRef,
    name: &str,
    kind: Kind,
    done: usize,
    path: &Path,
) -> Result<(), ModelError> {
    let failed = |e: arrow::error::ArrowError| ModelError::table(path, e);
    let natural = natural_kind(array.data_type());
    match (kind, natural) {
        (Kind::Date | Kind::Number, Some(Kind::Date)) => {
            if matches!(array.data_type(), DataType::Date32) {
                let days = array.as_primitive::<Date32Type>();
                out.extend(days.iter().map(|d| d.map_or(f64::NAN, f64::from)));
            } else {
                let micros = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None)).map_err(failed)?;
                let micros = micros.as_primitive::<TimestampMicrosecondType>();
                out.extend(micros.iter().map(|m| m.map_or(f64::NAN, |m| m as f64 / MICROS_PER_DAY as f64)));
            }
        }
        (_, Some(Kind::Text)) => {
            let read = if kind == Kind::Date { super::parse::date } else { super::parse::number };
            let plain = cast(array, &DataType::LargeUtf8).map_err(failed)?;
            for (row, value) in plain.as_string::<i64>().iter().enumerate() {
                out.push(match value.filter(|v| !super::parse::is_missing(v)) {
                    None => f64::NAN,
                    Some(cell) => read(cell).ok_or_else(|| ModelError::WrongKind {
                        column: name.to_owned(),
                        expected: kind.word(),
                        found: cell.to_owned(),
                        row: done + row + 1,
                    })?,
                });
            }
        }
        _ => {
            let numbers = cast(array, &DataType::Float64).map_err(failed)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            if numbers.null_count() == 0 {
                out.extend_from_slice(numbers.values());
            } else {
                out.extend(numbers.iter().map(|v| v.unwrap_or(f64::NAN)));
            }
        }
    }
    Ok(())
}
