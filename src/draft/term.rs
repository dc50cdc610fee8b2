//! For how long loans run: days, weeks, months or years, as the cells, the column's name or the size of its numbers say.

use super::landscape::Landscape;
use super::scope::{Piece, Scope};
use super::vocabulary::Concept as C;
use crate::profile::{ColumnAt, RawColumn, SpanForm, ValueKind};

/// What a number of one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Days,
    Weeks,
    Months,
    Years,
}

/// Numbers up to this one are months where nothing says that they are days.
const MOST_MONTHS: f64 = 84.0;

/// The unit that the name or the cells say.
fn unit_said(land: &Landscape, at: ColumnAt) -> Option<Unit> {
    const WEEKS: [&str; 9] = ["week", "weeks", "wks", "woche", "wochen", "semanas", "semaines", "settimane", "hafta"];
    const YEARS: [&str; 9] = ["year", "years", "yrs", "jahre", "años", "anos", "ans", "anni", "lata"];
    let raw = land.column(at);
    match &raw.kind {
        ValueKind::Span(SpanForm::Months) => return Some(Unit::Months),
        ValueKind::Span(_) => return Some(Unit::Days),
        _ => {}
    }
    match () {
        () if raw.is_called(&WEEKS) => Some(Unit::Weeks),
        () if raw.is_called(&YEARS) => Some(Unit::Years),
        () if land.column_name(at).says(C::Month) => Some(Unit::Months),
        () if raw.name.to_lowercase().contains("day") => Some(Unit::Days),
        () => None,
    }
}

fn unit(land: &Landscape, at: ColumnAt) -> Unit {
    let by_size = if land.column(at).numbers.range.1 <= MOST_MONTHS { Unit::Months } else { Unit::Days };
    unit_said(land, at).unwrap_or(by_size)
}

/// Whether [`number`] gives months, and not days.
pub(super) fn is_in_months(land: &Landscape, at: ColumnAt) -> bool {
    matches!(unit(land, at), Unit::Months | Unit::Years)
}

/// Whether a term is brought to days by [`days`]: it is written in another unit, or with one.
pub(super) fn is_told(land: &Landscape, at: ColumnAt) -> bool {
    unit(land, at) != Unit::Days || matches!(land.column(at).kind, ValueKind::Span(_))
}

/// The longest of the terms, in months or days.
pub(super) fn longest(land: &Landscape, at: ColumnAt) -> f64 {
    land.column(at).numbers.range.1 * f64::from(factor(unit(land, at)))
}

/// The mean of the terms, in months or days.
pub(super) fn mean(land: &Landscape, at: ColumnAt) -> f64 {
    land.column(at).numbers.mean * f64::from(factor(unit(land, at)))
}

const fn factor(unit: Unit) -> u8 {
    match unit {
        Unit::Days | Unit::Months => 1,
        Unit::Weeks => 7,
        Unit::Years => 12,
    }
}

/// Months or days as BIGINT, null where the cell cannot be read.
pub(super) fn number(scope: &Scope, at: ColumnAt, sql: &str) -> String {
    in_units(scope, at, sql, 1)
}

fn in_units(scope: &Scope, at: ColumnAt, sql: &str, times: u8) -> String {
    let many = u16::from(factor(unit(scope.land, at))) * u16::from(times);
    let many = if many == 1 { String::new() } else { format!(" * {many}") };
    format!("TRY_CAST(ROUND({}{many}) AS BIGINT)", scope.number(at, sql))
}

/// Days as the contract has them.
pub(super) fn days(scope: &Scope, at: ColumnAt, sql: &str) -> Piece {
    const DAYS_OF_MONTH: u8 = 30;
    let land = scope.land;
    let (unit, said) = (unit(land, at), unit_said(land, at));
    let raw: &RawColumn = land.column(at);
    let times = if matches!(unit, Unit::Months | Unit::Years) { DAYS_OF_MONTH } else { 1 };
    let sql = scope.as_written(&in_units(scope, at, sql, times), at, sql);
    match (unit, said, &raw.kind) {
        (_, _, ValueKind::Span(SpanForm::Mixed)) => Piece::guess(sql, "days; months of 30 days, years of 365"),
        (Unit::Days, ..) => Piece::sure(sql),
        (Unit::Weeks, ..) => Piece::guess(sql, "weeks of seven days"),
        (Unit::Months, None, _) => Piece::guess(sql, "small numbers, taken as months of 30 days"),
        (Unit::Months, ..) => Piece::guess(sql, "months of 30 days"),
        (Unit::Years, ..) => Piece::guess(sql, "years of twelve months of 30 days"),
    }
}
