//! The type that holds what several files say in a column, where they write it in different ones, and how each file's cells become it. Nothing may be lost by it: where
//! something could be, files disagree.

use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use polars::prelude::*;

use crate::domain::MICROS_PER_DAY;

/// Whole numbers beyond this are not all doubles.
const EXACT_IN_DOUBLES: i64 = 1 << 53;
/// The same as a double.
const EXACT_DOUBLE: f64 = 9_007_199_254_740_992.0;
/// Most digits of a decimal.
const MOST_DIGITS: usize = 38;
/// Digits of the largest whole numbers.
const DIGITS_OF_WHOLE: usize = 20;

/// The narrowest type that holds both. `are_exact` is asked where whole numbers of 64 bits become doubles: whether those that the files have are all doubles.
pub(crate) fn widest(a: &DataType, b: &DataType, are_exact: &dyn Fn() -> bool) -> Option<DataType> {
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (a, b) if a.is_integer() && b.is_integer() => Some(DataType::Int64),
        (a, b) if a.is_float() && b.is_float() => Some(DataType::Float64),
        (whole, float) | (float, whole) if whole.is_integer() && float.is_float() => {
            let is_narrow = !matches!(whole, DataType::Int64 | DataType::UInt64);
            (is_narrow || are_exact()).then_some(DataType::Float64)
        }
        (DataType::Decimal(digits, scale), DataType::Decimal(other_digits, other_scale)) => decimal(
            digits.saturating_sub(*scale).max(other_digits.saturating_sub(*other_scale)),
            *scale.max(other_scale),
        ),
        (DataType::Decimal(digits, scale), whole) | (whole, DataType::Decimal(digits, scale)) if whole.is_integer() => {
            decimal(digits.saturating_sub(*scale).max(DIGITS_OF_WHOLE), *scale)
        }
        // What is less than a microsecond no table holds.
        (DataType::Datetime(_, zone), DataType::Datetime(_, other)) if zone == other => {
            Some(DataType::Datetime(TimeUnit::Microseconds, zone.clone()))
        }
        (DataType::Date, DataType::Datetime(_, None)) | (DataType::Datetime(_, None), DataType::Date) => {
            Some(DataType::Datetime(TimeUnit::Microseconds, None))
        }
        (DataType::Categorical(..) | DataType::Enum(..), DataType::String)
        | (DataType::String, DataType::Categorical(..) | DataType::Enum(..)) => Some(DataType::String),
        (DataType::Categorical(..) | DataType::Enum(..), DataType::Categorical(..) | DataType::Enum(..)) => {
            Some(DataType::String)
        }
        _ => None,
    }
}

fn decimal(before: usize, after: usize) -> Option<DataType> {
    (before + after <= MOST_DIGITS).then_some(DataType::Decimal(before + after, after))
}

/// A column in a wider type. What the wider type cannot hold becomes its largest or smallest number, which is beyond every range of the
/// contract: the row is quarantined, the file is not lost.
pub(super) fn widened(name: &PlSmallStr, got: &DataType, wanted: &DataType) -> Expr {
    match (got, wanted) {
        (DataType::UInt64, DataType::Int64) => {
            let cell = || col(name.clone());
            when(cell().gt(lit(i64::MAX.unsigned_abs())))
                .then(lit(i64::MAX))
                .otherwise(cell().cast(DataType::Int64))
                .alias(name.clone())
        }
        (DataType::Datetime(TimeUnit::Milliseconds, _), DataType::Datetime(TimeUnit::Microseconds, _)) => {
            in_microseconds(name, wanted, 1_000)
        }
        (DataType::Date, DataType::Datetime(TimeUnit::Microseconds, _)) => {
            in_microseconds(name, wanted, MICROS_PER_DAY)
        }
        _ => col(name.clone()).strict_cast(wanted.clone()),
    }
}

