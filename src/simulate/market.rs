//! A marketplace that lives on while a lender makes offers.
//!
//! Up to the first night merchants borrow from the lender of the history, as everywhere in the simulator: its book is what a model learns from.
//! From then on they deal with the lender whose offers they are given. The rows of this marketplace reach the lender as they are: none comes
//! late, twice or broken.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;
use rayon::prelude::*;

use super::calendar::{Calendar, count};
use super::dealings::{Dealings, LeftOffer, MoneyCost, PATIENCE_DAYS, StandingOffer};
use super::error::SimulateError;
use super::life::{Living, World};
use super::run::{Files, prepare};
use super::schedule::Repayment;
use super::settings::SimulationSettings;
use super::tables::Tables;
use crate::domain::{date_of_days, days_since_epoch};

/// How long the marketplace lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketSpan {
    /// The first day of the lender's.
    pub lends_from: Date,
    /// The first day on which it lends no more.
    pub lends_until: Date,
    /// Days after that within which what is lent runs out.
    pub run_off_days: u16,
}

/// The lender that merchants meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketLender {
    /// What money costs it, in parts per million a day on what is owed.
    pub cost_daily_ppm: i64,
    /// It knows how every loan would go, and pays out none that would lose money.
    pub knows_truth: bool,
}

/// How an offered loan is repaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketRepayment {
    /// All at the end.
    Bullet,
    /// Equal parts of principal.
    EqualPrincipal,
    /// Equal payments.
    EqualInstalment,
    /// A share of each day's receipts.
    SalesShare {
        /// That share, in parts per million.
        share_ppm: i64,
        /// Share of the principal that is to be repaid from one milestone to the next, at the least.
        min_ppm: i64,
        /// Days between them.
        every_days: u16,
    },
}

/// An offer to a merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketOffer {
    /// 24 hexadecimal digits.
    pub offer_id: String,
    /// A product of the contract.
    pub product: String,
    /// The most that may be drawn.
    pub limit_minor: i64,
    /// Interest a day.
    pub daily_rate_ppm: i64,
    /// Days to the last instalment.
    pub term_days: u16,
    /// Evenly spaced instalments.
    pub instalments: u16,
    /// How it is repaid.
    pub repayment: MarketRepayment,
    /// The last day on which it can be drawn.
    pub valid_until_on: Date,
    /// Orders that secure it.
    pub pledged_order_ids: Vec<String>,
}

/// A loan that the lender paid out, and how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LentLoan {
    /// The borrower's number.
    pub merchant: u64,
    /// Product.
    pub product: &'static str,
    /// The day it was paid out.
    pub lent_on: Date,
    /// What was lent.
    pub principal_minor: i64,
    /// What was paid, bounced payments left out.
    pub received_minor: i64,
    /// Principal that was written off, or is still owed.
    pub lost_minor: i64,
    /// What it earned: paid less lent, less the cost of money.
    pub profit_minor: i64,
    /// It was so many days past due, at the worst, that its product calls it a default.
    pub has_defaulted: bool,
}

/// The lender's open loans on one morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BookOnDay {
    /// Principal owed on loans that are open: neither repaid nor written off.
    pub outstanding_minor: i64,
    /// Of this, owed by merchants with a loan more than 90 days past due or in default.
    pub non_performing_minor: i64,
    /// Principal of loans written off within the year before.
    pub written_off_minor: i64,
}

/// What a merchant asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestsOfMerchant {
    /// Requests.
    pub requests: u64,
    /// Of these, such as were followed by a loan.
    pub served: u64,
    /// Sum of all requests.
    pub wanted_minor: i64,
    /// Sum of the loans that followed.
    pub lent_minor: i64,
    /// Requests without a loan to which an offer stood that was too dear.
    pub too_dear: u64,
    /// Requests that the lender who knows the truth would not serve.
    pub foreseen: u64,
}

/// A request that no loan followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnservedRequest {
    /// The merchant's number.
    pub merchant: u64,
    /// Its id in the tables.
    pub merchant_id: String,
    /// What it asked for.
    pub product: &'static str,
    /// The day of the request.
    pub asked_on: Date,
    /// The last day on which it would still have taken an offer.
    pub waited_until: Date,
    /// Why the last offer that stood meanwhile was left; `None` where none stood.
    pub left: Option<LeftOffer>,
    /// The lender who knows the truth would not serve it.
    pub was_foreseen: bool,
    /// The merchant stopped trading while it waited.
    pub has_stopped_trading: bool,
}

/// The marketplace.
#[derive(Clone)]
pub struct Market {
    world: std::sync::Arc<World>,
    lives: Vec<Living>,
    /// The day it has come to.
    today: i64,
    last_lending_day: i64,
}

