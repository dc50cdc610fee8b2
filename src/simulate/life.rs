//! One merchant's life, day by day: demand, trade, cash, credit, and how it ends.

use super::calendar::{Calendar, DAY, Second, count};
use super::cash::Purse;
use super::credit::{Credit, Today};
use super::dealings::Dealings;
use super::draw::{Draw, whole};
use super::fraud::{Rings, attack, brush, plan_bursts};
use super::groups::{Membership, membership_of};
use super::industry::{INDUSTRIES, IndustryTides};
use super::settings::SimulationSettings;
use super::trade::{Conduct, Trade};
use super::traits::Traits;
use crate::domain::elementary::{cos, exp};

/// The marketplace around a merchant: the same for all.
pub(super) struct World {
    pub(super) settings: SimulationSettings,
    pub(super) calendar: Calendar,
    pub(super) tides: IndustryTides,
    pub(super) rings: Rings,
}

impl World {
    /// `downturn_until`: the day on which the year ends within which industries turn down; by default the last one.
    pub(super) fn new(settings: SimulationSettings, calendar: Calendar, downturn_until: Option<usize>) -> Self {
        let tides = IndustryTides::new(settings.seed, calendar.days, downturn_until.unwrap_or(calendar.days));
        let buyers = settings.merchants.saturating_mul(25).max(50);
        let rings = Rings { seed: settings.seed, count: settings.merchants / 25 + 1, buyers };
        Self { settings, calendar, tides, rings }
    }
}

/// A stock-taking.
#[derive(Clone)]
pub(super) struct StockTaking {
    pub(super) day: i64,
    pub(super) stock_value: i64,
    pub(super) cost_of_sales: i64,
}

/// Why a merchant stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Cash,
    Will,
    Retired,
}

impl End {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Will => "will",
            Self::Retired => "retired",
        }
    }
}

/// All that happened to one merchant.
#[derive(Clone)]
pub(super) struct Life {
    pub(super) index: u64,
    pub(super) traits: Traits,
    pub(super) trade: Trade,
    pub(super) credit: Credit,
    pub(super) stock_takings: Vec<StockTaking>,
    membership: Option<Membership>,
    pub(super) starting_cash: f64,
    pub(super) end: Option<(Second, End)>,
    pub(super) closed: Option<Second>,
}

/// Demand of one merchant, apart from what its own conduct does to it.
#[derive(Clone)]
struct Demand {
    wander: f64,
    blow: f64,
}

impl Demand {
    /// Expected orders today, and the season's part in them.
    fn today(&mut self, draw: &mut Draw, traits: &Traits, world: &World, day: usize) -> (f64, f64) {
        const WEEK: [f64; 7] = [1.08, 1.06, 1.04, 1.02, 1.0, 0.92, 0.88];
        let kind = INDUSTRIES.get(traits.industry).unwrap_or(&INDUSTRIES[0]);
        let angle = (world.calendar.day_of_year(day) - kind.peak_day) / 365.0 * std::f64::consts::TAU;
        let season = exp(kind.season * cos(angle));
        self.wander = 0.985 * self.wander + 0.06 * draw.normal();
        if draw.chance(0.14 / 365.0) {
            self.blow += draw.between(0.4, 1.8);
        }
        self.blow *= 0.9985;
        let drift = traits.growth * day as f64 / 365.0 + self.wander - self.blow;
        let tide = world.tides.factor(traits.industry, day);
        let weekday = WEEK.get(world.calendar.weekday(day)).copied().unwrap_or(1.0);
        (traits.daily_orders * season * weekday * tide * exp(drift), season)
    }
}

/// A merchant in the midst of its life.
#[derive(Clone)]
pub(super) struct Living {
    pub(super) life: Life,
    pub(super) purse: Purse,
    /// Its dealings with a lender who makes offers; `None` while it borrows from the lender of the history.
    pub(super) dealings: Option<Dealings>,
    draw: Draw,
    demand: Demand,
    /// Days on which it fakes orders.
    bursts: Vec<i64>,
    attacked_on: Option<i64>,
    reports_stock: bool,
    fame: f64,
    days_under: i64,
}

/// Streams of a merchant's day are numbered by merchant and day.
const DAYS_OF_A_LIFE: u64 = 1 << 20;

