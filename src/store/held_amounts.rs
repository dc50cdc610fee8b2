//! What an order comes to does not rise once it was sent off.
//!
//! A buyer pays before the parcel goes, so that a later version with a larger amount is no trade: it would make one small order secure a large loan. Of such an
//! order the least counts that any version said from then on; what went back to the buyer is at most that. A lower amount is believed, and so is a larger one of a
//! version that became known no later than the parcel did: a source that stamps whole exports tells of both at once. Which of the order's versions and of its parcels' say
//! so makes no difference, or a parcel that is sent again with a later day would let the amount rise.
//!
//! Only versions that the source sends can be compared: where an export writes over what it said before, the last word counts.

use polars::prelude::{
    BooleanChunked, DataFrame, Int64Chunked, IntoColumn, NewChunkedArray, PlHashMap, PolarsResult, StringChunked,
};

use super::earlier::COUNTED_UNTIL;

/// A merchant and its order.
type Own<'a> = (&'a str, &'a str);

/// What is known of an order beside its own row.
#[derive(Debug, Clone, Default)]
struct Before {
    /// What its earlier versions came to, each with the instant until which it counted.
    amounts: Vec<(i64, i64)>,
    /// Since when it is known to have been sent off.
    sent: Option<i64>,
}

impl Before {
    fn sent_at(&mut self, known: Option<i64>) {
        self.sent = [self.sent, known].into_iter().flatten().min();
    }

    /// The most that the order may come to; `None` where it was not sent off.
    fn most(&self) -> Option<i64> {
        let sent = self.sent?;
        self.amounts.iter().filter(|(until, _)| *until > sent).map(|(_, amount)| *amount).min()
    }
}

/// The orders with amounts that rose after the order was sent off held to what they were; `None` where there are no such. `earlier` are earlier versions of the orders,
/// `shipments` the parcels and their earlier versions.
///
/// # Errors
/// A column is missing.
pub(super) fn hold_amounts(
    orders: &DataFrame,
    earlier: &DataFrame,
    shipments: &[&DataFrame],
) -> PolarsResult<Option<DataFrame>> {
    let now = Amounts::of(orders)?;
    let then = Amounts::of(earlier)?;
    let until = earlier.column(COUNTED_UNTIL)?.datetime()?.physical();
    let mut before: PlHashMap<Own<'_>, Before> = PlHashMap::default();
    for row in 0..earlier.height() {
        let (Some(own), Some(amount), Some(until)) = (then.own(row), then.amount.get(row), until.get(row)) else {
            continue;
        };
        before.entry(own).or_default().amounts.push((until, amount));
    }
    let rose = |row: usize| {
        let amounts = &before.get(&now.own(row)?)?.amounts;
        let least = amounts.iter().map(|(_, amount)| *amount).min()?;
        now.amount.get(row).filter(|amount| *amount > least)
    };
    let risen: Vec<usize> = (0..orders.height()).filter(|row| rose(*row).is_some()).collect();
    if risen.is_empty() {
        return Ok(None);
    }
    for frame in [orders, earlier] {
        add_sent(&mut before, frame, &["completed_at"])?;
    }
    for frame in shipments {
        add_sent(&mut before, frame, &["shipped_at", "delivered_at"])?;
    }
    let mut amounts: Vec<Option<i64>> = now.amount.iter().collect();
    let mut refunds: Vec<Option<i64>> = orders.column("refund_minor")?.i64()?.iter().collect();
    let mut is_held = false;
    for row in risen {
        let most = now.own(row).and_then(|own| before.get(&own)?.most());
        let Some((most, (amount, refund))) = most.zip(amounts.get_mut(row).zip(refunds.get_mut(row))) else { continue };
        is_held |= amount.is_some_and(|amount| amount > most);
        *amount = amount.map(|amount| amount.min(most));
        *refund = refund.map(|refund| refund.min(most));
    }
    if !is_held {
        return Ok(None);
    }
    let mut held = orders.clone();
    held.replace("amount_minor", Int64Chunked::from_slice_options("amount_minor".into(), &amounts).into_column())?;
    held.replace("refund_minor", Int64Chunked::from_slice_options("refund_minor".into(), &refunds).into_column())?;
    Ok(Some(held))
}

/// Adds since when orders are known to have been sent off: the first of some milestones, or when its row was recorded where that is later.
fn add_sent<'a>(
    before: &mut PlHashMap<Own<'a>, Before>,
    frame: &'a DataFrame,
    milestones: &[&str],
) -> PolarsResult<()> {
    let (merchants, orders) = (frame.column("merchant_id")?.str()?, frame.column("order_id")?.str()?);
    let recorded = frame.column("recorded_at")?.datetime()?.physical();
    for milestone in milestones {
        let happened = frame.column(milestone)?.datetime()?.physical();
        let passed: BooleanChunked = happened.is_not_null();
        for row in (0..frame.height()).filter(|row| passed.get(*row) == Some(true)) {
            let Some(own) = merchants.get(row).zip(orders.get(row)) else { continue };
            if let Some(before) = before.get_mut(&own) {
                before.sent_at(happened.get(row).max(recorded.get(row)));
            }
        }
    }
    Ok(())
}

