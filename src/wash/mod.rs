//! Washing: contract tables become clean rows, quarantine and a ledger.
//!
//! Three things can become of a row: it is kept (perhaps *not yet visible*: dated at or after as-of, and set aside), it is quarantined
//! with its file, row, rule and value, or it is a duplicate (an earlier version of a row that came again). The ledger counts
//! all three for each file, and `read = kept + quarantined + duplicate + skipped` is checked before anything is published.
//!
//! Rows are split by merchant bucket as they are read (`staging`), and each bucket is washed alone (`buckets`, `washing`); the few rows that
//! other buckets have a say in are washed together at the end (`strays`). Neither the number of buckets nor the order of rows changes what comes out.
//!
//! Nothing at or after as-of changes a clean row or a quarantined one: rows are sifted and masked before they are judged, and a
//! parent that is not yet visible counts as missing.

mod account;
mod activity;
mod amounts;
mod attribution;
mod buckets;
mod copies;
mod error;
mod history;
mod ingest;
mod kept;
mod ledger;
mod named;
mod order;
mod parents;
mod people;
mod quarantine;
mod record;
mod root_reasons;
mod rules;
mod settings;
mod staging;
mod strays;
mod unparsed;
mod version;
mod versions;
mod washing;

pub use account::Filled;
pub use activity::{Activity, FirstNightPace, PACED_DAYS, UsualDay, event_column};
pub use amounts::{AmountJump, Amounts, JumpedAmounts};
pub use error::{IngestError, RuleTally, TooManyBroken};
pub use ingest::{IngestProgress, Ingested, ingest, ingest_keeping};
pub use kept::{KeepRows, KeptError};
pub(crate) use ledger::is_zero;
pub use ledger::{JOINED, LedgerLine, quarantined_share};
pub use people::{People, PeopleByKind};
pub use quarantine::{Quarantine, QuarantineRow};
pub(crate) use record::key_text;
pub(crate) use root_reasons::root_reasons;
pub use root_reasons::{RootReason, RootReasons};
pub use settings::{IntakeSettings, WashSettings};
pub(crate) use settings::{RawWash, WASH_KEYS};
pub(crate) use washing::{NOT_JOINED, PARENT_QUARANTINED};
