//! Days beside times: a milestone that its source states as a date, on the day of what it follows.
//!
//! A date is read as its midnight. Of an order placed on 17 August at 12:30 and cancelled on `2018-08-17` that would say that it was cancelled before it was placed,
//! which nobody means: such a milestone counts from the instant that it follows. A date of an earlier day, and a time of the same day, contradict as before.

use polars::prelude::*;

use crate::contract::{TableContract, Type};
use crate::domain::MICROS_PER_DAY;

/// Moves instants of a table that are a day's midnight to what they follow, where that is of the same day. What the source has as instants (`stated`) means the midnight that it says.
///
/// # Errors
/// A column has another type than the contract's.
pub(super) fn settle_days(table: &TableContract, stated: &DataFrame, columns: &mut [Column]) -> PolarsResult<()> {
    let is_instant =
        |name: &str| stated.column(name).map_or(true, |column| matches!(column.dtype(), DataType::Datetime(..)));
    for (later, earlier) in followers(table).into_iter().filter(|(later, _)| !is_instant(later)) {
        let find = |name: &str| columns.iter().position(|column| column.name() == name);
        let (Some(at), Some(before)) = (find(later), find(earlier)) else { continue };
        let micros = |at: usize| columns.get(at).map(|column| column.to_physical_repr().i64().cloned()).transpose();
        let (Some(follows), Some(before)) = (micros(at)?, micros(before)?) else { continue };
        let moved: Vec<Option<i64>> = follows.iter().zip(before.iter()).map(|(a, b)| Some(settled(a?, b))).collect();
        let has_moved = moved.iter().copied().ne(follows.iter());
        if let (Some(column), true) = (columns.get_mut(at), has_moved) {
            let values = Int64Chunked::from_slice_options(later.into(), &moved).into_series();
            *column = values.cast(column.dtype())?.into_column();
        }
    }
    Ok(())
}

/// Pairs of columns with instants, of which the first does not lie before the second: the rules of the contract, and what is recorded follows what it tells of.
fn followers(table: &TableContract) -> Vec<(&'static str, &'static str)> {
    let is_instant = |name: &str| table.column(name).is_some_and(|column| matches!(column.kind, Type::Instant));
    let of_rules = table.checks.iter().filter_map(|check| check.holds.split_once(" >= "));
    let milestones = table.masks.iter().filter(|mask| !mask.is_foreseen).map(|mask| mask.milestone);
    let recorded = table.visibility.event().into_iter().chain(milestones).map(|event| ("recorded_at", event));
    // Milestones are settled before what was recorded follows them.
    of_rules.chain(recorded).filter(|(later, earlier)| is_instant(later) && is_instant(earlier)).collect()
}

fn settled(later: i64, earlier: Option<i64>) -> i64 {
    let is_days_midnight = later.rem_euclid(MICROS_PER_DAY) == 0;
    earlier.filter(|e| is_days_midnight && *e > later && *e - later < MICROS_PER_DAY).unwrap_or(later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[test]
    fn a_date_on_the_day_of_what_it_follows_is_not_before_it() {
        let at = |text: &str| super::super::cell::instant(text);
        let column = |name: &str, cells: &[&str]| {
            let micros: Int64Chunked = cells.iter().map(|cell| at(cell)).collect();
            let times = micros.into_datetime(TimeUnit::Microseconds, None).into_series();
            times.with_name(name.into()).into_column()
        };
        let noon = "2018-08-17 12:30:00";
        let mut columns = vec![
            column("placed_at", &[noon; 5]),
            column("cancelled_at", &["2018-08-17", "2018-08-16", "2018-08-17 12:29:59", "2018-08-18", ""]),
            column("recorded_at", &["2018-08-17", "2018-08-16", "", "2018-08-18", "2018-08-17 00:00:01"]),
        ];
        let before = columns.clone();
        let orders = contract::table("orders").unwrap();
        settle_days(orders, &DataFrame::new(5, before.clone()).unwrap(), &mut columns).unwrap();
        assert_eq!(columns, before, "instants are what they say");
        let texts: Vec<Column> = before.iter().map(|column| column.cast(&DataType::String).unwrap()).collect();
        settle_days(orders, &DataFrame::new(5, texts).unwrap(), &mut columns).unwrap();
        let of = |at: usize| columns[at].to_physical_repr().i64().unwrap().to_vec();
        let then = |at: usize| before[at].to_physical_repr().i64().unwrap().to_vec();
        assert_eq!(of(0), then(0));
        for settled in [1, 2] {
            assert_eq!(of(settled)[0], at(noon), "that of the same day alone");
            assert_eq!(of(settled)[1..], then(settled)[1..]);
        }
        assert_eq!(columns[1].dtype(), before[1].dtype());
    }
}
