//! Champion and challenger: two models on one table, and a forest to measure a scorecard against.

mod challenger;
mod contest;
mod error;
mod migration;
mod segments;
mod swap_set;

pub use challenger::{Challenger, ChallengerColumn, ChallengerSettings, grow_challenger};
pub use contest::{Comparison, ComparisonSettings, LossDifference, compare};
pub use error::CompareError;
pub use migration::Migration;
pub use segments::{SegmentContest, compare_segments};
pub use swap_set::{SwapCell, SwapSet, approval_cut_off};
