//! What has happened is not dated otherwise.
//!
//! Windows of days, the lowest month and whether a promise was kept follow from when things were. A later version that dates bad orders back, moves takings into the weakest
//! month, or has a late parcel arrive on time would buy its merchant credit. So an order, a review and a dispute keep the time at which they were first said to be, once that
//! had passed while the version counted that said so; and a parcel was sent and delivered, an order paid back and a dispute closed no earlier than any such version said: a later time is believed.
//!
//! By when a parcel was to be sent or delivered is what the merchant is held to. A later version may say so otherwise for as long as the day has not come; one that puts it off, or takes it
//! back, after it had passed would turn a broken promise into a kept one. Such a parcel keeps the promise that stood when it fell due, the first of them where it was put off more than once.
//!
//! As of amounts ([`super::held_amounts`]), only versions that the source sends can be compared.

use polars::prelude::{
    DataFrame, Int64Chunked, IntoColumn, IntoSeries, NewChunkedArray, PlHashMap, PlHashSet, PolarsResult, StringChunked,
};

use super::earlier::COUNTED_UNTIL;
use super::row_order::sorted;
use crate::contract::{DISPUTES, ORDERS, REVIEWS, SHIPMENTS, TableContract};

/// What counts of the times that versions say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// The first that was said.
    First,
    /// The latest of all.
    Latest,
    /// The earliest of all, also where it was taken back.
    Earliest,
}

/// The times of a table that are held. What a row begins with comes first, and no other is before it.
struct HeldTimes {
    table: &'static TableContract,
    times: &'static [(&'static str, Counts)],
}

const HELD: [HeldTimes; 4] = [
    HeldTimes {
        table: &ORDERS,
        times: &[
            ("placed_at", Counts::First),
            ("paid_at", Counts::First),
            ("completed_at", Counts::First),
            ("cancelled_at", Counts::First),
            ("refunded_at", Counts::Latest),
        ],
    },
    HeldTimes {
        table: &SHIPMENTS,
        times: &[
            ("shipped_at", Counts::Latest),
            ("delivered_at", Counts::Latest),
            ("ship_by_at", Counts::Earliest),
            ("promised_at", Counts::Earliest),
        ],
    },
    HeldTimes { table: &REVIEWS, times: &[("created_at", Counts::First)] },
    HeldTimes { table: &DISPUTES, times: &[("opened_at", Counts::First), ("closed_at", Counts::Latest)] },
];

/// Tables of which times are held.
pub(super) fn tables_with_held_times() -> impl Iterator<Item = &'static TableContract> {
    HELD.iter().map(|held| held.table)
}

/// The rows of a table, in the store's order, of which those that are dated otherwise than before have it as it was; `None` where there are no such. `earlier` are earlier versions of the rows.
///
/// # Errors
/// A column is missing.
pub(super) fn hold_times(
    table: &TableContract,
    rows: &DataFrame,
    earlier: &DataFrame,
) -> PolarsResult<Option<DataFrame>> {
    let Some(HeldTimes { times, .. }) = HELD.iter().find(|held| held.table.name == table.name) else {
        return Ok(None);
    };
    let versions_of = rows_of_versions(table, rows, earlier)?;
    let until = earlier.column(COUNTED_UNTIL)?.datetime()?.physical();
    let mut held: Option<DataFrame> = None;
    for &(name, counts) in *times {
        let said = earlier.column(name)?.datetime()?.physical();
        // By row: what counts of it, and until when the version counted that said so.
        let mut told: Vec<Option<(i64, i64)>> = vec![None; rows.height()];
        for ((row, at), until) in versions_of.iter().zip(said.iter()).zip(until.iter()) {
            let Some((at, until)) = at.zip(until).filter(|(at, until)| at < until) else { continue };
            let Some(told) = row.and_then(|row| told.get_mut(row)) else { continue };
            let counts_more = told.is_none_or(|known| match counts {
                Counts::First => until < known.1,
                Counts::Latest => at > known.0,
                Counts::Earliest => at < known.0,
            });
            if counts_more {
                *told = Some((at, until));
            }
        }
        let stated = rows.column(name)?.datetime()?.physical();
        let stands = |(told, stated): (&Option<(i64, i64)>, Option<i64>)| {
            let (at, _) = (*told)?;
            let is_otherwise = match (counts, stated) {
                (Counts::Earliest, stated) => stated.is_none_or(|stated| stated > at),
                // What a later version takes back is not dated by it.
                (Counts::First | Counts::Latest, None) => false,
                (Counts::First, Some(stated)) => stated != at,
                (Counts::Latest, Some(stated)) => stated < at,
            };
            is_otherwise.then_some(at)
        };
        put_on(&mut held, rows, name, told.iter().zip(stated.iter()).map(|cell| (stands(cell), cell.1)))?;
    }
    let Some(mut held) = held else { return Ok(None) };
    in_sequence(&mut held, times)?;
    sorted(held, &table.sort_columns()).map(Some)
}

