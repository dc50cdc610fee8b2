//! `invitations`: offers that nobody asked for, by value, and the control group.

use crate::offer::Invitation;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Invitation {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "invitations",
            doc: "One row an offer to a merchant who has not asked for it; empty where the policy makes no invitations.",
            sorted_by: &["merchant_id", "product"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "The product."),
                Column::required("offer_id", Kind::Text, "", "The offer."),
                Column::required("campaign", Kind::Text, "", "The campaign."),
                Column::required(
                    "group",
                    Kind::Text,
                    "",
                    "`invite`, or `control`: left alone, so that uptake without an invitation can be seen.",
                ),
                Column::required(
                    "rank",
                    Kind::Int64,
                    "places",
                    "Place by expected profit, from 1, control group included.",
                )
                .within(1.0, f64::MAX),
                Column::required(
                    "expected_profit_minor",
                    Kind::Int64,
                    "minor units",
                    "Interest of a full draw less funding, running cost and expected loss.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.product)
    }
}
