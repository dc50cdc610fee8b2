//! `integrity prune`: removes old runs that nothing needs any more.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::{ExitCode, Failure, Output};
use crate::publish::{
    ArchivedInput, PlannedInputs, PlannedRun, PruningOrder, PruningPlan, Publisher, Retention, plan_pruning,
};
use crate::report::text_table;
use crate::run::Job;

/// Which runs, and what is kept.
#[derive(Debug, clap::Args)]
pub struct PruneArgs {
    /// Job file, or the output folder of a job.
    #[arg(value_name = "JOB.toml|OUT")]
    place: PathBuf,
    /// Keep all runs of the newest N business dates. Default: `keep_last` under `[retention]` of the job.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    keep_last: Option<u16>,
    /// Keep the last night of each of the M months before that of the newest night. Default: the job's `keep_month_ends`, or 0.
    #[arg(long, value_name = "M")]
    keep_month_ends: Option<u16>,
    /// Keep the raw files of the newest N business dates in the archive, where that is shorter than their runs are kept. Default: `keep_last` under
    /// `[archive]` of the job; as long as the runs.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    keep_raw_files: Option<u16>,
    /// List what would stay and go, and remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// Output folder of the job file, where it is not the job's own.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Who; stands in `prunings.jsonl`.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown")]
    by: String,
}

#[derive(Debug, Serialize)]
struct PruneAnswer<'a> {
    retention: Retention,
    /// Whether the runs without a reason to stay were removed; `false` in a dry run.
    removed: bool,
    /// Size of the published files of the runs that go.
    leaving_bytes: u64,
    runs: &'a [PlannedRun],
    /// What becomes of raw files in the archive.
    inputs: &'a PlannedInputs,
}

/// Runs the command: exit code 99 when every run stays.
///
/// # Errors
/// Nothing says how long runs are kept, nothing is published, what is owed and open is not known, or another process publishes there.
pub fn execute(args: &PruneArgs, output: Output) -> Result<ExitCode, Failure> {
    let (out, of_job, raw_files_of_job) = place(args)?;
    if !out.is_dir() {
        return Err(Failure::NotFound(format!("{}: no such folder", out.display())));
    }
    let Some(keep_last) = args.keep_last.or(of_job.map(|of_job| of_job.keep_last)) else {
        let why = "nothing says how many runs to keep: give --keep-last N, or a job file with [retention]";
        return Err(Failure::Usage(why.to_owned()));
    };
    let months = args.keep_month_ends.or(of_job.map(|of_job| of_job.keep_month_ends));
    let keep_raw_files = args.keep_raw_files.or(raw_files_of_job);
    let retention = Retention { keep_last, keep_month_ends: months.unwrap_or(0), keep_raw_files };
    let (plan, removed) = if args.dry_run {
        (plan_pruning(&out, retention)?, false)
    } else {
        let order = PruningOrder { retention, by: args.by.clone(), at: Timestamp::now() };
        let (plan, entry) = Publisher::open(&out)?.prune(&order)?;
        (plan, entry.is_some())
    };
    let is_any = plan.is_any();
    let leaving_bytes = plan.leaving().filter_map(|run| run.bytes).sum();
    let answer = PruneAnswer { retention, removed, leaving_bytes, runs: &plan.runs, inputs: &plan.inputs };
    output.show(&answer, |answer| text(answer, &plan))?;
    Ok(if is_any { ExitCode::Ok } else { ExitCode::NothingNew })
}

/// The output folder, and what the job says about it.
fn place(args: &PruneArgs) -> Result<(PathBuf, Option<Retention>, Option<u16>), Failure> {
    if args.place.is_dir() {
        if args.out.is_some() {
            return Err(Failure::Usage("--out goes with a job file; an output folder is named already".to_owned()));
        }
        return Ok((args.place.clone(), None, None));
    }
    let job = Job::open(Path::new(&args.place))?;
    Ok((args.out.clone().unwrap_or(job.out), job.retention, job.keep_raw_files))
}

fn text(answer: &PruneAnswer<'_>, plan: &PruningPlan) -> String {
    let row = |run: &PlannedRun| {
        let why: Vec<&str> = run.kept_for.iter().map(|why| why.words()).collect();
        let fate = match (run.goes(), answer.removed) {
            (false, _) => "stays",
            (true, false) => "would go",
            (true, true) => "removed",
        };
        vec![run.run.clone(), run.state.word().to_owned(), fate.to_owned(), why.join(", ")]
    };
    let rows: Vec<Vec<String>> = plan.runs.iter().map(row).collect();
    let mut text = text_table(&["run", "state", "", "why it stays"], &rows);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} of {} runs {}, {:.1} MB",
        plan.leaving().count(),
        plan.runs.len(),
        if answer.removed { "removed" } else { "would go" },
        answer.leaving_bytes as f64 / 1e6
    );
    let bytes = |inputs: &[ArchivedInput]| inputs.iter().map(|input| input.bytes).sum::<u64>() as f64 / 1e6;
    let PlannedInputs { staying, leaving, held_by, without } = &plan.inputs;
    if !(staying.is_empty() && leaving.is_empty()) {
        let _ = writeln!(
            text,
            "{} of {} raw files in the archive {}, {:.1} MB; {:.1} MB stay",
            leaving.len(),
            staying.len() + leaving.len(),
            if answer.removed { "removed" } else { "would go" },
            bytes(leaving),
            bytes(staying)
        );
    }
    if !without.is_empty() {
        let verb = if answer.removed { "are" } else { "would be" };
        let _ = writeln!(
            text,
            "{} run(s) that stay {verb} without raw files: they can be verified, and replayed only where --data still has the files",
            without.len()
        );
    }
    if let Some(run) = held_by.as_ref().filter(|_| !staying.is_empty()) {
        let _ =
            writeln!(text, "the archive stays whole: what {run} was made from is not known, its manifest is damaged");
    }
    text
}
