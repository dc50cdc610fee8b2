//! `vintages`: of what was lent in a month, how much has been in default after so many months.

use jiff::civil::Date;

use crate::monitor::VintageLine;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for VintageLine {
    type Key<'a> = (Option<Date>, &'a str, Option<i32>);

    fn table() -> OutputTable {
        let money = |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc);
        let count = |name: &str, doc: &str| Column::required(name, Kind::Int64, "loans", doc).within(0.0, f64::MAX);
        OutputTable {
            name: "vintages",
            doc: "One row a month of disbursement, product and month on the book, by the books as they are known tonight. Loans of which nothing is \
                  known are in none.",
            sorted_by: &["disbursed_in", "product", "months_on_book"],
            columns: vec![
                Column::optional(
                    "disbursed_in",
                    Kind::Day,
                    "date",
                    "First day of the month in which the money was paid out.",
                ),
                Column::required("product", Kind::Text, "", "The product."),
                Column::optional(
                    "months_on_book",
                    Kind::Int32,
                    "months",
                    "Months on the book, up to the age that every loan of the month has reached; null: all so far.",
                ),
                count("loans", "Loans of the vintage, repaid ones included."),
                money("lent_minor", "What was lent on them."),
                money("outstanding_minor", "Principal not repaid tonight, what is written off included."),
                money("written_off_minor", "The part of it that is written off."),
                count("defaulted_loans", "Loans that had been in default by then."),
                money("defaulted_minor", "What was lent on those."),
                money("unpaid_minor", "What is not repaid of it tonight."),
                Column::optional("defaulted_share", Kind::Float64, "share", "Defaulted ÷ lent.").within(0.0, 1.0),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.disbursed_in, &self.product, self.months_on_book)
    }
}
