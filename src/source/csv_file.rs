//! Reads a CSV file as text, record by record, in batches, so that one malformed record costs that record and not the file.
//!
//! Types are never guessed: every cell is a string, an empty cell and a declared null word are null. The file may be packed, and in any
//! encoding and with any separator (see [`super::sniff`]); places are told in bytes of the file, of a packed one in bytes of what it holds. A record is read by the strict grammar of
//! [`super::csv_record`], because a lenient reader lets a stray quote swallow all records up to the next one in silence. A quoted cell may
//! hold line breaks. Where a line opens a quoted cell, the lines after it are joined to it as long as the record is open:
//!
//! - the record closes and has as many cells as the header: it is a record of several lines;
//! - it never closes, or closes into nonsense: the quote is stray. The first line is malformed, and reading goes on at the next line;
//! - it closes, but a line within it is a whole record of this file by itself: nobody can say whether the quotes or the lines are
//!   meant, and the file is refused;
//! - it closes in the next line, and that line looks like a damaged record of this file: both are malformed.
//!
//! Every record is counted: good and malformed ones and lines of a declared footer add up to [`RecordsEnd::records`]. Empty lines are not records.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use encoding_rs::UTF_8;
use polars::prelude::*;

use super::csv_record::{Cells, Forms, MAX_CELL_BYTES, Reading, STRAY_QUOTE, read as read_record};
use super::error::SourceError;
use super::lines::{Line, Lines};
use super::malformed::{Fault, MalformedRecord, WRONG_CELL_COUNT};
use super::record_file::{Batch, RecordsEnd, next_record, value_of, with_own_names};
use super::text_format::TextFormat;
use super::unpack::{Bytes, SourceBytes, as_utf_8, open_unpacked};

/// Records from whose cells the forms of the columns are learnt.
const RECORDS_FOR_FORMS: u32 = 10_000;

/// A CSV file that is read batch by batch.
pub(crate) struct CsvFile {
    lines: Lines<Bytes>,
    reader: Reader,
}

impl CsvFile {
    /// Opens a file and reads its header. `file` is its number among its input's files.
    ///
    /// # Errors
    /// The file cannot be opened or is not text, has no header, names a column twice, or has other columns than were declared.
    pub fn open(path: &Path, file: u32, format: &TextFormat) -> Result<Self, SourceError> {
        let (mut bytes, packing) = open_unpacked(path)?;
        bytes.fill_buf().map_err(|e| packing.error(path, &e))?;
        bytes.consume(format.mark);
        let mut lines =
            Lines::new(as_utf_8(bytes, format.encoding), format.mark as u64, SourceBytes::of(format.encoding));
        let names = column_names(path, &mut lines, format)?;
        let forms = vec![Forms::default(); names.len()];
        let format = format.clone();
        let reader = Reader {
            path: path.to_owned(),
            file,
            format,
            forms,
            names,
            records: 0,
            is_unended: false,
            malformed: Vec::new(),
        };
        Ok(Self { lines, reader })
    }

    /// The columns as the header names them.
    pub fn names(&self) -> &[String] {
        &self.reader.names
    }

    /// The next good records, `rows` at most; `None` after the last one.
    ///
    /// # Errors
    /// The file cannot be read on, or has quotes that can be read in two ways.
    pub fn next_batch(&mut self, rows: usize) -> Result<Option<DataFrame>, SourceError> {
        let Self { lines, reader } = self;
        let path = reader.path.clone();
        let packing = reader.format.packing;
        let io = |e: std::io::Error| packing.error(&path, &e);
        let mut batch = Batch::new(&reader.names);
        while batch.len() < rows {
            let Some(line) = lines.next().map_err(io)? else { break };
            if line.bytes.is_empty() {
                continue;
            }
            let Some(cells) = reader.record(&line, lines)? else { continue };
            if reader.records <= RECORDS_FOR_FORMS {
                for (forms, cell) in reader.forms.iter_mut().zip(cells.iter()) {
                    forms.add(Forms::of(cell));
                }
            }
            let TextFormat { nulls, has_decimal_comma, .. } = &reader.format;
            let text = |cell| value_of(std::str::from_utf8(cell).ok()?, nulls, *has_decimal_comma);
            batch.add(reader.records, cells.iter().map(text));
        }
        batch.frame(reader.file, &path)
    }

    /// What was found, once [`Self::next_batch`] has given the last batch.
    pub fn end(self) -> RecordsEnd {
        let mut reader = self.reader;
        let mut malformed = std::mem::take(&mut reader.malformed);
        let mut last_row = reader.records;
        let mut footer = Vec::new();
        while footer.len() < reader.format.footer_lines as usize {
            let is_last = |line: &mut MalformedRecord| line.row == last_row && reader.end_of(line) == End::Footer;
            let Some(line) = malformed.pop_if(is_last) else { break };
            last_row -= 1;
            footer.insert(0, line.text);
        }
        if let Some(last) = malformed.last_mut().filter(|line| line.row == last_row) {
            last.why.push_str(match reader.end_of(last) {
                End::Footer => "; where it belongs to no record, say footer_lines in [inputs]",
                End::CutOff if reader.format.footer_lines > 0 => {
                    "; it begins as a record does, so it is no footer: is the file cut off?"
                }
                End::CutOff | End::Other => "",
            });
        }
        RecordsEnd { malformed, records: reader.records, footer }
    }
}

