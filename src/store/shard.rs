//! One bucket's tables as they could be seen at an instant.

use std::collections::BTreeMap;

use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray, PolarsResult};

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
    /// Of payments and applications the versions that later ones have replaced, with [`super::COUNTED_UNTIL`], by table; none where none was.
    pub earlier: BTreeMap<&'static str, DataFrame>,
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

    /// The rows and broken records of some of its merchants, each table in one piece.
    ///
    /// # Errors
    /// A table without `merchant_id`.
    pub fn of_merchants(&self, is_wanted: impl Fn(&str) -> bool) -> PolarsResult<Self> {
        let theirs = |tables: &BTreeMap<&'static str, DataFrame>| {
            let theirs = tables.iter().map(|(name, frame)| Ok((*name, rows_of(frame, &is_wanted)?)));
            theirs.collect::<PolarsResult<BTreeMap<_, _>>>()
        };
        let is_theirs = |record: &&BrokenRecord| record.merchant_id.as_deref().is_some_and(&is_wanted);
        Ok(Self {
            as_of: self.as_of.clone(),
            tables: theirs(&self.tables)?,
            earlier: theirs(&self.earlier)?,
            broken: self.broken.iter().filter(is_theirs).cloned().collect(),
        })
    }
}

fn rows_of(frame: &DataFrame, is_wanted: impl Fn(&str) -> bool) -> PolarsResult<DataFrame> {
    let owners = frame.column("merchant_id")?.str()?;
    let mut last: Option<(&str, bool)> = None;
    let mut is_theirs = Vec::with_capacity(frame.height());
    for owner in owners.iter() {
        // Rows come sorted by merchant: each is asked about once.
        let answer = match (last, owner) {
            (Some((same, answer)), Some(owner)) if same == owner => answer,
            _ => owner.is_some_and(&is_wanted),
        };
        last = owner.map(|owner| (owner, answer));
        is_theirs.push(answer);
    }
    let mut theirs = frame.filter(&BooleanChunked::from_slice("theirs".into(), &is_theirs))?;
    theirs.rechunk_mut();
    Ok(theirs)
}
