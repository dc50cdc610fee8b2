//! What has happened is not dated otherwise.
//!
//! Windows of days, the lowest month and whether a promise was kept follow from when things were. A later version that dates bad orders back, moves takings into the weakest
//! month, or has a late parcel arrive on time would buy its merchant credit. So an order, a review and a dispute keep the time at which they were first said to be, once that
//! had passed while the version counted that said so; and a parcel was sent and delivered, and an order paid back, no earlier than any such version said: a later time is believed. Whose
//! order or review it is stays as it was first said as well: other buyers would make others of them suspect.
//!
//! As of amounts ([`super::held_amounts`]), only versions that the source sends can be compared.

use polars::prelude::{
    DataFrame, Int64Chunked, IntoColumn, IntoSeries, NewChunkedArray, PlHashMap, PolarsResult, StringChunked,
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
}

/// The times of a table that are held, and the column that says who bought. What a row begins with comes first, and no other is before it.
struct HeldTimes {
    table: &'static TableContract,
    times: &'static [(&'static str, Counts)],
    buyer: Option<&'static str>,
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
        buyer: Some("buyer_id"),
    },
    HeldTimes {
        table: &SHIPMENTS,
        times: &[("shipped_at", Counts::Latest), ("delivered_at", Counts::Latest)],
        buyer: None,
    },
    HeldTimes { table: &REVIEWS, times: &[("created_at", Counts::First)], buyer: Some("buyer_id") },
    HeldTimes { table: &DISPUTES, times: &[("opened_at", Counts::First)], buyer: None },
];

/// Tables of which times are held.
pub(super) fn tables_with_held_times() -> impl Iterator<Item = &'static TableContract> {
    HELD.iter().map(|held| held.table)
}

