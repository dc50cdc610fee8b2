//! From rows to Arrow columns, typed as the contract says.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, ListBuilder, StringBuilder, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;

use super::error::SimulateError;
use super::rows::{Cell, Rows};
use crate::contract::{Column, TableContract, Type};

/// The Arrow schema of a table: every column nullable, so that broken rows can be planted.
pub(super) fn schema(table: &TableContract) -> SchemaRef {
    let fields: Vec<Field> = table.columns.iter().map(|c| Field::new(c.name, data_type(c.kind), true)).collect();
    Arc::new(Schema::new(fields))
}

fn data_type(kind: Type) -> DataType {
    match kind {
        Type::Id | Type::Text | Type::Word(_) => DataType::Utf8,
        Type::Instant => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::Day => DataType::Date32,
        Type::Money | Type::Integer => DataType::Int64,
        Type::Ids => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
    }
}

/// One batch of all rows.
///
/// # Errors
/// A cell whose kind does not suit its column.
pub(super) fn batch(rows: &Rows, schema: &SchemaRef) -> Result<RecordBatch, SimulateError> {
    let misfit = |why: String| SimulateError::Rows { table: rows.table.name, why };
    if rows.is_ragged() {
        return Err(misfit(format!("cells do not fill rows of {} columns", rows.width())));
    }
    let arrays = rows
        .table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| array(rows, index, column).ok_or_else(|| misfit(format!("column {}", column.name))))
        .collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), arrays).map_err(|e| misfit(e.to_string()))
}

/// `None` where a cell does not suit the column.
fn array(rows: &Rows, index: usize, column: &Column) -> Option<ArrayRef> {
    let cells = rows.column(index);
    Some(match column.kind {
        Type::Money | Type::Integer => Arc::new(Int64Array::from_iter(typed(cells, |cell| match cell {
            Cell::Int(value) => Some(*value),
            _ => None,
        })?)),
        Type::Instant => Arc::new(TimestampMicrosecondArray::from_iter(typed(cells, |cell| match cell {
            Cell::At(second) => second.checked_mul(1_000_000),
            _ => None,
        })?)),
        Type::Day => Arc::new(Date32Array::from_iter(typed(cells, |cell| match cell {
            Cell::Day(day) => Some(*day),
            _ => None,
        })?)),
        Type::Id | Type::Text | Type::Word(_) => text(cells, rows.len())?,
        Type::Ids => lists(cells)?,
    })
}

fn typed<'a, T>(cells: impl Iterator<Item = &'a Cell>, value: impl Fn(&Cell) -> Option<T>) -> Option<Vec<Option<T>>> {
    cells.map(|cell| if *cell == Cell::Null { Some(None) } else { value(cell).map(Some) }).collect()
}

fn text<'a>(cells: impl Iterator<Item = &'a Cell>, rows: usize) -> Option<ArrayRef> {
    let mut builder = StringBuilder::with_capacity(rows, rows * 12);
    for cell in cells {
        match cell {
            Cell::Null => builder.append_null(),
            Cell::Word(word) => builder.append_value(word),
            Cell::Id(id) => {
                std::fmt::Write::write_fmt(&mut builder, format_args!("{id}")).ok()?;
                builder.append_value("");
            }
            _ => return None,
        }
    }
    Some(Arc::new(builder.finish()))
}

fn lists<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<ArrayRef> {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for cell in cells {
        match cell {
            Cell::Null => builder.append(false),
            Cell::Ids(ids) => {
                ids.iter().for_each(|id| builder.values().append_value(id.to_string()));
                builder.append(true);
            }
            _ => return None,
        }
    }
    Some(Arc::new(builder.finish()))
}
