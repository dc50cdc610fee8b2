//! The published tables, one file a table: its documented columns, its row, and how one becomes the other.

mod alerts;
mod declines;
mod deductions;
mod evidence;
mod features;
mod offers;
mod quarantine;
mod referrals;
mod scores;

pub use alerts::AlertRow;
pub use declines::DeclineRow;
pub use deductions::DeductionRow;
pub use evidence::{EvidenceColumn, EvidenceRow};
pub use features::{FeatureColumn, FeatureRow};
pub use offers::OfferRow;
pub use quarantine::QuarantineRow;
pub use referrals::ReferralRow;
pub use scores::ScoreRow;

pub(super) use scores::group_of;
