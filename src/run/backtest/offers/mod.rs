//! What a policy would have offered in the past, and what became of the loans that were really made.
//!
//! ```text
//! for every past date, oldest first
//!   model ── trained on what was known then, used until it expires
//!   features, ledger, accounts, alerts as of that date ──▶ offers and declines, under the policy and under the other one
//!   loans really made up to the next date ── each meets the decision on its merchant and product
//! at the end: what became of these loans ──▶ approval, loss, non-performing share and profit by band, vintage and product; swaps
//! ```
//! **What is not known stays a range.** Of a loan that is still open and was never in default, or whose books do not agree, nobody knows how it
//! ends; of an offer whose merchant drew no loan nobody knows whether it would have been drawn, or repaid; and a loan above the limit would have
//! been a smaller one. Every figure that rests on such a loan or offer is given from its lowest to its highest value: the lowest loss is that of all
//! ending well, the highest that of all ending badly. Two things are taken as given: what a merchant did with a loan does not depend on who
//! made it, and a merchant who repaid a loan would have repaid a smaller one.
//!
//! Offers of one date are not carried to the next: nobody could draw them, and each date's offers take the place of those before. What officers
//! decided is of other nights, and is left out.

mod figures;
mod follow;
mod loan_fate;
mod model_shelf;
mod night;
mod page;
mod report;
mod side;

use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::Date;

pub use figures::{Approval, LoanFigures, MoneyRange, OfferFigures, ShareRange};
pub use follow::{DateLine, SwapSet, Swaps};
pub use report::{ModelUsed, OfferBacktest, SideReport};

use super::BacktestError;
use crate::config::ConfigFile;
use crate::domain::AsOf;
use crate::offer::Policy;
use crate::run::Job;
use crate::run::as_of::as_of_to_train;
use crate::run::error::RunError;
use crate::run::night_tables::ingest_job;
use crate::run::options::{RunOptions, open_job, with_options};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::scratch::Scratch;
use crate::store::Store;
use follow::Followed;
use loan_fate::MadeLoans;
use model_shelf::ModelShelf;
use side::Side;

/// What the caller decides about a backtest of offers.
#[derive(Debug, Clone)]
pub struct OfferBacktestOptions {
    /// First date; by default a year before the last.
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
struct Dates {
    dates: Vec<Date>,
    until: Date,
}

impl Dates {
    fn new(as_of: Date, performance_days: u16, how: &OfferBacktestOptions) -> Result<Self, BacktestError> {
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

/// Replays a job's offers over its past and follows the loans that were really made.
///
/// # Errors
/// What a run would refuse before it publishes; a date on whose history no model can be trained; a job without a loan book.
pub fn backtest_offers(
    path: &Path,
    options: &RunOptions,
    how: &OfferBacktestOptions,
    progress: &dyn Progress,
) -> Result<OfferBacktest, RunError> {
    let job = open_job(path, options)?;
    let rules = JobRules::open(&job)?;
    let other = how.against.as_deref().map(|against| Other::open(against, &job, &rules, options)).transpose()?;
    let chosen = as_of_to_train(&job, options, progress)?;
    let dates = Dates::new(chosen.date, job.model.performance_days, how)?;
    let scratch = Scratch::new()?;
    let ingested = ingest_job(&job, chosen.date, &scratch.path().join("store"), None, progress)?;
    let as_of = &ingested.as_of;
    // Another job has rows, and so a store, of its own.
    let other_job = other.as_ref().and_then(|other| other.job.as_ref());
    let other_rows =
        other_job.map(|job| ingest_job(job, chosen.date, &scratch.path().join("other"), None, progress)).transpose()?;

    let made = made_loans(&ingested.store, as_of, &rules, &dates)?;
    let mut shelf = ModelShelf::new(scratch.path().join("models"), how.retrain_days);
    let mut own = Side::new(path, &job, &rules, &ingested);
    let mut against = other.as_ref().zip(how.against.as_deref()).map(|(other, path)| {
        Side::new(path, other.job.as_ref().unwrap_or(&job), &other.rules, other_rows.as_ref().unwrap_or(&ingested))
    });
    let mut followed = Followed::new(&made, &rules.policy, other.as_ref().map(|other| &other.rules.policy));
    for on in &dates.dates {
        let date = AsOf::new(*on, as_of.time_zone().clone())?;
        let night = own.decide(&date, &made, &mut shelf, progress)?;
        let other = against.as_mut().map(|side| side.decide(&date, &made, &mut shelf, progress)).transpose()?;
        followed.add_date(*on, night, other);
    }
    let end = AsOf::new(dates.until, as_of.time_zone().clone())?;
    followed.end(dates.until, side::loans_on(&ingested.store, &end, &rules, &made)?);
    Ok(report::report(&job, as_of, how, followed.close(), &own, against.as_ref()))
}

/// What a job is compared with: its policy, or all of another job.
struct Other {
    job: Option<Job>,
    rules: JobRules,
}

impl Other {
    fn open(path: &Path, job: &Job, rules: &JobRules, options: &RunOptions) -> Result<Self, RunError> {
        let file = ConfigFile::open(path)?;
        let keys: toml::Table = file.parse()?;
        if keys.contains_key("policy") {
            let other = with_options(Job::open(path)?, options);
            let rules = JobRules::open(&other)?;
            return Ok(Self { job: Some(other), rules });
        }
        let rules = rules.under(job, Policy::check(file)?)?;
        Ok(Self { job: None, rules })
    }
}

fn made_loans(store: &Store, as_of: &AsOf, rules: &JobRules, dates: &Dates) -> Result<MadeLoans, BacktestError> {
    let from = dates.dates.first().copied().unwrap_or(dates.until);
    MadeLoans::read(store, as_of, rules, (from, dates.until))
}

#[cfg(test)]
#[path = "offers_tests.rs"]
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "small numbers of tests")]
mod tests;
