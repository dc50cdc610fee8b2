//! How long runs are kept: the section `[retention]` of the job file, or what the command line says in its place.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// One more than the nights or months that may be asked for.
const BOUND: u16 = 10_001;

/// What is kept for its date alone. Whatever a kept run or an unpaid loan needs is kept as well, see [`super::KeepReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Business dates that a run stands by, the newest ones: every run of these dates and of later ones is kept. At least 1.
    pub keep_last: u16,
    /// Calendar months before that of the newest night, of each of which the last night is kept.
    pub keep_month_ends: u16,
    /// Business dates whose raw files stay in the archive, the newest ones; `None`: as long as the runs that were made from them. The files of a run that an
    /// unpaid loan, an open offer or a standing alert goes back to stay with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_raw_files: Option<u16>,
}

/// `[retention]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRetention {
    keep_last: Spanned<i64>,
    keep_month_ends: Option<Spanned<i64>>,
}

/// `[retention]` in the reference.
pub(crate) static RETENTION_KEYS: Section = Section {
    head: "[retention]",
    doc: "Which runs `prune` keeps for their date. The section may be left out: then `prune` takes the numbers from the command line. It never removes the current run, a run that an \
          unpaid loan, an open offer or a standing alert goes back to, or one that a kept run was made from.",
    keys: &[
        Key::new("keep_last", "whole number", "60", "newest business dates whose runs are all kept")
            .range("1 to 10000"),
        Key::new(
            "keep_month_ends",
            "whole number",
            "24",
            "months before the newest night's, of each of which the last night is kept",
        )
        .range("0 to 10000")
        .or("0"),
    ],
};

impl RawRetention {
    /// Checks the section.
    ///
    /// # Errors
    /// A number out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<Retention, ConfigError> {
        let months = self.keep_month_ends.as_ref().map(|m| bounds::whole(file, m, "keep_month_ends", 0..BOUND));
        Ok(Retention {
            keep_last: bounds::whole(file, &self.keep_last, "keep_last", 1..BOUND)?,
            keep_month_ends: months.transpose()?.unwrap_or(0),
            keep_raw_files: None,
        })
    }
}
