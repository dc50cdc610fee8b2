//! The same rows as a marketplace sends them: a folder a night, which holds what was recorded on that day.
//!
//! A row comes on the day of its `recorded_at`, where it has none on the day of its event (or of what followed it, if that lies before), and where it has no event of its own (a parcel)
//! on that of its parent; a broken row without any time, which is seen always, comes with the first night, and so does what happened
//! before the simulated span. So a run of any day finds in the folders before that day whatever the undivided files show of it.
//!
//! Rows of all nights cannot be held at once, nor can a writer for each: they are first written table by table with the number of
//! their night, then read back for as many nights at a time as fit into memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use jiff::ToSpan as _;
use jiff::civil::Date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;

use super::calendar::{Calendar, DAY};
use super::columns;
use super::error::SimulateError;
use super::files::{SimulatedFile, TableFile};
use super::rows::{Cell, Id, Rows, cell};
use crate::contract::{self, TableContract, Visibility};

/// The column of scratch files that says with which night a row comes.
const NIGHT: &str = "_night";
/// Rows of one table that are held at once while nights are written.
const ROWS_AT_ONCE: u64 = 3_000_000;
/// Rows that are read at a time.
const BATCH_ROWS: usize = 1 << 16;

/// With which night, counted from 0, each row of each table comes. Parents' rows must be among the tables.
pub(super) fn nights_of(tables: &[Rows], calendar: &Calendar) -> Vec<Vec<i32>> {
    let mut by_key: BTreeMap<&str, BTreeMap<Id, i32>> = BTreeMap::new();
    let mut nights = Vec::with_capacity(tables.len());
    for rows in tables {
        let table = rows.table;
        let of_rows: Vec<i32> = rows.iter().map(|row| night_of(table, row, calendar, &by_key)).collect();
        if let [_] = table.key {
            let first = by_key.entry(table.name).or_default();
            for (key, night) in rows.column(0).zip(&of_rows) {
                if let Cell::Id(key) = key {
                    first.entry(*key).and_modify(|known| *known = (*known).min(*night)).or_insert(*night);
                }
            }
        }
        nights.push(of_rows);
    }
    nights
}

fn night_of(
    table: &TableContract,
    row: &[Cell],
    calendar: &Calendar,
    parents: &BTreeMap<&str, BTreeMap<Id, i32>>,
) -> i32 {
    let last = i64::try_from(calendar.days).unwrap_or(i64::MAX) - 1;
    let day = |column: &str| match cell(table, row, column) {
        Some(Cell::At(at)) => Some(calendar.day_of(*at)),
        Some(Cell::Day(day)) => Some(calendar.day_of(i64::from(*day) * DAY)),
        _ => None,
    };
    let happened = match table.visibility {
        // A row of which something happened that cannot precede its event is there from then on.
        Visibility::Instant(event) | Visibility::Day(event) => {
            let followers = table.checks.iter().filter_map(|check| check.follows(event));
            day(event).map(|on| followers.filter_map(day).fold(on, i64::min))
        }
        Visibility::Parent => {
            let with_parent = table.parent().and_then(|reference| match cell(table, row, reference.column) {
                Some(Cell::Id(key)) => parents.get(reference.table)?.get(key).copied().map(i64::from),
                _ => None,
            });
            table
                .columns
                .iter()
                .filter(|c| c.name != "recorded_at")
                .filter_map(|c| day(c.name))
                .chain(with_parent)
                .min()
        }
    };
    let night = match (day("recorded_at"), table.visibility) {
        (Some(recorded), Visibility::Parent) => recorded,
        (recorded, _) => happened.max(recorded).unwrap_or(0),
    };
    i32::try_from(night.clamp(0, last.max(0))).unwrap_or(i32::MAX)
}

/// The contract tables on their way to a folder a night.
pub(super) struct NightFiles {
    out: PathBuf,
    scratch: PathBuf,
    start_on: Date,
    calendar: Calendar,
    schemas: Vec<SchemaRef>,
    files: Vec<TableFile>,
}

