//! The command line: arguments, progress, what a person reads, exit codes.
//!
//! Results go to stdout (text, or one JSON object with `--format json`); progress, notes and errors go to stderr.

mod apply;
mod backtest;
mod bins;
mod bins_text;
mod catch_up;
mod check;
mod compare;
mod compare_text;
mod counterfactual;
mod cut_off;
mod day;
mod decide;
mod decide_text;
mod document;
mod exit;
mod explain;
mod failure;
mod init;
mod labels_text;
mod lookup;
mod models;
mod name_list;
mod outcome;
mod output;
mod output_file;
mod point;
mod point_columns;
mod policy;
mod progress;
mod prune;
mod reconcile;
mod referrals;
mod reject_study;
mod replay;
mod report;
mod restate;
mod run;
mod runs;
mod schema;
mod scored_table;
mod segments;
mod simulate;
mod train;
mod unseen;
mod uptake;
mod validate;
mod validate_text;
mod verify;

use std::ffi::OsString;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;

use clap::error::ContextKind;
use clap::{Parser, Subcommand};

pub use exit::ExitCode;
pub use failure::Failure;
pub use output::{Format, Output};
pub use progress::Terminal;
pub use schema::{
    contract_markdown, job_keys_markdown, monitor_keys_markdown, policy_keys_markdown, sql_dialect_markdown,
};

/// Turns merchants' kept promises into credit: features, scores, limits, offers and repayment monitoring, as one reproducible batch.
#[derive(Debug, Parser)]
#[command(name = "integrity", version, max_term_width = 100, after_help = ExitCode::help())]
struct Cli {
    /// How results are printed on stdout.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// No progress and no notes on stderr; errors still.
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Drafts a job from a folder of raw files: what each table and column is, and the files of the job.
    Init(init::InitArgs),
    /// The nightly whole: wash, features, scores, offers, alerts, published files.
    Run(run::RunArgs),
    /// Publishes the nights that were missed, one after the other.
    CatchUp(catch_up::CatchUpArgs),
    /// Answers applications that come by day, from the published run and all that was answered since.
    Decide(decide::DecideArgs),
    /// Makes a published run again from what its manifest names, and compares it byte for byte.
    Replay(replay::ReplayArgs),
    /// Publishes another version of a past night, with what was recorded since, and how it differs by merchant.
    Restate(restate::RestateArgs),
    /// Replays past nights and judges their offers, or their alerts, by what became of the loans.
    Backtest(backtest::BacktestArgs),
    /// Holds a core system's books against the loan book as of a date, and lists every difference.
    Reconcile(reconcile::ReconcileArgs),
    /// Rehearses a job's whole night on its configuration and data, and publishes nothing.
    Check(check::CheckArgs),
    /// Makes a marketplace with loans, causes and planted faults; its truth lies in `truth/`.
    Simulate(simulate::SimulateArgs),
    /// Trains a model: a job's, or a scorecard on any table.
    Train(Box<models::TrainArgs>),
    /// Cuts every column of a table into bins, or writes a model's bins to a file to edit, which `train --bins` reads back.
    Bins(bins::BinsArgs),
    /// Scores a table with a model.
    Apply(apply::ApplyArgs),
    /// Measures a model on a table with known outcomes.
    Validate(validate::ValidateArgs),
    /// Compares two models on a table with known outcomes: ranking, calibration, who would be swapped.
    Compare(compare::CompareArgs),
    /// Shows how much of a model's figures depends on what rejected applicants would have done.
    RejectStudy(reject_study::RejectStudyArgs),
    /// Finds the smallest change of actionable columns that would reach a cut-off.
    Counterfactual(counterfactual::CounterfactualArgs),
    /// Writes the model document, the points as SQL, PMML and a workbook, and the schema of the scorecard file.
    Document(document::DocumentArgs),
    /// Approves a trained model for use.
    Approve(models::ApproveArgs),
    /// Prints the summary of a published run again, and where its page lies.
    Report(report::ReportArgs),
    /// Walks one merchant's score and limit back to row counts.
    Explain(explain::ExplainArgs),
    /// Lists the runs of an output folder, what has become of each, and which was current when.
    Runs(runs::RunsArgs),
    /// Writes what a bank wants to know of the merchants that a run refers: figures, history, the schedule asked for.
    Referrals(referrals::ReferralsArgs),
    /// Finds a merchant in the current run, as the loan service does.
    Lookup(lookup::LookupArgs),
    /// Recomputes the digests of published files.
    Verify(verify::VerifyArgs),
    /// Tells what inviting is worth: who drew a loan after an invitation, against the control group.
    Uptake(uptake::UptakeArgs),
    /// Compares policies on a published run.
    Policy(policy::PolicyArgs),
    /// Removes old runs that nothing needs any more, and logs it.
    Prune(prune::PruneArgs),
    /// Sets the current run back or forward to a published run, and logs it.
    Point(point::PointArgs),
    /// Prints the contract tables, the output columns, every key of the job, policy or monitor file, or a job's feature dictionary.
    Schema(schema::SchemaArgs),
}

