//! Repayment of every loan of a shard, as two frames that features and alerts read.

use polars::prelude::{
    Column, DataFrame, Int32Chunked, Int64Chunked, IntoSeries, NamedFrom, NewChunkedArray, Series, TimeUnit,
};

use super::error::RepaymentError;
use super::ledger::LoanLedger;
use super::loan_book::LoanBook;
use super::settings::LedgerRules;
use crate::store::Shard;

/// How promises to repay were kept, as of the shard's instant. The frames hold known loans only.
#[derive(Debug, Clone, PartialEq)]
pub struct RepaymentTables {
    /// One row an instalment due before as-of, by `merchant_id`, `loan_id`, due date and number: `merchant_id`, `loan_id`, `product`,
    /// `number`, `due_on`, `due_at` (the instant from which it is late: local midnight after `due_on`), `due_minor`, `paid_minor`,
    /// `settled_at`?, `days_late` (whole business days past due at settlement, or at as-of while unpaid; 0 on time), `is_settled`.
    pub instalment_status: DataFrame,
    /// One row a loan, by `merchant_id`, `loan_id`: `merchant_id`, `loan_id`, `product`, `disbursed_at`, `principal_minor`,
    /// `outstanding_minor` (principal not repaid), `arrears_minor` (due and unpaid), `dpd`, `worst_dpd`, `closed_at`?, `repaid_early`?,
    /// `is_written_off`, `is_restructured`.
    pub loan_status: DataFrame,
    /// Every loan, known or not, for rules that judge one at a time.
    pub ledger: LoanLedger,
}

/// Reads a shard's loans.
///
/// `None` where the job has no loan book: no `loans` table. Without instalments or payments every loan is unknown. A loan book without
/// a loan in this shard gives frames without rows.
///
/// # Errors
/// A table that lacks a column or holds a null where none may be. A loan whose books do not agree is not an error.
pub fn repayment_tables(shard: &Shard, rules: &LedgerRules) -> Result<Option<RepaymentTables>, RepaymentError> {
    let Some(book) = LoanBook::read(shard, rules)? else { return Ok(None) };
    let mut instalments = InstalmentRows::default();
    let mut loans = LoanRows::default();
    let mut known = Vec::with_capacity(book.known.len());
    for (record, assessment) in &book.known {
        let repayment = &assessment.repayment;
        for state in &repayment.instalments {
            instalments.merchant_id.push(record.merchant_id);
            instalments.loan_id.push(record.terms.loan_id);
            instalments.product.push(record.product);
            instalments.number.push(state.number);
            instalments.due_on.push(state.due_on);
            instalments.due_at.push(Some(book.days.midnight(state.due_on + 1)?));
            instalments.due_minor.push(state.due_minor);
            instalments.paid_minor.push(state.paid_minor());
            instalments.settled_at.push(state.settled_at);
            instalments.days_late.push(state.days_late);
            instalments.is_settled.push(state.settled_at.is_some());
        }
        loans.merchant_id.push(record.merchant_id);
        loans.loan_id.push(record.terms.loan_id);
        loans.product.push(record.product);
        loans.disbursed_at.push(Some(record.terms.disbursed_at));
        loans.principal_minor.push(record.terms.principal_minor);
        loans.outstanding_minor.push(repayment.outstanding_minor);
        loans.arrears_minor.push(repayment.arrears_minor);
        loans.dpd.push(repayment.dpd);
        loans.worst_dpd.push(repayment.worst_dpd);
        loans.closed_at.push(repayment.closed_at);
        loans.repaid_early.push(repayment.repaid_early);
        loans.is_written_off.push(record.written_off_at.is_some());
        loans.is_restructured.push(record.restructured_at.is_some());
        known.push(assessment.standing(record, rules, &book.point()));
    }
    let (instalment_status, loan_status) = (instalments.frame()?, loans.frame()?);
    let ledger = LoanLedger { known, unknown: book.unknown, remarks: Vec::new() };
    Ok(Some(RepaymentTables { instalment_status, loan_status, ledger }))
}

#[derive(Default)]
struct InstalmentRows<'a> {
    merchant_id: Vec<&'a str>,
    loan_id: Vec<&'a str>,
    product: Vec<&'a str>,
    number: Vec<i64>,
    due_on: Vec<i32>,
    due_at: Vec<Option<i64>>,
    due_minor: Vec<i64>,
    paid_minor: Vec<i64>,
    settled_at: Vec<Option<i64>>,
    days_late: Vec<i64>,
    is_settled: Vec<bool>,
}

impl InstalmentRows<'_> {
    fn frame(self) -> Result<DataFrame, RepaymentError> {
        let due_on = Int32Chunked::from_vec("due_on".into(), self.due_on).into_date().into_series();
        frame(
            "instalment_status",
            vec![
                Series::new("merchant_id".into(), self.merchant_id),
                Series::new("loan_id".into(), self.loan_id),
                Series::new("product".into(), self.product),
                Series::new("number".into(), self.number),
                due_on,
                instant_series("due_at", &self.due_at),
                Series::new("due_minor".into(), self.due_minor),
                Series::new("paid_minor".into(), self.paid_minor),
                instant_series("settled_at", &self.settled_at),
                Series::new("days_late".into(), self.days_late),
                Series::new("is_settled".into(), self.is_settled),
            ],
        )
    }
}

#[derive(Default)]
struct LoanRows<'a> {
    merchant_id: Vec<&'a str>,
    loan_id: Vec<&'a str>,
    product: Vec<&'a str>,
    disbursed_at: Vec<Option<i64>>,
    principal_minor: Vec<i64>,
    outstanding_minor: Vec<i64>,
    arrears_minor: Vec<i64>,
    dpd: Vec<i64>,
    worst_dpd: Vec<i64>,
    closed_at: Vec<Option<i64>>,
    repaid_early: Vec<Option<bool>>,
    is_written_off: Vec<bool>,
    is_restructured: Vec<bool>,
}

impl LoanRows<'_> {
    fn frame(self) -> Result<DataFrame, RepaymentError> {
        frame(
            "loan_status",
            vec![
                Series::new("merchant_id".into(), self.merchant_id),
                Series::new("loan_id".into(), self.loan_id),
                Series::new("product".into(), self.product),
                instant_series("disbursed_at", &self.disbursed_at),
                Series::new("principal_minor".into(), self.principal_minor),
                Series::new("outstanding_minor".into(), self.outstanding_minor),
                Series::new("arrears_minor".into(), self.arrears_minor),
                Series::new("dpd".into(), self.dpd),
                Series::new("worst_dpd".into(), self.worst_dpd),
                instant_series("closed_at", &self.closed_at),
                Series::new("repaid_early".into(), self.repaid_early),
                Series::new("is_written_off".into(), self.is_written_off),
                Series::new("is_restructured".into(), self.is_restructured),
            ],
        )
    }
}

fn instant_series(name: &str, values: &[Option<i64>]) -> Series {
    Int64Chunked::from_slice_options(name.into(), values).into_datetime(TimeUnit::Microseconds, None).into_series()
}

fn frame(table: &'static str, series: Vec<Series>) -> Result<DataFrame, RepaymentError> {
    DataFrame::new_infer_height(series.into_iter().map(Column::from).collect())
        .map_err(|source| RepaymentError::Frame { table, source })
}
