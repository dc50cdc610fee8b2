//! The table read once into fine cells.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;

use super::binning::{
    Cell, EditReport, FineColumn, FineScale, Merges, MixedKinds, Parts, Rows, Summary, Trend, Unusable, lay_out, recut,
};
use super::error::ModelError;
use super::report::{Dropped, Stage};
use super::selection::{Candidate, ColumnScreening, screen_column};
use super::settings::TrainSettings;
use super::table::{Column, Direction, Kind, TrainingTable};

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
    /// Directions found on all training rows, by position: where a trend must be monotone either way, every part of a card goes one way.
    pub found_directions: BTreeMap<usize, Direction>,
}

impl Prepared {
    /// What a column's bins are held to: the direction declared, else the one found.
    #[must_use]
    pub fn direction(&self, at: usize, table: &TrainingTable) -> Direction {
        let declared = self.columns.get(at).and_then(|column| table.directions.get(&column.name)).copied();
        match declared.unwrap_or_default() {
            Direction::Either => self.found_directions.get(&at).copied().unwrap_or_default(),
            declared => declared,
        }
    }

    /// What the regular bins of a card are held to along a column's values. Levels of a text have no order to go along.
    #[must_use]
    pub fn held_direction(&self, at: usize, table: &TrainingTable) -> Direction {
        match self.columns.get(at).map(|column| &column.scale) {
            Some(FineScale::Number { .. }) => self.direction(at, table),
            _ => Direction::Either,
        }
    }

    /// Settles which way each number goes, where the trend asked for is monotone either way: as its bins on all training rows go, or, where it
    /// could not be cut, as its event rates lean.
    pub fn settle_directions(&mut self, candidates: &[Candidate], tallies: &[Vec<Cell>], settings: &TrainSettings) {
        if settings.binning.trend != Trend::Monotone {
            return;
        }
        for (at, (column, counts)) in self.columns.iter().zip(tallies).enumerate() {
            if matches!(column.scale, FineScale::Text { .. }) || self.given.contains_key(&at) {
                continue;
            }
            let trend = candidates.iter().find(|c| c.column == at).map(|c| c.binned.bins.trend);
            let is_rising = trend
                .map_or_else(|| leans_up(counts.get(..column.cells).unwrap_or_default()), |t| t == Trend::Ascending);
            self.found_directions.insert(at, if is_rising { Direction::LowerSafer } else { Direction::HigherSafer });
        }
    }
}

/// Whether event rates rise with the cells on the whole: the sign of their covariance.
fn leans_up(cells: &[Cell]) -> bool {
    let whole = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
    cells.iter().enumerate().map(|(place, c)| place as f64 * (c.bad - c.rows * whole.rate())).sum::<f64>() >= 0.0
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
        found_directions: BTreeMap::new(),
    };
    for (i, outcome) in coded.into_iter().enumerate() {
        let (coded, note) = outcome?;
        let name = table.features.name(i);
        prepared.notes.extend(note.map(|n| format!("column {name:?} {n}")));
        match coded {
            Coded::Fine(column) => match screen_column(&column, table, rows, settings) {
                ColumnScreening::Passes(note) => {
                    prepared.notes.extend(note.map(|n| format!("column {name:?} {n}")));
                    prepared.columns.push(column);
                }
                ColumnScreening::Leaves(rule, why) if settings.is_forced(&name) => {
                    prepared
                        .notes
                        .push(format!("column {name:?} is forced in, though by {rule} it would leave: {why}"));
                    prepared.columns.push(column);
                }
                ColumnScreening::Leaves(rule, why) => {
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
