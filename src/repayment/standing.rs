//! How loans and borrowers stand: what alerts, deductions, offers and the portfolio read.

use std::collections::BTreeMap;

use super::error::RepaymentError;

/// How one loan stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanStanding {
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// Its product.
    pub product: String,
    /// Principal not repaid.
    pub outstanding_minor: i64,
    /// Due and unpaid.
    pub arrears_minor: i64,
    /// Days past due now.
    pub dpd: i64,
    /// The most days past due it ever was.
    pub worst_dpd: i64,
    /// Nothing is owed any more.
    pub is_closed: bool,
    /// The lender wrote it off.
    pub is_written_off: bool,
    /// Its terms were eased.
    pub is_restructured: bool,
    /// Deductions that arrived, reversed ones included.
    pub deductions: u64,
    /// Deductions that were reversed.
    pub deductions_reversed: u64,
}

impl LoanStanding {
    /// Whether the loan is in default: at least so many days past due, or written off with something still owed.
    ///
    /// # Errors
    /// The product has no default definition.
    pub fn is_in_default(&self, default_dpd: &BTreeMap<String, u16>) -> Result<bool, RepaymentError> {
        let Some(&threshold) = default_dpd.get(&self.product) else {
            return Err(RepaymentError::UnknownProduct {
                loan_id: self.loan_id.clone(),
                product: self.product.clone(),
            });
        };
        Ok(!self.is_closed && (self.is_written_off || self.dpd >= i64::from(threshold)))
    }
}

/// A merchant's record with this lender, over all loans. All zero for a merchant who never borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreditRecord {
    /// Loans ever disbursed.
    pub loans: u64,
    /// Principal not repaid, written-off loans included.
    pub outstanding_minor: i64,
    /// Due and unpaid.
    pub arrears_minor: i64,
    /// The most days past due now.
    pub dpd: i64,
    /// The most days past due ever.
    pub worst_dpd: i64,
    /// A loan is in default now.
    pub is_in_default: bool,
    /// A loan was ever written off.
    pub is_written_off: bool,
}

impl CreditRecord {
    /// The record over all loans of one merchant.
    ///
    /// # Errors
    /// Sums beyond 64 bits, or a product without a default definition.
    pub fn over<'a>(
        loans: impl IntoIterator<Item = &'a LoanStanding>,
        default_dpd: &BTreeMap<String, u16>,
    ) -> Result<Self, RepaymentError> {
        let mut record = Self::default();
        for loan in loans {
            let overflow = |what| RepaymentError::Overflow { loan_id: loan.loan_id.clone(), what };
            record.loans += 1;
            record.outstanding_minor = record
                .outstanding_minor
                .checked_add(loan.outstanding_minor)
                .ok_or_else(|| overflow("the borrower's debt"))?;
            record.arrears_minor = record
                .arrears_minor
                .checked_add(loan.arrears_minor)
                .ok_or_else(|| overflow("the borrower's arrears"))?;
            record.dpd = record.dpd.max(loan.dpd);
            record.worst_dpd = record.worst_dpd.max(loan.worst_dpd);
            record.is_in_default |= loan.is_in_default(default_dpd)?;
            record.is_written_off |= loan.is_written_off;
        }
        Ok(record)
    }
}

/// Standings of consecutive loans by merchant. The input is sorted by merchant, as [`super::repayment_tables`] gives it.
#[must_use]
pub fn by_merchant(standings: &[LoanStanding]) -> BTreeMap<&str, &[LoanStanding]> {
    standings
        .chunk_by(|a, b| a.merchant_id == b.merchant_id)
        .filter_map(|loans| loans.first().map(|first| (first.merchant_id.as_str(), loans)))
        .collect()
}
