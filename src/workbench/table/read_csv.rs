//! Delimited text: separator found from the header, cells typed by column.

use std::path::Path;

use csv::ByteRecord;

use super::file::{Natural, refuse_duplicates};
use super::parse;
use crate::model::ModelError;
use crate::model::table::{Column, Kind, TextBuilder, Values};

/// A CSV file, held as records.
#[derive(Debug)]
pub struct CsvTable {
    names: Vec<String>,
    records: Vec<ByteRecord>,
}

impl CsvTable {
    /// Reads the file.
    ///
    /// # Errors
    /// Unreadable, ragged, no header, duplicate or empty column names, not UTF-8.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let bytes = std::fs::read(path).map_err(|e| ModelError::io(path, e))?;
        let body = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        if body.starts_with(b"\xFF\xFE") || body.starts_with(b"\xFE\xFF") {
            return Err(ModelError::table(path, "it is UTF-16 text; save it as UTF-8"));
        }
        let header_line = body.split(|&b| b == b'\n').next().unwrap_or_default();
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(header_line)).from_reader(body);
        let header = reader.headers().map_err(|e| ModelError::table(path, format!("the header: {e}")))?.clone();
        let names: Vec<String> = header.iter().enumerate().map(|(i, n)| name_or_number(n, i)).collect();
        if names.is_empty() {
            return Err(ModelError::table(path, "it has no header"));
        }
        refuse_duplicates(path, &names)?;
        let mut records = Vec::new();
        for record in reader.byte_records() {
            let record = record.map_err(|e| ModelError::table(path, e))?;
            if record.iter().any(|cell| std::str::from_utf8(cell).is_err()) {
                let row = records.len() + 1;
                return Err(ModelError::table(path, format!("data row {row} is not UTF-8 text")));
            }
            records.push(record);
        }
        Ok(Self { names, records })
    }

    /// Column names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of data rows.
    pub fn rows(&self) -> usize {
        self.records.len()
    }

    /// What a column holds.
    pub(super) fn kind(&self, at: usize) -> Natural {
        if self.cells(at).flatten().next().is_none() {
            return Natural::Empty;
        }
        let (kind, note) = self.infer(at);
        Natural::Is(kind, note)
    }

    /// One column; see [`super::TableFile::load`].
    ///
    /// # Errors
    /// A cell is not of the kind asked for.
    pub fn load(&self, at: usize, kind: Kind) -> Result<Column, ModelError> {
        let name = self.names.get(at).cloned().unwrap_or_default();
        let values = match kind {
            // A model keeps dates as days: a column that is all dates is read as such.
            Kind::Number => Values::Number(self.parsed(at, &name, kind, parse::number).or_else(|error| {
                if self.infer(at).0 == Kind::Date { self.parsed(at, &name, kind, parse::date) } else { Err(error) }
            })?),
            Kind::Date => Values::Number(self.parsed(at, &name, kind, parse::date)?),
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
        self.records.iter().map(move |record| {
            let cell = record.get(at).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default().trim();
            (!parse::is_missing(cell)).then_some(cell)
        })
    }

    fn parsed(&self, at: usize, name: &str, kind: Kind, read: fn(&str) -> Option<f64>) -> Result<Vec<f64>, ModelError> {
        let mut values = Vec::with_capacity(self.records.len());
        for (row, cell) in self.cells(at).enumerate() {
            values.push(match cell {
                None => f64::NAN,
                Some(text) => read(text).ok_or_else(|| ModelError::WrongKind {
                    column: name.to_owned(),
                    expected: kind.word(),
                    found: text.to_owned(),
                    row: row + 1,
                })?,
            });
        }
        Ok(values)
    }

    fn infer(&self, at: usize) -> (Kind, Option<String>) {
        let (mut numbers, mut dates, mut texts) = (0_usize, 0_usize, 0_usize);
        let mut example = None;
        for cell in self.cells(at).flatten() {
            if parse::number(cell).is_some() {
                numbers += 1;
            } else if texts == 0 && parse::date(cell).is_some() {
                dates += 1;
            } else {
                texts += 1;
                example.get_or_insert(cell);
            }
        }
        match (numbers, dates, texts) {
            (_, 0, 0) => (Kind::Number, None),
            (0, _, 0) => (Kind::Date, None),
            (n, d, t) if n > 0 => {
                let example = example.unwrap_or("a date");
                let note = format!(
                    "mixes {n} numbers with {} other values such as {example:?}: treated as text; mend the values, or \
                     declare them missing, to use it as a number",
                    d + t
                );
                (Kind::Text, Some(note))
            }
            _ => (Kind::Text, None),
        }
    }
}

/// The separator that occurs most often outside quotes in the header; a comma where none does.
fn delimiter(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    for &byte in header {
        if byte == b'"' {
            quoted = !quoted;
        } else if !quoted && let Some(slot) = counts.iter_mut().find(|(d, _)| *d == byte) {
            slot.1 += 1;
        }
    }
    counts.iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(d, _)| *d)
}

/// Index columns often have no name.
fn name_or_number(name: &str, at: usize) -> String {
    if name.trim().is_empty() { format!("column_{}", at + 1) } else { name.to_owned() }
}
