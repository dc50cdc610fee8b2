//! What could be foreseen at all: each borrower's life is gone on with many times from past nights, with other luck.
//!
//! On a night on which a borrower owes something and is late with nothing, everything about it is copied, hidden traits, cash and orders under way among
//! them, and lived on for [`HORIZON_DAYS`] days, as often as was asked for, each time with a stream of draws of its own. The share of these lives in
//! which a loan goes bad is the chance of it given all that is there on the night: no watcher can know more, except what will be drawn by chance. They even
//! know what becomes of orders that are placed already, and what the industry's demand will be.

use super::calendar::count;
use super::credit::bad_from;
use super::draw::Draw;
use super::life::{Life, Living, World};
use super::rows::{Cell, Id, Rows};
use super::truth;

/// Days that each life goes on: those within which an alert is judged by what follows.
const HORIZON_DAYS: i64 = 180;
/// Days from one night to the next.
const EVERY_DAYS: i64 = 7;
/// Nights, the last one [`HORIZON_DAYS`] before the end of the simulation.
const NIGHTS: i64 = 52;
/// Streams of a merchant are numbered by merchant, night and life.
const STREAMS_OF_A_MERCHANT: u64 = 1 << 24;

impl Life {
    /// Lives through the whole simulated span, and tells what could be foreseen on the way.
    pub(super) fn live_foreseen(world: &World, index: u64) -> (Self, Rows) {
        let mut rows = Rows::new(&truth::OUTLOOKS);
        let days = count(world.calendar.days);
        let mut living = Living::new(world, index);
        let mut lived = 0;
        for night in (0..NIGHTS).rev().map(|n| days - HORIZON_DAYS - n * EVERY_DAYS).filter(|night| *night > 0) {
            living.live_through(world, lived, night);
            lived = night;
            if living.life.credit.owes_and_is_current(night) {
                rows.push(foresee(&living, world, night));
            }
        }
        living.live_through(world, lived, days);
        (living.into_life(), rows)
    }
}

/// A row of `outlooks`.
fn foresee(living: &Living, world: &World, night: i64) -> [Cell; 7] {
    let lives = u64::from(world.settings.outlook_lives);
    let index = living.life.index;
    let before = &living.life.credit.loans;
    let owed: Vec<i64> = before.iter().map(|loan| if loan.is_open { loan.principal_left() } else { 0 }).collect();
    let (mut bad, mut soon, mut bad_minor) = (0_i64, 0_i64, 0_i64);
    let of_night = u64::try_from(night).unwrap_or(0) * lives;
    for life in 0..lives {
        let mut other = living.clone();
        other.go_on_with(Draw::new(
            world.settings.seed,
            "another life",
            index * STREAMS_OF_A_MERCHANT + of_night + life,
        ));
        let mut turned_bad: Vec<Option<i64>> = Vec::new();
        for day in night..night + HORIZON_DAYS {
            other.live_through(world, day, day + 1);
            let loans = &other.life.credit.loans;
            turned_bad.resize(loans.len(), None);
            for (turned, loan) in turned_bad.iter_mut().zip(loans) {
                if turned.is_none() && loan.has_defaulted() {
                    *turned = Some(day - bad_from(loan.product));
                }
            }
        }
        // What was bad before the night is over, or was made good.
        turned_bad
            .iter_mut()
            .zip(before)
            .filter(|(_, before)| before.has_defaulted())
            .for_each(|(turned, _)| *turned = None);
        let missed = turned_bad.iter().flatten().min();
        bad += i64::from(missed.is_some());
        soon += i64::from(missed.is_some_and(|day| *day < night + 30));
        bad_minor +=
            turned_bad.iter().zip(&owed).filter(|(turned, _)| turned.is_some()).map(|(_, owed)| owed).sum::<i64>();
    }
    let lives = i64::try_from(lives).unwrap_or(i64::MAX);
    [
        Cell::Id(Id::Merchant(index)),
        Cell::Day(world.calendar.date32(night)),
        Cell::Int(owed.iter().sum()),
        Cell::Int(lives),
        Cell::Int(bad),
        Cell::Int(soon),
        Cell::Int(bad_minor / lives.max(1)),
    ]
}