impl Living {
    /// On the eve of its first day.
    pub(super) fn new(world: &World, index: u64) -> Self {
        let calendar = &world.calendar;
        let mut draw = Draw::new(world.settings.seed, "merchant", index);
        let traits = Traits::draw(&mut draw, &world.settings, calendar);
        let purse = Purse::new(&traits, calendar.days);
        let first_day = first_day(&traits, calendar);
        let last_day = count(calendar.days) - 1;
        let bursts = if traits.is_brusher { plan_bursts(&mut draw, first_day, last_day) } else { Vec::new() };
        let attacked_on = traits.is_attacked.then(|| draw.whole(first_day, (last_day - 12).max(first_day)));
        let membership = membership_of(index, world);
        let reports_stock = draw.chance(0.7);
        let life = Life {
            index,
            starting_cash: purse.cash,
            traits,
            trade: Trade::default(),
            credit: Credit::default(),
            stock_takings: Vec::new(),
            membership,
            end: None,
            closed: None,
        };
        let demand = Demand { wander: 0.35 * draw.normal(), blow: 0.0 };
        Self { life, purse, dealings: None, draw, demand, bursts, attacked_on, reports_stock, fame: 0.0, days_under: 0 }
    }

    /// Lives the days from `from` up to, but not including, `until`; those before its registration pass it by.
    pub(super) fn live_through(&mut self, world: &World, from: i64, until: i64) {
        for day in from.max(first_day(&self.life.traits, &world.calendar))..until {
            self.live_a_day(world, day);
        }
    }

    /// Goes on with draws of another stream: the same past, other luck.
    pub(super) fn go_on_with(&mut self, draw: Draw) {
        self.draw = draw;
    }

    /// All that happened, once nothing more does.
    pub(super) fn into_life(mut self) -> Life {
        self.go_dark();
        self.life
    }

    /// Begins to deal with a lender who makes offers. From now on what it sells and how it borrows have streams of their own for every day, so
    /// that another lender changes its trade through money alone.
    pub(super) fn meet_lender(&mut self, dealings: Dealings) {
        self.go_dark();
        self.life.trade.numbers_are_known = true;
        self.dealings = Some(dealings);
    }

    fn stream(&self, world: &World, purpose: &str, day: i64) -> Draw {
        let number = self.life.index * DAYS_OF_A_LIFE + u64::try_from(day).unwrap_or(0);
        Draw::new(world.settings.seed, purpose, number)
    }

    fn live_a_day(&mut self, world: &World, day: i64) {
        let Ok(at) = usize::try_from(day) else { return };
        let calendar = &world.calendar;
        let mut own_credit = None;
        if self.dealings.is_some() {
            self.draw = self.stream(world, "a day of trade", day);
            own_credit = Some(self.stream(world, "a day of credit", day));
        }
        let Self { life, purse, dealings, draw, demand, bursts, attacked_on, reports_stock, fame, days_under } = self;
        let (orders, season) = demand.today(draw, &life.traits, world, at);
        let stopped_days = life.end.map(|(dark, _)| day - calendar.day_of(dark));
        let alive = match stopped_days {
            None => 1.0,
            Some(days) if days < 6 && life.end.is_some_and(|e| e.1 != End::Retired) => 0.5,
            Some(_) => 0.0,
        };
        let conduct = Conduct {
            care: life.traits.diligence - 2.0 * purse.strain,
            honesty: life.traits.honesty,
            strain: purse.strain,
        };
        if bursts.contains(&day) && life.end.is_none() {
            brush(&mut life.trade, draw, &life.traits, calendar, day, world.rings);
            *fame = 0.2;
        }
        if *attacked_on == Some(day) && life.end.is_none() {
            attack(&mut life.trade, draw, &life.traits, calendar, day, world.rings);
        }
        *fame *= 0.98;
        let expected = orders * alive * (1.0 + *fame) * (1.0 - 0.5 * purse.strain * purse.strain);
        for _ in 0..draw.poisson(expected) {
            let position = life.trade.place(draw, &life.traits, conduct, calendar, day, world.rings.buyers);
            if life.end.is_none() {
                life.book(purse, calendar, position);
            }
        }
        if life.end.is_some() {
            life.wind_down(own_credit.as_mut().unwrap_or(draw), purse, calendar, day, at);
            if dealings.is_some() && alive > 0.0 {
                self.go_dark();
            }
            return;
        }
        let expected_sales = expected * life.traits.mean_amount();
        life.credit.sales_12m += expected_sales - life.credit.sales_12m / 365.0;
        let owed = life.credit.outstanding();
        let received = purse.live_a_day(draw, &life.traits, at, expected_sales, owed);
        let group = life.membership.filter(|m| m.joined < calendar.midnight(day)).map(|m| m.group);
        let traits = &life.traits;
        let today = Today { traits, calendar, day, received, season, is_dark: false, group };
        life.credit.repay(own_credit.as_mut().unwrap_or(draw), purse, today);
        if life.traits.is_borrower && dealings.is_none() {
            life.credit.borrow(draw, purse, &life.trade, today);
        }
        if *reports_stock && (day + 1 + whole_index(life.index)) % 30 == 0 {
            life.take_stock(draw, purse, day);
        }
        *days_under = if life.is_under(purse) { *days_under + 1 } else { 0 };
        if let Some(end) = life.meets_end(draw, purse, *days_under) {
            life.stop(draw, purse, calendar, day, end);
        } else if let Some(mut own) = own_credit.filter(|_| life.traits.is_borrower) {
            self.seek(world, &mut own, day, season, group);
        }
    }