impl Market {
    /// A marketplace on the morning on which lending begins; nobody has met the lender yet. `settings.months` are the months before,
    /// `settings.end_on` is of no matter.
    ///
    /// # Errors
    /// Settings out of range, or a span that leaves the calendar.
    pub fn until_lending(settings: &SimulationSettings, span: &MarketSpan) -> Result<Self, SimulateError> {
        let settings = SimulationSettings { end_on: span.lends_from, ..settings.clone() };
        let start = settings.checked_start()?;
        let bad = |_| SimulateError::BadSetting {
            knob: "months",
            value: span.lends_until.to_string(),
            allowed: "months that end within the calendar",
        };
        let end = span.lends_until.checked_add(i32::from(span.run_off_days).days()).map_err(bad)?;
        let calendar = Calendar::new(start, end);
        let day_of = |date: Date| i64::from(days_since_epoch(date)) - i64::from(days_since_epoch(start));
        let (today, last_lending_day) = (day_of(span.lends_from), day_of(span.lends_until));
        let world = World::new(settings, calendar, usize::try_from(last_lending_day).ok());
        let lives = (0..world.settings.merchants)
            .into_par_iter()
            .map(|index| {
                let mut living = Living::new(&world, index);
                living.live_through(&world, 0, today);
                living
            })
            .collect();
        Ok(Self { world: std::sync::Arc::new(world), lives, today, last_lending_day })
    }

    /// Every merchant meets the lender.
    pub fn meet(&mut self, lender: MarketLender) {
        let cost = MoneyCost { daily_ppm: lender.cost_daily_ppm };
        self.lives.iter_mut().for_each(|l| l.meet_lender(Dealings::new(cost, lender.knows_truth)));
    }

    /// Gives merchants the offers of a night in place of all earlier ones; who gets none has none.
    ///
    /// # Errors
    /// An offer of another kind than merchants of this marketplace can take.
    pub fn offer(&mut self, offers: &BTreeMap<String, Vec<MarketOffer>>) -> Result<(), SimulateError> {
        let world = &self.world;
        let mut taken = 0;
        for living in &mut self.lives {
            let own = offers.get(&super::rows::Id::Merchant(living.life.index).to_string());
            let own = own.map_or(&[][..], Vec::as_slice);
            taken += own.len();
            let standing = own.iter().map(|o| standing(o, &world.calendar)).collect::<Result<Vec<_>, _>>()?;
            if let Some(dealings) = &mut living.dealings {
                dealings.offers = standing;
            }
        }
        let all: usize = offers.values().map(Vec::len).sum();
        if taken == all {
            return Ok(());
        }
        Err(SimulateError::Offer { offer: String::new(), why: format!("{} offers are to nobody here", all - taken) })
    }

    /// Lives up to a day, the day itself left out; from the last day of lending on nothing is asked for.
    pub fn live_until(&mut self, until: Date) {
        let until = self.day_of(until);
        self.live_until_day(until);
    }

    /// Lives until the end of the run-off.
    pub fn run_off(&mut self) {
        self.live_until_day(count(self.world.calendar.days));
    }

    fn live_until_day(&mut self, until: i64) {
        let (world, today, last) = (&self.world, self.today, self.last_lending_day);
        let middle = until.min(last).max(today);
        self.lives.par_iter_mut().for_each(|living| {
            living.live_through(world, today, middle);
            if until > middle {
                if let Some(dealings) = &mut living.dealings {
                    dealings.has_ended = true;
                }
                living.live_through(world, middle, until);
            }
        });
        self.today = until.max(today);
    }

    fn day_of(&self, date: Date) -> i64 {
        i64::from(days_since_epoch(date)) - i64::from(self.world.calendar.date32(0))
    }

    /// Writes all that has happened into the new or empty folder `out`, a Parquet file a contract table and `truth/`.
    ///
    /// # Errors
    /// A folder that is not empty, or a disk that refuses.
    pub fn write(&self, out: &Path) -> Result<(), SimulateError> {
        prepare(out)?;
        let mut files = Files::create(out, &self.world, self.world.settings.checked_start()?)?;
        let end = self.world.calendar.midnight(self.today);
        let blocks: Vec<Tables> = self
            .lives
            .par_chunks(64)
            .map(|lives| {
                let mut block = Tables::new(&self.world.settings);
                for living in lives {
                    block.append(Tables::of(&living.life, &self.world, end));
                }
                block
            })
            .collect();
        files.write(&blocks)?;
        files.finish().map(|_| ())
    }

    /// The loans that the lender paid out.
    #[must_use]
    pub fn lent(&self) -> Vec<LentLoan> {
        let date = |day: i64| date_of_days(self.world.calendar.date32(day).into()).unwrap_or(Date::MAX);
        let of_living = |living: &Living| -> Vec<LentLoan> {
            let Some(dealings) = &living.dealings else { return Vec::new() };
            let loans = living.life.credit.loans.iter().filter(|l| l.offer.is_some());
            loans
                .map(|loan| LentLoan {
                    merchant: living.life.index,
                    product: loan.product,
                    lent_on: date(loan.opened_day),
                    principal_minor: loan.principal,
                    received_minor: loan.received,
                    lost_minor: loan.principal_left(),
                    profit_minor: loan.profit(dealings.cost),
                    has_defaulted: loan.has_defaulted(),
                })
                .collect()
        };
        self.lives.iter().flat_map(of_living).collect()
    }

