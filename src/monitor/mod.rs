//! After the money is out: who is late, who is in trouble, and what to do about it.
//!
//! ```text
//! repayment: LoanLedger ──┬── alerts ──▶ deductions
//!                         └── portfolio: buckets, classes, non-performing share, unknown loans
//! ```

mod alert;
mod class;
mod deduction;
mod error;
mod finite;
mod monitor_reference;
mod portfolio;
pub mod rules;
mod settings;

pub use alert::{Alert, Alerts, MonitorCase, watch};
pub use class::{Class, bucket_of};
pub use deduction::{Deduction, Deductions, deduct};
pub use error::MonitorError;
pub use monitor_reference::monitor_reference;
pub use portfolio::{Portfolio, Tally, UnknownTally};
pub use settings::{Action, AlertKind, AlertRule, Bucket, ClassThresholds, DeductionTerms, Monitor, Severity, Watch};
