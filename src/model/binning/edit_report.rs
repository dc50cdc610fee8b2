//! What an edit changed: the variable before and after, on the rows that trained and on those set aside.

use serde::{Deserialize, Serialize};

use super::cuts::{Cuts, VariableEdit, code_as_given};
use crate::model::ModelError;
use crate::model::binning::dynamic::Cell;
use crate::model::binning::fine::{FineColumn, code_column, tally};
use crate::model::binning::settings::BinningSettings;
use crate::model::binning::summary::Rows;
use crate::model::binning::variable::{Binned, Merges, as_given, bin_variable, information_value, separation};
use crate::model::table::{Column, Direction};

/// One bin of one part of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinFigures {
    /// What falls into it.
    pub bin: String,
    /// Rows (weighted).
    pub rows: f64,
    /// Bad rows (weighted).
    pub bad: f64,
    /// Their share; `None` without rows.
    pub bad_rate: Option<f64>,
}

/// A variable's figures on one part of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutFigures {
    /// Information value.
    pub iv: f64,
    /// Kolmogorov–Smirnov distance over the bins.
    pub ks: f64,
    /// Its bins.
    pub bins: Vec<BinFigures>,
}

/// A variable under one set of cuts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditSide {
    /// On the training rows.
    pub train: CutFigures,
    /// On the rows set aside.
    pub test: Option<CutFigures>,
}

/// What an edit changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EditReport {
    /// The column.
    pub variable: String,
    /// Why.
    pub reason: String,
    /// As exported, or as the engine would cut it; `None` where it would not cut it at all.
    pub before: Option<EditSide>,
    /// As set.
    pub after: EditSide,
}

/// Rows to compare on.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Rows that train.
    pub train: &'a [u32],
    /// Rows set aside.
    pub test: &'a [u32],
    /// One a row: `true` is bad.
    pub target: &'a [bool],
    /// One a row, if any.
    pub weights: Option<&'a [f64]>,
}

/// A column coded as given, and the comparison with what stood before.
///
/// # Errors
/// The cuts do not suit the column, or it holds an infinite value.
pub fn recut(
    column: &Column,
    edit: &VariableEdit,
    parts: Parts<'_>,
    specials: &[f64],
    direction: Direction,
    settings: &BinningSettings,
) -> Result<(FineColumn, Merges, EditReport), ModelError> {
    let given = |cuts: &Cuts| -> Result<_, ModelError> {
        let (fine, merged) = code_as_given(column, cuts, specials)?;
        let binned = as_given(&fine, &tally(&fine, parts.train, parts.target, parts.weights), &merged, settings);
        Ok((fine, merged, binned))
    };
    let before = match &edit.before {
        Some(cuts) => given(cuts).map(|(fine, _, binned)| Some((fine, binned)))?,
        None => automatic(column, parts, specials, direction, settings)?,
    };
    let (fine, merged, binned) = given(&edit.cuts)?;
    let report = EditReport {
        variable: edit.variable.clone(),
        reason: edit.reason.clone(),
        before: before.map(|(fine, binned)| side(&fine, &binned, parts)),
        after: side(&fine, &binned, parts),
    };
    Ok((fine, merged, report))
}

/// How the engine would cut the column; `None` where it cannot be a variable.
fn automatic(
    column: &Column,
    parts: Parts<'_>,
    specials: &[f64],
    direction: Direction,
    settings: &BinningSettings,
) -> Result<Option<(FineColumn, Binned)>, ModelError> {
    let mut train = vec![false; parts.target.len()];
    for &row in parts.train {
        if let Some(flag) = train.get_mut(row as usize) {
            *flag = true;
        }
    }
    let rows = Rows { train: &train, target: parts.target };
    let Ok(fine) = code_column(column, rows, specials, settings)? else { return Ok(None) };
    let counts = tally(&fine, parts.train, parts.target, parts.weights);
    Ok(bin_variable(&fine, &counts, direction, settings).ok().map(|binned| (fine, binned)))
}

fn side(fine: &FineColumn, binned: &Binned, parts: Parts<'_>) -> EditSide {
    let of = |rows: &[u32]| figures(binned, &tally(fine, rows, parts.target, parts.weights));
    EditSide { train: of(parts.train), test: (!parts.test.is_empty()).then(|| of(parts.test)) }
}

/// Figures of bins from the tally of fine codes.
fn figures(binned: &Binned, counts: &[Cell]) -> CutFigures {
    let mut cells = vec![Cell::default(); binned.bins.bins.len()];
    for (&bin, &count) in binned.map.iter().zip(counts) {
        if let Some(cell) = cells.get_mut(usize::from(bin)) {
            *cell = cell.plus(count);
        }
    }
    let bins = binned.bins.bins.iter().zip(&cells).map(|(bin, cell)| BinFigures {
        bin: bin.label.clone(),
        rows: cell.rows,
        bad: cell.bad,
        bad_rate: (cell.rows > 0.0).then(|| cell.rate()),
    });
    CutFigures { iv: information_value(&cells), ks: separation(&cells).0, bins: bins.collect() }
}
