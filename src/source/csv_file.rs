//! Reads a CSV file as text, row by row, so that one broken row costs one row and not the file.
//!
//! Types are never guessed: every cell is a string, an empty cell is null. A row with another number of cells than the header,
//! or with bytes that are no UTF-8, is set aside with its text.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use polars::prelude::*;

use super::error::SourceError;

/// A row that is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRow {
    /// Index of the file among the input's files.
    pub file: u32,
    /// 1-based data row.
    pub row: u32,
    /// What is wrong: `wrong-cell-count` or `not-utf8`.
    pub rule: &'static str,
    /// Its text, unreadable bytes replaced.
    pub text: String,
}

/// A CSV file in memory.
#[derive(Debug, Clone)]
pub(crate) struct CsvText {
    /// String columns, `_file` and `_row`.
    pub frame: DataFrame,
    pub broken: Vec<BrokenRow>,
    pub rows: u32,
}

/// # Errors
/// The file cannot be opened, has no header, names a column twice, or ends inside a quoted cell.
pub(crate) fn read(path: &Path, file: u32) -> Result<CsvText, SourceError> {
    let corrupt = |why: String| SourceError::Corrupt { file: path.to_owned(), why };
    let io = |e: std::io::Error| SourceError::Io { file: path.to_owned(), why: e.to_string() };
    let mut opened = BufReader::with_capacity(1 << 20, File::open(path).map_err(io)?);
    skip_byte_order_mark(&mut opened).map_err(io)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(opened);
    let header = reader.headers().map_err(|e| corrupt(e.to_string()))?.clone();
    if header.is_empty() {
        return Err(SourceError::EmptyFile { file: path.to_owned() });
    }
    let names: Vec<String> = header.iter().map(|n| n.trim().to_owned()).collect();
    for (at, name) in names.iter().enumerate() {
        if names.iter().take(at).any(|n| n == name) {
            return Err(corrupt(format!("the header names column {name:?} twice")));
        }
    }

    let mut columns: Vec<StringChunkedBuilder> =
        names.iter().map(|n| StringChunkedBuilder::new(n.as_str().into(), 1 << 12)).collect();
    let mut kept_rows: Vec<u32> = Vec::new();
    let mut broken = Vec::new();
    let mut rows = 0_u32;
    let mut record = csv::ByteRecord::new();
    let mut last_ragged_line = None;
    while reader.read_byte_record(&mut record).map_err(|e| corrupt(e.to_string()))? {
        rows = rows.checked_add(1).ok_or_else(|| corrupt("more than 4 billion rows".to_owned()))?;
        last_ragged_line = None;
        let rule = if record.len() != columns.len() {
            if record.as_slice().contains(&b'\n') {
                last_ragged_line = record.position().map(csv::Position::line);
            }
            Some("wrong-cell-count")
        } else if record.iter().any(|cell| std::str::from_utf8(cell).is_err()) {
            Some("not-utf8")
        } else {
            None
        };
        if let Some(rule) = rule {
            let text = record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
            broken.push(BrokenRow { file, row: rows, rule, text });
            continue;
        }
        for (column, cell) in columns.iter_mut().zip(record.iter()) {
            match std::str::from_utf8(cell) {
                Ok(text) if !text.is_empty() => column.append_value(text),
                _ => column.append_null(),
            }
        }
        kept_rows.push(rows);
    }
    if let Some(line) = last_ragged_line {
        return Err(corrupt(format!("the quoted cell opened at line {line} or after it is never closed")));
    }

    let height = kept_rows.len();
    let mut frame: Vec<Column> = columns.into_iter().map(|c| c.finish().into_column()).collect();
    frame.push(UInt32Chunked::full("_file".into(), file, height).into_column());
    frame.push(UInt32Chunked::from_vec("_row".into(), kept_rows).into_column());
    let frame = DataFrame::new(height, frame).map_err(|e| corrupt(e.to_string()))?;
    Ok(CsvText { frame, broken, rows })
}

/// The header's first name would otherwise begin with U+FEFF.
fn skip_byte_order_mark(file: &mut BufReader<File>) -> std::io::Result<()> {
    use std::io::BufRead;
    if file.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        file.by_ref().take(3).read_to_end(&mut Vec::with_capacity(3))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(bytes: &[u8]) -> Result<CsvText, SourceError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, bytes).unwrap();
        read(&path, 7)
    }

    #[test]
    fn cells_are_text_and_empty_cells_null() {
        let csv = read_text(b"\xef\xbb\xbf\"a\",b\n01,\n\"x\ny\",\"q\"\"q\"\n").unwrap();
        let a: Vec<_> = csv.frame.column("a").unwrap().str().unwrap().iter().collect();
        let b: Vec<_> = csv.frame.column("b").unwrap().str().unwrap().iter().collect();
        assert_eq!(a, [Some("01"), Some("x\ny")]);
        assert_eq!(b, [None, Some("q\"q")]);
        assert_eq!(csv.frame.column("_file").unwrap().u32().unwrap().get(0), Some(7));
        assert_eq!(csv.rows, 2);
    }

    #[test]
    fn broken_rows_are_set_aside_and_rows_keep_their_numbers() {
        let csv = read_text(b"a,b\n1,2\n3\n4,5,6\n\xff,7\n8,9\n").unwrap();
        let rows: Vec<_> = csv.frame.column("_row").unwrap().u32().unwrap().iter().flatten().collect();
        assert_eq!(rows, [1, 5]);
        let broken: Vec<_> = csv.broken.iter().map(|b| (b.row, b.rule)).collect();
        assert_eq!(broken, [(2, "wrong-cell-count"), (3, "wrong-cell-count"), (4, "not-utf8")]);
        assert_eq!(csv.rows, 5);
    }

    #[test]
    fn a_header_alone_is_no_rows_and_nothing_is_an_error() {
        assert_eq!(read_text(b"a,b\n").unwrap().rows, 0);
        assert!(matches!(read_text(b""), Err(SourceError::EmptyFile { .. })));
        assert!(matches!(read_text(b"a,a\n1,2\n"), Err(SourceError::Corrupt { .. })));
    }

    #[test]
    fn a_quote_that_never_closes_does_not_swallow_the_rest() {
        let error = read_text(b"a,b\n1,2\n\"3,4\n5,6\n").unwrap_err();
        assert!(error.to_string().contains("never closed"), "{error}");
    }
}
