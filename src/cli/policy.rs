//! `integrity policy`: what another policy would have decided, before anyone signs it, and the best that a policy allows for all offers together.

use std::path::PathBuf;

use super::output_file::NewPage;
use super::{ExitCode, Failure, Output};
use crate::optimise::Varied;
use crate::report::{PolicyOptimum, policy_diff, policy_diff_text, policy_optimum};

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
    /// Chooses limits and rates of a published run together, as [optimisation] of a policy asks: bounds that bind, shadow prices, and the efficient
    /// frontier. Publishes nothing.
    Optimise(OptimiseArgs),
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

#[derive(Debug, clap::Args)]
struct OptimiseArgs {
    /// The policy, with a section [optimisation].
    #[arg(value_name = "POLICY.toml")]
    policy: PathBuf,
    /// Run folder, or an output folder for its current run.
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
    /// Shows the largest expected profit at every value of a bound, from tight to loose.
    #[arg(long, value_enum, value_name = "BOUND")]
    frontier: Option<FrontierBound>,
    /// Points of the frontier.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(2..=200), requires = "frontier")]
    points: u16,
    /// Writes the result, with a plot of the frontier, as one HTML file too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// The bound that a frontier goes along.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FrontierBound {
    /// What is lent.
    Budget,
    /// What is expected to be lost.
    ExpectedLoss,
}

/// Runs the command.
///
/// # Errors
/// A policy that is not allowed or does not suit the run; a run that is not what was published.
pub fn execute(args: &PolicyArgs, output: Output) -> Result<ExitCode, Failure> {
    match &args.command {
        PolicyCommand::Diff(args) => {
            let diff = policy_diff(&args.run, &args.before, &args.after)?;
            output.show(&diff, policy_diff_text)?;
        }
        PolicyCommand::Optimise(args) => optimise(args, output)?,
    }
    Ok(ExitCode::Ok)
}

fn optimise(args: &OptimiseArgs, output: Output) -> Result<(), Failure> {
    let along = args.frontier.map(|along| match along {
        FrontierBound::Budget => (Varied::Lent, usize::from(args.points)),
        FrontierBound::ExpectedLoss => (Varied::Loss, usize::from(args.points)),
    });
    let page = args.html.as_deref().map(NewPage::take).transpose()?;
    let optimum = policy_optimum(&args.run, &args.policy, along)?;
    if let Some(page) = page {
        page.write(optimum.page())?;
    }
    output.show(&optimum, PolicyOptimum::text)
}
