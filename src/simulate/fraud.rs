//! Staged trade: brushing by the merchant, attacks on it.

use super::calendar::{Calendar, DAY, Second};
use super::draw::{Draw, whole};
use super::trade::{Dispute, Nature, Order, Parcel, Review, Trade, draw_stranger};
use super::traits::Traits;

/// Rings of hired buyers, several merchants to a ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rings {
    pub(super) seed: u64,
    pub(super) count: u64,
    pub(super) buyers: u64,
}

impl Rings {
    fn members(self, draw: &mut Draw, purpose: &str) -> Vec<u64> {
        let ring = draw_stranger(draw, self.count);
        let mut recruits = Draw::new(self.seed, purpose, ring);
        let size = recruits.whole(3, 6);
        (0..size).map(|_| draw_stranger(&mut recruits, self.buyers)).collect()
    }
}

/// Days on which the merchant will fake a burst of orders.
pub(super) fn plan_bursts(draw: &mut Draw, first_day: i64, last_day: i64) -> Vec<i64> {
    let bursts = draw.whole(2, 6);
    let mut days: Vec<i64> = (0..bursts).map(|_| draw.whole(first_day, last_day)).collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// A burst within an hour: few buyers, odd prices, no tracking, instant delivery, five stars at once.
pub(super) fn brush(trade: &mut Trade, draw: &mut Draw, traits: &Traits, calendar: &Calendar, day: i64, rings: Rings) {
    let ring = rings.members(draw, "brushing ring");
    let usual = (traits.daily_orders * 25.0).clamp(6.0, 60.0);
    let orders = whole(draw.between(0.8, 2.0) * usual);
    let opening = calendar.midnight(day) + draw.whole(0, 22 * 3_600);
    let odd_price = if draw.chance(0.5) { draw.between(0.05, 0.2) } else { draw.between(3.0, 6.0) };
    let amount = whole(traits.order_value * odd_price / 100.0).max(5) * 100;
    for _ in 0..orders {
        let placed = opening + draw.whole(0, 3_500);
        let paid = placed + draw.whole(5, 60);
        let shipped = paid + draw.whole(60, 1_200);
        let delivered = shipped + draw.whole(30, 1_800);
        let completed = delivered + draw.whole(10, 600);
        let order = trade.orders.len();
        trade.orders.push(Order {
            buyer: draw.choose(&ring, 0),
            placed,
            paid: Some(paid),
            cancelled: None,
            completed: Some(completed),
            refunded: None,
            amount,
            refund: 0,
            parcel: Some(Parcel::staged(calendar, paid, shipped, delivered, draw, false)),
            nature: Nature::Brushed,
        });
        if draw.chance(0.95) {
            let created = completed + draw.whole(5, 300);
            trade.reviews.push(Review { order, created, stars: 5, nature: Nature::Brushed });
        }
    }
}

/// An attack: strangers order, receive what they ordered, then all at once give one star and complain; the complaints fail.
pub(super) fn attack(trade: &mut Trade, draw: &mut Draw, traits: &Traits, calendar: &Calendar, day: i64, rings: Rings) {
    let gang = rings.members(draw, "attacking gang");
    let orders = whole(draw.between(5.0, 9.0) + (traits.daily_orders * 20.0).min(20.0) * draw.uniform());
    let strike: Second = calendar.midnight(day + 9) + draw.whole(0, DAY - 1);
    for _ in 0..orders {
        let placed = calendar.midnight(day) + draw.whole(0, 2 * DAY);
        let paid = placed + draw.whole(20, 600);
        let shipped = paid + draw.whole(5 * 3_600, 30 * 3_600);
        let delivered = shipped + draw.whole(2 * DAY, 5 * DAY);
        let amount = whole(traits.order_value * draw.between(0.1, 0.4)).max(500);
        let order = trade.orders.len();
        let opened = strike + draw.whole(0, DAY);
        let complains = draw.chance(0.6);
        let closed = opened + draw.whole(3 * DAY, 12 * DAY);
        trade.orders.push(Order {
            buyer: draw.choose(&gang, 0),
            placed,
            paid: Some(paid),
            cancelled: None,
            completed: Some(if complains { closed } else { strike + draw.whole(0, DAY) }),
            refunded: None,
            amount,
            refund: 0,
            parcel: Some(Parcel::staged(calendar, paid, shipped, delivered, draw, true)),
            nature: Nature::Attack,
        });
        let created = strike + draw.whole(0, 2 * DAY);
        trade.reviews.push(Review { order, created, stars: 1, nature: Nature::Attack });
        if complains {
            let kind = draw.choose(&["not-as-described", "counterfeit", "not-received"], "other");
            let outcome = if draw.chance(0.5) { "withdrawn" } else { "merchant-won" };
            let nature = Nature::Attack;
            trade.disputes.push(Dispute { order: Some(order), opened, closed, kind, outcome, amount, nature });
        }
    }
}
