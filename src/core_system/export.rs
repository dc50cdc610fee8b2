//! A core system's export, row by row.

use std::collections::BTreeMap;
use std::path::Path;

use super::amount::scaled;
use super::error::{CoreSystemError, UnknownWord};
use super::settings::{AmountUnit, CoreField, CoreStatus, CoreTerms};
use crate::domain::{Currency, Digest};
use crate::model::ModelError;
use crate::model::table::{Kind, TextValues, Values};
use crate::workbench::table::{TableFile, open_table};

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Minor units, or days.
    Number(i64),
    /// Nothing, which is not zero.
    Blank,
    /// Something else.
    Unreadable(String),
}

/// One row of the export that is a loan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreLine {
    /// Data row, from 1.
    pub row: i64,
    /// The loan; `None` where the cell is blank.
    pub loan_id: Option<String>,
    /// The borrower; `None` where the export has no such column or the cell is blank.
    pub merchant_id: Option<String>,
    /// Open, closed or written off; `None` where the export has no such column or the cell is blank.
    pub status: Option<CoreStatus>,
    /// Amounts and days, by field: those of which the export has a column.
    pub numbers: BTreeMap<CoreField, Cell>,
}

/// The whole export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Rows that are loans, in the file's order.
    pub lines: Vec<CoreLine>,
    /// Rows that are not loans: the job says so of their status.
    pub skipped: u64,
    /// Fields that the export has a column for.
    pub fields: Vec<CoreField>,
    /// Digest of the file.
    pub sha256: Digest,
}

/// Reads an export: Parquet or text (CSV and its kin, packed or not), a file or a folder of files.
///
/// # Errors
/// The file cannot be read, a column that the job names is not in it, it names no loans, or its status column holds words that the job does
/// not explain.
pub fn read_export(path: &Path, terms: &CoreTerms, currency: Currency) -> Result<Export, CoreSystemError> {
    let table = open_table(path)?;
    let mut columns: BTreeMap<CoreField, TextValues> = BTreeMap::new();
    for field in CoreField::ALL {
        let named = terms.columns.get(&field);
        let column = named.map_or(field.name(), String::as_str);
        if let Some(at) = table.names().iter().position(|name| name == column) {
            columns.insert(field, text_of(&table, at, column)?);
        } else if named.is_some() || field == CoreField::LoanId {
            let available = table.names().join(", ");
            return Err(CoreSystemError::NoColumn { field, column: column.to_owned(), available });
        }
    }
    let decimals = match terms.amounts {
        AmountUnit::Minor => 0,
        AmountUnit::Main => currency.decimals(),
    };
    let mut export = Export {
        lines: Vec::with_capacity(table.rows()),
        skipped: 0,
        fields: columns.keys().copied().collect(),
        sha256: table.digest()?,
    };
    let mut unknown_words: BTreeMap<String, UnknownWord> = BTreeMap::new();
    for row in 0..table.rows() {
        let number_of_row = i64::try_from(row + 1).unwrap_or(i64::MAX);
        let cell = |field: CoreField| columns.get(&field).and_then(|texts| texts.get(row));
        let status = match cell(CoreField::Status) {
            None => None,
            Some(word) => match terms.status_of(word) {
                Some(Some(status)) => Some(status),
                Some(None) => {
                    export.skipped += 1;
                    continue;
                }
                None => {
                    let first = UnknownWord { word: word.to_owned(), rows: 0, first_row: number_of_row };
                    unknown_words.entry(word.to_owned()).or_insert(first).rows += 1;
                    None
                }
            },
        };
        let number = |field: CoreField| {
            let decimals = if field == CoreField::DaysPastDue { 0 } else { decimals };
            let read = match cell(field) {
                Some(text) => scaled(text, decimals).map_or_else(|| Cell::Unreadable(text.to_owned()), Cell::Number),
                None if terms.blank_is_zero.contains(&field) => Cell::Number(0),
                None => Cell::Blank,
            };
            (field, read)
        };
        let counted = [CoreField::Outstanding, CoreField::Interest, CoreField::Arrears, CoreField::DaysPastDue];
        export.lines.push(CoreLine {
            row: number_of_row,
            loan_id: cell(CoreField::LoanId).map(str::to_owned),
            merchant_id: cell(CoreField::MerchantId).map(str::to_owned),
            status,
            numbers: counted.into_iter().filter(|field| columns.contains_key(field)).map(number).collect(),
        });
    }
    if unknown_words.is_empty() {
        Ok(export)
    } else {
        Err(CoreSystemError::UnknownStatus { words: unknown_words.into_values().collect() })
    }
}

/// A column as text: numbers as a text file would write them.
fn text_of(table: &TableFile, at: usize, column: &str) -> Result<TextValues, CoreSystemError> {
    let unusable = || ModelError::WrongKind {
        column: column.to_owned(),
        expected: "text or a number",
        found: "a nested value".to_owned(),
        row: 1,
    };
    match table.load(at, Some(Kind::Text))?.map(|(column, _)| column.values) {
        Some(Values::Text(texts)) => Ok(texts),
        _ => Err(unusable().into()),
    }
}
