//! The words everything else is written in: money, rates, dates, digests, reason codes.
//!
//! Nothing here knows of frames, and no file is opened but the one whose digest is asked for.

mod as_of;
mod checked_json;
mod day;
mod digest;
pub mod distributions;
pub mod elementary;
mod id;
pub mod joint_default;
mod money;
pub mod parallel;
mod rate;
mod reason;
pub mod sampling;

pub use as_of::{AsOf, AsOfError, MICROS_PER_DAY};
pub use checked_json::{CheckedJson, fault_in_line};
pub use day::{date_of_days, days_between, days_since_epoch};
pub use digest::{Digest, DigestError, Hasher};
pub use id::id_fault;
pub use money::{Currency, CurrencyError, Money, counted, grouped, whole};
pub use rate::{DailyRate, Probability, RateError, Share};
pub use reason::{Reason, ReasonCode, ReasonCodeError};
