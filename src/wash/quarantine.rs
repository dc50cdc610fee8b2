//! Quarantine: broken rows with file, row, rule and value, for a person to read.

use std::path::Path;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::history::VERSIONS_CONTRADICT;
use super::record::{cell_text, key_text, record_json};
use super::rules::{REQUIRED_NULL, Rule};
use crate::contract::{TableContract, UNREADABLE};
use crate::source::{InputFile, MalformedRecord};
use crate::spill::{SortedRows, SpillError};

/// A broken row and the rule it broke: a row of the published table `quarantine/<table>`.
///
/// Rows are ordered by their fields from the top: by key, rule and content, then by where they stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuarantineRow {
    /// Key of the contract row, its parts joined by `|`; null where the key itself cannot be read.
    pub key: Option<String>,
    /// Kebab-case rule.
    pub rule: String,
    /// Column at fault, where the rule looks at one.
    pub column: Option<String>,
    /// Its value as text; null where it was null.
    pub value: Option<String>,
    /// The whole row as one JSON object, later milestones masked; the raw text where it never became a row.
    pub record: Option<String>,
    /// Input file, below the data folder.
    pub file: String,
    /// Row of that file, counted from 1 without any header.
    pub row: u32,
    /// Index of the file among the table's files; not published.
    #[serde(skip)]
    pub file_index: u32,
    /// Position in quarantine, from 1; 0 until all broken rows are known.
    pub number: i64,
}

impl QuarantineRow {
    /// Required columns in which a row that is set aside for lack of one has no value: the column at fault is the first of them. None for other rules.
    pub(crate) fn required_nulls(&self, table: &TableContract) -> Vec<&'static str> {
        if self.rule != REQUIRED_NULL {
            return Vec::new();
        }
        let record: serde_json::Map<String, serde_json::Value> =
            self.record.as_deref().and_then(|record| serde_json::from_str(record).ok()).unwrap_or_default();
        let is_null = |name: &str| record.get(name).is_some_and(serde_json::Value::is_null);
        table
            .columns
            .iter()
            .filter(|column| column.required && is_null(column.name))
            .map(|column| column.name)
            .collect()
    }
}

/// Rows of `frame` that break the rule whose number (from 1) `codes` holds.
pub(crate) fn broken_rows(
    table: &TableContract,
    frame: &DataFrame,
    codes: &UInt32Chunked,
    rules: &[Rule],
    files: &[InputFile],
) -> PolarsResult<Vec<QuarantineRow>> {
    let names: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
    let (file_indexes, rows) = (frame.column("_file")?.u32()?, frame.column("_row")?.u32()?);
    let unreadable: Vec<&str> =
        frame.get_column_names().into_iter().filter_map(|name| name.as_str().strip_prefix(UNREADABLE)).collect();
    let mut broken = Vec::with_capacity(frame.height());
    for at in 0..frame.height() {
        let Some(rule) = codes.get(at).and_then(|code| rules.get((code as usize).checked_sub(1)?)) else { continue };
        let value = if rule.is_unreadable {
            cell_text(frame.column(&format!("{UNREADABLE}{}", rule.column))?, at)?
        } else {
            cell_text(frame.column(rule.column)?, at)?
        };
        let file_index = file_indexes.get(at).unwrap_or(0);
        broken.push(QuarantineRow {
            key: key_text(frame, table.key, at)?,
            rule: rule.name.to_owned(),
            column: Some(rule.column.to_owned()),
            value,
            record: Some(record_as_sent(frame, &names, &unreadable, at)?),
            file: file_name(files, file_index),
            row: rows.get(at).unwrap_or(0),
            file_index,
            number: 0,
        });
    }
    Ok(broken)
}

