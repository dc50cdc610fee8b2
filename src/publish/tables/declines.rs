//! `declines`: which product a merchant was refused, by which rules, with the evidence.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;

use crate::domain::Reason;
use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::{CapValue, OutputRow, RuleVerdict};

/// One refusal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeclineRow {
    /// The merchant.
    pub merchant_id: String,
    /// Product.
    pub product: String,
    /// Every rule that was not met.
    pub failed: Vec<RuleVerdict>,
    /// Every cap with its value, where the limit decided; empty where a rule failed first.
    pub caps: Vec<CapValue>,
    /// One to four, as told to the merchant.
    pub reasons: Vec<Reason>,
}

impl DeclineRow {
    /// The table.
    #[must_use]
    pub fn table() -> OutputTable {
        use OutputColumn as Column;
        OutputTable {
            name: "declines",
            doc: "One row a merchant and product refused.",
            sorted_by: &["merchant_id", "product"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "Product, as the policy names it."),
                Column::required(
                    "failed",
                    Kind::Verdicts,
                    "as the rule's",
                    "Every eligibility rule not met: what was observed (null where nothing could be) and what was asked.",
                ),
                Column::required(
                    "caps",
                    Kind::Caps,
                    "minor units",
                    "Every cap with its value, where the limit decided; empty where a rule failed first.",
                ),
                Column::required("reasons", Kind::Reasons, "", "One to four reasons, the most important first."),
            ],
        }
    }
}

impl OutputRow for DeclineRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let mut columns = Encoder::new(table, rows);
        columns.text("merchant_id", |r| Some(&r.merchant_id))?;
        columns.text("product", |r| Some(&r.product))?;
        columns.verdicts("failed", |r| &r.failed)?;
        columns.caps("caps", |r| &r.caps)?;
        columns.reasons("reasons", |r| &r.reasons)?;
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let (merchant_id, product) = (columns.text("merchant_id")?, columns.text("product")?);
        let (failed, caps, reasons) = (columns.list("failed")?, columns.list("caps")?, columns.list("reasons")?);
        columns.rows(|at| {
            Ok(Self {
                merchant_id: columns.required("merchant_id", merchant_id.owned(at))?,
                product: columns.required("product", product.owned(at))?,
                failed: failed.verdicts(at)?,
                caps: caps.caps(at)?,
                reasons: reasons.reasons(at)?,
            })
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.merchant_id.cmp(&other.merchant_id).then_with(|| self.product.cmp(&other.product))
    }

    fn label(&self) -> String {
        format!("merchant {:?}, product {:?}", self.merchant_id, self.product)
    }
}
