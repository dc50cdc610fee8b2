//! Rows split into parts: in memory up to a limit, on disk beyond it.
//!
//! A table that does not fit in memory is split by a hash, and each part is worked on alone. Rows arrive in batches, from several threads and
//! in no order; a part is read back as one frame. What lies on disk is scratch in files without a name, and nothing that is published may depend
//! on the order of its rows.

mod error;
mod frames;
mod keys;
mod scratch_file;
mod shelf;
mod sorted;

pub use error::SpillError;
pub use frames::{Budget, SplitFrames, decoded, encode};
pub use keys::{KeyParts, KeyRecords};
pub use shelf::{Shelf, Shelved};
pub use sorted::{Sorted, SortedRows};
