//! `integrity verify`: are the published files what was published?

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::civil::Date;

use super::{ExitCode, Failure, Output};
use crate::publish::{VerifyReport, verify};

/// What to verify.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Output folder of a job: the one that holds `current.json`.
    out: PathBuf,
    /// Every run of this business date instead of the current run.
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<Date>,
}

/// Runs the command: exit code 65 when anything is not as published.
///
/// # Errors
/// Nothing is published, or files cannot be read at all.
pub fn execute(args: &VerifyArgs, output: Output) -> Result<ExitCode, Failure> {
    let report = verify(&args.out, args.as_of)?;
    output.show(&report, render)?;
    Ok(if report.is_sound() { ExitCode::Ok } else { ExitCode::Data })
}

fn render(report: &VerifyReport) -> String {
    let mut text = String::new();
    for run in &report.runs {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{run}");
    }
    for finding in report.all_findings() {
        let _ = writeln!(text, "  {finding}");
    }
    let verdict =
        if report.is_sound() { "every file is what was published" } else { "these files are NOT what was published" };
    let _ = writeln!(text, "{verdict}");
    text
}
