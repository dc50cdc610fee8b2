//! `officer_queue`: whom an officer should see to first.

use crate::monitor::QueueLine;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for QueueLine {
    type Key<'a> = i64;

    fn table() -> OutputTable {
        let money =
            |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc).within(0.0, f64::MAX);
        let count = |name: &str, unit: &str, doc: &str| Column::required(name, Kind::Int64, unit, doc);
        OutputTable {
            name: "officer_queue",
            doc: "One row a borrower whose alerts ask for a person and are not snoozed, the one on whom most is expected to be saved first.",
            sorted_by: &["rank"],
            columns: vec![
                count("rank", "", "1 for the first to be looked at."),
                Column::required("merchant_id", Kind::Text, "", "The borrower."),
                Column::required(
                    "action",
                    Kind::Text,
                    "",
                    "What to do: of all actions asked for, the one that saves most.",
                ),
                money("expected_saved_minor", "Expected loss × the share of it that the action saves."),
                money(
                    "expected_loss_minor",
                    "Owed on each loan × probability × loss given default; the probability is trouble_prob where there is one, else pd_prob, and 1 for a loan in default, an unknown loan, or where there is neither.",
                ),
                money(
                    "owed_minor",
                    "Principal not repaid, with interest and fees due and unpaid; of unknown loans what was lent, where it is known.",
                ),
                money("arrears_minor", "Due and unpaid on known loans."),
                Column::optional("dpd", Kind::Int64, "days", "The most days past due of known loans; null where none is known."),
                Column::optional(
                    "trouble_prob",
                    Kind::Float64,
                    "probability",
                    "The hazard model's probability of trouble to come; null where there is no model, or the borrower is late already.",
                )
                .within(0.0, 1.0)
                .added_later(Earlier::Unknown),
                Column::optional(
                    "pd_prob",
                    Kind::Float64,
                    "probability",
                    "Probability of default; null without a score.",
                )
                .within(0.0, 1.0),
                count("unknown_loans", "loans", "Loans of which nothing is known."),
                Column::required("rules", Kind::Texts, "", "Rules whose alerts ask for it, the gravest first."),
                Column::required(
                    "opened_on",
                    Kind::Day,
                    "date",
                    "As-of date on which the oldest of these alerts opened.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        self.rank
    }
}
