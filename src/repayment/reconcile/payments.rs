//! The rules on a loan's payments.

use super::super::record::{DEDUCTION, LoanRecord, PaymentRow, VOLUNTARY};
use super::super::settings::LedgerRules;
use super::super::unknown::{PAYMENT_REPEATED, UnknownCause};
use super::super::waterfall::Instalment;

/// Two payments of one sum that lie no further apart may be one that was sent under two ids, whichever channel either names. A borrower who pays two equal
/// instalments one right after the other is rarer than a source that sends a payment twice (project judgement).
const COPY_MINUTES: u64 = 10;
const MICROS_PER_MINUTE: u64 = 60_000_000;

/// Adds what is wrong with the payments to the causes.
pub(super) fn judge(
    record: &LoanRecord<'_>,
    schedule: &[Instalment],
    rules: &LedgerRules,
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
    let repeated = repeated(standing().map(|row| (row.payment.amount_minor, row.payment.paid_at)).collect());
    if repeated > 0 && !rules.payments_confirmed.contains(record.terms.loan_id) {
        let detail = format!(
            "{repeated} of {all} payments are of the sum of another, at most {COPY_MINUTES} minutes before: the same money may be counted twice. \
             Take the copy out, or name the loan in payments_confirmed under [ledger] of the monitor file"
        );
        causes.push(UnknownCause::new(PAYMENT_REPEATED, detail));
    }
    judge_sum(standing().map(|row| i128::from(row.payment.amount_minor)).sum(), schedule, rules, causes);
}

/// How many payments, given by sum and instant, follow one of the same sum within [`COPY_MINUTES`].
fn repeated(mut payments: Vec<(i64, i64)>) -> usize {
    payments.sort_unstable();
    let is_copy = |(sum, at): (i64, i64), (other_sum, other_at): (i64, i64)| {
        sum == other_sum && other_at.abs_diff(at) <= COPY_MINUTES * MICROS_PER_MINUTE
    };
    payments.iter().zip(payments.iter().skip(1)).filter(|(a, b)| is_copy(**a, **b)).count()
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
        assert_eq!(repeated(vec![(500, 0), (500, 10 * MINUTE)]), 1);
        assert_eq!(repeated(vec![(500, 10 * MINUTE), (500, 0), (500, 5 * MINUTE)]), 2);
        assert_eq!(repeated(vec![(500, 0), (500, 10 * MINUTE + 1), (501, 0)]), 0);
    }
}
