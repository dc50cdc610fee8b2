//! The published tables of a night, filled shard by shard.

use std::path::Path;

use super::decide::Decided;
use crate::exposure::{OpenOffer, Statement};
use crate::monitor::{Alert, Deduction};
use crate::offer::{BankReferral, Decline, Offer};
use crate::publish::{GatheredTable, OutputRow as _, PublishError, Stage};
use crate::repayment::LoanException;
use crate::score::MerchantScore;

/// Rows of every table, on disk where there are many.
pub struct DecidedTables {
    scores: GatheredTable<MerchantScore>,
    offers: GatheredTable<Offer>,
    declines: GatheredTable<Decline>,
    referrals: GatheredTable<BankReferral>,
    open_offers: GatheredTable<OpenOffer>,
    accounts: GatheredTable<Statement>,
    loan_exceptions: GatheredTable<LoanException>,
    alerts: GatheredTable<Alert>,
    deductions: GatheredTable<Deduction>,
}

impl DecidedTables {
    /// Empty tables; scratch goes to `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            scores: GatheredTable::new(MerchantScore::table(), folder),
            offers: GatheredTable::new(Offer::table(), folder),
            declines: GatheredTable::new(Decline::table(), folder),
            referrals: GatheredTable::new(BankReferral::table(), folder),
            open_offers: GatheredTable::new(OpenOffer::table(), folder),
            accounts: GatheredTable::new(Statement::table(), folder),
            loan_exceptions: GatheredTable::new(LoanException::table(), folder),
            alerts: GatheredTable::new(Alert::table(), folder),
            deductions: GatheredTable::new(Deduction::table(), folder),
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
        self.open_offers.extend(shard.open_offers)?;
        self.accounts.extend(shard.accounts)?;
        self.loan_exceptions.extend(shard.loan_exceptions)?;
        self.alerts.extend(shard.alerts)?;
        self.deductions.extend(shard.deductions)
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
        self.open_offers.publish(stage)?;
        self.accounts.publish(stage)?;
        self.loan_exceptions.publish(stage)?;
        self.alerts.publish(stage)?;
        self.deductions.publish(stage)
    }
}
