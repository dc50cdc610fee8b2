//! Rows whose cells become known one by one, and the Parquet tables that show what was known before an instant.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use integrity::contract::{TableContract, Type};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use parquet::arrow::ArrowWriter;

/// One value; a cell that was never set is null.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Number(i64),
    Text(String),
    Texts(Vec<String>),
    At(Timestamp),
    On(Date),
}

/// One row, known from its first cell on. Of a column that is set more than once the latest known value shows.
#[derive(Debug, Clone)]
pub struct Row {
    since: Timestamp,
    cells: BTreeMap<&'static str, Vec<(Timestamp, Cell)>>,
}

impl Row {
    pub fn new<const N: usize>(since: Timestamp, cells: [(&'static str, Cell); N]) -> Self {
        let mut row = Self { since, cells: BTreeMap::new() };
        for (column, cell) in cells {
            row.set(since, column, cell);
        }
        row
    }

    /// From `at` on `column` shows `cell`.
    pub fn set(&mut self, at: Timestamp, column: &'static str, cell: Cell) {
        let known = self.cells.entry(column).or_default();
        assert!(known.last().is_none_or(|(before, _)| *before <= at), "{column} is set back in time");
        known.push((at, cell));
    }

    /// `column` has shown `cell` from the beginning.
    pub fn overwrite(&mut self, column: &'static str, cell: Option<Cell>) {
        self.cells.insert(column, cell.into_iter().map(|cell| (self.since, cell)).collect());
    }

    /// Nobody ever sees the row.
    pub const fn lose(&mut self) {
        self.since = Timestamp::MAX;
    }

    /// Columns that were ever set.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.cells.keys().copied()
    }

    /// The row of which nothing is known before `at`, and then all that was known by then.
    pub fn as_known(&self, at: Timestamp) -> Self {
        let known = |column: &&'static str| Some((*column, vec![(at, self.known(column, at)?.clone())]));
        Self { since: at, cells: self.cells.keys().filter_map(known).collect() }
    }

    /// Another cell, or none, from the row's first day on.
    pub fn replace(&mut self, column: &'static str, cell: Option<Cell>) {
        match cell {
            Some(cell) => self.cells.insert(column, vec![(self.since, cell)]),
            None => self.cells.remove(column),
        };
    }

    pub fn known(&self, column: &str, until: Timestamp) -> Option<&Cell> {
        self.cells.get(column)?.iter().rev().find(|(at, _)| *at < until).map(|(_, cell)| cell)
    }
}

/// Writes what was known of `rows` before `until`.
pub fn write_table(folder: &Path, table: &TableContract, rows: &[Row], until: Timestamp) {
    let visible: Vec<&Row> = rows.iter().filter(|r| r.since < until).collect();
    let columns = table.columns.iter().map(|column| {
        let cells: Vec<Option<&Cell>> = visible.iter().map(|row| row.known(column.name, until)).collect();
        let array = array(column.kind, &cells);
        (Field::new(column.name, array.data_type().clone(), true), array)
    });
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.unzip();
    let schema = Arc::new(Schema::new(fields));
    let file = File::create(folder.join(format!("{}.parquet", table.name))).unwrap();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, arrays).unwrap()).unwrap();
    writer.close().unwrap();
}

fn array(kind: Type, cells: &[Option<&Cell>]) -> ArrayRef {
    match kind {
        Type::Money | Type::Integer => Arc::new(cells.iter().map(|c| c.map(number)).collect::<Int64Array>()),
        Type::Instant => {
            let micros = cells.iter().map(|c| c.map(|c| instant(c).as_microsecond()));
            let array: TimestampMicrosecondArray = micros.collect();
            assert_eq!(*arrow::array::Array::data_type(&array), DataType::Timestamp(TimeUnit::Microsecond, None));
            Arc::new(array)
        }
        Type::Day => Arc::new(cells.iter().map(|c| c.map(days_since_1970)).collect::<Date32Array>()),
        Type::Id | Type::Text | Type::Word(_) => Arc::new(cells.iter().map(|c| c.map(text)).collect::<StringArray>()),
        Type::Ids => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for cell in cells {
                match cell {
                    None => lists.append(false),
                    Some(Cell::Texts(texts)) => {
                        for text in texts {
                            lists.values().append_value(text);
                        }
                        lists.append(true);
                    }
                    Some(other) => panic!("{other:?} is not a list"),
                }
            }
            Arc::new(lists.finish())
        }
    }
}

fn number(cell: &Cell) -> i64 {
    let Cell::Number(number) = cell else { panic!("{cell:?} is not a number") };
    *number
}

fn text(cell: &Cell) -> &str {
    let Cell::Text(text) = cell else { panic!("{cell:?} is not text") };
    text
}

fn instant(cell: &Cell) -> Timestamp {
    let Cell::At(at) = cell else { panic!("{cell:?} is not an instant") };
    *at
}

fn days_since_1970(cell: &Cell) -> i32 {
    let Cell::On(on) = cell else { panic!("{cell:?} is not a date") };
    date(1970, 1, 1).until(*on).unwrap().get_days()
}
