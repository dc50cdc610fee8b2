//! Brings a frame to the contract's columns and types, widening without loss or refusing the table.

use polars::prelude::*;

use super::cell;
use super::error::SourceError;
use super::same_day::settle_days;
use super::wider::texts_of_doubles;
use crate::contract::{Column as ContractColumn, TableContract, Type, UNREADABLE, data_type};
use crate::domain::MICROS_PER_DAY;

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Id => "an id (String)",
        Type::Text => "text (String)",
        Type::Word(_) => "a word (String)",
        Type::Instant => "a UTC instant (Datetime in microseconds)",
        Type::Day => "a date (Date)",
        Type::Money => "money in minor units (Int64)",
        Type::Integer => "a whole number (Int64)",
        Type::Ids => "a list of ids (List of String)",
    }
}

/// The contract's columns in contract order with their types, then `_file` and `_row`, then one [`UNREADABLE`] column for each
/// column with cells that could not be read.
///
/// `text_allowed`: the raw cells are text (CSV), whose types the contract decides cell by cell. `from` names the file or
/// statement in errors.
///
/// # Errors
/// A required column is missing; a column's type cannot be widened without loss.
pub(crate) fn conform(
    table: &'static TableContract,
    frame: &DataFrame,
    text_allowed: bool,
    from: &str,
) -> Result<DataFrame, SourceError> {
    let broken = |e: PolarsError| SourceError::Frame { table: table.name, why: e.to_string() };
    let mut columns = Vec::with_capacity(table.columns.len() + 2);
    let mut unreadable = Vec::new();
    for wanted in table.columns {
        let Ok(got) = frame.column(wanted.name) else {
            if wanted.required {
                return Err(missing(table, wanted, frame, from));
            }
            columns.push(Column::full_null(wanted.name.into(), frame.height(), &data_type(wanted.kind)));
            continue;
        };
        let cells = read_cells(wanted.kind, got.as_materialized_series(), text_allowed).map_err(broken)?;
        let Some(cells) = cells else {
            return Err(SourceError::WrongType {
                table: table.name,
                column: wanted.name,
                expected: type_name(wanted.kind).to_owned(),
                got: got.dtype().to_string(),
                from: from.to_owned(),
            });
        };
        if let Some(texts) = cells.unreadable {
            unreadable.push(texts.with_name(format!("{UNREADABLE}{}", wanted.name).into()).into_column());
        }
        columns.push(cells.values.with_name(wanted.name.into()).into_column());
    }
    settle_days(table, frame, &mut columns).map_err(broken)?;
    for lineage in ["_file", "_row"] {
        let lineage = frame.column(lineage).map_err(broken)?;
        columns.push(lineage.strict_cast(&DataType::UInt32).map_err(broken)?);
    }
    for extra in frame.get_column_names() {
        if table.column(extra).is_none() && !extra.starts_with('_') {
            tracing::debug!(
                table = table.name,
                column = extra.as_str(),
                from,
                "column is not in the contract: ignored"
            );
        }
    }
    columns.extend(unreadable);
    DataFrame::new(frame.height(), columns).map_err(broken)
}

fn missing(table: &'static TableContract, wanted: &ContractColumn, frame: &DataFrame, from: &str) -> SourceError {
    let found: Vec<_> =
        frame.get_column_names().into_iter().filter(|n| !n.starts_with('_')).map(PlSmallStr::as_str).collect();
    SourceError::MissingColumn {
        table: table.name,
        column: wanted.name,
        expected: type_name(wanted.kind).to_owned(),
        found: found.join(", "),
        from: from.to_owned(),
    }
}

struct Cells {
    values: Series,
    /// Text of the cells that could not be read, null elsewhere; absent where all could.
    unreadable: Option<StringChunked>,
}

