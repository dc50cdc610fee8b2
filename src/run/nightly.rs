//! The nightly whole: lock, configuration, ingest, model, measure, decide, gates, publish.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::decide::{DecideError, Decided, DecisionContext, decide_shard};
use super::facts::ShardFacts;
use super::gates::{GateError, check_gates};
use super::model_choice::{ModelChoice, choose_model};
use super::open_offers::read_open_offers;
use super::population::{PopulationError, Prepared, finish_shards, industry_totals, prepare_shards};
use super::progress::Progress;
use super::publishing::{PublishInputs, publish_run};
use super::rules::JobRules;
use super::summary::RunSummary;
use super::training::{TrainingError, save_models, train_job};
use super::wide::{ShardParts, WideTables};
use crate::config::ConfigError;
use crate::domain::{AsOf, AsOfError, Digest};
use crate::exposure::GroupTotals;
use crate::model::ModelError;
use crate::model::registry::{Bundle, Registry};
use crate::publish::{
    Begun, InputFile, Pointing, PreviousRun, PublishError, Published, Publisher, RunIdentity, previous_run,
};
use crate::run::Job;
use crate::score::Reference;
use crate::wash::{AsOfChoice, IngestError, IngestProgress, Ingested, ingest};

/// Why a run stopped. Nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Configuration.
    #[error("read the configuration: {0}")]
    Config(#[from] ConfigError),
    /// Reading and washing.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Training.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// Choosing, loading or saving a model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Measuring.
    #[error(transparent)]
    Population(#[from] PopulationError),
    /// Deciding.
    #[error(transparent)]
    Decide(#[from] DecideError),
    /// A publishing gate.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// Publishing.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Dates.
    #[error(transparent)]
    AsOf(#[from] AsOfError),
}

/// What the caller decides about a run. The clock and the command line are the caller's too.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Observation date; otherwise the job's, otherwise the day after the last day of full trade.
    pub as_of: Option<Date>,
    /// Folder of the raw files, instead of the job's.
    pub data: Option<PathBuf>,
    /// Folder of the raw files of several jobs (`INTEGRITY_DATA`): `<folder>/<job>` where that is there, else the folder itself where it
    /// holds one of the job's inputs. The job's own folder otherwise: what is set for one job must not break another.
    pub data_root: Option<PathBuf>,
    /// Output folder, instead of the job's.
    pub out: Option<PathBuf>,
    /// Model folder, instead of the job's.
    pub models: Option<PathBuf>,
    /// When the run began: stands in the manifest only.
    pub started_at: Timestamp,
    /// The command as typed: stands in the manifest only.
    pub command_line: Vec<String>,
    /// Version of the code, for the run's identity.
    pub code_version: String,
}

/// What a run came to.
#[derive(Debug)]
pub struct RunOutcome {
    /// The run folder.
    pub published: Published,
    /// `false` where this very run had been published before.
    pub is_new: bool,
    /// Its summary.
    pub summary: RunSummary,
}

/// Opens a job with the caller's overrides.
pub(super) fn open_job(path: &Path, options: &RunOptions) -> Result<Job, ConfigError> {
    let mut job = Job::open(path)?;
    if let Some(data) = &options.data {
        job.intake.source.data.clone_from(data);
    } else if let Some(root) = &options.data_root {
        let own = root.join(&job.name);
        if own.is_dir() {
            job.intake.source.data = own;
        } else if holds_an_input(&job, root) {
            job.intake.source.data.clone_from(root);
        }
    }
    if let Some(out) = &options.out {
        job.out.clone_from(out);
    }
    if let Some(models) = &options.models {
        job.models.clone_from(models);
    }
    Ok(job)
}

/// Whether any input of the job is found below a folder.
fn holds_an_input(job: &Job, folder: &Path) -> bool {
    job.intake.source.inputs.values().any(|input| {
        let first = input.files.split(['*', '?', '[', '{']).next().unwrap_or_default();
        let fixed = if first == input.files { first } else { first.rsplit_once('/').map_or("", |(path, _)| path) };
        !fixed.is_empty() && folder.join(fixed).exists()
    })
}

/// Runs a job and publishes its results.
///
/// # Errors
/// See [`RunError`]; whatever it is, readers of the output folder still see the run before.
pub fn run_job(path: &Path, options: &RunOptions, progress: &dyn Progress) -> Result<RunOutcome, RunError> {
    let job = open_job(path, options)?;
    let rules = JobRules::open(&job)?;
    progress.note(&format!("data from {}", job.intake.source.data.display()));
    let mut publisher = Publisher::open(&job.out)?;

    let ingested = ingest_job(&job, options.as_of, &job.out.join("store"), progress)?;
    let as_of = &ingested.as_of;
    progress.note(&format!("as of {}", as_of.date()));

    let previous = previous_run(&job.out, as_of.date())?;
    for run in previous.iter().flat_map(|p| &p.passed_over) {
        progress.note(&format!("passed over {run}: its manifest is damaged"));
    }
    let (bundle, reference) = models_for(&job, &rules, &ingested, progress)?;
    let identity = RunIdentity {
        as_of: as_of.date(),
        config_digest: job.digest,
        model_digest: model_digest(&bundle)?,
        code_version: options.code_version.clone(),
        inputs: ingested
            .inputs
            .iter()
            .map(|i| InputFile { name: i.path.clone(), bytes: i.bytes, sha256: i.sha256 })
            .collect(),
        previous: previous.as_ref().map(PreviousRun::identity),
    };
    let mut stage = match publisher.begin(identity, Pointing::Forward)? {
        Begun::Stage(stage) => stage,
        Begun::NothingNew(published) => return earlier(published, false),
        Begun::Repointed(published) => return earlier(published, true),
    };

    let context = DecisionContext {
        as_of,
        features: &rules.features,
        policy: &rules.policy,
        monitor: &rules.monitor,
        bundle: &bundle,
        reference: &reference,
        currency: job.intake.currency,
    };
    let declared = JobRules::declared_tables(&job);
    let terms = rules.policy.account_terms(&declared);
    let open = read_open_offers(previous.as_ref())?;
    progress.stage("measure", Some(u64::from(ingested.store.buckets())));
    let wide = WideTables::new(&stage.scratch()?, &rules.features, as_of).map_err(DecideError::from)?;
    let prepared = prepare_shards(&ingested.store, as_of, &rules, progress, |seen| {
        Ok::<_, DecideError>((ShardFacts::of(seen, &open, &terms)?, wide.write_evidence(seen)?))
    })?;
    for overflow in prepared.iter().flat_map(Prepared::overflows) {
        progress.note(&format!(
            "merchant {}: measure {} adds up to more than 64 bits hold; it is unknown for this merchant",
            overflow.merchant, overflow.measure
        ));
    }
    let totals = industry_totals(&prepared);
    let mut groups = GroupTotals::default();
    for shard in &prepared {
        groups.merge(&shard.taken.0.accounts.groups);
    }
    progress.stage("score and decide", Some(u64::from(ingested.store.buckets())));
    let decided = finish_shards(prepared, &totals, &rules, progress, |shard| {
        let (mut facts, evidence) = shard.taken;
        facts.accounts.share_groups(&groups, &terms);
        let features = wide.write_features(shard.bucket, &shard.features)?;
        Ok::<_, DecideError>((decide_shard(&shard.features, &facts, &context)?, ShardParts { features, evidence }))
    })?;
    let (shards, parts): (Vec<Decided>, Vec<ShardParts>) = decided.into_iter().unzip();
    let mut decided = Decided::join(shards)?;
    decided.add_unseen(&open, &ingested.unattributed, as_of.date());

    let summary = super::summarise::summarise(&job, &ingested, &decided, &bundle);
    check_gates(&ingested, &decided, &rules.policy, rules.monitor.unknown_limit)?;
    progress.stage("publish", None);
    let inputs = PublishInputs {
        job: &job,
        ingested: &ingested,
        decided,
        bundle: &bundle,
        wide: &wide,
        parts: &parts,
        summary: &summary,
    };
    publish_run(&mut stage, inputs)?;
    let published = stage.publish(crate::publish::Provenance {
        started_at: options.started_at,
        finished_at: Timestamp::now(),
        command_line: options.command_line.clone(),
    })?;
    Ok(RunOutcome { published, is_new: true, summary })
}

/// A run that was published before; its own summary is read back.
fn earlier(published: Published, is_new: bool) -> Result<RunOutcome, RunError> {
    let path = published.run_dir.join("results.json");
    let text =
        std::fs::read(&path).map_err(|source| PublishError::Io { action: "read", path: path.clone(), source })?;
    let summary = serde_json::from_slice(&text).map_err(|e| PublishError::Malformed { path, why: e.to_string() })?;
    Ok(RunOutcome { published, is_new, summary })
}

/// Reads and washes a job's data.
pub(super) fn ingest_job(
    job: &Job,
    as_of: Option<Date>,
    store: &Path,
    progress: &dyn Progress,
) -> Result<Ingested, IngestError> {
    progress.stage("read and wash", Some(job.intake.source.sources.len() as u64));
    ingest(&job.intake, as_of.map_or(AsOfChoice::JobOrLatest, AsOfChoice::Day), store, &mut |event| {
        if let IngestProgress::Stored { .. } = event {
            progress.advance(1);
        }
    })
}

fn models_for(
    job: &Job,
    rules: &JobRules,
    ingested: &Ingested,
    progress: &dyn Progress,
) -> Result<(Bundle, Reference), RunError> {
    let settings = &job.model;
    let as_of: &AsOf = &ingested.as_of;
    let config = rules.model_digest(job);
    let choose = || {
        let chosen = choose_model(&job.models, &settings.name, settings.version.as_deref(), as_of.date(), config)?;
        chosen.notes.iter().for_each(|note| progress.note(note));
        Ok::<_, ModelError>(chosen.model)
    };
    let mut choice = choose()?;
    let mut lock = None;
    if matches!(choice, ModelChoice::Train) {
        lock = Some(Registry::new(&job.models).lock(&settings.name, &mut |why| progress.note(why))?);
        // Another job may have trained it meanwhile.
        choice = choose()?;
    }
    let bundle = match choice {
        ModelChoice::Use(bundle) => *bundle,
        ModelChoice::Train => {
            progress.note("no approved model fits this configuration and date: training one");
            let trained = train_job(settings, rules, &ingested.store, as_of, progress)?;
            let bundle = save_models(&job.models, settings, &trained, config, as_of)?;
            if let Some(why) =
                super::training::shortfall(settings, &bundle.validation).filter(|_| bundle.approval.is_none())
            {
                return Err(ModelError::Refused { path: bundle.folder, why }.into());
            }
            bundle.check_use(as_of.date(), Some(config))?;
            bundle
        }
    };
    drop(lock);
    rules.policy.check_bands(&band_names(&bundle))?;
    let reference = super::training::reference_of(&bundle)?;
    progress.note(&format!("model {}", bundle.id()));
    Ok((bundle, reference))
}

fn band_names(bundle: &Bundle) -> Vec<String> {
    bundle.scorecard.bands.iter().map(|b| b.name.clone()).collect()
}

/// The manifest names every file of the model by digest; the approval does not change a score.
fn model_digest(bundle: &Bundle) -> Result<Digest, ModelError> {
    let path = bundle.folder.join("manifest.json");
    Digest::of_file(&path).map_err(|source| ModelError::Io { path, source })
}

/// Counts by table of what could be seen.
pub(super) fn visible_counts(ingested: &Ingested) -> BTreeMap<String, super::summary::TableCounts> {
    let mut tables: BTreeMap<String, super::summary::TableCounts> = BTreeMap::new();
    for line in &ingested.ledger {
        let counts = tables.entry(line.table.clone()).or_default();
        counts.kept += line.kept - line.not_yet_visible.min(line.kept);
        counts.quarantined += line.quarantined;
        counts.duplicate += line.duplicate.saturating_sub(line.copies);
    }
    tables
}

/// Checks a job's configuration and data, and writes nothing that stays.
///
/// # Errors
/// What `run` would refuse before it trains or scores.
pub fn check_job(path: &Path, options: &RunOptions, progress: &dyn Progress) -> Result<Ingested, RunError> {
    let job = open_job(path, options)?;
    JobRules::open(&job)?;
    let scratch = scratch_folder()?;
    Ok(ingest_job(&job, options.as_of, &scratch.path().join("store"), progress)?)
}

/// Trains a job's models and saves them, whether or not there are others.
///
/// # Errors
/// What a run would refuse before it scores; a model of this very data and configuration exists already.
pub fn train_model(path: &Path, options: &RunOptions, progress: &dyn Progress) -> Result<Bundle, RunError> {
    let job = open_job(path, options)?;
    let rules = JobRules::open(&job)?;
    let scratch = scratch_folder()?;
    let ingested = ingest_job(&job, options.as_of, &scratch.path().join("store"), progress)?;
    let as_of = &ingested.as_of;
    let _lock = Registry::new(&job.models).lock(&job.model.name, &mut |why| progress.note(why))?;
    let trained = train_job(&job.model, &rules, &ingested.store, as_of, progress)?;
    Ok(save_models(&job.models, &job.model, &trained, rules.model_digest(&job), as_of)?)
}

fn scratch_folder() -> Result<tempfile::TempDir, PublishError> {
    tempfile::tempdir().map_err(|source| PublishError::Io {
        action: "make a scratch folder below",
        path: std::env::temp_dir(),
        source,
    })
}
