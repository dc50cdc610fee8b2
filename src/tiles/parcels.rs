//! Parcels of an order, folded into what the order as a whole promised and kept.

use polars::prelude::Int64Chunked;

use super::column::{integers, texts};
use super::error::TileError;
use super::view::Children;

/// Microseconds in an hour.
const HOUR: i64 = 3_600_000_000;

/// Whole hours from one instant to another, rounded down: 90 minutes early is −2, 90 minutes late is 1.
pub fn hours_between(from: i64, to: i64) -> i64 {
    to.saturating_sub(from).div_euclid(HOUR)
}

/// One promise of time, judged.
///
/// Late where it was fulfilled after its due time, or is unfulfilled although due (declared lost counts as unfulfilled). Null
/// where nothing was promised, the promise is not yet due, or the order was cancelled before it came due.
pub fn is_late(due: Option<i64>, done: Option<i64>, cancelled: Option<i64>) -> Option<bool> {
    match (due, done, cancelled) {
        (None, _, _) => None,
        (Some(due), Some(done), _) => Some(done > due),
        (Some(due), None, Some(cancelled)) if cancelled <= due => None,
        (Some(_), None, _) => Some(true),
    }
}

/// An order's parcels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parcels {
    /// How many.
    pub count: i64,
    /// How many were handed to the carrier.
    pub shipped: i64,
    /// How many arrived.
    pub delivered: i64,
    /// How many were declared lost.
    pub lost: i64,
    /// Last due time for handing over.
    pub ship_by_at: Option<i64>,
    /// Last handing over, once all are handed over.
    pub shipped_at: Option<i64>,
    /// Last promised arrival.
    pub promised_at: Option<i64>,
    /// Last arrival, once all have arrived.
    pub delivered_at: Option<i64>,
    /// First loss.
    pub lost_at: Option<i64>,
    /// Any parcel handed over has a tracking number; null where none is handed over.
    pub has_tracking: Option<bool>,
    /// Any parcel handed over late, or not at all though due.
    pub ship_late: Option<bool>,
    /// Any parcel arrived late, or not at all though due.
    pub delivery_late: Option<bool>,
    /// Worst hours from due time to handing over.
    pub ship_delay_hours: Option<i64>,
    /// Worst hours from promised to real arrival.
    pub delivery_delay_hours: Option<i64>,
}

impl Parcels {
    fn add(&mut self, parcel: &Parcel, cancelled: Option<i64>) {
        let Parcel { ship_by, shipped, promised, delivered, lost, tracked } = *parcel;
        let first = self.count == 0;
        self.count += 1;
        self.shipped += i64::from(shipped.is_some());
        self.delivered += i64::from(delivered.is_some());
        self.lost += i64::from(lost.is_some());
        self.ship_by_at = self.ship_by_at.max(ship_by);
        self.promised_at = self.promised_at.max(promised);
        self.shipped_at = all_done(first, self.shipped_at, shipped);
        self.delivered_at = all_done(first, self.delivered_at, delivered);
        self.lost_at = match (self.lost_at, lost) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if shipped.is_some() {
            self.has_tracking = Some(self.has_tracking.unwrap_or(false) || tracked);
        }
        self.ship_late = any(self.ship_late, is_late(ship_by, shipped, cancelled));
        self.delivery_late = any(self.delivery_late, is_late(promised, delivered, cancelled));
        self.ship_delay_hours =
            self.ship_delay_hours.max(ship_by.zip(shipped).map(|(due, done)| hours_between(due, done)));
        self.delivery_delay_hours =
            self.delivery_delay_hours.max(promised.zip(delivered).map(|(due, done)| hours_between(due, done)));
    }
}

/// The later of two, as long as neither is missing.
fn all_done(first: bool, so_far: Option<i64>, next: Option<i64>) -> Option<i64> {
    if first { next } else { so_far.zip(next).map(|(a, b)| a.max(b)) }
}

/// True if either is, null only if both are.
fn any(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a || b),
        (a, b) => a.or(b),
    }
}

struct Parcel {
    ship_by: Option<i64>,
    shipped: Option<i64>,
    promised: Option<i64>,
    delivered: Option<i64>,
    lost: Option<i64>,
    tracked: bool,
}

/// Folds shipments by order: element `n` belongs to the order whose row is `n`. Shipments of unknown orders are left out, and so is every row of a parcel but
/// one.
pub fn fold_parcels(
    shipments: &Children<'_>,
    is_copy: &[bool],
    cancelled_at: &Int64Chunked,
) -> Result<Vec<Parcels>, TileError> {
    const TABLE: &str = "shipments";
    let Children { table: shipments, of_order } = shipments;
    let mut folded = vec![Parcels::default(); cancelled_at.len()];
    let ship_by = integers(shipments, TABLE, "ship_by_at")?;
    let shipped = integers(shipments, TABLE, "shipped_at")?;
    let promised = integers(shipments, TABLE, "promised_at")?;
    let delivered = integers(shipments, TABLE, "delivered_at")?;
    let lost = integers(shipments, TABLE, "lost_at")?;
    let tracking = texts(shipments, TABLE, "tracking")?;
    for (n, row) in of_order.iter().enumerate() {
        let (Some(row), Some(false)) = (*row, is_copy.get(n)) else { continue };
        let Some(parcels) = folded.get_mut(row) else { continue };
        let parcel = Parcel {
            ship_by: ship_by.get(n),
            shipped: shipped.get(n),
            promised: promised.get(n),
            delivered: delivered.get(n),
            lost: lost.get(n),
            tracked: tracking.get(n).is_some_and(|t| !t.trim().is_empty()),
        };
        parcels.add(&parcel, cancelled_at.get(row));
    }
    Ok(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_round_down() {
        assert_eq!(hours_between(0, HOUR * 3 / 2), 1);
        assert_eq!(hours_between(HOUR * 3 / 2, 0), -2);
        assert_eq!(hours_between(0, 0), 0);
    }

    #[test]
    fn a_promise_is_late_kept_or_not_yet_known() {
        assert_eq!(is_late(Some(10), Some(10), None), Some(false));
        assert_eq!(is_late(Some(10), Some(11), None), Some(true));
        assert_eq!(is_late(Some(10), None, None), Some(true));
        assert_eq!(is_late(Some(10), None, Some(10)), None);
        assert_eq!(is_late(Some(10), None, Some(11)), Some(true));
        assert_eq!(is_late(None, Some(11), None), None);
    }

    #[test]
    fn an_order_is_delivered_once_its_last_parcel_is() {
        let parcel = |delivered| Parcel {
            ship_by: Some(HOUR),
            shipped: Some(2 * HOUR),
            promised: Some(5 * HOUR),
            delivered,
            lost: None,
            tracked: false,
        };
        let mut parcels = Parcels::default();
        parcels.add(&parcel(Some(4 * HOUR)), None);
        assert_eq!((parcels.delivered_at, parcels.delivery_late), (Some(4 * HOUR), Some(false)));
        assert_eq!((parcels.ship_late, parcels.ship_delay_hours), (Some(true), Some(1)));
        parcels.add(&parcel(None), None);
        assert_eq!((parcels.delivered_at, parcels.delivery_late), (None, Some(true)));
        assert_eq!((parcels.count, parcels.delivered, parcels.has_tracking), (2, 1, Some(false)));
    }
}
