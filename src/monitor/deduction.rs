//! Deductions: arrears taken from a borrower's payment account, each at most once.
//!
//! **The key.** A deduction's key digests the loan, how many deductions of it have arrived and how many of those were reversed. It does
//! not hold the day or the amount. So
//! - the same night run again, or replayed, gives the same key: the payment service drops the second order;
//! - a deduction that was ordered but has not arrived in the payments yet leaves both counts as they are, so the next night orders
//!   the same key again, and nothing is taken twice however late payments are posted;
//! - a payment that the borrower makes meanwhile changes arrears but not the key: at most one deduction of a loan is ever in flight;
//! - once the deduction has arrived, or bounced, a count has changed, and what is still owed gets a key of its own.
//!
//! Where a source never marks payments as deductions the key never changes, and a loan is deducted once only: the safe failure. A key is
//! used up by success alone: an order that the service refuses may come again under the same key.
//!
//! **The amount.** The arrears, but a night never more, over all loans of a merchant, than the configured share of what an average day
//! took in: the rest stays with the merchant, who has goods to buy. Unknown receipts deduct nothing, and while one of a borrower's
//! loans is not known, nothing is taken for any of them: what the borrower still owes, and whether it was paid, is for a person to find out.

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::error::MonitorError;
use super::finite::finite;
use super::settings::{Action, DeductionTerms};
use crate::domain::Hasher;
use crate::features::FeatureLookup;
use crate::repayment::{LoanStanding, MerchantLoans};

/// One order to deduct.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deduction {
    /// Idempotency key.
    pub key: String,
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// Arrears, days past due and the rule that asked, in words.
    pub why: String,
}

/// Deductions of one merchant, or many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deductions {
    /// The most days past due first, then by loan.
    pub deductions: Vec<Deduction>,
    /// Loans that a rule would have deducted but whose merchant's receipts are unknown.
    pub receipts_unknown: u64,
    /// Loans that a rule would have deducted but whose borrower has a loan of which nothing is known.
    pub loans_unknown: u64,
}

/// Orders deductions for the loans of one merchant on which an alert asks for it.
///
/// # Errors
/// A feature that is NaN or infinite.
pub fn deduct(
    terms: &DeductionTerms,
    merchant_id: &str,
    features: &dyn FeatureLookup,
    loans: MerchantLoans<'_>,
    alerts: &[Alert],
) -> Result<Deductions, MonitorError> {
    let mut found = Deductions::default();
    let rule_of = |loan: &LoanStanding| {
        let asks = |a: &&Alert| {
            a.acts()
                && a.action == Action::Deduct
                && a.merchant_id == merchant_id
                && a.loan_id.as_deref() == Some(&loan.loan_id)
        };
        alerts.iter().find(asks).map(|a| a.rule.as_str())
    };
    let mut late: Vec<(&LoanStanding, &str)> = loans
        .known
        .iter()
        .filter(|l| l.merchant_id == merchant_id && l.arrears_minor > 0 && !l.is_closed && !l.is_written_off)
        .filter_map(|l| rule_of(l).map(|rule| (l, rule)))
        .collect();
    late.sort_unstable_by(|(a, _), (b, _)| b.dpd.cmp(&a.dpd).then_with(|| a.loan_id.cmp(&b.loan_id)));
    if late.is_empty() {
        return Ok(found);
    }
    if !loans.unknown.is_empty() {
        found.loans_unknown = late.len() as u64;
        return Ok(found);
    }
    let Some(receipts) = finite(features, merchant_id, &terms.receipts_feature)? else {
        found.receipts_unknown = late.len() as u64;
        return Ok(found);
    };
    let mut left = share_of_a_day(receipts, terms);
    for (loan, rule) in late {
        let amount_minor = loan.arrears_minor.min(left);
        if amount_minor < terms.min_minor {
            continue;
        }
        left -= amount_minor;
        found.deductions.push(Deduction {
            key: key(loan),
            loan_id: loan.loan_id.clone(),
            merchant_id: merchant_id.to_owned(),
            amount_minor,
            why: format!("{rule}: {} minor units in arrears, {} days past due", loan.arrears_minor, loan.dpd),
        });
    }
    Ok(found)
}

/// `share × receipts ÷ days`, rounded down; nothing where receipts are negative.
fn share_of_a_day(receipts: f64, terms: &DeductionTerms) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturating is what is meant, and NaN was refused")]
    let whole = receipts.max(0.0).floor() as i64;
    let share =
        i128::from(whole) * i128::from(terms.receipts_share_ppm) / 1_000_000 / i128::from(terms.receipts_days.max(1));
    // Receipts are not negative here, and so their share is not.
    i64::try_from(share).unwrap_or(if share < 0 { 0 } else { i64::MAX })
}

fn key(loan: &LoanStanding) -> String {
    let mut hasher = Hasher::default();
    hasher.field(b"deduction");
    hasher.field(loan.loan_id.as_bytes());
    hasher.field(&loan.deductions.to_le_bytes());
    hasher.field(&loan.deductions_reversed.to_le_bytes());
    hasher.finish().to_string().chars().take(32).collect()
}

#[cfg(test)]
#[path = "deduction_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "deduction_nights_tests.rs"]
mod nights_tests;
