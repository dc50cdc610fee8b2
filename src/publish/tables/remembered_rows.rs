//! `remembered_rows`: how many rows of a merchant the next night has to see again.

use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;
use crate::scenario::RememberedRows;

impl OutputRow for RememberedRows {
    type Key<'a> = &'a str;

    fn table() -> OutputTable {
        let rows = |name: &str, doc: &str| Column::required(name, Kind::Int64, "rows", doc).within(0.0, f64::MAX);
        OutputTable {
            name: "remembered_rows",
            doc: "One row a merchant with rows of trade: how many of them, of so many days (rows_sent_days under [gates] of the job file), the next night has to see. \
                  What it does not see stands among the merchant's broken records, and credit rests on the worst that they could have said.",
            sorted_by: &["merchant_id"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("from_on", Kind::Day, "date", "First day of the rows counted."),
                Column::required("until_on", Kind::Day, "date", "The day after the last one."),
                rows("orders", "Orders placed in these days, those that are missing or cannot be read among them; likewise the others."),
                rows("shipments", "Parcels, by the first day that anything says of them."),
                rows("reviews", "Reviews."),
                rows("disputes", "Disputes."),
                rows("applications", "Applications."),
                rows("inventory", "Stock-takings."),
                rows("missing", "Of all of these how many an earlier night knew and tonight does not see."),
                Column::optional(
                    "missing_since_on",
                    Kind::Day,
                    "date",
                    "Since which night some are missing without a break.",
                ),
                Column::optional("settled_from_on", Kind::Day, "date", "First day of orders that were summed up as settled; null where none were.")
                    .added_later(Earlier::Unknown),
                Column::optional(
                    "settled_until_on",
                    Kind::Day,
                    "date",
                    "Orders placed from settled_from_on on and completed before this day, or placed 76 days before it and completed since, are settled: a night that comes later knows no more of them.",
                )
                .added_later(Earlier::Unknown),
                Column::optional(
                    "settled_minor",
                    Kind::Int64,
                    "minor units",
                    "What the settled orders came to, what went back to buyers taken off.",
                )
                .added_later(Earlier::Unknown),
                Column::optional(
                    "grown_minor",
                    Kind::Int64,
                    "minor units",
                    "Of that, what earlier nights should have known and did not: orders dated back, or amounts changed afterwards; less every night, as such trade leaves the days that are looked at. Negative where earlier nights knew more. Null where none summed it up, or it is confirmed.",
                )
                .added_later(Earlier::Unknown),
                Column::optional("grown_on", Kind::Day, "date", "The last night that saw any of it come to light.")
                    .added_later(Earlier::Unknown),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        &self.merchant_id
    }
}
