//! An order that has ended does not open again.
//!
//! Escrow of an order that was completed was released, and one that was cancelled or paid back will bring nothing: a later version that says none of this any more would let the order
//! secure a loan a second time, or take its cancellation out of the merchant's record. Such an order stays as the last version had it that told of its end. One that ends otherwise
//! later is believed: a cancelled order that is completed after all was delivered.
//!
//! As of amounts ([`super::held_amounts`]), only versions that the source sends can be compared.

use polars::prelude::{DataFrame, Int64Chunked, IntoColumn, IntoSeries, NewChunkedArray, PlHashMap, PolarsResult};

use super::earlier::COUNTED_UNTIL;

/// What ends an order.
const ENDS: [&str; 3] = ["completed_at", "cancelled_at", "refunded_at"];

/// How an order had ended, and until when the version that says so counted.
struct Ended {
    until: i64,
    at: [Option<i64>; 3],
    refund_minor: Option<i64>,
}

/// The orders, of which those that are open again after they had ended are as they ended; `None` where there are no such. `earlier` are earlier versions of the orders.
///
/// # Errors
/// A column is missing.
pub(super) fn hold_ends(orders: &DataFrame, earlier: &DataFrame) -> PolarsResult<Option<DataFrame>> {
    let instants = |frame: &DataFrame, name: &str| -> PolarsResult<Int64Chunked> {
        Ok(frame.column(name)?.datetime()?.physical().clone())
    };
    let ends_of = |frame: &DataFrame| -> PolarsResult<[Int64Chunked; 3]> {
        let [completed, cancelled, refunded] = ENDS;
        Ok([instants(frame, completed)?, instants(frame, cancelled)?, instants(frame, refunded)?])
    };
    let (then, until) = (ends_of(earlier)?, instants(earlier, COUNTED_UNTIL)?);
    let (merchants, ids) = (earlier.column("merchant_id")?.str()?, earlier.column("order_id")?.str()?);
    let refunds = earlier.column("refund_minor")?.i64()?;
    let mut ended: PlHashMap<(&str, &str), Ended> = PlHashMap::default();
    for row in 0..earlier.height() {
        let (Some(own), Some(until)) = (merchants.get(row).zip(ids.get(row)), until.get(row)) else { continue };
        // What lay ahead while the version counted had not happened.
        let at = then.each_ref().map(|ends| ends.get(row).filter(|at| *at < until));
        if at.iter().all(Option::is_none) || ended.get(&own).is_some_and(|known| known.until >= until) {
            continue;
        }
        let refund_minor = at[2].and_then(|_| refunds.get(row));
        ended.insert(own, Ended { until, at, refund_minor });
    }
    if ended.is_empty() {
        return Ok(None);
    }
    let now = ends_of(orders)?;
    let (merchants, ids) = (orders.column("merchant_id")?.str()?, orders.column("order_id")?.str()?);
    let amounts = orders.column("amount_minor")?.i64()?;
    let mut refunds: Vec<Option<i64>> = orders.column("refund_minor")?.i64()?.iter().collect();
    let mut ends: [Vec<Option<i64>>; 3] = now.each_ref().map(|ends| ends.iter().collect());
    let mut is_held = false;
    for row in 0..orders.height() {
        if now.iter().any(|ends| ends.get(row).is_some()) {
            continue;
        }
        let Some(known) = merchants.get(row).zip(ids.get(row)).and_then(|own| ended.get(&own)) else { continue };
        for (ends, at) in ends.iter_mut().zip(known.at) {
            if let Some(end) = ends.get_mut(row) {
                *end = at;
            }
        }
        if let (Some(refund), Some(amount)) = (refunds.get_mut(row), amounts.get(row)) {
            *refund = known.refund_minor.map(|refund| refund.min(amount));
        }
        is_held = true;
    }
    if !is_held {
        return Ok(None);
    }
    let mut held = orders.clone();
    for (name, ends) in ENDS.into_iter().zip(ends) {
        let kind = orders.column(name)?.dtype().clone();
        let ends = Int64Chunked::from_slice_options(name.into(), &ends).into_series().cast(&kind)?;
        held.replace(name, ends.into_column())?;
    }
    held.replace("refund_minor", Int64Chunked::from_slice_options("refund_minor".into(), &refunds).into_column())?;
    Ok(Some(held))
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, TimeUnit, df};

    use super::*;

    type Ends = [Option<i64>; 3];
    /// The ends of a version, what went back, and until when it counted.
    type Version = (Ends, Option<i64>, i64);

    /// Versions of order `o` of merchant `m`.
    fn orders(rows: &[Version]) -> DataFrame {
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        let mut frame = df!(
            "order_id" => vec!["o"; rows.len()],
            "merchant_id" => vec!["m"; rows.len()],
            "amount_minor" => vec![50_i64; rows.len()],
            "refund_minor" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        )
        .unwrap();
        let ends = ENDS.into_iter().enumerate().map(|(at, name)| (name, rows.iter().map(|row| row.0[at]).collect()));
        let until = (COUNTED_UNTIL, rows.iter().map(|row| Some(row.2)).collect());
        for (name, times) in ends.chain([until]) {
            let times: Vec<Option<i64>> = times;
            let times = Int64Chunked::from_slice_options(name.into(), &times).into_series().cast(&instant).unwrap();
            frame.with_column(times.into_column()).unwrap();
        }
        frame
    }

    /// How the order stands after its newest version and the earlier ones.
    fn held(newest: Ends, earlier: &[Version]) -> Option<[Option<i64>; 4]> {
        let held = hold_ends(&orders(&[(newest, None, 0)]), &orders(earlier)).unwrap()?;
        let at = |name: &str| held.column(name).unwrap().datetime().unwrap().physical().get(0);
        let refund = held.column("refund_minor").unwrap().i64().unwrap().get(0);
        Some([at(ENDS[0]), at(ENDS[1]), at(ENDS[2]), refund])
    }

    #[test]
    fn an_order_that_has_ended_stays_so_unless_it_ends_otherwise() {
        let open = [None; 3];
        let (completed, cancelled) = ([Some(5), None, None], [None, Some(7), None]);
        assert_eq!(held(open, &[(completed, None, 10)]), Some([Some(5), None, None, None]));
        assert_eq!(held(open, &[(completed, None, 10), (cancelled, None, 20)]), Some([None, Some(7), None, None]));
        assert_eq!(held(open, &[(cancelled, None, 20), (completed, None, 10)]), Some([None, Some(7), None, None]));
        let paid_back = [Some(5), None, Some(6)];
        assert_eq!(held(open, &[(paid_back, Some(80), 10)]), Some([Some(5), None, Some(6), Some(50)]));
        // It ended otherwise, or was open before as well.
        assert_eq!(held(completed, &[(cancelled, None, 10)]), None);
        assert_eq!(held(open, &[(open, None, 10)]), None);
        // What a version said of the time after it is nothing that had happened.
        assert_eq!(held(open, &[([Some(12), None, None], None, 10)]), None);
    }
}
