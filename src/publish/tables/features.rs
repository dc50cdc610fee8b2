//! `features`: every feature value of every merchant, as the score saw them.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;

use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::OutputRow;

/// A declared feature, as far as the published file cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureColumn {
    /// Column name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Meaning.
    pub doc: String,
}

/// One merchant's feature values.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureRow {
    /// The merchant.
    pub merchant_id: String,
    /// In the order of the columns given to [`FeatureRow::table`]; null means too little history.
    pub values: Vec<Option<f64>>,
}

impl FeatureRow {
    /// The table for these features.
    #[must_use]
    pub fn table(features: &[FeatureColumn]) -> OutputTable {
        let mut columns = vec![OutputColumn::required("merchant_id", Kind::Text, "", "The merchant.")];
        columns.extend(features.iter().map(|f| OutputColumn::optional(&f.name, Kind::Float64, &f.unit, &f.doc)));
        OutputTable {
            name: "features",
            doc: "One row a merchant: the feature values that its score was computed from; null is too little history.",
            sorted_by: &["merchant_id"],
            columns,
        }
    }
}

impl OutputRow for FeatureRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let features = table.columns.get(1..).unwrap_or_default();
        if let Some(row) = rows.iter().find(|r| r.values.len() != features.len()) {
            let why = format!("{} has {} values for {} features", row.label(), row.values.len(), features.len());
            return Err(PublishError::Layout { table: table.name, why });
        }
        let mut columns = Encoder::new(table, rows);
        columns.text("merchant_id", |r| Some(&r.merchant_id))?;
        for (at, feature) in features.iter().enumerate() {
            columns.float64(&feature.name, |r| r.values.get(at).copied().flatten())?;
        }
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let names = columns.names();
        let values: Vec<_> = names.iter().skip(1).map(|name| columns.float64(name)).collect::<Result<_, _>>()?;
        let merchant_id = columns.text("merchant_id")?;
        columns.rows(|at| {
            Ok(Self {
                merchant_id: columns.required("merchant_id", merchant_id.owned(at))?,
                values: values.iter().map(|v| v.get(at)).collect(),
            })
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.merchant_id.cmp(&other.merchant_id)
    }

    fn label(&self) -> String {
        format!("merchant {:?}", self.merchant_id)
    }
}
