//! After the money is out: who owes what, who is late, what to do about it.
//!
//! ```text
//! loans, instalments, payments ── waterfall ──▶ repayment_tables ──▶ features
//!                                      │              ├── standings ──▶ alerts ──▶ deductions
//!                                      │              ├── credit record ──▶ offers
//!                                      │              └── portfolio: buckets, classes, NPL
//!                                      └──▶ default_outcomes ──▶ labels
//! ```
//!
//! Days past due run on the business date: an instalment due on 1 March and unpaid when 2 March begins is one day past due.

mod alert;
mod calendar;
mod class;
mod columns;
mod deduction;
mod error;
mod loan_book;
mod lookup;
mod outcome;
mod portfolio;
mod repayment;
pub mod rules;
mod standing;
mod waterfall;

pub use crate::config::{Part, Waterfall};
pub use alert::{Alert, Alerts, MonitorCase, watch};
pub use calendar::BusinessDays;
pub use class::{Class, bucket_of};
pub use deduction::{Deduction, Deductions, deduct};
pub use error::MonitorError;
pub use lookup::FeatureLookup;
pub use outcome::{Outcome, OutcomeReason, Outcomes, default_outcomes};
pub use portfolio::{Portfolio, Tally};
pub use repayment::{RepaymentTables, repayment_tables};
pub use standing::{CreditRecord, LoanStanding, by_merchant};
pub use waterfall::{Instalment, InstalmentState, LoanTerms, Payment, Repayment, View};
