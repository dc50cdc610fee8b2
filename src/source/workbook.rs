//! Workbooks (`.xlsx`, `.xlsb`, `.xls`, `.ods`): known by their content, their sheets by name or number.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use calamine::{
    Cell, Data, DataRef, Ods, Range, Reader as _, SheetType, SheetVisible, Sheets, Xls, XlsError, Xlsb, Xlsx, XlsxError,
};

use super::error::SourceError;

/// First bytes of a zip archive, which newer workbooks are.
const ZIP: &[u8] = b"PK\x03\x04";
/// First bytes of a compound file, which older workbooks and workbooks with a password are.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0";

/// Workbooks other than `.xlsx` are read up to this size: in memory they take some ten times as much.
const MAX_WHOLE_BYTES: u64 = 32 << 20;

/// A sheet as a job names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetName {
    /// By its name.
    Named(String),
    /// By its place, from 1.
    Number(u32),
}

/// Takes a cell with its row and column, from 0, and whether a formula stands there; says whether it wants more.
type TakeCell<'a> = dyn FnMut((u32, u32), &DataRef, bool) -> bool + 'a;

/// The cells of a sheet.
pub(crate) struct SheetCells {
    /// From the first that holds anything to the last.
    pub cells: Range<Data>,
    /// Places, by row and column from 0, of blank cells that hold a formula: a program wrote it, and none its value.
    pub uncomputed: HashSet<(u32, u32)>,
}

/// An opened workbook.
pub(crate) struct Workbook {
    path: PathBuf,
    sheets: Sheets<BufReader<File>>,
}

/// Whether a file may be a workbook, whatever its name says: its first bytes are those of one, and of other files.
pub(crate) fn begins_as_workbook(path: &Path) -> Result<bool, SourceError> {
    let mut first = Vec::new();
    File::open(path)
        .and_then(|file| file.take(4).read_to_end(&mut first))
        .map_err(|e| SourceError::Io { file: path.to_owned(), why: e.to_string() })?;
    Ok(first == ZIP || first == COMPOUND)
}

