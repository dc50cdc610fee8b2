//! The rules on a loan's schedule, and which version of it counts, as [`super`] says.

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
    let ends_with_term = ends_with_term(&rows, record, disbursed_on);
    settle_rounding(&mut rows, record.terms.principal_minor, ends_with_term);
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

/// Numbered from 1 without gap or repetition, with principal that adds up to what was lent, a lender's rounding aside.
fn is_whole(rows: &[Instalment], principal_minor: i64) -> bool {
    let numbers: BTreeSet<i64> = rows.iter().map(|i| i.number).collect();
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    numbers.len() == rows.len()
        && numbers.first() == Some(&1)
        && numbers.last() == Some(&count)
        && is_rounding(rows, principal_minor, false)
}

/// Whether the last instalment falls due on the last day of the term: then none after it was lost.
fn ends_with_term(rows: &[Instalment], record: &LoanRecord<'_>, disbursed_on: i32) -> bool {
    let end = rows.last().map(|last| i64::from(last.due_on) - i64::from(disbursed_on));
    record.restructured_at.is_none() && end == Some(record.terms.term_days)
}

/// Whether principal is off by no more than a minor unit an instalment. What is short of the loan may also be a last instalment that was lost.
fn is_rounding(rows: &[Instalment], principal_minor: i64, ends_with_term: bool) -> bool {
    let missing = missing_principal(rows, principal_minor);
    missing.unsigned_abs() <= rows.len() as u128 && (missing <= 0 || ends_with_term)
}

/// How much of what was lent no instalment repays; negative where they repay more.
fn missing_principal(rows: &[Instalment], principal_minor: i64) -> i128 {
    i128::from(principal_minor) - rows.iter().map(|i| i128::from(i.principal_minor)).sum::<i128>()
}

/// Lets the principal add up to what was lent where lenders who round each instalment to a minor unit are off by one an instalment at most. The last instalment bears
/// it, and asks for as much in all as before: its interest and fee give way, as far as there are any. What was lent stays owed until it is repaid.
fn settle_rounding(rows: &mut [Instalment], principal_minor: i64, ends_with_term: bool) {
    let missing = missing_principal(rows, principal_minor);
    let is_rounding = is_rounding(rows, principal_minor, ends_with_term);
    let is_sound = rows.iter().all(|i| i.principal_minor >= 0 && i.interest_minor >= 0 && i.fee_minor >= 0);
    let (Some(last), Ok(missing), true) = (rows.last_mut(), i64::try_from(missing), is_rounding && is_sound) else {
        return;
    };
    let Some(principal_minor) = last.principal_minor.checked_add(missing).filter(|minor| *minor >= 0) else { return };
    let of_interest = missing.min(last.interest_minor);
    let of_fee = (missing - of_interest).min(last.fee_minor);
    last.principal_minor = principal_minor;
    last.interest_minor = last.interest_minor.saturating_sub(of_interest);
    last.fee_minor -= of_fee;
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
    let missing = missing_principal(rows, principal_minor);
    if missing != 0 {
        let principal = i128::from(principal_minor) - missing;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn instalments(parts: &[(i64, i64, i64)]) -> Vec<Instalment> {
        let of = |(number, (principal_minor, interest_minor, fee_minor)): (i64, &(i64, i64, i64))| Instalment {
            number,
            due_on: i32::try_from(number).unwrap(),
            principal_minor: *principal_minor,
            interest_minor: *interest_minor,
            fee_minor: *fee_minor,
        };
        (1..).zip(parts).map(of).collect()
    }

    #[test]
    fn the_last_instalment_bears_a_minor_unit_an_instalment_and_asks_for_as_much_as_before() {
        for (schedule, lent, last) in [
            ([(34, 5, 0), (34, 5, 0), (34, 5, 0)], 100, Some((32, 7, 0))),
            ([(33, 5, 0), (33, 5, 0), (33, 5, 0)], 101, Some((35, 3, 0))),
            ([(33, 1, 1), (33, 1, 1), (33, 1, 1)], 102, Some((36, 0, 0))),
            // Without charges that could give way the lender's principal is asked for all the same.
            ([(33, 0, 0), (33, 0, 0), (33, 0, 0)], 100, Some((34, 0, 0))),
            ([(33, 5, 0), (33, 5, 0), (34, 5, 0)], 100, Some((34, 5, 0))),
            // More than a minor unit each, more than the last one has, and what is no schedule.
            ([(33, 5, 0), (33, 5, 0), (33, 5, 0)], 103, None),
            ([(35, 5, 0), (35, 5, 0), (34, 5, 0)], 100, None),
            ([(50, 5, 0), (52, 5, 0), (1, 5, 0)], 100, None),
            ([(52, 5, 0), (50, 5, 0), (-1, 5, 0)], 100, None),
        ] {
            let before = instalments(&schedule);
            let mut rows = before.clone();
            settle_rounding(&mut rows, lent, true);
            match last {
                Some((principal, interest, fee)) => {
                    let settled = rows[2];
                    assert_eq!(
                        (settled.principal_minor, settled.interest_minor, settled.fee_minor),
                        (principal, interest, fee)
                    );
                    assert_eq!(missing_principal(&rows, lent), 0);
                    let is_short = missing_principal(&before, lent) > 0;
                    assert_eq!(is_whole(&before, lent), !is_short, "what is short may have lost its end");
                    let mut short = before.clone();
                    settle_rounding(&mut short, lent, false);
                    assert_eq!(short == before, is_short || before == rows);
                }
                None => assert_eq!(rows, before),
            }
            assert_eq!(rows[..2], before[..2], "the last one alone");
        }
    }
}
