//! Typed reading of a shard's columns: a wrong type or a null where none may be is an error that names the place.

use polars::prelude::{DataFrame, Int32Chunked, Int64Chunked, Logical, PolarsError, StringChunked};

use super::error::RepaymentError;

fn broken(table: &'static str, column: &'static str) -> impl FnOnce(PolarsError) -> RepaymentError {
    move |e| RepaymentError::Column { table, column, why: e.to_string() }
}

/// A string column.
pub(super) fn strings<'a>(
    frame: &'a DataFrame,
    table: &'static str,
    column: &'static str,
) -> Result<&'a StringChunked, RepaymentError> {
    frame.column(column).and_then(|c| c.str()).map_err(broken(table, column))
}

/// A whole-number or money column.
pub(super) fn integers<'a>(
    frame: &'a DataFrame,
    table: &'static str,
    column: &'static str,
) -> Result<&'a Int64Chunked, RepaymentError> {
    frame.column(column).and_then(|c| c.i64()).map_err(broken(table, column))
}

/// A whole-number column that a source may leave out.
pub(super) fn optional_integers<'a>(
    frame: &'a DataFrame,
    table: &'static str,
    column: &'static str,
) -> Result<Option<&'a Int64Chunked>, RepaymentError> {
    if frame.schema().contains(column) { integers(frame, table, column).map(Some) } else { Ok(None) }
}

/// A column of instants, in UTC microseconds.
pub(super) fn instants<'a>(
    frame: &'a DataFrame,
    table: &'static str,
    column: &'static str,
) -> Result<&'a Int64Chunked, RepaymentError> {
    frame.column(column).and_then(|c| c.datetime()).map(Logical::physical).map_err(broken(table, column))
}

/// A column of dates, in days since 1970-01-01.
pub(super) fn days<'a>(
    frame: &'a DataFrame,
    table: &'static str,
    column: &'static str,
) -> Result<&'a Int32Chunked, RepaymentError> {
    frame.column(column).and_then(|c| c.date()).map(Logical::physical).map_err(broken(table, column))
}

/// A string column that a source may leave out.
pub(super) fn optional_strings<'a>(
    frame: &'a DataFrame,
    table: &'static str,
    column: &'static str,
) -> Result<Option<&'a StringChunked>, RepaymentError> {
    if frame.schema().contains(column) { strings(frame, table, column).map(Some) } else { Ok(None) }
}

/// A column of instants that a source may leave out.
pub(super) fn optional_instants<'a>(
    frame: &'a DataFrame,
    table: &'static str,
    column: &'static str,
) -> Result<Option<&'a Int64Chunked>, RepaymentError> {
    if frame.schema().contains(column) { instants(frame, table, column).map(Some) } else { Ok(None) }
}

/// A column of lists of ids; empty lists where it is null or left out.
pub(super) fn id_lists(
    frame: &DataFrame,
    table: &'static str,
    column: &'static str,
) -> Result<Vec<Vec<String>>, RepaymentError> {
    let Ok(found) = frame.column(column) else { return Ok(vec![Vec::new(); frame.height()]) };
    let lists = found.list().map_err(broken(table, column))?;
    (0..frame.height())
        .map(|row| match lists.get_as_series(row) {
            None => Ok(Vec::new()),
            Some(ids) => {
                let ids = ids.str().map_err(broken(table, column))?;
                Ok(ids.iter().flatten().map(str::to_owned).collect())
            }
        })
        .collect()
}

/// The value, or an error that names the row.
pub(super) fn required<T>(
    value: Option<T>,
    table: &'static str,
    column: &'static str,
    row: usize,
) -> Result<T, RepaymentError> {
    value.ok_or(RepaymentError::Null { table, column, row })
}
