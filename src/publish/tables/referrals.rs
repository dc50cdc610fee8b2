//! `referrals`: merchants whose record supports more than may be lent here; a bank should see them.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;

use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::OutputRow;

/// One merchant referred to a bank.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReferralRow {
    /// The merchant.
    pub merchant_id: String,
    /// Product whose hard cap was met.
    pub product: String,
    /// What the other caps would have supported, minor units.
    pub supportable_minor: i64,
    /// The hard cap, minor units.
    pub cap_minor: i64,
    /// Scorecard points.
    pub score: i32,
    /// Probability of default.
    pub pd_prob: f64,
}

impl ReferralRow {
    /// The table.
    #[must_use]
    pub fn table() -> OutputTable {
        use OutputColumn as Column;
        let money =
            |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc).within(0.0, f64::MAX);
        OutputTable {
            name: "referrals",
            doc: "One row a merchant and product whose supportable amount is above the hard cap: refer it to a bank.",
            sorted_by: &["merchant_id", "product"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "Product whose hard cap was met."),
                money("supportable_minor", "What all caps but the hard one would have supported."),
                money("cap_minor", "The hard cap."),
                Column::required("score", Kind::Int32, "points", "Scorecard points; higher is safer."),
                Column::required("pd_prob", Kind::Float64, "probability", "Probability of default.").within(0.0, 1.0),
            ],
        }
    }
}

impl OutputRow for ReferralRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let mut columns = Encoder::new(table, rows);
        columns.text("merchant_id", |r| Some(&r.merchant_id))?;
        columns.text("product", |r| Some(&r.product))?;
        columns.int64("supportable_minor", |r| Some(r.supportable_minor))?;
        columns.int64("cap_minor", |r| Some(r.cap_minor))?;
        columns.int32("score", |r| Some(r.score))?;
        columns.float64("pd_prob", |r| Some(r.pd_prob))?;
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let (merchant_id, product) = (columns.text("merchant_id")?, columns.text("product")?);
        let (supportable, cap) = (columns.int64("supportable_minor")?, columns.int64("cap_minor")?);
        let (score, pd_prob) = (columns.int32("score")?, columns.float64("pd_prob")?);
        columns.rows(|at| {
            Ok(Self {
                merchant_id: columns.required("merchant_id", merchant_id.owned(at))?,
                product: columns.required("product", product.owned(at))?,
                supportable_minor: columns.required("supportable_minor", supportable.get(at))?,
                cap_minor: columns.required("cap_minor", cap.get(at))?,
                score: columns.required("score", score.get(at))?,
                pd_prob: columns.required("pd_prob", pd_prob.get(at))?,
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
