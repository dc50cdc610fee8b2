//! `offers`: what a merchant may borrow, at which price, and which cap bound the limit.

use crate::offer::Offer;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Offer {
    type Key<'a> = (&'a str, &'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "offers",
            doc: "One row an offer: a merchant may hold one offer a product.",
            sorted_by: &["merchant_id", "product", "offer_id"],
            columns: vec![
                Column::required("offer_id", Kind::Text, "", "Stable identity of the offer."),
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "Product, as the policy names it."),
                Column::required("limit_minor", Kind::Int64, "minor units", "The most that may be drawn.")
                    .within(0.0, f64::MAX),
                Column::required("daily_rate_ppm", Kind::Int64, "millionths a day", "Price: 500 is 0.05 % a day.")
                    .within(0.0, 1_000_000.0),
                Column::required(
                    "apr",
                    Kind::Float64,
                    "fraction a year",
                    "Annual percentage rate by the actuarial method: 0.18 is 18 %.",
                )
                .within(0.0, f64::MAX),
                Column::required("term_days", Kind::Int32, "days", "Term.").within(1.0, f64::MAX),
                Column::required("repayment", Kind::Text, "", "Repayment pattern."),
                Column::required("valid_until_on", Kind::Day, "date", "Last date on which the offer can be taken up."),
                Column::required("binding_cap", Kind::Text, "", "The cap that set the limit."),
                Column::required(
                    "caps",
                    Kind::Caps,
                    "minor units",
                    "Every cap with its value; the limit is the least, rounded down to a step.",
                ),
                Column::optional(
                    "pledged_order_ids",
                    Kind::Texts,
                    "",
                    "Shipped, unconfirmed orders that secure an order loan, each pledged once; null for other products.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.product, &self.offer_id)
    }
}
