//! `validate`: a model's figures on a table with outcomes.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::apply::score_file;
use crate::model::registry::load_folder;
use crate::model::table::{open_table, read_target};
use crate::model::validation::ValidationSettings;
use crate::model::{ModelError, measure_part};

/// What `validate` takes.
#[derive(Debug, Clone, Args)]
pub struct ValidateArgs {
    /// Model folder.
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Table to validate on, CSV or Parquet.
    #[arg(long, value_name = "FILE")]
    pub table: PathBuf,
    /// Column of the outcome.
    #[arg(long, value_name = "COLUMN")]
    pub target: String,
    /// The value of the target that means bad.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub positive: Option<String>,
}

/// Scores the table and measures; returns what `--format json` prints.
///
/// # Errors
/// Whatever is wrong with the model folder or the table.
pub fn validate_table(args: &ValidateArgs) -> Result<Value, ModelError> {
    let bundle = load_folder(&args.model)?;
    let file = open_table(&args.table)?;
    let (target, _) = read_target(&file, &args.target, args.positive.as_deref())?;
    let mut pd = Vec::with_capacity(target.len());
    score_file(
        &bundle.scorecard,
        &file,
        &mut |_, block, _| {
            pd.extend(block.score.iter().map(|&s| bundle.scorecard.probability(s)));
            Ok(())
        },
        &[],
    )?;
    let test = measure_part(&pd, &target, None, &ValidationSettings::default())?;
    Ok(json!({ "model": args.model, "test": test }))
}
