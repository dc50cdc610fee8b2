//! Trade: an order and everything that follows from it, decided by how the merchant deals.

use super::calendar::{Calendar, DAY, Second};
use super::draw::{Draw, whole};
use super::traits::{AMOUNT_SIGMA, Traits};
use crate::domain::elementary::{exp, sigmoid};

const HOUR: i64 = 3_600;

/// What an order, review or dispute really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Genuine,
    Brushed,
    Attack,
}

impl Nature {
    pub(super) const fn word(self) -> Option<&'static str> {
        match self {
            Self::Genuine => None,
            Self::Brushed => Some("brushed"),
            Self::Attack => Some("attack"),
        }
    }
}

/// An order with its parcel. Milestones may lie beyond the simulation's end: those never reach a row.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) buyer: u64,
    pub(super) placed: Second,
    pub(super) paid: Option<Second>,
    pub(super) cancelled: Option<Second>,
    pub(super) completed: Option<Second>,
    pub(super) refunded: Option<Second>,
    pub(super) amount: i64,
    pub(super) refund: i64,
    /// Unpaid orders have none.
    pub(super) parcel: Option<Parcel>,
    pub(super) nature: Nature,
}

/// The promises about time, and what became of them.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) ship_by: Second,
    pub(super) shipped: Option<Second>,
    pub(super) promised: Second,
    pub(super) delivered: Option<Second>,
    pub(super) lost: Option<Second>,
    pub(super) carrier: Option<&'static str>,
    pub(super) is_tracked: bool,
}

/// A review; `order` is a position in the merchant's orders.
#[derive(Debug, Clone)]
pub(super) struct Review {
    pub(super) order: usize,
    pub(super) created: Second,
    pub(super) stars: i64,
    pub(super) nature: Nature,
}

/// A dispute; `order` is a position in the merchant's orders.
#[derive(Debug, Clone)]
pub(super) struct Dispute {
    pub(super) order: Option<usize>,
    pub(super) opened: Second,
    pub(super) closed: Second,
    pub(super) kind: &'static str,
    pub(super) outcome: &'static str,
    pub(super) amount: i64,
    pub(super) nature: Nature,
}

/// How the merchant deals today: traits, worn by strain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conduct {
    /// Diligence less the wear of short cash.
    pub(super) care: f64,
    pub(super) honesty: f64,
    /// 0 at ease to 1 without any cash.
    pub(super) strain: f64,
}

/// What one merchant sold and what customers made of it.
#[derive(Debug, Default, Clone)]
pub(super) struct Trade {
    pub(super) orders: Vec<Order>,
    pub(super) reviews: Vec<Review>,
    pub(super) disputes: Vec<Dispute>,
    /// The lender has seen the numbers of reviews and disputes: what never comes about leaves its number empty.
    pub(super) numbers_are_known: bool,
    recent_buyers: Vec<u64>,
}

/// Later than all that is simulated.
const NEVER: Second = Second::MAX;

const CARRIERS: [&str; 4] = ["swift-post", "north-express", "canal-freight", "river-parcel"];

impl Trade {
    /// One genuine order placed on `day`; gives its position.
    pub(super) fn place(
        &mut self,
        draw: &mut Draw,
        traits: &Traits,
        conduct: Conduct,
        calendar: &Calendar,
        day: i64,
        buyers: u64,
    ) -> usize {
        let second_of_day = whole((14.0 + 4.2 * draw.normal()) * 3_600.0).rem_euclid(DAY);
        let placed = calendar.midnight(day) + second_of_day;
        let buyer = self.draw_buyer(draw, traits, buyers);
        let amount = whole(draw.log_normal(traits.order_value, AMOUNT_SIGMA)).clamp(500, 50_000_000);
        let mut order = Order {
            buyer,
            placed,
            paid: None,
            cancelled: None,
            completed: None,
            refunded: None,
            amount,
            refund: 0,
            parcel: None,
            nature: Nature::Genuine,
        };
        let position = self.orders.len();
        if draw.chance(0.03) {
            order.cancelled = Some(placed + DAY);
            self.orders.push(order);
            return position;
        }
        let paid = placed + if draw.chance(0.7) { draw.whole(20, 300) } else { draw.whole(300, 6 * HOUR) };
        order.paid = Some(paid);
        let mut parcel = draw_parcel(draw, conduct, calendar, paid);
        let out_of_stock = 0.004 + 0.12 * sigmoid(-1.1 * conduct.care - 4.0) + 0.06 * conduct.strain * conduct.strain;
        if draw.chance(out_of_stock) {
            let cancelled = paid + draw.whole(6 * HOUR, 3 * DAY);
            order.cancelled = Some(cancelled);
            order.refunded = Some(cancelled + draw.whole(60, 4 * HOUR));
            order.refund = amount;
            parcel.shipped = None;
            parcel.delivered = None;
            parcel.lost = None;
            (parcel.carrier, parcel.is_tracked) = (None, false);
            order.parcel = Some(parcel);
            self.orders.push(order);
            return position;
        }
        self.settle(draw, conduct, &mut order, &parcel, position);
        order.parcel = Some(parcel);
        self.orders.push(order);
        position
    }

