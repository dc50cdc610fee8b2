//! `deductions`: what the payment system should take from a borrower's account, once.

use crate::monitor::Deduction;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Deduction {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "deductions",
            doc: "One row an instruction to deduct from a borrower's payment account.",
            sorted_by: &["merchant_id", "key"],
            columns: vec![
                Column::required("key", Kind::Text, "", "Idempotency key: execute each key once."),
                Column::required("merchant_id", Kind::Text, "", "The merchant whose account is charged."),
                Column::required("loan_id", Kind::Text, "", "The loan that the money repays."),
                Column::required("amount_minor", Kind::Int64, "minor units", "How much to deduct.")
                    .within(1.0, f64::MAX),
                Column::optional(
                    "released_minor",
                    Kind::Int64,
                    "minor units",
                    "What of it orders that secure the loan have released; the rest is arrears or a share of sales, within the cap of a night.",
                )
                .within(0.0, f64::MAX)
                .added_later(Earlier::Unknown),
                Column::required("why", Kind::Text, "", "What is overdue or breached, the share of which day's sales, or what orders have released."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.key)
    }
}
