//! The published tables, one file a table: its documented columns and its key. The rows are structs of the rooms that decide them.

mod alerts;
mod declines;
mod deductions;
mod evidence;
mod features;
mod offers;
mod quarantine;
mod referrals;
mod scores;
mod wide;

pub use evidence::EvidenceRow;
pub use features::FeatureRow;
pub use quarantine::QuarantineRow;
pub use wide::{WideRow, WideValue};
