//! `integrity point`: sets the current run to one that is published.

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::{ExitCode, Failure, Output};
use crate::publish::{PointingOrder, Publisher, Repointing};

/// Which run, and why.
#[derive(Debug, clap::Args)]
pub struct PointArgs {
    /// Output folder of a job: the one that holds `current.json`.
    out: PathBuf,
    /// Id of a published run: the twelve characters after `run=`.
    #[arg(long, value_name = "ID")]
    run: String,
    /// Why; stands in `pointings.jsonl`.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who; stands in `pointings.jsonl`.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    by: String,
}

#[derive(Debug, Serialize)]
struct PointAnswer<'a> {
    run_id: &'a str,
    as_of: Date,
    run_dir: &'a std::path::Path,
    changed: bool,
    from: Option<&'a str>,
    withdrawn: &'a [String],
}

/// Runs the command: exit code 99 when the run was current already.
///
/// # Errors
/// No such run, it is damaged, or another process publishes there.
pub fn execute(args: &PointArgs, output: Output) -> Result<ExitCode, Failure> {
    if args.reason.trim().is_empty() {
        return Err(Failure::Usage("--reason is blank: say why, for whoever reads the log".to_owned()));
    }
    if !args.out.is_dir() {
        return Err(Failure::NotFound(format!("{}: no such folder", args.out.display())));
    }
    let order = PointingOrder {
        run_id: args.run.trim_start_matches("run=").to_owned(),
        reason: args.reason.trim().to_owned(),
        by: args.by.clone(),
        at: Timestamp::now(),
    };
    let Repointing { published, entry } = Publisher::open_to_point(&args.out)?.repoint(&order)?;
    let answer = PointAnswer {
        run_id: &published.run_id,
        as_of: published.as_of,
        run_dir: &published.run_dir,
        changed: entry.is_some(),
        from: entry.as_ref().and_then(|e| e.from.as_deref()),
        withdrawn: entry.as_ref().map_or(&[], |e| &e.withdrawn),
    };
    output.show(&answer, render)?;
    Ok(if entry.is_some() { ExitCode::Ok } else { ExitCode::NothingNew })
}

fn render(answer: &PointAnswer<'_>) -> String {
    let PointAnswer { run_id, as_of, .. } = answer;
    if !answer.changed {
        return format!("run {run_id} of {as_of} is current already\n");
    }
    let mut text = format!("run {run_id} of {as_of} is current; it was {}\n", answer.from.unwrap_or("none"));
    for run in answer.withdrawn {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  withdrawn: {run}");
    }
    text
}
