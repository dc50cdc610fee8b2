//! `prunings.jsonl`: every time runs were removed, by whose order, under which rules, and what they were.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::archive::ArchivedInput;
use super::error::PublishError;
use super::history::{dates, run_folders};
use super::json_log::{log_bytes, read_log};
use super::retention::Retention;
use super::run_list::RunState;
use crate::domain::Digest;

pub(super) const PRUNINGS: &str = "prunings.jsonl";
pub(super) const PRUNINGS_TEMPORARY: &str = ".prunings.jsonl.new";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PruningEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What was kept for its date.
    pub retention: Retention,
    /// What was removed.
    pub removed: Vec<PrunedRun>,
    /// Raw files that were removed from the archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<ArchivedInput>,
    /// Runs that stayed and lost raw files by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_inputs: Vec<String>,
}

/// A run that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrunedRun {
    /// Run folder, below the output folder.
    pub run: String,
    /// Business date.
    pub as_of: Date,
    /// What had become of it.
    pub state: RunState,
    /// When it was finished.
    pub finished_at: Timestamp,
    /// Digest of its manifest: a copy kept elsewhere can be proven by it.
    pub manifest_sha256: Digest,
    /// Size of its published files.
    pub bytes: u64,
}

/// The log of an output folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prunings {
    /// Oldest first.
    pub entries: Vec<PruningEntry>,
}

fn pruned(out: &Path, run: &PrunedRun, entry: &PruningEntry) -> PublishError {
    PublishError::Pruned { run: out.join(&run.run), at: entry.at, by: entry.by.clone() }
}

/// The last date before and the first after one of which runs lie there; none where the folder cannot be read.
fn nearest_dates(out: &Path, as_of: Date) -> Vec<Date> {
    let dates = dates(out).unwrap_or_default();
    let has_runs = |date: &&Date| run_folders(out, **date).is_ok_and(|runs| !runs.is_empty());
    let before = dates.iter().rev().filter(|date| **date < as_of).find(has_runs);
    let after = dates.iter().filter(|date| **date > as_of).find(has_runs);
    before.into_iter().chain(after).copied().collect()
}

impl Prunings {
    /// Reads the log; empty where no run was ever removed.
    ///
    /// # Errors
    /// It cannot be read, or a line is not what this program writes.
    pub fn read(out: &Path) -> Result<Self, PublishError> {
        Ok(Self { entries: read_log(&out.join(PRUNINGS))? })
    }

    /// Runs that were removed and do not lie there, by folder, with the entry that removed them last. A run that was published again since, or
    /// whose removal a kill cut short, is there.
    #[must_use]
    pub fn gone(&self, out: &Path) -> BTreeMap<&str, (&PrunedRun, &PruningEntry)> {
        let mut gone = BTreeMap::new();
        for entry in &self.entries {
            gone.extend(entry.removed.iter().map(|run| (run.run.as_str(), (run, entry))));
        }
        gone.retain(|run, _| !out.join(run).exists());
        gone
    }

    /// The removal of a raw file from the archive, where a run that stayed lost it by order: it is missing, and nothing is wrong with that.
    #[must_use]
    pub fn unarchived(&self, run: &str, sha256: Digest) -> Option<&PruningEntry> {
        let lost = |entry: &&PruningEntry| {
            entry.without_inputs.iter().any(|lost| lost == run) && entry.inputs.iter().any(|i| i.sha256 == sha256)
        };
        self.entries.iter().rev().find(lost)
    }

    /// That a run which is not there was removed, as an error; `None` where the log knows nothing of it.
    pub(super) fn refusal(&self, out: &Path, run: &str) -> Option<PublishError> {
        let gone = self.gone(out);
        gone.get(run).map(|(run, entry)| pruned(out, run, entry))
    }

    /// Why no run of a date is there: the one of its runs that was removed last, or that none was ever published.
    #[must_use]
    pub fn no_run_of(out: &Path, as_of: Date) -> PublishError {
        let prunings = Self::read(out).unwrap_or_default();
        let gone = prunings.gone(out);
        let of_date = gone.into_values().filter(|(run, _)| run.as_of == as_of).max_by_key(|(_, entry)| entry.at);
        match of_date {
            Some((run, entry)) => pruned(out, run, entry),
            None => PublishError::NoSuchRun { out: out.to_owned(), as_of, nearest: nearest_dates(out, as_of) },
        }
    }

    pub(super) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, PublishError> {
        log_bytes(&self.entries, path)
    }
}
