//! Records that cannot be read as a row of cells.

use std::collections::BTreeMap;

use super::text_format::TextFormat;

/// A malformed record of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedRecord {
    /// Index of the file among the input's files.
    pub file: u32,
    /// 1-based record, the header not counted.
    pub row: u32,
    /// Where it begins in the file, in bytes from 0; 0 in a workbook, where `why` names the cell.
    pub byte: u64,
    /// What is wrong: `wrong-cell-count`, `stray-quote`, `cell-too-long`, `record-too-long`, `nul-byte`, `not-utf8` or, in a file of another
    /// encoding, `not-in-encoding`; in a sheet, `error-cell`; in JSON, `not-json`.
    pub rule: &'static str,
    /// What is wrong, where, in words.
    pub why: String,
    /// Its text, unreadable bytes replaced, a long one cut.
    pub text: String,
    /// Its cells by column as far as they can be told apart: split at every separator, without quotes. A guess that tells whom it may
    /// concern, never a value.
    pub cells: BTreeMap<String, String>,
}

/// The rule of a record with too many cells or too few.
pub(super) const WRONG_CELL_COUNT: &str = "wrong-cell-count";

/// Every rule of a malformed record.
const RULES: [&str; 9] = [
    WRONG_CELL_COUNT, "stray-quote", "cell-too-long", "record-too-long", "nul-byte", "not-utf8", "not-in-encoding",
    "error-cell", "not-json",
];

/// The rule of that name.
pub(crate) fn rule_named(name: &str) -> Option<&'static str> {
    RULES.iter().find(|rule| **rule == name).copied()
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
    Undecodable {
        column: String,
    },
}

/// Characters of a malformed record that quarantine keeps.
const MAX_TEXT: usize = 2_000;

impl MalformedRecord {
    /// A record of a sheet: its file and row, and the cells that are known.
    pub(super) fn of_cells(
        (file, row): (u32, u32),
        rule: &'static str,
        why: String,
        text: &str,
        known: impl Iterator<Item = (String, String)>,
    ) -> Self {
        Self {
            file,
            row,
            byte: 0,
            rule,
            why,
            text: text.chars().take(MAX_TEXT).collect(),
            cells: known.filter(|(_, cell)| !cell.is_empty() && cell.len() < 200).collect(),
        }
    }

    /// A malformed record that begins at `place`: file, row and byte.
    pub(super) fn new(
        place: (u32, u32, u64),
        fault: &Fault,
        bytes: &[u8],
        names: &[String],
        format: &TextFormat,
    ) -> Self {
        let (file, row, byte) = place;
        let (rule, what) = match fault {
            Fault::Named(rule @ "cell-too-long") => (*rule, "a cell has more than 65,536 bytes".to_owned()),
            Fault::Named(rule) => (*rule, "a quote is out of place".to_owned()),
            Fault::CellCount { got, expected } => {
                let what = if format.has_header { "the header has" } else { "there should be" };
                (WRONG_CELL_COUNT, format!("{got} cells where {what} {expected}"))
            }
            Fault::RecordTooLong => ("record-too-long", "the line has more than 1,048,576 bytes".to_owned()),
            Fault::Nul => ("nul-byte", "a cell holds a NUL byte".to_owned()),
            Fault::Undecodable { column } if format.encoding == encoding_rs::UTF_8 => (
                "not-utf8",
                format!(
                    "column {column:?} is not UTF-8 (perhaps Latin-1 or Windows-1252: [inputs] may declare encoding)"
                ),
            ),
            Fault::Undecodable { column } => {
                ("not-in-encoding", format!("column {column:?} is not {}", format.encoding.name()))
            }
        };
        let text = String::from_utf8_lossy(bytes);
        let quote = format.grammar.quote.map_or('"', char::from);
        let cells = names
            .iter()
            .zip(text.split(char::from(format.grammar.separator)))
            .map(|(name, cell)| (name.clone(), cell.trim_matches(quote).trim().to_owned()));
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
