//! Parcels that were sent under several ids.

use std::cmp::Reverse;

use polars::prelude::{Int64Chunked, PlHashMap};

use super::column::{integers, required_texts, texts};
use super::error::TileError;
use super::parcels::is_late;
use super::view::Children;

/// What a row says of its parcel.
#[derive(Debug, Clone, Copy)]
struct ParcelRow<'a> {
    id: &'a str,
    ship_by: Option<i64>,
    shipped: Option<i64>,
    promised: Option<i64>,
    delivered: Option<i64>,
    lost: Option<i64>,
    /// Without spaces around it; `None` where there is none.
    tracking: Option<&'a str>,
}

/// For each shipment whether another row tells of the same parcel, and stands for it.
///
/// Rows of one order are of one parcel where they have one tracking number; a row without one, once it was handed over or has arrived, is of the parcel that
/// has all of its times. Sent twice under a fresh id, a parcel would count as two promises kept. The row that tells most against the merchant stays: lost before not, arrived late before in
/// time, handed over late before in time, not arrived before arrived, later before sooner. Source: project judgement.
pub fn parcel_copies(shipments: &Children<'_>, cancelled_at: &Int64Chunked) -> Result<Vec<bool>, TileError> {
    const TABLE: &str = "shipments";
    let Children { table, of_order } = shipments;
    let mut by_order: Vec<(usize, usize)> =
        of_order.iter().enumerate().filter_map(|(n, row)| row.map(|row| (row, n))).collect();
    by_order.sort_unstable();
    let mut is_copy = vec![false; of_order.len()];
    let of_several = |rows: &&[(usize, usize)]| rows.len() > 1;
    let mut orders = by_order.chunk_by(|a, b| a.0 == b.0).filter(of_several).peekable();
    // Most orders have one parcel: where all do, nothing more is read.
    if orders.peek().is_none() {
        return Ok(is_copy);
    }
    let ids = required_texts(table, TABLE, "shipment_id")?;
    let ship_by = integers(table, TABLE, "ship_by_at")?;
    let shipped = integers(table, TABLE, "shipped_at")?;
    let promised = integers(table, TABLE, "promised_at")?;
    let delivered = integers(table, TABLE, "delivered_at")?;
    let lost = integers(table, TABLE, "lost_at")?;
    let tracking = texts(table, TABLE, "tracking")?;
    let said = |n: usize| ParcelRow {
        id: ids.get(n).unwrap_or_default(),
        ship_by: ship_by.get(n),
        shipped: shipped.get(n),
        promised: promised.get(n),
        delivered: delivered.get(n),
        lost: lost.get(n),
        tracking: tracking.get(n).map(str::trim).filter(|text| !text.is_empty()),
    };
    for rows in orders {
        let cancelled = rows.first().and_then(|(row, _)| cancelled_at.get(*row));
        let rows: Vec<(usize, ParcelRow<'_>)> = rows.iter().map(|(_, n)| (*n, said(*n))).collect();
        for n in copies(rows, cancelled) {
            if let Some(slot) = is_copy.get_mut(n) {
                *slot = true;
            }
        }
    }
    Ok(is_copy)
}

/// The copies among the rows of one order.
fn copies(mut rows: Vec<(usize, ParcelRow<'_>)>, cancelled: Option<i64>) -> Vec<usize> {
    rows.sort_unstable_by(|(_, a), (_, b)| standing(a, cancelled).cmp(&standing(b, cancelled)));
    // Those with a number first: a row without one is of a parcel that has one, if the times are its.
    rows.sort_by_key(|(_, said)| said.tracking.is_none());
    let mut by_number: PlHashMap<&str, usize> = PlHashMap::default();
    let mut by_times: PlHashMap<[Option<i64>; 5], usize> = PlHashMap::default();
    let mut found = Vec::new();
    for (n, said) in rows {
        let times = [said.ship_by, said.shipped, said.promised, said.delivered, said.lost];
        let first = match said.tracking {
            Some(number) => *by_number.entry(number).or_insert(n),
            // Two parcels that still wait to be handed over may well be alike.
            None if said.shipped.is_none() && said.delivered.is_none() => n,
            None => *by_times.entry(times).or_insert(n),
        };
        if first != n {
            found.push(n);
        }
        by_times.entry(times).or_insert(n);
    }
    found
}

/// Which of several rows of one parcel stays: the first.
fn standing<'a>(said: &ParcelRow<'a>, cancelled: Option<i64>) -> impl Ord + use<'a> {
    let is_in_time = |due, done| is_late(due, done, cancelled) != Some(true);
    (
        said.lost.is_none(),
        is_in_time(said.promised, said.delivered),
        is_in_time(said.ship_by, said.shipped),
        (said.delivered.is_some(), Reverse(said.delivered)),
        (said.shipped, said.id),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel<'a>(id: &'a str, tracking: Option<&'a str>, delivered: Option<i64>) -> ParcelRow<'a> {
        ParcelRow { id, ship_by: Some(10), shipped: Some(8), promised: Some(50), delivered, lost: None, tracking }
    }

    fn found(rows: &[ParcelRow<'_>]) -> Vec<usize> {
        let mut found = copies(rows.iter().copied().enumerate().collect(), None);
        found.sort_unstable();
        found
    }

    #[test]
    fn one_number_is_one_parcel_and_two_are_two() {
        let (a, b) = (parcel("a", Some("t1"), Some(40)), parcel("b", Some("t1"), Some(40)));
        assert_eq!(found(&[a, b, parcel("c", Some("t2"), Some(40))]), [1]);
        assert_eq!(found(&[a, ParcelRow { delivered: Some(60), ..b }]), [0], "the one that came late stays");
        assert_eq!(found(&[a, ParcelRow { delivered: None, ..b }]), [0], "so does the one that has not come");
        assert_eq!(found(&[a, ParcelRow { lost: Some(30), ..b }]), [0], "and the one that was lost");
    }

    #[test]
    fn without_a_number_all_times_tell_one_parcel() {
        let (a, b) = (parcel("a", None, Some(40)), parcel("b", None, Some(40)));
        assert_eq!(found(&[b, a]), [0]);
        assert_eq!(found(&[a, parcel("b", None, Some(41))]), Vec::<usize>::new());
        let waits = |id| ParcelRow { shipped: None, ..parcel(id, None, None) };
        assert_eq!(found(&[waits("a"), waits("b")]), Vec::<usize>::new(), "neither is sent yet");
        assert_eq!(found(&[a, parcel("b", Some("t1"), Some(40)), parcel("c", Some("t2"), Some(40))]), [0]);
    }
}
