//! All that the books say of one loan, before it is known whether they agree.

use super::standing::ReceivedPayment;
use super::waterfall::{Instalment, LoanTerms, Payment};

/// One loan with every row that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoanRecord<'a> {
    /// The borrower.
    pub merchant_id: &'a str,
    /// Its product.
    pub product: &'a str,
    /// What was agreed.
    pub terms: LoanTerms<'a>,
    /// When the lender wrote it off, in UTC microseconds.
    pub written_off_at: Option<i64>,
    /// When its terms were eased, in UTC microseconds.
    pub restructured_at: Option<i64>,
    /// The guarantee group that is jointly liable.
    pub group_id: Option<&'a str>,
    /// The published offer that was drawn.
    pub offer_id: Option<&'a str>,
    /// Orders that secure it.
    pub pledged_order_ids: Vec<String>,
    /// Rows of the schedule, of whatever version, in any order.
    pub schedule: Vec<ScheduleRow>,
    /// Payments, in any order.
    pub payments: Vec<PaymentRow<'a>>,
    /// Rows of it that washing set aside: contract table and the rule that each breaks.
    pub broken: Vec<BrokenRow<'a>>,
}

/// One row of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleRow {
    /// The promise.
    pub instalment: Instalment,
    /// When the source learnt of it, in UTC microseconds; rows of one version carry the same.
    pub recorded_at: Option<i64>,
}

/// One row of the payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentRow<'a> {
    /// Its id; empty where the table has none.
    pub payment_id: &'a str,
    /// The money.
    pub payment: Payment,
    /// `voluntary` or `deduction`.
    pub channel: Option<&'a str>,
}

/// A row that washing set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenRow<'a> {
    /// Contract table.
    pub table: &'a str,
    /// Its key.
    pub key: Option<&'a str>,
    /// The rule that it breaks.
    pub rule: &'a str,
}

/// The channel of payments that the lender took.
pub(super) const DEDUCTION: &str = "deduction";
/// The channel of payments that the borrower made.
pub(super) const VOLUNTARY: &str = "voluntary";

impl LoanRecord<'_> {
    /// The payments alone.
    pub(super) fn paid(&self) -> Vec<Payment> {
        self.payments.iter().map(|row| row.payment).collect()
    }

    /// Payments that arrived, reversed ones included, and what they came to.
    pub(super) fn received(&self) -> (i64, i64) {
        let amounts = self.payments.iter().map(|row| row.payment.amount_minor);
        amounts.fold((0, 0), |(payments, sum), amount| (payments + 1, amount.saturating_add(sum)))
    }

    /// Each payment that arrived and that `counts`, sorted.
    pub(super) fn received_each(&self, counts: impl Fn(&Payment) -> bool) -> Vec<ReceivedPayment> {
        let each = self.payments.iter().filter(|row| counts(&row.payment));
        let mut each: Vec<ReceivedPayment> = each
            .map(|row| ReceivedPayment(row.payment.paid_at, row.payment.amount_minor, row.payment_id.to_owned()))
            .collect();
        each.sort_unstable();
        each
    }

    /// Deductions that arrived, those of them that were reversed, and what all of them came to.
    pub(super) fn deductions(&self) -> (u64, u64, i64) {
        let deducted = self.payments.iter().filter(|row| row.channel == Some(DEDUCTION));
        deducted.fold((0, 0, 0), |(all, reversed, sum), row| {
            let Payment { amount_minor, reversed_at, .. } = row.payment;
            (all + 1, reversed + u64::from(reversed_at.is_some()), amount_minor.saturating_add(sum))
        })
    }
}
