//! `deductions`: what the payment system should take from a borrower's account, once.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;

use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::OutputRow;

/// One instruction to deduct.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeductionRow {
    /// Idempotency key: the same instruction re-issued has the same key and is executed once.
    pub key: String,
    /// The merchant whose account is charged.
    pub merchant_id: String,
    /// The loan it repays.
    pub loan_id: String,
    /// How much, minor units.
    pub amount_minor: i64,
    /// Why.
    pub why: String,
}

impl DeductionRow {
    /// The table.
    #[must_use]
    pub fn table() -> OutputTable {
        use OutputColumn as Column;
        OutputTable {
            name: "deductions",
            doc: "One row an instruction to deduct from a borrower's payment account.",
            sorted_by: &["merchant_id", "key"],
            columns: vec![
                Column::required("key", Kind::Text, "", "Idempotency key: execute each key once."),
                Column::required("merchant_id", Kind::Text, "", "The merchant whose account is charged."),
                Column::required("loan_id", Kind::Text, "", "The loan that the money repays."),
                Column::required("amount_minor", Kind::Int64, "minor units", "How much to deduct.")
                    .within(1.0, f64::MAX),
                Column::required("why", Kind::Text, "", "What is overdue or breached."),
            ],
        }
    }
}

impl OutputRow for DeductionRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let mut columns = Encoder::new(table, rows);
        columns.text("key", |r| Some(&r.key))?;
        columns.text("merchant_id", |r| Some(&r.merchant_id))?;
        columns.text("loan_id", |r| Some(&r.loan_id))?;
        columns.int64("amount_minor", |r| Some(r.amount_minor))?;
        columns.text("why", |r| Some(&r.why))?;
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let (key, merchant_id) = (columns.text("key")?, columns.text("merchant_id")?);
        let (loan_id, amount, why) = (columns.text("loan_id")?, columns.int64("amount_minor")?, columns.text("why")?);
        columns.rows(|at| {
            Ok(Self {
                key: columns.required("key", key.owned(at))?,
                merchant_id: columns.required("merchant_id", merchant_id.owned(at))?,
                loan_id: columns.required("loan_id", loan_id.owned(at))?,
                amount_minor: columns.required("amount_minor", amount.get(at))?,
                why: columns.required("why", why.owned(at))?,
            })
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.merchant_id.cmp(&other.merchant_id).then_with(|| self.key.cmp(&other.key))
    }

    fn label(&self) -> String {
        format!("merchant {:?}, deduction {:?}", self.merchant_id, self.key)
    }
}