/// Sound rows that contradict another version of their key, each with the column that shows it.
pub(crate) fn contradicting_rows(
    table: &TableContract,
    frame: &DataFrame,
    columns: &[&str],
    files: &[InputFile],
) -> PolarsResult<Vec<QuarantineRow>> {
    let names: Vec<&str> = table.columns.iter().map(|c| c.name).collect();
    let (file_indexes, rows) = (frame.column("_file")?.u32()?, frame.column("_row")?.u32()?);
    let row = |(at, column): (usize, &&str)| {
        let file_index = file_indexes.get(at).unwrap_or(0);
        Ok(QuarantineRow {
            key: key_text(frame, table.key, at)?,
            rule: VERSIONS_CONTRADICT.to_owned(),
            column: Some((*column).to_owned()),
            value: cell_text(frame.column(column)?, at)?,
            record: Some(record_json(frame, &names, at)?),
            file: file_name(files, file_index),
            row: rows.get(at).unwrap_or(0),
            file_index,
            number: 0,
        })
    };
    columns.iter().enumerate().map(row).collect()
}

/// The row as it was sent: unreadable cells with their text.
fn record_as_sent(frame: &DataFrame, names: &[&str], unreadable: &[&str], at: usize) -> PolarsResult<String> {
    let mut lost = Vec::new();
    for &name in unreadable {
        if let Some(text) = cell_text(frame.column(&format!("{UNREADABLE}{name}"))?, at)? {
            lost.push((name, text));
        }
    }
    if lost.is_empty() {
        return record_json(frame, names, at);
    }
    let mut row = frame.slice(i64::try_from(at).unwrap_or(i64::MAX), 1);
    for (name, text) in lost {
        row.with_column(Column::new(name.into(), [text]))?;
    }
    record_json(&row, names, 0)
}

/// Malformed records, and rows that no SELECT returned.
pub(crate) fn lost_rows(
    malformed: &[MalformedRecord],
    not_mapped: Option<&DataFrame>,
    files: &[InputFile],
) -> PolarsResult<Vec<QuarantineRow>> {
    let mut lost: Vec<QuarantineRow> = malformed
        .iter()
        .map(|row| QuarantineRow {
            key: None,
            rule: row.rule.to_owned(),
            column: None,
            value: Some(row.why.clone()),
            record: Some(row.text.clone()),
            file: file_name(files, row.file),
            row: row.row,
            file_index: row.file,
            number: 0,
        })
        .collect();
    let Some(frame) = not_mapped else { return Ok(lost) };
    let (file_indexes, rows) = (frame.column("_file")?.u32()?, frame.column("_row")?.cast(&DataType::UInt32)?);
    let rows = rows.u32()?;
    let names: Vec<&str> = frame
        .get_column_names()
        .into_iter()
        .map(PlSmallStr::as_str)
        .filter(|n| !matches!(*n, "_file" | "_row"))
        .collect();
    for at in 0..frame.height() {
        let file_index = file_indexes.get(at).unwrap_or(0);
        lost.push(QuarantineRow {
            key: None,
            rule: "not-mapped".to_owned(),
            column: None,
            value: None,
            record: Some(record_json(frame, &names, at)?),
            file: file_name(files, file_index),
            row: rows.get(at).unwrap_or(0),
            file_index,
            number: 0,
        });
    }
    Ok(lost)
}

fn file_name(files: &[InputFile], index: u32) -> String {
    files.get(index as usize).map(|f| f.path.clone()).unwrap_or_default()
}

/// One table's broken rows, sorted; most of them on disk where there are many.
#[derive(Debug)]
pub struct Quarantine {
    rows: SortedRows<QuarantineRow>,
}

impl Quarantine {
    pub(crate) fn new(scratch: &Path) -> Self {
        Self { rows: SortedRows::new(scratch) }
    }

    pub(crate) fn extend(&self, rows: Vec<QuarantineRow>) -> Result<(), SpillError> {
        self.rows.extend(rows)
    }

    /// The rows in order, with their numbers from 1.
    ///
    /// # Errors
    /// The system refuses to read.
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<QuarantineRow, SpillError>>, SpillError> {
        Ok(self.rows.sorted()?.zip(1..).map(|(row, number)| row.map(|row| QuarantineRow { number, ..row })))
    }
}
