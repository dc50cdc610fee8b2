//! `integrity document`: what a validator reads, and what other systems need, from a model folder.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::outcome::{OutcomeRuleArgs, outcome_of};
use super::scored_table::{grades, score_table, seen_in_training};
use super::{ExitCode, Failure, Output, Terminal};
use crate::model::registry::{Bundle, load_folder, refuse_content, write_folder};
use crate::model::{ModelError, TrainReport};
use crate::run::Progress as _;
use crate::workbench::document::{
    Document, DocumentError, DocumentInput, Sample, SqlSource, card_workbook, export_pmml, export_sql, scorecard_schema,
};
use crate::workbench::table::open_table;
use crate::workbench::validation::{Drift, training_drift};

/// What `document` takes.
#[derive(Debug, clap::Args)]
pub struct DocumentArgs {
    /// Model folder.
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Table with known outcomes to measure the model on; without one, the figures are those of the training report.
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Column of the outcome.
    #[arg(long, value_name = "COLUMN", requires = "table")]
    target: Option<String>,
    /// The value of the target that means bad.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true, requires = "table")]
    positive: Option<String>,
    /// The outcome by conditions.
    #[command(flatten)]
    rule: OutcomeRuleArgs,
    /// Name of the table or view that the SQL reads.
    #[arg(long, value_name = "NAME", default_value = "applicants")]
    relation: String,
    /// Column that the SQL carries through, such as an id; repeat the option for more.
    #[arg(long, value_name = "COLUMN")]
    keep: Vec<String>,
    /// Folder to write; must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// The model or the table cannot be read, or the folder exists with content.
pub fn execute(args: &DocumentArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    refuse_content(&args.out)?;
    terminal.stage("document", None);
    let bundle = load_folder(&args.model)?;
    // Models of other layouts of the report still have bins and points to show.
    let report: Option<TrainReport> = serde_json::from_value(bundle.validation.clone()).ok();
    let (mut samples, drift) = measured(args, &bundle, report.as_ref())?;
    if let Some(report) = &report {
        samples.extend(report.test.as_ref().map(|test| Sample::of_report("Rows set aside at training", test)));
        samples.push(Sample::of_report("Training rows, out of fold", &report.tuning.out_of_fold));
        samples.push(Sample::of_report("Training rows", &report.train));
    }
    let refused = |error: DocumentError| refusal(&error, &args.model);
    let input = DocumentInput { bundle: &bundle, report: report.as_ref(), samples: &samples, drift: drift.as_ref() };
    let document = Document::new(&input).map_err(refused)?;
    let source = SqlSource { relation: args.relation.clone(), keep: args.keep.clone() };
    let sql = export_sql(&bundle.scorecard, &source).map_err(refused)?;
    let pmml = export_pmml(&bundle.scorecard).map_err(refused)?;
    let mut files = vec![
        ("model.md".to_owned(), document.markdown().into_bytes()),
        ("model.html".to_owned(), document.html().map_err(refused)?.into_bytes()),
        ("scorecard.sql".to_owned(), sql.into_bytes()),
        ("scorecard.pmml".to_owned(), pmml.into_bytes()),
        ("scorecard.xls".to_owned(), card_workbook(&bundle, report.as_ref(), &samples)),
        ("scorecard.schema.json".to_owned(), format!("{:#}\n", scorecard_schema()).into_bytes()),
    ];
    files.extend(document.plots().map(|plot| (plot.file.clone(), plot.svg.clone().into_bytes())));
    write_folder(&args.out, &files)?;
    terminal.finish();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    output.show(&json!({ "model": args.model, "out": args.out, "files": names }), listed)?;
    Ok(ExitCode::Ok)
}

fn measured(
    args: &DocumentArgs,
    bundle: &Bundle,
    report: Option<&TrainReport>,
) -> Result<(Vec<Sample>, Option<Drift>), Failure> {
    let Some(table) = &args.table else {
        return match args.rule.bad {
            Some(_) => Err(Failure::Usage("--bad says who is bad in a table: name it with --table".to_owned())),
            None => Ok((Vec::new(), None)),
        };
    };
    let mut file = open_table(table)?;
    let outcome = outcome_of(&mut file, args.target.as_deref(), args.positive.as_deref(), &args.rule)?;
    let scored = score_table(&bundle.scorecard, &file)?;
    let name = table.file_name().map_or_else(|| "Table".to_owned(), |n| format!("Table {}", n.to_string_lossy()));
    let name = match seen_in_training(bundle, &file)? {
        Some(_) => format!("{name} (the table it was trained on: flattering)"),
        None => name,
    };
    let name = outcome.note.map_or_else(|| name.clone(), |note| format!("{name}; {note}"));
    let sample = Sample::of_rows(&name, &outcome.is_bad, &scored.pd, grades(&bundle.scorecard))?;
    let trained = report.map(|r| r.train.deciles.as_slice());
    let drift = training_drift(&bundle.scorecard, trained, &scored.pd, &scored.bin_counts)?;
    Ok((vec![sample], Some(drift)))
}

fn refusal(error: &DocumentError, model: &Path) -> Failure {
    match error {
        DocumentError::Plot { .. } | DocumentError::Page { .. } => Failure::Internal(error.to_string()),
        DocumentError::BadName { .. } => Failure::Usage(format!("failed to {error}")),
        DocumentError::BrokenScorecard { .. } => {
            ModelError::BadModel { path: model.to_owned(), why: error.to_string() }.into()
        }
    }
}

fn listed(answer: &Value) -> String {
    let out = answer["out"].as_str().unwrap_or_default();
    let files = answer["files"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let shown: Vec<String> = files.filter(|f| !f.starts_with("plots/")).map(|f| format!("{out}/{f}")).collect();
    shown.join("\n")
}
