//! What belongs to no shard: offers, alerts and orders to deduct of merchants who are no longer scored, and broken rows of loans and applications that lead to no merchant.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::decide::Decided;
use super::night_before::NightBefore;
use crate::exposure::{OpenOffers, unseen_merchants_offers};
use crate::monitor::{OpenDeductions, Portfolio, StandingAlerts};
use crate::publish::OutputRow;
use crate::repayment::{LoanException, exceptions_without_merchant, loans_without_merchant};
use crate::store::BrokenRecord;

/// What the night before left and no shard has taken up so far.
pub struct Unseen<'a> {
    open: &'a OpenOffers,
    standing: &'a StandingAlerts,
    deductions: &'a OpenDeductions,
    /// Merchants with an open offer, a standing alert or a deduction under way that a shard scored.
    seen: BTreeSet<String>,
    /// Lines of the officers' list that no shard has so far.
    lines: BTreeSet<LoanException>,
    /// Loans that only rows without a merchant name, and that no shard has in its list so far.
    loans: BTreeSet<&'a str>,
    /// Loan rows that name neither a loan nor a merchant.
    nameless_loans: u64,
}

impl<'a> Unseen<'a> {
    /// Before any shard is decided.
    pub fn new(
        left: &'a NightBefore,
        unattributed: &'a [BrokenRecord],
        may_wait: impl Fn(&BrokenRecord) -> bool,
    ) -> Self {
        let lines = exceptions_without_merchant(unattributed, may_wait).into_iter().collect();
        let (loans, nameless_loans) = loans_without_merchant(unattributed);
        let NightBefore { open, standing, deductions, .. } = left;
        Self { open, standing, deductions, seen: BTreeSet::new(), lines, loans, nameless_loans }
    }

    /// Takes off what a shard speaks of.
    pub fn take_off(&mut self, shard: &Decided) {
        let merchants = shard.scores.iter().map(|score| &score.merchant_id);
        let known = merchants.filter(|m| {
            !self.open.of(m).is_empty() || !self.standing.of(m).is_empty() || !self.deductions.of(m).is_empty()
        });
        self.seen.extend(known.cloned());
        let told: BTreeSet<_> = shard.loan_exceptions.iter().map(OutputRow::key).collect();
        self.lines.retain(|line| !told.contains(&line.key()));
        // A loan that the night before knew is counted under its borrower already.
        for loan in shard.loan_exceptions.iter().filter_map(|line| line.loan_id.as_deref()) {
            self.loans.remove(loan);
        }
    }

    /// What is left when every shard was taken off; a portfolio only where the shards have one.
    #[must_use]
    pub fn rest(self, as_of: Date, has_portfolio: bool) -> Decided {
        let is_seen = |merchant: &str| self.seen.contains(merchant);
        let mut portfolio = Portfolio::default();
        portfolio.add_loans_without_merchant(self.loans.len() as u64 + self.nameless_loans);
        Decided {
            open_offers: unseen_merchants_offers(self.open, is_seen, as_of),
            alerts: self.standing.of_unseen(is_seen).collect(),
            open_deductions: self.deductions.of_unseen(is_seen).collect(),
            loan_exceptions: self.lines.into_iter().collect(),
            portfolio: has_portfolio.then_some(portfolio),
            ..Decided::default()
        }
    }
}
