//! A workbook in the format of Excel 97 (BIFF8 in a compound file), as plain as can be: sheets of texts, numbers and dates.
//!
//! Fineract's import reads this format and no other, and every spreadsheet program reads it. Sources: Microsoft, [MS-XLS] and [MS-CFB]. The bytes depend on the cells alone.

use jiff::civil::Date;

use crate::domain::days_since_epoch;

/// Days from 1899-12-30, where Excel counts from, to 1970-01-01.
const EPOCH_SERIAL: f64 = 25_569.0;
/// Characters of a text; one record holds no more than 8,224 bytes.
const MOST_CHARACTERS: usize = 4_000;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum CellValue {
    /// Nothing.
    Empty,
    /// A text; what is longer than 4,000 characters is cut.
    Text(String),
    /// A number.
    Number(f64),
    /// A day.
    Day(Date),
}

impl CellValue {
    /// A text, or nothing where it is blank.
    #[must_use]
    pub fn text(text: &str) -> Self {
        if text.is_empty() { Self::Empty } else { Self::Text(text.to_owned()) }
    }
}

/// A sheet: rows from the top, cells from the left.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Its name: at most 31 characters of ASCII.
    pub name: &'static str,
    /// Its rows: at most 65,536 of at most 256 cells.
    pub rows: Vec<Vec<CellValue>>,
}

/// The file. Together the sheets may hold about 7 megabytes.
#[must_use]
pub fn workbook(sheets: &[Sheet]) -> Vec<u8> {
    compound_file(&workbook_stream(sheets))
}

/// Number of an entry of the table of cell formats: the default, and days.
const PLAIN: u16 = 15;
const DAY: u16 = 16;

fn record(out: &mut Vec<u8>, kind: u16, body: &[u8]) {
    out.extend(kind.to_le_bytes());
    out.extend(u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend(body);
}

fn begin(out: &mut Vec<u8>, kind: u16) {
    let mut body = Vec::new();
    for word in [0x0600_u16, kind, 0x0DBB, 0x07CC, 0x0041, 0, 6, 0] {
        body.extend(word.to_le_bytes());
    }
    record(out, 0x0809, &body);
}

fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn workbook_stream(sheets: &[Sheet]) -> Vec<u8> {
    let bodies: Vec<Vec<u8>> = sheets.iter().enumerate().map(|(at, sheet)| sheet_stream(sheet, at == 0)).collect();
    let mut globals = Vec::new();
    begin(&mut globals, 0x0005);
    record(&mut globals, 0x0042, &words(&[0x04B0]));
    record(&mut globals, 0x003D, &words(&[0x0168, 0x010E, 0x5C3A, 0x23BE, 0x0038, 0, 0, 1, 0x0258]));
    for _ in 0..4 {
        let mut font = words(&[200, 0, 0x7FFF, 400, 0]);
        font.extend([0, 0, 0, 0, 5, 0]);
        font.extend(b"Arial");
        record(&mut globals, 0x0031, &font);
    }
    for format in 0..=DAY {
        let is_style = format < PLAIN;
        let (number_format, kind) = (if format == DAY { 14 } else { 0 }, if is_style { 0xFFF5 } else { 1 });
        let mut body = words(&[0, number_format, kind]);
        body.extend([0x20, 0, 0, if format == DAY { 0x04 } else { 0 }]);
        body.extend([0; 8]);
        body.extend(0x20C0_u16.to_le_bytes());
        record(&mut globals, 0x00E0, &body);
    }
    record(&mut globals, 0x0293, &[0, 0x80, 0, 0xFF]);
    // Where each sheet begins is known once the globals' own length is: their entries and the end mark come last.
    let entries: usize = sheets.iter().map(|sheet| 4 + 8 + sheet.name.len()).sum();
    let mut position = globals.len() + entries + 4;
    for (sheet, body) in sheets.iter().zip(&bodies) {
        let mut entry = Vec::new();
        entry.extend(u32::try_from(position).unwrap_or(u32::MAX).to_le_bytes());
        entry.extend([0, 0, u8::try_from(sheet.name.len()).unwrap_or(u8::MAX), 0]);
        entry.extend(sheet.name.as_bytes());
        record(&mut globals, 0x0085, &entry);
        position += body.len();
    }
    record(&mut globals, 0x000A, &[]);
    globals.extend(bodies.into_iter().flatten());
    globals
}

fn sheet_stream(sheet: &Sheet, is_first: bool) -> Vec<u8> {
    let mut out = Vec::new();
    begin(&mut out, 0x0010);
    let columns = sheet.rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut dimensions = Vec::new();
    dimensions.extend(0_u32.to_le_bytes());
    dimensions.extend(u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX).to_le_bytes());
    dimensions.extend(words(&[0, u16::try_from(columns).unwrap_or(u16::MAX), 0]));
    record(&mut out, 0x0200, &dimensions);
    // Rows come in blocks of 32: first what they are, then their cells.
    for (block, rows) in sheet.rows.chunks(32).enumerate() {
        let number = |at: usize| u16::try_from(block * 32 + at).unwrap_or(u16::MAX);
        for (at, cells) in rows.iter().enumerate() {
            let mut row = words(&[number(at), 0, u16::try_from(cells.len()).unwrap_or(u16::MAX), 0x00FF, 0, 0]);
            row.extend(0x000F_0100_u32.to_le_bytes());
            record(&mut out, 0x0208, &row);
        }
        for (at, cells) in rows.iter().enumerate() {
            for (column, cell) in (0_u16..).zip(cells) {
                write_cell(&mut out, number(at), column, cell);
            }
        }
    }
    let mut window = words(&[if is_first { 0x06B6 } else { 0x00B6 }, 0, 0]);
    window.extend(0x40_u32.to_le_bytes());
    window.extend([0; 8]);
    record(&mut out, 0x023E, &window);
    record(&mut out, 0x000A, &[]);
    out
}