/// The names of the columns: as declared, as the header says, or numbered.
fn column_names<R: BufRead>(
    path: &Path,
    lines: &mut Lines<R>,
    format: &TextFormat,
) -> Result<Vec<String>, SourceError> {
    let corrupt = |why: String| SourceError::Corrupt { file: path.to_owned(), why };
    let skipped = usize::try_from(format.skip_lines).unwrap_or(usize::MAX);
    lines.skip(skipped).map_err(|e| format.packing.error(path, &e))?;
    let (cells, used, byte) = first_record(path, lines, format)?;
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let number = at + 1;
        let Ok(name) = std::str::from_utf8(cell) else {
            let guess = String::from_utf8_lossy(cell);
            let todo = if format.encoding == UTF_8 {
                " (perhaps Latin-1 or Windows-1252); if so, declare encoding = \"windows-1252\" for it in [inputs]"
            } else {
                "; declare its encoding in [inputs]"
            };
            let encoding = format.encoding.name();
            return Err(corrupt(format!("column {number} of the header, {guess:?}, is not {encoding}{todo}")));
        };
        let name = name.trim();
        if name.contains('\0') {
            return Err(corrupt(format!("the header, at byte {byte}, holds NUL bytes")));
        }
        names.push(if name.is_empty() || !format.has_header { format!("column_{number}") } else { name.to_owned() });
    }
    if let Some(declared) = &format.columns {
        if declared.len() != names.len() {
            let (got, wanted) = (names.len(), declared.len());
            return Err(corrupt(format!(
                "its first record, at byte {byte}, has {got} cells separated by {:?}, but columns names {wanted}",
                char::from(format.grammar.separator)
            )));
        }
        names.clone_from(declared);
    }
    if let Some((_, name)) = names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name)) {
        return Err(corrupt(format!("the header names column {name:?} twice; {}", with_own_names(&names))));
    }
    if format.has_header {
        lines.skip(used).map_err(|e| format.packing.error(path, &e))?;
    }
    Ok(names)
}

/// The first record, which stays where it is: its cells, how many lines there are up to its end, and the byte where it begins.
fn first_record<R: BufRead>(
    path: &Path,
    lines: &mut Lines<R>,
    format: &TextFormat,
) -> Result<(Cells, usize, u64), SourceError> {
    let corrupt = |why: String| SourceError::Corrupt { file: path.to_owned(), why };
    let io = |e: std::io::Error| format.packing.error(path, &e);
    let mut used = 0;
    let mut first = loop {
        used += 1;
        match lines.peek(used - 1).map_err(io)? {
            None => return Err(SourceError::EmptyFile { file: path.to_owned() }),
            Some(line) if line.bytes.is_empty() => {}
            Some(line) => break line.clone(),
        }
    };
    // A header may break its lines too, but not many times.
    loop {
        match read_record(&first.bytes, format.grammar) {
            Reading::Whole(cells) => return Ok((cells, used, first.byte)),
            Reading::Open if first.bytes.len() < MAX_CELL_BYTES => match lines.peek(used).map_err(io)? {
                Some(next) => first.join(&next.clone()),
                None => return Err(corrupt("the header ends inside a quoted cell".to_owned())),
            },
            Reading::Open | Reading::Broken(_) => {
                let byte = first.byte;
                return Err(corrupt(format!(
                    "the header, at byte {byte}, is not a CSV record: a quote is out of place"
                )));
            }
        }
        used += 1;
    }
}

/// What a malformed last line may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It has half the table's cells or fewer and does not begin as a record does: totals, or who made the export.
    Footer,
    /// The beginning of a record.
    CutOff,
    Other,
}

struct Reader {
    path: PathBuf,
    file: u32,
    format: TextFormat,
    names: Vec<String>,
    /// What the cells of good records look like, by column.
    forms: Vec<Forms>,
    records: u32,
    /// Whether the line read last has no end.
    is_unended: bool,
    malformed: Vec<MalformedRecord>,
}

impl Reader {
    /// What a malformed line is, as the last one.
    fn end_of(&self, line: &MalformedRecord) -> End {
        let Reading::Whole(cells) = read_record(line.text.as_bytes(), self.format.grammar) else { return End::Other };
        if line.rule != WRONG_CELL_COUNT || cells.len() * 2 > self.names.len() {
            return End::Other;
        }
        let has_forms = cells.iter().zip(&self.forms).all(|(cell, forms)| forms.has(Forms::of(cell)));
        let is_begun = cells.iter().next().is_some_and(|key| !key.trim_ascii().is_empty());
        // A word alone may be a total's name, unless the file ends within it.
        let is_long_enough = cells.len() > 1 || (self.is_unended && line.row == self.records);
        if has_forms && is_begun && is_long_enough { End::CutOff } else { End::Footer }
    }

