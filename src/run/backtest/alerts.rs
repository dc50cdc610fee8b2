//! Alerts of past nights replayed and judged, from the job file to the report.

use std::path::Path;

use super::hazard::add_hazard;
use super::plan::{BacktestOptions, Plan};
use super::replay::{Replayed, replay};
use super::report::{AlertBacktest, report};
use crate::monitor::HazardTerms;
use crate::run::as_of::as_of_to_train;
use crate::run::error::RunError;
use crate::run::night_tables::ingest_job;
use crate::run::options::{RunOptions, open_job};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::scratch::Scratch;

/// Replays the alerts of a job over its past and judges them.
///
/// # Errors
/// What a run would refuse before it scores; a period without room for two halves or for outcomes.
pub fn backtest_alerts(
    path: &Path,
    options: &RunOptions,
    how: &BacktestOptions,
    progress: &dyn Progress,
) -> Result<AlertBacktest, RunError> {
    let job = open_job(path, options)?;
    let rules = JobRules::open(&job)?;
    let chosen = as_of_to_train(&job, options, progress)?;
    let scratch = Scratch::new()?;
    let ingested = ingest_job(&job, chosen.date, &scratch.path().join("store"), None, progress)?;
    let terms = rules.monitor.hazard;
    // A row's outcome is known once its horizon has passed and whoever missed a payment in it has had the time to default.
    let longest_dpd = rules.ledger.default_dpd.values().copied().max().unwrap_or_default();
    let matures_days = |terms: &HazardTerms| terms.horizon_days.saturating_add(longest_dpd);
    let mut plan = Plan::new(&ingested.as_of, job.model.performance_days, how)?;
    if let Some(terms) = &terms {
        let nights = terms.nights_every(plan.every_days);
        plan = plan.learning(nights, matures_days(terms));
    }
    let Replayed { mut panel, hazard } = replay(&ingested.store, &ingested.as_of, &rules, &plan, progress)?;
    progress.stage("judge alerts", None);
    let add = |(hazard, terms)| add_hazard(&mut panel, hazard, &plan, terms, matures_days(&terms));
    let hazard = hazard.zip(terms).map(add).transpose()?;
    Ok(report(&job.name, &plan, &panel, hazard))
}
