//! `differences`: what `reconcile --write` lists, in no run folder.

use crate::core_system::Difference;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Difference {
    type Key<'a> = i64;

    fn table() -> OutputTable {
        let text = |name: &str, doc: &str| Column::optional(name, Kind::Text, "", doc);
        OutputTable {
            name: "differences",
            doc: "One row a difference between a core system's books and ours: what `integrity reconcile --write FILE` writes, beside no run.",
            sorted_by: &["number"],
            columns: vec![
                Column::required("number", Kind::Int64, "", "1, 2, … by loan and kind."),
                text("loan_id", "The loan; null where neither side names one."),
                text("merchant_id", "The borrower by our books; by the export where ours do not have the loan."),
                Column::optional(
                    "row",
                    Kind::Int64,
                    "rows",
                    "Data row of the export, from 1; the first of several; null where the export does not have the loan.",
                ),
                Column::required(
                    "what",
                    Kind::Text,
                    "",
                    "missing-in-export · missing-here · unknown-here · repeated-in-export · no-loan-id · unreadable · not-given · merchant · \
                     status · outstanding · interest · arrears · days-past-due.",
                ),
                text("ours", "What our books say: minor units, days or a word."),
                text("theirs", "What the export says, likewise; the cell where it cannot be read."),
                Column::optional(
                    "difference",
                    Kind::Int64,
                    "minor units or days",
                    "The export's less ours; null where one of them is no number.",
                ),
                Column::required("is_tolerated", Kind::Flag, "", "Within the job's tolerance: it does not count."),
                text("detail", "In words, where there is more to say."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        self.number
    }
}
