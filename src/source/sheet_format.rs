//! How a sheet holds its table: which sheet, where its header stands.

use std::path::Path;

use calamine::{Data, Range};

use super::error::SourceError;
use super::sheet_cell::{has_time, text_of};
use super::sheet_file::is_blank;
use super::sheet_rows::Surveyed;
use super::sniff::{MAX_SKIPPED, SAMPLE_RECORDS, Sniffing, has_decimal_comma, is_header, null_words};
use super::text_format::{DeclaredFormat, cell_words};
use super::workbook::Workbook;

/// So many rows show how a sheet is written.
const BEGINNING: u32 = 2_000;

/// How one sheet is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetFormat {
    /// Of what kind the workbook is.
    pub kind: &'static str,
    pub sheet: String,
    pub has_decimal_comma: bool,
    pub nulls: Vec<String>,
    pub has_header: bool,
    pub columns: Option<Vec<String>>,
    /// Rows of the sheet before the header, or before the first record.
    pub skip_lines: u32,
    /// Whether the sheet had to be chosen among several.
    pub is_one_of_several: bool,
    /// What reading the sheet has shown.
    pub surveyed: Surveyed,
}

impl SheetFormat {
    /// The format of a workbook: what is declared, the rest as the sheet shows.
    ///
    /// # Errors
    /// The workbook cannot be read, has no sheet as declared, or it is not certain which sheet is meant.
    pub fn of(path: &Path, declared: &DeclaredFormat, sniffing: Sniffing) -> Result<Self, SourceError> {
        let mut book = Workbook::open(path)?;
        let mut is_one_of_several = false;
        let sheet = match (&declared.sheet, sniffing) {
            (Some(sheet), _) => book.named(sheet)?,
            (None, Sniffing::Certain) => book.only_sheet()?,
            (None, Sniffing::Likely) => {
                let filled = book.filled_sheets(usize::MAX)?;
                is_one_of_several = filled.len() > 1;
                let largest = filled.into_iter().rev().max_by_key(|(_, cells)| *cells);
                largest.ok_or_else(|| SourceError::EmptyFile { file: path.to_owned() })?.0
            }
        };
        let mut format = Self {
            kind: book.kind(),
            has_decimal_comma: declared.decimal_comma.unwrap_or(false),
            nulls: declared.nulls.clone(),
            has_header: declared.has_header.unwrap_or(true),
            columns: declared.columns.clone(),
            skip_lines: declared.skip_lines.unwrap_or(0),
            is_one_of_several,
            surveyed: Surveyed::default(),
            sheet,
        };
        if sniffing == Sniffing::Likely {
            format.guess(&book.beginning(&format.sheet, BEGINNING)?, declared);
        }
        Ok(format)
    }

    /// Fills in what is likely.
    fn guess(&mut self, cells: &Range<Data>, declared: &DeclaredFormat) {
        let first_row = cells.start().map_or(0, |(row, _)| row);
        if declared.skip_lines.is_none() {
            // A title fills few cells of its row, a header most.
            let is_title = |row: &&[Data]| row.iter().filter(|cell| **cell != Data::Empty).count() * 2 <= cells.width();
            let titles = cells.rows().take_while(is_title).count();
            if titles > 0 && titles <= MAX_SKIPPED && titles < cells.height() {
                self.skip_lines = first_row + u32::try_from(titles).unwrap_or(0);
            }
        }
        let begin = usize::try_from(self.skip_lines.saturating_sub(first_row)).unwrap_or(0);
        let said = |cell: &Data| text_of(cell, has_time(cell)).ok().flatten().unwrap_or_default();
        let records: Vec<Vec<String>> = cells
            .rows()
            .skip(begin)
            .filter(|row| !is_blank(row))
            .take(SAMPLE_RECORDS)
            .map(|row| row.iter().map(said).collect())
            .collect();
        let columns: Vec<Vec<&str>> = (0..cells.width())
            .map(|at| records.iter().skip(1).filter_map(|cells| cells.get(at)).map(|cell| cell.trim()).collect())
            .collect();
        if declared.nulls.is_empty() {
            self.nulls = null_words(&columns);
        }
        if let (None, Some(first)) = (declared.has_header, records.first()) {
            self.has_header = is_header(first, &columns);
        }
        if declared.decimal_comma.is_none() {
            self.has_decimal_comma = has_decimal_comma(&columns);
        }
    }

    /// The format in words: `workbook (xlsx), sheet "Orders"`.
    pub fn words(&self) -> String {
        let mut parts = vec![format!("workbook ({}), sheet {:?}", self.kind, self.sheet)];
        parts.extend(cell_words(self.has_decimal_comma, &self.nulls, self.has_header, (self.skip_lines, "rows")));
        parts.join(", ")
    }
}
