//! `loan_book`: every loan that is out, written off with something owed, or not known.

use crate::monitor::LoanLine;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for LoanLine {
    type Key<'a> = (&'a str, Option<&'a str>);

    fn table() -> OutputTable {
        let optional = |name: &str, doc: &str| Column::optional(name, Kind::Text, "", doc);
        let money = |name: &str, doc: &str| Column::optional(name, Kind::Int64, "minor units", doc);
        OutputTable {
            name: "loan_book",
            doc: "One row a loan that is open, written off with something owed, or not known. The next night reads it: roll rates go from here.",
            sorted_by: &["merchant_id", "loan_id"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The borrower."),
                optional("loan_id", "The loan; null for broken rows that lead to a borrower but to no loan."),
                Column::required("place", Kind::Text, "", "Its bucket of days past due, `written-off` or `unknown`."),
                optional("product", "Its product, where known."),
                optional("category", "The borrower's category, where known."),
                optional("region", "The borrower's region, where known."),
                optional("owner_id", "The borrower's owner, where the merchant's row names one.")
                    .added_later(Earlier::Unknown),
                optional("group_id", "The guarantee group that the loan is of; null for a loan of the borrower alone.")
                    .added_later(Earlier::Unknown),
                Column::optional("disbursed_on", Kind::Day, "date", "When the money was paid out, where known."),
                money("principal_minor", "What was lent, where known."),
                money("outstanding_minor", "Principal not repaid; null where it is not known."),
                money("arrears_minor", "Due and unpaid; null where it is not known."),
                Column::optional("dpd", Kind::Int64, "days", "Days past due; null where it is not known."),
                optional("class", "Regulatory class, contagion included; null for what is not open."),
                optional(
                    "marked_by",
                    "Why it is non-performing: itself · borrower: another loan of the borrower · group: a loan of the guarantee group; null where it is not.",
                ),
                optional("band", "The borrower's risk band tonight."),
                Column::optional(
                    "pd_prob",
                    Kind::Float64,
                    "probability",
                    "The borrower's probability of default tonight.",
                )
                .within(0.0, 1.0),
                optional(
                    "stage",
                    "Stage of the provisions; null where none are configured, and for what is written off.",
                ),
                money(
                    "provision_minor",
                    "Weighted provision; null where none are configured, and for what is written off.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, self.loan_id.as_deref())
    }
}
