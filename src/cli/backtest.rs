//! `integrity backtest`: replays past nights and judges what they said.

use std::path::PathBuf;

use jiff::civil::Date;

use super::day::day;
use super::output_file::NewPage;
use super::run::JobArgs;
use super::{ExitCode, Failure, Output, Terminal};
use crate::run::{
    AlertBacktest, BacktestOptions, OfferBacktest, OfferBacktestOptions, backtest_alerts, backtest_offers,
};

/// Which job, and which nights.
#[derive(Debug, clap::Args)]
pub struct BacktestArgs {
    #[command(flatten)]
    job: JobArgs,
    /// Judges alerts instead of offers: lead time before the first missed payment of loans that later default, precision and recall by rule and
    /// together. Thresholds are chosen on an earlier period and judged on a later one.
    #[arg(long)]
    alerts: bool,
    /// First night. Default: with --alerts three performance windows before --to, otherwise 360 days before it, or the first one after that on whose history a model can be trained.
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Option<Date>,
    /// Last night that is judged. Default, and with --alerts the latest possible: the last one whose performance window closes by the observation
    /// date.
    #[arg(long, value_name = "DATE", value_parser = day)]
    to: Option<Date>,
    /// Days from one replayed night to the next. Default: 7 with --alerts, otherwise 30.
    #[arg(long, value_name = "DAYS")]
    every_days: Option<u16>,
    /// A policy file, or another job file: what the offers are compared with.
    #[arg(long, value_name = "OTHER.toml", conflicts_with = "alerts")]
    against: Option<PathBuf>,
    /// Trains a model anew once it is so many days old. Default: each is used until it expires.
    #[arg(long, value_name = "DAYS", conflicts_with = "alerts")]
    retrain_days: Option<u16>,
    /// Writes the report, with plots, as one HTML file too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// See [`crate::run::BacktestError`].
pub fn execute(args: &BacktestArgs, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
    if args.every_days == Some(0) {
        return Err(Failure::Usage("--every-days 0: nights have to lie at least a day apart".to_owned()));
    }
    let (from, to) = (args.from, args.to);
    // One date is enough to follow offers from, not to judge alerts.
    if from.zip(to).is_some_and(|(from, to)| from > to || (args.alerts && from == to)) {
        return Err(Failure::Usage("--from is not before --to".to_owned()));
    }
    // Refused before hours of work, not after.
    let page = args.html.as_deref().map(NewPage::take).transpose()?;
    if args.alerts {
        let how = BacktestOptions { from, to, every_days: args.every_days.unwrap_or(7) };
        let report = backtest_alerts(&args.job.path, &args.job.options()?, &how, terminal)?;
        terminal.finish();
        if let Some(page) = page {
            page.write(report.page())?;
        }
        output.show(&report, AlertBacktest::text)?;
        return Ok(ExitCode::Ok);
    }
    let how = OfferBacktestOptions {
        from,
        to,
        every_days: args.every_days.unwrap_or(30),
        retrain_days: args.retrain_days,
        against: args.against.clone(),
    };
    let report = backtest_offers(&args.job.path, &args.job.options()?, &how, terminal)?;
    terminal.finish();
    if let Some(page) = page {
        page.write(report.page())?;
    }
    output.show(&report, OfferBacktest::text)?;
    Ok(ExitCode::Ok)
}
