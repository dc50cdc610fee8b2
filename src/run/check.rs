//! The dry run: the whole night through gates and publishing, into a folder that is thrown away.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Serialize;

use super::error::RunError;
use super::intake_gates::{GateFinding, IntakeVerdict};
use super::label_survey::{LabelSurvey, survey_labels};
use super::loan_survey::{LoanSurvey, survey_loans};
use super::night_tables::{NightTables, prepare};
use super::nightly::{Night, identity};
use super::officers_work::notes_on_decisions;
use super::options::{RunOptions, with_options};
use super::progress::Progress;
use super::rules::JobRules;
use super::scratch::Scratch;
use super::stages::StageClock;
use super::summary::RunSummary;
use super::tonights_model::{check_model, fitting_model, train_for_tonight};
use super::whose_runs::refuse_runs_of_another_job;
use crate::contract::{self, ForeignKey, TableContract};
use crate::domain::days_between;
use crate::model::ModelError;
use crate::publish::{Begun, Pointing, Publisher};
use crate::run::Job;
use crate::source::{InputFormat, Sources};
use crate::wash::{
    Activity, IngestError, NOT_JOINED, PARENT_QUARANTINED, Quarantine, QuarantineRow, RootReason, root_reasons,
};

/// Examples shown of each broken rule.
const EXAMPLES: usize = 3;

/// What the caller decides about a dry run.
#[derive(Debug, Clone, Copy, Default)]
pub struct CheckOptions {
    /// Stop where a model would have to be trained.
    pub skip_training: bool,
    /// Count the labels of every snapshot that training would take.
    pub survey_labels: bool,
}

/// What a night would come to.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// Observation date.
    pub as_of: Date,
    /// Nobody named it.
    pub as_of_guessed: bool,
    /// How the files of each input are read.
    pub inputs: Vec<InputFormat>,
    /// The job's tables, in washing order.
    pub tables: Vec<TableVerdict>,
    /// What the gates on the tables compared and let pass.
    pub intake: IntakeVerdict,
    /// Faults that would stop the night.
    pub faults: Vec<GateFinding>,
    /// Which loans' records do not agree, and why; null where the job has no loan book.
    pub loans: Option<LoanSurvey>,
    /// What training would learn from; null where that was not asked for.
    pub labels: Option<LabelSurvey>,
    /// How the model comes about: its id, or that it was or would be trained.
    pub model: String,
    /// The night's results; null where it stopped before them.
    pub results: Option<RunSummary>,
    /// Why the night would stop.
    #[serde(serialize_with = "as_text")]
    pub stopped: Option<RunError>,
}

/// One table of the job.
#[derive(Debug, Default, Serialize)]
pub struct TableVerdict {
    /// Contract table; `joined` for files whose rows are only joined to others.
    pub table: String,
    /// Whether any file was there.
    pub is_present: bool,
    /// Its files.
    pub files: Vec<String>,
    /// Rows read.
    pub read: u64,
    /// Clean rows that can be seen.
    pub kept: u64,
    /// Rows dated at or after as-of.
    pub not_yet_visible: u64,
    /// Rows that break a rule.
    pub quarantined: u64,
    /// Rows sent again, and superseded versions.
    pub duplicate: u64,
    /// Rows that the job's `where` skips.
    pub skipped: u64,
    /// First day with a visible event.
    pub first_on: Option<Date>,
    /// Last day with a visible event.
    pub last_on: Option<Date>,
    /// Last day of usual trade.
    pub usual_until_on: Option<Date>,
    /// Days from it to the observation date.
    pub days_old: Option<i32>,
    /// Columns that make its key; kept rows have one each.
    pub key: Vec<&'static str>,
    /// The tables that its rows refer to.
    pub references: Vec<JoinCoverage>,
    /// In how many of the rows that are kept each column that may be null has a value.
    pub filled: BTreeMap<&'static str, u64>,
    /// Rules that rows break.
    pub broken: Vec<BrokenRule>,
}

/// How many rows of a table find what they refer to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JoinCoverage {
    /// Column that refers.
    pub column: &'static str,
    /// Table that it refers to.
    pub table: &'static str,
    /// Visible rows, those without a reference included.
    pub rows: u64,
    /// Rows whose parent is not there, is quarantined, or is another merchant's.
    pub not_found: u64,
}

/// A rule and the first rows that break it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BrokenRule {
    /// The rule.
    pub rule: String,
    /// How many rows break it.
    pub rows: u64,
    /// Required columns without a value in rows that lack one, with how many rows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nulls: BTreeMap<&'static str, u64>,
    /// The first of them, by file and row.
    pub examples: Vec<BrokenExample>,
    /// Why the rows that these name are quarantined, where that is the rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<RootReason>,
}

