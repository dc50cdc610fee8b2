//! `overrides`: what officers decided about credit, and what it did.

use crate::offer::OverrideEffect;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for OverrideEffect {
    type Key<'a> = (&'a str, &'a str, i64);

    fn table() -> OutputTable {
        let limit =
            |name: &str, doc: &str| Column::optional(name, Kind::Int64, "minor units", doc).within(0.0, f64::MAX);
        let rate = |name: &str, doc: &str| {
            Column::optional(name, Kind::Int64, "millionths a day", doc).within(0.0, 1_000_000.0)
        };
        OutputTable {
            name: "overrides",
            doc: "One row an officer's decision in force, merchant and product: what was decided, by whom, until when and why, and what would have been \
                  offered without any. `overrides.jsonl` beside the runs holds when each began and ended.",
            sorted_by: &["merchant_id", "product", "number"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "The product."),
                Column::required(
                    "number",
                    Kind::Int64,
                    "places",
                    "Its place among the merchant's decisions in the file.",
                )
                .within(1.0, f64::MAX),
                Column::required(
                    "change",
                    Kind::Text,
                    "",
                    "`decline`, `lower-limit`, `raise-limit`, `waive-rule` or `rate`.",
                ),
                limit("asked_limit_minor", "The limit decided; null where none is."),
                Column::optional(
                    "waived_rule",
                    Kind::Text,
                    "",
                    "Code of the rule that is not asked; null where none is waived.",
                ),
                rate("asked_rate_ppm", "The rate decided; null where none is."),
                Column::required("by", Kind::Text, "", "Who decided."),
                Column::required("reason", Kind::Text, "", "Why."),
                Column::required("from_on", Kind::Day, "date", "First as-of date on which it is in force."),
                Column::required("until_on", Kind::Day, "date", "Last one."),
                Column::required(
                    "is_allowed",
                    Kind::Flag,
                    "",
                    "The policy lets this officer do so; otherwise it changed nothing.",
                ),
                limit(
                    "limit_without_minor",
                    "Limit without any officer's decision, before the portfolio's budget; null where nothing would be offered.",
                ),
                limit("limit_minor", "Limit, before the portfolio's budget; null where nothing is offered."),
                rate("rate_without_ppm", "Rate without any officer's decision."),
                rate("rate_ppm", "Rate."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.product, self.number)
    }
}
