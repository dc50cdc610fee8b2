//! `restated`: what a restatement says otherwise than the night that it restates, merchant by merchant.

use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::restated::RestatedValue;
use crate::publish::row::OutputRow;

impl OutputRow for RestatedValue {
    type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

    fn table() -> OutputTable {
        let text = |name: &str, doc: &str| Column::required(name, Kind::Text, "", doc);
        OutputTable {
            name: "restated",
            doc: "In a restatement alone: one row a value that differs from the night it restates. A row that only one of the two published \
                  differs in every column that is not null.",
            sorted_by: &["merchant_id", "in_table", "key", "column"],
            columns: vec![
                text("merchant_id", "The merchant."),
                text("in_table", "The table."),
                text(
                    "key",
                    "Which of the merchant's rows: the product of offers and declines, the id of alerts, loans and deductions; empty where there is one row a merchant.",
                ),
                text("column", "The column."),
                text(
                    "change",
                    "changed · appeared: the restatement alone has such a row · vanished: the first version alone has it.",
                ),
                Column::optional(
                    "before",
                    Kind::Text,
                    "",
                    "The value of the first version, as text; null where it is null.",
                ),
                Column::optional("after", Kind::Text, "", "The value now, likewise."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.in_table, &self.key, &self.column)
    }
}
