//! After the money is out: who owes what, who is late, what to do about it.
//!
//! ```text
//! loans, instalments, payments ── waterfall ──▶ Repayment a loan ──▶ repayment_tables ──▶ features, alerts
//!                                      │                  └──▶ default_outcomes ──▶ labels
//! ```
//!
//! Days past due run on the business date: an instalment due on 1 March and unpaid when 2 March begins is one day past due.

mod calendar;
mod columns;
mod error;
mod loan_book;
mod outcome;
mod repayment;
mod waterfall;

pub use calendar::BusinessDays;
pub use error::MonitorError;
pub use outcome::{Outcome, OutcomeReason, Outcomes, default_outcomes};
pub use repayment::{RepaymentTables, repayment_tables, repayment_tables_with};
pub use waterfall::{Instalment, InstalmentState, LoanTerms, Part, Payment, Repayment, View, Waterfall};