fn write_cell(out: &mut Vec<u8>, row: u16, column: u16, cell: &CellValue) {
    let (format, number) = match cell {
        CellValue::Empty => return,
        CellValue::Text(text) => {
            let units: Vec<u16> = text.encode_utf16().take(MOST_CHARACTERS).collect();
            let mut body = words(&[row, column, PLAIN, u16::try_from(units.len()).unwrap_or(u16::MAX)]);
            if units.iter().all(|unit| *unit < 0x80) {
                body.push(0);
                body.extend(units.iter().flat_map(|unit| unit.to_le_bytes().into_iter().take(1)));
            } else {
                body.push(1);
                body.extend(words(&units));
            }
            record(out, 0x0204, &body);
            return;
        }
        CellValue::Number(number) => (PLAIN, *number),
        CellValue::Day(day) => (DAY, f64::from(days_since_epoch(*day)) + EPOCH_SERIAL),
    };
    let mut body = words(&[row, column, format]);
    body.extend(number.to_le_bytes());
    record(out, 0x0203, &body);
}

const SECTOR: usize = 512;
/// A shorter stream would have to lie in sectors of another kind.
const LEAST_STREAM: usize = 4_096;
const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
const TABLE_SECTOR: u32 = 0xFFFF_FFFD;
const FREE: u32 = 0xFFFF_FFFF;

/// The stream `Workbook` in a compound file: header, the stream's sectors, one sector of the directory, the table of sectors.
fn compound_file(stream: &[u8]) -> Vec<u8> {
    let data_sectors = stream.len().max(LEAST_STREAM).div_ceil(SECTOR);
    let mut table_sectors = 1;
    while (data_sectors + 1 + table_sectors).div_ceil(SECTOR / 4) > table_sectors {
        table_sectors += 1;
    }
    let number = |value: usize| u32::try_from(value).unwrap_or(FREE);

    let mut file = Vec::with_capacity((data_sectors + 2 + table_sectors) * SECTOR);
    file.extend([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
    file.extend([0; 16]);
    file.extend(words(&[0x003E, 0x0003, 0xFFFE, 9, 6, 0, 0, 0]));
    let header =
        [0, number(table_sectors), number(data_sectors), 0, number(LEAST_STREAM), END_OF_CHAIN, 0, END_OF_CHAIN, 0];
    file.extend(header.into_iter().flat_map(u32::to_le_bytes));
    for at in 0..109 {
        let sector = if at < table_sectors { number(data_sectors + 1 + at) } else { FREE };
        file.extend(sector.to_le_bytes());
    }

    file.extend(stream);
    file.resize(SECTOR * (1 + data_sectors), 0);
    let size = number(data_sectors * SECTOR);
    directory_entry(&mut file, "Root Entry", 5, 1, END_OF_CHAIN, 0);
    directory_entry(&mut file, "Workbook", 2, FREE, 0, size);
    for _ in 0..2 {
        directory_entry(&mut file, "", 0, FREE, 0, 0);
    }
    for sector in 0..data_sectors {
        let next = if sector + 1 < data_sectors { number(sector + 1) } else { END_OF_CHAIN };
        file.extend(next.to_le_bytes());
    }
    file.extend(END_OF_CHAIN.to_le_bytes());
    for _ in 0..table_sectors {
        file.extend(TABLE_SECTOR.to_le_bytes());
    }
    while file.len() % SECTOR != 0 {
        file.extend(FREE.to_le_bytes());
    }
    file
}

fn directory_entry(file: &mut Vec<u8>, name: &str, kind: u8, child: u32, first: u32, size: u32) {
    let units: Vec<u16> = name.encode_utf16().collect();
    let mut bytes = words(&units);
    bytes.resize(64, 0);
    let name_bytes = if units.is_empty() { 0 } else { 2 * (units.len() + 1) };
    bytes.extend(u16::try_from(name_bytes).unwrap_or(0).to_le_bytes());
    bytes.extend([kind, 1]);
    for link in [FREE, FREE, child] {
        bytes.extend(link.to_le_bytes());
    }
    bytes.extend([0; 36]);
    bytes.extend(first.to_le_bytes());
    bytes.extend(u64::from(size).to_le_bytes());
    file.extend(bytes);
}

#[cfg(test)]
#[path = "workbook_tests.rs"]
pub(crate) mod tests;
