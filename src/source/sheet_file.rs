//! Reads one sheet of a workbook as records of text, in batches, as [`super::csv_file`] reads a CSV file.
//!
//! Cells become the texts that a CSV file would hold: a number as short as it can be written, a date (known by its cell's format) as `2018-01-31`, in
//! a column where any has a time of day as `2018-01-31T10:05:00`, a blank cell as null. A formula stands for its value as the workbook keeps it. A record with an error
//! (`#REF!`), or with a formula that was never computed, is malformed; its place is told by the cell. Rows without any cell are not records.

use std::path::{Path, PathBuf};

use calamine::Data;
use polars::prelude::*;

use super::error::SourceError;
use super::malformed::MalformedRecord;
use super::record_file::{Batch, RecordsEnd, next_record, value_of, with_own_names};
use super::sheet_cell::{has_time, letters, text_of};
use super::sheet_format::SheetFormat;
use super::sheet_rows::{self, SheetRows, Survey, is_blank_cell};
use super::workbook::Workbook;

/// A sheet that is read batch by batch.
pub(crate) struct SheetFile {
    path: PathBuf,
    file: u32,
    format: SheetFormat,
    names: Vec<String>,
    survey: Survey,
    rows: SheetRows,
    records: u32,
    malformed: Vec<MalformedRecord>,
}

impl SheetFile {
    /// Opens a sheet and reads its header. `file` is the file's number among its input's files.
    ///
    /// # Errors
    /// The workbook cannot be read, the sheet is empty, its header names a column twice or holds an error, or it has other columns than were declared.
    pub fn open(path: &Path, file: u32, format: &SheetFormat) -> Result<Self, SourceError> {
        let corrupt = |why: String| SourceError::Corrupt { file: path.to_owned(), why };
        let opened = sheet_rows::open(Workbook::open(path)?, format)?;
        let (survey, rows) = opened.ok_or_else(|| SourceError::EmptyFile { file: path.to_owned() })?;
        let names = names_of(&survey.header, format).map_err(|(column, why)| match column {
            Some(column) => {
                let place = place_in(&survey, survey.header_row(), column);
                corrupt(format!("cell {place} of sheet {:?}, in the header, holds the error {why}", format.sheet))
            }
            None => corrupt(why),
        })?;
        let (path, format) = (path.to_owned(), format.clone());
        Ok(Self { path, file, format, names, survey, rows, records: 0, malformed: Vec::new() })
    }

    /// The columns as the header names them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The next good records, `rows` at most; `None` after the last one.
    ///
    /// # Errors
    /// The frame cannot be made.
    pub fn next_batch(&mut self, rows: usize) -> Result<Option<DataFrame>, SourceError> {
        let mut batch = Batch::new(&self.names);
        let Self { path, format, names, survey, rows: sheet, records, malformed, file } = self;
        while batch.len() < rows {
            let Some(row) = sheet.next(format, survey)? else { break };
            if row.uncomputed.is_empty() && is_blank(&row.cells) {
                continue;
            }
            *records = next_record(*records, path)?;
            let texts: Vec<Result<Option<String>, String>> = row
                .cells
                .iter()
                .zip(&survey.with_time)
                .enumerate()
                .map(|(column, (cell, with_time))| {
                    if row.uncomputed.contains(&column) {
                        Err(UNCOMPUTED.to_owned())
                    } else {
                        text_of(cell, *with_time)
                    }
                })
                .collect();
            if let Some(fault) = Fault::of(&texts) {
                let place = place_in(survey, row.number, fault.column);
                malformed.push(fault.record((*file, *records), &place, names, texts));
                continue;
            }
            let values = row.cells.iter().zip(&texts).map(|(cell, text)| {
                // A number has no mark of its own until it is written as text.
                let has_comma = format.has_decimal_comma && matches!(cell, Data::String(_));
                value_of(text.as_ref().ok()?.as_deref()?, &format.nulls, has_comma)
            });
            batch.add(*records, values);
        }
        batch.frame(*file, path)
    }

    /// What was found, once [`Self::next_batch`] has given the last batch.
    pub fn end(self) -> RecordsEnd {
        RecordsEnd { malformed: self.malformed, records: self.records, footer: Vec::new() }
    }
}

/// What stands for the value of a formula that no program has computed since it was written.
const UNCOMPUTED: &str = "a formula that was never computed";

/// The first cell of a record that has no value that can be known.
struct Fault {
    rule: &'static str,
    column: usize,
    why: String,
}

impl Fault {
    fn of(texts: &[Result<Option<String>, String>]) -> Option<Self> {
        texts.iter().enumerate().find_map(|(column, text)| match text {
            Err(why) if why == UNCOMPUTED => {
                let why = format!("{why}: open the workbook in a spreadsheet program and save it again");
                Some(Self { rule: "error-cell", column, why })
            }
            Err(error) => Some(Self { rule: "error-cell", column, why: format!("the error {error}") }),
            Ok(Some(text)) if text.contains('\0') => {
                Some(Self { rule: "nul-byte", column, why: "a NUL byte".to_owned() })
            }
            Ok(_) => None,
        })
    }

    fn record(
        &self,
        (file, row): (u32, u32),
        place: &str,
        names: &[String],
        texts: Vec<Result<Option<String>, String>>,
    ) -> MalformedRecord {
        let column = names.get(self.column).map_or("", String::as_str);
        let why = format!("cell {place}, column {column:?}, holds {}", self.why);
        let told = |text: &Result<Option<String>, String>| match text {
            Ok(text) => text.clone().unwrap_or_default(),
            Err(error) => error.clone(),
        };
        let text = texts.iter().map(told).collect::<Vec<_>>().join("\t");
        let known = names.iter().cloned().zip(texts).filter_map(|(name, text)| Some((name, text.ok()??)));
        MalformedRecord::of_cells((file, row), self.rule, why, &text, known)
    }
}

/// `D17`: a cell of a record as the sheet names it.
fn place_in(survey: &Survey, row: u32, column: usize) -> String {
    format!("{}{}", letters(survey.column_of_sheet(column)), u64::from(row) + 1)
}

/// Whether no cell of a row holds anything.
pub(super) fn is_blank(row: &[Data]) -> bool {
    row.iter().all(is_blank_cell)
}

/// The names of the columns: as declared, as the header says, or numbered. An error with the column whose cell is one.
fn names_of(header: &[Data], format: &SheetFormat) -> Result<Vec<String>, (Option<usize>, String)> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for (at, cell) in header.iter().enumerate() {
        let text =
            if format.has_header { text_of(cell, has_time(cell)).map_err(|error| (Some(at), error))? } else { None };
        let name = text.as_deref().map(str::trim).filter(|name| !name.is_empty());
        names.push(name.map_or_else(|| format!("column_{}", at + 1), ToOwned::to_owned));
    }
    if let Some(declared) = &format.columns {
        if declared.len() != names.len() {
            let (got, wanted) = (names.len(), declared.len());
            return Err((None, format!("sheet {:?} has {got} columns, but columns names {wanted}", format.sheet)));
        }
        names.clone_from(declared);
    }
    match names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name)) {
        Some((_, name)) => {
            let (sheet, todo) = (&format.sheet, with_own_names(&names));
            Err((None, format!("the header of sheet {sheet:?} names column {name:?} twice; {todo}")))
        }
        None => Ok(names),
    }
}

#[cfg(test)]
#[path = "sheet_file_tests.rs"]
mod tests;
