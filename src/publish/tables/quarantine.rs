//! `quarantine/<contract table>`: input rows that were set aside, and why.

use serde::{Deserialize, Serialize};

use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

/// One rule that one input row broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

impl OutputRow for QuarantineRow {
    type Key<'a> = i64;

    fn table() -> OutputTable {
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

    fn key(&self) -> i64 {
        self.number
    }
}
