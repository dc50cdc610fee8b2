//! Published runs: written so that no reader ever sees half of one, read so that no damaged byte is ever believed.
//!
//! ```text
//! <out>/.lock                  one publisher at a time
//! <out>/.staging/<run>/        a run on its way, swept at the next start if its process was killed
//! <out>/current.json           the run that the loan service reads, and its manifest's digest
//! <out>/pointings.jsonl        every time a person set the current run: `integrity point`
//! <out>/prunings.jsonl         every run that was removed: `integrity prune`
//! <out>/archive/3f/3fa9…       raw files that runs were made from, by digest, where the job keeps them
//! <out>/as_of=2018-08-01/current.json   the run that this business date stands by
//! <out>/as_of=2018-08-01/run=<run>/
//!     manifest.json            what the run is, what it was made from, sha256 of every file
//!     manifest.json.sha256     the manifest's own digest, for runs that nothing points to any more
//!     scores.parquet offers.parquet declines.parquet alerts.parquet deductions.parquet referrals.parquet receipts.parquet invitations.parquet features.parquet
//!     quarantine/<table>.parquet, results.json, wash_ledger.json
//!     restated.parquet         of a restatement, what differs from the night that it restates
//! ```
//!
//! Writing: [`Publisher::open`] locks, [`Publisher::begin`] tells whether there is anything to do, [`Stage`] takes tables and
//! files, [`Stage::publish`] makes them visible at once. Reading: [`ScoreBook`], [`lookup`], [`verify`].
//!
//! A table's columns are listed once, with types, units and meanings; the list is the writer's schema and the dictionary. Its rows are
//! structs of the rooms that decide them ([`OutputRow`]): the same struct is decided, written, and read back.
//!
//! A table is added by one file in `publish/tables/`, one line in the dictionary's list of tables, and the line in `run` that writes it.

mod archive;
mod batch;
mod book;
mod chain;
mod chunk_file;
mod column;
mod current;
mod decision_log;
mod dictionary;
mod digest_file;
mod durable;
mod error;
mod evidence;
mod feature_columns;
mod folder_tree;
mod gathered;
mod history;
mod json_log;
mod lock;
mod manifest;
mod officer_log;
mod pointings;
mod pruning;
mod prunings;
mod publisher;
mod reader;
mod restated;
mod retention;
mod row;
mod run_list;
mod sorted_file;
mod stage;
mod step;
mod tables;
mod verify;
mod writer;

pub(crate) use archive::{ARCHIVE_KEYS, RawArchive};
pub use archive::{ArchivePolicy, ArchivedInput, InputArchive};
pub use book::{Entry, ScoreBook, lookup};
pub use chain::LogPosition;
pub use column::{Earlier, Kind, OutputColumn, OutputTable};
pub use current::Current;
pub use decision_log::{
    AnswerByDay, AnswersSince, DECISIONS, DecisionLog, LoggedAnswer, NamedDraw, declared_by_day, read_answers,
};
pub use dictionary::{output_dictionary_markdown, output_tables};
pub use error::PublishError;
pub use evidence::{FeatureFormula, WindowColumns, distinct_windows, evidence_columns, formulas};
pub use feature_columns::read_feature_columns;
pub use gathered::GatheredTable;
pub use history::{
    PreviousIdentity, PreviousRun, PublishedRun, current_run, previous_run, runs_beside, standing_dates, standing_run,
};
pub use lock::OutLock;
pub use manifest::{
    ConfigCopy, FileEntry, InputFile, Manifest, OfficerLogs, Provenance, Published, RestatedNight, RunIdentity,
    StageCost,
};
pub use officer_log::{
    DecidedByOfficers, DecisionEvent, LoggedDecision, check_officer_log, log_decisions, read_officer_log,
};
pub use pointings::{PointingEntry, Pointings};
pub use pruning::{KeepReason, PlannedInputs, PlannedRun, PruningOrder, PruningPlan, plan_pruning};
pub use prunings::{PrunedRun, PruningEntry, Prunings};
pub use publisher::{Begun, Pointing, PointingOrder, Publisher, Repointing};
pub use reader::TableReader;
pub use restated::{RestatedChange, RestatedCounts, RestatedValue};
pub use retention::Retention;
pub(crate) use retention::{RETENTION_KEYS, RawRetention};
pub use row::OutputRow;
pub use run_list::{CurrentPeriod, InputsKept, ListedRun, RunList, RunState, run_list};
pub use stage::Stage;
pub use step::{Observer, Step};
pub use tables::{EvidenceRow, FeatureRow, WideRow, WideValue};
pub use verify::{Finding, Problem, RunReport, VerifyReport, verify};
pub use writer::{TableWriter, Written};
