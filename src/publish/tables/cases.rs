//! `cases`: what was known of each merchant when credit was decided, beside score and features.

use crate::offer::CaseRecord;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for CaseRecord {
    type Key<'a> = &'a str;

    fn table() -> OutputTable {
        OutputTable {
            name: "cases",
            doc: "One row a scored merchant: what decisions rested on beside score and features, as it stood before tonight's. `integrity policy diff` reads \
                  it to decide again under another policy.",
            sorted_by: &["merchant_id"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required(
                    "facts_json",
                    Kind::Text,
                    "",
                    "Record with this lender, account, foreseen receipts, freezes and broken records, as JSON. Read by this version of the program alone.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        &self.merchant_id
    }
}
