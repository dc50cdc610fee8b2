//! `restructure_proposals`: easier terms that an officer may offer.

use crate::monitor::ProposedInstalment;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for ProposedInstalment {
    type Key<'a> = (&'a str, &'a str, i64);

    fn table() -> OutputTable {
        let text = |name: &str, doc: &str| Column::required(name, Kind::Text, "", doc);
        let money = |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc);
        OutputTable {
            name: "restructure_proposals",
            doc: "One row an instalment of the easier terms proposed for a loan on which a rule asks to restructure.",
            sorted_by: &["merchant_id", "loan_id", "number"],
            columns: vec![
                text("merchant_id", "The borrower."),
                text("loan_id", "The loan."),
                Column::required("number", Kind::Int64, "", "1, 2, … up to `instalments`."),
                Column::required("instalments", Kind::Int64, "", "How many there are."),
                Column::required("due_on", Kind::Day, "date", "By the end of which day it is due."),
                money("principal_minor", "Principal due; a loan's rows add up to what is not repaid."),
                money("interest_minor", "Interest due, accrued from the as-of date on."),
                money(
                    "carried_minor",
                    "Part of the interest and fees that are due and unpaid tonight; a loan's rows add up to them.",
                ),
                Column::required("daily_rate_ppm", Kind::Int64, "ppm a day", "The new rate."),
                Column::optional(
                    "affordable_minor",
                    Kind::Int64,
                    "minor units",
                    "What an instalment of this loan may take of receipts; null where receipts are unknown.",
                ),
                Column::required(
                    "is_affordable",
                    Kind::Flag,
                    "",
                    "Every instalment of the loan is affordable; where it is not, the longest terms are shown.",
                ),
                text("why", "The rule that asked, and how the loan stands."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.loan_id, self.number)
    }
}