/// Puts cells that stand in place of those stated on the rows, where there are any.
fn put_on(
    held: &mut Option<DataFrame>,
    rows: &DataFrame,
    name: &str,
    cells: impl Iterator<Item = (Option<i64>, Option<i64>)>,
) -> PolarsResult<()> {
    let mut is_held = false;
    let column: Vec<Option<i64>> = cells
        .map(|(stands, stated)| {
            is_held |= stands.is_some();
            stands.or(stated)
        })
        .collect();
    if !is_held {
        return Ok(());
    }
    replace(held.get_or_insert_with(|| rows.clone()), name, &column)
}

/// A time held and another stated may contradict each other: nothing ends before it begins, and nothing arrives before it is sent. Of a first time the earlier of the
/// two is certain to have been; a latest one is no earlier than the beginning.
fn in_sequence(rows: &mut DataFrame, times: &[(&'static str, Counts)]) -> PolarsResult<()> {
    let Some((&(begins, _), follow)) = times.split_first() else { return Ok(()) };
    let mut first = instants(rows, begins)?;
    for &(name, _) in follow.iter().filter(|(_, counts)| *counts == Counts::First) {
        for (first, then) in first.iter_mut().zip(instants(rows, name)?) {
            *first = first.zip(then).map(|(begun, at)| begun.min(at)).or(*first);
        }
    }
    for &(name, _) in follow.iter().filter(|(_, counts)| *counts == Counts::Latest) {
        let mut then = instants(rows, name)?;
        for (first, then) in first.iter().zip(&mut then) {
            *then = first.zip(*then).map(|(begun, at)| begun.max(at)).or(*then);
        }
        replace(rows, name, &then)?;
    }
    replace(rows, begins, &first)
}

fn instants(rows: &DataFrame, name: &str) -> PolarsResult<Vec<Option<i64>>> {
    Ok(rows.column(name)?.datetime()?.physical().iter().collect())
}

fn replace(rows: &mut DataFrame, name: &str, cells: &[Option<i64>]) -> PolarsResult<()> {
    let kind = rows.column(name)?.dtype().clone();
    let column = Int64Chunked::from_slice_options(name.into(), cells).into_series().cast(&kind)?;
    rows.replace(name, column.into_column()).map(|_| ())
}

/// For each earlier version the row of the table that it is a version of, under the same merchant.
fn rows_of_versions(table: &TableContract, rows: &DataFrame, earlier: &DataFrame) -> PolarsResult<Vec<Option<usize>>> {
    let key = table.key.first().copied().unwrap_or_default();
    let own = |frame: &DataFrame| -> PolarsResult<(StringChunked, StringChunked)> {
        Ok((frame.column("merchant_id")?.str()?.clone(), frame.column(key)?.str()?.clone()))
    };
    let (now, then) = (own(rows)?, own(earlier)?);
    // Few rows have earlier versions.
    let wanted: PlHashSet<(&str, &str)> = then.0.iter().zip(then.1.iter()).filter_map(|(m, k)| m.zip(k)).collect();
    let is_wanted = |own: &(&str, &str)| wanted.contains(own);
    let rows = now.0.iter().zip(now.1.iter()).enumerate();
    let places: PlHashMap<(&str, &str), usize> =
        rows.filter_map(|(row, (m, k))| Some((m.zip(k).filter(is_wanted)?, row))).collect();
    Ok(then.0.iter().zip(then.1.iter()).map(|(m, k)| places.get(&m.zip(k)?).copied()).collect())
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, TimeUnit, df};

    use super::*;

    /// Versions of one row of a table: its times in the order of [`HELD`], and until when the version counted.
    fn versions(table: &TableContract, rows: &[(&[Option<i64>], i64)]) -> DataFrame {
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        let held = HELD.iter().find(|held| held.table.name == table.name).unwrap();
        let merchants = vec!["m"; rows.len()];
        let mut frame = df!("merchant_id" => merchants.clone(), table.key[0] => merchants).unwrap();
        let times = held.times.iter().enumerate().map(|(at, (name, _))| {
            (*name, rows.iter().map(|row| row.0.get(at).copied().flatten()).collect::<Vec<_>>())
        });
        let until = (COUNTED_UNTIL, rows.iter().map(|row| Some(row.1)).collect());
        let others = table.sort_columns().into_iter().map(|name| (name, vec![None; rows.len()]));
        let others = others.filter(|(name, _)| frame.column(name).is_err() && held.times.iter().all(|t| t.0 != *name));
        for (name, times) in times.chain([until]).chain(others.collect::<Vec<_>>()) {
            let times = Int64Chunked::from_slice_options(name.into(), &times).into_series().cast(&instant).unwrap();
            frame.with_column(times.into_column()).unwrap();
        }
        frame
    }

    /// The times of a row after its newest version and the earlier ones; `None` where nothing is held.
    fn held(
        table: &TableContract,
        newest: &[Option<i64>],
        earlier: &[(&[Option<i64>], i64)],
    ) -> Option<Vec<Option<i64>>> {
        let rows = versions(table, &[(newest, 0)]);
        let frame = hold_times(table, &rows, &versions(table, earlier)).unwrap()?;
        let times = &HELD.iter().find(|held| held.table.name == table.name).unwrap().times[..newest.len()];
        let at = |(name, _): &(&str, Counts)| frame.column(name).unwrap().datetime().unwrap().physical().get(0);
        Some(times.iter().map(at).collect())
    }

    #[test]
    fn an_order_is_dated_as_it_was_first_said_to_be() {
        let times = |placed, completed| [Some(placed), Some(placed), completed];
        let first = times(50, Some(60));
        let held = |newest: [Option<i64>; 3], earlier: &[(&[Option<i64>], i64)]| {
            held(&ORDERS, &newest, earlier).map(|times| (times[0], times[2]))
        };
        assert_eq!(held(times(20, Some(60)), &[(&first, 70)]), Some((Some(50), Some(60))), "dated back");
        assert_eq!(held(times(50, Some(90)), &[(&first, 70)]), Some((Some(50), Some(60))), "into another month");
        assert_eq!(held(first, &[(&first, 70)]), None);
        assert_eq!(held(times(50, Some(65)), &[(&first, 58)]), None, "its end lay ahead while the version counted");
        assert_eq!(held(times(50, None), &[(&first, 70)]), None, "taken back: held by `held_ends`");
        let (second, open) = (times(40, Some(45)), times(50, None));
        assert_eq!(held(times(20, Some(30)), &[(&second, 90), (&open, 80)]), Some((Some(45), Some(45))));
    }

    #[test]
    fn a_parcel_is_sent_and_delivered_no_earlier_than_any_version_said() {
        let of =
            |newest: [i64; 2], earlier: [i64; 2]| held(&SHIPMENTS, &newest.map(Some), &[(&earlier.map(Some), 100)]);
        assert_eq!(of([10, 20], [30, 40]), Some(vec![Some(30), Some(40)]), "a late parcel is not on time after all");
        assert_eq!(of([30, 40], [10, 20]), None, "a later time is believed");
        assert_eq!(of([10, 20], [30, 15]), Some(vec![Some(30), Some(30)]), "nothing arrives before it is sent");
    }

    #[test]
    fn a_promise_is_put_off_before_its_day_and_not_after() {
        // By when the parcel is held to have been sent; `None` where nothing is held.
        let held = |newest: Option<i64>, earlier: &[(Option<i64>, i64)]| {
            let earlier: Vec<([Option<i64>; 3], i64)> =
                earlier.iter().map(|(promised, until)| ([None, None, *promised], *until)).collect();
            let earlier: Vec<(&[Option<i64>], i64)> =
                earlier.iter().map(|(times, until)| (&times[..], *until)).collect();
            held(&SHIPMENTS, &[None, None, newest], &earlier)?[2]
        };
        assert_eq!(held(Some(30), &[(Some(10), 12)]), Some(10), "it had fallen due");
        assert_eq!(held(Some(30), &[(Some(10), 10)]), None, "on the very instant it had not passed");
        assert_eq!(held(Some(30), &[(Some(10), 8)]), None, "the buyer was told in time");
        assert_eq!(held(None, &[(Some(10), 12)]), Some(10), "taken back");
        assert_eq!(held(Some(7), &[(Some(10), 12)]), None, "an earlier day is believed");
        assert_eq!(held(Some(40), &[(Some(10), 8), (Some(20), 25)]), Some(20), "put off in time, then too late");
        assert_eq!(held(Some(40), &[(Some(10), 12), (Some(20), 25)]), Some(10), "put off twice");
        assert_eq!(held(Some(40), &[(None, 12)]), None, "nothing had been promised");
    }

    #[test]
    fn a_review_and_a_dispute_stay_where_they_were_and_a_dispute_ends_after_it_began() {
        assert_eq!(held(&REVIEWS, &[Some(10)], &[(&[Some(90)], 100)]), Some(vec![Some(90)]));
        assert_eq!(held(&REVIEWS, &[Some(90)], &[(&[Some(90)], 100)]), None);
        let open = [Some(90), None];
        assert_eq!(held(&DISPUTES, &[Some(10), Some(20)], &[(&open, 100)]), Some(vec![Some(90), Some(90)]));
        assert_eq!(held(&DISPUTES, &[Some(10), Some(95)], &[(&open, 100)]), Some(vec![Some(90), Some(95)]));
    }
}
