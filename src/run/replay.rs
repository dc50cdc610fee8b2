//! Proves a published run: made again from the inputs, configuration and model that its manifest names, it is the same byte for byte.

use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;

use super::as_of::AsOfRule;
use super::error::RunError;
use super::night_tables::prepare;
use super::nightly::{Night, identity};
use super::options::{RunOptions, with_options};
use super::pinned::Pinned;
use super::progress::Progress;
use super::rules::JobRules;
use super::scratch::Scratch;
use super::stages::StageClock;
use super::tonights_model::check_model;
use crate::model::registry::load_folder;
use crate::publish::{Begun, Manifest, Pointing, PublishedRun, Publisher, RunIdentity};

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// The run.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
    /// Whether every published file was made again, byte for byte.
    pub is_proven: bool,
    /// What the run was made from and is not there as it was: the run was not made again.
    pub missing: Vec<String>,
    /// Published files that came out otherwise, and what else differs.
    pub differs: Vec<String>,
    /// Files that came out the same.
    pub equal_files: usize,
    /// Raw files that were not in the data folder as they were read, and came from the archive.
    pub from_archive: usize,
}

/// Makes the published run in `run_dir` again, in a scratch folder, from raw files below `options.data` or in the archive of the output folder, and compares. Nothing is published.
///
/// # Errors
/// There is no run, its manifest is damaged, or what stopped the night when it was made again.
pub fn replay_run(run_dir: &Path, options: &RunOptions, progress: &dyn Progress) -> Result<ReplayReport, RunError> {
    let progress = &StageClock::new(progress, options.clock, options.peak_memory);
    let run = PublishedRun::open(run_dir)?;
    let manifest = run.manifest();
    let mut report = ReplayReport {
        run_id: manifest.run_id.clone(),
        as_of: manifest.as_of,
        is_proven: false,
        missing: Vec::new(),
        differs: Vec::new(),
        equal_files: 0,
        from_archive: 0,
    };
    let scratch = Scratch::new()?;
    let pinned = Pinned::new(&run, scratch.path());
    if manifest.code_version != options.code_version {
        report.missing.push(format!("program {}: this is {}", manifest.code_version, options.code_version));
    }
    report.from_archive = pinned.inputs(options.data.as_deref(), &mut report.missing)?;
    pinned.model(&mut report.missing)?;
    pinned.night_before(&mut report.missing)?;
    let first = pinned.restated(&mut report.missing);
    let job = pinned.job(&mut report.missing)?;
    let (Some(job), true) = (job, report.missing.is_empty()) else { return Ok(report) };

    let again = RunOptions {
        as_of: Some(AsOfRule::Day(manifest.as_of)),
        force_as_of: manifest.as_of_forced.clone(),
        data: Some(pinned.data()),
        data_root: None,
        out: Some(pinned.before()),
        ..options.clone()
    };
    let mut job = with_options(job, &again);
    job.intake.known_before = manifest.restates.as_ref().map(|night| night.known_before);
    let rules = JobRules::open(&job)?;
    let mut tables = prepare(&job, &rules, &again, &scratch.path().join("store"), None, progress)?;
    tables.chosen.is_guess = manifest.as_of_guessed;
    tables.beside = pinned.runs_beside()?;
    tables.judged.stop_on_faults()?;
    let (bundle, reference) = check_model(&rules, load_folder(&pinned.model_folder())?, progress)?;
    let restates = manifest.restates.clone();
    let identity = RunIdentity { restates, ..identity(&job, &tables, &bundle, &again)? };
    if identity.run_id() != manifest.run_id {
        report.differs.push(format!("what it is made from gives run {}", identity.run_id()));
    }
    let mut publisher = Publisher::open(&scratch.path().join("out"))?;
    let made = match publisher.begin(identity, Pointing::Always)? {
        Begun::Stage(stage) => {
            let night = Night {
                job: &job,
                rules: &rules,
                tables: &tables,
                bundle: &bundle,
                reference: &reference,
                restates: first.as_ref(),
                is_rehearsal: false,
            };
            night.decide_and_publish(stage, &again, Vec::new(), progress)?.published
        }
        Begun::NothingNew(published) | Begun::Repointed(published) => published,
    };
    let made = PublishedRun::open(&made.run_dir)?;
    compare(&run, made.manifest(), &mut report);
    Ok(report)
}

/// The files that lie in the run's folder must be those of its manifest, and the manifest's those that came out.
fn compare(run: &PublishedRun, made: &Manifest, report: &mut ReplayReport) {
    let published = run.manifest();
    for file in &published.files {
        if let Err(changed) = run.file(&file.path) {
            report.differs.push(changed.to_string());
            continue;
        }
        match made.file(&file.path) {
            Some(again) if again.sha256 == file.sha256 => report.equal_files += 1,
            Some(again) => report.differs.push(format!(
                "{}: {} was published, {} comes out",
                file.path,
                file.sha256.short(),
                again.sha256.short()
            )),
            None => report.differs.push(format!("{}: does not come out", file.path)),
        }
    }
    let more = made.files.iter().filter(|file| published.file(&file.path).is_none());
    report.differs.extend(more.map(|file| format!("{}: comes out, and was not published", file.path)));
    report.is_proven = report.differs.is_empty();
}
