//! The rules on a loan's schedule, and which version of it counts.
//!
//! **Versions.** Rows of one version carry the same `recorded_at`; washing drops a row that is sent again with equal content, so a later
//! `recorded_at` means changed content. A loan that was never restructured has one version: rows of several mean that a part of a new
//! schedule is missing, or that a promise was changed without a restructure.
//!
//! A restructured loan follows its newest version:
//! 1. rows of the newest `recorded_at`, where they alone are a whole schedule (numbers from 1, principal that adds up): all older rows are
//!    replaced, those with higher numbers included;
//! 2. otherwise these rows together with older ones, each of which fell due on or before the day of the restructure: a restructure
//!    may leave the past as it was. An older row that falls due later is a leftover, and the schedule mixes versions.
//!
//! A restructure may change dates, also beyond the term, the number of instalments, interest, fees, and how principal is split; never the sum of
//! principal. Days past due then count on the new schedule; that the terms were eased stays on record as `is_restructured`.

use std::collections::BTreeSet;

use super::super::calendar::BusinessDays;
use super::super::record::{LoanRecord, ScheduleRow};
use super::super::unknown::UnknownCause;
use super::super::waterfall::Instalment;
use super::MOST_OWED_MINOR;

/// The schedule that counts, by number; what is wrong with it is added to the causes.
pub(super) fn judge(
    record: &LoanRecord<'_>,
    disbursed_on: i32,
    days: &BusinessDays,
    causes: &mut Vec<UnknownCause>,
) -> Vec<Instalment> {
    let mut rows = in_force(record, days, causes);
    rows.sort_unstable_by_key(|i| (i.number, i.due_on));
    if rows.is_empty() {
        causes.push(UnknownCause::new("no-schedule", "there is no schedule: what is due, and when, is not known"));
        return rows;
    }
    judge_numbers(&rows, causes);
    judge_amounts(&rows, record.terms.principal_minor, causes);
    judge_dates(&rows, record, disbursed_on, causes);
    rows
}

/// Rows of the version that counts.
fn in_force(record: &LoanRecord<'_>, days: &BusinessDays, causes: &mut Vec<UnknownCause>) -> Vec<Instalment> {
    let all = || record.schedule.iter().map(|row| row.instalment).collect();
    let versions: BTreeSet<Option<i64>> = record.schedule.iter().map(|row| row.recorded_at).collect();
    let (1.., Some(&newest)) = (versions.len().saturating_sub(1), versions.last()) else { return all() };
    let is_newest = |row: &&ScheduleRow| row.recorded_at == newest;
    let mixed = |detail: String| UnknownCause::new("schedule-versions", detail);
    let Some(restructured_at) = record.restructured_at else {
        let of_newest = record.schedule.iter().filter(is_newest).count();
        causes.push(mixed(format!(
            "its {} instalments were recorded at {} different times ({of_newest} at the latest), and the loan was not restructured",
            record.schedule.len(),
            versions.len(),
        )));
        return all();
    };
    let renewed: Vec<Instalment> = record.schedule.iter().filter(is_newest).map(|row| row.instalment).collect();
    if is_whole(&renewed, record.terms.principal_minor) {
        return renewed;
    }
    let restructured_on = days.day_of(restructured_at).unwrap_or(i32::MIN);
    let leftovers = record.schedule.iter().filter(|row| !is_newest(row) && row.instalment.due_on > restructured_on);
    let numbers: Vec<String> = leftovers.map(|row| row.instalment.number.to_string()).collect();
    if !numbers.is_empty() {
        causes.push(mixed(format!(
            "the newest schedule is not whole, and instalments {} of an older one fall due after the restructure",
            numbers.join(", "),
        )));
    }
    all()
}

/// Numbered from 1 without gap or repetition, with principal that adds up to what was lent.
fn is_whole(rows: &[Instalment], principal_minor: i64) -> bool {
    let numbers: BTreeSet<i64> = rows.iter().map(|i| i.number).collect();
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let principal: i128 = rows.iter().map(|i| i128::from(i.principal_minor)).sum();
    numbers.len() == rows.len()
        && numbers.first() == Some(&1)
        && numbers.last() == Some(&count)
        && principal == i128::from(principal_minor)
}

fn judge_numbers(rows: &[Instalment], causes: &mut Vec<UnknownCause>) {
    let wrong = rows.iter().zip(1_i64..).find(|(row, expected)| row.number != *expected);
    if let Some((row, expected)) = wrong {
        let what = if row.number < expected { "is there twice" } else { "is missing" };
        let number = row.number.min(expected);
        let detail = format!("of {} instalments, number {number} {what}", rows.len());
        causes.push(UnknownCause::new("schedule-numbers", detail));
    }
}

fn judge_amounts(rows: &[Instalment], principal_minor: i64, causes: &mut Vec<UnknownCause>) {
    let parts = |i: &Instalment| [i.principal_minor, i.interest_minor, i.fee_minor];
    let principal: i128 = rows.iter().map(|i| i128::from(i.principal_minor)).sum();
    if principal != i128::from(principal_minor) {
        let detail = format!("principal of {principal} falls due in all, {principal_minor} was lent");
        causes.push(UnknownCause::new("schedule-principal", detail));
    }
    let owed: i128 = rows.iter().flat_map(parts).map(i128::from).sum();
    if let Some(negative) = rows.iter().find(|i| parts(i).iter().any(|part| *part < 0)) {
        let detail = format!("a part of instalment {} is negative", negative.number);
        causes.push(UnknownCause::new("schedule-amounts", detail));
    } else if owed > i128::from(MOST_OWED_MINOR) {
        let detail = format!("{owed} falls due in all, more than a loan can owe ({MOST_OWED_MINOR})");
        causes.push(UnknownCause::new("schedule-amounts", detail));
    }
}

fn judge_dates(rows: &[Instalment], record: &LoanRecord<'_>, disbursed_on: i32, causes: &mut Vec<UnknownCause>) {
    if let Some([earlier, later]) = rows.array_windows::<2>().find(|[a, b]| a.due_on >= b.due_on) {
        let detail = format!("instalment {} does not fall due after instalment {}", later.number, earlier.number);
        causes.push(UnknownCause::new("schedule-dates", detail));
    }
    let after_disbursement = |i: &Instalment| i64::from(i.due_on) - i64::from(disbursed_on);
    if let Some(early) = rows.iter().find(|i| after_disbursement(i) < 0) {
        let days = -after_disbursement(early);
        let detail = format!("instalment {} falls due {days} days before the money was paid out", early.number);
        causes.push(UnknownCause::new("schedule-before-disbursement", detail));
    }
    let term = record.terms.term_days;
    let late = rows.iter().find(|i| after_disbursement(i) > term).filter(|_| record.restructured_at.is_none());
    if let Some(late) = late {
        let days = after_disbursement(late);
        let detail = format!(
            "instalment {} falls due {days} days after the money was paid out, the term is {term} days, and the loan was not restructured",
            late.number
        );
        causes.push(UnknownCause::new("schedule-beyond-term", detail));
    }
}