    /// The lender's book this morning.
    #[must_use]
    pub fn book(&self) -> BookOnDay {
        let mut book = BookOnDay::default();
        let year_ago = self.world.calendar.midnight(self.today - 360);
        for living in &self.lives {
            let loans = &living.life.credit.loans;
            // One loan in default marks all of the borrower's.
            let is_marked = loans.iter().any(|l| l.is_open && l.is_non_performing(self.today));
            for loan in loans.iter().filter(|l| l.offer.is_some()) {
                let left = loan.principal_left();
                if loan.is_open {
                    book.outstanding_minor += left;
                    book.non_performing_minor += if is_marked { left } else { 0 };
                } else if loan.written_off.is_some_and(|at| at >= year_ago) {
                    book.written_off_minor += left;
                }
            }
        }
        book
    }

    /// What merchants who asked at least once asked for, by the merchant's number.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<u64, RequestsOfMerchant> {
        let mut all = BTreeMap::new();
        for living in &self.lives {
            let requests = living.dealings.iter().flat_map(|d| &d.requests);
            for request in requests {
                let of: &mut RequestsOfMerchant = all.entry(living.life.index).or_default();
                of.requests += 1;
                of.served += u64::from(request.got > 0);
                of.wanted_minor += request.wanted;
                of.lent_minor += request.got;
                of.too_dear += u64::from(request.got == 0 && request.left == Some(LeftOffer::TooDear));
                of.foreseen += u64::from(request.was_foreseen);
            }
        }
        all
    }
}

impl Market {
    /// The requests that no loan followed, by merchant and day.
    #[must_use]
    pub fn unserved(&self) -> Vec<UnservedRequest> {
        let date = |day: i64| date_of_days(self.world.calendar.date32(day).into()).unwrap_or(Date::MAX);
        let of_living = |living: &Living| -> Vec<UnservedRequest> {
            let requests = living.dealings.iter().flat_map(|d| &d.requests);
            let dark = living.life.end.map(|(dark, _)| self.world.calendar.day_of(dark));
            requests
                .filter(|request| request.got == 0)
                .map(|request| UnservedRequest {
                    merchant: living.life.index,
                    merchant_id: super::rows::Id::Merchant(living.life.index).to_string(),
                    product: request.product,
                    asked_on: date(request.day),
                    waited_until: date(request.day + PATIENCE_DAYS),
                    left: request.left,
                    was_foreseen: request.was_foreseen,
                    has_stopped_trading: dark.is_some_and(|dark| dark <= request.day + PATIENCE_DAYS),
                })
                .collect()
        };
        self.lives.iter().flat_map(of_living).collect()
    }
}

fn standing(offer: &MarketOffer, calendar: &Calendar) -> Result<StandingOffer, SimulateError> {
    let refuse = |why: &str| SimulateError::Offer { offer: offer.offer_id.clone(), why: why.to_owned() };
    let id = u128::from_str_radix(&offer.offer_id, 16).ok().filter(|_| offer.offer_id.len() == 24);
    let product = ["order-loan", "credit-loan", "group-loan"].into_iter().find(|p| *p == offer.product);
    // `o0000012-000034` is the thirty-fourth order of merchant 12.
    let position = |order: &String| {
        let number = order.rsplit_once('-').and_then(|(_, n)| n.parse::<usize>().ok());
        number.and_then(|n| n.checked_sub(1)).ok_or_else(|| refuse("it rests on an order that no merchant here has"))
    };
    let term_days = i64::from(offer.term_days);
    Ok(StandingOffer {
        id: id.ok_or_else(|| refuse("its id is not 24 hexadecimal digits"))?,
        product: product.ok_or_else(|| refuse("no such product"))?,
        left: offer.limit_minor,
        daily_rate_ppm: offer.daily_rate_ppm,
        term_days,
        spacing: match offer.repayment {
            MarketRepayment::SalesShare { every_days, .. } => i64::from(every_days.max(1)),
            _ => (term_days / i64::from(offer.instalments.max(1))).max(1),
        },
        repayment: match offer.repayment {
            MarketRepayment::Bullet => Repayment::Bullet,
            MarketRepayment::EqualPrincipal => Repayment::EqualPrincipal,
            MarketRepayment::EqualInstalment => Repayment::EqualInstalment,
            MarketRepayment::SalesShare { share_ppm, min_ppm, .. } => Repayment::SalesShare { share_ppm, min_ppm },
        },
        last_day: i64::from(days_since_epoch(offer.valid_until_on)) - i64::from(calendar.date32(0)),
        pledged: offer.pledged_order_ids.iter().map(position).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
#[path = "market_tests.rs"]
mod tests;
