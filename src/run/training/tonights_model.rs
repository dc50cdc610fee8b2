//! The model of a night: one that is approved and fits, or one trained for it.

use std::path::Path;

use super::approval::shortfall;
use super::job_training::train_job;
use super::model_choice::{ModelChoice, choose_model};
use super::saved_models::{reference_of, save_models};
use crate::model::ModelError;
use crate::model::registry::{Bundle, Registry};
use crate::run::as_of::as_of_to_train;
use crate::run::error::RunError;
use crate::run::job::Job;
use crate::run::night_tables::ingest_job;
use crate::run::options::{RunOptions, open_job};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::scratch::Scratch;
use crate::score::Reference;
use crate::wash::Ingested;

/// The model that scores tonight; one is trained where none fits.
pub(in crate::run) fn models_for(
    job: &Job,
    rules: &JobRules,
    ingested: &Ingested,
    progress: &dyn Progress,
) -> Result<(Bundle, Reference), RunError> {
    if let Some(bundle) = fitting_model(job, rules, ingested, progress)? {
        return check_model(rules, bundle, progress);
    }
    let _lock = Registry::new(&job.models).lock(&job.model.name, &mut |why| progress.note(why))?;
    // Another process may have trained it while this one waited.
    let bundle = match fitting_model(job, rules, ingested, progress)? {
        Some(bundle) => bundle,
        None => train_for_tonight(job, rules, ingested, &job.models, progress)?,
    };
    check_model(rules, bundle, progress)
}

/// An approved model that fits this configuration and date.
pub(in crate::run) fn fitting_model(
    job: &Job,
    rules: &JobRules,
    ingested: &Ingested,
    progress: &dyn Progress,
) -> Result<Option<Bundle>, ModelError> {
    let (settings, as_of) = (&job.model, ingested.as_of.date());
    let config = rules.model_digest(job);
    let chosen = choose_model(&job.models, &settings.name, settings.version.as_deref(), as_of, config)?;
    chosen.notes.iter().for_each(|note| progress.note(note));
    match chosen.model {
        ModelChoice::Use(bundle) => Ok(Some(*bundle)),
        ModelChoice::Train => Ok(None),
    }
}

/// Trains a model and saves it below `models`; it must come out approved.
pub(in crate::run) fn train_for_tonight(
    job: &Job,
    rules: &JobRules,
    ingested: &Ingested,
    models: &Path,
    progress: &dyn Progress,
) -> Result<Bundle, RunError> {
    progress.note("no approved model fits this configuration and date: training one");
    let (settings, as_of) = (&job.model, &ingested.as_of);
    let config = rules.model_digest(job);
    let trained = train_job(settings, rules, &ingested.store, as_of, progress)?;
    let bundle = save_models(models, settings, &trained, config, as_of)?;
    let shortfall = shortfall(settings, bundle.test_figures().as_ref());
    if let Some(why) = shortfall.filter(|_| bundle.approval.is_none()) {
        return Err(ModelError::Refused { path: bundle.folder, why }.into());
    }
    bundle.check_use(as_of.date(), Some(config))?;
    Ok(bundle)
}

/// The model with its reference population, once its bands are those of the policy.
pub(in crate::run) fn check_model(
    rules: &JobRules,
    bundle: Bundle,
    progress: &dyn Progress,
) -> Result<(Bundle, Reference), RunError> {
    let bands: Vec<String> = bundle.scorecard.bands.iter().map(|b| b.name.clone()).collect();
    rules.policy.check_bands(&bands)?;
    let reference = reference_of(&bundle)?;
    progress.note(&format!("model {}", bundle.id()));
    Ok((bundle, reference))
}

/// Trains a job's models and saves them, whether or not there are others.
///
/// # Errors
/// What a run would refuse before it scores; a model of this very data and configuration exists already.
pub fn train_model(path: &Path, options: &RunOptions, progress: &dyn Progress) -> Result<Bundle, RunError> {
    let job = open_job(path, options)?;
    let rules = JobRules::open(&job)?;
    let chosen = as_of_to_train(&job, options, progress)?;
    let scratch = Scratch::new()?;
    let ingested = ingest_job(&job, chosen.date, &scratch.path().join("store"), None, progress)?;
    let as_of = &ingested.as_of;
    let _lock = Registry::new(&job.models).lock(&job.model.name, &mut |why| progress.note(why))?;
    let trained = train_job(&job.model, &rules, &ingested.store, as_of, progress)?;
    Ok(save_models(&job.models, &job.model, &trained, rules.model_digest(&job), as_of)?)
}
