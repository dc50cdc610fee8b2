//! The table read once into fine cells.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::binning::edits::{EditReport, Parts, compare};
use super::binning::{FineColumn, Merges, Unusable, code_column};
use super::error::ModelError;
use super::report::{Dropped, Stage};
use super::selection::{Alone, alone};
use super::settings::TrainSettings;
use super::table::{Column, TrainingTable};

/// Every usable column as fine cells, and what was left out.
#[derive(Debug)]
pub struct Prepared {
    /// Usable columns.
    pub columns: Vec<FineColumn>,
    /// Unusable ones with their reason.
    pub dropped: Vec<Dropped>,
    /// Notes on columns.
    pub notes: Vec<String>,
    /// Columns, by position, whose cells are bins that a person set, and the cells that special and missing values share.
    pub given: BTreeMap<usize, Merges>,
    /// Comparisons of those columns with what stood before.
    pub edits: Vec<EditReport>,
}

/// One column, coded.
enum Coded {
    Fine(FineColumn),
    Given(FineColumn, Merges, Box<EditReport>),
    Not(Unusable),
}

/// Reads and codes all columns; one raw column a thread is in memory at a time. `rows` are those that train.
///
/// # Errors
/// A file that cannot be read, an infinite value, bins that do not suit their column, or no usable column.
pub fn prepare(table: &TrainingTable, rows: &[u32], settings: &TrainSettings) -> Result<Prepared, ModelError> {
    let train: Vec<bool> = table.test.iter().map(|t| !t).collect();
    let test: Vec<u32> = table.test.iter().zip(0..).filter(|(t, _)| **t).map(|(_, row)| row).collect();
    let parts = Parts { train: rows, test: &test, target: &table.target, weights: table.weights.as_deref() };
    let coded: Vec<Result<_, ModelError>> = (0..table.features.len())
        .into_par_iter()
        .map(|i| {
            table.features.with_column(i, |column| {
                let Some((column, note)) = column else {
                    let not = Unusable { rule: "type", why: "nested or binary values".to_owned() };
                    return Ok((Coded::Not(not), None));
                };
                if column.len() != train.len() {
                    let why = format!("column {:?} has {} rows, the target {}", column.name, column.len(), train.len());
                    return Err(ModelError::CannotTrain { why });
                }
                Ok((code(column, table, &train, parts, settings)?, note))
            })
        })
        .collect();
    let mut prepared = Prepared {
        columns: Vec::new(),
        dropped: Vec::new(),
        notes: Vec::new(),
        given: BTreeMap::new(),
        edits: Vec::new(),
    };
    for (i, outcome) in coded.into_iter().enumerate() {
        let (coded, note) = outcome?;
        let name = table.features.name(i);
        prepared.notes.extend(note.map(|n| format!("column {name:?} {n}")));
        match coded {
            Coded::Fine(column) => match alone(&column, table, rows, settings) {
                Alone::Passes(note) => {
                    prepared.notes.extend(note.map(|n| format!("column {name:?} {n}")));
                    prepared.columns.push(column);
                }
                Alone::Leaves(rule, why) => {
                    let rule = rule.to_owned();
                    prepared.dropped.push(Dropped { variable: name, stage: Stage::Selection, rule, why });
                }
            },
            Coded::Given(column, merged, report) => {
                prepared.given.insert(prepared.columns.len(), merged);
                prepared.columns.push(column);
                prepared.edits.push(*report);
            }
            Coded::Not(unusable) => prepared.dropped.push(Dropped {
                variable: name,
                stage: Stage::Reading,
                rule: unusable.rule.to_owned(),
                why: unusable.why,
            }),
        }
    }
    if let Some(edit) = settings.edits.iter().find(|e| !prepared.edits.iter().any(|r| r.variable == e.variable)) {
        let why = format!("no usable column is called {:?}, for which bins are given", edit.variable);
        return Err(ModelError::BadSetting { setting: "bins", why });
    }
    if prepared.columns.is_empty() {
        let reasons: Vec<String> =
            prepared.dropped.iter().take(8).map(|d| format!("{:?}: {}", d.variable, d.why)).collect();
        return Err(ModelError::CannotTrain {
            why: format!(
                "no column can be a variable ({})",
                if reasons.is_empty() { "there are none".to_owned() } else { reasons.join("; ") }
            ),
        });
    }
    Ok(prepared)
}

fn code(
    column: &Column,
    table: &TrainingTable,
    train: &[bool],
    parts: Parts<'_>,
    settings: &TrainSettings,
) -> Result<Coded, ModelError> {
    if let Some(edit) = settings.edits.iter().find(|e| e.variable == column.name) {
        let direction = table.directions.get(&column.name).copied().unwrap_or_default();
        let (fine, merged, report) = compare(column, edit, parts, &settings.specials, direction, &settings.binning)?;
        return Ok(Coded::Given(fine, merged, Box::new(report)));
    }
    let coded = code_column(
        column,
        train,
        &table.target,
        &settings.specials,
        settings.binning.pre_binning,
        settings.binning.max_cells,
        settings.binning.min_level_rows,
    )?;
    Ok(coded.map_or_else(Coded::Not, Coded::Fine))
}
