//! `receipts`: what a merchant is expected to take in over the days of a loan, and what it took in before.

use crate::model::ability::MerchantReceipts;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for MerchantReceipts {
    type Key<'a> = (&'a str, u16);

    fn table() -> OutputTable {
        let days = |name: &str, doc: &str| Column::required(name, Kind::Int32, "days", doc).within(0.0, f64::MAX);
        let minor = |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc);
        OutputTable {
            name: "receipts",
            doc: "One row a merchant and horizon: net receipts that are foreseen; merchants whose receipts are not known have none.",
            sorted_by: &["merchant_id", "horizon_days"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                days("horizon_days", "Days ahead."),
                days("history_days", "Days since the first receipt that was looked at; 0 for none."),
                minor("last_90_days_minor", "Net receipts of the last 90 days."),
                minor("last_360_days_minor", "Net receipts of the last 360 days."),
                Column::required(
                    "season",
                    Kind::Float64,
                    "logarithm",
                    "What the time of the year does to the category over the horizon: 0.1 is a tenth more than usual.",
                ),
                minor("lower_minor", "Reached by all but the model's share of merchants: what limits rest on.")
                    .within(0.0, f64::MAX),
                minor("median_minor", "Reached by half of the merchants.").within(0.0, f64::MAX),
                minor("upper_minor", "Reached by a tenth of the merchants.").within(0.0, f64::MAX),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, self.horizon_days)
    }
}
