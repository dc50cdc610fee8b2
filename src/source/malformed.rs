//! Records that cannot be read as a row of cells.

use std::collections::BTreeMap;

/// A malformed record of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedRecord {
    /// Index of the file among the input's files.
    pub file: u32,
    /// 1-based record, the header not counted.
    pub row: u32,
    /// Where it begins in the file, in bytes from 0.
    pub byte: u64,
    /// What is wrong: `wrong-cell-count`, `stray-quote`, `cell-too-long`, `record-too-long`, `nul-byte` or `not-utf8`.
    pub rule: &'static str,
    /// What is wrong, where, in words.
    pub why: String,
    /// Its text, unreadable bytes replaced, a long one cut.
    pub text: String,
    /// Its cells by column as far as they can be told apart: split at every comma, without quotes. A guess that tells whom it may
    /// concern, never a value.
    pub cells: BTreeMap<String, String>,
}

/// What is wrong with a record.
pub(super) enum Fault {
    /// A rule that says all.
    Named(&'static str),
    CellCount {
        got: usize,
        expected: usize,
    },
    RecordTooLong,
    Nul,
    NotUtf8 {
        column: String,
    },
}

/// Characters of a malformed record that quarantine keeps.
const MAX_TEXT: usize = 2_000;

impl MalformedRecord {
    pub(super) fn new(file: u32, row: u32, byte: u64, fault: &Fault, bytes: &[u8], names: &[String]) -> Self {
        let (rule, what) = match fault {
            Fault::Named(rule @ "cell-too-long") => (*rule, "a cell has more than 65,536 bytes".to_owned()),
            Fault::Named(rule) => (*rule, "a quote is out of place".to_owned()),
            Fault::CellCount { got, expected } => {
                ("wrong-cell-count", format!("{got} cells where the header has {expected}"))
            }
            Fault::RecordTooLong => ("record-too-long", "the line has more than 1,048,576 bytes".to_owned()),
            Fault::Nul => ("nul-byte", "a cell holds a NUL byte".to_owned()),
            Fault::NotUtf8 { column } => {
                ("not-utf8", format!("column {column:?} is not UTF-8 (perhaps Latin-1 or Windows-1252)"))
            }
        };
        let text = String::from_utf8_lossy(bytes);
        let cells = names
            .iter()
            .zip(text.split(','))
            .map(|(name, cell)| (name.clone(), cell.trim_matches('"').trim().to_owned()));
        Self {
            file,
            row,
            byte,
            rule,
            why: format!("at byte {byte}: {what}"),
            cells: cells.filter(|(_, cell)| !cell.is_empty() && cell.len() < 200).collect(),
            text: text.chars().take(MAX_TEXT).collect(),
        }
    }
}
