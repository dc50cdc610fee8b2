//! `state_changes`: every transition of every borrower's state, tonight's and those of the nights before.

use jiff::civil::Date;

use crate::monitor::StateChange;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for StateChange {
    type Key<'a> = (&'a str, Date);

    fn table() -> OutputTable {
        let text = |name: &str, doc: &str| Column::required(name, Kind::Text, "", doc);
        let maybe_day = |name: &str, doc: &str| Column::optional(name, Kind::Day, "date", doc);
        OutputTable {
            name: "state_changes",
            doc: "One row a transition of a borrower's state: tonight's, and those of the nights before. Of borrowers whose night before was published without this \
                  table, the newest transition is the first.",
            sorted_by: &["merchant_id", "changed_on"],
            columns: vec![
                text("merchant_id", "The borrower."),
                Column::required("changed_on", Kind::Day, "date", "As-of date of the run that made it."),
                Column::optional(
                    "came_from",
                    Kind::Text,
                    "",
                    "The state before it; null for a borrower first seen. The same as the state where that is unknown and another one became known.",
                ),
                text("state", "The state from then on, as in `borrower_states`."),
                text("known_state", "The state that was known last; the same where the state is known."),
                text("because", "Why, as a code."),
                Column::required("evidence", Kind::Values, "as named", "What was seen."),
                maybe_day("last_unclean_on", "Last day that was not clean, as far as was known then."),
                maybe_day("last_default_on", "Last day in default, as far as was known then."),
                Column::required("clean_days_needed", Kind::Int64, "days", "Clean days that probation took then.")
                    .within(0.0, f64::MAX),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, self.changed_on)
    }
}
