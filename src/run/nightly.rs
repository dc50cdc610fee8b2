//! The nightly whole: lock, configuration, ingest, model, measure, decide, gates, publish.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use super::as_of::{AsOfRule, ChosenAsOf, as_of_to_train, choose_as_of};
use super::decide::{DecideError, Decided, DecisionContext, decide_shard};
use super::decided_tables::DecidedTables;
use super::drift_report::{DriftCounts, drift_report};
use super::facts::{LookedAt, ShardFacts};
use super::features_before::FeaturesBefore;
use super::gate_settings::Fault;
use super::gates::{GateError, Pledges, check_gates, check_settled, check_shard};
use super::hazard::Foresight;
use super::intake_gates::{JudgedIntake, judge_intake};
use super::interchange_files::tell_lineage;
use super::model_choice::{ModelChoice, choose_model};
use super::new_pledges::owners_of_new_pledges;
use super::officers_work::decisions_about_nobody;
use super::open_offers::{
    parts_per_million, read_book_before, read_loan_evidence, read_member_risks, read_members_before, read_offers_since,
    read_standing_alerts, read_states_before,
};
use super::past_months::PastMonths;
use super::population::{PopulationError, finish_shards, prepare_shards};
use super::portfolio_report::{PortfolioReport, ReportError};
use super::progress::Progress;
use super::publishing::{PublishInputs, publish_run, published_model_digest};
use super::receipts;
use super::rules::JobRules;
use super::scenarios::{Scenarios, measure_scenarios};
use super::scratch::{self, Scratch};
use super::settlement::{Waiting, apply, claims_of};
use super::stages::StageClock;
use super::summarise::Totals;
use super::summary::RunSummary;
use super::training::{TrainingError, save_models, train_job};
use super::unseen::Unseen;
use super::wide::WideTables;
use crate::config::ConfigError;
use crate::contract;
use crate::core_system::CoreSystemError;
use crate::domain::{AsOf, AsOfError, parallel};
use crate::exposure::{AccountsBefore, GroupTotals, MembersBefore, OpenOffers, groups_of_broken_members};
use crate::features::Overflow;
use crate::model::ability::CategoryReceipts;
use crate::model::registry::{Bundle, Registry};
use crate::model::{AbilityModel, ModelError, ScoreScale};
use crate::monitor::{
    BookBefore, BookContext, DefaultedGroups, RollMatrix, StandingAlerts, StatesBefore, WatchContext,
};
use crate::offer::{Claims, Invitation, OptimisationSummary, Policy, Settlement};
use crate::publish::{
    AnswersSince, Begun, ConfigCopy, InputFile, LogPosition, Pointing, PreviousRun, Provenance, PublishError,
    Published, PublishedRun, Publisher, RunIdentity, Stage, StageCost, check_override_log, log_overrides, previous_run,
    read_answers, runs_beside, standing_run,
};
use crate::repayment::LoanEvidence;
use crate::run::Job;
use crate::score::Reference;
use crate::spill::{Shelf, Shelved, SpillError};
use crate::store::BrokenRecord;
use crate::wash::{Activity, IngestError, IngestProgress, Ingested, KeepRows, ingest_keeping};

/// Folder of kept rows, below the output folder.
pub(super) const KEPT: &str = "kept";

/// Why a run stopped. Nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Configuration.
    #[error("read the configuration: {0}")]
    Config(#[from] ConfigError),
    /// Several faults of the configuration, in files that do not depend on each other.
    #[error("read the configuration:\n{list}", list = .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Configs(Vec<ConfigError>),
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
    /// Replaying past nights.
    #[error(transparent)]
    Backtest(#[from] super::backtest::BacktestError),
    /// Comparing with a core system's books.
    #[error(transparent)]
    CoreSystem(#[from] CoreSystemError),
}

impl From<ReportError> for RunError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Monitor(error) => DecideError::from(error).into(),
            ReportError::Difference(difference) => GateError::Portfolio(Box::new(difference)).into(),
        }
    }
}

