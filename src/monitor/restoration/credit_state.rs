//! A borrower's state, as published: the next night reads it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::monitor::alert::EvidenceValue;

/// How good a borrower is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreditState {
    /// Nothing speaks against the borrower.
    Current,
    /// An alert stands.
    Watch,
    /// Something is past due.
    SpecialMention,
    /// In default.
    Default,
    /// No longer in default, and not yet trusted.
    Probation,
    /// Trusted again, step by step.
    Restored,
    /// Something is owed on a loan that was written off.
    WrittenOff,
    /// It cannot be said.
    Unknown,
}

impl CreditState {
    /// In default, or not yet trusted again.
    #[must_use]
    pub const fn is_of_default(self) -> bool {
        matches!(self, Self::Default | Self::Probation | Self::WrittenOff)
    }
}

/// One borrower: a row of `borrower_states.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BorrowerState {
    /// The borrower.
    pub merchant_id: String,
    /// The state tonight.
    pub state: CreditState,
    /// As-of date of the run that entered it; tonight's for a transition of tonight.
    pub since_on: Date,
    /// The state before it; `None` for a borrower first seen in it.
    pub came_from: Option<CreditState>,
    /// The state that was known last; the same as the state where that is known.
    pub known_state: CreditState,
    /// As-of date of the run that entered the state that was known last.
    pub known_since_on: Date,
    /// Why it was entered.
    pub because: String,
    /// What was seen when it was entered.
    pub evidence: Vec<EvidenceValue>,
    /// Last day that was not clean, as far as was ever known; `None` where there was none.
    pub last_unclean_on: Option<Date>,
    /// Last day in default, as far as was ever known; `None` where there was none.
    pub last_default_on: Option<Date>,
    /// Clean days that probation takes.
    pub clean_days_needed: i64,
    /// The most that may be owed and offered together; `None` where restoration sets no bound.
    pub most_minor: Option<i64>,
    /// Supplementary help that an officer may offer: the sum past due that the borrower's own buyers left open; `None` where it is not due.
    pub help_minor: Option<i64>,
    /// What the proposal rests on.
    pub help_evidence: Vec<EvidenceValue>,
}

impl BorrowerState {
    /// The same on a night on which nothing can be said of the borrower: no day is clean that was not seen.
    #[must_use]
    pub fn unseen(&self, tonight: Date, because: &str) -> Self {
        let is_new = self.state != CreditState::Unknown;
        Self {
            state: CreditState::Unknown,
            since_on: if is_new { tonight } else { self.since_on },
            came_from: if is_new { Some(self.state) } else { self.came_from },
            because: if is_new { because.to_owned() } else { self.because.clone() },
            evidence: if is_new { Vec::new() } else { self.evidence.clone() },
            last_unclean_on: Some(tonight),
            most_minor: None,
            help_minor: None,
            help_evidence: Vec::new(),
            ..self.clone()
        }
    }
}

/// The states of the night before, by borrower; none on a first night.
#[derive(Debug, Clone, Default)]
pub struct StatesBefore(BTreeMap<String, BorrowerState>);

impl StatesBefore {
    /// The rows of `borrower_states.parquet`.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = BorrowerState>) -> Self {
        Self(rows.into_iter().map(|row| (row.merchant_id.clone(), row)).collect())
    }

    /// One borrower's.
    #[must_use]
    pub fn of(&self, merchant_id: &str) -> Option<&BorrowerState> {
        self.0.get(merchant_id)
    }

    /// Every borrower, sorted.
    pub fn merchants(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Tonight's rows for borrowers who cannot be seen tonight.
    pub fn of_unseen<'a>(
        &'a self,
        is_seen: impl Fn(&str) -> bool + 'a,
        tonight: Date,
    ) -> impl Iterator<Item = BorrowerState> + 'a {
        let unseen = self.0.values().filter(move |row| !is_seen(&row.merchant_id));
        unseen.map(move |row| row.unseen(tonight, "not-seen"))
    }
}
