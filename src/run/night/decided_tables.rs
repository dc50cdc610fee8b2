//! The published tables of a night, filled shard by shard.

use std::cmp::Ordering;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::decide::Decided;
use crate::exposure::{OpenOffer, RememberedMember, RememberedOwner, Statement};
use crate::model::ability::MerchantReceipts;
use crate::monitor::{
    Alert, BorrowerState, Deduction, DriftBin, DriftLine, ForecastLine, LoanForecast, LoanLine, OpenDeduction,
    PortfolioLine, PortfolioTables, ProposedInstalment, ProvisionLine, QueueLine, RollRate, StateChange, VintageLine,
};
use crate::offer::{BankReferral, CaseRecord, Decline, Invitation, Offer, OverrideEffect};
use crate::publish::{GatheredTable, OutputRow as _, PublishError, Stage};
use crate::repayment::{LoanException, RememberedLoan};
use crate::scenario::RememberedRows;
use crate::score::MerchantScore;
use crate::spill::SortedRows;

/// Rows of every table, on disk where there are many.
pub struct DecidedTables {
    scores: GatheredTable<MerchantScore>,
    offers: GatheredTable<Offer>,
    declines: GatheredTable<Decline>,
    referrals: GatheredTable<BankReferral>,
    receipts: GatheredTable<MerchantReceipts>,
    invitations: GatheredTable<Invitation>,
    open_offers: GatheredTable<OpenOffer>,
    accounts: GatheredTable<Statement>,
    cases: GatheredTable<CaseRecord>,
    overrides: GatheredTable<OverrideEffect>,
    loan_exceptions: GatheredTable<LoanException>,
    remembered_loans: GatheredTable<RememberedLoan>,
    remembered_members: GatheredTable<RememberedMember>,
    remembered_owners: GatheredTable<RememberedOwner>,
    remembered_rows: GatheredTable<RememberedRows>,
    alerts: GatheredTable<Alert>,
    deductions: GatheredTable<Deduction>,
    open_deductions: GatheredTable<OpenDeduction>,
    proposals: GatheredTable<ProposedInstalment>,
    queue: SortedRows<Queued>,
    borrower_states: GatheredTable<BorrowerState>,
    state_changes: GatheredTable<StateChange>,
    tonight: Date,
    loan_book: GatheredTable<LoanLine>,
    portfolio: GatheredTable<PortfolioLine>,
    provisions: GatheredTable<ProvisionLine>,
    roll_rates: GatheredTable<RollRate>,
    vintages: GatheredTable<VintageLine>,
    forecasts: GatheredTable<LoanForecast>,
    forecast_outcomes: GatheredTable<ForecastLine>,
    drift: GatheredTable<DriftLine>,
    drift_bins: GatheredTable<DriftBin>,
}

impl DecidedTables {
    /// Empty tables of a night; scratch goes to `folder`.
    pub fn new(folder: &Path, tonight: Date) -> Self {
        Self {
            scores: GatheredTable::new(MerchantScore::table(), folder),
            offers: GatheredTable::new(Offer::table(), folder),
            declines: GatheredTable::new(Decline::table(), folder),
            referrals: GatheredTable::new(BankReferral::table(), folder),
            receipts: GatheredTable::new(MerchantReceipts::table(), folder),
            invitations: GatheredTable::new(Invitation::table(), folder),
            open_offers: GatheredTable::new(OpenOffer::table(), folder),
            accounts: GatheredTable::new(Statement::table(), folder),
            cases: GatheredTable::new(CaseRecord::table(), folder),
            overrides: GatheredTable::new(OverrideEffect::table(), folder),
            loan_exceptions: GatheredTable::new(LoanException::table(), folder),
            remembered_loans: GatheredTable::new(RememberedLoan::table(), folder),
            remembered_members: GatheredTable::new(RememberedMember::table(), folder),
            remembered_owners: GatheredTable::new(RememberedOwner::table(), folder),
            remembered_rows: GatheredTable::new(RememberedRows::table(), folder),
            alerts: GatheredTable::new(Alert::table(), folder),
            deductions: GatheredTable::new(Deduction::table(), folder),
            open_deductions: GatheredTable::new(OpenDeduction::table(), folder),
            proposals: GatheredTable::new(ProposedInstalment::table(), folder),
            queue: SortedRows::new(folder),
            borrower_states: GatheredTable::new(BorrowerState::table(), folder),
            state_changes: GatheredTable::new(StateChange::table(), folder),
            tonight,
            loan_book: GatheredTable::new(LoanLine::table(), folder),
            portfolio: GatheredTable::new(PortfolioLine::table(), folder),
            provisions: GatheredTable::new(ProvisionLine::table(), folder),
            roll_rates: GatheredTable::new(RollRate::table(), folder),
            vintages: GatheredTable::new(VintageLine::table(), folder),
            forecasts: GatheredTable::new(LoanForecast::table(), folder),
            forecast_outcomes: GatheredTable::new(ForecastLine::table(), folder),
            drift: GatheredTable::new(DriftLine::table(), folder),
            drift_bins: GatheredTable::new(DriftBin::table(), folder),
        }
    }