    fn draw_buyer(&mut self, draw: &mut Draw, traits: &Traits, buyers: u64) -> u64 {
        const REMEMBERED: usize = 48;
        if !self.recent_buyers.is_empty() && draw.chance(traits.repeat_share) {
            return draw.choose(&self.recent_buyers, 0);
        }
        let buyer = draw_stranger(draw, buyers);
        if self.recent_buyers.len() < REMEMBERED {
            self.recent_buyers.push(buyer);
        } else {
            let at = usize::try_from(draw.whole(0, 47)).unwrap_or(0);
            if let Some(slot) = self.recent_buyers.get_mut(at) {
                *slot = buyer;
            }
        }
        buyer
    }

    /// Confirmation, complaint, refund and review of a parcel on its way.
    fn settle(&mut self, draw: &mut Draw, conduct: Conduct, order: &mut Order, parcel: &Parcel, position: usize) {
        let Some(delivered) = parcel.delivered else {
            self.settle_undelivered(draw, order, parcel, position);
            return;
        };
        let confirmed = if draw.chance(0.55) {
            delivered + whole(draw.log_normal(36.0, 0.9).min(230.0) * 3_600.0)
        } else {
            (delivered + 10 * DAY).div_euclid(HOUR) * HOUR + HOUR
        };
        let is_late = delivered > parcel.promised;
        let faulty = (0.032 * exp(-0.5 * conduct.care - 0.45 * conduct.honesty + 0.9 * conduct.strain)).min(0.5);
        let is_faulty = draw.chance(faulty);
        let complains = if is_faulty {
            0.4
        } else if is_late {
            0.05
        } else {
            0.003
        };
        order.completed = Some(confirmed);
        if draw.chance(complains) {
            let kind = if is_late && !is_faulty {
                "other"
            } else if is_faulty && conduct.honesty < -1.0 && draw.chance(0.35) {
                "counterfeit"
            } else if draw.chance(0.06) {
                "chargeback"
            } else if is_faulty && conduct.honesty < -0.8 && order.amount > 300_000 && draw.chance(0.2) {
                "lawsuit"
            } else {
                "not-as-described"
            };
            let opened = delivered + draw.whole(4 * HOUR, 6 * DAY);
            let closed = opened + draw.whole(2 * DAY, 25 * DAY);
            let outcome = draw_outcome(draw, is_faulty);
            if outcome == "buyer-won" {
                order.refunded = Some(closed + draw.whole(60, 6 * HOUR));
                order.refund = if draw.chance(0.6) { order.amount } else { order.amount / draw.whole(2, 4) };
                order.completed = (order.refund < order.amount).then_some(closed);
            } else {
                order.completed = Some(closed.max(confirmed));
            }
            let amount = order.amount;
            let nature = Nature::Genuine;
            self.disputes.push(Dispute { order: Some(position), opened, closed, kind, outcome, amount, nature });
        } else if draw.chance(if is_faulty { 0.5 } else { 0.015 }) {
            order.refunded = Some(confirmed + draw.whole(DAY, 9 * DAY));
            order.refund = if draw.chance(0.5) { order.amount } else { order.amount / draw.whole(2, 5) };
        }
        if draw.chance(if is_faulty { 0.7 } else { 0.5 }) {
            let mood = 4.55 + 0.2 * conduct.care - if is_late { 1.1 } else { 0.0 } - if is_faulty { 2.3 } else { 0.0 }
                + 0.85 * draw.normal();
            let created = confirmed + draw.whole(120, 4 * DAY);
            let stars = whole(mood.round()).clamp(1, 5);
            self.reviews.push(Review { order: position, created, stars, nature: Nature::Genuine });
        }
    }

    fn settle_undelivered(&mut self, draw: &mut Draw, order: &mut Order, parcel: &Parcel, position: usize) {
        let noticed = parcel.promised + draw.whole(2 * DAY, 9 * DAY);
        let closed = noticed + draw.whole(2 * DAY, 15 * DAY);
        order.refunded = Some(closed + draw.whole(60, 6 * HOUR));
        order.refund = order.amount;
        if draw.chance(0.85) {
            self.disputes.push(Dispute {
                order: Some(position),
                opened: noticed,
                closed,
                kind: "not-received",
                outcome: "buyer-won",
                amount: order.amount,
                nature: Nature::Genuine,
            });
        }
        if draw.chance(0.4) {
            let created = noticed + draw.whole(HOUR, 5 * DAY);
            self.reviews.push(Review { order: position, created, stars: draw.whole(1, 2), nature: Nature::Genuine });
        }
    }