impl Workbook {
    /// Opens a workbook.
    ///
    /// # Errors
    /// The file cannot be read, a password protects it, or what it holds is no workbook.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let sheets = unharmed(path, || open_sheets(path))?;
        Ok(Self { path: path.to_owned(), sheets })
    }

    /// What kind of workbook it is: the ending that its name should have.
    pub const fn kind(&self) -> &'static str {
        match &self.sheets {
            Sheets::Xls(_) => "xls",
            Sheets::Xlsx(_) => "xlsx",
            Sheets::Xlsb(_) => "xlsb",
            Sheets::Ods(_) => "ods",
        }
    }

    /// Names of its sheets of cells, hidden ones included, in their order.
    fn names(&self) -> Vec<String> {
        let of_cells = self.sheets.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        of_cells.map(|sheet| sheet.name.clone()).collect()
    }

    /// Names of the sheets that people see and that hold anything, in their order, and how many cells each has, counted up to a number.
    ///
    /// # Errors
    /// A sheet cannot be read.
    pub fn filled_sheets(&mut self, most: usize) -> Result<Vec<(String, usize)>, SourceError> {
        let sheets = self.sheets.sheets_metadata().iter();
        let seen = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
        let names: Vec<String> = seen.map(|sheet| sheet.name.clone()).collect();
        let mut filled = Vec::new();
        // How many cells a sheet has matters only beside another.
        let is_alone = names.len() == 1;
        for name in names {
            let cells = self.count_cells(&name, if is_alone { 1 } else { most })?;
            if cells > 0 {
                filled.push((name, cells));
            }
        }
        Ok(filled)
    }

    /// The name of a sheet that a job names.
    ///
    /// # Errors
    /// There is none of that name or place.
    pub fn named(&self, declared: &SheetName) -> Result<String, SourceError> {
        let names = self.names();
        let found = match declared {
            SheetName::Named(name) => names.iter().find(|known| *known == name),
            SheetName::Number(number) => usize::try_from(*number).ok().and_then(|at| names.get(at.checked_sub(1)?)),
        };
        found.cloned().ok_or_else(|| {
            let wanted = match declared {
                SheetName::Named(name) => format!("sheet {name:?}"),
                SheetName::Number(number) => format!("sheet number {number}"),
            };
            SourceError::Corrupt {
                file: self.path.clone(),
                why: format!("it has no {wanted}; its sheets are {}", listed(&names)),
            }
        })
    }

    /// The only sheet that holds anything.
    ///
    /// # Errors
    /// None does, or several do.
    pub fn only_sheet(&mut self) -> Result<String, SourceError> {
        let filled: Vec<String> = self.filled_sheets(1)?.into_iter().map(|(name, _)| name).collect();
        match filled.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(SourceError::EmptyFile { file: self.path.clone() }),
            several => Err(SourceError::Corrupt {
                file: self.path.clone(),
                why: format!(
                    "it has several sheets: {}; say which holds the table, such as sheet = {:?} in [inputs]",
                    listed(several),
                    several.first().map_or("", String::as_str)
                ),
            }),
        }
    }

    /// How many cells of a sheet hold anything, counted up to a number.
    fn count_cells(&mut self, sheet: &str, most: usize) -> Result<usize, SourceError> {
        let mut count = 0;
        let was_read = self.read_cells(sheet, &mut |_, value, _| {
            count += usize::from(*value != DataRef::Empty);
            count < most
        })?;
        if was_read { Ok(count) } else { Ok(self.range(sheet)?.used_cells().count()) }
    }

    /// The first rows of a sheet, from the first that holds anything.
    ///
    /// # Errors
    /// The sheet is damaged.
    pub fn beginning(&mut self, sheet: &str, rows: u32) -> Result<Range<Data>, SourceError> {
        let mut cells: Vec<Cell<Data>> = Vec::new();
        let was_read = self.read_cells(sheet, &mut |at, value, _| {
            let is_among = cells.first().is_none_or(|first| at.0 - first.get_position().0 < rows);
            if is_among && *value != DataRef::Empty {
                cells.push(Cell::new(at, Data::from(value.clone())));
            }
            is_among
        })?;
        if was_read { Ok(Range::from_sparse(cells)) } else { self.range(sheet) }
    }

    /// A sheet whole.
    ///
    /// # Errors
    /// The sheet is damaged.
    pub fn sheet(&mut self, sheet: &str) -> Result<SheetCells, SourceError> {
        let mut cells: Vec<Cell<Data>> = Vec::new();
        let mut uncomputed = HashSet::new();
        let was_read = self.read_cells(sheet, &mut |at, value, has_formula| {
            if *value != DataRef::Empty {
                cells.push(Cell::new(at, Data::from(value.clone())));
            } else if has_formula {
                uncomputed.insert(at);
            }
            true
        })?;
        if was_read {
            return Ok(SheetCells { cells: Range::from_sparse(cells), uncomputed });
        }
        let (cells, formulas) = (self.range(sheet)?, self.formulas(sheet)?);
        let (first_row, first_column) = formulas.start().unwrap_or_default();
        for (row, column, formula) in formulas.used_cells() {
            let at = (first_row as usize + row, first_column as usize + column);
            let (Ok(row), Ok(column)) = (u32::try_from(at.0), u32::try_from(at.1)) else { continue };
            if !formula.is_empty() && matches!(cells.get_value((row, column)), None | Some(Data::Empty)) {
                uncomputed.insert((row, column));
            }
        }
        Ok(SheetCells { cells, uncomputed })
    }

    /// Hands over the cells of a sheet one by one, with their place and whether a formula stands there, until it is told to stop. False where
    /// this kind of workbook is read in one piece only.
    pub(super) fn read_cells(&mut self, sheet: &str, take: &mut TakeCell) -> Result<bool, SourceError> {
        let Self { path, sheets } = self;
        let Sheets::Xlsx(xlsx) = sheets else { return Ok(false) };
        let failed = |e: XlsxError| damaged(path, sheet, &calamine::Error::Xlsx(e));
        unharmed(path, || {
            let mut reader = xlsx.worksheet_cells_reader(sheet).map_err(failed)?;
            while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(failed)? {
                if !take(cell.pos, &cell.value, cell.formula.is_some()) {
                    break;
                }
            }
            Ok(true)
        })
    }

    /// The cells of a sheet, from the first that holds anything to the last.
    fn range(&mut self, sheet: &str) -> Result<Range<Data>, SourceError> {
        let Self { path, sheets } = self;
        unharmed(path, || sheets.worksheet_range(sheet).map_err(|e| damaged(path, sheet, &e)))
    }

    /// The formulas of a sheet.
    fn formulas(&mut self, sheet: &str) -> Result<Range<String>, SourceError> {
        let Self { path, sheets } = self;
        unharmed(path, || sheets.worksheet_formula(sheet).map_err(|e| damaged(path, sheet, &e)))
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

fn damaged(path: &Path, sheet: &str, error: &calamine::Error) -> SourceError {
    SourceError::Corrupt { file: path.to_owned(), why: format!("sheet {sheet:?} cannot be read: {error}") }
}

/// A damaged workbook can make the reader fail in any way.
fn unharmed<T>(path: &Path, read: impl FnOnce() -> Result<T, SourceError>) -> Result<T, SourceError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(SourceError::Corrupt { file: path.to_owned(), why: "the reader of workbooks gave up on it".to_owned() })
    })
}

