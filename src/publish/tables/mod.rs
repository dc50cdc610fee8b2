//! The published tables, one file a table: its documented columns and its key. The rows are structs of the rooms that decide them.

mod accounts;
mod alerts;
mod borrower_states;
mod cases;
mod declines;
mod deductions;
mod differences;
mod drift;
mod drift_bins;
mod evidence;
mod features;
mod forecast_outcomes;
mod forecasts;
mod invitations;
mod loan_book;
mod loan_exceptions;
mod offers;
mod officer_queue;
mod open_offers;
mod overrides;
mod portfolio;
mod provisions;
mod quarantine;
mod receipts;
mod referrals;
mod remembered_loans;
mod remembered_members;
mod restated;
mod restructure_proposals;
mod roll_rates;
mod scores;
mod vintages;
mod wide;

pub use evidence::EvidenceRow;
pub use features::FeatureRow;
pub use wide::{WideRow, WideValue};
