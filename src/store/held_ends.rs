//! An order that has ended does not open again, and what went wrong with it stays wrong.
//!
//! Escrow of an order that was completed was released, and one that was cancelled or paid back will bring nothing: a later version that says none of this any more would let the order
//! secure a loan a second time, or take its cancellation out of the merchant's record. Such an order stays as the last version had it that told of its end. One that ends otherwise
//! later is believed: a cancelled order that is completed after all was delivered.
//!
//! Nor does a later version take a cancellation or a refund out of an order that has another end, or lower what went back to the buyer, unless the order was completed since: a completed order
//! that was paid back is not a promise kept because its refund is no longer told.
//!
//! As of amounts ([`super::held_amounts`]), only versions that the source sends can be compared.

use polars::prelude::{DataFrame, Int64Chunked, IntoColumn, IntoSeries, NewChunkedArray, PlHashMap, PolarsResult};

use super::earlier::COUNTED_UNTIL;

/// What ends an order.
const ENDS: [&str; 3] = ["completed_at", "cancelled_at", "refunded_at"];
const COMPLETED: usize = 0;
const REFUNDED: usize = 2;
/// Those of them that tell against the merchant.
const BAD_ENDS: [usize; 2] = [1, REFUNDED];

/// How an order has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ended {
    at: [Option<i64>; 3],
    refund_minor: Option<i64>,
}

impl Ended {
    fn is_open(&self) -> bool {
        self.at.iter().all(Option::is_none)
    }

    /// How the order stands after earlier versions, each with the instant until which it counted, the latest last.
    fn after(self, earlier: &[(i64, Self)]) -> Self {
        let latest =
            |tells: &dyn Fn(&Self) -> bool| earlier.iter().rev().map(|(_, then)| then).find(|then| tells(then));
        let mut held = match latest(&|then| !then.is_open()) {
            Some(ended) if self.is_open() => *ended,
            _ => self,
        };
        for end in BAD_ENDS {
            let Some(last) = earlier.iter().rposition(|(_, then)| then.at[end].is_some()) else { continue };
            let Some((_, told)) = earlier.get(last) else { continue };
            // A completion that was known before is no news: it takes nothing back.
            let was_completed_since = held.at[COMPLETED].is_some()
                && earlier.iter().take(last + 1).all(|(_, then)| then.at[COMPLETED].is_none());
            if held.at[end].is_none() && !was_completed_since {
                held.at[end] = told.at[end];
                if end == REFUNDED {
                    held.refund_minor = told.refund_minor;
                }
            }
        }
        if held.at[REFUNDED].is_some() {
            let most = earlier
                .iter()
                .filter(|(_, then)| then.at[REFUNDED].is_some())
                .filter_map(|(_, then)| then.refund_minor)
                .max();
            // A refund of which no sum is told is one of everything.
            held.refund_minor = held.refund_minor.map(|refund| most.map_or(refund, |most| refund.max(most)));
        }
        held
    }
}

