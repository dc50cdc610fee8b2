//! The hazard model: how likely it is that a borrower who owes something, and is late with nothing, misses a payment within the next days on the way
//! into default.
//!
//! ```text
//! past nights ── borrowers with an open loan, their features, what rules measure, their loans ──▶ rows      (what a run of that night saw)
//! the ledger  ── which loans defaulted, and which due date was the first one missed           ──▶ events    (what is known at the end)
//!    rows + events ── boosted trees under the features' directions, probabilities calibrated on rows not seen ──▶ model
//! ```
//! Discrete time: a borrower is a row on every night looked at until the first payment is missed; a row is an event where that day is one of the next
//! `horizon_days`. Rows whose outcome cannot be known yet are left out.

mod at_risk;
mod fit;
mod history;
mod loan_columns;
mod missed;
mod past_nights;

pub use at_risk::{AtRisk, HazardColumns};
pub use fit::{Event, HazardFigures, TooFewEvents, fit, probabilities};
pub use history::{HAZARD, HazardModel, HazardScoring, learn};
pub use missed::{FirstMissed, MissedPayments, first_missed};
