//! How a merchant deals with a lender who makes offers: what it wants, which offers it takes and which it leaves.
//!
//! A merchant who needs money draws on an offer that stands, or asks and waits for one. It leaves an offer that costs more than it would
//! pay; who is short of cash would pay more. What it waited for in vain it gets elsewhere or does without.

use super::calendar::{Calendar, DAY, Second, count};
use super::credit::{MAX_LOAN, MAX_ORDER_LOAN, Terms, Today};
use super::draw::{Draw, whole};
use super::life::{Living, World};
use super::schedule::Repayment;
use super::traits::Traits;
use crate::domain::elementary::exp;

/// An offer as the merchant sees it.
#[derive(Debug, Clone)]
pub(super) struct StandingOffer {
    pub(super) id: u128,
    pub(super) product: &'static str,
    /// What may still be drawn.
    pub(super) left: i64,
    pub(super) daily_rate_ppm: i64,
    pub(super) term_days: i64,
    pub(super) spacing: i64,
    pub(super) repayment: Repayment,
    /// The last day on which it can be drawn.
    pub(super) last_day: i64,
    /// Positions of the orders that secure it.
    pub(super) pledged: Vec<usize>,
}

/// What a merchant wants money for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Purpose {
    /// To have the money of shipped orders now.
    Orders,
    /// For the shop.
    Shop,
}

/// A request that waits for money.
#[derive(Debug, Clone, Copy)]
struct WaitingRequest {
    purpose: Purpose,
    amount: i64,
    since: i64,
    /// The most it would pay a day.
    at_most_ppm: i64,
    /// Position of its request.
    request: usize,
}

/// Why an offer that stood was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOffer {
    /// It costs more than the merchant would pay.
    TooDear,
    /// It covers less than a quarter of what is needed, or is not worth the trouble.
    TooSmall,
    /// Too few of the orders that secure it still wait for escrow.
    OrdersSettled,
}

/// A request, and what came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) product: &'static str,
    /// The day on which it was made.
    pub(super) day: i64,
    pub(super) wanted: i64,
    pub(super) got: i64,
    /// Why the last offer that stood was left.
    pub(super) left: Option<LeftOffer>,
    /// The lender who knows the future would not lend.
    pub(super) was_foreseen: bool,
}

/// What money costs the lender, in parts per million a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct MoneyCost {
    pub(super) daily_ppm: i64,
}

/// One merchant's dealings with the lender.
#[derive(Debug, Clone)]
pub(super) struct Dealings {
    pub(super) offers: Vec<StandingOffer>,
    pub(super) requests: Vec<Request>,
    pub(super) cost: MoneyCost,
    /// The lender knows how each loan will go, and pays out none that would lose money.
    pub(super) knows_truth: bool,
    /// The lender has stopped lending: nothing is asked for any more.
    pub(super) has_ended: bool,
    wants: Vec<WaitingRequest>,
}

/// An offer that is being taken.
struct AcceptedOffer {
    want: WaitingRequest,
    offer: usize,
    amount: i64,
    orders: Vec<usize>,
}

/// A loan that is being drawn.
struct Drawdown {
    accepted: AcceptedOffer,
    /// When.
    at: Second,
    /// Share of the money that buys goods.
    used: f64,
    /// How these sell, against what was hoped.
    luck: f64,
}

/// The day of a merchant's dealings.
#[derive(Clone, Copy)]
struct LendingDay<'a> {
    calendar: &'a Calendar,
    day: i64,
    season: f64,
    group: Option<u64>,
}

impl<'a> LendingDay<'a> {
    fn of(self, traits: &'a Traits) -> Today<'a> {
        let Self { calendar, day, season, group } = self;
        Today { traits, calendar, day, received: 0.0, season, is_dark: false, group }
    }
}

/// Days that a merchant waits for an answer before it does without.
pub(super) const PATIENCE_DAYS: i64 = 21;
/// Sums are drawn in whole tens of the main unit.
const DRAW_STEP: i64 = 1_000;
/// The least that is worth the trouble, by purpose.
const LEAST_FOR_ORDERS: i64 = 20_000;
const LEAST_FOR_SHOP: i64 = 50_000;
/// What is less than this part of what is wanted does not help.
const LEAST_PART: i64 = 4;
/// The daily rate that the median merchant at ease would just pay: borrowers accept 500 ("What Alibaba Is", 2019), so most would pay more.
const PAYS_AT_EASE_PPM: f64 = 560.0;

impl Dealings {
    pub(super) const fn new(cost: MoneyCost, knows_truth: bool) -> Self {
        Self { offers: Vec::new(), requests: Vec::new(), cost, knows_truth, has_ended: false, wants: Vec::new() }
    }