/// The rows of a table, in the store's order, of which those that are dated otherwise than before, or name another buyer, have it as it was; `None` where there are no
/// such. `earlier` are earlier versions of the rows.
///
/// # Errors
/// A column is missing.
pub(super) fn hold_times(
    table: &TableContract,
    rows: &DataFrame,
    earlier: &DataFrame,
) -> PolarsResult<Option<DataFrame>> {
    let Some(HeldTimes { times, buyer, .. }) = HELD.iter().find(|held| held.table.name == table.name) else {
        return Ok(None);
    };
    let own = Own::of(table, rows)?;
    let before = Own::of(table, earlier)?;
    let until = earlier.column(COUNTED_UNTIL)?.datetime()?.physical();
    let mut held: Option<DataFrame> = None;
    for &(name, counts) in *times {
        let said = earlier.column(name)?.datetime()?.physical();
        // By row: what counts of it, and until when the version counted that said so.
        let mut told: PlHashMap<(&str, &str), (i64, i64)> = PlHashMap::default();
        for row in 0..earlier.height() {
            let (Some(own), Some((at, until))) = (before.row(row), said.get(row).zip(until.get(row))) else { continue };
            if at >= until {
                continue;
            }
            let known = told.entry(own).or_insert((at, until));
            let counts_more = match counts {
                Counts::First => until < known.1,
                Counts::Latest => at > known.0,
            };
            if counts_more {
                *known = (at, until);
            }
        }
        let stated = rows.column(name)?.datetime()?.physical();
        let stands = |row: usize| {
            let (at, _) = *told.get(&own.row(row)?)?;
            // What a later version takes back is not dated by it.
            let stated = stated.get(row)?;
            let differs = if counts == Counts::First { at != stated } else { at > stated };
            differs.then_some(at)
        };
        put_on(&mut held, rows, name, (0..rows.height()).map(|row| (stands(row), stated.get(row))))?;
    }
    if let Some(name) = buyer {
        let (said, stated) = (earlier.column(name)?.str()?, rows.column(name)?.str()?);
        let mut told: PlHashMap<(&str, &str), (&str, i64)> = PlHashMap::default();
        for row in 0..earlier.height() {
            let (Some(own), Some((buyer, until))) = (before.row(row), said.get(row).zip(until.get(row))) else {
                continue;
            };
            let known = told.entry(own).or_insert((buyer, until));
            if until < known.1 {
                *known = (buyer, until);
            }
        }
        let stands = |row: usize| {
            Some(told.get(&own.row(row)?)?.0).filter(|buyer| stated.get(row).is_some_and(|stated| stated != *buyer))
        };
        if (0..rows.height()).any(|row| stands(row).is_some()) {
            let column: StringChunked = (0..rows.height()).map(|row| stands(row).or_else(|| stated.get(row))).collect();
            held.get_or_insert_with(|| rows.clone()).replace(name, column.with_name((*name).into()).into_column())?;
        }
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
    let kind = rows.column(name)?.dtype().clone();
    let column = Int64Chunked::from_slice_options(name.into(), &column).into_series().cast(&kind)?;
    held.get_or_insert_with(|| rows.clone()).replace(name, column.into_column())?;
    Ok(())
}

/// A time held and another stated may contradict each other: nothing ends before it begins, and nothing arrives before it is sent.
fn in_sequence(rows: &mut DataFrame, times: &[(&str, Counts)]) -> PolarsResult<()> {
    let Some((&(begins, counts), follow)) = times.split_first() else { return Ok(()) };
    let instants = |rows: &DataFrame, name: &str| -> PolarsResult<Vec<Option<i64>>> {
        Ok(rows.column(name)?.datetime()?.physical().iter().collect())
    };
    let mut first = instants(rows, begins)?;
    for &(name, _) in follow {
        let mut then = instants(rows, name)?;
        for (first, then) in first.iter_mut().zip(&mut then) {
            let (Some(begun), Some(at)) = (*first, *then) else { continue };
            match counts {
                // The earlier of the two is certain to have been.
                Counts::First => *first = Some(begun.min(at)),
                Counts::Latest => *then = Some(begun.max(at)),
            }
        }
        let kind = rows.column(name)?.dtype().clone();
        let then = Int64Chunked::from_slice_options(name.into(), &then).into_series().cast(&kind)?;
        rows.replace(name, then.into_column())?;
    }
    let kind = rows.column(begins)?.dtype().clone();
    let first = Int64Chunked::from_slice_options(begins.into(), &first).into_series().cast(&kind)?;
    rows.replace(begins, first.into_column())?;
    Ok(())
}

/// Merchants and keys of rows.
struct Own<'a> {
    merchants: &'a StringChunked,
    keys: &'a StringChunked,
}

impl<'a> Own<'a> {
    fn of(table: &TableContract, rows: &'a DataFrame) -> PolarsResult<Self> {
        let key = table.key.first().copied().unwrap_or_default();
        Ok(Self { merchants: rows.column("merchant_id")?.str()?, keys: rows.column(key)?.str()? })
    }

    fn row(&self, row: usize) -> Option<(&'a str, &'a str)> {
        self.merchants.get(row).zip(self.keys.get(row))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, TimeUnit, df};

    use super::*;

    /// Versions of one row of a table: its times in the order of [`HELD`], the buyer, and until when the version counted.
    fn versions(table: &TableContract, rows: &[(&[Option<i64>], &str, i64)]) -> DataFrame {
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        let held = HELD.iter().find(|held| held.table.name == table.name).unwrap();
        let merchants = vec!["m"; rows.len()];
        let mut frame = df!("merchant_id" => merchants.clone(), table.key[0] => merchants).unwrap();
        let buyers: Vec<&str> = rows.iter().map(|row| row.1).collect();
        frame.with_column(StringChunked::from_slice("buyer_id".into(), &buyers).into_column()).unwrap();
        let times = held.times.iter().enumerate().map(|(at, (name, _))| {
            (*name, rows.iter().map(|row| row.0.get(at).copied().flatten()).collect::<Vec<_>>())
        });
        let until = (COUNTED_UNTIL, rows.iter().map(|row| Some(row.2)).collect());
        let others = table.sort_columns().into_iter().map(|name| (name, vec![None; rows.len()]));
        let others = others.filter(|(name, _)| frame.column(name).is_err() && held.times.iter().all(|t| t.0 != *name));
        for (name, times) in times.chain([until]).chain(others.collect::<Vec<_>>()) {
            let times = Int64Chunked::from_slice_options(name.into(), &times).into_series().cast(&instant).unwrap();
            frame.with_column(times.into_column()).unwrap();
        }
        frame
    }

