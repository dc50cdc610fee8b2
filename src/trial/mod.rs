//! A policy tried before it lends: a job's own nights lend in a simulated marketplace, month after month, and what became of it is known.
//!
//! Offers change who borrows, so no replay of the past can tell how a policy would do. Here merchants take or leave the offers of each
//! night, draw, trade, pay or do not, and the next night sees it. The same marketplace is lived through once more under a lender who knows the
//! truth, and, where asked for, under the same policy cut off after each risk band.
//!
//! ```text
//! months before ── lender of the history ──▶ rows ─┐
//!        ┌──────────────────────────────────────────┘
//!        └▶ night (the job itself) ──▶ offers ──▶ merchants live on ──▶ rows ──▶ next night … ──▶ run-off ──▶ figures
//! ```

mod error;
mod figures;
mod lender;
mod policies;
mod report;
mod run;
mod unserved;

pub use error::TrialError;
pub use figures::LenderFigures;
pub use report::{FrontierPoint, StoppedNight, TrialReport};
pub use run::{TrialSettings, run_trial};
