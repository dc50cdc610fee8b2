//! Why a loan book cannot be read.

use polars::prelude::PolarsError;

use crate::domain::AsOfError;

/// Why repayment could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum RepaymentError {
    /// A table lacks a column, or holds it in another type.
    #[error("read {table}.{column}: {why}")]
    Column {
        /// Contract table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// The frame library's own words.
        why: String,
    },
    /// A required value is null: washing should have set the row aside.
    #[error("read {table}.{column}: row {row} is null")]
    Null {
        /// Contract table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// 0-based row of the shard's table.
        row: usize,
    },
    /// Sums left 64-bit minor units.
    #[error("add up loan {loan_id}: {what} overflows 64-bit minor units")]
    Overflow {
        /// The loan.
        loan_id: String,
        /// What was added up.
        what: &'static str,
    },
    /// An instant lies outside the business days that the shard spans.
    #[error("find the business date of {micros} µs: it lies outside {first_day}..={last_day} (days since 1970-01-01)")]
    OutsideCalendar {
        /// The instant, or the day in days since 1970-01-01.
        micros: i64,
        /// First known day.
        first_day: i32,
        /// Last known day.
        last_day: i32,
    },
    /// An observation later than what the shard can show.
    #[error("observe defaults from {from}: the shard is seen only as of {seen}")]
    ObservedTooLate {
        /// Observation date.
        from: jiff::civil::Date,
        /// The shard's date.
        seen: jiff::civil::Date,
    },
    /// Date arithmetic left the calendar.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
    /// Building a result frame.
    #[error("build the {table} frame: {source}")]
    Frame {
        /// The result.
        table: &'static str,
        /// The frame library's error.
        source: PolarsError,
    },
}
