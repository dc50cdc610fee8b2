//! Delimited text and workbooks as people have them: their form is read off the file, their cells are typed by column.

use std::path::Path;

use polars::prelude::{ChunkFull, ChunkFullNull, StringChunked};

use super::cell_form::CellForm;
use super::file::ColumnFindings;
use super::parse;
use crate::model::ModelError;
use crate::model::table::{Column, Kind, TextBuilder, Values};
use crate::source::{DeclaredFormat, RecordFile, RecordsEnd, Sniffing, SourceError, format_of, format_path};

/// A text file or sheet, held as columns of text.
#[derive(Debug)]
pub struct CsvTable {
    names: Vec<String>,
    columns: Vec<StringChunked>,
    rows: usize,
    left_out: Option<String>,
}

/// Records read at a time.
const BATCH_ROWS: usize = 1 << 16;

impl CsvTable {
    /// Reads the file, a part of `table`, as far as it is `declared` in that way.
    ///
    /// # Errors
    /// Unreadable, no header, duplicate column names, or any malformed record: what trains a model is mended, not passed over.
    pub fn open(path: &Path, declared: &DeclaredFormat, table: &Path) -> Result<Self, ModelError> {
        // The reader is that of jobs, which say in another place how a file is written.
        let here = || format!("in {}", format_path(table).display());
        let in_words = |e: &dyn std::fmt::Display| e.to_string().replace("in [inputs]", &here());
        let refuse = |e: SourceError| ModelError::table(path, in_words(&e));
        let likely = |sniffing| format_of(path, declared, sniffing);
        // Which words are missing values is the workbench's own rule, the same for every file, beside those that are declared.
        let format = likely(Sniffing::Likely).map_err(refuse)?;
        let format = if declared.nulls.is_empty() { format.without_null_words() } else { format };
        if likely(Sniffing::Certain).is_ok_and(|certain| certain != format) {
            tracing::info!(file = %path.display(), "read as {}", format.words());
        }
        let mut file = RecordFile::open(path, 0, &format).map_err(refuse)?;
        let names = file.names().to_vec();
        let mut columns: Vec<StringChunked> =
            names.iter().map(|name| StringChunked::full_null(name.as_str().into(), 0)).collect();
        let mut rows = 0;
        while let Some(batch) = file.next_batch(BATCH_ROWS).map_err(refuse)? {
            for (column, name) in columns.iter_mut().zip(&names) {
                let cells = batch.column(name).and_then(|cells| cells.str());
                cells.and_then(|cells| column.append(cells)).map_err(|e| ModelError::table(path, e))?;
            }
            rows += batch.height();
        }
        let RecordsEnd { malformed, footer, .. } = file.end();
        let left_out = footer.first().map(|first| {
            let (lines, file) = (footer.len(), path.display());
            let (are, begin) = if lines == 1 {
                ("line after the last record is no row", "it is")
            } else {
                ("lines after the last record are no rows", "they begin with")
            };
            format!("{file}: {lines} {are} of the table and left out; {begin} {first:?}")
        });
        if let Some(first) = malformed.first() {
            let (count, row, why) = (malformed.len(), first.row, &first.why);
            let more = if count > 1 { format!("; {count} records are malformed in all") } else { String::new() };
            return Err(ModelError::table(path, in_words(&format!("data row {row}, {why}{more}"))));
        }
        Ok(Self { names, columns, rows, left_out })
    }

    /// What of the file is no row of the table, in words; none where all of it is.
    pub fn left_out(&self) -> Option<&str> {
        self.left_out.as_deref()
    }

    /// A table of columns that say the same in all of so many rows.
    pub fn constant(columns: &[(String, Option<String>)], rows: usize) -> Self {
        let cells = |(name, value): &(String, Option<String>)| match value {
            Some(value) => StringChunked::full(name.as_str().into(), value, rows),
            None => StringChunked::full_null(name.as_str().into(), rows),
        };
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        Self { names, columns: columns.iter().map(cells).collect(), rows, left_out: None }
    }

    /// Column names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of data rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What a column holds.
    pub(super) fn kind(&self, at: usize) -> ColumnFindings {
        if self.cells(at).flatten().next().is_none() {
            return ColumnFindings::Empty;
        }
        let (form, note) = self.form(at);
        ColumnFindings::Is(form.kind(), note)
    }

    /// One column; see [`super::TableFile::load`].
    ///
    /// # Errors
    /// A cell is not of the kind asked for.
    pub fn load(&self, at: usize, kind: Kind) -> Result<Column, ModelError> {
        let name = self.names.get(at).cloned().unwrap_or_default();
        let values = match kind {
            // A model keeps dates as days: a column that is all dates is read as such.
            Kind::Number | Kind::Date => Values::Number(self.parsed(at, &name, kind)?),
            Kind::Text => {
                let mut text = TextBuilder::default();
                self.cells(at).for_each(|cell| text.push(cell));
                Values::Text(text.finish())
            }
        };
        Ok(Column { name, values })
    }

    /// Cells with the spaces around them gone and missing ones told apart.
    fn cells(&self, at: usize) -> impl Iterator<Item = Option<&str>> {
        let cells = self.columns.get(at).into_iter().flat_map(StringChunked::iter);
        cells.map(|cell| cell.map(str::trim).filter(|cell| !parse::is_missing(cell)))
    }

    fn parsed(&self, at: usize, name: &str, kind: Kind) -> Result<Vec<f64>, ModelError> {
        let plain = if kind == Kind::Date { CellForm::Day } else { CellForm::Number };
        self.read(at, name, kind, &plain).or_else(|error| match self.form(at).0 {
            CellForm::Text => Err(error),
            CellForm::Number | CellForm::WrittenNumber(_) if kind == Kind::Date => Err(error),
            form => self.read(at, name, kind, &form),
        })
    }

    fn read(&self, at: usize, name: &str, kind: Kind, form: &CellForm) -> Result<Vec<f64>, ModelError> {
        let mut values = Vec::with_capacity(self.rows);
        for (row, cell) in self.cells(at).enumerate() {
            values.push(match cell {
                None => f64::NAN,
                Some(text) => form.value(text).ok_or_else(|| ModelError::WrongKind {
                    column: name.to_owned(),
                    expected: kind.word(),
                    found: text.to_owned(),
                    row: row + 1,
                })?,
            });
        }
        Ok(values)
    }

    fn form(&self, at: usize) -> (CellForm, Option<String>) {
        CellForm::of(|| self.cells(at).flatten())
    }
}
