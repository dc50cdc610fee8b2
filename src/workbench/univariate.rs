//! Every column by itself: how it would be cut, and what it would tell.

use rayon::prelude::*;
use serde::Serialize;

use crate::model::binning::{Bin, Bins, Cell, bin_variable, separation};
use crate::model::table::TrainingTable;
use crate::model::{ModelError, Summed, TrainSettings, sum_up, suspected_leak};

/// One column, cut or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Univariate {
    /// The column.
    pub variable: String,
    /// Share of the rows that have no value; `None` where the column could not be read as numbers or text.
    pub missing_share: Option<f64>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Its bins, or why there are none.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It has bins.
    Cut {
        /// Kolmogorov–Smirnov distance over the bins.
        ks: f64,
        /// Pearson's χ² of bins against outcome.
        chi_square: f64,
        /// The bins, with the information value and the trend.
        bins: Box<Bins>,
    },
    /// It has none.
    Left {
        /// Stable word: `constant`, `unique-id`, `infeasible` and the like.
        rule: String,
        /// In words.
        why: String,
    },
}

impl Univariate {
    /// Its bins, where it has any.
    #[must_use]
    pub fn bins(&self) -> Option<&Bins> {
        match &self.outcome {
            Outcome::Cut { bins, .. } => Some(bins),
            Outcome::Left { .. } => None,
        }
    }

    /// Information value, 0 without bins.
    #[must_use]
    pub fn iv(&self) -> f64 {
        self.bins().map_or(0.0, |bins| bins.iv)
    }
}

/// Cuts every column by itself, by falling information value. One pass over the columns; no row is held in memory longer than it takes to
/// sum up a file's part of its column. Weights are not looked at.
///
/// # Errors
/// The table cannot be read, or holds an infinite value.
pub fn univariate(table: &TrainingTable, settings: &TrainSettings) -> Result<Vec<Univariate>, ModelError> {
    settings.check()?;
    let train: Vec<bool> = table.test.iter().map(|t| !t).collect();
    let one = |i: usize| -> Result<Univariate, ModelError> {
        let variable = table.features.name(i);
        let Some((kind, note)) = table.features.kind(i) else {
            let outcome = Outcome::Left { rule: "type".to_owned(), why: "nested or binary values".to_owned() };
            return Ok(Univariate { variable, missing_share: None, notes: Vec::new(), outcome });
        };
        let mut notes: Vec<String> = note.into_iter().collect();
        let Summed { summary, laid_out, .. } = sum_up(table, i, kind, &train, settings)?;
        let rows = train.iter().filter(|t| **t).count().max(1) as f64;
        let direction = table.directions.get(&variable).copied().unwrap_or_default();
        let cut = laid_out.and_then(|fine| {
            let tally = fine.tally_of(&summary);
            let binned = bin_variable(&fine, &tally, direction, &settings.binning)?;
            let leak = suspected_leak(&fine, &tally, &binned.bins);
            Ok((binned, leak))
        });
        let outcome = match cut {
            Ok((binned, leak)) => {
                notes.extend(binned.note);
                notes.extend(leak);
                let cells: Vec<Cell> = binned.bins.bins.iter().map(Bin::cell).collect();
                let (ks, chi_square) = separation(&cells);
                Outcome::Cut { ks, chi_square, bins: Box::new(binned.bins) }
            }
            Err(unusable) => Outcome::Left { rule: unusable.rule.to_owned(), why: unusable.why },
        };
        Ok(Univariate { variable, missing_share: Some(summary.missing_rows() / rows), notes, outcome })
    };
    let mut all: Vec<Univariate> = (0..table.features.len()).into_par_iter().map(one).collect::<Result<_, _>>()?;
    all.sort_by(|a, b| b.iv().total_cmp(&a.iv()).then_with(|| a.variable.cmp(&b.variable)));
    Ok(all)
}
