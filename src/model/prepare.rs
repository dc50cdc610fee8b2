//! The table read once into fine cells.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;

use super::binning::{EditReport, FineColumn, Merges, MixedKinds, Parts, Rows, Summary, Unusable, lay_out, recut};
use super::error::ModelError;
use super::report::{Dropped, Stage};
use super::selection::{Alone, alone};
use super::settings::TrainSettings;
use super::table::{Column, Kind, TrainingTable};

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

/// Reads and codes all columns; one raw column a thread, or one file's part of it, is in memory at a time. `rows` are those that train.
///
/// # Errors
/// A file that cannot be read, an infinite value, bins that do not suit their column, or no usable column.
pub fn prepare(table: &TrainingTable, rows: &[u32], settings: &TrainSettings) -> Result<Prepared, ModelError> {
    let train: Vec<bool> = table.test.iter().map(|t| !t).collect();
    let test: Vec<u32> = table.test.iter().zip(0..).filter(|(t, _)| **t).map(|(_, row)| row).collect();
    let parts = Parts { train: rows, test: &test, target: &table.target, weights: table.weights.as_deref() };
    let coded: Vec<Result<_, ModelError>> = (0..table.features.len())
        .into_par_iter()
        .map(|i| match table.features.kind(i) {
            Some((kind, note)) => Ok((code(table, i, kind, &train, parts, settings)?, note)),
            None => Ok((Coded::Not(Unusable { rule: "type", why: "nested or binary values".to_owned() }), None)),
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

/// Reads a column twice where it comes in parts, once to sum it up and once to code it: one part a thread is in memory at a time.
fn code(
    table: &TrainingTable,
    i: usize,
    kind: Kind,
    train: &[bool],
    parts: Parts<'_>,
    settings: &TrainSettings,
) -> Result<Coded, ModelError> {
    let features = &table.features;
    let name = features.name(i);
    if let Some(edit) = settings.edits.iter().find(|e| e.variable == name) {
        let direction = table.directions.get(&name).copied().unwrap_or_default();
        let whole = features.whole(i, kind)?;
        let (fine, merged, report) = recut(&whole, edit, parts, &settings.specials, direction, &settings.binning)?;
        return Ok(Coded::Given(fine, merged, Box::new(report)));
    }
    let Summed { laid_out, column, .. } = sum_up(table, i, kind, train, settings)?;
    let mut fine = match laid_out {
        Ok(fine) => fine,
        Err(unusable) => return Ok(Coded::Not(unusable)),
    };
    match column {
        Some(column) => fine.append(&column)?,
        None => {
            for part in 0..features.parts() {
                fine.append(features.part(i, part, kind)?.as_ref())?;
            }
        }
    }
    Ok(Coded::Fine(fine))
}

/// A column that was summed up.
pub struct Summed<'a> {
    /// Its training rows by value.
    pub summary: Summary,
    /// Its fine cells, with no row coded.
    pub laid_out: Result<FineColumn, Unusable>,
    /// The column, where it came in one part.
    pub column: Option<Cow<'a, Column>>,
}

/// Sums a column up, part by part, and lays out its fine cells.
///
/// # Errors
/// A file that cannot be read, an infinite value, or another number of rows than the target has.
pub fn sum_up<'a>(
    table: &'a TrainingTable,
    i: usize,
    kind: Kind,
    train: &[bool],
    settings: &TrainSettings,
) -> Result<Summed<'a>, ModelError> {
    let features = &table.features;
    let rows = Rows { train, target: &table.target };
    let name = features.name(i);
    let of = |column: &Column, part: usize, first: usize| {
        let summary = Summary::of(column, rows.part(first, column.len()), &settings.specials);
        summary.map_err(|e| features.named(part, e))
    };
    let first = features.part(i, 0, kind)?;
    let mut summary = of(&first, 0, 0)?;
    let mut read = first.len();
    let column = (features.parts() == 1).then_some(first);
    for part in 1..features.parts() {
        let column = features.part(i, part, kind)?;
        summary.merge(of(&column, part, read)?).map_err(|MixedKinds| ModelError::CannotTrain {
            why: format!("column {name:?} holds numbers in one file and text in another"),
        })?;
        read += column.len();
    }
    if read != train.len() {
        let why = format!("column {name:?} has {read} rows, the target {}", train.len());
        return Err(ModelError::CannotTrain { why });
    }
    let laid_out = lay_out(&name, &summary, &settings.binning)?;
    Ok(Summed { summary, laid_out, column })
}
