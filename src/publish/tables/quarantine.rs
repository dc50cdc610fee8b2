//! `quarantine/<contract table>`: input rows that were set aside, and why.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;

use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::OutputRow;

/// One rule that one input row broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineRow {
    /// Position in the file, from 1.
    pub number: i64,
    /// Input file, below the data folder.
    pub file: String,
    /// Row of that file, counted from 1 without any header.
    pub row: i64,
    /// Key of the contract row, its parts joined by ` | `; null where the key itself cannot be read.
    pub key: Option<String>,
    /// Kebab-case rule.
    pub rule: String,
    /// Column at fault, where the rule looks at one.
    pub column: Option<String>,
    /// Its value as text; null where it was null.
    pub value: Option<String>,
    /// The whole row as JSON: a raw row where it never became a contract row.
    pub record: Option<String>,
}

impl QuarantineRow {
    /// The table; one file a contract table has this layout.
    #[must_use]
    pub fn table() -> OutputTable {
        use OutputColumn as Column;
        OutputTable {
            name: "quarantine",
            doc: "One row an input row and the rule it broke; one file a contract table, `quarantine/<table>.parquet`.",
            sorted_by: &["number"],
            columns: vec![
                Column::required("number", Kind::Int64, "rows", "Position in this file, from 1.").within(1.0, f64::MAX),
                Column::required("file", Kind::Text, "", "Input file, below the data folder."),
                Column::required("row", Kind::Int64, "rows", "Row of that file, counted from 1 without any header.")
                    .within(1.0, f64::MAX),
                Column::optional(
                    "key",
                    Kind::Text,
                    "",
                    "Key of the row, its parts joined by ` | `; null where it cannot be read.",
                ),
                Column::required("rule", Kind::Text, "", "Rule that the row broke."),
                Column::optional("column", Kind::Text, "", "Column at fault; null where the rule looks at none."),
                Column::optional("value", Kind::Text, "", "Its value, as text; null where it was null."),
                Column::optional("record", Kind::Text, "", "The whole row, as JSON."),
            ],
        }
    }
}

impl OutputRow for QuarantineRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let mut columns = Encoder::new(table, rows);
        columns.int64("number", |r| Some(r.number))?;
        columns.text("file", |r| Some(&r.file))?;
        columns.int64("row", |r| Some(r.row))?;
        columns.text("key", |r| r.key.as_deref())?;
        columns.text("rule", |r| Some(&r.rule))?;
        columns.text("column", |r| r.column.as_deref())?;
        columns.text("value", |r| r.value.as_deref())?;
        columns.text("record", |r| r.record.as_deref())?;
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let (file, row, rule) = (columns.text("file")?, columns.int64("row")?, columns.text("rule")?);
        let (column, value) = (columns.text("column")?, columns.text("value")?);
        let (number, key, record) = (columns.int64("number")?, columns.text("key")?, columns.text("record")?);
        columns.rows(|at| {
            Ok(Self {
                number: columns.required("number", number.get(at))?,
                key: key.owned(at),
                record: record.owned(at),
                file: columns.required("file", file.owned(at))?,
                row: columns.required("row", row.get(at))?,
                rule: columns.required("rule", rule.owned(at))?,
                column: column.owned(at),
                value: value.owned(at),
            })
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }

    fn label(&self) -> String {
        format!("{} row {}, rule {}", self.file, self.row, self.rule)
    }
}
