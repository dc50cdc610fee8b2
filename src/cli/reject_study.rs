//! `integrity reject-study`: how much of a model's figures depends on what rejected applicants would have done.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::outcome::{OutcomeRuleArgs, outcome_of};
use super::scored_table::{score_table, seen_in_training};
use super::{ExitCode, Failure, Output};
use crate::model::ModelError;
use crate::model::registry::load_folder;
use crate::report::text_table;
use crate::workbench::figures::{figure, or_dash, share};
use crate::workbench::reject_inference::{
    Band, RejectInferenceError, RejectMethod, RejectScenario, RejectSettings, RejectStudy, study_rejects,
};
use crate::workbench::table::open_table;

/// What `reject-study` takes.
#[derive(Debug, Clone, Args)]
pub struct RejectStudyArgs {
    /// Model folder.
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Accepted applicants, with outcomes, best none that the model was trained on: a CSV or Parquet file, or a folder of them.
    #[arg(long, value_name = "FILE")]
    pub accepted: PathBuf,
    /// Column of the outcome.
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// The value of the target that means bad.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub positive: Option<String>,
    /// The outcome of the accepted by conditions.
    #[command(flatten)]
    pub rule: OutcomeRuleArgs,
    /// Rejected applicants, with the columns that the model reads.
    #[arg(long, value_name = "FILE")]
    pub rejected: PathBuf,
    /// How many times the odds of being bad of a reject are those of an accepted applicant of like score, separated by commas.
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', default_values_t = RejectSettings::default().odds_factors)]
    pub odds: Vec<f64>,
}

/// Runs the command.
///
/// # Errors
/// The model is damaged, a table lacks a column or holds nobody, or the outcomes say nothing about the score.
pub fn execute(args: &RejectStudyArgs, output: Output) -> Result<ExitCode, Failure> {
    let bundle = load_folder(&args.model)?;
    let (mut accepted, rejected) = (open_table(&args.accepted)?, open_table(&args.rejected)?);
    let outcome = outcome_of(&mut accepted, args.target.as_deref(), args.positive.as_deref(), &args.rule)?;
    let known = score_table(&bundle.scorecard, &accepted)?;
    let unknown = score_table(&bundle.scorecard, &rejected)?;
    let settings = RejectSettings { odds_factors: args.odds.clone(), ..RejectSettings::default() };
    let study = study_rejects(&outcome.is_bad, &known.pd, &unknown.pd, &settings).map_err(refused)?;
    let notes: Vec<String> = seen_in_training(&bundle, &accepted)?.into_iter().chain(outcome.note).collect();
    output.show(&json!({ "model": args.model, "study": study, "notes": notes }), |_| text(&study, &notes))?;
    Ok(ExitCode::Ok)
}

fn refused(error: RejectInferenceError) -> ModelError {
    match error {
        RejectInferenceError::NoRejects => {
            ModelError::BadSetting { setting: "rejected", why: "the table has no rows".to_owned() }
        }
        other => ModelError::CannotMeasure { why: other.to_string() },
    }
}

fn text(study: &RejectStudy, notes: &[String]) -> String {
    let mut text = format!(
        "{} accepted with outcomes, {} rejected without; {} of the rejects score where too few were accepted\n\n",
        study.accepted,
        study.rejected,
        share(study.extrapolated_share)
    );
    let rows: Vec<Vec<String>> = study.scenarios.iter().map(row).collect();
    text += &text_table(&["rejects would have been", "odds ×", "bad rejects", "bad of all", "AUC", "KS"], &rows);
    text.push('\n');
    let bands = [
        ("bad rate of rejects", study.reject_bad_rate),
        ("bad rate of all who applied", study.bad_rate),
        ("AUC over all who applied", study.auc),
    ];
    let range = |[low, high]: [f64; 2]| format!("{low:.4} to {high:.4}");
    let rows: Vec<Vec<String>> = bands
        .iter()
        .map(|(name, Band { assumed, possible })| vec![(*name).to_owned(), range(*assumed), range(*possible)])
        .collect();
    text += &text_table(&["", "over these assumptions", "whatever they did"], &rows);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\nNo data tells which row is true: rejects were rejected for not being like the accepted.");
    for note in notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn row(scenario: &RejectScenario) -> Vec<String> {
    let method = match scenario.method {
        RejectMethod::AcceptedOnly => "left out",
        RejectMethod::Parcelling => "as the accepted of their score band",
        RejectMethod::FuzzyAugmentation => "as the calibration line says",
        RejectMethod::AllGood => "all good",
        RejectMethod::AllBad => "all bad",
    };
    vec![
        method.to_owned(),
        scenario.odds_factor.map_or_else(String::new, |f| f.to_string()),
        scenario.reject_bad_rate.map_or_else(String::new, share),
        share(scenario.bad_rate),
        or_dash(scenario.auc.map(figure)),
        or_dash(scenario.ks.map(figure)),
    ]
}
