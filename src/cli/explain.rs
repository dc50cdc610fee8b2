//! `integrity explain`: from a score and a limit back to row counts.

use std::path::PathBuf;

use jiff::civil::Date;

use super::day::day;
use super::{ExitCode, Failure, Output};
use crate::publish::standing_run;
use crate::report::{explain, explanation_text};

/// Which run, whom.
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Run folder, or an output folder for its current run.
    run: PathBuf,
    /// Merchant id.
    #[arg(long)]
    merchant: String,
    /// Of an output folder, the run that this business date stands by instead of the current one.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    as_of: Option<Date>,
}

/// Runs the command.
///
/// # Errors
/// The run is not what was published, or did not score the merchant.
pub fn execute(args: &ExplainArgs, output: Output) -> Result<ExitCode, Failure> {
    let run = match args.as_of {
        None => args.run.clone(),
        Some(date) => standing_run(&args.run, date)?.map(|run| run.run_dir).ok_or_else(|| {
            let out = args.run.display();
            Failure::NotFound(format!(
                "no run of {date} stands below {out}; `integrity runs {out}` lists those that do"
            ))
        })?,
    };
    let Some(explanation) = explain(&run, &args.merchant)? else {
        return Err(Failure::NotFound(format!("merchant {:?} is not in the run {}", args.merchant, run.display())));
    };
    output.show(&explanation, explanation_text)?;
    Ok(ExitCode::Ok)
}
