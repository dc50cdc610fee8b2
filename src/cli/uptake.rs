//! `integrity uptake`: what inviting is worth.

use std::path::PathBuf;

use super::{ExitCode, Failure, Output};
use crate::report::{Uptake, uptake};

/// Which folder, and how long after an invitation.
#[derive(Debug, clap::Args)]
pub struct UptakeArgs {
    /// Output folder of a job: the one that holds `current.json`.
    out: PathBuf,
    /// Days after the first invitation within which a loan counts.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=730))]
    days: u16,
    /// The campaign. Default: that of the last night that invited anybody.
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// The folder cannot be read, or nobody was invited.
pub fn execute(args: &UptakeArgs, output: Output) -> Result<ExitCode, Failure> {
    if !args.out.is_dir() {
        return Err(Failure::NotFound(format!("{}: no such folder", args.out.display())));
    }
    let Some(found) = uptake(&args.out, args.campaign.as_deref(), args.days)? else {
        let of = args.campaign.as_ref().map_or_else(String::new, |campaign| format!(" of campaign {campaign:?}"));
        return Err(Failure::NotFound(format!("{}: no run holds an invitation{of}", args.out.display())));
    };
    output.show(&found, Uptake::text)?;
    Ok(ExitCode::Ok)
}
