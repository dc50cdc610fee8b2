//! Rows of earlier nights, so that a night reads only what the day brought.
//!
//! A raw file whose table is made row by row says the same every night. Its rows are read once, split by bucket and kept in *packs*
//! (`pack`); the *ledger* (`ledger`) says which raw files they came from, by digest, and what they depend on beside these: the SELECT, the
//! input, the columns of all files together, the number of buckets and the program. What is kept of a file that has changed or vanished is
//! left out when a pack is read; where anything else has changed, the table is read anew from all of its files. So what a night washes is
//! what it would have read.
//!
//! A pack is forced to disk before the ledger names it, and the ledger is replaced as a whole: a process that is killed leaves the
//! ledger of before or its own. Every byte of a pack is compared with a digest when it is read; the raw files of a damaged pack are read again.

mod error;
mod ledger;
mod pack;
mod rows;
mod store;

pub use error::KeptError;
pub(super) use rows::{KeptRows, KeptTable};
pub use store::KeepRows;
pub(super) use store::{Kept, forget};
