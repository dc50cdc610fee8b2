//! `integrity lookup`: one merchant in the published run, as the loan service reads it.

use std::path::PathBuf;

use jiff::civil::Date;

use super::day::day;
use super::{ExitCode, Failure, Output};
use crate::publish::ScoreBook;

/// Whom to look up.
#[derive(Debug, clap::Args)]
pub struct LookupArgs {
    /// Output folder of a job: the one that holds `current.json`.
    out: PathBuf,
    /// Merchant id.
    merchant: String,
    /// The latest run of this business date instead of the current run.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    as_of: Option<Date>,
}

/// Runs the command.
///
/// # Errors
/// Nothing is published, the files are not what was published, or the merchant was not scored.
pub fn execute(args: &LookupArgs, output: Output) -> Result<ExitCode, Failure> {
    let book = match args.as_of {
        Some(date) => ScoreBook::open_as_of(&args.out, date)?,
        None => ScoreBook::open(&args.out)?,
    };
    let Some(mut entry) = book.get(&args.merchant)? else {
        return Err(Failure::NotFound(format!(
            "merchant {:?} is not in the run of {}: it had no visible record then",
            args.merchant,
            book.as_of()
        )));
    };
    if args.as_of.is_none() {
        entry.answered = book.answered(&args.out, &args.merchant)?;
    }
    output.show(&entry, crate::report::entry_text)?;
    Ok(ExitCode::Ok)
}
