//! `alerts`: what an officer should look at, with the evidence and the action asked for.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;
use serde::Serialize;

use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::OutputRow;

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertRow {
    /// Stable identity of the alert.
    pub alert_id: String,
    /// The merchant.
    pub merchant_id: String,
    /// The loan, where the rule looks at one.
    pub loan_id: Option<String>,
    /// Kebab-case rule.
    pub rule: String,
    /// Severity.
    pub severity: String,
    /// What was seen.
    pub observed: Option<f64>,
    /// What the rule allows.
    pub threshold: Option<f64>,
    /// What is to be done.
    pub action: String,
}

impl AlertRow {
    /// The table.
    #[must_use]
    pub fn table() -> OutputTable {
        use OutputColumn as Column;
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
}

impl OutputRow for AlertRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let mut columns = Encoder::new(table, rows);
        columns.text("alert_id", |r| Some(&r.alert_id))?;
        columns.text("merchant_id", |r| Some(&r.merchant_id))?;
        columns.text("loan_id", |r| r.loan_id.as_deref())?;
        columns.text("rule", |r| Some(&r.rule))?;
        columns.text("severity", |r| Some(&r.severity))?;
        columns.float64("observed", |r| r.observed)?;
        columns.float64("threshold", |r| r.threshold)?;
        columns.text("action", |r| Some(&r.action))?;
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let (alert_id, merchant_id) = (columns.text("alert_id")?, columns.text("merchant_id")?);
        let (loan_id, rule, severity) = (columns.text("loan_id")?, columns.text("rule")?, columns.text("severity")?);
        let (observed, threshold) = (columns.float64("observed")?, columns.float64("threshold")?);
        let action = columns.text("action")?;
        columns.rows(|at| {
            Ok(Self {
                alert_id: columns.required("alert_id", alert_id.owned(at))?,
                merchant_id: columns.required("merchant_id", merchant_id.owned(at))?,
                loan_id: loan_id.owned(at),
                rule: columns.required("rule", rule.owned(at))?,
                severity: columns.required("severity", severity.owned(at))?,
                observed: observed.get(at),
                threshold: threshold.get(at),
                action: columns.required("action", action.owned(at))?,
            })
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.merchant_id.cmp(&other.merchant_id).then_with(|| self.alert_id.cmp(&other.alert_id))
    }

    fn label(&self) -> String {
        format!("merchant {:?}, alert {:?}", self.merchant_id, self.alert_id)
    }
}
