//! A shard's loan tables as records, one a loan, each assessed as of the shard's instant.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::DataFrame;

use super::assess::{Assessment, assess};
use super::calendar::{BusinessDays, MOST_DAYS};
use super::columns::{
    days, id_lists, instants, integers, optional_instants, optional_integers, optional_strings, required, strings,
};
use super::error::RepaymentError;
use super::ledger::is_loan_record;
use super::record::{BrokenRow, LoanRecord, PaymentRow, ScheduleRow};
use super::settings::LedgerRules;
use super::unknown::{Causes, UnknownCause, UnknownLoan};
use super::waterfall::{Instalment, LoanTerms, ObservationPoint, Payment};
use crate::domain::MICROS_PER_DAY;
use crate::store::Shard;

/// All loans of a shard.
#[derive(Debug, Clone)]
pub(super) struct LoanBook<'a> {
    /// Loans whose books agree, by merchant and loan.
    pub known: Vec<(LoanRecord<'a>, Assessment)>,
    /// All others, by merchant and loan.
    pub unknown: Vec<UnknownLoan>,
    pub days: BusinessDays,
    micros: i64,
    day: i32,
}

impl<'a> LoanBook<'a> {
    /// Reads and assesses the shard's loans. `None` where the job has no `loans` table, and so no loan book. Where it lacks instalments
    /// or payments, no loan can be known.
    pub fn read(shard: &'a Shard, rules: &LedgerRules) -> Result<Option<Self>, RepaymentError> {
        let Some(loans) = shard.table("loans") else { return Ok(None) };
        let mut unknown: BTreeMap<(&str, Option<&str>), UnknownLoan> = BTreeMap::new();
        let mut records = read_loans(loans)?;
        records.sort_by_key(|r| (r.terms.loan_id, r.merchant_id));
        set_repeated_aside(&mut records, &mut unknown);
        let index: HashMap<&str, usize> = records.iter().enumerate().map(|(i, r)| (r.terms.loan_id, i)).collect();
        if let Some(instalments) = shard.table("instalments") {
            read_instalments(instalments, &index, &mut records)?;
        }
        if let Some(payments) = shard.table("payments") {
            read_payments(payments, &index, &mut records, &mut unknown)?;
        }
        attach_broken(shard, &index, &mut records, &mut unknown);

        let book = Self {
            known: Vec::new(),
            unknown: Vec::new(),
            days: spanned_days(&records, shard)?,
            micros: shard.as_of.micros(),
            day: shard.as_of.days_since_epoch(),
        };
        let absent: Vec<UnknownCause> = ["instalments", "payments"]
            .into_iter()
            .filter(|table| shard.table(table).is_none())
            .map(|table| UnknownCause::new("table-absent", format!("the job has no {table} table")))
            .collect();
        let visible: Option<BTreeSet<&str>> = match shard.table("merchants") {
            None => None,
            Some(merchants) => Some(strings(merchants, "merchants", "merchant_id")?.iter().flatten().collect()),
        };
        let mut known = Vec::with_capacity(records.len());
        for record in records {
            let mut causes = absent.clone();
            let assessed = assess(&record, rules, &book.point());
            causes.extend(assessed.as_ref().err().into_iter().flatten().cloned());
            if visible.as_ref().is_some_and(|visible| !visible.contains(record.merchant_id)) {
                let detail =
                    format!("its borrower {:?} is not among the merchants that can be seen", record.merchant_id);
                causes.push(UnknownCause::new("merchant-not-visible", detail));
            }
            match assessed {
                Ok(assessment) if causes.is_empty() => known.push((record, assessment)),
                _ => entry(&mut unknown, record.merchant_id, Some(record.terms.loan_id)).explain(&record, causes),
            }
        }
        known.sort_by_key(|(record, _)| (record.merchant_id, record.terms.loan_id));
        Ok(Some(Self { known, unknown: unknown.into_values().collect(), ..book }))
    }

    /// The point in time that the shard shows.
    pub fn point(&self) -> ObservationPoint<'_> {
        ObservationPoint { micros: self.micros, day: self.day, days: &self.days }
    }
}

type UnknownLoans<'a> = BTreeMap<(&'a str, Option<&'a str>), UnknownLoan>;

fn entry<'a, 'm>(
    unknown: &'m mut UnknownLoans<'a>,
    merchant_id: &'a str,
    loan_id: Option<&'a str>,
) -> &'m mut UnknownLoan {
    unknown.entry((merchant_id, loan_id)).or_insert_with(|| UnknownLoan {
        merchant_id: merchant_id.to_owned(),
        loan_id: loan_id.map(str::to_owned),
        product: None,
        principal_minor: None,
        group_id: None,
        causes: Causes::default(),
    })
}

