//! `integrity backtest`: replays past nights and judges what they said.

use jiff::civil::Date;

use super::run::JobArgs;
use super::{ExitCode, Failure, Output, Terminal};
use crate::run::{AlertBacktest, BacktestOptions, backtest_alerts};

/// Which job, and which nights.
#[derive(Debug, clap::Args)]
pub struct BacktestArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Judges alerts: lead time before the first missed payment of loans that later default, precision and recall by rule and together.
    /// Thresholds are chosen on an earlier period and judged on a later one.
    #[arg(long, required = true)]
    alerts: bool,
    /// First night. Default: three performance windows before --to.
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Last night that is judged. Default, and latest possible: the last one whose performance window closes by the observation date.
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Days from one replayed night to the next.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    every_days: u16,
}

/// Runs the command.
///
/// # Errors
/// See [`crate::run::BacktestError`].
pub fn execute(args: &BacktestArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if args.every_days == 0 {
        return Err(Failure::Usage("--every-days 0: nights have to lie at least a day apart".to_owned()));
    }
    if args.from.zip(args.to).is_some_and(|(from, to)| from >= to) {
        return Err(Failure::Usage("--from is not before --to".to_owned()));
    }
    let how = BacktestOptions { from: args.from, to: args.to, every_days: args.every_days };
    let report = backtest_alerts(&args.job.path, &args.job.options()?, &how, terminal)?;
    terminal.finish();
    output.show(&report, AlertBacktest::text)?;
    Ok(ExitCode::Ok)
}
