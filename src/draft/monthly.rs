//! Tables that say month by month how a thing stood, such as the performance of loans or the figures of a shop: none of their rows is a sale.

use std::collections::HashSet;

use super::landscape::Landscape;
use crate::profile::{ColumnAt, RawTable};

/// So many things with so many months each, on average, show it.
const FEWEST: usize = 10;
const MIN_MONTHS: f64 = 3.0;
/// Of what is counted so many follow the rule.
const NEARLY_ALL: f64 = 0.97;

/// The columns of what is told of and of the month, where a table has one row a thing and month and nothing names its rows.
pub(super) fn states_by_month(land: &Landscape, table: usize) -> Option<(ColumnAt, ColumnAt)> {
    let raw = land.table(table);
    let names_rows = raw.columns.iter().any(|column| column.is_key() && column.is_like_an_id());
    let months: Vec<ColumnAt> = land.columns(table).filter(|at| is_of_whole_months(raw, at.column)).collect();
    if names_rows || months.is_empty() {
        return None;
    }
    let things: Vec<ColumnAt> = land
        .columns(table)
        .filter(|at| {
            let cells = land.column(*at);
            let rows = (cells.rows() - cells.nulls) as f64;
            cells.is_like_an_id() && cells.distinct >= FEWEST && rows >= MIN_MONTHS * cells.distinct as f64
        })
        .collect();
    months.into_iter().find_map(|month| {
        let is_one_a_month = |thing: &&ColumnAt| {
            let (pairs, rows) = raw.combinations(&[thing.column, month.column]);
            rows as f64 >= NEARLY_ALL * raw.rows as f64 && pairs as f64 >= NEARLY_ALL * rows as f64
        };
        let follows = |thing: &&ColumnAt| goes_month_by_month(raw, thing.column, month.column);
        things.iter().find(|thing| is_one_a_month(thing) && follows(thing)).map(|thing| (*thing, month))
    })
}

/// Whether all days of a column are the same of their month, the first or the last, of several months.
fn is_of_whole_months(raw: &RawTable, column: usize) -> bool {
    let Some(cells) = raw.columns.get(column).filter(|cells| cells.is_time() && cells.nulls == 0) else { return false };
    let days: HashSet<i64> = cells.micros.iter().flatten().map(|at| at.div_euclid(86_400_000_000)).collect();
    let date = |day: &i64| jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(*day).ok()?).ok();
    let dates: Vec<jiff::civil::Date> = days.iter().filter_map(date).collect();
    let are_all = |is_one: &dyn Fn(&jiff::civil::Date) -> bool| dates.iter().all(is_one);
    dates.len() as f64 >= MIN_MONTHS && (are_all(&|day| day.day() == 1) || are_all(&|day| *day == day.last_of_month()))
}

/// Whether a thing's rows go on from month to month.
fn goes_month_by_month(raw: &RawTable, thing: usize, month: usize) -> bool {
    const STEPS: std::ops::RangeInclusive<i64> = 27..=31;
    let steps = raw.days_between(thing, month).unwrap_or_default();
    let on = steps.iter().filter(|days| STEPS.contains(&days.abs())).count();
    !steps.is_empty() && on as f64 >= 0.8 * steps.len() as f64
}
