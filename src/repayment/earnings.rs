//! What loans brought in and what they tied up, as the books tell it at the end: what a backtest adds up.
//!
//! | figure | formula |
//! |---|---|
//! | earned | all payments that were not reversed − principal repaid: interest, fees, and what was paid beyond them |
//! | money-days | Σ over the evenings from the draw until the loan closes, is written off, or the observation: principal not repaid |
//! | to come | interest and fees of the schedule that are not paid yet, overdue ones included; 0 once closed or written off; of a loan repaid by a share of sales the most that may come |
//! | money-days to come | Σ over principal not repaid: days until its instalment falls due; overdue principal has none |
//! | agreed | interest and fees of the whole schedule, and the money-days of a loan that is repaid by it |
//!
//! What was paid ahead counts as repaid principal of the instalments that come next.

use std::collections::BTreeSet;

use super::assess::Assessment;
use super::error::RepaymentError;
use super::loan_book::LoanBook;
use super::record::LoanRecord;
use super::settings::LedgerRules;
use super::standing::LoanStanding;
use super::unknown::UnknownLoan;
use super::waterfall::{ObservationPoint, Payment};
use crate::store::Shard;

/// A known loan with what it earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanEarnings {
    /// How it stands.
    pub standing: LoanStanding,
    /// Days since 1970-01-01 on which nothing was owed any more; `None` while something is.
    pub closed_on: Option<i32>,
    /// Paid, less the principal that was repaid.
    pub earned_minor: i64,
    /// Principal times evenings that it was owed.
    pub money_days: i128,
    /// Interest and fees that the schedule still asks for.
    pub to_come_minor: i64,
    /// Principal times evenings that the schedule leaves it owed.
    pub money_days_to_come: i128,
    /// Interest and fees of the whole schedule.
    pub agreed_minor: i64,
    /// Principal times evenings of a loan that is repaid by its schedule.
    pub agreed_money_days: i128,
}

/// Loans whose books agree, and all others.
type KnownAndUnknown = (Vec<LoanEarnings>, Vec<UnknownLoan>);

