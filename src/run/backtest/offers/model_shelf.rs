//! The models of a backtest: for every date one that was trained on what was known then.

use std::path::PathBuf;
use std::rc::Rc;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::domain::{AsOf, Digest};
use crate::model::registry::Bundle;
use crate::run::Job;
use crate::run::approval::shortfall;
use crate::run::error::RunError;
use crate::run::job_training::train_job;
use crate::run::model_choice::{ModelChoice, choose_model};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::saved_models::save_models;
use crate::run::tonights_model::check_model;
use crate::score::Reference;
use crate::store::Store;

/// A model in use.
pub struct ShelfModel {
    /// The model.
    pub bundle: Bundle,
    /// Its reference population.
    pub reference: Reference,
    /// Trained for the backtest; otherwise it is one of the job's own.
    pub is_own: bool,
    /// Why the job would not have approved it by itself; `None` where it would, or somebody did.
    pub shortfall: Option<String>,
    store: PathBuf,
    config: Digest,
}

/// Models that were trained, or found, so far.
pub struct ModelShelf {
    folder: PathBuf,
    retrain_days: Option<u16>,
    models: Vec<Rc<ShelfModel>>,
}

impl ModelShelf {
    pub fn new(folder: PathBuf, retrain_days: Option<u16>) -> Self {
        Self { folder, retrain_days, models: Vec::new() }
    }

    /// The model that decides a date: the job's own that held then, or the one that is in use, or a new one. One that nobody would have approved
    /// is used all the same, and named: nothing is lent.
    ///
    /// # Errors
    /// Too little history to train on, or a model whose bands are not the policy's.
    pub fn model_for(
        &mut self,
        job: &Job,
        rules: &JobRules,
        store: &Store,
        on: &AsOf,
        progress: &dyn Progress,
    ) -> Result<Rc<ShelfModel>, RunError> {
        let (config, date) = (rules.model_digest(job), on.date());
        let of_job = self.models.iter().rev().filter(|model| model.config == config && model.store == store.folder());
        if let Some(model) = of_job.into_iter().find(|model| self.holds(&model.bundle, date)) {
            return Ok(Rc::clone(model));
        }
        let settings = &job.model;
        // A version that is refused tonight is none for that night either.
        let chosen = choose_model(&job.models, &settings.name, settings.version.as_deref(), date, config);
        let found = chosen.ok().and_then(|chosen| match chosen.model {
            ModelChoice::Use(bundle) if self.holds(&bundle, date) => Some(*bundle),
            ModelChoice::Use(_) | ModelChoice::Train => None,
        });
        let is_own = found.is_none();
        let bundle = match found {
            Some(bundle) => bundle,
            None => self.train(job, rules, store, on, progress)?,
        };
        let shortfall = shortfall(settings, bundle.test_figures().as_ref()).filter(|_| bundle.approval.is_none());
        let (bundle, reference) = check_model(rules, bundle, progress)?;
        let model = ShelfModel { bundle, reference, is_own, shortfall, store: store.folder().to_owned(), config };
        let model = Rc::new(model);
        self.models.push(Rc::clone(&model));
        Ok(model)
    }

    fn train(
        &self,
        job: &Job,
        rules: &JobRules,
        store: &Store,
        on: &AsOf,
        progress: &dyn Progress,
    ) -> Result<Bundle, RunError> {
        progress.note(&format!("training a model on what was known on {}", on.date()));
        let trained = train_job(&job.model, rules, store, on, progress)?;
        // Jobs that train alike would save under one name.
        let folder = self.folder.join(self.models.len().to_string());
        Ok(save_models(&folder, &job.model, &trained, rules.model_digest(job), on)?)
    }

    /// Whether a model was there on a date, and neither expired nor too old.
    fn holds(&self, bundle: &Bundle, on: Date) -> bool {
        let origin = &bundle.manifest.origin;
        let is_fresh = |days: u16| origin.trained_on.saturating_add(i64::from(days).days()) > on;
        origin.trained_on <= on
            && origin.expires_on.is_none_or(|last| on <= last)
            && self.retrain_days.is_none_or(is_fresh)
    }
}
