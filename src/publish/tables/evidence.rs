//! `evidence`: the exact window sums behind every feature, so that a number can be walked back to rows without the raw data.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;

use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::OutputRow;

/// A window of a measure, as far as the published file cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceColumn {
    /// Column name: `<measure>__<first date>__<end date>__sum`, or `…__rows`.
    pub name: String,
    /// Meaning.
    pub doc: String,
}

/// One merchant's window sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRow {
    /// The merchant.
    pub merchant_id: String,
    /// In the order of the columns given to [`EvidenceRow::table`]; null without evidence.
    pub values: Vec<Option<i64>>,
}

impl EvidenceRow {
    /// The table for these windows.
    #[must_use]
    pub fn table(windows: &[EvidenceColumn]) -> OutputTable {
        let mut columns = vec![OutputColumn::required("merchant_id", Kind::Text, "", "The merchant.")];
        columns.extend(windows.iter().map(|w| OutputColumn::optional(&w.name, Kind::Int64, "as the measure", &w.doc)));
        OutputTable {
            name: "evidence",
            doc: "One row a merchant: sums of measures over the windows that its features were computed from, and the rows behind \
                  each sum; `evidence.json` tells which feature reads which.",
            sorted_by: &["merchant_id"],
            columns,
        }
    }
}

impl OutputRow for EvidenceRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let windows = table.columns.get(1..).unwrap_or_default();
        if let Some(row) = rows.iter().find(|r| r.values.len() != windows.len()) {
            let why = format!("{} has {} values for {} windows", row.label(), row.values.len(), windows.len());
            return Err(PublishError::Layout { table: table.name, why });
        }
        let mut columns = Encoder::new(table, rows);
        columns.text("merchant_id", |r| Some(&r.merchant_id))?;
        for (at, window) in windows.iter().enumerate() {
            columns.int64(&window.name, |r| r.values.get(at).copied().flatten())?;
        }
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let names = columns.names();
        let values: Vec<_> = names.iter().skip(1).map(|name| columns.int64(name)).collect::<Result<_, _>>()?;
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
