//! `open_offers`: every offer that may still be drawn, or that a loan rests on. The next night reads it.

use crate::exposure::OpenOffer;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for OpenOffer {
    type Key<'a> = (&'a str, &'a str, &'a str);

    fn table() -> OutputTable {
        let money =
            |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc).within(0.0, f64::MAX);
        OutputTable {
            name: "open_offers",
            doc: "One row an offer, of tonight or of an earlier night, that holds a part of a merchant's limits or secures an open loan. The \
                  next night reads it: what is offered is not offered again.",
            sorted_by: &["merchant_id", "product", "offer_id"],
            columns: vec![
                Column::required("offer_id", Kind::Text, "", "The offer; `loans.offer_id` names it when it is drawn."),
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "Product, as the policy names it."),
                Column::required(
                    "state",
                    Kind::Text,
                    "",
                    "open: in this run, can be drawn · withdrawn: declined since, holds until it lapses · replaced: tonight's offer took its \
                     place, holds until the next night what it held beyond that · drawn: holds nothing, an open loan rests on its orders.",
                ),
                money("limit_minor", "The most that may be drawn."),
                Column::optional(
                    "daily_rate_ppm",
                    Kind::Int64,
                    "parts per million a day",
                    "Interest a day; null of an offer whose run was published before offers said so here.",
                )
                .added_later(Earlier::Unknown),
                Column::optional("term_days", Kind::Int64, "days", "Days to the last instalment; null likewise.")
                    .added_later(Earlier::Unknown),
                Column::optional(
                    "sales_share_ppm",
                    Kind::Int64,
                    "parts per million",
                    "Share of each day's receipts that repays it; null for other repayment, and where the term is.",
                )
                .added_later(Earlier::Unknown),
                money("drawn_minor", "Principal of the loans drawn on it, as far as is known."),
                money(
                    "drawn_before_minor",
                    "Principal drawn on the offer it replaced that was known when it was published.",
                ),
                money("held_minor", "What may still be drawn; counts against every cap."),
                Column::required("offered_on", Kind::Day, "date", "As-of date of the run that published it."),
                Column::required("valid_until_on", Kind::Day, "date", "Last date on which it can be drawn."),
                Column::optional(
                    "replaces_offer_id",
                    Kind::Text,
                    "",
                    "The offer of the same product that it replaced.",
                ),
                Column::required("pledged_order_ids", Kind::Texts, "", "Orders that secure it; empty where none do."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.product, &self.offer_id)
    }
}
