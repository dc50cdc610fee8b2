//! One loan's record, looked at from a point in time: how it stands, or why that cannot be said.

use super::materiality::{MaterialRun, material_dpd, worst_material_dpd};
use super::promise::Promise;
use super::reconcile::reconcile;
use super::record::LoanRecord;
use super::settings::LedgerRules;
use super::standing::{ComingDue, LoanHistory, LoanStanding};
use super::unknown::UnknownCause;
use super::waterfall::{Instalment, ObservationPoint, Repayment};
use crate::domain::date_of_days;

/// A loan whose books agree, and how it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The schedule that counts.
    pub schedule: Vec<Instalment>,
    /// What was paid on it, and how late.
    pub repayment: Repayment,
    /// Days with material arrears.
    pub material: Vec<MaterialRun>,
}

/// How the loan stood at a point in time.
///
/// # Errors
/// Every cause why nothing is known of it.
pub fn assess(
    record: &LoanRecord<'_>,
    rules: &LedgerRules,
    point: &ObservationPoint<'_>,
) -> Result<Assessment, Vec<UnknownCause>> {
    let schedule = reconcile(record, rules, point.days)?;
    let paid = record.paid();
    let compute = || {
        let repayment = rules.waterfall.allocate(&record.terms, &schedule, &paid, point)?;
        let material = rules.materiality.runs(&record.terms, &repayment, &schedule, &paid, point)?;
        Ok::<_, super::error::RepaymentError>((repayment, material))
    };
    match compute() {
        Ok((repayment, material)) => Ok(Assessment { schedule, repayment, material }),
        // Reconciled sums and dates stay in range; should one not, this loan alone is unknown.
        Err(why) => Err(vec![UnknownCause::new("not-reckonable", why.to_string())]),
    }
}

impl Assessment {
    /// The standing of the loan at that point.
    #[must_use]
    pub fn standing(&self, record: &LoanRecord<'_>, rules: &LedgerRules, point: &ObservationPoint<'_>) -> LoanStanding {
        let repayment = &self.repayment;
        let (deductions, deductions_reversed, deducted_minor) = record.deductions();
        let (payments, received_minor) = record.received();
        let is_closed = repayment.closed_at.is_some();
        let is_written_off = record.written_off_at.is_some();
        let material_dpd = material_dpd(&self.material, point.day);
        let reaches_default = rules.default_dpd.get(record.product).is_none_or(|&days| material_dpd >= i64::from(days));
        LoanStanding {
            merchant_id: record.merchant_id.to_owned(),
            loan_id: record.terms.loan_id.to_owned(),
            product: record.product.to_owned(),
            disbursed_at: record.terms.disbursed_at,
            principal_minor: record.terms.principal_minor,
            daily_rate_ppm: record.terms.daily_rate_ppm,
            term_days: record.terms.term_days,
            sales_share_ppm: record.terms.sales_share_ppm,
            group_id: record.group_id.map(str::to_owned),
            offer_id: record.offer_id.map(str::to_owned),
            pledged_order_ids: record.pledged_order_ids.clone(),
            outstanding_minor: repayment.outstanding_minor,
            arrears_minor: repayment.arrears_minor,
            interest_arrears_minor: repayment.interest_arrears_minor,
            fee_arrears_minor: repayment.fee_arrears_minor,
            payoff_minor: repayment.payoff_minor,
            dpd: repayment.dpd,
            worst_dpd: repayment.worst_dpd,
            material_dpd,
            worst_material_dpd: worst_material_dpd(&self.material),
            is_in_default: !is_closed && (is_written_off || reaches_default),
            is_closed,
            must_be_sent: repayment.closed_at.is_none_or(|closed_at| rules.retention.reaches(closed_at, point.micros)),
            is_written_off,
            is_restructured: record.restructured_at.is_some(),
            payments,
            received_minor,
            received: record.received_each(|_| true),
            bounced: record.received_each(|payment| payment.reversed_at.is_some()),
            deductions,
            deductions_reversed,
            deducted_minor,
            coming_due: self.coming_due(point),
            history: self.history(record, rules, point),
            promise: Promise::of(record, &self.schedule),
        }
    }

    /// What was paid beyond all that has fallen due is held for the promises to come, the earliest first.
    fn coming_due(&self, point: &ObservationPoint<'_>) -> Vec<ComingDue> {
        if self.repayment.closed_at.is_some() {
            return Vec::new();
        }
        let mut coming: Vec<&Instalment> = self.schedule.iter().filter(|due| due.due_on >= point.day).collect();
        coming.sort_unstable_by_key(|due| (due.due_on, due.number));
        let mut ahead = self.repayment.surplus_minor;
        coming
            .into_iter()
            .filter_map(|due| {
                let whole = due.fee_minor.saturating_add(due.interest_minor).saturating_add(due.principal_minor);
                let paid = ahead.min(whole);
                ahead -= paid;
                Some(ComingDue(date_of_days(i64::from(due.due_on))?, whole - paid))
            })
            .filter(|ComingDue(_, minor)| *minor > 0)
            .collect()
    }

    /// What the loan went through up to that point. Of a product without a number of days every day of material arrears counts as default.
    fn history(&self, record: &LoanRecord<'_>, rules: &LedgerRules, point: &ObservationPoint<'_>) -> LoanHistory {
        let on = |day: i32| date_of_days(i64::from(day));
        let of = |micros: i64| point.days.day_of(micros).ok();
        let threshold = rules.default_dpd.get(record.product).map_or(1, |&days| i32::from(days).max(1));
        let defaults = self.material.iter().filter(|run| run.days() >= i64::from(threshold));
        let first_by_days = defaults.clone().map(|run| run.from + threshold - 1).min();
        let last_by_days = defaults.map(|run| run.to).max();
        // Written off, a loan is in default until nothing is owed any more.
        let written_off = record.written_off_at.and_then(of);
        let until = self.repayment.closed_at.map_or(Some(point.day), of);
        let last_by_office = written_off.and(until).max(written_off);
        LoanHistory {
            disbursed_on: of(record.terms.disbursed_at).and_then(on),
            ends_on: self.schedule.iter().map(|instalment| instalment.due_on).max().and_then(on),
            default_first_on: [first_by_days, written_off].into_iter().flatten().min().and_then(on),
            default_last_on: [last_by_days, last_by_office].into_iter().flatten().max().and_then(on),
            late_last_on: self.material.iter().map(|run| run.to).max().and_then(on),
            restructured_on: record.restructured_at.and_then(of).and_then(on),
        }
    }
}

#[cfg(test)]
#[path = "twin_tests.rs"]
mod twin_tests;