/// What the caller decides about a run. The clock and the command line are the caller's too.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Observation date, or the rule that gives it, instead of the job's.
    pub as_of: Option<AsOfRule>,
    /// Where neither names one: read it off the data, for exploration.
    pub guess_as_of: bool,
    /// Why an observation date past the data's own clock is right all the same.
    pub force_as_of: Option<String>,
    /// Folder of the raw files, instead of the job's.
    pub data: Option<PathBuf>,
    /// Folder of the raw files of several jobs (`INTEGRITY_DATA`): `<folder>/<job>` where that is there, else the folder itself where it
    /// holds one of the job's inputs. The job's own folder otherwise: what is set for one job must not break another.
    pub data_root: Option<PathBuf>,
    /// Output folder, instead of the job's.
    pub out: Option<PathBuf>,
    /// Model folder, instead of the job's.
    pub models: Option<PathBuf>,
    /// Hash files anew whose rows are kept, even where their size and times stand.
    pub rehash: bool,
    /// When the run began: "today" in the job's zone; otherwise it stands in the manifest only.
    pub started_at: Timestamp,
    /// The clock, for when the run ended.
    pub clock: fn() -> Timestamp,
    /// The largest memory of the process so far, in bytes, where the system says it: stands in the manifest only.
    pub peak_memory: fn() -> Option<u64>,
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
    /// What each stage took.
    pub stages: Vec<StageCost>,
}

/// Opens a job with the caller's overrides.
pub(super) fn open_job(path: &Path, options: &RunOptions) -> Result<Job, ConfigError> {
    Job::open(path).map(|job| with_options(job, options))
}

/// A job with the caller's overrides.
pub(super) fn with_options(mut job: Job, options: &RunOptions) -> Job {
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
    job
}

