//! The rows of a sheet, one after the other.
//!
//! A sheet is read twice: first to see where its cells lie, where its header stands and which columns have times of day, then for its rows. Newer
//! workbooks (`.xlsx`) are read cell by cell, so that no more than some thousand rows are in memory; the others, and sheets whose rows are out of order, are
//! held whole.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use calamine::{Data, DataRef, Range};

use super::error::SourceError;
use super::sheet_cell::has_time;
use super::sheet_format::SheetFormat;
use super::workbook::{SheetCells, Workbook};

/// Rows that are handed on together.
const CHUNK: usize = 4_096;

/// One row of a sheet.
#[derive(Debug, Clone)]
pub(super) struct SheetRow {
    /// From 0.
    pub number: u32,
    /// Its cells, from the first column of the sheet that holds anything to the last.
    pub cells: Vec<Data>,
    /// Blank cells among them that hold a formula: a program wrote it, and none its value.
    pub uncomputed: Vec<usize>,
}

/// What the first reading of a sheet shows. Rows and columns count from 0.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    /// First and last column that hold anything.
    columns: (u32, u32),
    last_row: u32,
    /// The header, or the first record where there is none.
    begin: u32,
    /// The cells of that row.
    pub header: Vec<Data>,
    /// Whether a column's days have times.
    pub with_time: Vec<bool>,
}

/// What the first reading of a sheet showed, for all that read it after. It is no part of how a sheet is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surveyed(Arc<OnceLock<Survey>>);

impl PartialEq for Surveyed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Surveyed {}

/// Where the rows come from.
pub(super) enum SheetRows {
    /// Not begun.
    Idle(Box<Workbook>),
    Streamed {
        chunks: Receiver<Result<Vec<SheetRow>, SourceError>>,
        rows: std::vec::IntoIter<SheetRow>,
    },
    Whole {
        sheet: Box<SheetCells>,
        /// The next row of the range.
        next: usize,
    },
}

/// Opens the rows of a sheet after its header; none where it holds nothing.
///
/// # Errors
/// The workbook is damaged.
pub(super) fn open(mut book: Workbook, format: &SheetFormat) -> Result<Option<(Survey, SheetRows)>, SourceError> {
    if let Some(known) = format.surveyed.0.get() {
        return Ok(Some((known.clone(), SheetRows::Idle(Box::new(book)))));
    }
    let mut surveyor = Surveyor::new(format);
    let is_streamed = book.read_cells(&format.sheet, &mut |at, value, _| {
        surveyor.take(at, value);
        surveyor.is_in_order
    })?;
    if is_streamed && surveyor.is_in_order {
        let Some(survey) = surveyor.end() else { return Ok(None) };
        // Another thread may have been first: it saw the same.
        let survey = format.surveyed.0.get_or_init(|| survey).clone();
        return Ok(Some((survey, SheetRows::Idle(Box::new(book)))));
    }
    let sheet = book.sheet(&format.sheet)?;
    let Some(survey) = Survey::of_range(&sheet.cells, format) else { return Ok(None) };
    let first = sheet.cells.start().map_or(0, |(row, _)| row);
    let next = (survey.begin - first) as usize + usize::from(format.has_header);
    Ok(Some((survey, SheetRows::Whole { sheet: Box::new(sheet), next })))
}

impl SheetRows {
    /// The next row that holds anything; `None` after the last.
    ///
    /// # Errors
    /// The workbook is damaged.
    pub fn next(&mut self, format: &SheetFormat, survey: &Survey) -> Result<Option<SheetRow>, SourceError> {
        loop {
            match self {
                Self::Idle(_) => self.begin(format, survey),
                Self::Streamed { chunks, rows } => match rows.next() {
                    Some(row) => return Ok(Some(row)),
                    None => match chunks.recv() {
                        Ok(chunk) => *rows = chunk?.into_iter(),
                        // The other side is done.
                        Err(_) => return Ok(None),
                    },
                },
                Self::Whole { sheet, next } => {
                    if *next >= sheet.cells.height() {
                        return Ok(None);
                    }
                    // By number: an iterator over a range's rows goes through all that it passes over.
                    let cells = &sheet.cells[*next];
                    let first = sheet.cells.start().unwrap_or_default();
                    let number = first.0.saturating_add(u32::try_from(*next).unwrap_or(u32::MAX));
                    *next += 1;
                    let place = |column: usize| u32::try_from(column).map(|column| (number, first.1 + column));
                    let is_uncomputed =
                        |column: &usize| place(*column).is_ok_and(|place| sheet.uncomputed.contains(&place));
                    let uncomputed = (0..cells.len()).filter(is_uncomputed).collect();
                    return Ok(Some(SheetRow { number, cells: cells.to_vec(), uncomputed }));
                }
            }
        }
    }

