//! Clean events, bucketed by merchant and sorted by merchant and time, read back as of any instant.
//!
//! ```text
//! <store>/store.json                          layout, as-of, buckets, tables, rows and digest of each file
//! <store>/<table>/bucket=0003/part-0.parquet  rows of the merchants whose hash falls into bucket 3
//! <store>/broken/bucket=0003/part-0.parquet   records of theirs that washing found broken, of any table
//! ```
//!
//! A loan's instalments and payments lie with its merchant. Earlier versions of a row stay beside the latest with the instant at which
//! they were replaced, so that a look back sees what could be seen then, an order's amount does not rise once it was sent off, and a promise that has fallen due is not put off. Bytes depend on the rows alone: not on their order, the
//! files they came in, or threads.

mod broken;
mod earlier;
mod error;
mod hash;
mod held_amounts;
mod held_ends;
mod held_losses;
mod held_names;
mod held_times;
mod index;
mod reader;
mod row_order;
mod settings;
mod shard;
mod writer;

pub use broken::BrokenRecord;
pub use earlier::COUNTED_UNTIL;
pub use error::StoreError;
pub use hash::{bucket_of, merchant_hash, stable_hash};
pub use index::{BucketFile, StoreIndex, TableIndex};
pub use reader::{Store, WholeBucket};
pub use settings::StoreSettings;
pub(crate) use settings::{RawStore, STORE_KEYS};
pub use shard::Shard;
pub use writer::StoreWriter;