/// Whether any input of the job is found below a folder.
fn holds_an_input(job: &Job, folder: &Path) -> bool {
    job.intake.source.inputs.values().flat_map(|input| &input.files).any(|files| {
        let first = files.split(['*', '?', '[', '{']).next().unwrap_or_default();
        let fixed = if first == files { first } else { first.rsplit_once('/').map_or("", |(path, _)| path) };
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
    run_opened(&job, &rules, options, progress)
}

/// Runs a job that is open already, its folders as they are to be used, under rules that may differ from those of its files.
///
/// # Errors
/// See [`run_job`].
pub fn run_opened(
    job: &Job,
    rules: &JobRules,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<RunOutcome, RunError> {
    let progress = &StageClock::new(progress, options.clock, options.peak_memory);
    progress.note(&format!("data from {}", job.intake.source.data.display()));
    scratch::sweep();
    Registry::new(&job.models).sweep(&job.model.name)?;
    let mut publisher = Publisher::open(&job.out)?;
    let outcome = run_locked(job, rules, options, &mut publisher, progress);
    tell_lineage(job, options, outcome.as_ref().err(), progress);
    outcome
}

/// The night, once nobody else publishes into the output folder.
fn run_locked(
    job: &Job,
    rules: &JobRules,
    options: &RunOptions,
    publisher: &mut Publisher<'_>,
    progress: &StageClock<'_>,
) -> Result<RunOutcome, RunError> {
    let mut notes: Vec<String> = publisher.mended().map(ToOwned::to_owned).into_iter().collect();

    let keep = job
        .intake
        .store
        .keep_rows
        .then(|| KeepRows { rehash: options.rehash, ..KeepRows::at(job.out.join(KEPT), options.code_version.clone()) });
    let prepared = prepare(job, rules, options, &job.out.join("store"), keep.as_ref(), progress)?;
    prepared.judged.stop_on_faults()?;
    notes.extend(decisions_about_nobody(&rules.overrides, &prepared.ingested)?);
    for note in &notes {
        progress.note(note);
    }
    let (bundle, reference) = models_for(job, rules, &prepared.ingested, progress)?;
    let mut identity = identity(job, &prepared, &bundle, options)?;
    if let Some(before) = prepared.beside.iter().find(|run| run.is_run_of(&identity)) {
        identity.beside.clone_from(&before.manifest().beside);
    }
    let mut stage = match publisher.begin(identity, Pointing::Forward)? {
        Begun::Stage(stage) => stage,
        Begun::NothingNew(published) => return earlier(published, false, progress.stages()),
        Begun::Repointed(published) => return earlier(published, true, progress.stages()),
    };
    if let Some(policy) = job.archive {
        stage.archive_inputs(&job.intake.source.data, policy)?;
    }
    let night = Night {
        job,
        rules,
        tables: &prepared,
        bundle: &bundle,
        reference: &reference,
        restates: None,
        is_rehearsal: false,
    };
    night.decide_and_publish(stage, options, notes, progress)
}

/// A night's tables, washed and compared with the night before.
pub(super) struct NightTables {
    /// Which day, and who named it.
    pub chosen: ChosenAsOf,
    /// Clean rows, ledger, quarantine.
    pub ingested: Ingested,
    /// The night before.
    pub previous: Option<PreviousRun>,
    /// What the gates on the tables say.
    pub judged: JudgedIntake,
    /// Runs beside the night before that were published since.
    pub beside: Vec<PreviousRun>,
    /// Applications that were answered by day since the night before.
    pub answers: AnswersSince,
}

/// What the night before left: what is remembered from night to night.
struct NightBefore {
    open: OpenOffers,
    evidence: LoanEvidence,
    members: MembersBefore,
    standing: StandingAlerts,
    features_before: FeaturesBefore,
    states: StatesBefore,
    book_before: Option<BookBefore>,
}

impl NightTables {
    /// Why the date was forced past the data's own clock, where it had to be.
    pub fn forced(&self) -> Option<&str> {
        let allowed = &self.judged.verdict.allowed;
        allowed.iter().find(|a| a.finding.what == Fault::PastData && a.until.is_none()).map(|a| a.reason.as_str())
    }

    /// What the night before left.
    fn night_before(&self, rules: &JobRules) -> Result<NightBefore, RunError> {
        self.check_memory()?;
        let (previous, monitor) = (self.previous.as_ref(), &rules.monitor);
        let open = read_offers_since(previous, &self.beside, &self.answers.answers)?;
        let orders_until = self.ingested.activity.get(contract::ORDERS.name).and_then(Activity::last_on);
        let (store, as_of) = (&self.ingested.store, &self.ingested.as_of);
        let buckets = store.buckets();
        let evidence = read_loan_evidence(previous, &open, monitor, orders_until, buckets)?;
        let owners = owners_of_new_pledges(store, as_of, &evidence)?;
        Ok(NightBefore {
            evidence: evidence.with_order_owners(owners),
            members: read_members_before(previous, &monitor.members_no_longer_sent, buckets)?,
            open,
            standing: read_standing_alerts(previous)?,
            features_before: FeaturesBefore::read(previous, &monitor.features_before())?,
            states: read_states_before(previous)?,
            book_before: read_book_before(previous)?,
        })
    }

    /// Whether all that earlier nights offered can be known.
    fn check_memory(&self) -> Result<(), GateError> {
        match &self.previous {
            Some(previous) if !previous.passed_over.is_empty() => {
                Err(GateError::NightBeforeDamaged { runs: previous.passed_over.clone() })
            }
            _ => Ok(()),
        }
    }
}

/// Chooses the date, reads and washes, and judges what came in.
pub(super) fn prepare(
    job: &Job,
    rules: &JobRules,
    options: &RunOptions,
    store: &Path,
    keep: Option<&KeepRows>,
    progress: &dyn Progress,
) -> Result<NightTables, RunError> {
    let chosen = choose_as_of(job, rules, options, progress)?;
    rules.policy.check_holds(chosen.date)?;
    let ingested = ingest_job(job, chosen.date, store, keep, progress)?;
    progress.note(&format!("as of {}", chosen.date));
    let previous = previous_run(&job.out, chosen.date)?;
    let standing = standing_run(&job.out, chosen.date)?;
    let judged = judge_intake(job, &ingested, previous.as_ref(), standing.as_ref(), options.force_as_of.as_deref())?;
    let read_before = previous.as_ref().map(|run| run.manifest().answers_read()).unwrap_or_default();
    let answers = read_answers(&job.out, read_before, chosen.date)?;
    let beside = runs_beside(&job.out, previous.as_ref(), chosen.date)?;
    check_override_log(&job.out, previous.iter().chain(&beside).map(|run| run.manifest().overrides_written()))?;
    Ok(NightTables { chosen, ingested, previous, judged, beside, answers })
}

/// All that tonight's published bytes depend on.
pub(super) fn identity(
    job: &Job,
    night: &NightTables,
    bundle: &Bundle,
    options: &RunOptions,
) -> Result<RunIdentity, RunError> {
    let inputs = night.ingested.inputs.iter();
    Ok(RunIdentity {
        as_of: night.chosen.date,
        config_digest: job.digest,
        model_digest: published_model_digest(bundle)?,
        code_version: options.code_version.clone(),
        inputs: inputs
            .map(|i| InputFile { name: i.path.clone(), bytes: i.bytes, sha256: i.sha256, is_verified: i.is_verified })
            .collect(),
        time_zone: job.intake.time_zone.iana_name().unwrap_or("UTC").to_owned(),
        currency: job.intake.currency,
        as_of_guessed: night.chosen.is_guess,
        as_of_forced: night.forced().map(ToOwned::to_owned),
        previous: night.previous.as_ref().map(PreviousRun::identity),
        beside: night.beside.iter().map(PreviousRun::identity).collect(),
        answers: night.answers.until,
        restates: None,
    })
}

/// A night: the job, its rules, the tables of the night and the model, with which every shard is decided and published.
pub(super) struct Night<'a> {
    pub job: &'a Job,
    pub rules: &'a JobRules,
    pub tables: &'a NightTables,
    pub bundle: &'a Bundle,
    pub reference: &'a Reference,
    /// The run that this one restates, where it does.
    pub restates: Option<&'a PublishedRun>,
    /// Nobody is decided about: what is published is thrown away, and the log of officers' decisions stays as it is.
    pub is_rehearsal: bool,
}

impl Night<'_> {
    /// Measures, decides, checks the gates and publishes.
    pub fn decide_and_publish(
        &self,
        mut stage: Stage<'_, '_>,
        options: &RunOptions,
        notes: Vec<String>,
        progress: &StageClock<'_>,
    ) -> Result<RunOutcome, RunError> {
        let Self { job, rules, tables: night, bundle, reference, restates, .. } = *self;
        let ingested = &night.ingested;
        let as_of = &ingested.as_of;
        let declared = JobRules::declared_tables(job);
        let terms = rules.policy.account_terms(&declared);
        let NightBefore { open, evidence, members, standing, features_before, states, book_before } =
            night.night_before(rules)?;
        let before = AccountsBefore { open: &open, loans: &evidence, members: &members };
        let past_months = PastMonths::new(&ingested.store, as_of, rules)?;
        progress.stage("measure", Some(u64::from(ingested.store.buckets())));
        progress.rows(ingested.store.all_rows());
        let scratch = stage.scratch()?;
        let wide = WideTables::new(&scratch, &rules.features, as_of).map_err(DecideError::from)?;
        let across = Mutex::new(AcrossShards {
            groups: groups_of_broken_members(&ingested.unattributed, as_of),
            ..AcrossShards::default()
        });
        let horizons = bundle.ability.as_ref().map(AbilityModel::horizon_days).unwrap_or_default();
        let looked_at =
            LookedAt { features: &rules.features, measure: &job.model.ability_measure, horizons: &horizons };
        let prepared = prepare_shards(&ingested.store, as_of, rules, &evidence, progress, |seen| {
            let mut facts = ShardFacts::of(seen, before, &terms, &looked_at)?;
            facts.scenarios = measure_scenarios(seen, rules, &looked_at)?;
            let of_shard = AcrossShards::of(&facts);
            across.lock().unwrap_or_else(PoisonError::into_inner).merge(&of_shard);
            if let Some(ledger) = &facts.ledger {
                past_months.add_shard(seen.whole, ledger)?;
            }
            wide.add_evidence(seen)?;
            Ok::<_, DecideError>(facts)
        })?;
        let AcrossShards { mut groups, categories, defaulted } =
            across.into_inner().unwrap_or_else(PoisonError::into_inner);
        let foresight = Foresight::of(rules, bundle)?;
        let scale = ScoreScale::of(&bundle.scorecard).map_err(DecideError::Scale)?;
        if rules.policy.groups.is_some_and(|terms| terms.dependence.is_some()) {
            let risks = read_member_risks(night.previous.as_ref(), &groups.members())?;
            groups.look_up_risks(&risks, parts_per_million(scale.riskiest().get()));
        }
        let watching = progress.stopwatch();
        let context = DecisionContext {
            as_of,
            features: &rules.features,
            policy: &rules.policy,
            watch: WatchContext { monitor: &rules.monitor, officers: &rules.officers, as_of },
            overrides: &rules.overrides,
            payments_days_late: night.judged.days_late(contract::PAYMENTS.name, ingested),
            standing: &standing,
            features_before: &features_before,
            states: &states,
            book: BookContext {
                monitor: &rules.monitor,
                groups: &defaulted,
                before: book_before.as_ref(),
                horizon_days: rules.policy.price.pd_horizon_days,
                as_of: as_of.date(),
            },
            bundle,
            scale: &scale,
            reference,
            foresight: foresight.as_ref(),
            watching: &watching,
            currency: job.intake.currency,
        };
        let overflows: Vec<Overflow> = prepared.overflows.clone();
        progress.stage("score and decide", Some(u64::from(ingested.store.buckets())));
        progress.rows(ingested.store.rows(contract::MERCHANTS.name).unwrap_or(0));
        let tables = DecidedTables::new(&scratch);
        let may_wait = |record: &BrokenRecord| terms.may_wait(record.known_at, as_of);
        let unseen = Unseen::new(&open, &standing, &ingested.unattributed, may_wait);
        let joined = Mutex::new(Joined::new(unseen, PortfolioReport::new(context.book, &states)));
        let settlement = Settlement::of(&rules.policy).map_err(DecideError::from)?;
        let join = Join { tables: &tables, joined: &joined, settlement: &settlement, policy: &rules.policy, as_of };
        let shelf = Shelf::new(&scratch, HELD_WAITING);
        let waiting = finish_shards(prepared, rules, progress, |shard| {
            let mut facts = shard.taken;
            facts.accounts.share_groups(&groups, &terms);
            wide.add_features(&shard.features)?;
            let scenarios = std::mem::take(&mut facts.scenarios);
            let scenarios = Scenarios::new(scenarios, shard.totals, &rules.features, &bundle.scorecard)?;
            let decided = decide_shard(&shard.features, &facts, &scenarios, &categories, &context)?;
            join.decided(decided, &shelf)
        })?;
        progress.part("watch", ingested.store.rows(contract::LOANS.name).unwrap_or(0), &watching);
        let optimisation = join.settled(waiting, &shelf, progress)?;
        let joined = joined.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (totals, drift) = joined.close(&tables, as_of.date(), &past_months.into_matrices())?;

        check_gates(ingested, &totals, rules.monitor.unknown_limit)?;
        let mut summary = totals.summary(job, night, &overflows, (bundle, &rules.policy));
        summary.optimisation = optimisation;
        tables.add_drift(drift_report(&drift, bundle, night.previous.as_ref(), &summary, &rules.monitor.drift)?)?;
        progress.stage("publish", None);
        let overrides = self.log_overrides()?;
        let inputs = PublishInputs { job, ingested, tables: &tables, bundle, wide: &wide, summary: &summary };
        let config = publish_run(&mut stage, inputs)?;
        if let Some(first) = restates {
            stage.restated_from(first, &scratch)?;
        }
        let published = stage.publish(provenance(options, config, notes, progress.stages(), overrides))?;
        Ok(RunOutcome { published, is_new: true, summary, stages: progress.stages() })
    }

    /// Writes which of the officers' decisions are in force. A dry run and a restatement decide about nobody.
    fn log_overrides(&self) -> Result<LogPosition, PublishError> {
        let on = self.tables.ingested.as_of.date();
        if self.is_rehearsal || self.restates.is_some() {
            return Ok(LogPosition::default());
        }
        log_overrides(&self.job.out, on, &self.rules.overrides.in_force(on))
    }
}

/// How a run that ends now was made.
fn provenance(
    options: &RunOptions,
    config: Vec<ConfigCopy>,
    notes: Vec<String>,
    stages: Vec<StageCost>,
    overrides: LogPosition,
) -> Provenance {
    Provenance {
        started_at: options.started_at,
        finished_at: (options.clock)(),
        command_line: options.command_line.clone(),
        config,
        notes,
        stages,
        overrides,
    }
}

/// Totals over all merchants that deciding any of them needs; shards come in any order.
#[derive(Default)]
struct AcrossShards {
    groups: GroupTotals,
    categories: CategoryReceipts,
    defaulted: DefaultedGroups,
}

impl AcrossShards {
    fn of(facts: &ShardFacts) -> Self {
        Self {
            groups: facts.accounts.groups.clone(),
            categories: receipts::by_category(facts.merchants.values().filter_map(|m| m.receipts.as_ref())),
            defaulted: facts.ledger.as_ref().map(DefaultedGroups::of).unwrap_or_default(),
        }
    }

    fn merge(&mut self, of_shard: &Self) {
        self.groups.merge(&of_shard.groups);
        self.categories.merge(&of_shard.categories);
        self.defaulted.merge(&of_shard.defaulted);
    }
}

/// Bytes of decided shards that are held in memory while they wait for all others.
const HELD_WAITING: usize = 256 << 20;

/// A decided shard that waits until what crosses merchants is settled, and what it asks for.
type WaitingShard = (Shelved, Claims);

/// How shards come together once they are decided.
struct Join<'a, 'j> {
    tables: &'a DecidedTables,
    joined: &'a Mutex<Joined<'j>>,
    settlement: &'a Settlement<'a>,
    policy: &'a Policy,
    as_of: &'a AsOf,
}

impl Join<'_, '_> {
    fn add(&self, shard: &Decided) -> Result<(), RunError> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner).add(shard, self.policy, self.as_of.date())
    }

    /// Adds a shard, but for what has to wait until all merchants are decided: that is put aside.
    fn decided(&self, mut shard: Decided, shelf: &Shelf<Waiting>) -> Result<Option<WaitingShard>, RunError> {
        check_shard(&shard, self.policy)?;
        if !self.policy.crosses_merchants() {
            self.add(&shard)?;
            self.tables.add(shard)?;
            return Ok(None);
        }
        let claims = claims_of(self.settlement, &shard).map_err(DecideError::from)?;
        let shelved = shelf.put(&Waiting::take_from(&mut shard)).map_err(spilled)?;
        self.add(&shard)?;
        // Their rows wait; what is owed on them is counted.
        shard.accounts.clear();
        self.tables.add(shard)?;
        Ok(Some((shelved, claims)))
    }

    /// Settles what crosses merchants, and adds what waited for it.
    fn settled(
        &self,
        waiting: Vec<Option<WaitingShard>>,
        shelf: &Shelf<Waiting>,
        progress: &StageClock<'_>,
    ) -> Result<Option<OptimisationSummary>, RunError> {
        let (shelved, claims): (Vec<Shelved>, Vec<Claims>) = waiting.into_iter().flatten().unzip();
        if shelved.is_empty() {
            return Ok(None);
        }
        progress.stage("settle the portfolio", Some(shelved.len() as u64));
        let (settled, optimisation) = self.settlement.settle(claims);
        parallel::each(shelved.into_iter().zip(settled).collect(), |(shelved, settled)| {
            let mut shard = shelf.take(shelved).map_err(spilled)?.into_shard();
            apply(self.settlement, &mut shard, settled, self.as_of).map_err(DecideError::from)?;
            check_settled(&shard)?;
            let accounts = std::mem::take(&mut shard.accounts);
            self.add(&shard)?;
            shard.accounts = accounts;
            self.tables.add(shard)?;
            progress.advance(1);
            Ok::<_, RunError>(())
        })?;
        Ok(optimisation)
    }
}

