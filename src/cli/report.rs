//! `integrity report`: the summary of a published run, and where its page lies.

use std::path::PathBuf;

use serde::Serialize;

use super::{ExitCode, Failure, Output};
use crate::publish::ScoreBook;
use crate::run::{PORTFOLIO, REPORT, RunSummary};

/// Which run.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Run folder, or an output folder for its current run.
    run: PathBuf,
}

/// What `report --format json` prints.
#[derive(Debug, Serialize)]
struct ReportAnswer {
    run_dir: PathBuf,
    run_id: String,
    /// What a reader must know of the run: a damaged pointer, a withdrawal.
    note: Option<String>,
    /// The page; null where the run was published without one.
    page: Option<PathBuf>,
    /// The page of the portfolio, likewise.
    portfolio_page: Option<PathBuf>,
    #[serde(flatten)]
    summary: RunSummary,
}

/// Runs the command.
///
/// # Errors
/// The run is not what was published.
pub fn execute(args: &ReportArgs, output: Output) -> Result<ExitCode, Failure> {
    let book = ScoreBook::open_folder(&args.run)?;
    let page = |name: &str| book.manifest().file(name).map(|_| book.run_dir().join(name));
    let answer = ReportAnswer {
        run_dir: book.run_dir().to_owned(),
        run_id: book.run_id().to_owned(),
        note: book.note().map(ToOwned::to_owned),
        page: page(REPORT),
        portfolio_page: page(PORTFOLIO),
        summary: book.json("results.json")?,
    };
    output.show(&answer, |answer| {
        let note = answer.note.as_ref().map_or_else(String::new, |note| format!("  note       {note}\n"));
        let shown = |page: &Option<PathBuf>| page.as_ref().map_or("none".to_owned(), |page| page.display().to_string());
        let (page, portfolio) = (shown(&answer.page), shown(&answer.portfolio_page));
        format!(
            "{}{note}  files      {}\n  page       {page}\n  portfolio  {portfolio}\n",
            answer.summary.text(),
            answer.run_dir.display()
        )
    })?;
    Ok(ExitCode::Ok)
}
