//! Do rows that a model is measured on stand among those it was trained on? Found by digests of the rows' contents.
//!
//! A row's content is its values in the model's columns and its outcome. Where columns are few and coarse, different rows come out equal by
//! nature; how many training rows equal another says how common that is.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::file::TableFile;
use crate::domain::Hasher;
use crate::model::table::{Column, Kind, Values};
use crate::model::{ModelError, Scorecard};

/// How many rows of a table equal one that was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// Rows measured on.
    pub rows: u64,
    /// Those of them that equal a training row.
    pub seen: u64,
    /// Their share.
    pub share: f64,
    /// Share of the training rows that equal another training row.
    pub repeated_in_training: f64,
    /// Whether every row was looked up; if not, `seen` and `share` are estimates from a sample of contents.
    pub is_exact: bool,
}

/// Above how many times the share that repeats by nature an overlap is no accident.
const BY_NATURE: f64 = 1.5;
/// Share that is said whatever repeats: rows that stand in a table twice look like nature.
const ALWAYS_SAID: f64 = 0.2;

impl Overlap {
    /// Compares digests of both parts.
    #[must_use]
    pub fn of(trained: &[u64], measured: &[u64]) -> Self {
        let known: HashSet<u64> = trained.iter().copied().collect();
        let seen = measured.iter().filter(|digest| known.contains(digest)).count();
        Self {
            rows: measured.len() as u64,
            seen: seen as u64,
            share: seen as f64 / measured.len().max(1) as f64,
            repeated_in_training: repeated(trained),
            is_exact: true,
        }
    }

    /// A warning, where more rows were seen before than repeat by nature. `measured` and `trained` name the parts.
    #[must_use]
    pub fn warning(&self, measured: &str, trained: &str) -> Option<String> {
        let accident = self.seen == 0 || self.share <= (BY_NATURE * self.repeated_in_training).min(ALWAYS_SAID);
        let about = if self.is_exact { "" } else { "about " };
        (!accident).then(|| {
            format!(
                "{about}{} of {} rows of {measured} ({:.1} %) equal a row of {trained} in every column of the model and in the outcome, where \
                 {:.1} % of those repeat one another: figures of rows that were trained on flatter. Where several rows are of one loan, as month by month, keep one \
                 of each, or part them by time (--time, --test-from)",
                self.seen,
                self.rows,
                100.0 * self.share,
                100.0 * self.repeated_in_training
            )
        })
    }
}

fn repeated(digests: &[u64]) -> f64 {
    let mut counts: HashMap<u64, u64> = HashMap::new();
    for digest in digests {
        *counts.entry(*digest).or_default() += 1;
    }
    let rows: u64 = counts.values().filter(|n| **n > 1).sum();
    rows as f64 / digests.len().max(1) as f64
}

/// The contents that a model was trained on, as its folder keeps them: all digests, or the smallest of many, which are a fair sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRows {
    /// Training rows.
    pub rows: u64,
    /// Share of them that equal another.
    pub repeated: f64,
    /// Whether `digests` holds the digest of every row.
    pub is_complete: bool,
    /// Digests in hexadecimal, ascending.
    pub digests: Vec<String>,
}

/// Name of the attachment of a model folder.
pub const TRAINING_ROWS: &str = "training_rows.json";
/// Digests kept.
const MOST_KEPT: usize = 4_096;

impl TrainingRows {
    /// From the digests of all training rows.
    #[must_use]
    pub fn of(trained: &[u64]) -> Self {
        let distinct: BTreeSet<u64> = trained.iter().copied().collect();
        Self {
            rows: trained.len() as u64,
            repeated: repeated(trained),
            is_complete: distinct.len() <= MOST_KEPT,
            digests: distinct.into_iter().take(MOST_KEPT).map(|d| format!("{d:016x}")).collect(),
        }
    }

    /// How many of the rows measured on were trained on. `None` where a sample says nothing, because no row falls into its range.
    #[must_use]
    pub fn overlap(&self, measured: &[u64]) -> Option<Overlap> {
        let known: BTreeSet<u64> = self.digests.iter().filter_map(|d| u64::from_str_radix(d, 16).ok()).collect();
        let range = if self.is_complete { u64::MAX } else { known.last().copied()? };
        let looked_up: Vec<&u64> = measured.iter().filter(|digest| **digest <= range).collect();
        let hits = looked_up.iter().filter(|digest| known.contains(digest)).count();
        if looked_up.is_empty() {
            return None;
        }
        let share = hits as f64 / looked_up.len() as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a row count")]
        let seen = (share * measured.len() as f64).round() as u64;
        Some(Overlap {
            rows: measured.len() as u64,
            seen,
            share,
            repeated_in_training: self.repeated,
            is_exact: self.is_complete,
        })
    }
}

