//! What a command can fail with, what to do about it, and the code it exits with: the one place where errors meet codes.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::{ExitCode, Format, Output};
use crate::answer::AnswerError;
use crate::config::ConfigError;
use crate::core_system::CoreSystemError;
use crate::draft::DraftError;
use crate::model::ModelError;
use crate::profile::ProfileError;
use crate::publish::PublishError;
use crate::report::{BankFileError, PolicyDiffError, ReportError};
use crate::run::{BacktestError, DecideError, GateError, PopulationError, RunError, TrainingError};
use crate::simulate::SimulateError;
use crate::source::SourceError;
use crate::spill::SpillError;
use crate::store::StoreError;
use crate::trial::TrialError;
use crate::wash::{IngestError, KeptError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line asks for what cannot be.
    #[error("{0}")]
    Usage(String),
    /// What was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// A file or stream that the command itself handles.
    #[error("{path:?}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A defect of this program.
    #[error("internal error: {0}")]
    Internal(String),
    /// Configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Drafting a job.
    #[error("failed to {0}")]
    Draft(#[from] DraftError),
    /// Simulating.
    #[error("failed to {0}")]
    Simulate(#[from] SimulateError),
    /// Publishing or reading what was published.
    #[error("failed to {0}")]
    Publish(#[from] PublishError),
    /// Models.
    #[error("failed to {0}")]
    Model(#[from] ModelError),
    /// Explaining.
    #[error("failed to {0}")]
    Report(#[from] ReportError),
    /// A file for a bank.
    #[error("failed to {0}")]
    BankFile(#[from] BankFileError),
    /// The nightly run.
    #[error("failed to {0}")]
    Run(#[from] RunError),
    /// Comparing policies.
    #[error("failed to {0}")]
    PolicyDiff(PolicyDiffError),
    /// Answering applications.
    #[error("failed to {0}")]
    Answer(#[from] AnswerError),
    /// A policy that is tried.
    #[error("failed to {0}")]
    Trial(#[from] TrialError),
}

impl From<PolicyDiffError> for Failure {
    fn from(error: PolicyDiffError) -> Self {
        match error {
            // It says by itself what is wrong where.
            PolicyDiffError::Config(error) => Self::Config(error),
            error => Self::PolicyDiff(error),
        }
    }
}

impl Failure {
    /// Tells the operator on stderr (and, in JSON, the caller on stdout) and returns the exit code.
    #[must_use]
    pub fn report(&self, output: Output) -> ExitCode {
        self.tell();
        self.tell_caller(output);
        self.code()
    }

    /// Tells the caller on stdout where JSON is asked for.
    pub fn tell_caller(&self, output: Output) {
        if output.format() == Format::Json {
            let (code, message) = (self.code() as u8, self.to_string());
            let error = json!({ "error": { "exit_code": code, "message": message, "next": self.next_step() } });
            let _ = output.print(&error.to_string());
        }
    }

    /// Tells the operator on stderr what is wrong and what to do.
    pub fn tell(&self) {
        let mut text = format!("integrity: {self}\n");
        if let Some(next) = self.next_step() {
            text.push_str("  next: ");
            text.push_str(next);
            text.push('\n');
        }
        // A closed stderr must not change the exit code.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    /// The code to exit with.
    #[must_use]
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::Usage,
            Self::NotFound(_) => ExitCode::InputMissing,
            Self::Io { .. } => ExitCode::Io,
            Self::Internal(_) => ExitCode::Internal,
            Self::Config(_) => ExitCode::Config,
            Self::Draft(error) => draft_code(error),
            Self::Simulate(error) => simulate_code(error),
            Self::Publish(error) => publish_code(error),
            Self::Model(error) => model_code(error),
            Self::BankFile(error) => bank_file_code(error),
            Self::Report(error) => report_code(error),
            Self::Run(error) => run_code(error),
            Self::PolicyDiff(error) => policy_diff_code(error),
            Self::Answer(error) => answer_code(error),
            Self::Trial(error) => trial_code(error),
        }
    }

    /// Whether what was published is no longer what it was.
    const fn is_damage(&self) -> bool {
        match self {
            Self::Publish(error)
            | Self::Answer(AnswerError::Publish(error))
            | Self::Report(ReportError::Publish(error))
            | Self::Run(RunError::Publish(error) | RunError::Decide(DecideError::Publish(error))) => error.is_damage(),
            _ => false,
        }
    }

    /// What the operator can do, where it is not in the message.
    fn next_step(&self) -> Option<&'static str> {
        if let Self::Run(RunError::Ingest(IngestError::QuarantineLimit(tables))) = self {
            return tables.iter().find_map(|table| mended_by(&table.rules.first()?.rule));
        }
        if let Self::Run(RunError::Gate(GateError::UnknownLoans { broken_rules, .. })) = self {
            return broken_rules.iter().find_map(|rule| mended_by(rule));
        }
        if self.is_damage() {
            return Some(
                "`integrity verify OUT` lists what is damaged; restore it from a backup, or set an intact run current with \
                 `integrity point OUT --run ID --reason TEXT`",
            );
        }
        if let Self::Run(RunError::Publish(error)) = self
            && publish_code(error) == ExitCode::InputMissing
        {
            return None;
        }
        if matches!(self, Self::NotFound(_) | Self::Publish(_) | Self::Report(_) | Self::Answer(_)) {
            return None;
        }
        match self.code() {
            _ if self.is_changed_while_read() => None,
            _ if matches!(self, Self::Draft(DraftError::NoOrders { .. })) => Some(
                "in the export, call columns what they hold (order_id, merchant_id, customer_id, created_at, amount), or write times as 2025-07-01 12:30:00; \
                 or write the job by hand, beginning from pipelines/olist",
            ),
            ExitCode::InputMissing if matches!(self, Self::Draft(_)) => {
                Some("--data names the folder of the export; files of text, workbooks and Parquet below it are read")
            }
            ExitCode::InputMissing if matches!(self, Self::Model(_)) => {
                Some("check the path: a table is a file or a folder of them, a model is the folder that `train` wrote")
            }
            ExitCode::Busy => Some(
                "wait until the process that holds the folder has ended, and start this one again; `ps -p NUMBER` shows whether it still works. A process that was \
                 killed holds nothing, so that there is no lock file to remove",
            ),
            ExitCode::InputMissing => Some(
                "name the data folder with --data or INTEGRITY_DATA, and compare its files with [inputs] of the job",
            ),
            ExitCode::ModelRefused => Some(
                "`integrity approve MODEL --by NAME --on DAY` approves a model that was read, as of the day of the run",
            ),
            ExitCode::Internal => Some("this is a defect of integrity: report it with the job file and the message"),
            _ => None,
        }
    }
}

impl Failure {
    /// A file changed while it was read: its message says what to do.
    fn is_changed_while_read(&self) -> bool {
        let mut source: Option<&(dyn Error + 'static)> = Some(self);
        while let Some(error) = source {
            if matches!(error.downcast_ref(), Some(SourceError::ChangedWhileRead { .. })) {
                return true;
            }
            source = error.source();
        }
        false
    }
}

/// What mends a rule that rows of a table break, where its name does not say it.
fn mended_by(rule: &str) -> Option<&'static str> {
    Some(match rule {
        "recorded-before-milestone" | "recorded-before-event" => {
            "nothing can be recorded before it happens: let the SELECT take GREATEST(recorded_at, the later time), or leave recorded_at out where the export does \
             not say when it learnt of the row"
        }
        "versions-contradict" => {
            "where the same row of a file is named twice, a join made two of it: sum the other input up in a subquery with GROUP BY, and join that"
        }
        "not-mapped" => {
            "the SELECT gives nothing for these rows of `from`: where they are not meant, say so by `where` under [[source]]; else let it return them"
        }
        "cancelled-before-placed" | "completed-before-placed" | "paid-before-placed" | "refunded-before-placed" => {
            "look whether placed_at is the order's own time and not that of a later step, and whether both columns are of one time zone; a day without a time is given as CAST(… AS DATE), and is then no midnight"
        }
        _ => return None,
    })
}

fn source_code(error: &SourceError) -> ExitCode {
    match error {
        SourceError::NoDataFolder { .. }
        | SourceError::MissingInput { .. }
        | SourceError::RequiredTableAbsent { .. } => ExitCode::InputMissing,
        SourceError::Io { .. } => ExitCode::Io,
        SourceError::ChangedWhileRead { .. } => ExitCode::Busy,
        SourceError::BadPattern { .. }
        | SourceError::BadSql { .. }
        | SourceError::NoKeyColumn { .. }
        | SourceError::NotKeyed { .. }
        | SourceError::TooManyForWhole { .. }
        | SourceError::NoLineage { .. } => ExitCode::Config,
        SourceError::NotText { .. }
        | SourceError::EmptyFile { .. }
        | SourceError::NotWhatItsNameSays { .. }
        | SourceError::AmbiguousQuotes { .. }
        | SourceError::DigestDiffers { .. }
        | SourceError::Corrupt { .. }
        | SourceError::FilesDisagree { .. }
        | SourceError::MissingColumn { .. }
        | SourceError::WrongType { .. } => ExitCode::Data,
        SourceError::Frame { .. } => ExitCode::Internal,
    }
}

fn draft_code(error: &DraftError) -> ExitCode {
    match error {
        DraftError::Profile(ProfileError::Source(error)) => source_code(error),
        DraftError::Profile(ProfileError::NoTable { .. }) => ExitCode::InputMissing,
        DraftError::NoOrders { .. } => ExitCode::Data,
        DraftError::OutNotEmpty(_) => ExitCode::RefusesToOverwrite,
        DraftError::Io { .. } => ExitCode::Io,
    }
}

fn store_code(error: &StoreError) -> ExitCode {
    match error {
        StoreError::Io { .. } => ExitCode::Io,
        StoreError::Corrupt { .. } | StoreError::Version { .. } => ExitCode::Data,
        StoreError::NoBucket { .. } | StoreError::TooLate { .. } | StoreError::Frame { .. } => ExitCode::Internal,
    }
}

const fn spill_code(error: &SpillError) -> ExitCode {
    match error {
        SpillError::Io { .. } => ExitCode::Io,
        SpillError::Frame { .. } | SpillError::Poisoned => ExitCode::Internal,
    }
}

fn ingest_code(error: &IngestError) -> ExitCode {
    match error {
        IngestError::Source(error) => source_code(error),
        IngestError::Store(error) => store_code(error),
        IngestError::Spill(error) | IngestError::Kept(KeptError::Spill(error)) => spill_code(error),
        IngestError::Kept(KeptError::Io { .. }) => ExitCode::Io,
        IngestError::Kept(KeptError::Damaged { .. }) | IngestError::QuarantineLimit(_) => ExitCode::Data,
        IngestError::AsOf(_) => ExitCode::Usage,
        IngestError::LedgerBroken { .. } | IngestError::Frame { .. } => ExitCode::Internal,
    }
}

fn policy_diff_code(error: &PolicyDiffError) -> ExitCode {
    match error {
        PolicyDiffError::Config(_) => ExitCode::Config,
        PolicyDiffError::Publish(error) => publish_code(error),
        PolicyDiffError::Offer(_) | PolicyDiffError::Incomplete { .. } => ExitCode::Data,
        PolicyDiffError::AsOf(_) | PolicyDiffError::Accounts { .. } | PolicyDiffError::NotOptimised { .. } => {
            ExitCode::Usage
        }
    }
}

fn answer_code(error: &AnswerError) -> ExitCode {
    match error {
        AnswerError::Config(_) | AnswerError::OtherPolicy { .. } => ExitCode::Config,
        AnswerError::Publish(error) => publish_code(error),
        AnswerError::Replaced { .. } => ExitCode::Busy,
        AnswerError::Offer(_)
        | AnswerError::NotOfTheDay { .. }
        | AnswerError::Incomplete { .. }
        | AnswerError::NotText { .. }
        | AnswerError::Draws { .. }
        | AnswerError::DrawsGone { .. } => ExitCode::Data,
        AnswerError::AsOf(_) => ExitCode::Usage,
    }
}

fn trial_code(error: &TrialError) -> ExitCode {
    match error {
        TrialError::Config(_) => ExitCode::Config,
        TrialError::Run(error) => run_code(error),
        TrialError::Simulate(error) => simulate_code(error),
        TrialError::Publish(error) => publish_code(error),
        TrialError::BadSetting { .. } => ExitCode::Usage,
        TrialError::Io { .. } => ExitCode::Io,
        TrialError::Plot(_) | TrialError::Json(_) => ExitCode::Internal,
    }
}

fn simulate_code(error: &SimulateError) -> ExitCode {
    match error {
        SimulateError::BadSetting { .. } => ExitCode::Usage,
        SimulateError::OutNotEmpty { .. } => ExitCode::RefusesToOverwrite,
        SimulateError::Io { .. } | SimulateError::Parquet { .. } => ExitCode::Io,
        SimulateError::Rows { .. } | SimulateError::Metadata(_) | SimulateError::Offer { .. } => ExitCode::Internal,
    }
}

fn publish_code(error: &PublishError) -> ExitCode {
    match error {
        PublishError::Spill(error) => spill_code(error),
        PublishError::Busy { .. } => ExitCode::Busy,
        PublishError::Io { .. } | PublishError::Parquet { .. } | PublishError::NotAFolder(_) => ExitCode::Io,
        PublishError::NothingPublished(_)
        | PublishError::NoSuchRun { .. }
        | PublishError::UnknownRun { .. }
        | PublishError::Pruned { .. } => ExitCode::InputMissing,
        PublishError::Malformed { .. }
        | PublishError::DigestMismatch { .. }
        | PublishError::InputChanged { .. }
        | PublishError::Missing(_)
        | PublishError::NoIntactRun { .. }
        | PublishError::NightStaysWithdrawn { .. }
        | PublishError::NightBeforePruned { .. }
        | PublishError::IsRestatement { .. }
        | PublishError::Damaged { .. } => ExitCode::Data,
        PublishError::Page(_)
        | PublishError::NonFinite { .. }
        | PublishError::OutOfRange { .. }
        | PublishError::OutOfOrder { .. }
        | PublishError::Layout { .. }
        | PublishError::BadName { .. }
        | PublishError::Unsealed(_) => ExitCode::Internal,
    }
}

fn model_code(error: &ModelError) -> ExitCode {
    match error {
        ModelError::NoFile { .. } => ExitCode::InputMissing,
        ModelError::Io { .. } => ExitCode::Io,
        ModelError::BadTable { .. }
        | ModelError::NoColumn { .. }
        | ModelError::WrongKind { .. }
        | ModelError::Infinite { .. }
        | ModelError::BadTarget { .. }
        | ModelError::CannotTrain { .. }
        | ModelError::CannotMeasure { .. } => ExitCode::Data,
        ModelError::BadSetting { .. } => ExitCode::Usage,
        ModelError::Solver { .. } => ExitCode::Internal,
        ModelError::BadModel { .. } | ModelError::Refused { .. } => ExitCode::ModelRefused,
        ModelError::Exists { .. } => ExitCode::RefusesToOverwrite,
        ModelError::Busy { .. } => ExitCode::Busy,
    }
}

fn bank_file_code(error: &BankFileError) -> ExitCode {
    match error {
        BankFileError::Publish(error) => publish_code(error),
        BankFileError::Offer(_) | BankFileError::Rate(_) | BankFileError::Csv(_) => ExitCode::Internal,
        BankFileError::Incomplete { .. } => ExitCode::Data,
    }
}

fn report_code(error: &ReportError) -> ExitCode {
    match error {
        ReportError::Publish(error) => publish_code(error),
        ReportError::Model(error) => model_code(error),
        ReportError::Disagrees { .. } | ReportError::Offer { .. } | ReportError::Case(_) => ExitCode::Internal,
    }
}

fn population_code(error: &PopulationError) -> ExitCode {
    match error {
        PopulationError::Store(error) => store_code(error),
        PopulationError::Spill(error) => spill_code(error),
        PopulationError::Tile(_)
        | PopulationError::Repayment(_)
        | PopulationError::Feature(_)
        | PopulationError::Missing(_) => ExitCode::Data,
    }
}

fn training_code(error: &TrainingError) -> ExitCode {
    match error {
        TrainingError::Population(error) => population_code(error),
        TrainingError::Store(error) => store_code(error),
        TrainingError::Model(error) => model_code(error),
        TrainingError::TooFewLabels { .. }
        | TrainingError::Repayment(_)
        | TrainingError::Feature(_)
        | TrainingError::Monitor(_) => ExitCode::Data,
        TrainingError::AsOf(_) => ExitCode::Usage,
        TrainingError::Reference(_) => ExitCode::Internal,
    }
}

fn decide_code(error: &DecideError) -> ExitCode {
    match error {
        DecideError::Population(error) => population_code(error),
        DecideError::Model(error) => model_code(error),
        DecideError::Publish(error) => publish_code(error),
        // Histories that no number can be made of: sums beyond 64 bits, broken loan books.
        DecideError::Feature(_) | DecideError::Monitor(_) | DecideError::Facts(_) => ExitCode::Data,
        DecideError::Scale(_)
        | DecideError::Offer(_)
        | DecideError::Probability { .. }
        | DecideError::Reason(_)
        | DecideError::Lost { .. } => ExitCode::Internal,
    }
}

fn run_code(error: &RunError) -> ExitCode {
    match error {
        RunError::Config(_) | RunError::Configs(_) => ExitCode::Config,
        RunError::Sources(faults) => faults.first().map_or(ExitCode::Internal, source_code),
        RunError::Ingest(error) => ingest_code(error),
        RunError::Training(error) => training_code(error),
        RunError::Model(error) => model_code(error),
        RunError::Population(error) => population_code(error),
        RunError::Decide(error) => decide_code(error),
        RunError::Gate(_) => ExitCode::Data,
        RunError::Publish(error) => publish_code(error),
        RunError::AsOf(_) => ExitCode::Usage,
        RunError::Backtest(error) => backtest_code(error),
        RunError::CoreSystem(error) => core_system_code(error),
    }
}

fn core_system_code(error: &CoreSystemError) -> ExitCode {
    match error {
        CoreSystemError::Table(error) => model_code(error),
        CoreSystemError::Store(error) => store_code(error),
        CoreSystemError::NoColumn { .. } | CoreSystemError::Repayment(_) => ExitCode::Data,
        CoreSystemError::UnknownStatus { .. } => ExitCode::Config,
        CoreSystemError::NoLoanBook => ExitCode::InputMissing,
    }
}

fn backtest_code(error: &BacktestError) -> ExitCode {
    match error {
        BacktestError::Population(error) => population_code(error),
        BacktestError::Store(error) => store_code(error),
        BacktestError::Monitor(_) | BacktestError::Repayment(_) | BacktestError::Orders(_) => ExitCode::Data,
        BacktestError::Spill(error) => spill_code(error),
        BacktestError::Model(error) => model_code(error),
        BacktestError::AsOf(_)
        | BacktestError::TooShort { .. }
        | BacktestError::NothingFollows { .. }
        | BacktestError::NoOutcomes { .. } => ExitCode::Usage,
        BacktestError::NoLoanBook => ExitCode::InputMissing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wash::{RootReasons, RuleTally, TooManyBroken};

    #[test]
    fn rules_whose_names_do_not_say_it_are_told_with_what_mends_them() {
        assert!(mended_by("recorded-before-milestone").is_some_and(|told| told.contains("GREATEST")));
        assert!(mended_by("versions-contradict").is_some_and(|told| told.contains("GROUP BY")));
        assert_eq!(mended_by("currency-not-allowed"), None);
    }

    #[test]
    fn what_mends_a_rule_follows_from_the_rule_and_not_from_words_of_the_message() {
        let stopped = |rule: &str, first: &str| {
            let broken = RuleTally { rule: rule.to_owned(), rows: 1, nulls: Vec::new(), first: Some(first.to_owned()) };
            let table = TooManyBroken {
                table: "orders",
                share: 1.0,
                limit: 0.1,
                quarantined: 1,
                judged: 1,
                rules: vec![broken],
                roots: RootReasons::default(),
                ahead: 0,
            };
            Failure::Run(RunError::Ingest(IngestError::QuarantineLimit(vec![table])))
        };
        assert!(
            stopped("versions-contradict", "a.csv row 1").next_step().is_some_and(|next| next.contains("GROUP BY"))
        );
        assert_eq!(stopped("range", "not-mapped row 1").next_step(), None);
    }
}
