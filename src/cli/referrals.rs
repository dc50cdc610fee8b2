//! `integrity referrals`: what a bank wants to know of the merchants that a run refers to it.

use std::path::PathBuf;

use serde_json::json;

use super::{ExitCode, Failure, Output};
use crate::model::registry::{refuse_content, write_folder};
use crate::report::bank_file;

/// Which run, and where to write.
#[derive(Debug, clap::Args)]
pub struct ReferralsArgs {
    /// Run folder, or an output folder for its current run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Folder to write; must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// The run is not what was published, or the folder exists with content.
pub fn execute(args: &ReferralsArgs, output: Output) -> Result<ExitCode, Failure> {
    refuse_content(&args.out)?;
    let file = bank_file(&args.run)?;
    let page = file.page().map_err(|e| Failure::Internal(e.to_string()))?;
    let mut files: Vec<(String, Vec<u8>)> =
        file.csv_files()?.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    files.push(("referrals.html".to_owned(), page.into_bytes()));
    write_folder(&args.out, &files)?;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let answer = json!({ "run_id": file.run_id, "merchants": file.referred.len(), "out": args.out, "files": names });
    output.show(&answer, |_| {
        let out = args.out.display();
        let list: Vec<String> = names.iter().map(|name| format!("  {out}/{name}")).collect();
        format!("{} merchants referred by run {}\n{}\n", file.referred.len(), file.run_id, list.join("\n"))
    })?;
    Ok(ExitCode::Ok)
}
