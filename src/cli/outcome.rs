//! The outcome of a table's rows: a column of two values, or conditions.

use clap::Args;

use crate::model::ModelError;
use crate::workbench::table::{TableFile, read_target, ruled_outcome};

/// The outcome by conditions, in place of a column.
#[derive(Debug, Clone, Default, Args)]
pub struct OutcomeRuleArgs {
    /// In place of --target: which rows are bad, a condition in SQL, such as "`loan_status` IN ('Charged Off', 'Default')". The columns it names are no variables.
    #[arg(long, value_name = "CONDITION", conflicts_with_all = ["target", "positive"])]
    pub bad: Option<String>,
    /// With --bad: which rows are good. Rows that are neither are left out and counted. Without it, rows are good for which --bad is false.
    #[arg(long, value_name = "CONDITION", requires = "bad")]
    pub good: Option<String>,
}

/// What is known of the outcome.
#[derive(Debug)]
pub struct Outcome {
    /// Of the table's rows that are kept.
    pub is_bad: Vec<bool>,
    /// Columns that know the outcome.
    pub columns: Vec<String>,
    /// Which rows of the file are kept; `None`: all.
    pub kept: Option<Vec<bool>>,
    /// What a reader must know: how many rows were left out.
    pub note: Option<String>,
}

/// Reads the outcome; of the table, only rows that have one are kept.
///
/// # Errors
/// Neither --target nor --bad is given, or what they say cannot be.
pub fn outcome_of(
    file: &mut TableFile,
    target: Option<&str>,
    positive: Option<&str>,
    rule: &OutcomeRuleArgs,
) -> Result<Outcome, ModelError> {
    match (target, &rule.bad) {
        (_, Some(bad)) => {
            let ruled = ruled_outcome(file, bad, rule.good.as_deref())?;
            let note = ruled.note();
            file.keep(ruled.kept.clone());
            Ok(Outcome { is_bad: ruled.is_bad, columns: ruled.columns, kept: Some(ruled.kept), note })
        }
        (Some(target), None) => {
            let (is_bad, _) = read_target(file, target, positive)?;
            Ok(Outcome { is_bad, columns: vec![target.to_owned()], kept: None, note: None })
        }
        (None, None) => {
            Err(ModelError::BadSetting { setting: "target", why: "--target or --bad is needed".to_owned() })
        }
    }
}