/// Every loan of a shard: those whose books agree, with what they earned, and those of which nothing is known. `None` without a loan book.
///
/// # Errors
/// A broken table, or sums beyond 64 bits.
pub fn loan_earnings(shard: &Shard, rules: &LedgerRules) -> Result<Option<KnownAndUnknown>, RepaymentError> {
    let Some(book) = LoanBook::read(shard, rules)? else { return Ok(None) };
    let of =
        |(record, assessment): &(LoanRecord<'_>, Assessment)| earnings_of(record, assessment, rules, &book.point());
    let known = book.known.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    Ok(Some((known, book.unknown)))
}

fn earnings_of(
    record: &LoanRecord<'_>,
    assessment: &Assessment,
    rules: &LedgerRules,
    point: &ObservationPoint<'_>,
) -> Result<LoanEarnings, RepaymentError> {
    let repayment = &assessment.repayment;
    let repaid = record.terms.principal_minor - repayment.outstanding_minor;
    let closed_on = repayment.closed_at.map(|at| point.days.day_of(at)).transpose()?;
    let written_off_on = record.written_off_at.map(|at| point.days.day_of(at)).transpose()?;
    let (to_come_minor, money_days_to_come) =
        if closed_on.is_some() || written_off_on.is_some() { (0, 0) } else { to_come(assessment, point.day) };
    let drawn = point.days.day_of(record.terms.disbursed_at)?;
    let agreed = assessment.schedule.iter();
    let agreed_minor = agreed.clone().map(|due| due.interest_minor.saturating_add(due.fee_minor));
    let agreed_days = agreed.map(|due| i128::from(due.principal_minor) * i128::from((due.due_on - drawn).max(0)));
    Ok(LoanEarnings {
        agreed_minor: agreed_minor.fold(0, i64::saturating_add),
        agreed_money_days: agreed_days.sum(),
        standing: assessment.standing(record, rules, point),
        closed_on,
        earned_minor: repayment.paid_minor.saturating_sub(repaid),
        money_days: money_days(record, assessment, rules, (closed_on, written_off_on), point)?,
        to_come_minor,
        money_days_to_come,
    })
}

/// Principal that was owed, evening by evening. It changes on days of payments and due dates alone.
fn money_days(
    record: &LoanRecord<'_>,
    assessment: &Assessment,
    rules: &LedgerRules,
    (closed_on, written_off_on): (Option<i32>, Option<i32>),
    point: &ObservationPoint<'_>,
) -> Result<i128, RepaymentError> {
    let days = point.days;
    // As the books tell it at the end: what bounced since was never paid.
    let kept: Vec<Payment> =
        record.payments.iter().map(|row| row.payment).filter(|p| p.counts_at(point.micros)).collect();
    let kept: Vec<Payment> = kept.into_iter().map(|payment| Payment { reversed_at: None, ..payment }).collect();
    let drawn = days.day_of(record.terms.disbursed_at)?;
    let end = [closed_on, written_off_on].into_iter().flatten().fold(point.day, i32::min);
    let mut changes = BTreeSet::from([drawn]);
    for payment in &kept {
        changes.insert(days.day_of(payment.paid_at)?);
    }
    changes.extend(assessment.schedule.iter().map(|instalment| instalment.due_on));
    changes.retain(|day| (drawn..end).contains(day));
    let until = changes.iter().skip(1).copied().chain([end]);
    let mut sum = 0_i128;
    for (from, until) in changes.iter().copied().zip(until) {
        let morning = from + 1;
        let evening = ObservationPoint { micros: days.midnight(morning)?, day: morning, days };
        let owed = rules.waterfall.allocate(&record.terms, &assessment.schedule, &kept, &evening)?.outstanding_minor;
        sum += i128::from(owed) * i128::from(until - from);
    }
    Ok(sum)
}

/// Interest and fees that are not paid yet, and principal times the days until it falls due.
fn to_come(assessment: &Assessment, today: i32) -> (i64, i128) {
    let repayment = &assessment.repayment;
    let overdue = repayment.interest_arrears_minor.saturating_add(repayment.fee_arrears_minor);
    let mut coming: Vec<_> = assessment.schedule.iter().filter(|instalment| instalment.due_on >= today).collect();
    coming.sort_unstable_by_key(|instalment| (instalment.due_on, instalment.number));
    let charges = coming.iter().map(|due| due.interest_minor.saturating_add(due.fee_minor));
    let mut ahead = repayment.surplus_minor;
    let mut money_days = 0_i128;
    for due in &coming {
        let covered = due.principal_minor.min(ahead);
        ahead -= covered;
        money_days += i128::from(due.principal_minor - covered) * i128::from(due.due_on - today);
    }
    (charges.fold(overdue, i64::saturating_add), money_days)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{DueRow, LoanRow, PaidRow, books, rules, shard};
    use super::*;

    fn one(seen: i32, loan: LoanRow, due: &[DueRow], paid: &[PaidRow]) -> LoanEarnings {
        let (mut known, unknown) = loan_earnings(&shard(seen, &books(&[loan], due, paid)), &rules()).unwrap().unwrap();
        assert!(unknown.is_empty(), "{unknown:?}");
        known.pop().unwrap()
    }

    const LOAN: LoanRow = LoanRow("l1", "m1", 10, 1_000, None);
    const DUE: [DueRow; 1] = [DueRow("l1", 1, 17, 1_000)];

    #[test]
    fn money_is_tied_up_on_every_evening_that_it_is_owed() {
        let repaid = one(40, LOAN, &DUE, &[PaidRow("l1", 13, 400, None), PaidRow("l1", 17, 600, None)]);
        // Evenings of days 10, 11 and 12 on 1,000; of 13 to 16 on 600.
        assert_eq!((repaid.earned_minor, repaid.money_days), (0, 3 * 1_000 + 4 * 600));
        assert_eq!((repaid.to_come_minor, repaid.money_days_to_come), (0, 0));
        assert!(repaid.closed_on.is_some());
    }

    #[test]
    fn a_payment_that_bounced_was_never_made() {
        let open = one(20, LOAN, &DUE, &[PaidRow("l1", 13, 400, Some(15))]);
        assert_eq!((open.money_days, open.standing.outstanding_minor, open.earned_minor), (10_000, 1_000, 0));
        let before = one(14, LOAN, &DUE, &[PaidRow("l1", 13, 400, Some(15))]);
        assert_eq!((before.money_days, before.standing.outstanding_minor), (3_000 + 600, 600));
        // Due on the evening of day 17, seen on the morning of 14.
        assert_eq!(before.money_days_to_come, 600 * 3);
    }

    #[test]
    fn what_is_written_off_ties_up_nothing_any_more() {
        let lost = one(60, LoanRow("l1", "m1", 10, 1_000, Some(30)), &DUE, &[]);
        assert_eq!((lost.money_days, lost.standing.outstanding_minor, lost.money_days_to_come), (20_000, 1_000, 0));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

        /// Evening by evening: what was lent less what had arrived by then and did not bounce.
        #[test]
        fn money_days_are_counted_evening_by_evening(
            paid in proptest::collection::vec((10_i32..50, 1_i64..600, proptest::option::of(0_i32..30)), 0..6),
            seen in 12_i32..70,
            written_off in proptest::option::of(30_i32..60),
        ) {
            let rows: Vec<PaidRow> = paid.iter().map(|(on, minor, bounced)| PaidRow("l1", *on, *minor, bounced.map(|d| on + d))).collect();
            let loan = LoanRow("l1", "m1", 10, 1_000, written_off);
            let (known, _) = loan_earnings(&shard(seen, &books(&[loan], &DUE, &rows)), &rules()).unwrap().unwrap();
            // Books that do not agree, such as of more paid than lent, are not looked at.
            let Some(found) = known.first() else { return Ok(()) };
            let arrived = |on: i32| -> i64 {
                rows.iter().filter(|p| p.1 <= on && p.1 < seen && p.3.is_none_or(|bounced| bounced >= seen)).map(|p| p.2).sum()
            };
            let end = written_off.filter(|on| *on < seen).unwrap_or(seen);
            let owed: i64 = (10..end).map(|evening| (1_000 - arrived(evening)).max(0)).sum();
            proptest::prop_assert_eq!(found.money_days, i128::from(owed));
            proptest::prop_assert_eq!(found.earned_minor, (arrived(seen) - 1_000).max(0));
        }
    }
}
