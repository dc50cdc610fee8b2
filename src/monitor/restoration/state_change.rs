//! Every transition of a borrower's state, as published: the history that each night carries on.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::credit_state::{BorrowerState, CreditState};
use crate::monitor::alert::EvidenceValue;

/// A transition of one borrower on one night: a row of `state_changes.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateChange {
    /// The borrower.
    pub merchant_id: String,
    /// The night.
    pub changed_on: Date,
    /// The state before it; `None` for a borrower first seen.
    pub came_from: Option<CreditState>,
    /// The state from that night on.
    pub state: CreditState,
    /// The state that was known last; the same as the state where that is known.
    pub known_state: CreditState,
    /// Why.
    pub because: String,
    /// What was seen.
    pub evidence: Vec<EvidenceValue>,
    /// Last day that was not clean, as far as was known then.
    pub last_unclean_on: Option<Date>,
    /// Last day in default, as far as was known then.
    pub last_default_on: Option<Date>,
    /// Clean days that probation took then.
    pub clean_days_needed: i64,
}

impl StateChange {
    /// Tonight's, where a borrower's state changed tonight; also one that is unknown, of which another state became known.
    #[must_use]
    pub fn of(row: &BorrowerState, tonight: Date) -> Option<Self> {
        let has_changed = row.since_on == tonight;
        let came_from = if has_changed { row.came_from } else { Some(row.state) };
        (has_changed || row.known_since_on == tonight).then(|| Self { came_from, ..Self::on(row, tonight) })
    }

    /// The newest of a row that was published before transitions were kept. What was known of its days is what was known on that row's night.
    #[must_use]
    pub fn newest(row: &BorrowerState) -> Self {
        Self::on(row, row.since_on)
    }

    fn on(row: &BorrowerState, changed_on: Date) -> Self {
        Self {
            merchant_id: row.merchant_id.clone(),
            changed_on,
            came_from: row.came_from,
            state: row.state,
            known_state: row.known_state,
            because: row.because.clone(),
            evidence: row.evidence.clone(),
            last_unclean_on: row.last_unclean_on,
            last_default_on: row.last_default_on,
            clean_days_needed: row.clean_days_needed,
        }
    }
}
