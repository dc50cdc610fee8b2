//! The loan ledger: what was lent, what was promised, what was paid, how late, and whether any of it can be believed.
//!
//! ```text
//! loans, instalments, payments, broken records
//!      └── LoanBook: a LoanRecord a loan ── reconcile ──▶ Unknown, with every cause ──▶ officers' list
//!                                               └──▶ waterfall, materiality ──▶ LoanStanding
//!      LoanLedger (known, unknown) ──▶ exposure, offers, alerts, deductions, portfolio
//!      repayment_tables (known loans) ──▶ features on instalment_status and loan_status
//!      default_outcomes ──▶ labels
//! ```
//!
//! **Known or unknown.** A loan is known when its books agree ([`reconcile`] lists the rules). Of an unknown loan nothing is said: it is not "nothing
//! owed", and while a merchant has one, what that merchant owes is unknown as well ([`BorrowerRecord`]).
//!
//! Of a known loan, seen as of the beginning of business day `D` (due dates, payments and reversals before it):
//!
//! | figure | formula |
//! |---|---|
//! | `C_k` | what instalments 1 to `k` owe together |
//! | `P` | all payments that were not reversed |
//! | settled | instalment `k` is settled at the first payment after which `P ≥ C_k` |
//! | arrears | `max(0, C_k − P)` for the last instalment `k` due before `D` |
//! | `dpd` | `D −` the due date of the oldest unsettled instalment; 0 where all are settled. Due on 1 March and unpaid when 2 March begins is 1 |
//! | outstanding | principal lent − principal repaid − what was paid ahead; 0 once closed |
//! | closed | at the first payment (or due date) after which nothing due is unpaid and `P − C_k ≥` principal not yet due + interest accrued on it since the last due date − tolerance |
//! | `material_dpd` | days in a row, up to `D`, that began with material arrears ([`materiality`]) |
//! | default | `material_dpd ≥` the product's number, or written off with something still owed |
//!
//! - **Early payment** is held for the instalments to come and counts as repaid principal meanwhile.
//! - **Pay-off**: once closed, interest and fees of later instalments are never owed.
//! - **A share of sales**: instalments are milestones, the least to be paid by then; of their interest only what has accrued on what was owed.
//! - **Reversal**: from the moment it is visible, the payment was never made; days past due count again from the broken promise. One that a later version says never bounced counts as made, and the
//!   officers' list says so (`payment-no-longer-reversed`).
//! - **Back-dated payment**: counts from `paid_at`, and is seen from `recorded_at`. Nights in between rightly saw arrears.
//! - **Restructure**: the newest schedule counts ([`reconcile`]); the loan stays marked.
//! - **Write-off**: days past due run on and the balance stays owed; the loan is in default until it is closed.

mod assess;
mod calendar;
mod columns;
mod confirmed;
mod draw_terms;
mod draws;
mod earnings;
mod error;
mod evidence;
#[cfg(test)]
pub(crate) mod fixture;
mod ledger;
mod loan_book;
pub mod materiality;
mod outcome;
mod pledges;
mod promise;
mod received;
pub mod reconcile;
mod record;
mod remembered;
mod settings;
mod standing;
mod strange_draws;
mod tables;
mod unknown;
mod unreversed;
mod waterfall;

pub use assess::{Assessment, assess};
pub use calendar::BusinessDays;
pub use confirmed::ConfirmedPayments;
pub use earnings::{LoanEarnings, loan_earnings};
pub use error::RepaymentError;
pub use evidence::{LoanEvidence, OfferMade, OrderMerchants};
pub use ledger::{LoanLedger, MerchantLoans, exceptions_without_merchant, loans_without_merchant};
pub use outcome::{Outcome, OutcomeReason, Outcomes, default_outcomes};
pub use promise::Promise;
pub use record::{BrokenRow, LoanRecord, PaymentRow, ScheduleRow};
pub use remembered::{LastKnown, RememberedLoan, put_under_borrowers};
pub use settings::{
    CorrectedPayments, LedgerRules, Materiality, Overpayment, Part, Retention, UnknownLimit, Waterfall,
};
pub(crate) use settings::{LEDGER_KEYS, MATERIALITY_KEYS, RawLedger, RawMateriality, RawWaterfall, WATERFALL_KEYS};
pub use standing::{
    BorrowerRecord, CleanLoan, ComingDue, CreditRecord, JointRecord, LoanHistory, LoanStanding, ReceivedPayment,
};
pub use strange_draws::NamedOffer;
pub use tables::{RepaymentTables, repayment_tables};
pub use unknown::{Causes, LoanException, UnknownCause, UnknownLoan, is_broken_row_code};
pub use waterfall::{Instalment, InstalmentState, LoanTerms, ObservationPoint, Payment, Repayment};
