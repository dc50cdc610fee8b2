//! Rows of contract tables, put beside those that a shard has.

use std::collections::BTreeMap;

use polars::prelude::*;

use crate::contract::TableContract;

/// A cell that is set; columns of a row that are not named are null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A number, or an instant in microseconds.
    Number(i64),
    Text(String),
}

/// A row of a contract table.
pub type Row = BTreeMap<&'static str, Cell>;

/// A table with rows more, in the order of the store: by merchant, event time and key.
pub fn with_rows(table: &TableContract, frame: &DataFrame, rows: &[Row]) -> PolarsResult<DataFrame> {
    let columns = frame.columns().iter().map(|column| {
        let cells = || rows.iter().map(|row| row.get(column.name().as_str()));
        let number = |cell: Option<&Cell>| match cell {
            Some(Cell::Number(number)) => Some(*number),
            Some(Cell::Text(_)) | None => None,
        };
        let text = |cell: Option<&'_ Cell>| match cell {
            Some(Cell::Text(text)) => Some(text.clone()),
            Some(Cell::Number(_)) | None => None,
        };
        let made = if *column.dtype() == DataType::String {
            cells().map(text).collect::<StringChunked>().into_column()
        } else if cells().all(|cell| cell.is_none()) {
            Column::full_null(column.name().clone(), rows.len(), column.dtype())
        } else {
            cells().map(number).collect::<Int64Chunked>().into_column().cast(column.dtype())?
        };
        Ok(made.with_name(column.name().clone()))
    });
    let more = DataFrame::new(rows.len(), columns.collect::<PolarsResult<Vec<_>>>()?)?;
    frame.vstack(&more)?.sort(table.sort_columns(), SortMultipleOptions::default())
}
