//! After the money is out: who is late, who is in trouble, and what to do about it.
//!
//! ```text
//! repayment: standings ──┬── alerts ──▶ deductions
//!                        └── portfolio: buckets, classes, non-performing share
//! ```

mod alert;
mod class;
mod deduction;
mod error;
mod finite;
mod portfolio;
pub mod rules;
mod settings;

pub use alert::{Alert, Alerts, MonitorCase, watch};
pub use class::{Class, bucket_of};
pub use deduction::{Deduction, Deductions, deduct};
pub use error::MonitorError;
pub use portfolio::{Portfolio, Tally};
pub use settings::{Action, AlertKind, AlertRule, Bucket, ClassThresholds, DeductionTerms, Monitor, Severity, Watch};
