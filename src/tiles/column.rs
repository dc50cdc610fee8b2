//! Typed columns of a frame, by name.

use polars::prelude::{ChunkFullNull, DataFrame, DataType, Int64Chunked, PolarsError, StringChunked};

use super::error::TileError;

fn refuse(table: &str, column: &str) -> impl Fn(PolarsError) -> TileError {
    move |source| TileError::Column { table: table.to_owned(), column: column.to_owned(), source }
}

/// Instants as microseconds, dates as days since 1970-01-01, money and whole numbers as they are.
///
/// A column that is absent is all null: contract columns that are not required may be left out of a source.
pub fn integers(frame: &DataFrame, table: &str, column: &str) -> Result<Int64Chunked, TileError> {
    let Ok(found) = frame.column(column) else {
        return Ok(Int64Chunked::full_null(column.into(), frame.height()));
    };
    let physical = found.as_materialized_series().to_physical_repr().into_owned();
    let whole = physical.strict_cast(&DataType::Int64).map_err(refuse(table, column))?;
    Ok(whole.i64().map_err(refuse(table, column))?.rechunk().into_owned())
}

/// A text column; all null where absent.
pub fn texts(frame: &DataFrame, table: &str, column: &str) -> Result<StringChunked, TileError> {
    let Ok(found) = frame.column(column) else {
        return Ok(StringChunked::full_null(column.into(), frame.height()));
    };
    Ok(found.as_materialized_series().str().map_err(refuse(table, column))?.rechunk().into_owned())
}

/// A text column that must be there.
pub fn required_texts(frame: &DataFrame, table: &str, column: &str) -> Result<StringChunked, TileError> {
    frame.column(column).map_err(refuse(table, column))?;
    texts(frame, table, column)
}
