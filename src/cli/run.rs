//! `integrity run`: the nightly whole.

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::{ExitCode, Failure, Output, Terminal};
use crate::publish::StageCost;
use crate::run::{AsOfRule, RunOptions, RunSummary, run_job};

/// Which job, and what to change about it.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    night: NightArgs,
    /// Publish below this folder instead of the job's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep models below this folder instead of the job's.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Where the job keeps rows: hash every file anew, even one whose size and times are as they were when it was read.
    #[arg(long)]
    rehash: bool,
}

/// How a night may depart from a date that is named and within the data.
#[derive(Debug, clap::Args)]
pub struct NightArgs {
    /// Where neither --as-of nor the job names a date: the day after the last day of usual trade, read off the data. For exploration only.
    #[arg(long, conflicts_with = "as_of")]
    guess_as_of: bool,
    /// Why an observation date past the data's own clock is right all the same; stands in the manifest and in results.json.
    #[arg(long, value_name = "REASON")]
    force_as_of: Option<String>,
}

impl NightArgs {
    /// Run options with these departures.
    ///
    /// # Errors
    /// A blank reason.
    pub fn apply(&self, options: RunOptions) -> Result<RunOptions, Failure> {
        let force_as_of = self.force_as_of.as_ref().map(|reason| reason.trim().to_owned());
        if force_as_of.as_deref() == Some("") {
            return Err(Failure::Usage("--force-as-of is blank: say why, for whoever reads the results".to_owned()));
        }
        Ok(RunOptions { guess_as_of: self.guess_as_of, force_as_of, ..options })
    }
}

/// What every command on a job takes.
#[derive(Debug, clap::Args)]
pub struct JobArgs {
    /// Job file.
    #[arg(value_name = "JOB.toml")]
    pub path: PathBuf,
    /// Observation date: facts of this day and later are not seen. A date, or "yesterday" or "today" in the job's time zone. Default: the
    /// job's `as_of`.
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<AsOfRule>,
    /// Read raw files below this folder instead of the job's. The environment's `INTEGRITY_DATA` may name the folder too, or one that
    /// holds a folder of the job's name.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Threads; every number gives the same bytes. Default: all cores.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

impl JobArgs {
    /// Starts the thread pool and turns the arguments into run options.
    ///
    /// # Errors
    /// The number of threads is zero or far too large.
    pub fn options(&self) -> Result<RunOptions, Failure> {
        Ok(RunOptions {
            as_of: self.as_of,
            data: self.data.clone(),
            data_root: std::env::var_os("INTEGRITY_DATA").filter(|v| !v.is_empty()).map(PathBuf::from),
            ..base_options(self.threads)?
        })
    }
}

/// More threads than any machine of today has cores for; a system refuses many more, in the middle of the work.
const MOST_THREADS: usize = 1_024;

/// Run options that change nothing, with the clock, memory and command line of this process. Starts the thread pool.
///
/// # Errors
/// The number of threads is zero or far too large.
pub fn base_options(threads: Option<usize>) -> Result<RunOptions, Failure> {
    if threads == Some(0) {
        return Err(Failure::Usage("--threads 0: at least one thread has to do the work".to_owned()));
    }
    if let Some(threads) = threads.filter(|threads| *threads > MOST_THREADS) {
        return Err(Failure::Usage(format!(
            "--threads {threads}: at most {MOST_THREADS}, and no more than cores helps"
        )));
    }
    if let Some(threads) = threads {
        // A pool that stands already (tests) keeps its size: results do not depend on it.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
    Ok(RunOptions {
        as_of: None,
        data: None,
        data_root: None,
        out: None,
        models: None,
        guess_as_of: false,
        force_as_of: None,
        rehash: false,
        started_at: Timestamp::now(),
        clock: Timestamp::now,
        peak_memory,
        command_line: std::env::args().collect(),
        code_version: CODE_VERSION.to_owned(),
    })
}

/// The largest resident memory of this process, where Linux says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

/// What the stages took, in one line.
fn stages_text(stages: &[StageCost]) -> String {
    let each: Vec<String> = stages.iter().map(|stage| format!("{} {:.1} s", stage.name, stage.seconds)).collect();
    let peak = stages.iter().filter_map(|stage| stage.peak_memory_bytes).max();
    let peak = peak.map_or_else(String::new, |bytes| format!("; at most {} MB of memory", bytes / 1_000_000));
    format!("{}{peak}", each.join(", "))
}

/// Version, and digest of the source that this program was built from.
pub const CODE_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("INTEGRITY_SOURCE_DIGEST"));

/// What `run --format json` prints.
#[derive(Debug, Serialize)]
struct RunAnswer<'a> {
    run_dir: &'a std::path::Path,
    run_id: &'a str,
    as_of: Date,
    published: bool,
    is_current: bool,
    /// What each stage took.
    stages: &'a [StageCost],
    #[serde(flatten)]
    summary: &'a RunSummary,
}

/// Runs the command: exit code 99 when this very run was published before.
///
/// # Errors
/// See [`crate::run::RunError`].
pub fn execute(args: &RunArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let options = RunOptions {
        out: args.out.clone(),
        models: args.models.clone(),
        rehash: args.rehash,
        ..args.night.apply(args.job.options()?)?
    };
    let outcome = run_job(&args.job.path, &options, terminal)?;
    terminal.finish();
    let answer = RunAnswer {
        run_dir: &outcome.published.run_dir,
        run_id: &outcome.published.run_id,
        as_of: outcome.published.as_of,
        published: outcome.is_new,
        is_current: outcome.published.is_current,
        stages: &outcome.stages,
        summary: &outcome.summary,
    };
    output.show(&answer, |answer| {
        let mut text = answer.summary.text();
        if !answer.published {
            text.push_str("  nothing new: inputs, configuration, model and program are those of this published run\n");
        }
        if let Some(why) = &outcome.published.not_current_because {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  not the current run: {why}");
        }
        format!("{text}  took       {}\n  files      {}\n", stages_text(answer.stages), answer.run_dir.display())
    })?;
    Ok(if outcome.is_new { ExitCode::Ok } else { ExitCode::NothingNew })
}
