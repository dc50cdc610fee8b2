//! The nightly whole: from a job file to a published run.

mod as_of;
mod backtest;
mod catch_up;
mod check;
mod error;
mod facts;
mod gates;
mod hazard;
mod job;
mod loan_survey;
mod named_by_loans;
mod night;
mod options;
mod past_months;
mod pinned;
mod population;
mod progress;
mod reconcile;
mod replay;
mod restate;
mod rules;
mod scenarios;
mod scratch;
mod stages;
mod table_files;
mod table_row;
mod training;
mod unseen;
mod whose_runs;
mod wide;

use gates::{decision_gates, gate_settings, intake_gates};
use night::{
    across_shards, decide, features_before, night_before, night_tables, nightly, officers_work, open_offers,
    portfolio_report, publishing, settlement, summarise, summary,
};
use training::{
    approval, job_training, label_survey, learnt_merchants, model_choice, model_settings, receipts, saved_models,
    snapshots, tonights_model,
};

pub use approval::no_better_than_chance;
pub use as_of::AsOfRule;
pub use backtest::{
    AlertBacktest, AlertBudget, Approval, BacktestError, BacktestOptions, ChosenRule, DateLine, Figures, HazardJudged,
    HazardReport, LeadTimes, LoanFigures, ModelUsed, MoneyRange, OfferBacktest, OfferBacktestOptions, OfferFigures,
    Period, RuleReport, ShareRange, SideReport, SwapSet, Swaps, backtest_alerts, backtest_offers,
};
pub use catch_up::{MissedNights, catch_up, missed_nights};
pub use check::{BrokenExample, BrokenRule, CheckOptions, CheckReport, JoinCoverage, TableVerdict, check_job};
pub use decide::DecideError;
pub use decision_gates::GateError;
pub use error::RunError;
pub use facts::FactsError;
pub use gate_settings::{Allowance, Fault, GateSettings, TableLimits};
pub use intake_gates::{AllowedFault, GateFinding, IntakeVerdict, ReferenceNight};
pub use job::{Faults, Job, JobFiles, job_reference};
pub use job_training::{TrainedModels, TrainingError, train_job};
pub use label_survey::{LabelFault, LabelFinding, LabelSurvey, Labels, SnapshotLabels, SuggestedSettings, TriedWindow};
pub use loan_survey::{LoanSurvey, UnknownLoans};
pub use model_settings::{LabelKind, ModelSettings};
pub use nightly::{RunOutcome, run_job, run_opened};
pub use options::RunOptions;
pub use population::PopulationError;
pub use progress::{Progress, Silent};
pub use publishing::{PORTFOLIO, REPORT};
pub use reconcile::{ReconcileReport, reconcile_books};
pub use replay::{ReplayReport, replay_run};
pub use restate::{Restatement, restate_night};
pub use rules::JobRules;
pub use snapshots::{Part, SnapshotCounts};
pub(crate) use summary::write_table;
pub use summary::{AlertChanges, NO_LOAN_BOOK, RunSummary, TableCounts, Unjudged};
pub use table_files::TableFiles;
pub use tonights_model::train_model;
