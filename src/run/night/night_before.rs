//! What is remembered from night to night.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::features_before::FeaturesBefore;
use super::night_tables::NightTables;
use super::open_offers::{
    read_book_before, read_loan_evidence, read_members_before, read_offers_since, read_open_deductions,
    read_owners_before, read_rows_before, read_standing_alerts, read_states_before,
};
use crate::contract;
use crate::exposure::{AccountsBefore, Declared, MembersBefore, OpenOffers, OwnersBefore};
use crate::monitor::{BookBefore, OpenDeductions, StandingAlerts, StatesBefore};
use crate::publish::{PreviousRun, declared_by_day};
use crate::repayment::LoanEvidence;
use crate::run::decision_gates::GateError;
use crate::run::error::RunError;
use crate::run::gate_settings::Fault;
use crate::run::named_by_loans::with_named_by_loans;
use crate::run::rules::JobRules;
use crate::scenario::RowsBefore;
use crate::wash::Activity;

/// What the night before left.
pub(in crate::run) struct NightBefore {
    pub open: OpenOffers,
    pub declared: BTreeMap<String, BTreeSet<Declared>>,
    pub evidence: LoanEvidence,
    pub members: MembersBefore,
    pub owners: OwnersBefore,
    pub standing: StandingAlerts,
    pub deductions: OpenDeductions,
    pub features_before: FeaturesBefore,
    pub rows: RowsBefore,
    pub states: StatesBefore,
    pub book_before: Option<BookBefore>,
}

impl NightBefore {
    /// What it left of accounts.
    pub const fn of_accounts(&self) -> AccountsBefore<'_> {
        AccountsBefore {
            open: &self.open,
            loans: &self.evidence,
            members: &self.members,
            owners: &self.owners,
            declared: &self.declared,
        }
    }

    /// Reads it, and what was answered by day beside the runs in `out`.
    ///
    /// # Errors
    /// A run before tonight is damaged, so that not all that was offered can be known, or a file of one cannot be read.
    pub fn read(out: &Path, night: &NightTables, rules: &JobRules, rows_sent_days: u16) -> Result<Self, RunError> {
        let (previous, monitor) = (night.previous.as_ref(), &rules.monitor);
        check_memory(previous)?;
        let open = read_offers_since(previous, &night.beside, &night.answers.answers)?;
        let orders_until = night.ingested.activity.get(contract::ORDERS.name).and_then(Activity::last_on);
        let (store, as_of) = (&night.ingested.store, &night.ingested.as_of);
        let buckets = store.buckets();
        let evidence = read_loan_evidence(previous, &open, monitor, (as_of.date(), orders_until), buckets)?;
        let remembered_from = as_of.days_before(i32::from(rules.policy.declaration_days))?.date();
        Ok(Self {
            evidence: with_named_by_loans(
                evidence,
                store,
                as_of,
                &night.ingested.unattributed,
                &monitor.borrower_corrected,
            )?,
            members: read_members_before(previous, &monitor.members_no_longer_sent, buckets)?,
            owners: read_owners_before(previous, &monitor.owners_corrected, buckets)?,
            open,
            declared: match rules.policy.declaration_days {
                0 => BTreeMap::new(),
                _ => declared_by_day(out, night.answers.until, remembered_from)?,
            },
            standing: read_standing_alerts(previous)?,
            deductions: read_open_deductions(previous, &night.beside)?,
            features_before: FeaturesBefore::read(previous, &monitor.features_before())?,
            rows: read_rows_before(
                previous,
                buckets,
                (may_lose_rows(night), &monitor.trade_confirmed),
                rows_sent_days,
            )?,
            states: read_states_before(previous)?,
            book_before: read_book_before(previous)?,
        })
    }
}

/// Tables of which rows or files may be gone tonight.
fn may_lose_rows(night: &NightTables) -> BTreeSet<String> {
    let allowed = night.judged.verdict.allowed.iter().map(|allowed| &allowed.finding);
    let may_lose = allowed.filter(|finding| matches!(finding.what, Fault::FewerRows | Fault::FilesGone));
    may_lose.map(|finding| finding.table.clone()).collect()
}

/// Whether all that earlier nights offered can be known.
fn check_memory(previous: Option<&PreviousRun>) -> Result<(), GateError> {
    match previous {
        Some(previous) if !previous.passed_over.is_empty() => {
            Err(GateError::NightBeforeDamaged { runs: previous.passed_over.clone() })
        }
        _ => Ok(()),
    }
}
