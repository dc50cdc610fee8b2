//! Drafts a whole job from a folder of raw files: what each table and column is in the contract, with how sure that is, and the files of the job.
//!
//! Evidence is what names mean in several languages ([`vocabulary`]), what cells look like, which columns refer to which, how many different values
//! they have and which time comes first ([`crate::profile`]). No data set is known by name. What nothing speaks for is a gap: it is marked where it must be
//! filled, and the check of the job leads there.

mod add;
mod advances;
mod amount;
mod assign;
mod bounced;
mod browsing;
mod by_product;
mod captures;
mod children;
mod debit_credit;
mod discounts;
mod ends;
mod error;
mod events;
mod features_file;
mod fed;
mod finding;
mod flags;
mod forms;
mod guides;
mod job_draft;
mod job_file;
mod landscape;
mod lending;
mod line_kinds;
mod measured;
mod merchants;
mod monitor_file;
mod monthly;
mod names;
mod nested;
mod not_meant;
mod numberless;
mod orders;
mod orders_plan;
mod other_business;
mod other_zone;
mod paid_lines;
mod parts;
mod payments;
mod policy_file;
mod rates;
mod refunds;
mod refused;
mod roles;
mod schedule;
mod schedule_by_values;
mod scope;
mod sides;
mod signature;
mod stars;
mod states;
mod table_draft;
mod taken_back;
mod term;
mod units;
mod unread;
mod versions;
mod vocabulary;
mod voided;
mod words;
mod write;

pub use error::DraftError;
pub use finding::{ColumnFinding, Draft, InputFinding};
pub use job_draft::{DraftOptions, draft_job};
pub use nested::NestedRows;
pub use table_draft::{Certainty, ColumnDraft, TableDraft};
pub use units::AmountUnit;
pub use write::{refuse_filled, write_draft};
