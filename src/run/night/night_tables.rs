//! A night's tables: the date chosen, rows read and washed, and what the gates on the tables say of them.

use std::path::Path;

use jiff::civil::Date;

use crate::monitor::OfficerDecision;
use crate::offer::Override;
use crate::publish::{
    AnswersSince, Manifest, PreviousRun, PublishError, check_officer_log, previous_run, read_answers, runs_beside,
    standing_run,
};
use crate::run::as_of::{ChosenAsOf, choose_as_of};
use crate::run::error::RunError;
use crate::run::gate_settings::Fault;
use crate::run::intake_gates::{JudgedIntake, judge_intake};
use crate::run::job::Job;
use crate::run::options::RunOptions;
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::wash::{IngestError, IngestProgress, Ingested, KeepRows, ingest_keeping};

/// Folder of kept rows, below the output folder.
pub(in crate::run) const KEPT: &str = "kept";

/// A night's tables, washed and compared with the night before.
pub(in crate::run) struct NightTables {
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

impl NightTables {
    /// Why the date was forced past the data's own clock, where it had to be.
    pub fn forced(&self) -> Option<&str> {
        let allowed = &self.judged.verdict.allowed;
        allowed.iter().find(|a| a.finding.what == Fault::PastData && a.until.is_none()).map(|a| a.reason.as_str())
    }
}

/// Chooses the date, reads and washes, and judges what came in.
pub(in crate::run) fn prepare(
    job: &Job,
    rules: &JobRules,
    options: &RunOptions,
    store: &Path,
    keep: Option<&KeepRows>,
    progress: &dyn Progress,
) -> Result<NightTables, RunError> {
    let chosen = choose_as_of(job, rules, options, progress)?;
    rules.policy.check_holds(chosen.date)?;
    rules.officers.check_authors(&rules.monitor.officers, chosen.date)?;
    let ingested = ingest_job(job, chosen.date, store, keep, progress)?;
    progress.note(&format!("as of {}", chosen.date));
    let previous = previous_run(&job.out, chosen.date)?;
    let standing = standing_run(&job.out, chosen.date)?;
    let names_buyers = rules.features.authenticity.not_the_buyer.suffices > 0;
    let forced = options.force_as_of.as_deref();
    let judged = judge_intake(job, &ingested, previous.as_ref(), standing.as_ref(), forced, names_buyers)?;
    let answers = answers_since(job, previous.as_ref())?;
    let beside = runs_beside(&job.out, previous.as_ref(), chosen.date)?;
    let known = || previous.iter().chain(&beside).map(PreviousRun::manifest);
    check_officer_log::<Override>(&job.out, known().map(Manifest::overrides_written))?;
    check_officer_log::<OfficerDecision>(&job.out, known().map(Manifest::alert_decisions_written))?;
    Ok(NightTables { chosen, ingested, previous, judged, beside, answers })
}

/// What was answered by day since the night before.
pub(in crate::run) fn answers_since(job: &Job, previous: Option<&PreviousRun>) -> Result<AnswersSince, PublishError> {
    read_answers(&job.out, previous.map(|run| run.manifest().answers_read()).unwrap_or_default())
}

/// Reads and washes a job's data; `keep` says where rows are kept, if they are.
pub(in crate::run) fn ingest_job(
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