fn spilled(error: SpillError) -> RunError {
    PopulationError::from(error).into()
}

/// What is joined from shards as they are decided, in any order.
struct Joined<'a> {
    totals: Totals,
    pledges: Pledges,
    unseen: Unseen<'a>,
    report: PortfolioReport<'a>,
    drift: DriftCounts,
    /// Offers that nobody asked for, not yet ranked.
    invitations: Vec<Invitation>,
}

impl<'a> Joined<'a> {
    fn new(unseen: Unseen<'a>, report: PortfolioReport<'a>) -> Self {
        Self {
            totals: Totals::default(),
            pledges: Pledges::default(),
            unseen,
            report,
            drift: DriftCounts::default(),
            invitations: Vec::new(),
        }
    }

    fn add(&mut self, shard: &Decided, policy: &Policy, tonight: Date) -> Result<(), RunError> {
        self.pledges.add(shard)?;
        if let Some(terms) = &policy.invitations {
            self.invitations.extend(shard.offers.iter().filter_map(|offer| Invitation::of(terms, offer)));
        }
        self.unseen.take_off(shard);
        self.report.add(shard)?;
        self.drift.add(shard);
        Ok(self.totals.add(shard, tonight).map_err(DecideError::from)?)
    }

    /// Adds what belongs to no shard.
    fn close(
        self,
        tables: &DecidedTables,
        tonight: Date,
        months: &[(Date, Date, RollMatrix)],
    ) -> Result<(Totals, DriftCounts), RunError> {
        let Self { mut totals, mut pledges, unseen, report, drift, mut invitations } = self;
        Invitation::rank(&mut invitations);
        tables.add_invitations(invitations)?;
        let mut rest = unseen.rest(tonight, totals.portfolio.is_some());
        rest.borrower_states = report.unseen_states(tonight);
        pledges.add(&rest)?;
        totals.add(&rest, tonight).map_err(DecideError::from)?;
        let (portfolio, rows) = report.close(totals.portfolio.as_ref(), months)?;
        (rest.loan_lines, rest.forecasts) = (rows.lines, rows.forecasts);
        tables.add_portfolio(portfolio)?;
        tables.add(rest)?;
        Ok((totals, drift))
    }
}