/// Runs the command line given and returns the code to exit with.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors; clap knows which stream each belongs on.
            let code = if error.use_stderr() { ExitCode::Usage } else { ExitCode::Ok };
            let _ = error.print();
            if is_model_named(&error) {
                let _ = writeln!(
                    std::io::stderr(),
                    "The models stand by their places: integrity compare CHAMPION CHALLENGER --table FILE …"
                );
            }
            if code == ExitCode::Usage && asks_for_json(&arguments) {
                let said = error.to_string();
                let said = said.trim().trim_start_matches("error: ").to_owned();
                Failure::Usage(said).tell_caller(Output::new(Format::Json));
            }
            return code;
        }
    };
    init_log(cli.quiet);
    let output = Output::new(cli.format);
    let terminal = Terminal::new(cli.quiet);
    // Libraries may panic on corrupt files; a scheduler must still get a code it knows.
    let done = std::panic::catch_unwind(AssertUnwindSafe(|| cli.command.execute(output, &terminal)));
    terminal.finish();
    match done {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => failure.report(output),
        Err(_) => Failure::Internal("a panic was caught; the message above says where".to_owned()).report(output),
    }
}

/// Whether `--model` was given to `compare`, which takes two.
fn is_model_named(error: &clap::Error) -> bool {
    let named = error.get(ContextKind::InvalidArg).is_some_and(|argument| argument.to_string() == "--model");
    let is_unknown = error.kind() == clap::error::ErrorKind::UnknownArgument;
    is_unknown
        && named
        && error.get(ContextKind::Usage).is_some_and(|usage| usage.to_string().contains("integrity compare"))
}

/// Whether a command line that could not be understood asks for JSON.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    words.contains(&"--format=json") || words.windows(2).any(|pair| pair == ["--format", "json"])
}

impl Command {
    fn execute(self, output: Output, terminal: &Terminal) -> Result<ExitCode, Failure> {
        match self {
            Self::Init(args) => init::execute(&args, output, terminal),
            Self::Run(args) => run::execute(&args, output, terminal),
            Self::CatchUp(args) => catch_up::execute(&args, output, terminal),
            Self::Decide(args) => decide::execute(&args, output),
            Self::Replay(args) => replay::execute(&args, output, terminal),
            Self::Restate(args) => restate::execute(&args, output, terminal),
            Self::Backtest(args) => backtest::execute(&args, output, terminal),
            Self::Reconcile(args) => reconcile::execute(&args, output, terminal),
            Self::Check(args) => check::execute(&args, output, terminal),
            Self::Simulate(args) => simulate::execute(&args, output, terminal),
            Self::Train(args) => models::train(&args, output, terminal),
            Self::Bins(args) => bins::execute(&args, output),
            Self::Apply(args) => models::apply(&args, output, terminal),
            Self::Validate(args) => models::validate(&args, output, terminal),
            Self::Compare(args) => compare::execute(&args, output, terminal),
            Self::RejectStudy(args) => reject_study::execute(&args, output),
            Self::Counterfactual(args) => counterfactual::execute(&args, output, terminal),
            Self::Document(args) => document::execute(&args, output, terminal),
            Self::Approve(args) => models::approve(&args, output),
            Self::Report(args) => report::execute(&args, output),
            Self::Explain(args) => explain::execute(&args, output),
            Self::Runs(args) => runs::execute(&args, output),
            Self::Referrals(args) => referrals::execute(&args, output),
            Self::Lookup(args) => lookup::execute(&args, output),
            Self::Verify(args) => verify::execute(&args, output),
            Self::Uptake(args) => uptake::execute(&args, output),
            Self::Policy(args) => policy::execute(&args, output),
            Self::Prune(args) => prune::execute(&args, output),
            Self::Point(args) => point::execute(&args, output),
            Self::Schema(args) => schema::execute(&args, output),
        }
    }
}

fn init_log(quiet: bool) {
    let default = if quiet { "error" } else { "warn" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("INTEGRITY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    // Notes of the engine to those who program with it.
    polars::error::set_warning_function(|words, _| tracing::debug!(words, "polars"));
    // A second call in one process (tests) keeps the first subscriber.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
