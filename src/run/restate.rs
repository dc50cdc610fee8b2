//! Another version of a past night: the same rules and model, with the facts that became known since.
//!
//! A night sees what happened and was recorded before its date. What happened before it and was recorded later (a dispute that came in late, a
//! corrected amount, a payment booked after the fact) a restatement sees as well, up to a date that it names; and it reads the files as they are now.
//! All else is that of the first version: configuration, model, and the night before. So what differs comes from the data alone.
//!
//! Nobody was ever offered what a restatement holds. It is published beside the first version, which its date goes on standing by, and no night
//! builds on it.

use jiff::civil::Date;

use super::as_of::AsOfRule;
use super::error::RunError;
use super::night_tables::prepare;
use super::nightly::{Night, RunOutcome, earlier, identity};
use super::options::{RunOptions, open_job, with_options};
use super::pinned::Pinned;
use super::progress::Progress;
use super::rules::JobRules;
use super::scratch::Scratch;
use super::stages::StageClock;
use super::tonights_model::check_model;
use crate::model::registry::load_folder;
use crate::publish::{
    Begun, Pointing, PreviousIdentity, Prunings, PublishError, PublishedRun, Publisher, RestatedCounts, RestatedNight,
    RunIdentity, standing_run,
};

/// What a restatement came to.
#[derive(Debug)]
pub struct Restatement {
    /// The run that is restated.
    pub first: PreviousIdentity,
    /// What was recorded before midnight of this date counts.
    pub known_before: Date,
    /// What the first version was made from and is not there as it was: nothing was published.
    pub missing: Vec<String>,
    /// The new version, and how it differs.
    pub made: Option<(RunOutcome, RestatedCounts)>,
}

/// Restates the night of `as_of`, with what was recorded before `known_before`, by default the date on which it is restated. Raw files are read from the
/// job's data folder or the one in `options`; of the job only the folders are used, its rules are those that the first version was published with.
///
/// # Errors
/// No run of that date stands, its manifest is damaged, or what stops a night.
pub fn restate_night(
    path: &std::path::Path,
    as_of: Date,
    known_before: Option<Date>,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<Restatement, RunError> {
    let progress = &StageClock::new(progress, options.clock, options.peak_memory);
    let folders = open_job(path, options)?;
    let out = folders.out.clone();
    if !out.is_dir() {
        return Err(PublishError::NothingPublished(out).into());
    }
    let mut publisher = Publisher::open(&out)?;
    let standing = standing_run(&out, as_of)?.ok_or_else(|| Prunings::no_run_of(&out, as_of))?;
    let first = PublishedRun::open(&standing.run_dir)?;
    let manifest = first.manifest();
    let scratch = Scratch::new()?;
    let pinned = Pinned::new(&first, scratch.path());
    let mut missing = Vec::new();
    pinned.model(&mut missing)?;
    pinned.night_before(&mut missing)?;
    let job = pinned.job(&mut missing)?;
    let zone = job.as_ref().map_or(&folders.intake.time_zone, |job| &job.intake.time_zone);
    let known_before = known_before.unwrap_or_else(|| zone.to_datetime(options.started_at).date());
    let restates = RestatedNight { first: first.identity(), known_before };
    let (Some(job), true) = (job, missing.is_empty()) else {
        return Ok(Restatement { first: restates.first, known_before, missing, made: None });
    };

    let again = RunOptions {
        as_of: Some(AsOfRule::Day(as_of)),
        force_as_of: manifest.as_of_forced.clone(),
        data: Some(folders.intake.source.data.clone()),
        data_root: None,
        out: Some(pinned.before()),
        ..options.clone()
    };
    let mut job = with_options(job, &again);
    job.intake.known_before = Some(known_before);
    let rules = JobRules::open(&job)?;
    let mut tables = prepare(&job, &rules, &again, &scratch.path().join("store"), None, progress)?;
    tables.chosen.is_guess = manifest.as_of_guessed;
    tables.beside = pinned.runs_beside()?;
    tables.judged.stop_on_faults()?;
    let (bundle, reference) = check_model(&rules, load_folder(&pinned.model_folder())?, progress)?;
    let identity = RunIdentity { restates: Some(restates.clone()), ..identity(&job, &tables, &bundle, &again)? };
    let outcome = match publisher.begin(identity, Pointing::Beside)? {
        Begun::Stage(mut stage) => {
            if let Some(policy) = folders.archive {
                stage.archive_inputs(&folders.intake.source.data, policy)?;
            }
            let mut notes = vec![format!("restates run {}", restates.first.run_id)];
            if manifest.code_version != options.code_version {
                notes.push(format!("the first version was published by program {}", manifest.code_version));
            }
            let night = Night {
                job: &job,
                rules: &rules,
                tables: &tables,
                bundle: &bundle,
                reference: &reference,
                restates: Some(&first),
                is_rehearsal: false,
            };
            night.decide_and_publish(stage, &again, notes, progress)?
        }
        Begun::NothingNew(published) | Begun::Repointed(published) => earlier(published, progress.stages())?,
    };
    let counts = RestatedCounts::of(&PublishedRun::open(&outcome.published.run_dir)?)?;
    Ok(Restatement { first: restates.first, known_before, missing, made: Some((outcome, counts)) })
}