/// One row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BrokenExample {
    /// Input file, below the data folder.
    pub file: String,
    /// Row of that file, from 1.
    pub row: i64,
    /// Column at fault.
    pub column: Option<String>,
    /// Its value as text; null where it was null.
    pub value: Option<String>,
}

#[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
fn as_text<S: serde::Serializer>(error: &Option<RunError>, serializer: S) -> Result<S::Ok, S::Error> {
    match error {
        Some(error) => serializer.collect_str(error),
        None => serializer.serialize_none(),
    }
}

/// Runs the night and throws its files away: neither the job's output folder nor its models are written to. Where a model would have to be
/// trained it is, unless the caller skips that, and it is thrown away too.
///
/// # Errors
/// Configuration, all faults of it that can be found before data is read; and data that cannot be read at all. What stops the night later is
/// told in the report.
pub fn check_job(
    path: &Path,
    options: &RunOptions,
    check: CheckOptions,
    progress: &dyn Progress,
) -> Result<CheckReport, RunError> {
    let progress = &StageClock::new(progress, options.clock, options.peak_memory);
    let job = Job::open_telling_all(path).map_err(|faults| RunError::Configs(JobRules::with_own_faults(*faults)))?;
    let job = with_options(job, options);
    let rules = JobRules::open_telling_all(&job).map_err(RunError::Configs)?;
    let scratch = Scratch::new()?;
    refuse_runs_of_another_job(&job)?;
    let night = prepare(&job, &rules, options, &scratch.path().join("store"), None, progress)
        .map_err(|first| with_other_faults(first, &job, &scratch))?;
    let mut report = CheckReport {
        as_of: night.chosen.date,
        as_of_guessed: night.chosen.is_guess,
        inputs: night.ingested.formats.clone(),
        tables: table_verdicts(&job, &night)?,
        intake: night.judged.verdict.clone(),
        faults: night.judged.faults.clone(),
        loans: survey_loans(&night.ingested.store, &night.ingested.as_of, &rules)?,
        labels: None,
        model: "none: the night stops before it is chosen".to_owned(),
        results: None,
        stopped: None,
    };
    if check.survey_labels {
        let survey = survey_labels(&job.model, &rules, &night.ingested.store, &night.ingested.as_of, progress)?;
        report.labels = Some(survey);
    }
    let done = night.judged.stop_on_faults().map_err(RunError::from).and_then(|()| {
        let rehearsal = Rehearsal { job: &job, rules: &rules, night: &night, options, scratch: scratch.path() };
        rehearsal.run(check, &mut report, progress)
    });
    report.stopped = done.err();
    Ok(report)
}

/// What else inputs and statements have wrong, where one of them stops the night.
fn with_other_faults(first: RunError, job: &Job, scratch: &Scratch) -> RunError {
    if !matches!(first, RunError::Ingest(IngestError::Source(_))) {
        return first;
    }
    let faults = Sources::new(&job.intake.source, scratch.path()).faults();
    if faults.len() > 1 { RunError::Sources(faults) } else { first }
}

/// A night whose results are thrown away.
struct Rehearsal<'a> {
    job: &'a Job,
    rules: &'a JobRules,
    night: &'a NightTables,
    options: &'a RunOptions,
    scratch: &'a Path,
}

impl Rehearsal<'_> {
    fn run(&self, check: CheckOptions, report: &mut CheckReport, progress: &StageClock<'_>) -> Result<(), RunError> {
        let Self { job, rules, night, options, scratch } = *self;
        let bundle = match fitting_model(job, rules, &night.ingested, progress)? {
            Some(bundle) => {
                report.model = bundle.id();
                bundle
            }
            None if check.skip_training => {
                "would be trained: skipped here, and with it scores, offers and the gates on them"
                    .clone_into(&mut report.model);
                return match report.labels.as_ref().and_then(|labels| labels.refusal(night.chosen.date)) {
                    Some(refused) => Err(refused.into()),
                    None => Ok(()),
                };
            }
            None => {
                let models: PathBuf = scratch.join("models");
                let bundle = train_for_tonight(job, rules, &night.ingested, &models, progress)
                    .map_err(|error| of_a_night(error, &models, &job.models))?;
                report.model = format!("{}, trained for this check and thrown away", bundle.id());
                bundle
            }
        };
        let (bundle, reference) = check_model(rules, bundle, progress)?;
        notes_on_decisions(rules, &night.ingested)?.iter().for_each(|note| progress.note(note));
        let mut publisher = Publisher::open(&scratch.join("out"))?;
        let identity = identity(job, night, &bundle, options)?;
        if let Begun::Stage(stage) = publisher.begin(identity, Pointing::Forward)? {
            let whole = Night {
                job,
                rules,
                tables: night,
                bundle: &bundle,
                reference: &reference,
                restates: None,
                is_rehearsal: true,
            };
            report.results = Some(whole.decide_and_publish(stage, options, Vec::new(), progress)?.summary);
        }
        Ok(())
    }
}