    fn is_waiting_for(&self, purpose: Purpose) -> bool {
        self.wants.iter().any(|w| w.purpose == purpose)
    }

    fn leave(&mut self, want: WaitingRequest, why: LeftOffer) {
        if let Some(request) = self.requests.get_mut(want.request) {
            request.left = Some(why);
        }
    }
}

impl Living {
    /// Needs arise, and offers are taken or left. The last thing of a day.
    pub(super) fn seek(&mut self, world: &World, draw: &mut Draw, day: i64, season: f64, group: Option<u64>) {
        let calendar = &world.calendar;
        let tenure = calendar.midnight(day) - self.life.traits.registered;
        if tenure < 75 * DAY || self.dealings.as_ref().is_none_or(|d| d.has_ended) {
            return;
        }
        let today = LendingDay { calendar, day, season, group };
        self.need(draw, today);
        self.take_or_leave(world, draw, today);
    }

    fn need(&mut self, draw: &mut Draw, today: LendingDay<'_>) {
        let LendingDay { calendar, day, season, .. } = today;
        let (strain, month) = (self.purse.strain, 30.0 * self.purse.planned_sales);
        let now = calendar.midnight(day) + draw.whole(9 * 3_600, 18 * 3_600);
        let for_shop = draw.chance(
            (self.life.traits.credit_taste * (0.5 + 2.2 * strain + (season - 1.05).clamp(0.0, 0.6)) / 365.0).min(0.5),
        );
        let wanted = (whole(draw.between(0.7, 2.4) * month / 10_000.0) * 10_000).min(MAX_LOAN);
        if for_shop && wanted >= 100_000 {
            self.want(draw, today, (Purpose::Shop, wanted, Vec::new(), now));
        }
        let for_orders = draw.chance((self.life.traits.order_loan_taste * (0.6 + 1.8 * strain)).min(0.8));
        let part = draw.between(0.7, 0.95);
        if for_orders {
            let (receivables, mut orders) = self.life.credit.free_receivables(&self.life.trade, now);
            let wanted = whole((part * receivables).min(MAX_ORDER_LOAN) / 1_000.0) * 1_000;
            if wanted >= LEAST_FOR_ORDERS {
                orders.sort_unstable();
                self.want(draw, today, (Purpose::Orders, wanted, orders, now));
            }
        }
    }

    /// Files an application and waits, unless it waits already.
    fn want(
        &mut self,
        draw: &mut Draw,
        today: LendingDay<'_>,
        (purpose, amount, orders, at): (Purpose, i64, Vec<usize>, i64),
    ) {
        let Self { life, purse, dealings: Some(dealings), .. } = self else { return };
        if dealings.is_waiting_for(purpose) {
            return;
        }
        let product = match purpose {
            Purpose::Orders => "order-loan",
            Purpose::Shop => "credit-loan",
        };
        let day = today.day;
        life.credit.apply(draw, purse, today.of(&life.traits), at, product, amount, orders);
        let at_most = draw.log_normal(PAYS_AT_EASE_PPM, 0.12) * (1.0 + 0.4 * purse.strain);
        dealings.wants.push(WaitingRequest {
            purpose,
            amount,
            since: day,
            at_most_ppm: whole(at_most),
            request: dealings.requests.len(),
        });
        dealings.requests.push(Request { product, day, wanted: amount, got: 0, left: None, was_foreseen: false });
    }

    fn take_or_leave(&mut self, world: &World, draw: &mut Draw, today: LendingDay<'_>) {
        let day = today.day;
        let Some(dealings) = &mut self.dealings else { return };
        dealings.wants.retain(|w| day - w.since <= PATIENCE_DAYS);
        for want in dealings.wants.clone() {
            let now = world.calendar.midnight(day) + draw.whole(18 * 3_600, 22 * 3_600);
            let (used, luck) = (draw.between(0.4, 0.9), draw.log_normal(0.98, 0.25));
            let Some(accepted) = self.choose(want, day, now) else { continue };
            let drawdown = Drawdown { accepted, at: now, used, luck };
            let is_foreseen = self.dealings.as_ref().is_some_and(|d| d.knows_truth) && {
                let mut foreseen = self.clone();
                let loan = foreseen.life.credit.loans.len();
                foreseen.take(today, &drawdown);
                foreseen.profit_of(world, loan, day) <= 0
            };
            if !is_foreseen {
                self.take(today, &drawdown);
            }
            let Some(dealings) = &mut self.dealings else { return };
            dealings.wants.retain(|w| w.request != want.request);
            if let Some(request) = dealings.requests.get_mut(want.request) {
                request.was_foreseen = is_foreseen;
            }
        }
    }

