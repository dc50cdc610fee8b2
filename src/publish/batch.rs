//! Rows to Arrow batches and back. serde carries the fields, the table's documented columns say which types they have in the file; what
//! serde lets pass is checked here: ranges and finite numbers when writing, missing or mistyped columns when reading. A table of an earlier version
//! of the program lacks the columns that were added since: each of them says what it is read with ([`Earlier`](super::column::Earlier)).

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, FieldRef, Float64Type, Int32Type, Int64Type};
use jiff::civil::Date;

use super::column::{OutputColumn, OutputTable};
use super::error::PublishError;
use super::row::{OutputRow, label};

/// Rows as the table's columns. `given` makes the arrays of columns that are not fields of the row; all others are fields, by name.
pub(super) fn encode<R: OutputRow>(
    rows: &[R],
    table: &OutputTable,
    given: impl Fn(&OutputColumn) -> Option<ArrayRef>,
) -> Result<RecordBatch, PublishError> {
    let misfit = |why: String| PublishError::Layout { table: table.name, why };
    let given: Vec<Option<ArrayRef>> = table.columns.iter().map(given).collect();
    let of_fields = table.columns.iter().zip(&given).filter(|(_, given)| given.is_none()).map(|(column, _)| column);
    let fields: Vec<FieldRef> = of_fields.map(OutputColumn::field).collect();
    // serde would write nulls into a column whose field was renamed or removed.
    let names = rows.first().map(serde_json::to_value).transpose().map_err(|e| misfit(e.to_string()))?;
    if let Some(missing) = names.and_then(|row| fields.iter().find(|f| row.get(f.name()).is_none())) {
        return Err(misfit(format!("column {} is not a field of the row", missing.name())));
    }
    let mut fields = serde_arrow::to_arrow(&fields, rows).map_err(|e| misfit(e.to_string()))?.into_iter();
    let arrays: Vec<ArrayRef> = given.into_iter().filter_map(|given| given.or_else(|| fields.next())).collect();
    for (column, array) in table.columns.iter().zip(&arrays) {
        check_numbers(rows, table, column, array)?;
    }
    RecordBatch::try_new(table.schema(), arrays).map_err(|e| misfit(e.to_string()))
}

/// Rows from these columns of a batch, each of which must be there in its documented type, unless it was added to the table later.
pub(super) fn decode<R: OutputRow>(
    path: &Path,
    batch: &RecordBatch,
    columns: &[OutputColumn],
) -> Result<Vec<R>, PublishError> {
    let (mut fields, mut arrays) = (Vec::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
    for column in columns {
        let array = typed(path, batch, column)?;
        check_dates(path, column, &array)?;
        fields.push(column.field());
        arrays.push(array);
    }
    serde_arrow::from_arrow(&fields, &arrays).map_err(|e| PublishError::malformed(path, e.to_string()))
}

/// Values of a column of numbers that is not a field of the row.
pub(super) fn values<T: ArrowPrimitiveType>(
    path: &Path,
    batch: &RecordBatch,
    column: &OutputColumn,
) -> Result<PrimitiveArray<T>, PublishError> {
    let array = typed(path, batch, column)?;
    array
        .as_primitive_opt::<T>()
        .cloned()
        .ok_or_else(|| PublishError::malformed(path, format!("column {} is not {}", column.name, T::DATA_TYPE)))
}

/// serde would take any missing column for nulls, and a number of another width for the right one.
fn typed(path: &Path, batch: &RecordBatch, column: &OutputColumn) -> Result<ArrayRef, PublishError> {
    let (name, expected) = (&column.name, column.kind.arrow());
    let formerly = || column.formerly.and_then(|name| batch.column_by_name(name));
    let Some(array) = batch.column_by_name(name).or_else(formerly) else {
        let earlier = column.in_earlier_file(batch.num_rows());
        return earlier.ok_or_else(|| PublishError::malformed(path, format!("column {name} is missing")));
    };
    if *array.data_type() != expected {
        let why = format!("column {name} is {}, expected {expected}", array.data_type());
        return Err(PublishError::malformed(path, why));
    }
    if !column.nullable && array.null_count() > 0 {
        return Err(PublishError::malformed(path, format!("column {name} is null where it may not be")));
    }
    Ok(Arc::clone(array))
}

/// Days beyond the calendar would make the library behind serde panic.
fn check_dates(path: &Path, column: &OutputColumn, array: &ArrayRef) -> Result<(), PublishError> {
    let Some(days) = array.as_primitive_opt::<Date32Type>() else { return Ok(()) };
    let epoch = Date::constant(1970, 1, 1);
    let outside = |day: &i32| {
        let span = jiff::Span::new().try_days(*day);
        !span.is_ok_and(|span| epoch.checked_add(span).is_ok())
    };
    match days.iter().flatten().find(outside) {
        Some(day) => Err(PublishError::malformed(path, format!("column {} holds day {day} since 1970", column.name))),
        None => Ok(()),
    }
}

/// Every number of a column, those in its lists included, is finite and within the documented range.
fn check_numbers<R: OutputRow>(
    rows: &[R],
    table: &OutputTable,
    column: &OutputColumn,
    array: &ArrayRef,
) -> Result<(), PublishError> {
    if let Some(list) = array.as_list_opt::<i32>() {
        let Some(items) = list.values().as_struct_opt() else { return Ok(()) };
        // The last row whose items begin at or before this one.
        let begins = |at: usize| move |begin: &i32| usize::try_from(*begin).is_ok_and(|begin| begin <= at);
        let row_of = |at: usize| list.value_offsets().partition_point(begins(at)).saturating_sub(1);
        return items
            .columns()
            .iter()
            .try_for_each(|member| check_array(member, column, table, |at| rows.get(row_of(at))));
    }
    check_array(array, column, table, |at| rows.get(at))
}

fn check_array<'a, R: OutputRow + 'a>(
    array: &ArrayRef,
    column: &OutputColumn,
    table: &OutputTable,
    row: impl Fn(usize) -> Option<&'a R>,
) -> Result<(), PublishError> {
    let label = |at| row(at).map_or_else(String::new, |row| label(row, table));
    for (at, value) in numbers(array) {
        let (table, name) = (table.name, || column.name.clone());
        if !value.is_finite() {
            return Err(PublishError::NonFinite { table, column: name(), row: label(at), value: value.to_string() });
        }
        match column.range {
            Some((low, high)) if !(low..=high).contains(&value) => {
                let (row, value) = (label(at), value.to_string());
                return Err(PublishError::OutOfRange { table, column: name(), row, value, low, high });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The numbers of an array that are not null, with their places; none where it holds no numbers.
fn numbers(array: &ArrayRef) -> Box<dyn Iterator<Item = (usize, f64)> + '_> {
    fn present<T: ArrowPrimitiveType>(
        array: &ArrayRef,
        number: fn(T::Native) -> f64,
    ) -> Box<dyn Iterator<Item = (usize, f64)> + '_> {
        let values = array.as_primitive::<T>().iter().enumerate();
        Box::new(values.filter_map(move |(at, value)| value.map(|value| (at, number(value)))))
    }
    match array.data_type() {
        DataType::Int32 => present::<Int32Type>(array, f64::from),
        DataType::Int64 => present::<Int64Type>(array, |value| value as f64),
        DataType::Float64 => present::<Float64Type>(array, |value| value),
        _ => Box::new(std::iter::empty()),
    }
}
