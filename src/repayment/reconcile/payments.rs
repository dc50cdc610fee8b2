//! The rules on a loan's payments.

use std::collections::BTreeSet;

use super::super::record::{DEDUCTION, LoanRecord, PaymentRow, VOLUNTARY};
use super::super::settings::LedgerRules;
use super::super::unknown::UnknownCause;
use super::super::waterfall::Instalment;

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
    let mut seen = BTreeSet::new();
    let repeated =
        standing().filter(|row| !seen.insert((row.payment.paid_at, row.payment.amount_minor, row.channel))).count();
    if repeated > 0 {
        let detail = format!(
            "{repeated} of {all} payments repeat another's instant, sum and channel: the same money may be counted twice"
        );
        causes.push(UnknownCause::new("payment-repeated", detail));
    }
    judge_sum(standing().map(|row| i128::from(row.payment.amount_minor)).sum(), schedule, rules, causes);
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
