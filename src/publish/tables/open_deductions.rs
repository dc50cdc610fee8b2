//! `open_deductions`: orders to deduct that may still be under way.

use crate::monitor::OpenDeduction;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for OpenDeduction {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "open_deductions",
            doc: "One row an order to deduct, of tonight or an earlier night, of which nothing or not all has arrived. The next night orders no more than what is owed \
                  beside them.",
            sorted_by: &["merchant_id", "key"],
            columns: vec![
                Column::required("key", Kind::Text, "", "Its idempotency key."),
                Column::required("merchant_id", Kind::Text, "", "The merchant whose account is charged."),
                Column::required("loan_id", Kind::Text, "", "The loan that the money repays."),
                Column::required(
                    "ordered_minor",
                    Kind::Int64,
                    "minor units",
                    "The most that was ordered under the key.",
                )
                .within(1.0, f64::MAX),
                Column::required("left_minor", Kind::Int64, "minor units", "What of it may still arrive.")
                    .within(1.0, f64::MAX),
                Column::required(
                    "ordered_on",
                    Kind::Day,
                    "date",
                    "The night on which it was first ordered, or raised.",
                ),
                Column::required("given_on", Kind::Day, "date", "The last night that gave it."),
                Column::optional(
                    "deducted_minor",
                    Kind::Int64,
                    "minor units",
                    "What deductions of the loan had come to, reversed ones included, on the last night that knew it.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.key)
    }
}