impl NightFiles {
    pub(super) fn create(out: &Path, start_on: Date, calendar: Calendar) -> Result<Self, SimulateError> {
        let scratch = out.join(".rows-by-night");
        fs::create_dir(&scratch).map_err(SimulateError::io(&scratch))?;
        let schemas: Vec<SchemaRef> = contract::TABLES.iter().map(|table| with_night(table)).collect();
        let files = contract::TABLES
            .iter()
            .zip(&schemas)
            .map(|(table, schema)| {
                TableFile::create(&scratch, format!("{}.parquet", table.name), table, schema.clone())
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { out: out.to_owned(), scratch, start_on, calendar, schemas, files })
    }

    /// Adds the rows of merchants, all tables of each merchant at once.
    pub(super) fn write(&mut self, blocks: &[&[Rows]]) -> Result<(), SimulateError> {
        let calendar = &self.calendar;
        let nights: Vec<Vec<Vec<i32>>> = blocks.par_iter().map(|tables| nights_of(tables, calendar)).collect();
        self.files.par_iter_mut().zip(&self.schemas).enumerate().try_for_each(|(at, (file, schema))| {
            for (tables, nights) in blocks.iter().zip(&nights) {
                let (Some(rows), Some(nights)) = (tables.get(at), nights.get(at)) else { continue };
                if rows.is_empty() {
                    continue;
                }
                let batch = columns::batch(rows, &columns::schema(rows.table))?;
                let night: ArrayRef = Arc::new(Int32Array::from(nights.clone()));
                let columns = batch.columns().iter().cloned().chain([night]).collect();
                let batch = RecordBatch::try_new(schema.clone(), columns)
                    .map_err(|e| SimulateError::Rows { table: rows.table.name, why: e.to_string() })?;
                file.write_batch(&batch)?;
            }
            Ok(())
        })
    }

    /// Splits what was written by night; a table without rows of a night has no file there.
    pub(super) fn finish(self) -> Result<Vec<SimulatedFile>, SimulateError> {
        let Self { out, scratch, start_on, calendar, files, .. } = self;
        for file in files {
            file.close()?;
        }
        let mut made = Vec::new();
        for table in &contract::TABLES {
            let path = scratch.join(format!("{}.parquet", table.name));
            let counts = counts_by_night(&path, table, calendar.days)?;
            for nights in spans(&counts) {
                made.extend(write_nights(&out, &path, table, start_on, &nights)?);
            }
            fs::remove_file(&path).map_err(SimulateError::io(&path))?;
        }
        fs::remove_dir(&scratch).map_err(SimulateError::io(&scratch))?;
        made.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(made)
    }
}

fn with_night(table: &TableContract) -> SchemaRef {
    let fields = columns::schema(table).fields().iter().cloned().collect::<Vec<_>>();
    let night = Arc::new(Field::new(NIGHT, DataType::Int32, false));
    Arc::new(Schema::new(fields.into_iter().chain([night]).collect::<Vec<_>>()))
}

/// Consecutive nights whose rows fit into memory together; a night of more rows stands alone.
fn spans(counts: &[u64]) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut held = 0;
    for (night, count) in counts.iter().enumerate() {
        if let Some(span) = spans.last_mut().filter(|_| held + count <= ROWS_AT_ONCE) {
            span.end = night + 1;
        } else {
            spans.push(night..night + 1);
            held = 0;
        }
        held += count;
    }
    spans
}

fn counts_by_night(path: &Path, table: &TableContract, nights: usize) -> Result<Vec<u64>, SimulateError> {
    let mut counts = vec![0_u64; nights];
    each_batch(path, table, &mut |batch| {
        for night in night_column(batch).into_iter().flatten() {
            if let Some(count) = usize::try_from(night).ok().and_then(|night| counts.get_mut(night)) {
                *count += 1;
            }
        }
        Ok(())
    })?;
    Ok(counts)
}

fn night_column(batch: &RecordBatch) -> Option<Vec<i32>> {
    use arrow::array::AsArray as _;
    let column = batch.column_by_name(NIGHT)?.as_primitive_opt::<Int32Type>()?;
    Some(column.values().to_vec())
}

fn each_batch(
    path: &Path,
    table: &TableContract,
    take: &mut dyn FnMut(&RecordBatch) -> Result<(), SimulateError>,
) -> Result<(), SimulateError> {
    let file = File::open(path).map_err(SimulateError::io(path))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.with_batch_size(BATCH_ROWS).build())
        .map_err(SimulateError::parquet(path))?;
    for batch in reader {
        take(&batch.map_err(|e| SimulateError::Rows { table: table.name, why: e.to_string() })?)?;
    }
    Ok(())
}