/// A run that was published before; its own summary is read back.
pub(super) fn earlier(published: Published, is_new: bool, stages: Vec<StageCost>) -> Result<RunOutcome, RunError> {
    let path = published.run_dir.join("results.json");
    let text =
        std::fs::read(&path).map_err(|source| PublishError::Io { action: "read", path: path.clone(), source })?;
    let summary = serde_json::from_slice(&text).map_err(|e| PublishError::Malformed { path, why: e.to_string() })?;
    Ok(RunOutcome { published, is_new, summary, stages })
}

/// Reads and washes a job's data; `keep` says where rows are kept, if they are.
pub(super) fn ingest_job(
    job: &Job,
    as_of: Date,
    store: &Path,
    keep: Option<&KeepRows>,
    progress: &dyn Progress,
) -> Result<Ingested, IngestError> {
    progress.stage("read", Some(job.intake.source.sources.len() as u64));
    ingest_keeping(&job.intake, as_of, store, keep, &|event| match event {
        IngestProgress::Reading { number, .. } if number > 1 => progress.advance(1),
        IngestProgress::Read { buckets, rows, kept_files, files, rows_read } => {
            progress.rows(rows_read);
            if kept_files > 0 {
                progress.note(&format!("rows of {kept_files} of {files} files were kept by earlier nights"));
            }
            progress.stage("wash", Some(u64::from(buckets)));
            progress.rows(rows);
        }
        IngestProgress::Washed => progress.advance(1),
        IngestProgress::AsOf(_) | IngestProgress::Reading { .. } => {}
    })
}

/// The model that scores tonight; one is trained where none fits.
fn models_for(
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
pub(super) fn fitting_model(
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
pub(super) fn train_for_tonight(
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
    let shortfall = super::training::shortfall(settings, &bundle.validation);
    if let Some(why) = shortfall.filter(|_| bundle.approval.is_none()) {
        return Err(ModelError::Refused { path: bundle.folder, why }.into());
    }
    bundle.check_use(as_of.date(), Some(config))?;
    Ok(bundle)
}

/// The model with its reference population, once its bands are those of the policy.
pub(super) fn check_model(
    rules: &JobRules,
    bundle: Bundle,
    progress: &dyn Progress,
) -> Result<(Bundle, Reference), RunError> {
    let bands: Vec<String> = bundle.scorecard.bands.iter().map(|b| b.name.clone()).collect();
    rules.policy.check_bands(&bands)?;
    let reference = super::training::reference_of(&bundle)?;
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
