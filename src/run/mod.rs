//! The nightly whole: from a job file to a published run.

mod as_of;
mod backtest;
mod catch_up;
mod check;
mod config_copies;
mod decide;
mod decided_tables;
mod drift_report;
mod facts;
mod features_before;
mod gate_settings;
mod gates;
mod hazard;
mod intake_gates;
mod interchange_files;
mod job;
mod label_survey;
mod labels;
mod learnt_merchants;
mod model_choice;
mod model_settings;
mod new_pledges;
mod night_page;
mod nightly;
mod officers_work;
mod open_offers;
mod past_months;
mod pinned;
mod population;
mod portfolio_report;
mod progress;
mod publishing;
mod receipts;
mod reconcile;
mod replay;
mod restate;
mod rules;
mod scenarios;
mod scratch;
mod settlement;
mod stages;
mod summarise;
mod summary;
mod table_row;
mod training;
mod unseen;
mod wide;

pub use as_of::AsOfRule;
pub use backtest::{
    AlertBacktest, AlertBudget, Approval, BacktestError, BacktestOptions, ChosenRule, DateLine, Figures, HazardJudged,
    HazardReport, LoanFigures, ModelUsed, MoneyRange, OfferBacktest, OfferBacktestOptions, OfferFigures, Period,
    RuleReport, ShareRange, SideReport, SwapSet, Swaps, backtest_alerts, backtest_offers,
};
pub use catch_up::{MissedNights, catch_up, missed_nights};
pub use check::{BrokenExample, BrokenRule, CheckOptions, CheckReport, TableVerdict, check_job};
pub use decide::DecideError;
pub use facts::FactsError;
pub use gate_settings::{Allowance, Fault, GateSettings, TableLimits};
pub use gates::GateError;
pub use intake_gates::{AllowedFault, GateFinding, IntakeVerdict, ReferenceNight};
pub use job::{Faults, Job, JobFiles, job_reference};
pub use label_survey::{LabelFault, LabelFinding, LabelSurvey, Labels, SnapshotLabels, Tried, WouldDo};
pub use model_settings::{LabelKind, ModelSettings};
pub use nightly::{RunError, RunOptions, RunOutcome, run_job, run_opened, train_model};
pub use population::PopulationError;
pub use progress::{Progress, Silent};
pub use publishing::REPORT;
pub use reconcile::{ReconcileReport, reconcile_books};
pub use replay::{ReplayReport, replay_run};
pub use restate::{Restatement, restate_night};
pub use rules::JobRules;
pub(crate) use summary::write_table;
pub use summary::{AlertChanges, RunSummary, TableCounts, Unjudged};
pub use training::{Part, SnapshotCounts, TrainedModels, TrainingError, train_job};