    /// The cells of the record that begins with `line`; `None` where it is malformed, which is noted.
    fn record<R: BufRead>(&mut self, line: &Line, lines: &mut Lines<R>) -> Result<Option<Cells>, SourceError> {
        self.records = next_record(self.records, &self.path)?;
        self.is_unended = line.end.is_empty();
        if line.is_cut {
            self.note(line, &Fault::RecordTooLong);
            return Ok(None);
        }
        let (cells, whole) = match read_record(&line.bytes, self.format.grammar) {
            Reading::Whole(cells) => (cells, None),
            Reading::Broken(rule) => {
                self.note(line, &Fault::Named(rule));
                return Ok(None);
            }
            Reading::Open => match self.several_lines(line, lines)? {
                Some((cells, whole)) => (cells, Some(whole)),
                None => return Ok(None),
            },
        };
        let line = whole.as_ref().unwrap_or(line);
        let fault = if cells.len() != self.names.len() {
            Some(Fault::CellCount { got: cells.len(), expected: self.names.len() })
        } else if cells.iter().any(|cell| cell.contains(&0)) {
            Some(Fault::Nul)
        } else {
            cells
                .iter()
                .position(|cell| std::str::from_utf8(cell).is_err())
                .map(|at| Fault::Undecodable { column: self.names.get(at).cloned().unwrap_or_default() })
        };
        if let Some(fault) = fault {
            self.note(line, &fault);
            return Ok(None);
        }
        Ok(Some(cells))
    }

    /// A record whose first line opens a quoted cell: its cells and its text where the lines after it close it.
    fn several_lines<R: BufRead>(
        &mut self,
        first: &Line,
        lines: &mut Lines<R>,
    ) -> Result<Option<(Cells, Line)>, SourceError> {
        let io = |e: std::io::Error| self.format.packing.error(&self.path, &e);
        let mut whole = first.clone();
        let mut joined = 0;
        let mut within = None;
        let cells = loop {
            let next = lines.peek(joined).map_err(io)?;
            let Some(next) = next.filter(|next| !next.is_cut) else { break None };
            let next = next.clone();
            whole.join(&next);
            joined += 1;
            // A line without a quote closes none.
            if self.format.grammar.quote.is_none_or(|quote| !next.bytes.contains(&quote))
                && whole.bytes.len() <= MAX_CELL_BYTES
            {
                if within.is_none() && self.is_record(&next) {
                    within = Some((joined, next.byte));
                }
                continue;
            }
            match read_record(&whole.bytes, self.format.grammar) {
                Reading::Whole(cells) => break Some((cells, next)),
                Reading::Broken(_) => break None,
                Reading::Open => {}
            }
            if within.is_none() && self.is_record(&next) {
                within = Some((joined, next.byte));
            }
        };
        let Some((cells, last)) = cells.filter(|(cells, _)| cells.len() == self.names.len()) else {
            self.note(first, &Fault::Named(STRAY_QUOTE));
            return Ok(None);
        };
        if let Some((distance, byte)) = within {
            return Err(SourceError::AmbiguousQuotes {
                file: self.path.clone(),
                row: self.records,
                byte: first.byte,
                lines: joined + 1,
                line: distance + 1,
                line_byte: byte,
            });
        }
        if self.looks_like_a_record(&last) {
            self.note(first, &Fault::Named(STRAY_QUOTE));
            return Ok(None);
        }
        lines.skip(joined).map_err(io)?;
        Ok(Some((cells, whole)))
    }

    /// Whether a line alone is a record of this file: as many cells, and they look like those of the good records.
    fn is_record(&self, line: &Line) -> bool {
        matches!(read_record(&line.bytes, self.format.grammar), Reading::Whole(cells) if self.has_forms(cells.iter()))
    }

    /// The same of a line with a quote out of place.
    fn looks_like_a_record(&self, line: &Line) -> bool {
        self.has_forms(line.bytes.split(|byte| *byte == self.format.grammar.separator))
    }

    /// As many cells as columns, of the columns' forms but for one at most.
    fn has_forms<'c>(&self, cells: impl Iterator<Item = &'c [u8]>) -> bool {
        let cells: Vec<&[u8]> = cells.collect();
        let strange = cells.iter().zip(&self.forms).filter(|(cell, forms)| !forms.has(Forms::of(cell))).count();
        cells.len() == self.names.len() && cells.len() > 1 && strange <= 1
    }

    fn note(&mut self, line: &Line, fault: &Fault) {
        let place = (self.file, self.records, line.byte);
        let record = MalformedRecord::new(place, fault, &line.bytes, &self.names, &self.format);
        self.malformed.push(record);
    }
}

impl Line {
    fn join(&mut self, next: &Self) {
        self.bytes.extend(self.end);
        self.bytes.extend(&next.bytes);
        self.end = next.end;
    }
}

#[cfg(test)]
#[path = "csv_file_tests.rs"]
mod tests;
