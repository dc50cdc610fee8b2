//! What merchants owe by the loan book, where there is one.

use std::collections::BTreeMap;

use super::account::Owed;
use super::read::AccountTerms;
use crate::repayment::{LoanEvidence, LoanLedger, MerchantLoans, RememberedLoan};

/// The loan book, or that there is none.
#[derive(Clone, Copy)]
pub(super) enum Book<'a> {
    /// The lender keeps none.
    NotKept,
    /// The lender keeps one, but tonight it is absent: this is what the night before left.
    Absent(&'a LoanEvidence),
    Of(&'a LoanLedger),
}

impl<'a> Book<'a> {
    pub(super) fn of(ledger: Option<&'a LoanLedger>, evidence: &'a LoanEvidence, terms: &AccountTerms<'_>) -> Self {
        match ledger {
            Some(ledger) => Self::Of(ledger),
            None if terms.keeps_loan_book || terms.declared.contains("loans") => Self::Absent(evidence),
            None => Self::NotKept,
        }
    }

    pub(super) fn loans(self, merchant: &str) -> MerchantLoans<'a> {
        match self {
            Self::NotKept | Self::Absent(_) => MerchantLoans::default(),
            Self::Of(ledger) => ledger.of(merchant),
        }
    }

    pub(super) fn open_loan_ids(self, merchant: &str) -> Vec<String> {
        match self {
            Self::NotKept => Vec::new(),
            Self::Absent(evidence) => remembered(evidence, merchant, RememberedLoan::may_owe),
            Self::Of(ledger) => ledger.open_of(merchant).into_iter().map(str::to_owned).collect(),
        }
    }

    pub(super) fn closed_loan_ids(self, merchant: &str) -> Vec<String> {
        match self {
            Self::NotKept => Vec::new(),
            Self::Absent(evidence) => remembered(evidence, merchant, |loan| loan.must_be_sent() && !loan.may_owe()),
            Self::Of(ledger) => ledger.closed_loans_still_expected(merchant).into_iter().map(str::to_owned).collect(),
        }
    }

    pub(super) fn owed(self, merchant: &str) -> Owed {
        let loans = self.loans(merchant);
        match self {
            Self::NotKept => return Owed::NoLoanBook,
            Self::Of(_) if loans.unknown.is_empty() => {}
            Self::Absent(_) | Self::Of(_) => return Owed::Unknown,
        }
        let mut by_product: BTreeMap<String, i64> = BTreeMap::new();
        for loan in loans.known {
            let owed = by_product.entry(loan.product.clone()).or_default();
            *owed = owed.saturating_add(loan.outstanding_minor);
        }
        by_product.retain(|_, owed| *owed > 0);
        Owed::Known(by_product)
    }

    /// Where it is not known what a merchant owes, the most that can be said of it.
    pub(super) fn unknown_owed_minor(self, merchant: &str) -> i64 {
        match self {
            Self::NotKept => 0,
            Self::Absent(evidence) => {
                let loans = evidence.loans_of(merchant).iter().filter(|loan| loan.may_owe());
                loans.filter_map(|loan| loan.outstanding_minor.or(loan.principal_minor)).fold(0, i64::saturating_add)
            }
            Self::Of(ledger) => {
                let MerchantLoans { known, unknown } = ledger.of(merchant);
                let lent = unknown.iter().filter_map(|loan| loan.principal_minor);
                known.iter().map(|loan| loan.outstanding_minor).chain(lent).fold(0, i64::saturating_add)
            }
        }
    }
}

/// Loans of a merchant that the night before remembered.
fn remembered(evidence: &LoanEvidence, merchant: &str, counts: impl Fn(&RememberedLoan) -> bool) -> Vec<String> {
    let loans = evidence.loans_of(merchant).iter().filter(|loan| counts(loan));
    loans.map(|loan| loan.loan_id.clone()).collect()
}
