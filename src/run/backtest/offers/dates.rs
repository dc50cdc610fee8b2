//! Which past dates a backtest of offers replays.

use std::path::PathBuf;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::run::backtest::BacktestError;

/// What the caller decides about a backtest of offers.
#[derive(Debug, Clone)]
pub struct OfferBacktestOptions {
    /// First date; by default a year before the last, or the first one after it on whose history a model can be trained.
    pub from: Option<Date>,
    /// Last date; by default the last one after which the performance window has closed.
    pub to: Option<Date>,
    /// Days from one date to the next.
    pub every_days: u16,
    /// A model older than so many days is trained anew; by default each is used until it expires.
    pub retrain_days: Option<u16>,
    /// A policy file, or a job file, to compare with.
    pub against: Option<PathBuf>,
}

/// Days from the first date to the last where the caller names no first one.
const USUAL_SPAN_DAYS: i64 = 360;

/// The dates that are replayed, oldest first, and the day before which loans are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dates {
    pub dates: Vec<Date>,
    pub until: Date,
}

impl Dates {
    pub fn new(as_of: Date, performance_days: u16, how: &OfferBacktestOptions) -> Result<Self, BacktestError> {
        let to = how.to.unwrap_or_else(|| as_of.saturating_sub(i64::from(performance_days).days()));
        let from = how.from.unwrap_or_else(|| to.saturating_sub(USUAL_SPAN_DAYS.days()));
        let last = as_of.saturating_sub(1.days());
        if to > last {
            return Err(BacktestError::NothingFollows { to, last });
        }
        let step = i64::from(how.every_days.max(1)).days();
        let dates = std::iter::successors(Some(from), |day| day.checked_add(step).ok());
        let dates: Vec<Date> = dates.take_while(|day| *day <= to).collect();
        let Some(end) = dates.last() else { return Err(BacktestError::TooShort { from, to, nights: 0 }) };
        let until = end.saturating_add(step).min(as_of);
        Ok(Self { dates, until })
    }
}