    /// The cheapest offer that suits, if any does.
    fn choose(&mut self, want: WaitingRequest, day: i64, now: i64) -> Option<AcceptedOffer> {
        let dealings = self.dealings.as_mut()?;
        let suits = |product: &str| (product == "order-loan") == (want.purpose == Purpose::Orders);
        let standing =
            dealings.offers.iter().enumerate().filter(|(_, o)| o.last_day >= day && o.left > 0 && suits(o.product));
        let (offer, terms) = standing.min_by_key(|(_, o)| o.daily_rate_ppm)?;
        if terms.daily_rate_ppm > want.at_most_ppm {
            dealings.leave(want, LeftOffer::TooDear);
            return None;
        }
        let (standing, wanted) = (terms.left, want.amount);
        let (room, orders) = match want.purpose {
            Purpose::Shop => (terms.left, Vec::new()),
            // Paid out on what still waits of the orders that secure the offer, in proportion to all of them.
            Purpose::Orders => {
                let value = |orders: &[usize]| -> i128 {
                    orders.iter().filter_map(|&o| self.life.trade.orders.get(o)).map(|o| i128::from(o.amount)).sum()
                };
                let (_, free) = self.life.credit.free_receivables(&self.life.trade, now);
                let waiting: Vec<usize> = terms.pledged.iter().copied().filter(|o| free.contains(o)).collect();
                let all = value(&terms.pledged).max(1);
                let room = i128::from(terms.left) * value(&waiting) / all;
                (i64::try_from(room).unwrap_or(0), waiting)
            }
        };
        let amount = want.amount.min(room) / DRAW_STEP * DRAW_STEP;
        let least = if want.purpose == Purpose::Orders { LEAST_FOR_ORDERS } else { LEAST_FOR_SHOP };
        let least = least.max(wanted / LEAST_PART);
        if amount < least {
            let is_small = standing < least;
            dealings.leave(want, if is_small { LeftOffer::TooSmall } else { LeftOffer::OrdersSettled });
            return None;
        }
        Some(AcceptedOffer { want, offer, amount, orders })
    }

    fn take(&mut self, today: LendingDay<'_>, drawdown: &Drawdown) {
        let Drawdown { accepted: taking, at, used, luck } = drawdown;
        let Self { life, purse, dealings: Some(dealings), .. } = self else { return };
        let Some(offer) = dealings.offers.get_mut(taking.offer) else { return };
        let principal = taking.amount;
        offer.left -= principal;
        if taking.want.purpose == Purpose::Orders {
            // What is drawn takes its orders with it: the rest of the offer has none.
            offer.left = 0;
            life.credit.pledged.extend(&taking.orders);
        }
        let terms = Terms {
            product: offer.product,
            principal,
            term_days: offer.term_days,
            daily_rate_ppm: offer.daily_rate_ppm,
            repayment: offer.repayment,
            spacing: offer.spacing,
            fee: 0,
            group: today.group.filter(|_| offer.product == "group-loan"),
            offer: Some(offer.id),
            pledged: taking.orders.clone(),
        };
        if let Some(request) = dealings.requests.get_mut(taking.want.request) {
            request.got = principal;
        }
        let diligence = life.traits.diligence;
        life.credit.disburse(today.of(&life.traits), *at, terms);
        let lent = principal as f64;
        match taking.want.purpose {
            Purpose::Orders => {
                purse.cash += 0.5 * lent;
                purse.stock += 0.5 * lent;
            }
            // Goods bought on credit may sell better or worse than hoped.
            Purpose::Shop => {
                purse.cash += lent - used * lent;
                purse.stock += used * lent * luck * exp(0.03 * diligence);
            }
        }
    }

    /// What the lender will have earned on a loan by the time it is closed, should nothing more be lent.
    fn profit_of(mut self, world: &World, loan: usize, day: i64) -> i64 {
        let Some(dealings) = &mut self.dealings else { return 0 };
        dealings.has_ended = true;
        let cost = dealings.cost;
        for next in day + 1..count(world.calendar.days) {
            if self.life.credit.loans.get(loan).is_none_or(|l| !l.is_open) {
                break;
            }
            self.live_through(world, next, next + 1);
        }
        self.life.credit.loans.get(loan).map_or(0, |l| l.profit(cost))
    }
}
