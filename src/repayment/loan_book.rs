//! A shard's loan tables as loans, each with its own instalments and payments.

use std::collections::HashMap;

use polars::prelude::DataFrame;

use super::calendar::BusinessDays;
use super::columns::{days, instants, integers, required, strings};
use super::error::RepaymentError;
use super::settings::Waterfall;
use super::waterfall::{Instalment, LoanTerms, Payment, Repayment, View};
use crate::domain::{AsOf, MICROS_PER_DAY};
use crate::store::Shard;

/// One loan with all that happened to it.
#[derive(Debug, Clone)]
pub(super) struct Loan<'a> {
    pub merchant_id: &'a str,
    pub product: &'a str,
    pub terms: LoanTerms<'a>,
    pub written_off_at: Option<i64>,
    pub restructured_at: Option<i64>,
    pub instalments: Vec<Instalment>,
    pub payments: Vec<Payment>,
    /// Deductions that arrived, and those of them that were reversed.
    pub deductions: (u64, u64),
}

/// All loans of a shard, by merchant and loan.
#[derive(Debug, Clone)]
pub(super) struct LoanBook<'a> {
    pub loans: Vec<Loan<'a>>,
    pub days: BusinessDays,
}

impl<'a> LoanBook<'a> {
    /// Reads the shard's loans, instalments and payments. `None` where the job lacks one of the three tables: without a schedule or
    /// without payments nothing can be said of lateness, and unknown is not good.
    ///
    /// Instalments and payments whose loan is not visible are left out: they say nothing about a visible loan.
    pub fn read(shard: &'a Shard) -> Result<Option<Self>, RepaymentError> {
        let (Some(loans), Some(instalments), Some(payments)) =
            (shard.table("loans"), shard.table("instalments"), shard.table("payments"))
        else {
            return Ok(None);
        };
        let mut book = read_loans(loans)?;
        book.sort_unstable_by_key(|l| (l.merchant_id, l.terms.loan_id));
        let index: HashMap<&str, usize> = book.iter().enumerate().map(|(i, l)| (l.terms.loan_id, i)).collect();
        read_instalments(instalments, &index, &mut book)?;
        read_payments(payments, &index, &mut book)?;

        let earliest = book.iter().fold(shard.as_of.micros(), |earliest, loan| {
            let paid = loan.payments.iter().map(|p| p.paid_at);
            // A due date a full day earlier than in UTC covers every time zone.
            let due = loan.instalments.iter().map(|i| (i64::from(i.due_on) - 1) * MICROS_PER_DAY);
            paid.chain(due).chain([loan.terms.disbursed_at]).fold(earliest, i64::min)
        });
        Ok(Some(Self { loans: book, days: BusinessDays::spanning(earliest, &shard.as_of)? }))
    }

    /// The view from an instant no later than the shard's.
    pub fn view(&self, at: &AsOf) -> View<'_> {
        View { micros: at.micros(), day: at.days_since_epoch(), days: &self.days }
    }
}

impl Loan<'_> {
    /// How the loan stood at a view.
    pub fn repayment(&self, waterfall: &Waterfall, view: &View<'_>) -> Result<Repayment, RepaymentError> {
        waterfall.allocate(&self.terms, &self.instalments, &self.payments, view)
    }
}

fn read_loans(frame: &DataFrame) -> Result<Vec<Loan<'_>>, RepaymentError> {
    const TABLE: &str = "loans";
    let loan_id = strings(frame, TABLE, "loan_id")?;
    let merchant_id = strings(frame, TABLE, "merchant_id")?;
    let product = strings(frame, TABLE, "product")?;
    let disbursed_at = instants(frame, TABLE, "disbursed_at")?;
    let principal_minor = integers(frame, TABLE, "principal_minor")?;
    let term_days = integers(frame, TABLE, "term_days")?;
    let daily_rate_ppm = integers(frame, TABLE, "daily_rate_ppm")?;
    let written_off_at = instants(frame, TABLE, "written_off_at")?;
    let restructured_at = instants(frame, TABLE, "restructured_at")?;
    (0..frame.height())
        .map(|row| {
            Ok(Loan {
                merchant_id: required(merchant_id.get(row), TABLE, "merchant_id", row)?,
                product: required(product.get(row), TABLE, "product", row)?,
                terms: LoanTerms {
                    loan_id: required(loan_id.get(row), TABLE, "loan_id", row)?,
                    disbursed_at: required(disbursed_at.get(row), TABLE, "disbursed_at", row)?,
                    principal_minor: required(principal_minor.get(row), TABLE, "principal_minor", row)?,
                    term_days: required(term_days.get(row), TABLE, "term_days", row)?,
                    daily_rate_ppm: required(daily_rate_ppm.get(row), TABLE, "daily_rate_ppm", row)?,
                },
                written_off_at: written_off_at.get(row),
                restructured_at: restructured_at.get(row),
                instalments: Vec::new(),
                payments: Vec::new(),
                deductions: (0, 0),
            })
        })
        .collect()
}

fn read_instalments(
    frame: &DataFrame,
    index: &HashMap<&str, usize>,
    book: &mut [Loan<'_>],
) -> Result<(), RepaymentError> {
    const TABLE: &str = "instalments";
    let loan_id = strings(frame, TABLE, "loan_id")?;
    let number = integers(frame, TABLE, "number")?;
    let due_on = days(frame, TABLE, "due_on")?;
    let principal_minor = integers(frame, TABLE, "principal_minor")?;
    let interest_minor = integers(frame, TABLE, "interest_minor")?;
    let fee_minor = integers(frame, TABLE, "fee_minor")?;
    for row in 0..frame.height() {
        let id = required(loan_id.get(row), TABLE, "loan_id", row)?;
        let Some(loan) = index.get(id).and_then(|&i| book.get_mut(i)) else { continue };
        loan.instalments.push(Instalment {
            number: required(number.get(row), TABLE, "number", row)?,
            due_on: required(due_on.get(row), TABLE, "due_on", row)?,
            principal_minor: required(principal_minor.get(row), TABLE, "principal_minor", row)?,
            interest_minor: required(interest_minor.get(row), TABLE, "interest_minor", row)?,
            fee_minor: required(fee_minor.get(row), TABLE, "fee_minor", row)?,
        });
    }
    Ok(())
}

fn read_payments(frame: &DataFrame, index: &HashMap<&str, usize>, book: &mut [Loan<'_>]) -> Result<(), RepaymentError> {
    const TABLE: &str = "payments";
    let loan_id = strings(frame, TABLE, "loan_id")?;
    let paid_at = instants(frame, TABLE, "paid_at")?;
    let amount_minor = integers(frame, TABLE, "amount_minor")?;
    let reversed_at = instants(frame, TABLE, "reversed_at")?;
    let channel = strings(frame, TABLE, "channel")?;
    for row in 0..frame.height() {
        let id = required(loan_id.get(row), TABLE, "loan_id", row)?;
        let Some(loan) = index.get(id).and_then(|&i| book.get_mut(i)) else { continue };
        loan.payments.push(Payment {
            paid_at: required(paid_at.get(row), TABLE, "paid_at", row)?,
            amount_minor: required(amount_minor.get(row), TABLE, "amount_minor", row)?,
            reversed_at: reversed_at.get(row),
        });
        if required(channel.get(row), TABLE, "channel", row)? == "deduction" {
            loan.deductions.0 += 1;
            loan.deductions.1 += u64::from(reversed_at.get(row).is_some());
        }
    }
    Ok(())
}
