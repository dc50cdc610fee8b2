//! `alerts`: what an officer should look at, since when, with the evidence and the action asked for. The next night reads it.

use crate::monitor::Alert;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Alert {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        let text = |name: &str, doc: &str| Column::required(name, Kind::Text, "", doc);
        let optional = |name: &str, doc: &str| Column::optional(name, Kind::Text, "", doc);
        OutputTable {
            name: "alerts",
            doc: "One row an alert on a merchant or one of its loans that stands, or was cleared tonight. The next night reads it: the same \
                  trouble keeps its row and its id until it is over.",
            sorted_by: &["merchant_id", "alert_id"],
            columns: vec![
                text("alert_id", "Identity of the alert, the same on every night on which it stands."),
                text("merchant_id", "The merchant."),
                optional("loan_id", "The loan; null where the rule looks at the merchant."),
                text("rule", "Rule, as the monitor file names it."),
                text(
                    "state",
                    "opened: stands · escalated: stands, and became worse or lasted · cleared: over, published this once.",
                ),
                Column::required("opened_on", Kind::Day, "date", "As-of date of the run that opened it."),
                Column::required(
                    "since_on",
                    Kind::Day,
                    "date",
                    "As-of date since which it is in its state; tonight's for what is new.",
                ),
                text(
                    "tonight",
                    "fired · quiet: stands until it was quiet for long enough · unknown: cannot be said, and so it stands · not-asked: see \
                     cleared_because.",
                ),
                Column::optional(
                    "quiet_since_on",
                    Kind::Day,
                    "date",
                    "First of the nights in a row on which the rule was quiet.",
                ),
                text(
                    "severity",
                    "Severity, as the monitor file gives it, for an escalated alert that of the escalation.",
                ),
                Column::optional(
                    "observed",
                    Kind::Float64,
                    "as the rule's",
                    "What was observed tonight; null where it cannot be said.",
                ),
                Column::optional("threshold", Kind::Float64, "as the rule's", "The bound that was applied."),
                Column::required(
                    "evidence",
                    Kind::Values,
                    "as the feature's",
                    "All that the rule looked at, by feature or figure of the loan; null is too little history.",
                ),
                text("action", "What is asked for: watch, freeze, deduct, call, restructure."),
                Column::optional(
                    "trouble_prob",
                    Kind::Float64,
                    "probability",
                    "By the hazard model, of missing a payment on the way into default within its horizon; null without a model, for a borrower who is \
                     late with something already, and once the alert is over.",
                ),
                Column::optional(
                    "at_risk_minor",
                    Kind::Int64,
                    "minor units",
                    "That probability times the principal that the borrower owes and `case_cost_minor` of the monitor file: look at the largest \
                     first.",
                ),
                optional(
                    "cleared_because",
                    "quiet · loan-closed · written-off · no-longer-sent · borrower-corrected · nothing-owed · rule-withdrawn; null while it stands.",
                ),
                optional(
                    "handling",
                    "An officer's decision that is in force: snoozed: someone is at work on it · suppressed: a false alarm, its action is not \
                     taken.",
                ),
                optional("handled_by", "Who decided."),
                optional("handled_why", "Why."),
                Column::optional(
                    "handled_until_on",
                    Kind::Day,
                    "date",
                    "Last as-of date on which the decision is in force.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.alert_id)
    }
}
