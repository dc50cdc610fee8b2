//! One opened table file: its column names, and its columns one at a time.

use std::path::{Path, PathBuf};

use super::column::Column;
use super::read_csv::CsvTable;
use super::read_parquet::ParquetTable;
use crate::domain::Digest;
use crate::model::ModelError;

/// What a column holds, once decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, booleans.
    Number,
    /// Dates and instants, as days since 1970-01-01.
    Date,
    /// Text.
    Text,
}

impl Kind {
    /// The word used in messages.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Text => "text",
        }
    }
}

/// An opened CSV or Parquet file.
#[derive(Debug)]
pub struct TableFile {
    path: PathBuf,
    format: Format,
}

#[derive(Debug)]
enum Format {
    Csv(CsvTable),
    Parquet(ParquetTable),
}

/// Opens a table by its content: Parquet files begin with `PAR1`, everything else is read as delimited text.
///
/// # Errors
/// The file is missing, empty, truncated, not UTF-8, or has no header.
pub fn open_table(path: &Path) -> Result<TableFile, ModelError> {
    let mut magic = [0_u8; 4];
    let file = std::fs::File::open(path).map_err(|e| ModelError::io(path, e))?;
    if file.metadata().map_err(|e| ModelError::io(path, e))?.is_dir() {
        return Err(ModelError::table(path, "it is a folder; a table is one CSV or Parquet file"));
    }
    let read =
        std::io::Read::read(&mut std::io::Read::take(&file, 4), &mut magic).map_err(|e| ModelError::io(path, e))?;
    if read == 0 {
        return Err(ModelError::table(path, "the file is empty"));
    }
    let format = if magic.get(..read) == Some(b"PAR1") {
        Format::Parquet(ParquetTable::open(path)?)
    } else {
        Format::Csv(CsvTable::open(path)?)
    };
    Ok(TableFile { path: path.to_owned(), format })
}

impl TableFile {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Digest of the file's bytes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn digest(&self) -> Result<Digest, ModelError> {
        Digest::of_file(&self.path).map_err(|e| ModelError::io(&self.path, e))
    }

    /// Column names in file order; unique.
    #[must_use]
    pub fn names(&self) -> &[String] {
        match &self.format {
            Format::Csv(t) => t.names(),
            Format::Parquet(t) => t.names(),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        match &self.format {
            Format::Csv(t) => t.rows(),
            Format::Parquet(t) => t.rows(),
        }
    }

    /// Where a column stands.
    ///
    /// # Errors
    /// It is not in the table.
    pub fn position(&self, column: &str) -> Result<usize, ModelError> {
        self.names().iter().position(|n| n == column).ok_or_else(|| {
            let mut available = self.names().iter().take(40).cloned().collect::<Vec<_>>().join(", ");
            if self.names().len() > 40 {
                available.push_str(", …");
            }
            ModelError::NoColumn { column: column.to_owned(), available }
        })
    }

    /// Reads one column. `None` lets the content decide the kind: all numbers, all dates, else text.
    ///
    /// The note, where there is one, says what a reader of the report should know (numbers mixed with text, NaN taken as
    /// missing). `Ok(None)` means a nested or binary column that no scorecard can use.
    ///
    /// # Errors
    /// The file cannot be read, or a value is not of the kind asked for.
    pub fn load(&self, at: usize, kind: Option<Kind>) -> Result<Option<(Column, Option<String>)>, ModelError> {
        match &self.format {
            Format::Csv(t) => t.load(at, kind).map(Some),
            Format::Parquet(t) => t.load(at, kind),
        }
    }

    /// Calls `each` with the first row number and the columns asked for, block by block, so that a table of any length is
    /// scored in bounded memory.
    ///
    /// # Errors
    /// As [`Self::load`], and whatever `each` returns.
    pub fn for_each_block(
        &self,
        wanted: &[(usize, Kind)],
        each: &mut dyn FnMut(usize, Vec<Column>) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        match &self.format {
            Format::Csv(t) => {
                let columns: Result<Vec<_>, _> =
                    wanted.iter().map(|&(at, kind)| t.load(at, Some(kind)).map(|c| c.0)).collect();
                each(0, columns?)
            }
            Format::Parquet(t) => t.for_each_block(wanted, each),
        }
    }
}

/// Refuses two columns of one name: which of them a model means could not be said.
pub(super) fn refuse_duplicates(path: &Path, names: &[String]) -> Result<(), ModelError> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.iter().zip(sorted.iter().skip(1)).find(|(a, b)| a == b) {
        Some((twice, _)) => Err(ModelError::table(path, format!("two columns are called {twice:?}"))),
        None => Ok(()),
    }
}
