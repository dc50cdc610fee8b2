//! Levels of text columns that a model never saw in training: counted while a table is scored, and said.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::binning::UnseenLevels;
use crate::model::{BlockScores, Scorecard};

/// Levels never seen, by variable.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Unseen(BTreeMap<String, UnseenInVariable>);

/// What one variable held.
#[derive(Debug, Default, Serialize)]
pub struct UnseenInVariable {
    /// Rows with a level never seen.
    pub rows: u64,
    /// Different such levels, counted up to [`MOST_KEPT`].
    pub levels: u64,
    /// The most frequent of them, with their rows.
    pub most_frequent: BTreeMap<String, u64>,
    #[serde(skip)]
    all: UnseenLevels,
}

/// Levels kept in memory a variable: more are an identifier, not levels.
const MOST_KEPT: usize = 10_000;
/// Levels named in the answer.
const MOST_NAMED: usize = 10;

impl Unseen {
    /// Adds a block of scored rows.
    pub fn add(&mut self, card: &Scorecard, block: &BlockScores) {
        for (variable, levels) in card.unseen_by_variable(&block.unseen) {
            let found = self.0.entry(variable).or_default();
            for (level, rows) in levels {
                found.rows += rows;
                if found.all.len() < MOST_KEPT || found.all.contains_key(&level) {
                    *found.all.entry(level).or_default() += rows;
                }
            }
        }
    }

    /// Sums up, once all blocks are in.
    #[must_use]
    pub fn finish(mut self) -> Self {
        for found in self.0.values_mut() {
            found.levels = found.all.len() as u64;
            let mut order: Vec<(&String, &u64)> = found.all.iter().collect();
            order.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
            found.most_frequent = order.into_iter().take(MOST_NAMED).map(|(l, n)| (l.clone(), *n)).collect();
        }
        self
    }

    /// A warning a variable.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let one = |(variable, found): (&String, &UnseenInVariable)| {
            let named: Vec<String> = found.most_frequent.iter().map(|(level, n)| format!("{level:?} in {n}")).collect();
            format!(
                "column {variable:?}: {} rows hold a level that training never saw ({}{}); the model knows nothing of them",
                found.rows,
                named.join(", "),
                if found.levels > named.len() as u64 { ", …" } else { "" }
            )
        };
        self.0.iter().map(one).collect()
    }
}
