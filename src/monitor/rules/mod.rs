//! Alert rules: each a pure function from what was measured and the rule's thresholds to a finding with its evidence.
//!
//! A missing measurement that the finding depends on raises no alert, for nothing is known to have happened; it is counted as unknown
//! instead, so that a rule that has gone blind is seen.

pub mod arrears;
pub mod dispute_spike;
pub mod feature;
pub mod finding;
pub mod shipping_stall;
pub mod trade_drop;
pub mod unknown_loan;

#[cfg(test)]
#[path = "null_tests.rs"]
mod null_tests;