    /// Adds the rows of a shard. Shards may come at the same time and in any order.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn add(&self, shard: Decided) -> Result<(), PublishError> {
        self.scores.extend(shard.scores)?;
        self.offers.extend(shard.offers)?;
        self.declines.extend(shard.declines)?;
        self.referrals.extend(shard.referrals)?;
        self.receipts.extend(shard.receipts)?;
        self.open_offers.extend(shard.open_offers)?;
        self.accounts.extend(shard.accounts)?;
        self.cases.extend(shard.cases)?;
        self.overrides.extend(shard.overrides)?;
        self.loan_exceptions.extend(shard.loan_exceptions)?;
        self.remembered_loans.extend(shard.remembered_loans)?;
        self.remembered_members.extend(shard.remembered_members)?;
        self.remembered_owners.extend(shard.remembered_owners)?;
        self.remembered_rows.extend(shard.remembered_rows)?;
        self.alerts.extend(shard.alerts)?;
        self.deductions.extend(shard.deductions)?;
        self.open_deductions.extend(shard.open_deductions)?;
        self.proposals.extend(shard.proposals)?;
        self.queue.extend(shard.queue.into_iter().map(Queued).collect())?;
        let changed = shard.borrower_states.iter().filter_map(|row| StateChange::of(row, self.tonight));
        self.state_changes.extend(changed.collect())?;
        self.borrower_states.extend(shard.borrower_states)?;
        self.forecasts.extend(shard.forecasts)?;
        self.loan_book.extend(shard.loan_lines)
    }

    /// Adds the tables of the portfolio over all shards.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn add_portfolio(&self, tables: PortfolioTables) -> Result<(), PublishError> {
        self.portfolio.extend(tables.portfolio)?;
        self.provisions.extend(tables.provisions)?;
        self.roll_rates.extend(tables.rolls)?;
        self.vintages.extend(tables.vintages)?;
        self.forecast_outcomes.extend(tables.forecast_outcomes)
    }

    /// Adds the rows of `drift` and `drift_bins`.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn add_drift(&self, (lines, bins): (Vec<DriftLine>, Vec<DriftBin>)) -> Result<(), PublishError> {
        self.drift.extend(lines)?;
        self.drift_bins.extend(bins)
    }

    /// Adds transitions of borrowers' states of the nights before.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn add_state_changes(&self, changes: Vec<StateChange>) -> Result<(), PublishError> {
        self.state_changes.extend(changes)
    }

    /// Alerts, by their table's key.
    pub const fn alerts(&self) -> &GatheredTable<Alert> {
        &self.alerts
    }

    /// Deductions, by their table's key.
    pub const fn deductions(&self) -> &GatheredTable<Deduction> {
        &self.deductions
    }

    /// Adds the invitations of the night, once they are ranked.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn add_invitations(&self, ranked: Vec<Invitation>) -> Result<(), PublishError> {
        self.invitations.extend(ranked)
    }

    /// Writes every table into the run.
    ///
    /// # Errors
    /// Rows cannot be read back, two have the same key, or the stage refuses.
    pub fn publish(&self, stage: &mut Stage<'_, '_>) -> Result<(), PublishError> {
        self.scores.publish(stage)?;
        self.offers.publish(stage)?;
        self.declines.publish(stage)?;
        self.referrals.publish(stage)?;
        self.receipts.publish(stage)?;
        self.invitations.publish(stage)?;
        self.open_offers.publish(stage)?;
        self.accounts.publish(stage)?;
        self.cases.publish(stage)?;
        self.overrides.publish(stage)?;
        self.loan_exceptions.publish(stage)?;
        self.remembered_loans.publish(stage)?;
        self.remembered_members.publish(stage)?;
        self.remembered_owners.publish(stage)?;
        self.remembered_rows.publish(stage)?;
        self.alerts.publish(stage)?;
        self.deductions.publish(stage)?;
        self.open_deductions.publish(stage)?;
        self.proposals.publish(stage)?;
        self.publish_queue(stage)?;
        self.borrower_states.publish(stage)?;
        self.state_changes.publish(stage)?;
        self.loan_book.publish(stage)?;
        self.portfolio.publish(stage)?;
        self.provisions.publish(stage)?;
        self.roll_rates.publish(stage)?;
        self.vintages.publish(stage)?;
        self.forecasts.publish(stage)?;
        self.forecast_outcomes.publish(stage)?;
        self.drift.publish(stage)?;
        self.drift_bins.publish(stage)
    }

    /// The queue is ranked once all borrowers are in it.
    fn publish_queue(&self, stage: &mut Stage<'_, '_>) -> Result<(), PublishError> {
        let mut writer = stage.table(QueueLine::table())?;
        for (line, rank) in self.queue.sorted()?.zip(1_i64..) {
            writer.push(QueueLine { rank, ..line?.0 })?;
        }
        stage.seal(writer).map(|_| ())
    }
}

/// A borrower in the order of the queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Queued(QueueLine);

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order(&other.0)
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}
