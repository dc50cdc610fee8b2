//! The books of the lender's core system, held against ours: every difference, none of them mended here.
//!
//! ```text
//! core system ── export ──▶ CoreLine a row ──┐
//! LoanLedger (known, unknown) ───────────────┴── compare ──▶ Difference a finding, totals
//! ```
//!
//! | finding | what it says |
//! |---|---|
//! | `missing-in-export` | the ledger has the loan, the export does not |
//! | `missing-here` | the export has the loan, the ledger does not |
//! | `unknown-here` | the loan's books do not agree with each other, so that nothing can be compared |
//! | `repeated-in-export` | the export has the loan more than once, so that nothing can be compared |
//! | `no-loan-id` | a row of the export names no loan |
//! | `unreadable` | a cell is no amount, or no number of days |
//! | `not-given` | a cell is blank, which is not zero |
//! | `merchant` | another borrower |
//! | `status` | open, closed or written off |
//! | `outstanding`, `interest`, `arrears` | another amount |
//! | `days-past-due` | another number of days |
//!
//! A difference of amounts or days within the job's tolerance is listed as well, and does not count.

mod amount;
mod compare;
mod difference;
mod error;
mod export;
mod settings;

pub use compare::{AmountTotals, Comparison, LoanCounts, compare};
pub use difference::{Difference, DifferenceKind};
pub use error::CoreSystemError;
pub use export::{Cell, CoreLine, Export, read_export};
pub use settings::{AmountUnit, ClosedLoans, CoreField, CoreStatus, CoreTerms};
pub(crate) use settings::{CORE_COLUMN_KEYS, CORE_KEYS, CORE_STATUS_KEYS, RawCoreTerms};