impl UnknownLoan {
    fn explain(&mut self, record: &LoanRecord<'_>, causes: impl IntoIterator<Item = UnknownCause>) {
        self.product = Some(record.product.to_owned());
        self.principal_minor = Some(record.terms.principal_minor);
        self.group_id = record.group_id.map(str::to_owned);
        self.causes.extend(causes);
    }
}

/// A loan that is there twice belongs to nobody in particular: each of its borrowers has it as unknown. Records are sorted by loan.
fn set_repeated_aside<'a>(records: &mut Vec<LoanRecord<'a>>, unknown: &mut UnknownLoans<'a>) {
    let repeated: BTreeSet<&str> = records
        .chunk_by(|a, b| a.terms.loan_id == b.terms.loan_id)
        .filter(|same| same.len() > 1)
        .filter_map(|same| same.first().map(|r| r.terms.loan_id))
        .collect();
    records.retain(|record| {
        let is_repeated = repeated.contains(record.terms.loan_id);
        if is_repeated {
            let cause = UnknownCause::new("loan-repeated", "the loan is there more than once");
            entry(unknown, record.merchant_id, Some(record.terms.loan_id)).explain(record, [cause]);
        }
        !is_repeated
    });
}

/// Broken rows go to the loan that they name; a loan of which no sound row is left is unknown to its borrower.
fn attach_broken<'a>(
    shard: &'a Shard,
    index: &HashMap<&str, usize>,
    records: &mut [LoanRecord<'a>],
    unknown: &mut UnknownLoans<'a>,
) {
    for broken in shard.broken.iter().filter(|r| is_loan_record(r) && r.counts_at(&shard.as_of)) {
        let (table, key, rule) = (broken.table.as_str(), broken.key.as_deref(), broken.rule.as_str());
        let loan_id = broken.loan_id.as_deref();
        let named = loan_id.and_then(|id| index.get(id)).and_then(|&at| records.get_mut(at));
        let borrower = named.as_ref().map(|record| record.merchant_id);
        if let Some(record) = named {
            record.broken.push(BrokenRow { table, key, rule });
        }
        // Where the broken row leads to another borrower than the sound one, neither can be told what they owe.
        if let Some(merchant_id) = broken.merchant_id.as_deref().filter(|id| borrower != Some(*id)) {
            entry(unknown, merchant_id, loan_id).causes.add(UnknownCause::broken(table, key, rule));
        }
    }
}

/// Days from the first disbursement; loans from before the calendar's range are left out.
fn spanned_days(records: &[LoanRecord<'_>], shard: &Shard) -> Result<BusinessDays, RepaymentError> {
    let first = shard.as_of.micros() - i64::from(MOST_DAYS - 2) * MICROS_PER_DAY;
    let disbursed = records.iter().map(|r| r.terms.disbursed_at).filter(|&at| at >= first);
    BusinessDays::spanning(disbursed.fold(shard.as_of.micros(), i64::min), &shard.as_of)
}

fn read_loans(frame: &DataFrame) -> Result<Vec<LoanRecord<'_>>, RepaymentError> {
    const TABLE: &str = "loans";
    let loan_id = strings(frame, TABLE, "loan_id")?;
    let merchant_id = strings(frame, TABLE, "merchant_id")?;
    let product = strings(frame, TABLE, "product")?;
    let disbursed_at = instants(frame, TABLE, "disbursed_at")?;
    let principal_minor = integers(frame, TABLE, "principal_minor")?;
    let term_days = integers(frame, TABLE, "term_days")?;
    let daily_rate_ppm = integers(frame, TABLE, "daily_rate_ppm")?;
    let sales_share_ppm = optional_integers(frame, TABLE, "sales_share_ppm")?;
    let written_off_at = instants(frame, TABLE, "written_off_at")?;
    let restructured_at = instants(frame, TABLE, "restructured_at")?;
    let group_id = optional_strings(frame, TABLE, "group_id")?;
    let offer_id = optional_strings(frame, TABLE, "offer_id")?;
    let pledged = id_lists(frame, TABLE, "pledged_order_ids")?;
    (0..frame.height())
        .zip(pledged)
        .map(|(row, pledged_order_ids)| {
            Ok(LoanRecord {
                merchant_id: required(merchant_id.get(row), TABLE, "merchant_id", row)?,
                product: required(product.get(row), TABLE, "product", row)?,
                terms: LoanTerms {
                    loan_id: required(loan_id.get(row), TABLE, "loan_id", row)?,
                    disbursed_at: required(disbursed_at.get(row), TABLE, "disbursed_at", row)?,
                    principal_minor: required(principal_minor.get(row), TABLE, "principal_minor", row)?,
                    term_days: required(term_days.get(row), TABLE, "term_days", row)?,
                    daily_rate_ppm: required(daily_rate_ppm.get(row), TABLE, "daily_rate_ppm", row)?,
                    sales_share_ppm: sales_share_ppm.and_then(|c| c.get(row)),
                },
                written_off_at: written_off_at.get(row),
                restructured_at: restructured_at.get(row),
                group_id: group_id.and_then(|c| c.get(row)),
                offer_id: offer_id.and_then(|c| c.get(row)),
                pledged_order_ids,
                schedule: Vec::new(),
                payments: Vec::new(),
                broken: Vec::new(),
            })
        })
        .collect()
}

