//! `integrity restate`: another version of a past night, with what was recorded since.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::civil::Date;
use serde::Serialize;

use super::day::day;
use super::run::JobArgs;
use super::{ExitCode, Failure, Output, Terminal};
use crate::run::{AsOfRule, RunOptions, restate_night};

/// Which night, and what counts as known.
#[derive(Debug, clap::Args)]
pub struct RestateArgs {
    #[command(flatten)]
    job: JobArgs,
    /// What was recorded before this date counts. Default: today, in the job's time zone.
    #[arg(long, value_name = "DATE", value_parser = day)]
    known_before: Option<Date>,
    /// The output folder, instead of the job's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct RestateAnswer<'a> {
    as_of: Date,
    /// The run that is restated: it stays, and the date goes on standing by it.
    restates: &'a str,
    known_before: Date,
    /// What the first version was made from and is not there: nothing was published.
    missing: &'a [String],
    run_id: Option<&'a str>,
    run_dir: Option<PathBuf>,
    /// Whether this very restatement was published now.
    published: bool,
    /// Merchants of whom any value differs.
    merchants_differing: Option<u64>,
    /// Values that differ, by table.
    values_differing: Option<&'a BTreeMap<String, u64>>,
}

/// Runs the command: exit code 66 where something that the first version was made from is missing, 99 where this very restatement was
/// published before.
///
/// # Errors
/// No run of that date stands, or what stopped the night.
pub fn execute(args: &RestateArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let Some(AsOfRule::Day(as_of)) = args.job.as_of else {
        return Err(Failure::Usage("restate needs the date of a published night: --as-of 2018-08-01".to_owned()));
    };
    let options = RunOptions { out: args.out.clone(), ..args.job.options()? };
    let restated = restate_night(&args.job.path, as_of, args.known_before, &options, terminal)?;
    terminal.finish();
    let made = restated.made.as_ref();
    let answer = RestateAnswer {
        as_of,
        restates: &restated.first.run_id,
        known_before: restated.known_before,
        missing: &restated.missing,
        run_id: made.map(|(outcome, _)| outcome.published.run_id.as_str()),
        run_dir: made.map(|(outcome, _)| outcome.published.run_dir.clone()),
        published: made.is_some_and(|(outcome, _)| outcome.is_new),
        merchants_differing: made.map(|(_, counts)| counts.merchants),
        values_differing: made.map(|(_, counts)| &counts.values),
    };
    output.show(&answer, render)?;
    Ok(match made {
        None => ExitCode::InputMissing,
        Some((outcome, _)) if outcome.is_new => ExitCode::Ok,
        Some(_) => ExitCode::NothingNew,
    })
}

fn render(answer: &RestateAnswer<'_>) -> String {
    let RestateAnswer { as_of, restates, known_before, .. } = answer;
    let mut text = String::new();
    let Some(run_dir) = &answer.run_dir else {
        let _ = writeln!(text, "run {restates} of {as_of} cannot be restated");
        for line in answer.missing {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  missing: {line}");
        }
        return text;
    };
    let _ = writeln!(text, "run {restates} of {as_of} restated with what was recorded before {known_before}");
    let _ = writeln!(text, "  merchants that differ  {}", answer.merchants_differing.unwrap_or(0));
    for (table, values) in answer.values_differing.into_iter().flatten() {
        let _ = writeln!(text, "  values of {table:<16} {values}");
    }
    if !answer.published {
        text.push_str("  nothing new: this restatement was published before\n");
    }
    let _ = writeln!(text, "  differences  {}", run_dir.join("restated.parquet").display());
    text
}
