//! Alert rules: each a pure function from what was measured and the rule's thresholds to a finding with its evidence.
//!
//! A missing measurement that the finding depends on raises no alert, for nothing is known to have happened; it is counted as unknown
//! instead, so that a rule that has gone blind is seen.

pub mod arrears;
pub mod brushing;
pub mod dispute_spike;
pub mod early_repayment_stopped;
pub mod evidence;
pub mod feature;
mod feature_rule;
pub mod finding;
pub mod hazard;
pub mod industry_downturn;
pub mod keys;
pub mod lawsuits;
pub mod min_count;
pub mod pledge_loss;
pub mod shipping_stall;
pub mod silence;
pub mod trade_drop;
pub mod unknown_loan;
pub mod unusual_share;
pub mod utilisation;
pub mod verification_lost;
pub mod volume_drop;

pub use evidence::Evidence;
pub use feature_rule::{FeatureRule, feature_rule, kinds};

#[cfg(test)]
#[path = "null_tests.rs"]
mod null_tests;