/// `None`: the type cannot be widened to the wanted one without loss.
fn read_cells(kind: Type, got: &Series, text_allowed: bool) -> PolarsResult<Option<Cells>> {
    let wanted = data_type(kind);
    let plain = |values: Series| Ok(Some(Cells { values, unreadable: None }));
    match (kind, got.dtype()) {
        (_, DataType::Null) => plain(Series::full_null(got.name().clone(), got.len(), &wanted)),
        (Type::Id, DataType::String) => plain(trimmed_ids(got.str()?)),
        (Type::Id, DataType::Categorical(..) | DataType::Enum(..)) => plain(trimmed_ids(got.cast(&wanted)?.str()?)),
        (Type::Id, DataType::Decimal(_, 0)) => plain(got.cast(&wanted)?),
        (Type::Id, dtype) if dtype.is_integer() => plain(got.cast(&wanted)?),
        (Type::Id, DataType::Float32 | DataType::Float64) => plain(texts_of_doubles(got)?.into_series()),
        (Type::Text | Type::Word(_), DataType::String) => plain(empty_as_null(got)?),
        (Type::Text | Type::Word(_), DataType::Categorical(..) | DataType::Enum(..)) => {
            plain(empty_as_null(&got.cast(&wanted)?)?)
        }
        (Type::Ids, DataType::List(inner)) => match inner.as_ref() {
            DataType::String | DataType::Categorical(..) | DataType::Null => {
                plain(got.cast(&wanted)?.list()?.apply_to_inner(&|ids| Ok(trimmed_ids(ids.str()?)))?.into_series())
            }
            _ => Ok(None),
        },
        (Type::Ids, DataType::String) if text_allowed => plain(split_ids(got.str()?)),
        (Type::Instant, DataType::Datetime(unit, _)) => instants(got, *unit).map(Some),
        (Type::Instant, DataType::Date) => midnights(got).map(Some),
        (Type::Day, DataType::Date) | (Type::Money | Type::Integer, DataType::Int64) => plain(got.clone()),
        (Type::Money | Type::Integer, dtype) if dtype.is_integer() => widened_integers(got).map(Some),
        (Type::Instant, DataType::String) if text_allowed => {
            let (values, unreadable) = parse_text(got.str()?, cell::instant);
            Ok(Some(Cells { values: values.into_series().cast(&wanted)?, unreadable }))
        }
        (Type::Money | Type::Integer, DataType::String) if text_allowed => {
            let (values, unreadable) = parse_text(got.str()?, cell::whole_number);
            Ok(Some(Cells { values: values.into_series(), unreadable }))
        }
        (Type::Day, DataType::String) if text_allowed => {
            let (values, unreadable) = parse_text(got.str()?, |text| cell::day(text).map(i64::from));
            Ok(Some(Cells { values: values.into_series().cast(&DataType::Int32)?.cast(&wanted)?, unreadable }))
        }
        _ => Ok(None),
    }
}

fn empty_as_null(got: &Series) -> PolarsResult<Series> {
    let text = got.str()?;
    if text.iter().any(|cell| cell == Some("")) {
        Ok(text.apply(|cell| cell.filter(|c| !c.is_empty()).map(Into::into)).into_series())
    } else {
        Ok(got.clone())
    }
}

/// Ids without white space around them, which nobody sees: two that differ by it are one. Blank ones are not there.
fn trimmed_ids(got: &StringChunked) -> Series {
    let is_as_it_should_be = |id: &str| !id.is_empty() && id.trim().len() == id.len();
    if got.iter().flatten().all(is_as_it_should_be) {
        return got.clone().into_series();
    }
    got.apply(|id| id.map(str::trim).filter(|id| !id.is_empty()).map(Into::into)).into_series()
}

fn split_ids(got: &StringChunked) -> Series {
    let mut lists = ListStringChunkedBuilder::new(got.name().clone(), got.len(), got.len());
    for cell in got.iter() {
        match cell {
            Some(text) => lists.append_values_iter(cell::ids(text).into_iter()),
            None => lists.append_null(),
        }
    }
    lists.finish().into_series()
}

/// Any unit, zoned or not: the instant itself is the physical value. Nanoseconds that are not whole microseconds cannot be read.
fn instants(got: &Series, unit: TimeUnit) -> PolarsResult<Cells> {
    let wanted = data_type(Type::Instant);
    let physical = got.to_physical_repr();
    let physical = physical.i64()?;
    let name = got.name().clone();
    let (micros, unreadable) = match unit {
        TimeUnit::Microseconds => (physical.clone(), None),
        TimeUnit::Milliseconds => from_integers(physical, |ms| ms.checked_mul(1_000)),
        TimeUnit::Nanoseconds => from_integers(physical, |ns| (ns % 1_000 == 0).then_some(ns / 1_000)),
    };
    Ok(Cells { values: micros.into_series().cast(&wanted)?.with_name(name), unreadable })
}

