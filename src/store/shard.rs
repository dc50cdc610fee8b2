//! One bucket's tables as they could be seen at an instant.

use std::collections::BTreeMap;

use polars::prelude::DataFrame;

use super::broken::BrokenRecord;
use crate::domain::AsOf;

/// The tables of one merchant bucket as of an instant: visible rows only, later milestones masked, latest visible version of
/// each row, sorted by merchant, event time and key. An absent optional table has no entry: no evidence, not zero.
#[derive(Debug, Clone)]
pub struct Shard {
    /// The instant.
    pub as_of: AsOf,
    /// Contract tables by name.
    pub tables: BTreeMap<&'static str, DataFrame>,
    /// Records of the bucket's merchants that are known to be broken before the instant and not repaired by then, sorted. What
    /// they say is in none of the tables.
    pub broken: Vec<BrokenRecord>,
}

impl Shard {
    /// The table, where the job has it.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&DataFrame> {
        self.tables.get(name)
    }
}