    /// Takes back the reviews and disputes, all of them still to come, of orders that will not be shipped.
    fn forget(&mut self, stranded: &[usize]) {
        let is_stranded = |order: usize| stranded.binary_search(&order).is_ok();
        if self.numbers_are_known {
            self.reviews.iter_mut().filter(|r| is_stranded(r.order)).for_each(|r| r.created = NEVER);
            self.disputes.iter_mut().filter(|d| d.order.is_some_and(is_stranded)).for_each(|d| d.opened = NEVER);
        } else {
            self.reviews.retain(|r| !is_stranded(r.order));
            self.disputes.retain(|d| d.order.is_none_or(|o| !is_stranded(o)));
        }
    }

    /// From `dark` on nothing is shipped any more: buyers of what was not yet shipped complain and are refunded.
    pub(super) fn go_dark(&mut self, draw: &mut Draw, dark: Second) {
        let mut stranded = Vec::new();
        for (position, order) in self.orders.iter_mut().enumerate() {
            let Some(parcel) = &mut order.parcel else { continue };
            let unshipped = parcel.shipped.is_some_and(|s| s >= dark);
            if !unshipped || order.cancelled.is_some() || order.nature != Nature::Genuine {
                continue;
            }
            (parcel.shipped, parcel.delivered, parcel.lost) = (None, None, None);
            (parcel.carrier, parcel.is_tracked) = (None, false);
            order.completed = None;
            stranded.push(position);
        }
        self.forget(&stranded);
        for position in stranded {
            let Some(mut order) = self.orders.get(position).cloned() else { continue };
            let Some(parcel) = order.parcel.take() else { continue };
            self.settle_undelivered(draw, &mut order, &parcel, position);
            order.parcel = Some(parcel);
            if let Some(slot) = self.orders.get_mut(position) {
                *slot = order;
            }
        }
    }
}

/// A buyer from the whole marketplace.
pub(super) fn draw_stranger(draw: &mut Draw, buyers: u64) -> u64 {
    u64::try_from(draw.whole(0, i64::try_from(buyers).unwrap_or(i64::MAX) - 1)).unwrap_or(0)
}

fn draw_outcome(draw: &mut Draw, is_faulty: bool) -> &'static str {
    let side = draw.uniform();
    let (buyer, merchant) = if is_faulty { (0.72, 0.84) } else { (0.12, 0.62) };
    if side < buyer {
        "buyer-won"
    } else if side < merchant {
        "merchant-won"
    } else {
        "withdrawn"
    }
}

/// Handling slows with care lost; transit and losses are mostly the carrier's.
fn draw_parcel(draw: &mut Draw, conduct: Conduct, calendar: &Calendar, paid: Second) -> Parcel {
    let paid_day = calendar.day_of(paid);
    let handling_hours = draw.log_normal(19.0 * exp(-0.38 * conduct.care), 0.65).clamp(0.5, 900.0);
    let shipped = paid + whole(handling_hours * 3_600.0);
    let transit_days = draw.log_normal(2.9, 0.38).clamp(0.5, 40.0);
    let arrives = shipped + whole(transit_days * 86_400.0);
    let is_lost = draw.chance(0.003 + 0.012 * sigmoid(-0.9 * conduct.care - 1.0));
    let carrier = draw.choose(&CARRIERS, CARRIERS[0]);
    Parcel {
        ship_by: calendar.midnight(paid_day + 3) - 1,
        shipped: Some(shipped),
        promised: calendar.midnight(paid_day + 8) - 1,
        delivered: (!is_lost).then_some(arrives),
        lost: is_lost.then_some(shipped + draw.whole(14 * DAY, 24 * DAY)),
        carrier: Some(carrier),
        is_tracked: !draw.chance(0.008),
    }
}

impl Parcel {
    /// A parcel of a staged order: handed over and delivered when its maker says so.
    pub(super) fn staged(
        calendar: &Calendar,
        paid: Second,
        shipped: Second,
        delivered: Second,
        draw: &mut Draw,
        tracked: bool,
    ) -> Self {
        let paid_day = calendar.day_of(paid);
        Self {
            ship_by: calendar.midnight(paid_day + 3) - 1,
            shipped: Some(shipped),
            promised: calendar.midnight(paid_day + 8) - 1,
            delivered: Some(delivered),
            lost: None,
            carrier: tracked.then(|| draw.choose(&CARRIERS, CARRIERS[0])),
            is_tracked: tracked,
        }
    }
}
