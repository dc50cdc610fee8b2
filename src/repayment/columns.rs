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

/// The value, or an error that names the row.
pub(super) fn required<T>(
    value: Option<T>,
    table: &'static str,
    column: &'static str,
    row: usize,
) -> Result<T, RepaymentError> {
    value.ok_or(RepaymentError::Null { table, column, row })
}
