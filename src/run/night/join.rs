//! How shards come together once they are decided.

use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;

use super::decide::{DecideError, Decided};
use super::decided_tables::DecidedTables;
use super::drift_report::DriftCounts;
use super::portfolio_report::PortfolioReport;
use super::settlement::{Waiting, apply, claims_of};
use super::summarise::Totals;
use crate::domain::{AsOf, parallel};
use crate::monitor::{PortfolioTables, RollMatrix};
use crate::offer::{Claims, Invitation, OptimisationSummary, Policy, Settlement};
use crate::run::decision_gates::{Pledges, check_settled, check_shard};
use crate::run::error::RunError;
use crate::run::progress::Progress;
use crate::run::stages::StageClock;
use crate::run::unseen::Unseen;
use crate::spill::{Shelf, Shelved};

/// Bytes of decided shards that are held in memory while they wait for all others.
pub(in crate::run) const HELD_WAITING: usize = 256 << 20;

/// A decided shard that waits until what crosses merchants is settled, and what it asks for.
pub(in crate::run) type WaitingShard = (Shelved, Claims);

/// How shards come together once they are decided.
pub(in crate::run) struct Join<'a, 'j> {
    pub tables: &'a DecidedTables,
    pub joined: &'a Mutex<Joined<'j>>,
    pub settlement: &'a Settlement<'a>,
    pub policy: &'a Policy,
    pub as_of: &'a AsOf,
}

impl Join<'_, '_> {
    fn add(&self, shard: &Decided) -> Result<(), RunError> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner).add(shard, self.policy, self.as_of.date())
    }

    /// Adds a shard, but for what has to wait until all merchants are decided: that is put aside.
    pub fn decided(&self, mut shard: Decided, shelf: &Shelf<Waiting>) -> Result<Option<WaitingShard>, RunError> {
        check_shard(&shard, self.policy)?;
        if !self.policy.crosses_merchants() {
            self.add(&shard)?;
            self.tables.add(shard)?;
            return Ok(None);
        }
        let claims = claims_of(self.settlement, &shard).map_err(DecideError::from)?;
        let shelved = shelf.put(&Waiting::take_from(&mut shard))?;
        self.add(&shard)?;
        // Their rows wait; what is owed on them is counted.
        shard.accounts.clear();
        self.tables.add(shard)?;
        Ok(Some((shelved, claims)))
    }

    /// Settles what crosses merchants, and adds what waited for it.
    pub fn settled(
        &self,
        waiting: Vec<Option<WaitingShard>>,
        shelf: &Shelf<Waiting>,
        progress: &StageClock<'_>,
    ) -> Result<Option<OptimisationSummary>, RunError> {
        let (shelved, claims): (Vec<Shelved>, Vec<Claims>) = waiting.into_iter().flatten().unzip();
        if shelved.is_empty() {
            return Ok(None);
        }
        progress.stage("settle the portfolio", Some(shelved.len() as u64));
        let (settled, optimisation) = self.settlement.settle(claims);
        parallel::each(shelved.into_iter().zip(settled).collect(), |(shelved, settled)| {
            let mut shard = shelf.take(shelved)?.into_shard();
            apply(self.settlement, &mut shard, settled, self.as_of).map_err(DecideError::from)?;
            check_settled(&shard)?;
            let accounts = std::mem::take(&mut shard.accounts);
            self.add(&shard)?;
            shard.accounts = accounts;
            self.tables.add(shard)?;
            progress.advance(1);
            Ok::<_, RunError>(())
        })?;
        Ok(optimisation)
    }
}

/// What is joined from shards as they are decided, in any order.
pub(in crate::run) struct Joined<'a> {
    totals: Totals,
    pledges: Pledges,
    unseen: Unseen<'a>,
    report: PortfolioReport<'a>,
    drift: DriftCounts,
    /// Offers that nobody asked for, not yet ranked.
    invitations: Vec<Invitation>,
}

impl<'a> Joined<'a> {
    pub fn new(unseen: Unseen<'a>, report: PortfolioReport<'a>) -> Self {
        Self {
            totals: Totals::default(),
            pledges: Pledges::default(),
            unseen,
            report,
            drift: DriftCounts::default(),
            invitations: Vec::new(),
        }
    }

    fn add(&mut self, shard: &Decided, policy: &Policy, tonight: Date) -> Result<(), RunError> {
        self.pledges.add(shard)?;
        if let Some(terms) = &policy.invitations {
            self.invitations.extend(shard.offers.iter().filter_map(|offer| Invitation::of(terms, offer)));
        }
        self.unseen.take_off(shard);
        self.report.add(shard)?;
        self.drift.add(shard);
        Ok(self.totals.add(shard, tonight).map_err(DecideError::from)?)
    }

    /// Adds what belongs to no shard, and gives the portfolio over all.
    pub fn close(
        self,
        tables: &DecidedTables,
        tonight: Date,
        months: &[(Date, Date, RollMatrix)],
    ) -> Result<(Totals, DriftCounts, PortfolioTables), RunError> {
        let Self { mut totals, mut pledges, unseen, report, drift, mut invitations } = self;
        Invitation::rank(&mut invitations);
        tables.add_invitations(invitations)?;
        let mut rest = unseen.rest(tonight, totals.portfolio.is_some());
        rest.borrower_states = report.unseen_states(tonight);
        pledges.add(&rest)?;
        totals.add(&rest, tonight).map_err(DecideError::from)?;
        let (portfolio, rows) = report.close(totals.portfolio.as_ref(), months)?;
        (rest.loan_lines, rest.forecasts) = (rows.lines, rows.forecasts);
        tables.add_portfolio(portfolio.clone())?;
        tables.add(rest)?;
        Ok((totals, drift, portfolio))
    }
}