    /// Begins to read in a thread of its own, which waits where nobody takes its rows, and ends where nobody wants them.
    fn begin(&mut self, format: &SheetFormat, survey: &Survey) {
        let (sender, chunks) = sync_channel(1);
        let before = std::mem::replace(self, Self::Streamed { chunks, rows: Vec::new().into_iter() });
        let Self::Idle(mut book) = before else { return };
        let (sheet, survey, has_header) = (format.sheet.clone(), survey.clone(), format.has_header);
        thread::spawn(move || {
            let mut chunk: Vec<SheetRow> = Vec::new();
            let read = book.read_cells(&sheet, &mut |at, value, has_formula| {
                let Some(column) = survey.column_of_record(at, has_header) else { return true };
                let is_blank = *value == DataRef::Empty;
                if is_blank && !has_formula {
                    return true;
                }
                if chunk.last().is_none_or(|row| row.number != at.0) {
                    if chunk.len() == CHUNK && sender.send(Ok(std::mem::take(&mut chunk))).is_err() {
                        return false;
                    }
                    chunk.push(survey.blank_row(at.0));
                }
                if let Some(row) = chunk.last_mut() {
                    if is_blank {
                        row.uncomputed.push(column);
                    } else if let Some(cell) = row.cells.get_mut(column) {
                        *cell = Data::from(value.clone());
                    }
                }
                true
            });
            // Where nobody listens any more, nobody has to be told.
            let _ = sender.send(Ok(chunk));
            if let Err(error) = read {
                let _ = sender.send(Err(error));
            }
        });
    }
}

impl Survey {
    /// What a sheet in memory shows.
    fn of_range(cells: &Range<Data>, format: &SheetFormat) -> Option<Self> {
        let mut surveyor = Surveyor::new(format);
        let (first_row, first_column) = cells.start().unwrap_or_default();
        for (row, column, value) in cells.used_cells() {
            let at = (u32::try_from(row).ok()? + first_row, u32::try_from(column).ok()? + first_column);
            surveyor.note(at, is_blank_cell(value), has_time(value), || value.clone());
        }
        surveyor.end()
    }

    /// The column of a cell among those of records, where it is one's.
    fn column_of_record(&self, (row, column): (u32, u32), has_header: bool) -> Option<usize> {
        let first = self.begin + u32::from(has_header);
        let is_within = (first..=self.last_row).contains(&row) && (self.columns.0..=self.columns.1).contains(&column);
        is_within.then(|| (column - self.columns.0) as usize)
    }

    fn blank_row(&self, number: u32) -> SheetRow {
        let width = (self.columns.1 - self.columns.0 + 1) as usize;
        SheetRow { number, cells: vec![Data::Empty; width], uncomputed: Vec::new() }
    }

    /// A column of a record as the sheet counts it, from 0.
    pub fn column_of_sheet(&self, column: usize) -> u32 {
        self.columns.0.saturating_add(u32::try_from(column).unwrap_or(u32::MAX - 1))
    }

    /// The header's row, from 0.
    pub const fn header_row(&self) -> u32 {
        self.begin
    }
}

/// Sees a sheet's cells once.
struct Surveyor {
    skipped: u32,
    has_header: bool,
    rows: Option<(u32, u32)>,
    columns: Option<(u32, u32)>,
    begin: Option<u32>,
    header: Vec<(u32, Data)>,
    timed: BTreeSet<u32>,
    is_in_order: bool,
}

impl Surveyor {
    const fn new(format: &SheetFormat) -> Self {
        Self {
            skipped: format.skip_lines,
            has_header: format.has_header,
            rows: None,
            columns: None,
            begin: None,
            header: Vec::new(),
            timed: BTreeSet::new(),
            is_in_order: true,
        }
    }

    fn take(&mut self, at: (u32, u32), value: &DataRef) {
        let is_blank = match value {
            DataRef::Empty => return,
            DataRef::String(text) => text.is_empty(),
            DataRef::SharedString(text) => text.is_empty(),
            _ => false,
        };
        let cell = || Data::from(value.clone());
        let has_time = matches!(value, DataRef::DateTime(_) | DataRef::DateTimeIso(_)) && has_time(&cell());
        self.note(at, is_blank, has_time, cell);
    }

    fn note(&mut self, (row, column): (u32, u32), is_blank: bool, has_time: bool, cell: impl FnOnce() -> Data) {
        self.is_in_order &= self.rows.is_none_or(|(_, last)| row >= last);
        let wider = |known: Option<(u32, u32)>, at: u32| {
            Some(known.map_or((at, at), |(first, last)| (first.min(at), last.max(at))))
        };
        self.rows = wider(self.rows, row);
        self.columns = wider(self.columns, column);
        if self.begin.is_none() && row >= self.skipped && !is_blank {
            self.begin = Some(row);
        }
        let Some(begin) = self.begin else { return };
        if row == begin {
            self.header.push((column, cell()));
        }
        if has_time && (row > begin || !self.has_header) {
            self.timed.insert(column);
        }
    }

    fn end(self) -> Option<Survey> {
        let (columns, (_, last_row), begin) = (self.columns?, self.rows?, self.begin?);
        let all = columns.0..=columns.1;
        let mut header = vec![Data::Empty; all.clone().count()];
        for (column, cell) in self.header {
            if let Some(slot) = header.get_mut((column - columns.0) as usize) {
                *slot = cell;
            }
        }
        let with_time = all.map(|column| self.timed.contains(&column)).collect();
        Some(Survey { columns, last_row, begin, header, with_time })
    }
}

/// Whether a cell says nothing.
pub(super) fn is_blank_cell(cell: &Data) -> bool {
    match cell {
        Data::Empty => true,
        Data::String(text) => text.is_empty(),
        _ => false,
    }
}
