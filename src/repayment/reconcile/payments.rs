//! The rules on a loan's payments.

use super::super::calendar::BusinessDays;
use super::super::confirmed::CONFIRM;
use super::super::record::{DEDUCTION, LoanRecord, PaymentRow, VOLUNTARY};
use super::super::settings::LedgerRules;
use super::super::unknown::{PAYMENT_REPEATED, UnknownCause};
use super::super::waterfall::Instalment;
use crate::domain::date_of_days;

/// Two payments of one sum that lie no further apart may be one that was sent under two ids, whichever channel either names. A borrower who pays two equal
/// instalments one right after the other is rarer than a source that sends a payment twice (project judgement).
const COPY_MINUTES: u64 = 10;
const MICROS_PER_MINUTE: u64 = 60_000_000;

/// Adds what is wrong with the payments to the causes.
pub(super) fn judge(
    record: &LoanRecord<'_>,
    schedule: &[Instalment],
    (rules, days): (&LedgerRules, &BusinessDays),
    causes: &mut Vec<UnknownCause>,
) {
    let all = record.payments.len();
    let mut refuse = |code, is_wrong: &dyn Fn(&PaymentRow<'_>) -> bool, what: &str| {
        let wrong = record.payments.iter().filter(|row| is_wrong(row)).count();
        if wrong > 0 {
            causes.push(UnknownCause::new(code, format!("{wrong} of {all} payments {what}")));
        }
    };
    refuse("payment-amount", &|row| row.payment.amount_minor <= 0, "are not positive");
    refuse(
        "payment-channel",
        &|row| row.channel != Some(DEDUCTION) && row.channel != Some(VOLUNTARY),
        "name neither voluntary nor deduction as their channel",
    );
    let disbursed_at = record.terms.disbursed_at;
    refuse(
        "payment-before-disbursement",
        &|row| row.payment.paid_at < disbursed_at,
        "were made before the money was paid out",
    );
    refuse(
        "payment-reversed-before-paid",
        &|row| row.payment.reversed_at.is_some_and(|reversed| reversed < row.payment.paid_at),
        "bounced before they were made",
    );
    let standing = || record.payments.iter().filter(|row| row.payment.reversed_at.is_none());
    let copies = copies(standing().map(|row| (row.payment.amount_minor, row.payment.paid_at)).collect());
    let paid_on = |paid_at: &i64| date_of_days(i64::from(days.day_of(*paid_at).ok()?));
    let is_confirmed = |paid_at: &&i64| rules.payments_confirmed.hold(record.terms.loan_id, paid_on(paid_at));
    let repeated = copies.iter().filter(|paid_at| !is_confirmed(paid_at)).count();
    if repeated > 0 {
        let detail = format!(
            "{repeated} of {all} payments are of the sum of another, at most {COPY_MINUTES} minutes before: the same money may be counted twice. \
             Take the copy out, or {CONFIRM}"
        );
        causes.push(UnknownCause::new(PAYMENT_REPEATED, detail));
    }
    judge_sum(standing().map(|row| i128::from(row.payment.amount_minor)).sum(), schedule, rules, causes);
}

/// When payments were made that follow one of the same sum within [`COPY_MINUTES`]; all are given by sum and instant.
fn copies(mut payments: Vec<(i64, i64)>) -> Vec<i64> {
    payments.sort_unstable();
    let is_copy = |(sum, at): (i64, i64), (other_sum, other_at): (i64, i64)| {
        sum == other_sum && other_at.abs_diff(at) <= COPY_MINUTES * MICROS_PER_MINUTE
    };
    payments.iter().zip(payments.iter().skip(1)).filter(|(a, b)| is_copy(**a, **b)).map(|(_, copy)| copy.1).collect()
}

fn judge_sum(paid: i128, schedule: &[Instalment], rules: &LedgerRules, causes: &mut Vec<UnknownCause>) {
    if schedule.is_empty() {
        return;
    }
    let parts = |i: &Instalment| [i.principal_minor, i.interest_minor, i.fee_minor];
    let owed: i128 = schedule.iter().flat_map(parts).map(i128::from).sum();
    let most = owed
        + owed * i128::from(rules.overpayment.most_ppm) / 1_000_000
        + i128::from(rules.waterfall.early_close_tolerance_minor);
    if paid > most {
        let detail = format!("{paid} was paid on a loan that ever owed {owed}; up to {most} is believed");
        causes.push(UnknownCause::new("overpaid", detail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sums_within_minutes_may_be_one_payment() {
        const MINUTE: i64 = 60_000_000;
        assert_eq!(copies(vec![(500, 0), (500, 10 * MINUTE)]), [10 * MINUTE]);
        assert_eq!(copies(vec![(500, 10 * MINUTE), (500, 0), (500, 5 * MINUTE)]), [5 * MINUTE, 10 * MINUTE]);
        assert_eq!(copies(vec![(500, 0), (500, 10 * MINUTE + 1), (501, 0)]), [0_i64; 0]);
    }
}
