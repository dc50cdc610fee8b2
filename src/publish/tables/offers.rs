//! `offers`: what a merchant may borrow, at which price, and which cap bound the limit.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;
use jiff::civil::Date;
use serde::Serialize;

use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::date_text;
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::{CapValue, OutputRow};

/// One pre-approved offer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfferRow {
    /// Stable identity of the offer.
    pub offer_id: String,
    /// The merchant.
    pub merchant_id: String,
    /// Product.
    pub product: String,
    /// The most that may be drawn, minor units.
    pub limit_minor: i64,
    /// Price a day: 500 is 0.05 %.
    pub daily_rate_ppm: i64,
    /// Actuarial annual percentage rate, as a fraction.
    pub apr_prob: f64,
    /// Term.
    pub term_days: i32,
    /// Repayment pattern.
    pub repayment: String,
    /// Last date on which it can be taken up.
    #[serde(serialize_with = "date_text::serialize")]
    pub valid_until_on: Date,
    /// The cap that is the least.
    pub binding_cap: String,
    /// Every cap with its value.
    pub caps: Vec<CapValue>,
    /// Orders pledged; null where the product pledges none.
    pub pledged_order_ids: Option<Vec<String>>,
}

impl OfferRow {
    /// The table.
    #[must_use]
    pub fn table() -> OutputTable {
        use OutputColumn as Column;
        OutputTable {
            name: "offers",
            doc: "One row an offer: a merchant may hold one offer a product.",
            sorted_by: &["merchant_id", "product", "offer_id"],
            columns: vec![
                Column::required("offer_id", Kind::Text, "", "Stable identity of the offer."),
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "Product, as the policy names it."),
                Column::required("limit_minor", Kind::Int64, "minor units", "The most that may be drawn.")
                    .within(0.0, f64::MAX),
                Column::required("daily_rate_ppm", Kind::Int64, "millionths a day", "Price: 500 is 0.05 % a day.")
                    .within(0.0, 1_000_000.0),
                Column::required(
                    "apr_prob",
                    Kind::Float64,
                    "fraction a year",
                    "Annual percentage rate by the actuarial method: 0.18 is 18 %.",
                )
                .within(0.0, f64::MAX),
                Column::required("term_days", Kind::Int32, "days", "Term.").within(1.0, f64::MAX),
                Column::required("repayment", Kind::Text, "", "Repayment pattern."),
                Column::required("valid_until_on", Kind::Day, "date", "Last date on which the offer can be taken up."),
                Column::required("binding_cap", Kind::Text, "", "The cap that set the limit."),
                Column::required(
                    "caps",
                    Kind::Caps,
                    "minor units",
                    "Every cap with its value; the limit is the least, rounded down to a step.",
                ),
                Column::optional(
                    "pledged_order_ids",
                    Kind::Texts,
                    "",
                    "Shipped, unconfirmed orders that secure an order loan, each pledged once; null for other products.",
                ),
            ],
        }
    }
}

impl OutputRow for OfferRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let mut columns = Encoder::new(table, rows);
        columns.text("offer_id", |r| Some(&r.offer_id))?;
        columns.text("merchant_id", |r| Some(&r.merchant_id))?;
        columns.text("product", |r| Some(&r.product))?;
        columns.int64("limit_minor", |r| Some(r.limit_minor))?;
        columns.int64("daily_rate_ppm", |r| Some(r.daily_rate_ppm))?;
        columns.float64("apr_prob", |r| Some(r.apr_prob))?;
        columns.int32("term_days", |r| Some(r.term_days))?;
        columns.text("repayment", |r| Some(&r.repayment))?;
        columns.day("valid_until_on", |r| Some(r.valid_until_on))?;
        columns.text("binding_cap", |r| Some(&r.binding_cap))?;
        columns.caps("caps", |r| &r.caps)?;
        columns.texts("pledged_order_ids", |r| r.pledged_order_ids.as_deref())?;
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let (offer_id, merchant_id) = (columns.text("offer_id")?, columns.text("merchant_id")?);
        let (product, limit) = (columns.text("product")?, columns.int64("limit_minor")?);
        let (rate, apr) = (columns.int64("daily_rate_ppm")?, columns.float64("apr_prob")?);
        let (term, repayment) = (columns.int32("term_days")?, columns.text("repayment")?);
        let (valid_until, binding) = (columns.day("valid_until_on")?, columns.text("binding_cap")?);
        let (caps, pledged) = (columns.list("caps")?, columns.list("pledged_order_ids")?);
        columns.rows(|at| {
            Ok(Self {
                offer_id: columns.required("offer_id", offer_id.owned(at))?,
                merchant_id: columns.required("merchant_id", merchant_id.owned(at))?,
                product: columns.required("product", product.owned(at))?,
                limit_minor: columns.required("limit_minor", limit.get(at))?,
                daily_rate_ppm: columns.required("daily_rate_ppm", rate.get(at))?,
                apr_prob: columns.required("apr_prob", apr.get(at))?,
                term_days: columns.required("term_days", term.get(at))?,
                repayment: columns.required("repayment", repayment.owned(at))?,
                valid_until_on: columns.required("valid_until_on", valid_until.get(at))?,
                binding_cap: columns.required("binding_cap", binding.owned(at))?,
                caps: caps.caps(at)?,
                pledged_order_ids: pledged.texts(at)?,
            })
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.merchant_id
            .cmp(&other.merchant_id)
            .then_with(|| self.product.cmp(&other.product))
            .then_with(|| self.offer_id.cmp(&other.offer_id))
    }

    fn label(&self) -> String {
        format!("merchant {:?}, product {:?}, offer {:?}", self.merchant_id, self.product, self.offer_id)
    }
}