/// Whose orders they are, and what they come to.
struct Amounts<'a> {
    merchant: &'a StringChunked,
    order: &'a StringChunked,
    amount: &'a Int64Chunked,
}

impl<'a> Amounts<'a> {
    fn of(orders: &'a DataFrame) -> PolarsResult<Self> {
        Ok(Self {
            merchant: orders.column("merchant_id")?.str()?,
            order: orders.column("order_id")?.str()?,
            amount: orders.column("amount_minor")?.i64()?,
        })
    }

    fn own(&self, row: usize) -> Option<Own<'a>> {
        self.merchant.get(row).zip(self.order.get(row))
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, IntoSeries, TimeUnit, df};

    use super::*;

    fn with_times(mut frame: DataFrame, times: &[(&str, Vec<Option<i64>>)]) -> DataFrame {
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        for (name, at) in times {
            let column = Int64Chunked::from_slice_options((*name).into(), at).into_series().cast(&instant).unwrap();
            frame.with_column(column.into_column()).unwrap();
        }
        frame
    }

    fn orders(rows: &[(&str, i64, Option<i64>)], completed: Option<i64>, recorded: Option<i64>) -> DataFrame {
        let frame = df!(
            "order_id" => rows.iter().map(|r| r.0).collect::<Vec<_>>(),
            "merchant_id" => vec!["m"; rows.len()],
            "amount_minor" => rows.iter().map(|r| r.1).collect::<Vec<_>>(),
            "refund_minor" => rows.iter().map(|r| r.2).collect::<Vec<_>>(),
        );
        let times = [("completed_at", vec![completed; rows.len()]), ("recorded_at", vec![recorded; rows.len()])];
        with_times(frame.unwrap(), &times)
    }

    /// Earlier versions of the order `o`: what each came to, and until when it counted.
    fn earlier(versions: &[(i64, i64)]) -> DataFrame {
        let rows: Vec<(&str, i64, Option<i64>)> = versions.iter().map(|(amount, _)| ("o", *amount, None)).collect();
        let until = versions.iter().map(|(_, until)| Some(*until)).collect();
        with_times(orders(&rows, None, None), &[(COUNTED_UNTIL, until)])
    }

    fn parcel(shipped: Option<i64>, recorded: Option<i64>) -> DataFrame {
        let frame = df!("order_id" => ["o"], "merchant_id" => ["m"]).unwrap();
        let times = [("shipped_at", vec![shipped]), ("delivered_at", vec![None]), ("recorded_at", vec![recorded])];
        with_times(frame, &times)
    }

    fn amount(now: &DataFrame, earlier: &DataFrame, parcels: &[&DataFrame]) -> Option<i64> {
        let held = hold_amounts(now, earlier, parcels).unwrap()?;
        held.column("amount_minor").unwrap().i64().unwrap().get(0)
    }

    #[test]
    fn a_larger_amount_after_sending_is_not_believed() {
        let now = orders(&[("o", 9_000, None), ("p", 500, None)], None, Some(20));
        let sent = parcel(Some(10), Some(12));
        assert_eq!(amount(&now, &earlier(&[(900, 20)]), &[&sent]), Some(900));
        assert_eq!(amount(&now, &earlier(&[(900, 12)]), &[&sent]), None, "known as soon as the parcel was");
        assert_eq!(amount(&now, &earlier(&[(900, 8)]), &[&sent]), None, "before it was sent");
        assert_eq!(amount(&now, &earlier(&[(900, 20)]), &[&parcel(None, Some(12))]), None, "not sent off");
        assert_eq!(amount(&now, &earlier(&[(900, 20)]), &[]), None, "nothing is known of parcels");
        // In two steps, or after a lower one: the least since it was sent.
        assert_eq!(amount(&now, &earlier(&[(900, 15), (5_000, 20)]), &[&sent]), Some(900));
        assert_eq!(amount(&now, &earlier(&[(400, 8), (900, 20)]), &[&sent]), Some(900));
        // The parcel is sent again with a later day.
        assert_eq!(amount(&now, &earlier(&[(900, 20)]), &[&parcel(Some(30), Some(30)), &sent]), Some(900));
    }

    #[test]
    fn a_confirmed_order_was_sent_and_a_lower_amount_is_believed() {
        let confirmed = orders(&[("o", 9_000, Some(4_000))], Some(10), Some(20));
        let was_confirmed = |recorded: i64| {
            let versions = with_times(orders(&[("o", 900, None)], Some(10), Some(recorded)), &[]);
            with_times(versions, &[(COUNTED_UNTIL, vec![Some(20)])])
        };
        let held = hold_amounts(&confirmed, &was_confirmed(11), &[]).unwrap().unwrap();
        let cell = |column: &str| held.column(column).unwrap().i64().unwrap().get(0);
        assert_eq!((cell("amount_minor"), cell("refund_minor")), (Some(900), Some(900)));
        assert_eq!(amount(&confirmed, &earlier(&[(900, 20)]), &[]), None, "the version that confirms says so first");
        let lower = orders(&[("o", 700, None)], Some(10), Some(20));
        assert_eq!(amount(&lower, &was_confirmed(11), &[]), None);
    }
}