/// Times of a coarser unit, of which one is so many microseconds.
fn in_microseconds(name: &PlSmallStr, wanted: &DataType, micros: i64) -> Expr {
    let cell = || col(name.clone()).to_physical().cast(DataType::Int64);
    when(cell().gt(lit(i64::MAX / micros)))
        .then(lit(i64::MAX))
        .when(cell().lt(lit(i64::MIN / micros)))
        .then(lit(i64::MIN))
        .otherwise(cell() * lit(micros))
        .cast(wanted.clone())
        .alias(name.clone())
}

/// Doubles as text, see [`text_of_double`].
pub(super) fn texts_of_doubles(numbers: &Series) -> PolarsResult<StringChunked> {
    let numbers = numbers.cast(&DataType::Float64)?;
    Ok(numbers.f64()?.iter().map(|number| number.map(text_of_double)).collect())
}

/// A double as text: a whole number as whole numbers are written, so that an id is the same whichever of both a file has. Where doubles are not all whole numbers
/// apart it is written in powers of ten, which no id is ([`crate::contract::is_id`]).
fn text_of_double(number: f64) -> String {
    if number.abs() < EXACT_DOUBLE {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, power)) if !digits.contains('.') => format!("{digits}.0e{power}"),
        _ => text,
    }
}

/// Whether a file's whole numbers in a column are all doubles too, by what its footer says of them.
pub(super) fn are_doubles(footer: &ParquetMetaData, column: &str) -> bool {
    let groups = footer.row_groups().iter();
    let mut chunks = groups.flat_map(RowGroupMetaData::columns).filter(|chunk| chunk.column_path().string() == column);
    chunks.all(|chunk| match chunk.statistics() {
        Some(Statistics::Int64(numbers)) => {
            let is_exact =
                |number: Option<&i64>| number.is_some_and(|n| (-EXACT_IN_DOUBLES..=EXACT_IN_DOUBLES).contains(n));
            let is_empty = numbers.null_count_opt() == u64::try_from(chunk.num_values()).ok();
            is_empty || (is_exact(numbers.min_opt()) && is_exact(numbers.max_opt()))
        }
        Some(Statistics::Int32(_)) => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wider_type_holds_both_or_there_is_none() {
        let instant = |unit| DataType::Datetime(unit, None);
        let micros = || instant(TimeUnit::Microseconds);
        for (a, b, expected) in [
            (DataType::Int32, DataType::Int64, Some(DataType::Int64)),
            (DataType::Int32, DataType::Float64, Some(DataType::Float64)),
            (DataType::Int32, DataType::Float32, Some(DataType::Float64)),
            (DataType::Float32, DataType::Float64, Some(DataType::Float64)),
            (DataType::Date, instant(TimeUnit::Milliseconds), Some(micros())),
            (DataType::Date, micros(), Some(micros())),
            (instant(TimeUnit::Nanoseconds), micros(), Some(micros())),
            (DataType::Decimal(10, 2), DataType::Decimal(12, 4), Some(DataType::Decimal(12, 4))),
            (DataType::Decimal(10, 2), DataType::Int32, Some(DataType::Decimal(22, 2))),
            (DataType::Decimal(38, 2), DataType::Decimal(38, 4), None),
            (DataType::Decimal(10, 2), DataType::Float64, None),
            (DataType::String, DataType::Int64, None),
            (DataType::Boolean, DataType::Int64, None),
        ] {
            assert_eq!(widest(&a, &b, &|| false), expected, "{a} {b}");
            assert_eq!(widest(&b, &a, &|| false), expected, "{b} {a}");
        }
        for (number, text) in [
            (123.0, "123"),
            (-0.5, "-0.5"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9.007199254740992e15"),
            (1e18, "1.0e18"),
        ] {
            assert_eq!(text_of_double(number), text);
            assert_eq!(crate::contract::is_id(text), number < EXACT_DOUBLE, "{text}");
        }
        let of_64 = |are_exact| widest(&DataType::Int64, &DataType::Float64, &|| are_exact);
        assert_eq!((of_64(true), of_64(false)), (Some(DataType::Float64), None));
    }
}
