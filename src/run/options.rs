//! What the caller decides about a run: dates, folders, clock.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::as_of::AsOfRule;
use super::job::Job;
use crate::config::ConfigError;

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
