//! What training takes: feature columns, a two-valued target, weights, a split.

use std::collections::BTreeMap;

use super::column::{Column, Direction};
use super::features::Features;
use crate::model::ModelError;

/// A table to train on.
#[derive(Debug)]
pub struct TrainingTable {
    /// Feature columns.
    pub features: Features,
    /// What is expected of some of them, by name.
    pub directions: BTreeMap<String, Direction>,
    /// One a row: `true` is bad (defaulted).
    pub target: Vec<bool>,
    /// One a row, positive; `None` weighs all rows alike.
    pub weights: Option<Vec<f64>>,
    /// One a row: `true` is kept for testing and is seen by nothing that is fitted.
    pub test: Vec<bool>,
    /// One a row: rows of one group (a merchant's snapshots) stay in one fold of the cross-validation.
    pub groups: Option<Vec<u64>>,
    /// One a row: when it was observed, in any unit that rises; `None` where that is not known.
    pub times: Option<Vec<f64>>,
}

impl TrainingTable {
    /// A table in memory, as the pipeline has it. Every row trains; set `test` for an out-of-time part.
    ///
    /// # Errors
    /// Columns and target differ in length, or two columns share a name.
    pub fn new(columns: Vec<Column>, target: Vec<bool>) -> Result<Self, ModelError> {
        if let Some(column) = columns.iter().find(|c| c.len() != target.len()) {
            return Err(ModelError::CannotTrain {
                why: format!("column {:?} has {} rows, the target {}", column.name, column.len(), target.len()),
            });
        }
        let mut names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        if let Some((twice, _)) = names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b) {
            return Err(ModelError::CannotTrain { why: format!("two columns are called {twice:?}") });
        }
        let test = vec![false; target.len()];
        Ok(Self {
            features: Features::Memory(columns),
            directions: BTreeMap::new(),
            target,
            weights: None,
            test,
            groups: None,
            times: None,
        })
    }

    /// Declares what is expected of a variable.
    #[must_use]
    pub fn expecting(mut self, name: &str, direction: Direction) -> Self {
        self.directions.insert(name.to_owned(), direction);
        self
    }
}

/// A table to score: columns in memory, of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScoringTable {
    /// Columns, in any order; those the model does not use are ignored.
    pub columns: Vec<Column>,
}

impl ScoringTable {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// The column of that name.
    ///
    /// # Errors
    /// It is not there.
    pub fn column(&self, name: &str) -> Result<&Column, ModelError> {
        self.columns.iter().find(|c| c.name == name).ok_or_else(|| ModelError::NoColumn {
            column: name.to_owned(),
            available: self.columns.iter().take(40).map(|c| c.name.clone()).collect::<Vec<_>>().join(", "),
        })
    }
}