/// Refuses a workbook that is held in memory whole and too large for that.
fn refuse_large(path: &Path, bytes: u64) -> Result<(), SourceError> {
    if bytes <= MAX_WHOLE_BYTES {
        return Ok(());
    }
    let why = format!(
        "it has {} MB; a workbook that is not .xlsx is held in memory whole, and read up to {} MB only: save it as .xlsx or CSV, which are read row by row",
        bytes >> 20,
        MAX_WHOLE_BYTES >> 20
    );
    Err(SourceError::Corrupt { file: path.to_owned(), why })
}

fn open_sheets(path: &Path) -> Result<Sheets<BufReader<File>>, SourceError> {
    let open = || {
        let io = |e: std::io::Error| SourceError::Io { file: path.to_owned(), why: e.to_string() };
        File::open(path).map(BufReader::new).map_err(io)
    };
    let refuse = |what: &'static str, todo: &'static str| SourceError::NotText { file: path.to_owned(), what, todo };
    let protected = || refuse("a workbook that a password protects", "save it without a password");
    let mut first = [0; 4];
    open()?.read(&mut first).map_err(|e| SourceError::Io { file: path.to_owned(), why: e.to_string() })?;
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    if first == COMPOUND {
        refuse_large(path, bytes)?;
        return match Xls::new(open()?) {
            Ok(xls) => Ok(Sheets::Xls(xls)),
            Err(XlsError::Password) => Err(protected()),
            // A newer workbook with a password lies encrypted in a compound file.
            Err(_) => match Xlsx::new(open()?) {
                Err(XlsxError::Password) => Err(protected()),
                _ => Err(refuse(
                    "a file of an old Office program in which no workbook is found, or a damaged workbook",
                    "save the sheet as .xlsx or CSV",
                )),
            },
        };
    }
    if let Ok(xlsx) = Xlsx::new(open()?) {
        return Ok(Sheets::Xlsx(xlsx));
    }
    refuse_large(path, bytes)?;
    if let Ok(xlsb) = Xlsb::new(open()?) {
        return Ok(Sheets::Xlsb(xlsb));
    }
    match Ods::new(open()?) {
        Ok(ods) => Ok(Sheets::Ods(ods)),
        Err(calamine::OdsError::Password) => Err(protected()),
        Err(_) => Err(refuse(
            "a zip archive in which no workbook is found, or a damaged workbook",
            "unpack it, or save the workbook again",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workbook_that_is_held_whole_is_refused_where_it_is_large() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.xls");
        let file = File::create(&path).unwrap();
        std::io::Write::write_all(&mut &file, COMPOUND).unwrap();
        file.set_len(MAX_WHOLE_BYTES + 1).unwrap();
        let told = Workbook::open(&path).err().unwrap().to_string();
        assert!(told.contains("save it as .xlsx or CSV") && told.contains("32 MB"), "{told}");
    }
}
