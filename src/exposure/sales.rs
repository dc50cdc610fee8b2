//! Orders that may be one sale: at most one of them is a receivable.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::receivable::Receivable;
use crate::authenticity::{OrderFacts, RepeatedSettings, buyer_key, sales};
use crate::store::BrokenRecord;

/// One order of a merchant, as far as its own row and what belongs to it tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShippedOrder<'a> {
    pub order_id: &'a str,
    pub buyer_id: &'a str,
    pub placed_at: i64,
    pub amount_minor: i64,
    /// It was confirmed, cancelled, refunded in full, lost or disputed, or a record of it is broken: whatever escrow still holds of the sale may be none.
    pub has_ended: bool,
    pub is_suspect: bool,
    /// When its last parcel was handed over.
    pub shipped_at: Option<i64>,
    /// What it counts for at its age; 0 where it has ended, was not paid or not shipped.
    pub counted_minor: i64,
}

impl<'a> ShippedOrder<'a> {
    /// The receivable of an order that is one sale for sure.
    pub fn alone(&self) -> Receivable {
        Receivable {
            order_id: self.order_id.to_owned(),
            placed_at: self.placed_at,
            counted_minor: self.counted_minor,
            same_sale: Vec::new(),
            paid_minor: Some(self.amount_minor),
            shipped_at: self.shipped_at,
        }
    }

    const fn facts(&self) -> OrderFacts<'a> {
        OrderFacts::placed(self.order_id, self.buyer_id, self.placed_at, self.amount_minor)
    }

    /// Whether a broken order may be this one under another id. What it does not say may be anything, but for the buyer together with the time or the
    /// sum: nobody is held against every order.
    fn may_be(&self, record: &BrokenRecord, near: RepeatedSettings) -> bool {
        let by_buyer = record.buyer_id.as_deref().map(|buyer| buyer_key(buyer) == buyer_key(self.buyer_id));
        let by_time = record.event_at.map(|at| near.is_near(at, self.placed_at));
        let by_sum = record.amount_minor.map(|amount| near.is_like(amount, self.amount_minor));
        let says_enough = by_buyer.is_some() || (by_time.is_some() && by_sum.is_some());
        says_enough && [by_buyer, by_time, by_sum].iter().all(|told| told.is_none_or(|agrees| agrees))
    }

    /// What equal orders have in common.
    fn exactly(&self) -> (i64, i64, Cow<'a, str>) {
        (self.placed_at, self.amount_minor, buyer_key(self.buyer_id))
    }
}

/// The receivables of a merchant of whose orders some may be one sale, sent under several ids; `broken` are its broken orders.
///
/// - Of equal orders (one buyer, one instant, one sum) none is a receivable: which of them escrow will pay, and which a loan of another night rests on,
///   cannot be told.
/// - Of orders that are merely alike ([`sales`]) the one that counts for least is, as long as none of them has ended or may be a broken one. An
///   honest repeat purchase is lent against once; and where any of the ids secures a loan or an offer already, so does the sale.
pub(super) fn one_a_sale(
    mut orders: Vec<ShippedOrder<'_>>,
    broken: &[&BrokenRecord],
    near: RepeatedSettings,
) -> Vec<Receivable> {
    orders.sort_unstable_by(|a, b| (a.placed_at, a.order_id).cmp(&(b.placed_at, b.order_id)));
    for order in orders.iter_mut().filter(|order| !order.has_ended) {
        if broken.iter().any(|record| order.may_be(record, near)) {
            (order.has_ended, order.counted_minor) = (true, 0);
        }
    }
    let facts: Vec<OrderFacts<'_>> = orders.iter().map(ShippedOrder::facts).collect();
    let mut stands_alone = vec![true; orders.len()];
    let mut receivables = Vec::new();
    for sale in sales(&facts.iter().collect::<Vec<_>>(), near) {
        for slot in &sale {
            if let Some(alone) = stands_alone.get_mut(*slot) {
                *alone = false;
            }
        }
        let sale: Vec<&ShippedOrder<'_>> = sale.iter().filter_map(|n| orders.get(*n)).collect();
        receivables.extend(of_sale(&sale));
    }
    let alone = orders.iter().zip(stands_alone).filter(|(_, alone)| *alone).map(|(order, _)| order);
    receivables.extend(alone.filter(|order| order.counted_minor > 0 && !order.is_suspect).map(ShippedOrder::alone));
    receivables
}

