//! Days beside times: a milestone that its source states as a date, on the day of what it follows.
//!
//! A date is read as its midnight. Of an order placed on 17 August at 12:30 and cancelled on `2018-08-17` that would say that it was cancelled before it was placed,
//! which nobody means: such a milestone counts from the instant that it follows. A date of an earlier day, and a time of the same day, contradict as before.

use polars::prelude::*;

use crate::contract::{TableContract, Type};
use crate::domain::MICROS_PER_DAY;

/// Moves instants of a table that are a day's midnight to what they follow, where that is of the same day: the latest of several. What the source (`stated`) has as instants, or as
/// texts with a time of day, means the midnight that it says.
///
/// # Errors
/// A column has another type than the contract's.
pub(super) fn settle_days(table: &TableContract, stated: &DataFrame, columns: &mut [Column]) -> PolarsResult<()> {
    let micros = |column: &Column| column.to_physical_repr().i64().cloned();
    for later in table.columns.iter().filter(|column| matches!(column.kind, Type::Instant)) {
        let find = |columns: &[Column], name: &str| columns.iter().position(|column| column.name() == name);
        let (Some(days), Some(at)) = (days_alone(stated, later.name)?, find(columns, later.name)) else { continue };
        let Some(follows) = columns.get(at).map(micros).transpose()? else { continue };
        let mut moved: Vec<Option<i64>> = follows.iter().collect();
        for (_, earlier) in followers(table).into_iter().filter(|(name, _)| *name == later.name) {
            let Some(before) = find(columns, earlier).and_then(|at| columns.get(at)).map(micros).transpose()? else {
                continue;
            };
            for (((own, stated), before), is_day) in moved.iter_mut().zip(follows.iter()).zip(before.iter()).zip(&days)
            {
                if let (Some(own), Some(stated), Some(before), true) = (own, stated, before, *is_day) {
                    let is_of_that_day = before > *own && before - stated < MICROS_PER_DAY;
                    *own = if is_of_that_day { before } else { *own };
                }
            }
        }
        if let (Some(column), true) = (columns.get_mut(at), moved.iter().copied().ne(follows.iter())) {
            let values = Int64Chunked::from_slice_options(later.name.into(), &moved).into_series();
            *column = values.cast(column.dtype())?.into_column();
        }
    }
    Ok(())
}

/// Which cells of a column name a day and no time of it; `None` where none can, or there is no such column.
fn days_alone(stated: &DataFrame, name: &str) -> PolarsResult<Option<Vec<bool>>> {
    let Ok(column) = stated.column(name) else { return Ok(None) };
    Ok(match column.dtype() {
        DataType::Date => Some(vec![true; column.len()]),
        DataType::String => {
            let cells = column.str()?.iter().map(|cell| cell.is_some_and(|cell| !cell.contains(':')));
            Some(cells.collect::<Vec<bool>>()).filter(|days| days.contains(&true))
        }
        _ => None,
    })
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
        let stated = ["2018-08-17", "2018-08-16", "2018-08-17 12:29:59", "2018-08-18", ""];
        let of_text = |name: &str, cells: &[&str]| Column::new(name.into(), cells);
        let orders = contract::table("orders").unwrap();
        settle_days(orders, &DataFrame::new(5, before.clone()).unwrap(), &mut columns).unwrap();
        let micros = |columns: &[Column], at: usize| columns[at].to_physical_repr().i64().unwrap().to_vec();
        (0..3).for_each(|at| assert_eq!(micros(&columns, at), micros(&before, at), "instants are what they say"));
        let stamps = ["2018-08-17", "2018-08-16", "", "2018-08-18", "2018-08-17 00:00:01"];
        let texts =
            vec![of_text("placed_at", &[noon; 5]), of_text("cancelled_at", &stated), of_text("recorded_at", &stamps)];
        settle_days(orders, &DataFrame::new(5, texts).unwrap(), &mut columns).unwrap();
        let (of, then) = (|at: usize| micros(&columns, at), |at: usize| micros(&before, at));
        assert_eq!(of(0), then(0));
        for settled in [1, 2] {
            assert_eq!(of(settled)[0], at(noon), "that of the same day alone");
            assert_eq!(of(settled)[1..], then(settled)[1..]);
        }
        assert_eq!(columns[1].dtype(), before[1].dtype());
    }
}
