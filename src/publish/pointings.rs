//! `pointings.jsonl`: every time a person set the current run, who did it, and why.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::PublishError;
use super::json_log::{log_bytes, read_log};

pub(super) const POINTINGS: &str = "pointings.jsonl";
pub(super) const POINTINGS_TEMPORARY: &str = ".pointings.jsonl.new";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointingEntry {
    /// When, RFC 3339, UTC.
    pub at: String,
    /// Run folder that was current before, below the output folder; null where `current.json` was lost.
    pub from: Option<String>,
    /// Run folder that is current since.
    pub to: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Run folders that are out of use since: published, later than the target, and not to be served or built upon.
    pub withdrawn: Vec<String>,
}

/// The log of an output folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointings {
    /// Oldest first.
    pub entries: Vec<PointingEntry>,
}

impl Pointings {
    /// Reads the log; empty where nobody ever set a run by hand.
    ///
    /// # Errors
    /// It cannot be read, or a line is not what this program writes.
    pub fn read(out: &Path) -> Result<Self, PublishError> {
        Ok(Self { entries: read_log(&out.join(POINTINGS))? })
    }

    /// Run folders that are out of use: withdrawn by some entry, and not set current again by a later one.
    #[must_use]
    pub fn withdrawn(&self) -> BTreeSet<&str> {
        let mut withdrawn = BTreeSet::new();
        for entry in &self.entries {
            withdrawn.extend(entry.withdrawn.iter().map(String::as_str));
            withdrawn.remove(entry.to.as_str());
        }
        withdrawn
    }

    /// The entry that withdrew a run folder last.
    #[must_use]
    pub fn withdrawal(&self, run: &str) -> Option<&PointingEntry> {
        if !self.withdrawn().contains(run) {
            return None;
        }
        self.entries.iter().rev().find(|entry| entry.withdrawn.iter().any(|w| w == run))
    }

    pub(super) fn to_bytes(&self, path: &Path) -> Result<Vec<u8>, PublishError> {
        log_bytes(&self.entries, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(to: &str, withdrawn: &[&str]) -> PointingEntry {
        PointingEntry {
            at: "2026-01-01T00:00:00Z".to_owned(),
            from: None,
            to: to.to_owned(),
            reason: "test".to_owned(),
            by: "test".to_owned(),
            withdrawn: withdrawn.iter().map(|w| (*w).to_owned()).collect(),
        }
    }

    #[test]
    fn a_run_set_current_again_is_no_longer_withdrawn() {
        let mut log = Pointings { entries: vec![entry("a", &["b", "c"])] };
        assert_eq!(log.withdrawn(), BTreeSet::from(["b", "c"]));
        log.entries.push(entry("b", &[]));
        assert_eq!(log.withdrawn(), BTreeSet::from(["c"]));
        assert_eq!(log.withdrawal("b"), None);
        assert_eq!(log.withdrawal("c"), Some(&log.entries[0]));
    }
}
