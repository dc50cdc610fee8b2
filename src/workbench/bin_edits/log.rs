//! The log of edits: entries are added, never changed; the folder's manifest holds its digest.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::binning::{Cuts, VariableEdit};

/// One edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The day of the training run that took it.
    pub on: Date,
    /// Who, where the file says.
    pub by: Option<String>,
    /// The column.
    pub variable: String,
    /// As exported; `None` where the engine's own cut was not in the file.
    pub before: Option<Cuts>,
    /// As set.
    pub after: Cuts,
    /// Why.
    pub reason: String,
}

/// Earlier entries, then those edits that are not the last word on their variable already.
#[must_use]
pub fn extended(earlier: &[LogEntry], edits: &[VariableEdit], by: Option<&str>, on: Date) -> Vec<LogEntry> {
    let mut log = earlier.to_vec();
    for edit in edits {
        let last = earlier.iter().rev().find(|entry| entry.variable == edit.variable);
        if last.is_some_and(|entry| entry.after.same(&edit.cuts) && entry.reason == edit.reason) {
            continue;
        }
        log.push(LogEntry {
            on,
            by: by.map(str::to_owned),
            variable: edit.variable.clone(),
            before: edit.before.clone(),
            after: edit.cuts.clone(),
            reason: edit.reason.clone(),
        });
    }
    log
}
