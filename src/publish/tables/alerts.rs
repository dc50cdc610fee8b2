//! `alerts`: what an officer should look at, with the evidence and the action asked for.

use crate::monitor::Alert;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for Alert {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "alerts",
            doc: "One row an alert on a merchant or one of its loans.",
            sorted_by: &["merchant_id", "alert_id"],
            columns: vec![
                Column::required("alert_id", Kind::Text, "", "Stable identity of the alert."),
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::optional("loan_id", Kind::Text, "", "The loan; null where the rule looks at the merchant."),
                Column::required("rule", Kind::Text, "", "Rule, as the monitor file names it."),
                Column::required("severity", Kind::Text, "", "Severity, as the monitor file gives it."),
                Column::optional("observed", Kind::Float64, "as the rule's", "What was observed."),
                Column::optional("threshold", Kind::Float64, "as the rule's", "The bound that was crossed."),
                Column::required(
                    "action",
                    Kind::Text,
                    "",
                    "What is asked for: watch, freeze, deduct, call, restructure.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.alert_id)
    }
}