/// Rows whose loan cannot be seen say nothing of a visible loan: a schedule alone owes nothing.
fn read_instalments(
    frame: &DataFrame,
    index: &HashMap<&str, usize>,
    records: &mut [LoanRecord<'_>],
) -> Result<(), RepaymentError> {
    const TABLE: &str = "instalments";
    let loan_id = strings(frame, TABLE, "loan_id")?;
    let number = integers(frame, TABLE, "number")?;
    let due_on = days(frame, TABLE, "due_on")?;
    let principal_minor = integers(frame, TABLE, "principal_minor")?;
    let interest_minor = integers(frame, TABLE, "interest_minor")?;
    let fee_minor = integers(frame, TABLE, "fee_minor")?;
    let recorded_at = optional_instants(frame, TABLE, "recorded_at")?;
    for row in 0..frame.height() {
        let id = required(loan_id.get(row), TABLE, "loan_id", row)?;
        let Some(record) = index.get(id).and_then(|&i| records.get_mut(i)) else { continue };
        record.schedule.push(ScheduleRow {
            instalment: Instalment {
                number: required(number.get(row), TABLE, "number", row)?,
                due_on: required(due_on.get(row), TABLE, "due_on", row)?,
                principal_minor: required(principal_minor.get(row), TABLE, "principal_minor", row)?,
                interest_minor: required(interest_minor.get(row), TABLE, "interest_minor", row)?,
                fee_minor: required(fee_minor.get(row), TABLE, "fee_minor", row)?,
            },
            recorded_at: recorded_at.and_then(|c| c.get(row)),
        });
    }
    Ok(())
}

/// Money that came in for a loan that cannot be seen: the merchant has borrowed, and nothing more is known.
fn read_payments<'a>(
    frame: &'a DataFrame,
    index: &HashMap<&str, usize>,
    records: &mut [LoanRecord<'a>],
    unknown: &mut UnknownLoans<'a>,
) -> Result<(), RepaymentError> {
    const TABLE: &str = "payments";
    let loan_id = strings(frame, TABLE, "loan_id")?;
    let payment_id = optional_strings(frame, TABLE, "payment_id")?;
    let merchant_id = optional_strings(frame, TABLE, "merchant_id")?;
    let paid_at = instants(frame, TABLE, "paid_at")?;
    let amount_minor = integers(frame, TABLE, "amount_minor")?;
    let reversed_at = instants(frame, TABLE, "reversed_at")?;
    let channel = strings(frame, TABLE, "channel")?;
    for row in 0..frame.height() {
        let id = required(loan_id.get(row), TABLE, "loan_id", row)?;
        let payment = Payment {
            paid_at: required(paid_at.get(row), TABLE, "paid_at", row)?,
            amount_minor: required(amount_minor.get(row), TABLE, "amount_minor", row)?,
            reversed_at: reversed_at.get(row),
        };
        if let Some(record) = index.get(id).and_then(|&i| records.get_mut(i)) {
            let payment_id = payment_id.and_then(|c| c.get(row)).unwrap_or_default();
            record.payments.push(PaymentRow { payment_id, payment, channel: channel.get(row) });
        } else if let Some(merchant) = merchant_id.and_then(|c| c.get(row)) {
            let detail = format!("a payment of {} names it, but its row cannot be seen", payment.amount_minor);
            entry(unknown, merchant, Some(id)).causes.add(UnknownCause::new("loan-not-visible", detail));
        }
    }
    Ok(())
}
