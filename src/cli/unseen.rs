//! Levels of text columns, and missing values, that a model never saw in training: counted while a table is scored, and said.

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
    /// Rows without a value, where every training row had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<u64>,
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
        for (variable, codes) in card.variables.iter().zip(&block.bins) {
            let bins = &variable.bins;
            let was_there = bins.bins.get(bins.missing).is_none_or(|bin| bin.rows > 0.0);
            let missing = codes.iter().filter(|code| usize::from(**code) == bins.missing).count() as u64;
            if !was_there && missing > 0 {
                *self.0.entry(bins.name.clone()).or_default().missing.get_or_insert(0) += missing;
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
        let levels = |(variable, found): (&String, &UnseenInVariable)| {
            if found.rows == 0 {
                return None;
            }
            let named: Vec<String> = found.most_frequent.iter().map(|(level, n)| format!("{level:?} in {n}")).collect();
            Some(format!(
                "column {variable:?}: {} rows hold a level that training never saw ({}{}); the model knows nothing of them",
                found.rows,
                named.join(", "),
                if found.levels > named.len() as u64 { ", …" } else { "" }
            ))
        };
        let missing = |(variable, found): (&String, &UnseenInVariable)| {
            let rows = found.missing?;
            Some(format!(
                "column {variable:?}: {rows} rows have no value, and every training row had one; the model knows nothing of them"
            ))
        };
        self.0.iter().flat_map(|one| [levels(one), missing(one)]).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BlockScorer, Column, TrainSettings, TrainingTable, train_scorecard};

    #[test]
    fn missing_values_that_training_never_had_are_told() {
        let bad: Vec<bool> = (0..900).map(|i| i % 7 < if i % 3 == 0 { 4 } else { 1 }).collect();
        let holes = |is_whole: bool| -> Vec<Option<f64>> {
            (0..900).map(|i| (is_whole || i % 5 > 0).then(|| f64::from(i % 3))).collect()
        };
        for (is_whole, told) in [(true, 1), (false, 0)] {
            let columns = vec![Column::from_options("x", &holes(is_whole))];
            let table = TrainingTable::new(columns, bad.clone()).unwrap();
            let settings = TrainSettings { members: 5, ..TrainSettings::default() };
            let card = train_scorecard(&table, &settings).unwrap().scorecard;
            let column = Column::from_options("x", &[Some(1.0), None, None]);
            let block = BlockScorer::new(&card).score(&[&column]).unwrap();
            let mut unseen = Unseen::default();
            unseen.add(&card, &block);
            let warnings = unseen.finish().warnings();
            assert_eq!(warnings.iter().filter(|w| w.contains("2 rows have no value")).count(), told, "{warnings:?}");
        }
    }
}
