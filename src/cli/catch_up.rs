//! `integrity catch-up`: publishes the nights that were missed.

use std::fmt::Write as _;
use std::path::PathBuf;

use jiff::civil::Date;
use serde::Serialize;

use super::run::JobArgs;
use super::{ExitCode, Failure, Output, Terminal};
use crate::run::{MissedNights, Progress, RunOptions, catch_up, missed_nights};

/// Which job, and up to which night.
#[derive(Debug, clap::Args)]
pub struct CatchUpArgs {
    #[command(flatten)]
    job: JobArgs,
    /// The last night to publish.
    #[arg(long, value_name = "DATE")]
    through: Date,
    /// List the missed nights and publish none.
    #[arg(long)]
    dry_run: bool,
    /// Publish below this folder instead of the job's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep models below this folder instead of the job's.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct CatchUpAnswer {
    /// The last night that stood before.
    last: Date,
    /// Missed nights, in order.
    missed: Vec<Date>,
    /// Earlier nights without a run, which are not published any more.
    passed_over: Vec<Date>,
    /// Nights that were published now.
    published: Vec<PublishedNight>,
}

#[derive(Debug, Serialize)]
struct PublishedNight {
    as_of: Date,
    run_id: String,
    run_dir: PathBuf,
}

/// Runs the command: exit code 99 when no night was missed.
///
/// # Errors
/// Nothing was ever published, or what stopped a night; those before it are published.
pub fn execute(args: &CatchUpArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if args.job.as_of.is_some() {
        return Err(Failure::Usage(
            "--as-of names one night; catch-up takes all that were missed, --through a date".to_owned(),
        ));
    }
    let options = RunOptions { out: args.out.clone(), models: args.models.clone(), ..args.job.options()? };
    let mut published = Vec::new();
    let nights = if args.dry_run {
        missed_nights(&args.job.path, args.through, &options)?
    } else {
        catch_up(&args.job.path, args.through, &options, terminal, &mut |outcome| {
            let run = &outcome.published;
            terminal.note(&format!("published {} as run {}", run.as_of, run.run_id));
            published.push(PublishedNight {
                as_of: run.as_of,
                run_id: run.run_id.clone(),
                run_dir: run.run_dir.clone(),
            });
        })?
    };
    terminal.finish();
    let MissedNights { last, missed, passed_over } = nights;
    let is_any_missed = !missed.is_empty();
    output.show(&CatchUpAnswer { last, missed, passed_over, published }, render)?;
    Ok(if is_any_missed { ExitCode::Ok } else { ExitCode::NothingNew })
}

fn render(answer: &CatchUpAnswer) -> String {
    let mut text = format!("the last night that stood was {}\n", answer.last);
    // Writing to a String cannot fail.
    for date in &answer.missed {
        let _ = match answer.published.iter().find(|night| night.as_of == *date) {
            Some(night) => writeln!(text, "  {date}  published: {}", night.run_dir.display()),
            None => writeln!(text, "  {date}  missed"),
        };
    }
    if answer.missed.is_empty() {
        text.push_str("  no night after it was missed\n");
    }
    for date in &answer.passed_over {
        let _ = writeln!(
            text,
            "  {date}  no run stands by it; later nights built on others, so it is not published any more"
        );
    }
    text
}