    /// The times and buyer of a row after its newest version and the earlier ones; `None` where nothing is held.
    fn held(
        table: &TableContract,
        newest: (&[Option<i64>], &str),
        earlier: &[(&[Option<i64>], &str, i64)],
    ) -> Option<(Vec<Option<i64>>, String)> {
        let rows = versions(table, &[(newest.0, newest.1, 0)]);
        let frame = hold_times(table, &rows, &versions(table, earlier)).unwrap()?;
        let times = &HELD.iter().find(|held| held.table.name == table.name).unwrap().times[..newest.0.len()];
        let at = |(name, _): &(&str, Counts)| frame.column(name).unwrap().datetime().unwrap().physical().get(0);
        let buyer = frame.column("buyer_id").unwrap().str().unwrap().get(0).unwrap().to_owned();
        Some((times.iter().map(at).collect(), buyer))
    }

    #[test]
    fn an_order_is_dated_as_it_was_first_said_to_be() {
        let times = |placed, completed| [Some(placed), Some(placed), completed];
        let first = times(50, Some(60));
        let held = |newest: [Option<i64>; 3], earlier: &[(&[Option<i64>], &str, i64)]| {
            held(&ORDERS, (&newest, "b"), earlier).map(|(times, _)| (times[0], times[2]))
        };
        assert_eq!(held(times(20, Some(60)), &[(&first, "b", 70)]), Some((Some(50), Some(60))), "dated back");
        assert_eq!(held(times(50, Some(90)), &[(&first, "b", 70)]), Some((Some(50), Some(60))), "into another month");
        assert_eq!(held(first, &[(&first, "b", 70)]), None);
        assert_eq!(
            held(times(50, Some(65)), &[(&first, "b", 58)]),
            None,
            "its end lay ahead while the version counted"
        );
        assert_eq!(held(times(50, None), &[(&first, "b", 70)]), None, "taken back: held by `held_ends`");
        let (second, open) = (times(40, Some(45)), times(50, None));
        assert_eq!(held(times(20, Some(30)), &[(&second, "b", 90), (&open, "b", 80)]), Some((Some(45), Some(45))));
    }

    #[test]
    fn a_parcel_is_sent_and_delivered_no_earlier_than_any_version_said() {
        let of = |newest: [i64; 2], earlier: [i64; 2]| {
            let earlier = earlier.map(Some);
            held(&SHIPMENTS, (&newest.map(Some), "b"), &[(&earlier, "b", 100)]).map(|(times, _)| times)
        };
        assert_eq!(of([10, 20], [30, 40]), Some(vec![Some(30), Some(40)]), "a late parcel is not on time after all");
        assert_eq!(of([30, 40], [10, 20]), None, "a later time is believed");
        assert_eq!(of([10, 20], [30, 15]), Some(vec![Some(30), Some(30)]), "nothing arrives before it is sent");
    }

    #[test]
    fn a_review_and_its_author_stay_what_they_were() {
        let of = |at, buyer, earlier: (i64, &str)| {
            held(&REVIEWS, (&[Some(at)], buyer), &[(&[Some(earlier.0)], earlier.1, 100)])
        };
        assert_eq!(of(10, "b", (90, "b")), Some((vec![Some(90)], "b".to_owned())));
        assert_eq!(of(90, "c", (90, "b")), Some((vec![Some(90)], "b".to_owned())));
        assert_eq!(of(90, "b", (90, "b")), None);
        assert_eq!(
            held(&DISPUTES, (&[Some(10)], "b"), &[(&[Some(90)], "b", 100)]).map(|held| held.0[0]),
            Some(Some(90))
        );
    }
}
