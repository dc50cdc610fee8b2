//! Default outcomes: what became of a merchant's loans after an observation, for the labels of the willingness model.
//!
//! Observed at `S` over `H` days, seen as of `S + H`. `N` is the product's configured days past due.
//!
//! | outcome | rule |
//! |---|---|
//! | excluded | at `S` a loan of the merchant is `N` or more days past due, or has been written off: already in default |
//! | bad | a loan in exposure reaches `N` days past due on a business date in `(S, S + H]`, or is written off in `[S, S + H)` |
//! | good | not bad, and a loan in exposure was put to the test: it closed, or an instalment of it could have reached `N` within `(S, S + H]` |
//! | indeterminate | not bad, and no exposure, or exposure too young to have been tested |
//!
//! In exposure are loans open at `S` and loans disbursed in `[S, S + H)`. One defaulted loan marks the borrower.

use std::collections::BTreeMap;

use super::columns::strings;
use super::error::RepaymentError;
use super::loan_book::{Loan, LoanBook};
use super::settings::Waterfall;
use crate::domain::AsOf;
use crate::store::Shard;

/// Why an outcome is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeReason {
    /// Bad: reached the configured days past due.
    DaysPastDue,
    /// Bad: written off within the window.
    WrittenOff,
    /// Good: tested and kept.
    Repaid,
    /// Indeterminate: no loan open at the observation and none disbursed after it.
    NoExposure,
    /// Indeterminate: no instalment could have reached default within the window.
    TooYoung,
    /// Excluded: in default at the observation.
    AlreadyInDefault,
}

impl OutcomeReason {
    /// Stable kebab-case name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DaysPastDue => "days-past-due",
            Self::WrittenOff => "written-off",
            Self::Repaid => "repaid",
            Self::NoExposure => "no-exposure",
            Self::TooYoung => "too-young",
            Self::AlreadyInDefault => "already-in-default",
        }
    }

    /// `true` is bad; `None` where no label can be given.
    #[must_use]
    pub const fn is_default(self) -> Option<bool> {
        match self {
            Self::DaysPastDue | Self::WrittenOff => Some(true),
            Self::Repaid => Some(false),
            Self::NoExposure | Self::TooYoung | Self::AlreadyInDefault => None,
        }
    }
}

/// One merchant's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// `true` is bad; `None` where no label can be given.
    pub is_default: Option<bool>,
    /// Why.
    pub reason: OutcomeReason,
}

/// Outcomes of a shard's merchants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Every merchant of the shard's `merchants` table and every borrower.
    pub by_merchant: BTreeMap<String, Outcome>,
    /// Merchants by reason.
    pub counts: BTreeMap<OutcomeReason, u64>,
}

/// Outcomes over `(from, shard.as_of]`: the shard is seen at the end of the performance window.
///
/// `default_dpd` gives the days past due that are a default, by product. Without a loan book every merchant is
/// [`OutcomeReason::NoExposure`].
///
/// # Errors
/// An observation not before the shard's instant, a product without a default definition, a broken table.
pub fn default_outcomes(
    shard: &Shard,
    from: &AsOf,
    default_dpd: &BTreeMap<String, u16>,
    waterfall: &Waterfall,
) -> Result<Outcomes, RepaymentError> {
    if from.micros() >= shard.as_of.micros() {
        return Err(RepaymentError::ObservedTooLate { from: from.date(), seen: shard.as_of.date() });
    }
    let mut worst: BTreeMap<String, OutcomeReason> = BTreeMap::new();
    if let Some(merchants) = shard.table("merchants") {
        for merchant in strings(merchants, "merchants", "merchant_id")?.iter().flatten() {
            worst.insert(merchant.to_owned(), OutcomeReason::NoExposure);
        }
    }
    if let Some(book) = LoanBook::read(shard)? {
        for loan in &book.loans {
            let Some(&threshold) = default_dpd.get(loan.product) else {
                return Err(RepaymentError::UnknownProduct {
                    loan_id: loan.terms.loan_id.to_owned(),
                    product: loan.product.to_owned(),
                });
            };
            let found = judge(&book, loan, from, &shard.as_of, i64::from(threshold), waterfall)?;
            let known = worst.entry(loan.merchant_id.to_owned()).or_insert(found);
            if rank(found) > rank(*known) {
                *known = found;
            }
        }
    }
    let mut outcomes = Outcomes::default();
    for (merchant, reason) in worst {
        *outcomes.counts.entry(reason).or_default() += 1;
        outcomes.by_merchant.insert(merchant, Outcome { is_default: reason.is_default(), reason });
    }
    Ok(outcomes)
}

/// The loan that says most speaks for the borrower.
const fn rank(reason: OutcomeReason) -> u8 {
    match reason {
        OutcomeReason::NoExposure => 0,
        OutcomeReason::TooYoung => 1,
        OutcomeReason::Repaid => 2,
        OutcomeReason::DaysPastDue => 3,
        OutcomeReason::WrittenOff => 4,
        OutcomeReason::AlreadyInDefault => 5,
    }
}

fn judge(
    book: &LoanBook<'_>,
    loan: &Loan<'_>,
    from: &AsOf,
    to: &AsOf,
    threshold: i64,
    waterfall: &Waterfall,
) -> Result<OutcomeReason, RepaymentError> {
    if loan.terms.disbursed_at < from.micros() {
        let before = loan.repayment(waterfall, &book.view(from))?;
        if loan.written_off_at.is_some_and(|w| w < from.micros()) || before.dpd >= threshold {
            return Ok(OutcomeReason::AlreadyInDefault);
        }
    }
    let after = loan.repayment(waterfall, &book.view(to))?;
    if after.closed_at.is_some_and(|c| c < from.micros()) {
        return Ok(OutcomeReason::NoExposure);
    }
    if loan.written_off_at.is_some() {
        return Ok(OutcomeReason::WrittenOff);
    }
    let mut was_tested = after.closed_at.is_some();
    for state in &after.instalments {
        // The business date on which the instalment, were it never paid, would be `threshold` days past due.
        let default_day = i64::from(state.due_on) + threshold;
        // Settled before the observation: the promise is not this window's. A payment that bounced in the window settles nothing.
        let is_past = state.settled_at.is_some_and(|s| s < from.micros());
        if default_day > i64::from(to.days_since_epoch()) || is_past {
            continue;
        }
        if state.days_late >= threshold {
            return Ok(OutcomeReason::DaysPastDue);
        }
        was_tested |= default_day > i64::from(from.days_since_epoch());
    }
    Ok(if was_tested { OutcomeReason::Repaid } else { OutcomeReason::TooYoung })
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
