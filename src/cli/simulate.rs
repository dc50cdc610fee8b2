//! `integrity simulate`: a marketplace with causes, for trying, testing and measuring; and a job that lends in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::run::base_options;
use super::{ExitCode, Failure, Output, Terminal};
use crate::domain::Currency;
use crate::run::Progress;
use crate::simulate::{SimulateError, SimulationSettings, simulate};
use crate::trial::{TrialReport, TrialSettings, run_trial};

/// What to simulate.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// New or empty folder to write to.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Merchants.
    #[arg(long)]
    merchants: u64,
    /// Simulated months; with --lender, the months in which the job lends.
    #[arg(long)]
    months: u16,
    /// Chooses the marketplace: equal seeds give equal bytes.
    #[arg(long)]
    seed: u64,
    /// The day after the last simulated one.
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2025-07-01")]
    end_on: Date,
    /// Currency of amounts.
    #[arg(long, default_value = "CNY")]
    currency: String,
    /// Write a folder a night (`2025-06-30/orders.parquet`) with what was recorded on that day, as `pipelines/nightly` reads it, instead of
    /// one file a table.
    #[arg(long, conflicts_with = "lender")]
    nightly: bool,
    /// Live each borrower's life on so many times from weekly nights of a year, with other luck, and write to `truth/outlooks.parquet` in how many of them
    /// a loan goes bad: what the best watcher could foresee.
    #[arg(long, value_name = "LIVES", default_value_t = 0, conflicts_with = "lender")]
    outlooks: u16,
    /// Let this job lend in the marketplace, night after night, and tell what became of its money. Amounts are in the job's currency.
    #[arg(long, value_name = "JOB.toml", conflicts_with = "currency")]
    lender: Option<PathBuf>,
    /// Months before the job lends, with another lender's loan book: what models learn from.
    #[arg(long, default_value_t = 30, requires = "lender")]
    warm_up_months: u16,
    /// Days from one night of the job to the next.
    #[arg(long, default_value_t = 7, requires = "lender")]
    every_days: u16,
    /// Try the job's policy also cut off after each band that it serves.
    #[arg(long, requires = "lender")]
    frontier: bool,
}

/// Runs the command.
///
/// # Errors
/// The folder holds files already, settings are out of range, or the disk refuses.
pub fn execute(args: &SimulateArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if let Some(job) = &args.lender {
        return try_lender(args, job, output, terminal);
    }
    let currency = Currency::new(&args.currency).map_err(|e| Failure::Usage(e.to_string()))?;
    let settings = SimulationSettings {
        end_on: args.end_on,
        nightly: args.nightly,
        outlook_lives: args.outlooks,
        ..SimulationSettings::new(args.merchants, args.months, args.seed, currency)
    };
    terminal.stage("simulate merchants", Some(args.merchants));
    let drawn = std::sync::atomic::AtomicU64::new(0);
    let report = simulate(&settings, &args.out, &|done, _total| {
        let before = drawn.swap(done, std::sync::atomic::Ordering::Relaxed);
        terminal.advance(done.saturating_sub(before));
    })?;
    terminal.finish();
    output.show(&report, |report| {
        let mut text = format!("simulated {} to {} into {}\n", report.start_on, args.end_on, args.out.display());
        // Of a folder a night the tables are told, not hundreds of files.
        let mut by_table: Vec<(&str, u64, u64, u64)> = Vec::new();
        for file in &report.files {
            let name = if args.nightly && !file.file.starts_with("truth/") {
                file.file.split_once('/').map_or(file.file.as_str(), |(_, name)| name)
            } else {
                &file.file
            };
            match by_table.iter_mut().find(|(known, ..)| *known == name) {
                Some((_, files, rows, bytes)) => {
                    *files += 1;
                    *rows += file.rows;
                    *bytes += file.bytes;
                }
                None => by_table.push((name, 1, file.rows, file.bytes)),
            }
        }
        for (name, files, rows, bytes) in by_table {
            let nights = if files > 1 { format!(" in {files} nights") } else { String::new() };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {name:<32} {rows:>12} rows {bytes:>14} bytes{nights}");
        }
        text
    })?;
    Ok(ExitCode::Ok)
}

fn try_lender(args: &SimulateArgs, job: &Path, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if std::fs::read_dir(&args.out).is_ok_and(|mut files| files.next().is_some()) {
        return Err(SimulateError::OutNotEmpty { path: args.out.clone() }.into());
    }
    let settings = TrialSettings {
        merchants: args.merchants,
        months: args.months,
        warm_up_months: args.warm_up_months,
        seed: args.seed,
        every_days: args.every_days,
        end_on: args.end_on,
        with_frontier: args.frontier,
    };
    let report = run_trial(job, &settings, &args.out, &base_options(None)?, terminal)?;
    terminal.finish();
    output.show(&report, TrialReport::table)?;
    Ok(ExitCode::Ok)
}
