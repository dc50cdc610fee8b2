//! `quarantine/<contract table>`: input rows that were set aside, and why.

use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;
use crate::wash::QuarantineRow;

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
