//! Quarantine: broken rows with file, row, rule and value, for a person to read.

use polars::prelude::*;

use super::record::{cell_text, key_text, record_json};
use super::rules::Rule;
use crate::contract::{TableContract, UNREADABLE};
use crate::source::{InputFile, MalformedRecord};

/// One broken row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Broken {
    pub key: Option<String>,
    pub rule: String,
    pub column: Option<String>,
    pub value: Option<String>,
    pub record: String,
    pub file: String,
    pub row: u32,
    /// Index of the file.
    pub file_index: u32,
}

/// Rows of `frame` that break the rule whose number (from 1) `codes` holds.
pub(crate) fn broken_rows(
    table: &TableContract,
    frame: &DataFrame,
    codes: &UInt32Chunked,
    rules: &[Rule],
    files: &[InputFile],
) -> PolarsResult<Vec<Broken>> {
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
        broken.push(Broken {
            key: key_text(frame, table.key, at)?,
            rule: rule.name.to_owned(),
            column: Some(rule.column.to_owned()),
            value,
            record: record_as_sent(frame, &names, &unreadable, at)?,
            file: file_name(files, file_index),
            row: rows.get(at).unwrap_or(0),
            file_index,
        });
    }
    Ok(broken)
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
) -> PolarsResult<Vec<Broken>> {
    let mut lost: Vec<Broken> = malformed
        .iter()
        .map(|row| Broken {
            key: None,
            rule: row.rule.to_owned(),
            column: None,
            value: Some(row.why.clone()),
            record: row.text.clone(),
            file: file_name(files, row.file),
            row: row.row,
            file_index: row.file,
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
        lost.push(Broken {
            key: None,
            rule: "not-mapped".to_owned(),
            column: None,
            value: None,
            record: record_json(frame, &names, at)?,
            file: file_name(files, file_index),
            row: rows.get(at).unwrap_or(0),
            file_index,
        });
    }
    Ok(lost)
}

fn file_name(files: &[InputFile], index: u32) -> String {
    files.get(index as usize).map(|f| f.path.clone()).unwrap_or_default()
}

/// Columns `table`, `file`, `row`, `key`, `rule`, `column`, `value`, `record` (the row as one JSON object, later milestones masked),
/// sorted by key, rule and content, then file and row.
pub(crate) fn quarantine_frame(table: &str, mut broken: Vec<Broken>) -> PolarsResult<DataFrame> {
    broken.sort();
    let text = |name: &str, cell: fn(&Broken) -> Option<&str>| {
        let cells: StringChunked = broken.iter().map(cell).collect();
        cells.with_name(name.into()).into_column()
    };
    let rows: Int64Chunked = broken.iter().map(|b| Some(i64::from(b.row))).collect();
    DataFrame::new(
        broken.len(),
        vec![
            Column::new("table".into(), vec![table; broken.len()]),
            text("file", |b| Some(&b.file)),
            rows.with_name("row".into()).into_column(),
            text("key", |b| b.key.as_deref()),
            text("rule", |b| Some(&b.rule)),
            text("column", |b| b.column.as_deref()),
            text("value", |b| b.value.as_deref()),
            text("record", |b| Some(&b.record)),
        ],
    )
}
