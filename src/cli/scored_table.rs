//! A table scored in memory: what commands that measure need of every row.

use super::apply::score_file;
use crate::model::registry::Bundle;
use crate::model::validation::GradeBound;
use crate::model::{ModelError, Scorecard};
use crate::workbench::table::TableFile;

/// Scores of all rows of a table, and how many fell into each bin.
#[derive(Debug, Default)]
pub struct ScoredTable {
    /// Score of each row.
    pub score: Vec<i32>,
    /// Probability of each row.
    pub pd: Vec<f64>,
    /// Rows of each bin of each variable, in the scorecard's order.
    pub bin_counts: Vec<Vec<u64>>,
}

/// Scores every row.
///
/// # Errors
/// A column the model needs is absent, of another kind, or holds an infinite value.
pub fn score_table(card: &Scorecard, file: &TableFile) -> Result<ScoredTable, ModelError> {
    let bin_counts = card.variables.iter().map(|v| vec![0; v.bins.bins.len()]).collect();
    let mut scored = ScoredTable { bin_counts, ..ScoredTable::default() };
    score_file(
        card,
        file,
        &mut |_, block, _| {
            scored.pd.extend(block.score.iter().map(|&s| card.probability(s)));
            scored.score.extend_from_slice(&block.score);
            for (counts, bins) in scored.bin_counts.iter_mut().zip(&block.bins) {
                for &bin in bins {
                    if let Some(count) = counts.get_mut(usize::from(bin)) {
                        *count += 1;
                    }
                }
            }
            Ok(())
        },
        &[],
    )?;
    Ok(scored)
}

/// A note where a model was trained on this very table: figures of rows it has seen flatter it.
///
/// # Errors
/// The file cannot be read.
pub fn seen_in_training(bundle: &Bundle, file: &TableFile) -> Result<Option<String>, ModelError> {
    let seen = file.digest()? == bundle.manifest.origin.data_digest;
    Ok(seen.then(|| format!("{} was trained on this table: figures of rows it has seen flatter it", bundle.id())))
}

/// The bands of a scorecard as grades to back-test, each with the highest PD that falls into it. Bands that no score can have are left out.
#[must_use]
pub fn grades(card: &Scorecard) -> Vec<GradeBound> {
    let (_, highest) = card.score_range();
    let mut grades: Vec<GradeBound> = Vec::new();
    for band in &card.bands {
        let upper_pd = match band.min_score {
            Some(least) if least > highest => continue,
            Some(least) => card.probability(least),
            None => 1.0,
        };
        if grades.last().is_none_or(|last| upper_pd > last.upper_pd) {
            grades.push(GradeBound { grade: band.name.clone(), upper_pd, stated_pd: None });
        }
    }
    grades
}
