//! `borrower_states`: how good every borrower is, since when and why. The next night reads it.

use crate::monitor::BorrowerState;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for BorrowerState {
    type Key<'a> = &'a str;

    fn table() -> OutputTable {
        let text = |name: &str, doc: &str| Column::required(name, Kind::Text, "", doc);
        let day = |name: &str, doc: &str| Column::required(name, Kind::Day, "date", doc);
        let maybe_day = |name: &str, doc: &str| Column::optional(name, Kind::Day, "date", doc);
        OutputTable {
            name: "borrower_states",
            doc: "One row a borrower, past ones included. A row whose `since_on` is the as-of date is a transition of tonight; `state_changes` has those of all nights. The next night reads it: no \
                  path out of default skips probation.",
            sorted_by: &["merchant_id"],
            columns: vec![
                text("merchant_id", "The borrower."),
                text(
                    "state",
                    "current · watch: an alert stands · special-mention: something is past due · default · probation · restored · written-off · unknown.",
                ),
                day("since_on", "As-of date of the run that entered it; tonight's for a transition of tonight."),
                Column::optional(
                    "came_from",
                    Kind::Text,
                    "",
                    "The state before it; null for a borrower first seen in it.",
                ),
                text("known_state", "The state that was known last; the same where the state is known."),
                day("known_since_on", "As-of date of the run that entered the state that was known last."),
                text("because", "Why it was entered, as a code."),
                Column::required("evidence", Kind::Values, "as named", "What was seen when it was entered."),
                maybe_day("last_unclean_on", "Last day that was not clean, as far as was ever known."),
                maybe_day("last_default_on", "Last day in default, as far as was ever known."),
                Column::required("clean_days_needed", Kind::Int64, "days", "Clean days that probation takes.")
                    .within(0.0, f64::MAX),
                Column::optional(
                    "most_minor",
                    Kind::Int64,
                    "minor units",
                    "The most that may be owed and offered together; null where restoration sets no bound.",
                ),
                Column::optional(
                    "help_minor",
                    Kind::Int64,
                    "minor units",
                    "Supplementary help that an officer may offer, since the borrower's own buyers failed to pay; null where it is not due.",
                ),
                Column::required("help_evidence", Kind::Values, "as the feature's", "What the proposal rests on."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        &self.merchant_id
    }
}
