//! `bins`: a model's bins as a file to edit.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{ExitCode, Failure, Output};
use crate::model::ModelError;
use crate::model::binning::edits::{LogEntry, render};
use crate::model::registry::{Bundle, load_folder};

/// The attachment of a model folder that logs edits.
pub const EDITS: &str = "edits.json";

/// What `bins` takes.
#[derive(Debug, Clone, Args)]
pub struct BinsArgs {
    /// Model folder.
    #[arg(value_name = "MODEL")]
    pub model: PathBuf,
    /// TOML file to write; must not exist. `train --table F --target COL --bins FILE` reads it back.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Runs `bins`.
///
/// # Errors
/// The model is damaged, or the file exists or cannot be written.
pub fn execute(args: &BinsArgs, output: Output) -> Result<ExitCode, Failure> {
    let bundle = load_folder(&args.model)?;
    let text = render(bundle.scorecard.variables.iter().map(|v| &v.bins), &log_of(&bundle)?);
    let mut file = std::fs::File::create_new(&args.out).map_err(|e| {
        if e.kind() == std::io::ErrorKind::AlreadyExists {
            Failure::Model(ModelError::Exists { path: args.out.clone() })
        } else {
            Failure::Io { path: args.out.clone(), source: e }
        }
    })?;
    file.write_all(text.as_bytes()).map_err(|e| Failure::Io { path: args.out.clone(), source: e })?;
    let variables = bundle.scorecard.variables.len();
    let answer = json!({ "model": args.model, "bins": args.out, "variables": variables });
    output.show(&answer, |_| format!("bins of {variables} variables written to {}\n", args.out.display()))?;
    Ok(ExitCode::Ok)
}

/// Edits that a model was trained with.
fn log_of(bundle: &Bundle) -> Result<Vec<LogEntry>, ModelError> {
    bundle.attachments.get(EDITS).map_or_else(
        || Ok(Vec::new()),
        |value| {
            serde_json::from_value(value.clone()).map_err(|e| ModelError::BadModel {
                path: bundle.folder.join(EDITS),
                why: format!("it is no log of edits: {e}"),
            })
        },
    )
}