/// Writes one table's files of some nights, each with its rows in the order in which they were made.
fn write_nights(
    out: &Path,
    path: &Path,
    table: &'static TableContract,
    start_on: Date,
    nights: &Range<usize>,
) -> Result<Vec<SimulatedFile>, SimulateError> {
    let failed = |why: String| SimulateError::Rows { table: table.name, why };
    let number = |night: i32| usize::try_from(night).ok().and_then(|night| night.checked_sub(nights.start));
    let mut batches: Vec<RecordBatch> = Vec::new();
    let mut places: Vec<Vec<u64>> = vec![Vec::new(); nights.len()];
    let mut held = 0_u64;
    each_batch(path, table, &mut |batch| {
        let of_rows = night_column(batch).unwrap_or_default();
        let wanted: Vec<u64> = (0_u64..)
            .zip(&of_rows)
            .filter(|(_, night)| number(**night).is_some_and(|n| n < nights.len()))
            .map(|(row, _)| row)
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let some = take_record_batch(batch, &UInt64Array::from(wanted)).map_err(|e| failed(e.to_string()))?;
        for night in night_column(&some).unwrap_or_default() {
            if let Some(places) = number(night).and_then(|night| places.get_mut(night)) {
                places.push(held);
            }
            held += 1;
        }
        batches.push(some);
        Ok(())
    })?;
    let Some(schema) = batches.first().map(RecordBatch::schema) else { return Ok(Vec::new()) };
    let all = concat_batches(&schema, &batches).map_err(|e| failed(e.to_string()))?;
    drop(batches);
    let plain = columns::schema(table);
    let kept: Vec<usize> = (0..plain.fields().len()).collect();
    let all = all.project(&kept).map_err(|e| failed(e.to_string()))?;
    let written: Vec<Option<SimulatedFile>> = places
        .into_par_iter()
        .enumerate()
        .map(|(at, rows)| {
            if rows.is_empty() {
                return Ok(None);
            }
            let night = i64::try_from(nights.start + at).unwrap_or(i64::MAX);
            let date = start_on.checked_add(night.days()).map_err(|e| failed(e.to_string()))?;
            let folder = out.join(date.to_string());
            fs::create_dir_all(&folder).map_err(SimulateError::io(&folder))?;
            let rows = take_record_batch(&all, &UInt64Array::from(rows)).map_err(|e| failed(e.to_string()))?;
            let mut file = TableFile::create(out, format!("{date}/{}.parquet", table.name), table, plain.clone())?;
            file.write_batch(&rows)?;
            file.finish().map(Some)
        })
        .collect::<Result<_, SimulateError>>()?;
    Ok(written.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{LOANS, MERCHANTS, ORDERS, SHIPMENTS};
    use crate::simulate::rows::set;

    fn row(table: &'static TableContract, cells: &[(&str, Cell)]) -> Rows {
        let mut rows = Rows::new(table);
        let mut row = vec![Cell::Null; table.columns.len()];
        for (column, cell) in cells {
            set(table, &mut row, column, cell.clone());
        }
        rows.push(row);
        rows
    }

    #[test]
    fn a_row_comes_when_it_is_recorded_else_when_it_happened_else_with_its_parent() {
        let start = Date::constant(2025, 1, 1);
        let calendar = Calendar::new(start, Date::constant(2025, 1, 11));
        let at = |day: i64| Cell::At(calendar.midnight(day) + 5);
        let order = || ("order_id", Cell::Id(Id::Order(1, 1)));
        let tables = [
            row(&MERCHANTS, &[("registered_at", at(-400))]),
            row(&ORDERS, &[order(), ("placed_at", at(3)), ("completed_at", at(8))]),
            row(&SHIPMENTS, &[order(), ("ship_by_at", at(5))]),
            row(&LOANS, &[("disbursed_at", at(2)), ("recorded_at", at(6))]),
            row(&ORDERS, &[("amount_minor", Cell::Int(1))]),
            row(&ORDERS, &[("placed_at", at(4)), ("recorded_at", at(20))]),
        ];
        let nights: Vec<i32> = nights_of(&tables, &calendar).into_iter().flatten().collect();
        assert_eq!(nights, [0, 3, 3, 6, 0, 9]);
    }

    #[test]
    fn spans_cover_every_night_once() {
        let counts = [0, ROWS_AT_ONCE, 1, 2, ROWS_AT_ONCE * 2, 0, ROWS_AT_ONCE - 1, 1];
        let spans = spans(&counts);
        assert_eq!(spans.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..counts.len()).collect::<Vec<_>>());
        for span in &spans {
            let rows: u64 = counts.get(span.clone()).unwrap().iter().sum();
            assert!(span.len() == 1 || rows <= ROWS_AT_ONCE, "{span:?}");
        }
    }
}
