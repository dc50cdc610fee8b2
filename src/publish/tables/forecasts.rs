//! `forecasts`: what was foreseen of every loan when it was first seen, and what became of it. The next night reads it.

use crate::monitor::LoanForecast;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for LoanForecast {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        let text = |name: &str, doc: &str| Column::required(name, Kind::Text, "", doc);
        let day = |name: &str, doc: &str| Column::required(name, Kind::Day, "date", doc);
        let money = |name: &str, doc: &str| Column::optional(name, Kind::Int64, "minor units", doc);
        OutputTable {
            name: "forecasts",
            doc: "One row a loan: the borrower's probability of default on the first night that showed the loan open and its borrower not in default, never changed \
                  afterwards, and what became of the loan within the horizon. The next night reads it.",
            sorted_by: &["merchant_id", "loan_id"],
            columns: vec![
                text("merchant_id", "The borrower."),
                text("loan_id", "The loan."),
                text("product", "Its product."),
                Column::optional("disbursed_on", Kind::Day, "date", "When the money was paid out."),
                day("made_on", "The night of the forecast."),
                day("until_on", "The last day of its horizon: that of the policy's probability of default."),
                Column::optional("band", Kind::Text, "", "The borrower's risk band on that night."),
                Column::optional(
                    "pd_prob",
                    Kind::Float64,
                    "probability",
                    "The borrower's probability of default on that night; null without a score.",
                )
                .within(0.0, 1.0),
                Column::required("exposure_minor", Kind::Int64, "minor units", "Principal not repaid on that night."),
                money(
                    "expected_loss_minor",
                    "Exposure × probability × loss given default; null without a probability or without [provisions].",
                ),
                text(
                    "outcome",
                    "open: the horizon runs, or the loan has not been known since · no-default · default: in default for the first time within the horizon.",
                ),
                money(
                    "lost_minor",
                    "What was not repaid of the exposure of a loan in default, on the first night after the horizon; null while the outcome is open.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.loan_id)
    }
}
