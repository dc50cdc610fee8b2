//! `integrity explain`: from a score and a limit back to row counts.

use std::path::PathBuf;

use super::{ExitCode, Failure, Output};
use crate::report::{explain, explanation_text};

/// Which run, whom.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Run folder, or an output folder for its current run.
    run: PathBuf,
    /// Merchant id.
    #[arg(long)]
    merchant: String,
}

/// Runs the command.
///
/// # Errors
/// The run is not what was published, or did not score the merchant.
pub fn execute(args: &ExplainArgs, output: Output) -> Result<ExitCode, Failure> {
    let Some(explanation) = explain(&args.run, &args.merchant)? else {
        return Err(Failure::NotFound(format!(
            "merchant {:?} is not in the run {}",
            args.merchant,
            args.run.display()
        )));
    };
    output.show(&explanation, explanation_text)?;
    Ok(ExitCode::Ok)
}
