//! Clean events, bucketed by merchant and sorted by merchant and time, read back as of any instant.

mod shard;

pub use shard::Shard;
