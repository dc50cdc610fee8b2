//! The table read once into fine cells.

use rayon::prelude::*;

use super::binning::{FineColumn, code_column};
use super::error::ModelError;
use super::report::{Dropped, Stage};
use super::settings::TrainSettings;
use super::table::TrainingTable;

/// Every usable column as fine cells, and what was left out.
#[derive(Debug)]
pub struct Prepared {
    /// Usable columns.
    pub columns: Vec<FineColumn>,
    /// Unusable ones with their reason.
    pub dropped: Vec<Dropped>,
    /// Notes on columns.
    pub notes: Vec<String>,
}

/// Reads and codes all columns; one raw column a thread is in memory at a time.
///
/// # Errors
/// A file that cannot be read, an infinite value, or no usable column.
pub fn prepare(table: &TrainingTable, settings: &TrainSettings) -> Result<Prepared, ModelError> {
    let train: Vec<bool> = table.test.iter().map(|t| !t).collect();
    let coded: Vec<Result<_, ModelError>> = (0..table.features.len())
        .into_par_iter()
        .map(|i| {
            table.features.with_column(i, |column| {
                let Some((column, note)) = column else {
                    return Ok((
                        Err(super::binning::Unusable { rule: "type", why: "nested or binary values".to_owned() }),
                        None,
                    ));
                };
                if column.len() != train.len() {
                    let why = format!("column {:?} has {} rows, the target {}", column.name, column.len(), train.len());
                    return Err(ModelError::CannotTrain { why });
                }
                let coded = code_column(
                    column,
                    &train,
                    &table.target,
                    &settings.specials,
                    settings.binning.pre_binning,
                    settings.binning.max_cells,
                    settings.binning.min_level_rows,
                )?;
                Ok((coded, note))
            })
        })
        .collect();
    let mut prepared = Prepared { columns: Vec::new(), dropped: Vec::new(), notes: Vec::new() };
    for (i, outcome) in coded.into_iter().enumerate() {
        let (coded, note) = outcome?;
        let name = table.features.name(i);
        prepared.notes.extend(note.map(|n| format!("column {name:?} {n}")));
        match coded {
            Ok(column) => prepared.columns.push(column),
            Err(unusable) => prepared.dropped.push(Dropped {
                variable: name,
                stage: Stage::Reading,
                rule: unusable.rule.to_owned(),
                why: unusable.why,
            }),
        }
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
