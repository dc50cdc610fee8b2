//! Default outcomes: what became of a merchant's loans after an observation, for the labels of the willingness model.
//!
//! Observed at `S` over `H` days, seen as of `S + H`. `N` is the product's configured days past due, counted while arrears are material
//! ([`super::materiality`]).
//!
//! | outcome | rule |
//! |---|---|
//! | unknown | at `S` or at `S + H` the books of a loan of the merchant do not agree: no label |
//! | excluded | as was known at `S`, a loan of the merchant is `N` or more days past due, or has been written off: already in default |
//! | bad | a loan in exposure is `N` or more days past due on a business date in `(S, S + H]`, or is written off in `[S, S + H)` |
//! | good | not bad, and a loan in exposure was put to the test: it closed, or an instalment of it could have reached `N` within `(S, S + H]` |
//! | indeterminate | not bad, and no exposure, or exposure too young to have been tested |
//!
//! In exposure are loans open at `S` and loans disbursed in `[S, S + H)`. One defaulted loan marks the borrower.

use std::collections::BTreeMap;

use super::assess::Assessment;
use super::columns::strings;
use super::error::RepaymentError;
use super::ledger::LoanLedger;
use super::loan_book::LoanBook;
use super::record::LoanRecord;
use super::settings::LedgerRules;
use crate::domain::AsOf;
use crate::store::Shard;

/// Why an outcome is what it is, from the least to the most telling: of several loans, the one that says most speaks for the borrower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeReason {
    /// Indeterminate: no loan open at the observation and none disbursed after it.
    NoExposure,
    /// Indeterminate: no instalment could have reached default within the window.
    TooYoung,
    /// Good: tested and kept.
    Repaid,
    /// Bad: reached the configured days past due.
    DaysPastDue,
    /// Bad: written off within the window.
    WrittenOff,
    /// Excluded: in default at the observation.
    AlreadyInDefault,
    /// No label: a loan is not known.
    UnknownLoan,
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
            Self::UnknownLoan => "unknown-loan",
        }
    }

    /// `true` is bad; `None` where no label can be given.
    #[must_use]
    pub const fn is_default(self) -> Option<bool> {
        match self {
            Self::DaysPastDue | Self::WrittenOff => Some(true),
            Self::Repaid => Some(false),
            Self::NoExposure | Self::TooYoung | Self::AlreadyInDefault | Self::UnknownLoan => None,
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
}

/// Outcomes over `(from, shard.as_of]`: the shard is seen at the end of the performance window, `before` is the same bucket's ledger as it
/// was at the observation `from`.
///
/// Without a loan book every merchant is [`OutcomeReason::NoExposure`].
///
/// # Errors
/// An observation not before the shard's instant, a broken table.
pub fn default_outcomes(
    shard: &Shard,
    from: &AsOf,
    before: Option<&LoanLedger>,
    rules: &LedgerRules,
) -> Result<Outcomes, RepaymentError> {
    if from.micros() >= shard.as_of.micros() {
        return Err(RepaymentError::ObservedTooLate { from: from.date(), seen: shard.as_of.date() });
    }
    let mut worst: BTreeMap<String, OutcomeReason> = BTreeMap::new();
    let mut note = |merchant: &str, found: OutcomeReason| match worst.get_mut(merchant) {
        Some(known) => *known = (*known).max(found),
        None => drop(worst.insert(merchant.to_owned(), found)),
    };
    if let Some(merchants) = shard.table("merchants") {
        for merchant in strings(merchants, "merchants", "merchant_id")?.iter().flatten() {
            note(merchant, OutcomeReason::NoExposure);
        }
    }
    if let Some(before) = before {
        for loan in before.known.iter().filter(|l| l.is_in_default || l.is_written_off) {
            note(&loan.merchant_id, OutcomeReason::AlreadyInDefault);
        }
        for merchant in before.unknown_merchants() {
            note(merchant, OutcomeReason::UnknownLoan);
        }
    }
    if let Some(book) = LoanBook::read(shard, rules)? {
        for (record, assessment) in &book.known {
            let threshold = rules.default_dpd.get(record.product).map_or(0, |&days| i64::from(days));
            note(record.merchant_id, judge(record, assessment, from, &shard.as_of, threshold));
        }
        for loan in &book.unknown {
            note(&loan.merchant_id, OutcomeReason::UnknownLoan);
        }
    }
    let outcome = |reason: OutcomeReason| Outcome { is_default: reason.is_default(), reason };
    Ok(Outcomes { by_merchant: worst.into_iter().map(|(merchant, reason)| (merchant, outcome(reason))).collect() })
}

fn judge(record: &LoanRecord<'_>, assessment: &Assessment, from: &AsOf, to: &AsOf, threshold: i64) -> OutcomeReason {
    let repayment = &assessment.repayment;
    if repayment.closed_at.is_some_and(|closed| closed < from.micros()) {
        return OutcomeReason::NoExposure;
    }
    if record.written_off_at.is_some() {
        return OutcomeReason::WrittenOff;
    }
    let (first_day, last_day) = (i64::from(from.days_since_epoch()) + 1, i64::from(to.days_since_epoch()));
    // The first day of each run that is a default, no earlier than the window's.
    let mut defaults = assessment.material.iter().filter(|run| {
        let default_day = i64::from(run.from) + threshold - 1;
        default_day.max(first_day) <= i64::from(run.to).min(last_day)
    });
    if defaults.next().is_some() {
        return OutcomeReason::DaysPastDue;
    }
    let was_tested = repayment.closed_at.is_some()
        || repayment.instalments.iter().any(|state| {
            // The business date on which the instalment, were it never paid, would be `threshold` days past due.
            let default_day = i64::from(state.due_on) + threshold;
            // Settled before the observation: the promise is not this window's. A payment that bounced in the window settles nothing.
            let is_past = state.settled_at.is_some_and(|settled| settled < from.micros());
            !is_past && (first_day..=last_day).contains(&default_day)
        });
    if was_tested { OutcomeReason::Repaid } else { OutcomeReason::TooYoung }
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
