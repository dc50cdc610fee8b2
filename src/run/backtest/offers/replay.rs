//! Offers of past dates replayed, and the loans that were really made followed, from the job file to the report.

use std::path::Path;

use super::dates::{Dates, OfferBacktestOptions};
use super::follow::Followed;
use super::loan_fate::MadeLoans;
use super::model_shelf::ModelShelf;
use super::report::{OfferBacktest, report};
use super::side::{Side, loans_on};
use crate::config::ConfigFile;
use crate::domain::AsOf;
use crate::offer::Policy;
use crate::run::Job;
use crate::run::as_of::as_of_to_train;
use crate::run::backtest::BacktestError;
use crate::run::error::RunError;
use crate::run::job_training::TrainingError;
use crate::run::night_tables::ingest_job;
use crate::run::options::{RunOptions, open_job, with_options};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::scratch::Scratch;
use crate::store::Store;
use crate::wash::Ingested;

/// Replays a job's offers over its past and follows the loans that were really made.
///
/// # Errors
/// What a run would refuse before it publishes; a date on whose history no model can be trained, but for first ones that the caller does not name; a job without a loan book.
pub fn backtest_offers(
    path: &Path,
    options: &RunOptions,
    how: &OfferBacktestOptions,
    progress: &dyn Progress,
) -> Result<OfferBacktest, RunError> {
    let job = open_job(path, options)?;
    let rules = JobRules::open(&job)?;
    let other =
        how.against.as_deref().map(|against| ComparedRules::open(against, &job, &rules, options)).transpose()?;
    let chosen = as_of_to_train(&job, options, progress)?;
    let mut dates = Dates::new(chosen.date, job.model.performance_days, how)?;
    let scratch = Scratch::new()?;
    let ingested = ingest_job(&job, chosen.date, &scratch.path().join("store"), None, progress)?;
    let as_of = &ingested.as_of;
    // Another job has rows, and so a store, of its own.
    let other_job = other.as_ref().and_then(|other| other.job.as_ref());
    let other_rows =
        other_job.map(|job| ingest_job(job, chosen.date, &scratch.path().join("other"), None, progress)).transpose()?;

    let mut shelf = ModelShelf::new(scratch.path().join("models"), how.retrain_days);
    if how.from.is_none() {
        begin_with_a_model(&mut dates, (&job, &rules), &ingested, &mut shelf, progress)?;
    }
    let made = made_loans(&ingested.store, as_of, &rules, &dates)?;
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
    followed.end(dates.until, loans_on(&ingested.store, &end, &rules, &made)?);
    Ok(report(&job, as_of, how, followed.close(), &own, against.as_ref()))
}

/// Leaves out dates before the first one on whose history a model can be trained, where the caller names no first date.
fn begin_with_a_model(
    dates: &mut Dates,
    (job, rules): (&Job, &JobRules),
    ingested: &Ingested,
    shelf: &mut ModelShelf,
    progress: &dyn Progress,
) -> Result<(), RunError> {
    while let [first, _, ..] = dates.dates.as_slice() {
        let on = AsOf::new(*first, ingested.as_of.time_zone().clone())?;
        match shelf.model_for(job, rules, &ingested.store, &on, progress) {
            Err(RunError::Training(TrainingError::TooFewLabels { rows, bad, .. })) => {
                let told = format!(
                    "{first}: {rows} labelled merchants, {bad} of them bad, are too few to train on; beginning later"
                );
                progress.note(&told);
                dates.dates.remove(0);
            }
            found => return found.map(|_| ()),
        }
    }
    Ok(())
}

/// The rules that a job is compared with: another policy, or all of another job.
struct ComparedRules {
    job: Option<Job>,
    rules: JobRules,
}

impl ComparedRules {
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