/// A refusal of a model that was trained for the check names the folder that a night would leave it in: its own is gone when it is read.
fn of_a_night(error: RunError, scratch: &Path, models: &Path) -> RunError {
    match error {
        RunError::Model(ModelError::Refused { path, why }) => {
            let path = path.strip_prefix(scratch).map_or_else(|_| path.clone(), |model| models.join(model));
            let stop = if why.ends_with('?') { "" } else { "." };
            let why = format!(
                "{why}{stop} It was trained for this check and thrown away: a night trains it and leaves it there"
            );
            ModelError::Refused { path, why }.into()
        }
        other => other,
    }
}

fn table_verdicts(job: &Job, night: &NightTables) -> Result<Vec<TableVerdict>, IngestError> {
    let ingested = &night.ingested;
    let mut verdicts: Vec<TableVerdict> = Vec::new();
    let declared = job.intake.source.sources.iter().map(|s| s.table);
    let joined = (!ingested.joined.is_empty()).then_some(crate::wash::JOINED);
    for table in declared.chain(joined) {
        let activity = ingested.activity.get(table);
        let usual_until_on = activity.and_then(Activity::last_usual_day).map(|day| day.on);
        let last_on = activity.and_then(Activity::last_on);
        let mut verdict = TableVerdict {
            table: table.to_owned(),
            is_present: Some(table) == joined || ingested.store.rows(table).is_some(),
            first_on: activity.and_then(Activity::first_on),
            last_on,
            usual_until_on,
            filled: ingested.filled.get(table).cloned().unwrap_or_default(),
            days_old: usual_until_on.or(last_on).map(|day| days_between(day, night.chosen.date)),
            ..TableVerdict::default()
        };
        for line in ingested.whole_ledger().filter(|line| line.table == table) {
            verdict.files.push(line.file.clone());
            verdict.read += line.read;
            verdict.kept += line.kept - line.not_yet_visible.min(line.kept);
            verdict.not_yet_visible += line.not_yet_visible;
            verdict.quarantined += line.quarantined;
            verdict.duplicate += line.duplicate;
            verdict.skipped += line.skipped;
        }
        let contract = contract::table(table);
        verdict.key = contract.map_or_else(Vec::new, |contract| contract.key.to_vec());
        let rows = verdict.kept + verdict.quarantined + verdict.duplicate;
        let reference = |reference: &ForeignKey| JoinCoverage {
            column: reference.column,
            table: reference.table,
            rows,
            not_found: 0,
        };
        verdict.references = contract.map_or_else(Vec::new, |table| table.foreign_keys.iter().map(reference).collect());
        if let Some(quarantine) = ingested.quarantine.get(table) {
            verdict.broken = broken_rules(contract, quarantine, &mut verdict.references)?;
            for broken in verdict.broken.iter_mut().filter(|broken| broken.rule == PARENT_QUARANTINED) {
                broken.roots = root_reasons(table, &ingested.quarantine)?;
            }
        }
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// The rules that quarantined rows break, most rows first, each with its first rows. Counts in `references`, by the column that refers, the rows of which
/// what they refer to is not found.
fn broken_rules(
    contract: Option<&TableContract>,
    quarantine: &Quarantine,
    references: &mut [JoinCoverage],
) -> Result<Vec<BrokenRule>, IngestError> {
    let mut by_rule: BTreeMap<String, BrokenRule> = BTreeMap::new();
    for row in quarantine.rows()? {
        let row = row?;
        let nulls = contract.map_or_else(Vec::new, |table| row.required_nulls(table));
        let QuarantineRow { rule, file, row, column, value, .. } = row;
        let refers = |reference: &&mut JoinCoverage| column.as_deref() == Some(reference.column);
        if NOT_JOINED.contains(&rule.as_str())
            && let Some(reference) = references.iter_mut().find(refers)
        {
            reference.not_found += 1;
        }
        let broken = by_rule.entry(rule.clone()).or_insert_with(|| BrokenRule { rule, ..BrokenRule::default() });
        broken.rows += 1;
        for column in nulls {
            *broken.nulls.entry(column).or_default() += 1;
        }
        broken.examples.push(BrokenExample { file, row: i64::from(row), column, value });
        broken.examples.sort();
        broken.examples.truncate(EXAMPLES);
    }
    let mut broken: Vec<BrokenRule> = by_rule.into_values().collect();
    broken.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.rule.cmp(&b.rule)));
    Ok(broken)
}
