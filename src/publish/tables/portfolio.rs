//! `portfolio`: the loan book cut along each dimension, tonight and on the nights before.

use jiff::civil::Date;

use crate::monitor::{Dimension, PortfolioLine};
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for PortfolioLine {
    type Key<'a> = (Date, Dimension, Option<&'a str>);

    fn table() -> OutputTable {
        let count = |name: &str, doc: &str| Column::required(name, Kind::Int64, name, doc).within(0.0, f64::MAX);
        let money = |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc);
        let known = |name: &str, doc: &str| Column::optional(name, Kind::Int64, "minor units", doc);
        OutputTable {
            name: "portfolio",
            doc: "One row a night, dimension and member: tonight's, and those of the nights before. All dimensions but `status` are over open loans.",
            sorted_by: &["night_on", "dimension", "member"],
            columns: vec![
                Column::required("night_on", Kind::Day, "date", "The night.").formerly("as_of"),
                Column::required(
                    "dimension",
                    Kind::Text,
                    "",
                    "all · status (open, written-off, unknown) · product · category · region · bucket · class · band · stage · largest-borrowers (1, 2 to 10, 11 to 20, others: borrowers by what they owe) · largest-owners (likewise, the shops of one owner together; a shop without a named owner is its own) · largest-groups (likewise of guarantee groups, and no group).",
                ),
                Column::optional("member", Kind::Text, "", "The member; null where it is not known."),
                count("borrowers", "Borrowers with a loan in it."),
                count("loans", "Loans."),
                money("lent_minor", "What was lent on them, as far as it is known."),
                known("outstanding_minor", "Principal not repaid; null for loans of which nothing is known."),
                known("arrears_minor", "Due and unpaid; null for loans of which nothing is known."),
                money("over_30_minor", "Principal not repaid of loans 30 or more days past due."),
                money("over_60_minor", "The same from 60 days on."),
                money("over_90_minor", "The same from 90 days on."),
                money("non_performing_minor", "The same of non-performing loans, contagion included."),
                known("provision_minor", "Weighted provisions; null where none are configured."),
                Column::optional(
                    "share",
                    Kind::Float64,
                    "share",
                    "Principal not repaid ÷ that of all open loans; null where nothing is owed, and for loans that are not open.",
                )
                .within(0.0, 1.0),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.night_on, self.dimension, self.member.as_deref())
    }
}
