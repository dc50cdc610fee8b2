//! The nightly whole: lock, configuration, ingest, model, measure, decide, gates, publish.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::across_shards::AcrossShards;
use super::decide::{DecideError, DecisionContext, decide_shard};
use super::decided_tables::DecidedTables;
use super::drift_report::{DriftCounts, drift_report};
use super::interchange_files::{not_imported, tell_lineage};
use super::join::{HELD_WAITING, Join, Joined};
use super::night_before::NightBefore;
use super::night_tables::{KEPT, NightTables, answers_since, prepare};
use super::officers_work::notes_on_decisions;
use super::open_offers::{parts_per_million, read_member_risks};
use super::portfolio_page::PortfolioPage;
use super::portfolio_report::PortfolioReport;
use super::publishing::{PublishInputs, publish_run, published_model_digest};
use super::state_history::carry_state_changes;
use super::summarise::Totals;
use super::summary::RunSummary;
use crate::contract;
use crate::exposure::{AccountTerms, GroupTotals, groups_of_broken_members};
use crate::features::Overflow;
use crate::model::registry::{Bundle, Registry};
use crate::model::{AbilityModel, ScoreScale};
use crate::monitor::{BookContext, DefaultedGroups, PortfolioTables, WatchContext};
use crate::offer::{OptimisationSummary, Settlement};
use crate::publish::{
    Begun, ConfigCopy, DecisionLog, InputFile, OfficerLogs, Pointing, PreviousRun, Provenance, PublishError, Published,
    PublishedRun, Publisher, RunIdentity, Stage, StageCost, log_decisions,
};
use crate::run::Job;
use crate::run::approval::no_better_than_chance;
use crate::run::decision_gates::check_gates;
use crate::run::error::RunError;
use crate::run::facts::{ReceiptMeasure, ShardFacts};
use crate::run::hazard::HazardScoring;
use crate::run::model_choice::terms_not_foreseen;
use crate::run::options::{RunOptions, open_job};
use crate::run::past_months::PastMonths;
use crate::run::population::{PreparedShards, finish_shards, prepare_shards};
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::scenarios::{Scenarios, measure_scenarios};
use crate::run::scratch;
use crate::run::stages::{StageClock, Stopwatch};
use crate::run::tonights_model::models_for;
use crate::run::unseen::Unseen;
use crate::run::whose_runs::refuse_runs_of_another_job;
use crate::run::wide::WideTables;
use crate::score::Reference;
use crate::spill::Shelf;
use crate::store::BrokenRecord;
use crate::wash::KeepRows;

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
    refuse_runs_of_another_job(job)?;
    let mut notes: Vec<String> = publisher.mended().map(ToOwned::to_owned).into_iter().collect();

    let keep = job
        .intake
        .store
        .keep_rows
        .then(|| KeepRows { rehash: options.rehash, ..KeepRows::at(job.out.join(KEPT), options.code_version.clone()) });
    let mut prepared = prepare(job, rules, options, &job.out.join("store"), keep.as_ref(), progress)?;
    prepared.judged.stop_on_faults()?;
    notes.extend(notes_on_decisions(rules, &prepared.ingested)?);
    for note in &notes {
        progress.note(note);
    }
    let (bundle, reference) = models_for(job, rules, &prepared.ingested, progress)?;
    let of_model = [
        terms_not_foreseen(&bundle, &rules.horizons(&job.model)),
        no_better_than_chance(bundle.test_figures().as_ref()),
    ];
    for note in of_model.into_iter().flatten() {
        progress.note(&note);
        notes.push(note);
    }
    // Nobody answers while the night decides: what is given by day it has to know.
    let _answers = DecisionLog::take_for_night(&job.out)?;
    prepared.answers = answers_since(job, prepared.previous.as_ref())?;
    let mut identity = identity(job, &prepared, &bundle, options)?;
    if let Some(before) = prepared.beside.iter().find(|run| run.is_run_of(&identity)) {
        identity.beside.clone_from(&before.manifest().beside);
    }
    let mut stage = match publisher.begin(identity, Pointing::Forward)? {
        Begun::Stage(stage) => stage,
        Begun::NothingNew(published) => return earlier(published, progress.stages()),
        Begun::Repointed(published) => {
            return Ok(RunOutcome { is_new: true, ..earlier(published, progress.stages())? });
        }
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

/// All that tonight's published bytes depend on.
pub(in crate::run) fn identity(
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
pub(in crate::run) struct Night<'a> {
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

/// What the steps of a night share: what the night before left, and where rows are gathered.
struct NightWork<'a> {
    memory: &'a NightBefore,
    terms: AccountTerms<'a>,
    past_months: &'a PastMonths<'a>,
    wide: &'a WideTables,
    tables: &'a DecidedTables,
    scratch: &'a Path,
}

/// Every shard measured, and what was added up over all of them.
struct MeasuredNight {
    shards: PreparedShards<ShardFacts>,
    across: AcrossShards,
}

/// What is counted over all merchants, once everybody is decided.
struct DecidedNight {
    totals: Totals,
    drift: DriftCounts,
    portfolio: PortfolioTables,
    overflows: Vec<Overflow>,
    optimisation: Option<OptimisationSummary>,
}

/// What a night scores by.
struct NightScoring<'a> {
    scale: &'a ScoreScale,
    hazard: Option<&'a HazardScoring>,
    watching: &'a Stopwatch,
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
        let Self { job, rules, tables: night, bundle, .. } = *self;
        let (ingested, as_of) = (&night.ingested, &night.ingested.as_of);
        let scratch = stage.scratch()?;
        let declared = JobRules::declared_tables(job);
        let work = NightWork {
            memory: &NightBefore::read(&job.out, night, rules, job.gates.rows_sent_days)?,
            terms: rules.policy.account_terms(&declared),
            past_months: &PastMonths::new(&ingested.store, as_of, rules)?,
            wide: &WideTables::new(&scratch, &rules.features, as_of).map_err(DecideError::from)?,
            tables: &DecidedTables::new(&scratch, as_of.date()),
            scratch: &scratch,
        };
        let measured = self.measure(&work, progress)?;
        let decided = self.decide(measured, &work, progress)?;
        check_gates(ingested, &decided.totals, &rules.monitor)?;
        let mut summary = decided.totals.summary(job, night, &decided.overflows, (bundle, &rules.policy));
        summary.optimisation = decided.optimisation;
        let page = &self.complete(work.tables, &decided.portfolio, &decided.drift, &mut summary)?;
        progress.stage("publish", None);
        let officers = self.log_officers()?;
        let inputs =
            PublishInputs { job, ingested, tables: work.tables, bundle, wide: work.wide, summary: &summary, page };
        let config = publish_run(&mut stage, inputs)?;
        if let Some(first) = self.restates {
            stage.restated_from(first, &scratch)?;
        }
        let published = stage.publish(provenance(options, config, notes, progress.stages(), officers))?;
        Ok(RunOutcome { published, is_new: true, summary, stages: progress.stages() })
    }

    /// Takes the facts of every shard, and adds up what crosses merchants.
    fn measure(&self, work: &NightWork<'_>, progress: &StageClock<'_>) -> Result<MeasuredNight, RunError> {
        let Self { job, rules, tables: night, bundle, .. } = *self;
        let (ingested, as_of) = (&night.ingested, &night.ingested.as_of);
        progress.stage("measure", Some(u64::from(ingested.store.buckets())));
        progress.rows(ingested.store.all_rows());
        let across = Mutex::new(AcrossShards {
            groups: groups_of_broken_members(&ingested.unattributed, as_of),
            ..AcrossShards::default()
        });
        let horizons = bundle.ability.as_ref().map(AbilityModel::horizon_days).unwrap_or_default();
        let receipts =
            ReceiptMeasure { features: &rules.features, measure: &job.model.ability_measure, horizons: &horizons };
        let memory = work.memory;
        let before = memory.of_accounts();
        let shards =
            prepare_shards(&ingested.store, as_of, rules, (&memory.evidence, &memory.rows), progress, |seen| {
                let mut facts = ShardFacts::of(seen, before, &work.terms, &receipts, &memory.states)?;
                facts.scenarios = measure_scenarios(seen, rules, &receipts)?;
                let of_shard = AcrossShards::of(&facts);
                across.lock().unwrap_or_else(PoisonError::into_inner).merge(&of_shard);
                if let Some(ledger) = &facts.ledger {
                    work.past_months.add_shard(seen.whole, ledger)?;
                }
                work.wide.add_evidence(seen)?;
                Ok::<_, DecideError>(facts)
            })?;
        Ok(MeasuredNight { shards, across: across.into_inner().unwrap_or_else(PoisonError::into_inner) })
    }

    /// Scores and decides every shard, and settles what crosses merchants.
    fn decide(
        &self,
        measured: MeasuredNight,
        work: &NightWork<'_>,
        progress: &StageClock<'_>,
    ) -> Result<DecidedNight, RunError> {
        let Self { rules, tables: night, bundle, .. } = *self;
        let (ingested, as_of) = (&night.ingested, &night.ingested.as_of);
        let MeasuredNight { shards, across: AcrossShards { mut groups, owners, categories, defaulted } } = measured;
        let overflows = shards.overflows.clone();
        let hazard = HazardScoring::of(rules, bundle)?;
        let scale = ScoreScale::of(&bundle.scorecard).map_err(DecideError::Scale)?;
        self.add_member_risks(&mut groups, &scale)?;
        let watching = progress.stopwatch();
        let scoring = NightScoring { scale: &scale, hazard: hazard.as_ref(), watching: &watching };
        let context = self.decision_context(work.memory, &defaulted, &scoring);
        progress.stage("score and decide", Some(u64::from(ingested.store.buckets())));
        progress.rows(ingested.store.rows(contract::MERCHANTS.name).unwrap_or(0));
        let may_wait = |record: &BrokenRecord| work.terms.may_wait(record.known_at, as_of);
        let unseen = Unseen::new(work.memory, &ingested.unattributed, may_wait);
        let joined = Mutex::new(Joined::new(unseen, PortfolioReport::new(context.book, &work.memory.states)));
        let settlement = Settlement::of(&rules.policy).map_err(DecideError::from)?;
        let join = Join { tables: work.tables, joined: &joined, settlement: &settlement, policy: &rules.policy, as_of };
        let shelf = Shelf::new(work.scratch, HELD_WAITING);
        let waiting = finish_shards(shards, rules, progress, |shard| {
            let mut facts = shard.taken;
            facts.accounts.share(&groups, &owners, &work.terms);
            work.wide.add_features(&shard.features)?;
            let scenarios = std::mem::take(&mut facts.scenarios);
            let scenarios = Scenarios::new(scenarios, shard.totals, &rules.features, &bundle.scorecard)?;
            let decided = decide_shard(&shard.features, &facts, &scenarios, &categories, &context)?;
            join.decided(decided, &shelf)
        })?;
        progress.part("watch", ingested.store.rows(contract::LOANS.name).unwrap_or(0), &watching);
        let optimisation = join.settled(waiting, &shelf, progress)?;
        let joined = joined.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (totals, drift, portfolio) = joined.close(work.tables, as_of.date(), &work.past_months.matrices())?;
        Ok(DecidedNight { totals, drift, portfolio, overflows, optimisation })
    }

    /// Where prices look at how members of a group depend on one another: how likely each was to default on the night before.
    fn add_member_risks(&self, groups: &mut GroupTotals, scale: &ScoreScale) -> Result<(), RunError> {
        if self.rules.policy.groups.is_some_and(|terms| terms.dependence.is_some()) {
            let risks = read_member_risks(self.tables.previous.as_ref(), &groups.members())?;
            groups.look_up_risks(&risks, parts_per_million(scale.riskiest().get()));
        }
        Ok(())
    }

    /// What every shard is decided by.
    fn decision_context<'a>(
        &'a self,
        memory: &'a NightBefore,
        defaulted: &'a DefaultedGroups,
        scoring: &NightScoring<'a>,
    ) -> DecisionContext<'a> {
        let Self { job, rules, tables: night, bundle, reference, .. } = *self;
        let (ingested, as_of) = (&night.ingested, &night.ingested.as_of);
        DecisionContext {
            as_of,
            features: &rules.features,
            policy: &rules.policy,
            watch: WatchContext { monitor: &rules.monitor, officers: &rules.officers, as_of },
            overrides: &rules.overrides,
            payments_days_late: night.judged.days_late(contract::PAYMENTS.name, ingested),
            standing: &memory.standing,
            deductions: &memory.deductions,
            features_before: &memory.features_before,
            states: &memory.states,
            book: BookContext {
                monitor: &rules.monitor,
                groups: defaulted,
                before: memory.book_before.as_ref(),
                horizon_days: rules.policy.price.pd_horizon_days,
                as_of: as_of.date(),
            },
            bundle,
            scale: scoring.scale,
            reference,
            hazard: scoring.hazard,
            watching: scoring.watching,
            currency: job.intake.currency,
        }
    }

    /// Adds to tables and summary what goes on from the nights before and what is compared with them; gives the portfolio's page.
    fn complete(
        &self,
        tables: &DecidedTables,
        portfolio: &PortfolioTables,
        counts: &DriftCounts,
        summary: &mut RunSummary,
    ) -> Result<String, RunError> {
        let Self { job, rules, tables: night, bundle, .. } = *self;
        carry_state_changes(night.previous.as_ref(), tables)?;
        summary.not_imported = not_imported(&job.interchange, tables)?;
        let (drift, bins) = drift_report(counts, bundle, night.previous.as_ref(), summary, rules)?;
        let page = PortfolioPage {
            job: &job.name,
            as_of: night.ingested.as_of.date(),
            currency: job.intake.currency,
            tables: portfolio,
            drift: &drift,
            buckets: &rules.monitor.buckets,
        };
        let page = page.html().map_err(PublishError::from)?;
        tables.add_drift((drift, bins))?;
        Ok(page)
    }

    /// Writes which of the officers' decisions are in force. A dry run and a restatement decide about nobody.
    fn log_officers(&self) -> Result<OfficerLogs, PublishError> {
        let on = self.tables.ingested.as_of.date();
        if self.is_rehearsal || self.restates.is_some() {
            return Ok(OfficerLogs::default());
        }
        let (out, rules) = (&self.job.out, self.rules);
        Ok(OfficerLogs {
            overrides: log_decisions(out, on, &rules.overrides.in_force(on))?,
            alerts: log_decisions(out, on, &rules.officers.in_force(on))?,
        })
    }
}

/// How a run that ends now was made.
fn provenance(
    options: &RunOptions,
    config: Vec<ConfigCopy>,
    notes: Vec<String>,
    stages: Vec<StageCost>,
    officers: OfficerLogs,
) -> Provenance {
    Provenance {
        started_at: options.started_at,
        finished_at: (options.clock)(),
        command_line: options.command_line.clone(),
        config,
        notes,
        stages,
        officers,
    }
}

/// A run that was published before; its own summary is read back.
pub(in crate::run) fn earlier(published: Published, stages: Vec<StageCost>) -> Result<RunOutcome, RunError> {
    let path = published.run_dir.join("results.json");
    let text =
        std::fs::read(&path).map_err(|source| PublishError::Io { action: "read", path: path.clone(), source })?;
    let summary = serde_json::from_slice(&text).map_err(|e| PublishError::Malformed { path, why: e.to_string() })?;
    Ok(RunOutcome { published, is_new: false, summary, stages })
}
