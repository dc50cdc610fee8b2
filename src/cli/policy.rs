//! `integrity policy diff`: what another policy would have decided, before anyone signs it.

use std::path::PathBuf;

use super::{ExitCode, Failure, Output};
use crate::report::{policy_diff, policy_diff_text};

/// What to do with policies.
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PolicyCommand {
    /// Decides every merchant of a published run under two policies: who gains, who loses, how much, and why.
    Diff(DiffArgs),
}

#[derive(Debug, clap::Args)]
struct DiffArgs {
    /// The policy to compare with.
    #[arg(value_name = "A.toml")]
    before: PathBuf,
    /// The policy to compare.
    #[arg(value_name = "B.toml")]
    after: PathBuf,
    /// Run folder, or an output folder for its current run.
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// A policy that is not allowed or does not suit the run; a run that is not what was published.
pub fn execute(args: &PolicyArgs, output: Output) -> Result<ExitCode, Failure> {
    let PolicyCommand::Diff(args) = &args.command;
    let diff = policy_diff(&args.run, &args.before, &args.after)?;
    output.show(&diff, policy_diff_text)?;
    Ok(ExitCode::Ok)
}
