//! `integrity replay`: is a published run what its inputs, configuration and model give?

use std::fmt::Write as _;
use std::path::PathBuf;

use super::run::base_options;
use super::{ExitCode, Failure, Output, Terminal};
use crate::run::{ReplayReport, RunOptions, replay_run};

/// Which run.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// `manifest.json` of a published run, or its folder.
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    /// Folder of the raw files that the run read. What came later may lie there too. What is not there as it was read is taken from the archive
    /// of the output folder, where the job keeps one; then no folder need be named.
    #[arg(long, value_name = "DIR", env = "INTEGRITY_DATA")]
    data: Option<PathBuf>,
    /// Threads; every number gives the same bytes. Default: all cores.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// Runs the command: exit code 66 where something that the run was made from is missing, 65 where another run comes out.
///
/// # Errors
/// There is no such run, or what stopped the night when it was made again.
pub fn execute(args: &ReplayArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let options = RunOptions { data: args.data.clone(), ..base_options(args.threads)? };
    let run_dir = if args.manifest.is_dir() {
        args.manifest.clone()
    } else {
        args.manifest.parent().map(PathBuf::from).unwrap_or_default()
    };
    let report = replay_run(&run_dir, &options, terminal)?;
    terminal.finish();
    output.show(&report, render)?;
    Ok(if report.is_proven {
        ExitCode::Ok
    } else if report.missing.is_empty() {
        ExitCode::Data
    } else {
        ExitCode::InputMissing
    })
}

fn render(report: &ReplayReport) -> String {
    let ReplayReport { run_id, as_of, .. } = report;
    let mut text = if report.is_proven {
        format!("run {run_id} of {as_of} is proven: made again, all {} files are the same\n", report.equal_files)
    } else if report.missing.is_empty() {
        format!("run {run_id} of {as_of} is NOT what comes out; {} files are the same\n", report.equal_files)
    } else {
        format!("run {run_id} of {as_of} cannot be made again\n")
    };
    if report.from_archive > 0 {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {} raw files came from the archive", report.from_archive);
    }
    for line in &report.missing {
        let _ = writeln!(text, "  missing: {line}");
    }
    for line in &report.differs {
        let _ = writeln!(text, "  differs: {line}");
    }
    text
}
