//! The ledger of a shard: every loan, known or not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::open_loans::OpenLoans;
use super::standing::LoanStanding;
use super::unknown::{LoanException, UnknownCause, UnknownLoan};
use crate::store::BrokenRecord;

/// Contract tables about loans.
const LOAN_TABLES: [&str; 3] = ["loans", "instalments", "payments"];

/// Every loan of a shard as of its instant, each in one of the two lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LoanLedger {
    /// Loans whose books agree, by merchant and loan.
    pub known: Vec<LoanStanding>,
    /// Loans of which nothing is known, by merchant and loan.
    pub unknown: Vec<UnknownLoan>,
}

/// One merchant's loans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MerchantLoans<'a> {
    /// Loans whose books agree, by loan.
    pub known: &'a [LoanStanding],
    /// Loans of which nothing is known, by loan. While there is one, the known ones do not say what the merchant owes.
    pub unknown: &'a [UnknownLoan],
}

impl MerchantLoans<'_> {
    /// Whether something is owed, or may be.
    #[must_use]
    pub fn may_owe(&self) -> bool {
        !self.unknown.is_empty() || self.known.iter().any(|loan| !loan.is_closed)
    }
}

impl LoanLedger {
    /// The loans of one merchant; none for a merchant who never borrowed.
    #[must_use]
    pub fn of(&self, merchant_id: &str) -> MerchantLoans<'_> {
        MerchantLoans {
            known: of_merchant(&self.known, merchant_id, |loan| &loan.merchant_id),
            unknown: of_merchant(&self.unknown, merchant_id, |loan| &loan.merchant_id),
        }
    }

    /// Loans of a merchant that are not closed, or that may not be.
    #[must_use]
    pub fn open_of(&self, merchant_id: &str) -> BTreeSet<&str> {
        let loans = self.of(merchant_id);
        let known = loans.known.iter().filter(|loan| !loan.is_closed).map(|loan| loan.loan_id.as_str());
        known.chain(loans.unknown.iter().filter_map(|loan| loan.loan_id.as_deref())).collect()
    }

    /// Adds, as unknown, every loan that a merchant of this shard had open on the night before and that is not seen under that merchant
    /// tonight: its row was lost, moved to another borrower, or dated to a day to come.
    pub fn add_missing<'a>(&mut self, merchants: impl Iterator<Item = &'a str>, before: &OpenLoans) {
        let mut missing: Vec<UnknownLoan> = Vec::new();
        for merchant in merchants {
            let loans = self.of(merchant);
            let is_seen = |id: &str| {
                loans.known.iter().any(|loan| loan.loan_id == id)
                    || loans.unknown.iter().any(|loan| loan.loan_id.as_deref() == Some(id))
            };
            missing.extend(before.of(merchant).filter(|id| !is_seen(id)).map(|id| UnknownLoan::missing(merchant, id)));
        }
        self.unknown.extend(missing);
        self.unknown.sort_by(|a, b| (&a.merchant_id, &a.loan_id).cmp(&(&b.merchant_id, &b.loan_id)));
    }

    /// Loans, known or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len() + self.unknown.len()
    }

    /// Whether there is no loan at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Merchants with a loan of which nothing is known, each once, sorted.
    pub fn unknown_merchants(&self) -> impl Iterator<Item = &str> {
        self.unknown.chunk_by(|a, b| a.merchant_id == b.merchant_id).filter_map(|l| l.first()).map(|l| &*l.merchant_id)
    }

    /// The officers' list: a line for each cause of each unknown loan.
    #[must_use]
    pub fn exceptions(&self) -> Vec<LoanException> {
        let line = |loan: &UnknownLoan, cause: &UnknownCause| LoanException {
            merchant_id: Some(loan.merchant_id.clone()),
            loan_id: loan.loan_id.clone(),
            product: loan.product.clone(),
            code: cause.code.to_string(),
            detail: cause.detail.clone(),
            principal_minor: loan.principal_minor,
        };
        self.unknown.iter().flat_map(|loan| loan.causes.iter().map(move |cause| line(loan, cause))).collect()
    }
}

/// Lines of the officers' list for broken rows of loans that lead to no merchant, and so to no shard; rows of other tables are left out.
#[must_use]
pub fn exceptions_without_merchant(broken: &[BrokenRecord]) -> Vec<LoanException> {
    let line = |record: &BrokenRecord| {
        let cause = UnknownCause::broken(&record.table, record.key.as_deref(), &record.rule);
        LoanException {
            merchant_id: record.merchant_id.clone(),
            loan_id: record.loan_id.clone(),
            product: None,
            code: cause.code.to_string(),
            detail: cause.detail,
            principal_minor: None,
        }
    };
    let mut lines: Vec<LoanException> = broken.iter().filter(|r| speaks_of_a_loan(r)).map(line).collect();
    lines.sort_unstable();
    lines
}

/// Whether a broken record is one of a loan, its schedule or its payments.
pub(super) fn speaks_of_a_loan(record: &BrokenRecord) -> bool {
    LOAN_TABLES.contains(&record.table.as_str())
}

fn of_merchant<'a, T>(sorted: &'a [T], merchant_id: &str, id: impl Fn(&T) -> &String) -> &'a [T] {
    let from = sorted.partition_point(|loan| id(loan).as_str() < merchant_id);
    let rest = sorted.get(from..).unwrap_or_default();
    let count = rest.partition_point(|loan| id(loan).as_str() <= merchant_id);
    rest.get(..count).unwrap_or_default()
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
