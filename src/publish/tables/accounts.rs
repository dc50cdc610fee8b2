//! `accounts`: what every merchant owes, may still draw, has pledged and answers for.

use crate::exposure::Statement;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Statement {
    type Key<'a> = &'a str;

    fn table() -> OutputTable {
        let sum = |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc).within(0.0, f64::MAX);
        OutputTable {
            name: "accounts",
            doc: "One row a scored merchant: the account after tonight's decisions.",
            sorted_by: &["merchant_id"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required(
                    "debt",
                    Kind::Text,
                    "",
                    "known · unknown: the loan book is absent or a loan does not reconcile · no-loan-book: the lender keeps none.",
                ),
                Column::optional(
                    "owed_minor",
                    Kind::Int64,
                    "minor units",
                    "Principal not repaid; null where it is not known.",
                ),
                Column::required(
                    "open_loan_ids",
                    Kind::Texts,
                    "",
                    "Loans that are not closed, or of which it is not known. The next night misses each that it does not see.",
                ),
                Column::required(
                    "closed_loan_ids",
                    Kind::Texts,
                    "",
                    "Repaid loans that have to be sent again (closed_loans_sent_days of the monitor file). The next night misses each that it does not see.",
                ),
                sum("offered_minor", "What tonight's offers let the merchant draw."),
                sum("held_minor", "What withdrawn and replaced offers of earlier nights still hold."),
                Column::optional(
                    "receivables_minor",
                    Kind::Int64,
                    "minor units",
                    "What shipped, unconfirmed orders count for at their age; null where they are not known.",
                ),
                Column::required(
                    "pledged_orders",
                    Kind::Int64,
                    "orders",
                    "Orders that secure an open loan or an offer.",
                )
                .within(0.0, f64::MAX),
                Column::optional(
                    "group_allowance_minor",
                    Kind::Int64,
                    "minor units",
                    "The most the guarantee groups let the merchant hold in offers; null for merchants in none, and where it is not known.",
                ),
                sum("group_liability_minor", "Group loans of other members, which the merchant answers for."),
                Column::optional(
                    "owner_id",
                    Kind::Text,
                    "",
                    "Who stands behind the shop, as owners are compared: without blanks, in small letters; null where its row names nobody.",
                )
                .added_later(Earlier::Unknown),
                Column::optional(
                    "owner_shops",
                    Kind::Int64,
                    "shops",
                    "Shops that share bounds with this one, itself included: those of its owner, and of owners that it has left while something is owed; null where it stands alone.",
                )
                .added_later(Earlier::Unknown),
                Column::optional(
                    "owner_committed_minor",
                    Kind::Int64,
                    "minor units",
                    "What these shops owed and could draw before tonight; null where it stands alone, and where it is not known.",
                )
                .added_later(Earlier::Unknown),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        &self.merchant_id
    }
}
