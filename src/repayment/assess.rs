//! One loan's record, looked at from a point in time: how it stands, or why that cannot be said.

use super::materiality::{MaterialRun, material_dpd, worst_material_dpd};
use super::reconcile::reconcile;
use super::record::LoanRecord;
use super::settings::LedgerRules;
use super::standing::LoanStanding;
use super::unknown::UnknownCause;
use super::waterfall::{Instalment, ObservationPoint, Repayment};

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
        let (deductions, deductions_reversed) = record.deductions();
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
            group_id: record.group_id.map(str::to_owned),
            offer_id: record.offer_id.map(str::to_owned),
            pledged_order_ids: record.pledged_order_ids.clone(),
            outstanding_minor: repayment.outstanding_minor,
            arrears_minor: repayment.arrears_minor,
            dpd: repayment.dpd,
            worst_dpd: repayment.worst_dpd,
            material_dpd,
            worst_material_dpd: worst_material_dpd(&self.material),
            is_in_default: !is_closed && (is_written_off || reaches_default),
            is_closed,
            must_be_sent: repayment.closed_at.is_none_or(|closed_at| rules.retention.reaches(closed_at, point.micros)),
            is_written_off,
            is_restructured: record.restructured_at.is_some(),
            deductions,
            deductions_reversed,
        }
    }
}

#[cfg(test)]
#[path = "twin_tests.rs"]
mod twin_tests;