/// Dates as their midnights in UTC; days too many for an instant cannot be read.
fn midnights(got: &Series) -> PolarsResult<Cells> {
    let days = got.to_physical_repr().cast(&DataType::Int64)?;
    let (micros, unreadable) = from_integers(days.i64()?, |day| day.checked_mul(MICROS_PER_DAY));
    let values = micros.into_series().cast(&data_type(Type::Instant))?.with_name(got.name().clone());
    Ok(Cells { values, unreadable })
}

fn widened_integers(got: &Series) -> PolarsResult<Cells> {
    if matches!(got.dtype(), DataType::UInt64) {
        let texts = got.cast(&DataType::String)?;
        let (values, unreadable) = parse_text(texts.str()?, cell::whole_number);
        return Ok(Cells { values: values.into_series(), unreadable });
    }
    Ok(Cells { values: got.strict_cast(&DataType::Int64)?, unreadable: None })
}

fn from_integers(got: &Int64Chunked, read: impl Fn(i64) -> Option<i64>) -> (Int64Chunked, Option<StringChunked>) {
    let values: Int64Chunked = got.iter().map(|cell| cell.and_then(&read)).collect();
    let lost = values.null_count() > got.null_count();
    let texts = lost.then(|| {
        got.iter()
            .zip(values.iter())
            .map(|(raw, value)| raw.filter(|_| value.is_none()).map(|r| r.to_string()))
            .collect()
    });
    (values, texts)
}

fn parse_text(got: &StringChunked, read: impl Fn(&str) -> Option<i64>) -> (Int64Chunked, Option<StringChunked>) {
    let values: Int64Chunked =
        got.iter().map(|cell| cell.filter(|text| !text.trim().is_empty()).and_then(&read)).collect();
    let is_lost = |raw: Option<&str>, value: Option<i64>| value.is_none() && raw.is_some_and(|r| !r.trim().is_empty());
    let lost = got.iter().zip(values.iter()).any(|(raw, value)| is_lost(raw, value));
    let texts =
        lost.then(|| got.iter().zip(values.iter()).map(|(raw, value)| raw.filter(|_| is_lost(raw, value))).collect());
    (values, texts)
}

/// One column of a frame with its contract type; unreadable cells are null.
///
/// # Errors
/// The column is not in the contract or has another type.
pub(crate) fn single(
    table: &'static TableContract,
    frame: &DataFrame,
    column: &str,
    text_allowed: bool,
) -> Result<Series, SourceError> {
    let broken = |e: PolarsError| SourceError::Frame { table: table.name, why: e.to_string() };
    let Some(wanted) = table.column(column) else {
        return Err(SourceError::Frame { table: table.name, why: format!("no column {column:?} in the contract") });
    };
    let got = frame.column(column).map_err(broken)?;
    match read_cells(wanted.kind, got.as_materialized_series(), text_allowed).map_err(broken)? {
        Some(cells) => Ok(cells.values),
        None => Err(SourceError::WrongType {
            table: table.name,
            column: wanted.name,
            expected: type_name(wanted.kind).to_owned(),
            got: got.dtype().to_string(),
            from: "its source".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_in_whichever_type_and_with_whichever_space_around_it() {
        let read = |cells: Series| -> Vec<Option<String>> {
            let cells = read_cells(Type::Id, &cells, false).unwrap().unwrap();
            cells.values.str().unwrap().iter().map(|id| id.map(str::to_owned)).collect()
        };
        let expected = [Some("123".to_owned()), None, Some("7".to_owned())];
        assert_eq!(read(Series::new("id".into(), [Some(123_i64), None, Some(7)])), expected);
        assert_eq!(read(Series::new("id".into(), [Some(123_i32), None, Some(7)])), expected);
        assert_eq!(read(Series::new("id".into(), [Some(123.0_f64), None, Some(7.0)])), expected);
        assert_eq!(read(Series::new("id".into(), [Some(" 123"), Some(" \t"), Some("7\u{a0}")])), expected);
        let beyond = read(Series::new("id".into(), [9_007_199_254_740_993.0_f64]));
        assert!(beyond.iter().flatten().all(|id| !crate::contract::is_id(id)), "{beyond:?}");

        let lists = Series::new("ids".into(), [Series::new("".into(), [" a", "b "])]);
        let lists = read_cells(Type::Ids, &lists, false).unwrap().unwrap().values;
        let list = lists.list().unwrap().get_as_series(0).unwrap();
        assert_eq!(list.str().unwrap().iter().collect::<Vec<_>>(), [Some("a"), Some("b")]);
    }
}
