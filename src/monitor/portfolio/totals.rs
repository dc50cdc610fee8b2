//! The totals of the portfolio: exposure, arrears, buckets, classes, the share that does not perform, and the loans of which nothing is known.
//!
//! Buckets hold loans by days past due of any arrears. Classes from substandard up, and with them the non-performing share, count days past due of
//! material arrears. An unknown loan is in none of them: it has a line of its own.
//!
//! All sums are integers, so that portfolios of shards merge in any order to the same whole. Merchants live in one shard each, so their counts
//! add up too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contagion::{DefaultedGroups, Mark};
use crate::monitor::class::{Class, bucket_of};
use crate::monitor::error::MonitorError;
use crate::monitor::settings::{Bucket, ClassThresholds};
use crate::repayment::{LoanLedger, LoanStanding, UnknownLoan};

/// Loans and the principal they still owe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Number of loans.
    pub loans: u64,
    /// Principal not repaid, in minor units.
    pub outstanding_minor: i64,
}

/// The open loans of a shard, or of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Portfolio {
    /// Merchants with an open loan.
    pub borrowers: u64,
    /// Open loans: neither closed nor written off.
    pub open: Tally,
    /// Due and unpaid on open loans, in minor units.
    pub arrears_minor: i64,
    /// Open loans of borrowers in default, with a loan classed substandard or worse, or with a loan of a group in default.
    pub non_performing: Tally,
    /// Written off, with something still owed.
    pub written_off: Tally,
    /// Loans whose books agree, closed ones included.
    #[serde(default)]
    pub known_loans: u64,
    /// Loans of which nothing is known: in none of the other figures.
    #[serde(default)]
    pub unknown: UnknownTally,
    /// Open loans by bucket of their own days past due.
    pub by_bucket: BTreeMap<String, Tally>,
    /// Open loans by class. From substandard up, and in default, a borrower's worst loan classes them all.
    pub by_class: BTreeMap<Class, Tally>,
}

/// Loans of which nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnknownTally {
    /// Number of loans.
    pub loans: u64,
    /// What was lent on those whose own row says so, in minor units.
    pub principal_minor: i64,
    /// How many do not say what was lent.
    pub without_principal: u64,
    /// How many lead to no merchant.
    #[serde(default)]
    pub without_merchant: u64,
}

impl Portfolio {
    /// The portfolio of a ledger.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn of(
        ledger: &LoanLedger,
        buckets: &[Bucket],
        classes: &ClassThresholds,
        groups: &DefaultedGroups,
    ) -> Result<Self, MonitorError> {
        let mut portfolio = Self { known_loans: ledger.known.len() as u64, ..Self::default() };
        for loan in &ledger.unknown {
            portfolio.unknown.add(loan)?;
        }
        for bucket in buckets {
            portfolio.by_bucket.insert(bucket.name.clone(), Tally::default());
        }
        for loans in ledger.known.chunk_by(|a, b| a.merchant_id == b.merchant_id) {
            let mark = Mark::of(loans, classes, groups);
            let mut is_borrower = false;
            for loan in loans.iter().filter(|l| !l.is_closed) {
                if loan.is_written_off {
                    portfolio.written_off.add(loan)?;
                    continue;
                }
                is_borrower = true;
                portfolio.open.add(loan)?;
                portfolio.arrears_minor = sum(portfolio.arrears_minor, loan.arrears_minor, "arrears")?;
                if let Some(bucket) = bucket_of(buckets, loan.dpd) {
                    portfolio.by_bucket.entry(bucket.name.clone()).or_default().add(loan)?;
                }
                let class = mark.class_of(loan, classes);
                portfolio.by_class.entry(class).or_default().add(loan)?;
                if class.is_non_performing() {
                    portfolio.non_performing.add(loan)?;
                }
            }
            portfolio.borrowers += u64::from(is_borrower);
        }
        Ok(portfolio)
    }

    /// Adds loans of which only broken rows that lead to no merchant are known.
    pub fn add_loans_without_merchant(&mut self, loans: u64) {
        self.unknown.loans += loans;
        self.unknown.without_principal += loans;
        self.unknown.without_merchant += loans;
    }

    /// Adds another shard's portfolio.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        self.borrowers += other.borrowers;
        self.open.merge(&other.open)?;
        self.arrears_minor = sum(self.arrears_minor, other.arrears_minor, "arrears")?;
        self.non_performing.merge(&other.non_performing)?;
        self.written_off.merge(&other.written_off)?;
        self.known_loans += other.known_loans;
        self.unknown.merge(&other.unknown)?;
        for (bucket, tally) in &other.by_bucket {
            self.by_bucket.entry(bucket.clone()).or_default().merge(tally)?;
        }
        for (class, tally) in &other.by_class {
            self.by_class.entry(*class).or_default().merge(tally)?;
        }
        Ok(())
    }

    /// Non-performing ÷ all outstanding principal of open loans, 0 to 1; `None` where nothing is outstanding.
    #[must_use]
    pub fn non_performing_share(&self) -> Option<f64> {
        (self.open.outstanding_minor > 0)
            .then(|| self.non_performing.outstanding_minor as f64 / self.open.outstanding_minor as f64)
    }

    /// Unknown loans ÷ all loans, 0 to 1; `None` where there is no loan.
    #[must_use]
    pub fn unknown_share(&self) -> Option<f64> {
        let all = self.known_loans + self.unknown.loans;
        (all > 0).then(|| self.unknown.loans as f64 / all as f64)
    }
}

impl Tally {
    fn add(&mut self, loan: &LoanStanding) -> Result<(), MonitorError> {
        self.merge(&Self { loans: 1, outstanding_minor: loan.outstanding_minor })
    }

    fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        self.loans += other.loans;
        self.outstanding_minor = sum(self.outstanding_minor, other.outstanding_minor, "outstanding principal")?;
        Ok(())
    }
}

impl UnknownTally {
    fn add(&mut self, loan: &UnknownLoan) -> Result<(), MonitorError> {
        self.merge(&Self {
            loans: 1,
            principal_minor: loan.principal_minor.unwrap_or(0),
            without_principal: u64::from(loan.principal_minor.is_none()),
            without_merchant: 0,
        })
    }

    fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        self.loans += other.loans;
        self.principal_minor = sum(self.principal_minor, other.principal_minor, "principal of unknown loans")?;
        self.without_principal += other.without_principal;
        self.without_merchant += other.without_merchant;
        Ok(())
    }
}

pub(super) fn sum(a: i64, b: i64, what: &'static str) -> Result<i64, MonitorError> {
    a.checked_add(b).ok_or(MonitorError::Overflow { what })
}

#[cfg(test)]
#[path = "totals_tests.rs"]
mod tests;