/// The digest of each row's content: the scorecard's columns, and the outcome.
///
/// # Errors
/// A column is absent or of another kind.
pub fn row_digests(card: &Scorecard, file: &TableFile, bad: &[bool]) -> Result<Vec<u64>, ModelError> {
    let mut inputs = card.inputs();
    inputs.sort();
    let wanted: Vec<(usize, Kind)> =
        inputs.iter().map(|(name, kind)| Ok((file.position(name)?, *kind))).collect::<Result<_, ModelError>>()?;
    let mut digests = Vec::with_capacity(file.rows());
    file.for_each_block(&wanted, &mut |first, columns| {
        let rows = columns.first().map_or(0, Column::len);
        for row in 0..rows {
            let mut hasher = Hasher::default();
            for column in &columns {
                add(&mut hasher, column, row);
            }
            hasher.field(&[u8::from(bad.get(first + row) == Some(&true))]);
            digests.push(u64::from_be_bytes(hasher.finish().first_eight()));
        }
        Ok(())
    })?;
    Ok(digests)
}

fn add(hasher: &mut Hasher, column: &Column, row: usize) {
    match &column.values {
        Values::Number(numbers) => {
            let value = numbers.get(row).copied().unwrap_or(f64::NAN);
            // Both zeros are one number, every NaN is one missing value.
            let bits = if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() };
            hasher.field(&bits.to_le_bytes());
        }
        Values::Text(text) => match text.get(row) {
            Some(level) => hasher.field(level.as_bytes()),
            None => hasher.field(b"\0missing"),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn equals_comparing_every_pair(
            trained in prop::collection::vec(0_u64..40, 1..60),
            measured in prop::collection::vec(0_u64..60, 1..60),
        ) {
            let seen = measured.iter().filter(|m| trained.iter().any(|t| t == *m)).count() as u64;
            let twice = trained.iter().enumerate().filter(|(i, t)| trained.iter().enumerate().any(|(j, u)| i != &j && t == &u)).count();
            let found = Overlap::of(&trained, &measured);
            prop_assert_eq!(found.seen, seen);
            prop_assert!((found.repeated_in_training - twice as f64 / trained.len() as f64).abs() < 1e-12);
            prop_assert_eq!(TrainingRows::of(&trained).overlap(&measured), Some(found));
        }
    }

    #[test]
    fn a_sample_of_contents_estimates_the_share() {
        let digest = |i: u64| u64::from_be_bytes(crate::domain::Digest::of(&i.to_le_bytes()).first_eight());
        let trained: Vec<u64> = (0..50_000).map(digest).collect();
        let kept = TrainingRows::of(&trained);
        assert!(!kept.is_complete && kept.digests.len() == MOST_KEPT);
        // A third of the rows measured on were trained on.
        let measured: Vec<u64> = (40_000..70_000).map(digest).collect();
        let found = kept.overlap(&measured).unwrap();
        assert!((found.share - 1.0 / 3.0).abs() < 0.05 && !found.is_exact, "{found:?}");
        assert!(found.warning("the table", "its training").unwrap().starts_with("about "));
        let other: Vec<u64> = (50_000..80_000).map(digest).collect();
        assert_eq!(kept.overlap(&other).unwrap().warning("the table", "its training"), None);
    }

    #[test]
    fn what_repeats_by_nature_is_no_warning() {
        // A tenth of the rows is one content, in training as in what is measured.
        let tenth = |from: u64| -> Vec<u64> { (from..from + 600).map(|i| if i % 10 == 0 { 0 } else { i }).collect() };
        assert_eq!(Overlap::of(&tenth(1), &tenth(1_001)).warning("a", "b"), None);
        assert!(Overlap::of(&tenth(1), &tenth(301)).warning("a", "b").is_some());
        let fine: Vec<u64> = (0..600).collect();
        assert!(Overlap::of(&fine, &fine[500..]).warning("a", "b").is_some());
        assert_eq!(Overlap::of(&fine, &[]).warning("a", "b"), None);
    }
}
