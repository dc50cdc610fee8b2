//! The loan ledger: schedules, payments, how late every loan is, and what became of it.
//!
//! ```text
//! loans, instalments, payments ── waterfall ──▶ repayment_tables ──▶ features (instalment_status, loan_status)
//!                                      │              └── standings ──▶ exposure ──▶ offers
//!                                      │                          └──▶ monitor ──▶ alerts, deductions, portfolio
//!                                      └──▶ default_outcomes ──▶ labels
//! ```
//!
//! Days past due run on the business date: an instalment due on 1 March and unpaid when 2 March begins is one day past due.

mod calendar;
mod columns;
mod error;
mod loan_book;
mod outcome;
mod settings;
mod standing;
mod tables;
mod waterfall;

pub use calendar::BusinessDays;
pub use error::RepaymentError;
pub use outcome::{Outcome, OutcomeReason, Outcomes, default_outcomes};
pub(crate) use settings::RawWaterfall;
pub use settings::{Part, Waterfall};
pub use standing::{CreditRecord, LoanStanding, by_merchant};
pub use tables::{RepaymentTables, repayment_tables};
pub use waterfall::{Instalment, InstalmentState, LoanTerms, Payment, Repayment, View};
