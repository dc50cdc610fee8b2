//! The steps of a night, from what came in to the published run.

pub(super) mod across_shards;
mod config_copies;
pub(super) mod decide;
mod decided_tables;
mod drift_report;
pub(super) mod features_before;
mod interchange_files;
mod join;
pub(super) mod night_before;
mod night_page;
pub(super) mod night_tables;
pub(super) mod nightly;
pub(super) mod officers_decisions;
pub(super) mod officers_work;
pub(super) mod open_offers;
mod portfolio_page;
pub(super) mod portfolio_report;
pub(super) mod publishing;
pub(super) mod settlement;
mod state_history;
pub(super) mod summarise;
pub(super) mod summary;
