//! A promise that has fallen due is not moved any more.
//!
//! By when a parcel was to be sent or delivered is what the merchant is held to. A later version may say so otherwise for as long as the day has not come; one that puts it off, or takes it back,
//! after it had passed would turn a broken promise into a kept one. Such a parcel keeps the promise that stood when it fell due, the first of them where it was put off more than once.
//!
//! As of amounts ([`super::held_amounts`]), only versions that the source sends can be compared.

use polars::prelude::{
    DataFrame, Int64Chunked, IntoColumn, IntoSeries, NewChunkedArray, PlHashMap, PolarsResult, StringChunked,
};

use super::earlier::COUNTED_UNTIL;

/// What a parcel is promised for.
const PROMISES: [&str; 2] = ["ship_by_at", "promised_at"];

/// The parcels, of which those whose promises were put off after they had fallen due have them as they were; `None` where there are no such. `earlier` are earlier versions
/// of the parcels.
///
/// # Errors
/// A column is missing.
pub(super) fn hold_promises(shipments: &DataFrame, earlier: &DataFrame) -> PolarsResult<Option<DataFrame>> {
    let until = earlier.column(COUNTED_UNTIL)?.datetime()?.physical();
    let (then, now) = (ids(earlier)?, ids(shipments)?);
    let mut held: Option<DataFrame> = None;
    for promise in PROMISES {
        let promised = earlier.column(promise)?.datetime()?.physical();
        let mut fell_due: PlHashMap<(&str, &str), i64> = PlHashMap::default();
        for row in 0..earlier.height() {
            let Some(own) = then.0.get(row).zip(then.1.get(row)) else { continue };
            let due = promised.get(row).zip(until.get(row)).filter(|(due, until)| due < until);
            if let Some((due, _)) = due {
                let first = fell_due.entry(own).or_insert(due);
                *first = due.min(*first);
            }
        }
        if fell_due.is_empty() {
            continue;
        }
        let stated = shipments.column(promise)?.datetime()?.physical();
        let stands = |row: usize| {
            let own = now.0.get(row).zip(now.1.get(row))?;
            fell_due.get(&own).copied().filter(|due| stated.get(row).is_none_or(|stated| stated > *due))
        };
        if (0..shipments.height()).all(|row| stands(row).is_none()) {
            continue;
        }
        let column: Vec<Option<i64>> =
            (0..shipments.height()).map(|row| stands(row).or_else(|| stated.get(row))).collect();
        let kind = shipments.column(promise)?.dtype().clone();
        let column = Int64Chunked::from_slice_options(promise.into(), &column).into_series().cast(&kind)?;
        held.get_or_insert_with(|| shipments.clone()).replace(promise, column.into_column())?;
    }
    Ok(held)
}

/// Merchants and parcels.
fn ids(frame: &DataFrame) -> PolarsResult<(&StringChunked, &StringChunked)> {
    Ok((frame.column("merchant_id")?.str()?, frame.column("shipment_id")?.str()?))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, TimeUnit, df};

    use super::*;

    /// Versions of parcel `p` of merchant `m`: by when it was to be sent, and until when the version counted.
    fn parcels(rows: &[(Option<i64>, i64)]) -> DataFrame {
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        let mut frame = df!("shipment_id" => vec!["p"; rows.len()], "merchant_id" => vec!["m"; rows.len()]).unwrap();
        let columns: [(&str, Vec<Option<i64>>); 3] = [
            ("ship_by_at", rows.iter().map(|row| row.0).collect()),
            ("promised_at", vec![None; rows.len()]),
            (COUNTED_UNTIL, rows.iter().map(|row| Some(row.1)).collect()),
        ];
        for (name, times) in columns {
            let times = Int64Chunked::from_slice_options(name.into(), &times).into_series().cast(&instant).unwrap();
            frame.with_column(times.into_column()).unwrap();
        }
        frame
    }

    /// By when the parcel is held to have been promised, after its newest version and the earlier ones; `None` where nothing is held.
    fn held(newest: Option<i64>, earlier: &[(Option<i64>, i64)]) -> Option<i64> {
        let held = hold_promises(&parcels(&[(newest, 0)]), &parcels(earlier)).unwrap()?;
        held.column("ship_by_at").unwrap().datetime().unwrap().physical().get(0)
    }

    #[test]
    fn a_promise_is_put_off_before_its_day_and_not_after() {
        assert_eq!(held(Some(30), &[(Some(10), 12)]), Some(10), "it had fallen due");
        assert_eq!(held(Some(30), &[(Some(10), 10)]), None, "on the very instant it had not passed");
        assert_eq!(held(Some(30), &[(Some(10), 8)]), None, "the buyer was told in time");
        assert_eq!(held(None, &[(Some(10), 12)]), Some(10), "taken back");
        assert_eq!(held(Some(7), &[(Some(10), 12)]), None, "an earlier day is believed");
        assert_eq!(held(Some(40), &[(Some(10), 8), (Some(20), 25)]), Some(20), "put off in time, then too late");
        assert_eq!(held(Some(40), &[(Some(10), 12), (Some(20), 25)]), Some(10), "put off twice");
        assert_eq!(held(Some(40), &[(None, 12)]), None, "nothing had been promised");
    }
}
