//! Reject inference as a sensitivity study: what rejected applicants might have done, and how much of any figure depends on it.
//!
//! Outcomes are known for accepted rows only. Every method of filling in the rest is an assumption; here they stand side by side with the bounds that need none.

mod auc_bounds;
mod error;
mod study;

pub use error::RejectInferenceError;
pub use study::{Band, RejectMethod, RejectScenario, RejectSettings, RejectStudy, study_rejects};