    /// Takes back what a merchant who stopped would have shipped since.
    fn go_dark(&mut self) {
        if let Some((dark, end)) = self.life.end
            && end != End::Retired
        {
            self.life.trade.go_dark(&mut self.draw, dark);
        }
    }
}

fn first_day(traits: &Traits, calendar: &Calendar) -> i64 {
    calendar.day_of(traits.registered).max(-1) + 1
}

impl Life {
    /// Lives through the whole simulated span.
    pub(super) fn live(world: &World, index: u64) -> Self {
        let mut living = Living::new(world, index);
        living.live_through(world, 0, count(world.calendar.days));
        living.into_life()
    }

    /// Its guarantee group; who closed before the signing did not sign.
    pub(super) fn membership(&self) -> Option<Membership> {
        self.membership.filter(|m| self.closed.is_none_or(|closed| closed > m.joined))
    }

    /// Books the money side of an order.
    fn book(&self, purse: &mut Purse, calendar: &Calendar, position: usize) {
        let Some(order) = self.trade.orders.get(position) else { return };
        if order.paid.is_none() {
            return;
        }
        let amount = order.amount as f64;
        if order.cancelled.is_none() {
            purse.buy_goods(amount * (1.0 - self.traits.margin));
        }
        if let Some(completed) = order.completed {
            purse.expect(calendar.day_of(completed), Purse::net_of_commission(amount));
            if let Some(refunded) = order.refunded {
                purse.expect(calendar.day_of(refunded), -(order.refund as f64));
            }
        }
    }

    fn is_under(&self, purse: &Purse) -> bool {
        purse.cash < -(12.0 * purse.planned_sales + self.traits.order_value)
    }

    /// Whether, and how, this is the merchant's last day of trade.
    fn meets_end(&self, draw: &mut Draw, purse: &Purse, days_under: i64) -> Option<End> {
        let owed = self.credit.outstanding();
        let temptation = (owed / (30.0 * purse.planned_sales + 1.0)).min(3.0);
        let will_goes = 0.025 * exp(-1.3 * self.traits.honesty) * temptation * (1.0 + 4.0 * purse.strain) / 365.0;
        if draw.chance(will_goes.min(0.05)) {
            Some(End::Will)
        } else if days_under > 30 && draw.chance(0.03) {
            Some(End::Cash)
        } else if owed <= 0.0 && draw.chance(0.04 / 365.0) {
            Some(End::Retired)
        } else {
            None
        }
    }

    fn stop(&mut self, draw: &mut Draw, purse: &mut Purse, calendar: &Calendar, day: i64, end: End) {
        let dark = calendar.midnight(day + 1);
        self.end = Some((dark, end));
        self.closed = Some(dark + draw.whole(10 * DAY, 60 * DAY));
        if end == End::Retired {
            return;
        }
        self.trade.go_dark(draw, dark);
        *purse = Purse::new(&self.traits, calendar.days);
        purse.cash = 0.0;
        for order in &self.trade.orders {
            if let Some(completed) = order.completed.filter(|c| *c >= dark) {
                purse.expect(calendar.day_of(completed), Purse::net_of_commission(order.amount as f64));
            }
        }
    }

    /// After the end: what escrow still releases is deducted for open loans, and days past due go on.
    fn wind_down(&mut self, draw: &mut Draw, purse: &mut Purse, calendar: &Calendar, day: i64, at: usize) {
        let received = purse.received(at);
        let traits = &self.traits;
        let today = Today { traits, calendar, day, received, season: 1.0, is_dark: true, group: None };
        self.credit.repay(draw, purse, today);
    }

    fn take_stock(&mut self, draw: &mut Draw, purse: &mut Purse, day: i64) {
        let cover_days = draw.log_normal(24.0, 0.15) * (1.0 - 0.5 * purse.strain);
        let shelves = cover_days * purse.planned_sales * (1.0 - self.traits.margin);
        self.stock_takings.push(StockTaking {
            day,
            stock_value: whole(shelves + purse.stock),
            cost_of_sales: whole(purse.cost_of_sales),
        });
        purse.cost_of_sales = 0.0;
    }
}

/// Stock is taken on a day of the month of each merchant's own.
fn whole_index(index: u64) -> i64 {
    i64::try_from(index % 30).unwrap_or(0)
}