/// The orders, of which those that are open again after they had ended are as they ended, and those that ended badly do so still; `None` where there are no such. `earlier` are earlier versions of the orders.
///
/// # Errors
/// A column is missing.
pub(super) fn hold_ends(orders: &DataFrame, earlier: &DataFrame) -> PolarsResult<Option<DataFrame>> {
    let (then, until) = (ended(earlier)?, instants(earlier, COUNTED_UNTIL)?);
    let (merchants, ids) = (earlier.column("merchant_id")?.str()?, earlier.column("order_id")?.str()?);
    let mut versions: PlHashMap<(&str, &str), Vec<(i64, Ended)>> = PlHashMap::default();
    for (row, ended) in then.into_iter().enumerate() {
        let (Some(own), Some(until)) = (merchants.get(row).zip(ids.get(row)), until.get(row)) else { continue };
        // What lay ahead while the version counted had not happened.
        let at = ended.at.map(|at| at.filter(|at| *at < until));
        let ended = Ended { at, refund_minor: at[REFUNDED].and(ended.refund_minor) };
        if !ended.is_open() {
            versions.entry(own).or_default().push((until, ended));
        }
    }
    if versions.is_empty() {
        return Ok(None);
    }
    versions.values_mut().for_each(|versions| versions.sort_by_key(|(until, _)| *until));
    let (merchants, ids) = (orders.column("merchant_id")?.str()?, orders.column("order_id")?.str()?);
    let amounts = orders.column("amount_minor")?.i64()?;
    let mut ends = ended(orders)?;
    let mut is_held = false;
    for (row, stated) in ends.iter_mut().enumerate() {
        let Some(earlier) = merchants.get(row).zip(ids.get(row)).and_then(|own| versions.get(&own)) else { continue };
        let mut held = stated.after(earlier);
        if held != *stated {
            held.refund_minor = held.refund_minor.zip(amounts.get(row)).map(|(refund, amount)| refund.min(amount));
            is_held |= held != *stated;
            *stated = held;
        }
    }
    if !is_held {
        return Ok(None);
    }
    let mut held = orders.clone();
    for (at, name) in ENDS.into_iter().enumerate() {
        let kind = orders.column(name)?.dtype().clone();
        let ends: Int64Chunked = ends.iter().map(|ended| ended.at[at]).collect();
        held.replace(name, ends.into_series().cast(&kind)?.with_name(name.into()).into_column())?;
    }
    let refunds: Vec<Option<i64>> = ends.iter().map(|ended| ended.refund_minor).collect();
    held.replace("refund_minor", Int64Chunked::from_slice_options("refund_minor".into(), &refunds).into_column())?;
    Ok(Some(held))
}

fn instants(frame: &DataFrame, name: &str) -> PolarsResult<Int64Chunked> {
    Ok(frame.column(name)?.datetime()?.physical().clone())
}

/// How each order of a frame has ended.
fn ended(orders: &DataFrame) -> PolarsResult<Vec<Ended>> {
    let [completed, cancelled, refunded] = ENDS;
    let ends = [instants(orders, completed)?, instants(orders, cancelled)?, instants(orders, refunded)?];
    let refunds = orders.column("refund_minor")?.i64()?;
    let of_row = |row: usize| Ended { at: ends.each_ref().map(|ends| ends.get(row)), refund_minor: refunds.get(row) };
    Ok((0..orders.height()).map(of_row).collect())
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
        assert_eq!(held(open, &[(cancelled, None, 10), (completed, None, 20)]), Some([Some(5), None, None, None]));
        // It ended otherwise, or was open before as well.
        assert_eq!(held(completed, &[(cancelled, None, 10)]), None);
        assert_eq!(held(open, &[(open, None, 10)]), None);
        // What a version said of the time after it is nothing that had happened.
        assert_eq!(held(open, &[([Some(12), None, None], None, 10)]), None);
    }

    #[test]
    fn what_went_wrong_with_an_order_stays_wrong_unless_it_is_completed_since() {
        let completed = [Some(5), None, None];
        let (paid_back, cancelled) = ([Some(5), None, Some(6)], [None, Some(7), Some(8)]);
        assert_eq!(held(completed, &[(paid_back, Some(20), 10)]), Some([Some(5), None, Some(6), Some(20)]));
        assert_eq!(held(completed, &[(paid_back, None, 10)]), Some([Some(5), None, Some(6), None]));
        assert_eq!(held(completed, &[(cancelled, Some(50), 10)]), None, "it was delivered after all");
        assert_eq!(held([None, Some(7), None], &[(cancelled, Some(50), 10)]), Some([None, Some(7), Some(8), Some(50)]));
        assert_eq!(held([None, None, Some(8)], &[(cancelled, Some(50), 10)]), Some([None, Some(7), Some(8), None]));

        let of = |newest: Version, earlier: &[Version]| {
            let held = hold_ends(&orders(&[newest]), &orders(earlier)).unwrap()?;
            held.column("refund_minor").unwrap().i64().unwrap().get(0)
        };
        assert_eq!(of((paid_back, Some(1), 0), &[(paid_back, Some(40), 10)]), Some(40), "less went back than was said");
        assert_eq!(of((paid_back, Some(30), 0), &[(paid_back, Some(20), 10)]), None, "more is believed");
        assert_eq!(of((paid_back, Some(30), 0), &[(paid_back, None, 10)]), None, "a sum is told later than the day");
    }
}
