//! The way back: how a borrower falls into default, and what it takes to be a good borrower again.
//!
//! ```text
//!   current ⇄ watch ⇄ special-mention ──▶ default ──▶ probation ──▶ restored ──▶ current
//!      │                     ▲               ▲ │ ▲         │            │
//!      │                     │               │ ▼ └─────────┘            │
//!      └── restructured ─────┼──▶ probation  │ written-off ──▶ probation │
//!                            └───────────────┴───────────────────────────┘
//!   unknown: from anywhere and back to where it was, without a clean day
//! ```
//! | state | a borrower is in it |
//! |---|---|
//! | written-off | while something is owed on a loan that was written off |
//! | default | while a loan is in default, or a loan of a guarantee group of which the borrower drew one too |
//! | probation | after either, or after a restructure, until enough clean days have passed in a row |
//! | restored | after probation, for `restored_days`: what the borrower may owe grows step by step |
//! | special-mention, watch, current | else: something is past due · an alert stands · neither |
//! | unknown | while a loan is unknown, the loan book is absent or the borrower cannot be seen |
//!
//! A **clean day** begins with nothing past due that is material, on any loan, and is seen: days on which a loan was unknown are not clean, and nothing
//! past due may be left on the night on which probation or restoration ends. Whatever the ledger shows of the past, whoever was in default or is
//! first seen after one is in probation on at least one published night. The states of the night before are the memory: a default is not forgotten when
//! its loan is no longer sent.
//!
//! Sources: EBA/GL/2016/07 on the definition of default, paragraphs 71 to 76: three months of probation, a year after a distressed restructuring.

mod credit_state;
mod help;
mod settings;
mod state_change;
mod step;

pub use credit_state::{BorrowerState, CreditState, StatesBefore};
pub use help::HelpTerms;
pub(super) use settings::{HELP_KEYS, REGROWTH_KEYS, RESTORATION_KEYS, RawRestoration};
pub use settings::{RegrowthStep, RestorationTerms};
pub use state_change::StateChange;
pub use step::{BorrowerNight, CreditStanding, next_state, standing_of};