/// The receivable of orders, in the order of time, that may be one sale.
fn of_sale(sale: &[&ShippedOrder<'_>]) -> Option<Receivable> {
    let different: BTreeSet<_> = sale.iter().map(|order| order.exactly()).collect();
    let is_repeated = different.len() < sale.len();
    // Every order of a sale but one is suspect for being like the others.
    let is_suspect = sale.iter().all(|order| order.is_suspect);
    if is_repeated || is_suspect || sale.iter().any(|order| order.has_ended) {
        return None;
    }
    let counting = sale.iter().filter(|order| order.counted_minor > 0);
    let least = counting.min_by_key(|order| (order.counted_minor, order.order_id))?;
    let others = sale.iter().filter(|order| order.order_id != least.order_id);
    Some(Receivable {
        placed_at: sale.iter().map(|order| order.placed_at).min().unwrap_or(least.placed_at),
        same_sale: others.map(|order| order.order_id.to_owned()).collect(),
        ..least.alone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const NEAR: RepeatedSettings = RepeatedSettings { window_minutes: 10, amount_bps: 100 };

    fn order(order_id: &'static str, minute: i64, amount_minor: i64) -> ShippedOrder<'static> {
        ShippedOrder {
            order_id,
            buyer_id: "x",
            placed_at: minute * MINUTE,
            amount_minor,
            has_ended: false,
            is_suspect: false,
            shipped_at: None,
            counted_minor: amount_minor,
        }
    }

    /// Receivables by order, with what they count for and the ids of the same sale.
    fn found(orders: &[ShippedOrder<'static>], broken: &[BrokenRecord]) -> Vec<(String, i64, Vec<String>)> {
        let receivables = one_a_sale(orders.to_vec(), &broken.iter().collect::<Vec<_>>(), NEAR);
        receivables.into_iter().map(|r| (r.order_id, r.counted_minor, r.same_sale)).collect()
    }

    fn alone(order: &str, counted_minor: i64) -> (String, i64, Vec<String>) {
        (order.to_owned(), counted_minor, Vec::new())
    }

    #[test]
    fn alike_orders_are_one_receivable_and_equal_ones_none() {
        let (a, b, other) = (order("a", 0, 9_000), order("b", 3, 8_990), order("c", 50, 9_000));
        let one = ("b".to_owned(), 8_990, vec!["a".to_owned()]);
        assert_eq!(found(&[a, b, other], &[]), [one, alone("c", 9_000)]);
        let equal = ShippedOrder { order_id: "d", ..a };
        assert_eq!(found(&[a, equal, other], &[]), [alone("c", 9_000)]);
        assert_eq!(found(&[a, ShippedOrder { order_id: "b", ..order("b", 0, 9_010) }, equal], &[]), []);
        // Suspect for being like the other is not suspect for more.
        assert_eq!(found(&[a, ShippedOrder { is_suspect: true, ..b }], &[]).len(), 1);
        assert_eq!(found(&[a, b].map(|o| ShippedOrder { is_suspect: true, ..o }), &[]), []);
        assert_eq!(found(&[a, ShippedOrder { has_ended: true, counted_minor: 0, ..b }], &[]), [], "one was settled");
        let unpaid = ShippedOrder { counted_minor: 0, ..b };
        assert_eq!(found(&[a, unpaid], &[]), [("a".to_owned(), 9_000, vec!["b".to_owned()])]);
    }

    #[test]
    fn an_order_that_may_be_a_broken_one_under_another_id_is_none() {
        let (a, other) = (order("a", 5, 9_000), order("c", 50, 9_000));
        let said = BrokenRecord {
            table: "orders".to_owned(),
            order_id: Some("z".to_owned()),
            event_at: Some(0),
            amount_minor: Some(9_010),
            buyer_id: Some("X".to_owned()),
            ..BrokenRecord::default()
        };
        let without = |take: fn(&mut BrokenRecord)| {
            let mut record = said.clone();
            take(&mut record);
            found(&[a, other], &[record])
        };
        let only_other = vec![alone("c", 9_000)];
        assert_eq!(without(|_| {}), only_other);
        assert_eq!(without(|r| r.buyer_id = None), only_other);
        assert_eq!(without(|r| r.amount_minor = None), only_other);
        assert_eq!(without(|r| r.event_at = None), [], "its buyer and its sum are those of both");
        let both = vec![alone("a", 9_000), alone("c", 9_000)];
        assert_eq!(without(|r| r.buyer_id = Some("y".to_owned())), both);
        assert_eq!(without(|r| r.amount_minor = Some(10_000)), both);
        assert_eq!(without(|r| (r.buyer_id, r.event_at) = (None, None)), both, "a sum alone tells nothing");
    }
}
