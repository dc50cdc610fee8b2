//! `roll_rates`: where the money of each bucket went.

use jiff::civil::Date;

use crate::monitor::{RollBasis, RollRate};
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for RollRate {
    type Key<'a> = (RollBasis, Date, Date, &'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "roll_rates",
            doc: "One row a matrix and pair of places between which money rolled. The shares of one `from_place` add up to 1.",
            sorted_by: &["basis", "to_on", "from_on", "from_place", "to_place"],
            columns: vec![
                Column::required(
                    "basis",
                    Kind::Text,
                    "",
                    "night: from the night before to tonight, and the same of earlier nights · month: from the first of a month, as the ledger could be seen then.",
                ),
                Column::required("from_on", Kind::Day, "date", "As-of date of the first book."),
                Column::required("to_on", Kind::Day, "date", "As-of date of the second."),
                Column::required(
                    "from_place",
                    Kind::Text,
                    "",
                    "Where the money was: a bucket, `written-off`, `unknown`, or `new` for loans that were not in the book then.",
                ),
                Column::required(
                    "to_place",
                    Kind::Text,
                    "",
                    "Where it is: a bucket, `paid-off`, `written-off`, `unknown`, or `not-sent` for loans that no row shows any more.",
                ),
                Column::required("loans", Kind::Int64, "loans", "Loans that stand there now.").within(0.0, f64::MAX),
                Column::required("moved_minor", Kind::Int64, "minor units", "Money of the row that is there now."),
                Column::required(
                    "increased_minor",
                    Kind::Int64,
                    "minor units",
                    "What is owed there beyond the row's money.",
                ),
                Column::optional(
                    "moved_share",
                    Kind::Float64,
                    "share",
                    "Moved ÷ the row's money; null where the row has none.",
                )
                .within(0.0, 1.0),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.basis, self.to_on, self.from_on, &self.from_place, &self.to_place)
    }
}
