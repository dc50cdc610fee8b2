//! `integrity check`: would tonight's run get past its configuration and data?

use std::fmt::Write as _;

use jiff::civil::Date;
use serde::Serialize;

use super::run::JobArgs;
use super::{ExitCode, Failure, Output, Terminal};
use crate::run::check_job;
use crate::wash::LedgerLine;

/// Which job.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    #[command(flatten)]
    job: JobArgs,
}

#[derive(Debug, Serialize)]
struct CheckAnswer<'a> {
    as_of: Date,
    ledger: Vec<&'a LedgerLine>,
}

/// Runs the command.
///
/// # Errors
/// What a run would refuse before it trains or scores.
pub fn execute(args: &CheckArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let ingested = check_job(&args.job.path, &args.job.options()?, terminal)?;
    terminal.finish();
    let answer = CheckAnswer { as_of: ingested.as_of.date(), ledger: ingested.whole_ledger().collect() };
    output.show(&answer, |answer| {
        let mut text = format!("configuration and data are sound as of {}\n", answer.as_of);
        for line in &answer.ledger {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "  {:<12} {:<40} read {:>10} = kept {} (of which {} not yet visible) + quarantined {} + duplicate {}",
                line.table, line.file, line.read, line.kept, line.not_yet_visible, line.quarantined, line.duplicate
            );
            for (rule, rows) in &line.rules {
                let _ = writeln!(text, "  {:<12} {:<40}   {rule} {rows}", "", "");
            }
        }
        text
    })?;
    Ok(ExitCode::Ok)
}
