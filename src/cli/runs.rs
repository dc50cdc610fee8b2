//! `integrity runs`: which runs lie in an output folder, and which was current when.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;

use super::{ExitCode, Failure, Output};
use crate::publish::{CurrentPeriod, ListedRun, RunList, run_list};
use crate::report::text_table;

/// The column that is left out where nothing is archived.
const RAW_FILES_AT: usize = 3;

/// Which folder, and when.
#[derive(Debug, clap::Args)]
pub struct RunsArgs {
    /// Output folder of a job: the one that holds `current.json`.
    out: PathBuf,
    /// Only the run that was current at this instant.
    #[arg(long, value_name = "YYYY-MM-DDTHH:MM:SSZ")]
    at: Option<Timestamp>,
}

/// Runs the command.
///
/// # Errors
/// The folder cannot be read, or nothing was current at the instant asked for.
pub fn execute(args: &RunsArgs, output: Output) -> Result<ExitCode, Failure> {
    if !args.out.is_dir() {
        return Err(Failure::NotFound(format!("{}: no such folder", args.out.display())));
    }
    let list = run_list(&args.out)?;
    if let Some(instant) = args.at {
        let Some(period) = list.at(instant) else {
            return Err(Failure::NotFound(format!("no run was current at {instant}")));
        };
        output.show(period, |period| period_text(std::slice::from_ref(period)))?;
        return Ok(ExitCode::Ok);
    }
    output.show(&json!(list), |_| text(&list))?;
    Ok(ExitCode::Ok)
}

fn text(list: &RunList) -> String {
    let row = |run: &ListedRun| {
        vec![
            run.run.clone(),
            run.finished_at.map_or_else(|| "–".to_owned(), |at| format!("{at:.0}")),
            run.state.word().to_owned(),
            run.inputs.map_or_else(|| "–".to_owned(), |inputs| format!("{} of {}", inputs.kept, inputs.of)),
            run.why.clone().unwrap_or_default(),
        ]
    };
    let mut runs: Vec<Vec<String>> = list.runs.iter().map(row).collect();
    let mut head = vec!["run", "finished", "state", "raw files kept", "why"];
    if list.runs.iter().all(|run| run.inputs.is_none()) {
        head.remove(RAW_FILES_AT);
        for run in &mut runs {
            run.remove(RAW_FILES_AT);
        }
    }
    format!("{}\n{}", text_table(&head, &runs), period_text(&list.periods))
}

fn period_text(periods: &[CurrentPeriod]) -> String {
    let row = |period: &CurrentPeriod| {
        vec![
            period.run.clone(),
            format!("{:.0}", period.from),
            period.until.map_or_else(|| "now".to_owned(), |at| format!("{at:.0}")),
            period.set_by.clone().unwrap_or_else(|| "the night".to_owned()),
        ]
    };
    text_table(&["was current", "from", "until", "set by"], &periods.iter().map(row).collect::<Vec<_>>())
}
