//! The published tables, one file a table: its documented columns and its key. The rows are structs of the rooms that decide them.

mod accounts;
mod alerts;
mod declines;
mod deductions;
mod evidence;
mod features;
mod loan_exceptions;
mod offers;
mod open_offers;
mod quarantine;
mod referrals;
mod scores;
mod wide;

pub use evidence::EvidenceRow;
pub use features::FeatureRow;
pub use wide::{WideRow, WideValue};
