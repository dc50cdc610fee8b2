//! Differences between a restatement and the night that it restates, value by value.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde::{Deserialize, Serialize};

use super::error::PublishError;
use super::gathered::GatheredTable;
use super::history::PublishedRun;
use super::reader::TableReader;
use super::row::OutputRow as _;
use super::stage::Stage;

/// Differences that are handed on at once.
const BLOCK_DIFFERENCES: usize = 4_096;

/// Tables that are compared, with what beside the merchant tells rows apart: each table is sorted by it. The ids of offers follow from what is
/// offered, so an offer is the merchant's of its product.
const COMPARED: [(&str, Option<&str>); 10] = [
    ("scores", None),
    ("features", None),
    ("offers", Some("product")),
    ("declines", Some("product")),
    ("referrals", Some("product")),
    ("alerts", Some("alert_id")),
    ("deductions", Some("key")),
    ("accounts", None),
    ("borrower_states", None),
    ("loan_book", Some("loan_id")),
];

/// What has become of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestatedChange {
    /// Both have the row.
    Changed,
    /// The restatement alone has it.
    Appeared,
    /// The first version alone has it.
    Vanished,
}

/// One value that differs: a row of `restated.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestatedValue {
    /// The merchant.
    pub merchant_id: String,
    /// The table.
    pub in_table: String,
    /// Which of the merchant's rows.
    pub key: String,
    /// The column.
    pub column: String,
    /// What has become of it.
    pub change: RestatedChange,
    /// The value of the first version, as text.
    pub before: Option<String>,
    /// The value now.
    pub after: Option<String>,
}

impl Stage<'_, '_> {
    /// Writes `restated.parquet`: how the tables that were sealed into this stage differ from those of another run. `scratch` takes what does
    /// not fit into memory.
    ///
    /// # Errors
    /// A table of the other run is damaged or cannot be read, or the operating system refuses.
    pub fn restated_from(&mut self, first: &PublishedRun, scratch: &Path) -> Result<(), PublishError> {
        let gathered = GatheredTable::new(RestatedValue::table(), scratch);
        for (table, key) in COMPARED {
            let name = format!("{table}.parquet");
            let (before, after) = (first.file(&name)?, self.sealed(&name));
            compare(table, key, before, after, &mut |rows| gathered.extend(rows))?;
        }
        gathered.publish(self)
    }
}

/// How much differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RestatedCounts {
    /// Values that differ, by table.
    pub values: BTreeMap<String, u64>,
    /// Merchants of whom any value differs.
    pub merchants: u64,
}

impl RestatedCounts {
    /// Of a restatement that is published.
    ///
    /// # Errors
    /// Its file of differences is missing, damaged or cannot be read.
    pub fn of(run: &PublishedRun) -> Result<Self, PublishError> {
        let mut counts = Self::default();
        let Some(path) = run.file("restated.parquet")? else { return Ok(counts) };
        let mut merchant: Option<String> = None;
        for row in TableReader::<RestatedValue>::open(&path)? {
            let row = row?;
            *counts.values.entry(row.in_table).or_default() += 1;
            if merchant.as_ref() != Some(&row.merchant_id) {
                counts.merchants += 1;
                merchant = Some(row.merchant_id);
            }
        }
        Ok(counts)
    }
}

/// Hands on what differs between two files of one table, in blocks. A file that is not there has no rows.
fn compare(
    table: &str,
    key: Option<&str>,
    before: Option<PathBuf>,
    after: Option<PathBuf>,
    differ: &mut dyn FnMut(Vec<RestatedValue>) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let mut before = before.map(|path| Rows::open(path, key)).transpose()?.unwrap_or_default();
    let mut after = after.map(|path| Rows::open(path, key)).transpose()?.unwrap_or_default();
    let mut found = Vec::new();
    loop {
        let (of_before, of_after) = (before.current()?, after.current()?);
        let order = match (&of_before, &of_after) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => before.key().cmp(&after.key()),
        };
        let (of_before, of_after) = match order {
            Ordering::Less => (of_before, None),
            Ordering::Greater => (None, of_after),
            Ordering::Equal => (of_before, of_after),
        };
        differences(table, of_before.as_ref(), of_after.as_ref(), &mut found)?;
        if order != Ordering::Greater {
            before.next();
        }
        if order != Ordering::Less {
            after.next();
        }
        if found.len() >= BLOCK_DIFFERENCES {
            differ(std::mem::take(&mut found))?;
        }
    }
    differ(found)
}

fn differences(
    table: &str,
    before: Option<&Row<'_>>,
    after: Option<&Row<'_>>,
    found: &mut Vec<RestatedValue>,
) -> Result<(), PublishError> {
    let change = match (before, after) {
        (Some(_), Some(_)) => RestatedChange::Changed,
        (None, _) => RestatedChange::Appeared,
        (_, None) => RestatedChange::Vanished,
    };
    let Some((merchant_id, key)) = after.or(before).map(Row::key) else { return Ok(()) };
    let names = |row: Option<&Row<'_>>| row.map(|row| row.batch.schema());
    let (of_before, of_after) = (names(before), names(after));
    let later_only = of_before
        .iter()
        .flat_map(|schema| schema.fields().iter())
        .filter(|field| of_after.as_ref().is_none_or(|schema| schema.field_with_name(field.name()).is_err()));
    let fields = of_after.iter().flat_map(|schema| schema.fields().iter()).chain(later_only);
    for field in fields.filter(|field| !["merchant_id", "as_of"].contains(&field.name().as_str())) {
        let before = before.map_or(Ok(Cell::Null), |row| row.cell(field.name()))?;
        let after = after.map_or(Ok(Cell::Null), |row| row.cell(field.name()))?;
        if before != after {
            found.push(RestatedValue {
                merchant_id: merchant_id.to_owned(),
                in_table: table.to_owned(),
                key: key.to_owned(),
                column: field.name().clone(),
                change,
                before: before.into_text(),
                after: after.into_text(),
            });
        }
    }
    Ok(())
}

/// The rows of a file, in its order, a batch in memory at a time.
#[derive(Default)]
struct Rows<'a> {
    path: PathBuf,
    key: Option<&'a str>,
    batches: Option<ParquetRecordBatchReader>,
    batch: Option<RecordBatch>,
    at: usize,
}

impl<'a> Rows<'a> {
    fn open(path: PathBuf, key: Option<&'a str>) -> Result<Self, PublishError> {
        let file = File::open(&path).map_err(PublishError::io("open", &path))?;
        let batches = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(PublishError::parquet("read", &path))?;
        Ok(Self { path, key, batches: Some(batches), batch: None, at: 0 })
    }

    fn next(&mut self) {
        self.at += 1;
    }

    fn current(&mut self) -> Result<Option<Row<'_>>, PublishError> {
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
            let Some(batch) = self.batches.as_mut().and_then(Iterator::next) else { return Ok(None) };
            self.batch = Some(batch.map_err(|e| PublishError::malformed(&self.path, e.to_string()))?);
            self.at = 0;
        }
        let Self { path, key, batch, at, .. } = self;
        let Some(batch) = batch.as_ref() else { return Ok(None) };
        let text = |name: &str| match batch.column_by_name(name).map(|column| column.as_string_opt::<i32>()) {
            Some(Some(column)) => Ok(if column.is_null(*at) { "" } else { column.value(*at) }),
            _ => Err(PublishError::malformed(path, format!("column {name} is missing or not text"))),
        };
        let key = key.map_or(Ok(""), text)?;
        Ok(Some(Row { path, batch, at: *at, merchant: text("merchant_id")?, key }))
    }
}

struct Row<'a> {
    path: &'a Path,
    batch: &'a RecordBatch,
    at: usize,
    merchant: &'a str,
    key: &'a str,
}

impl<'a> Row<'a> {
    const fn key(&self) -> (&'a str, &'a str) {
        (self.merchant, self.key)
    }

    /// A cell; null where the file has no such column.
    fn cell(&self, column: &str) -> Result<Cell<'a>, PublishError> {
        let Some(array) = self.batch.column_by_name(column).filter(|array| array.is_valid(self.at)) else {
            return Ok(Cell::Null);
        };
        Ok(match array.data_type() {
            DataType::Float64 => Cell::Float(array.as_primitive::<Float64Type>().value(self.at)),
            DataType::Int64 => Cell::Whole(array.as_primitive::<Int64Type>().value(self.at)),
            DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(self.at)),
            _ => {
                let options = FormatOptions::default();
                let text = ArrayFormatter::try_new(array, &options)
                    .and_then(|formatter| formatter.value(self.at).try_to_string());
                Cell::Other(text.map_err(|e| PublishError::malformed(self.path, e.to_string()))?)
            }
        })
    }
}

/// A value, written as text only where it differs.
#[derive(Debug, PartialEq)]
enum Cell<'a> {
    Null,
    Float(f64),
    Whole(i64),
    Text(&'a str),
    Other(String),
}

impl Cell<'_> {
    fn into_text(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Float(value) => Some(value.to_string()),
            Self::Whole(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.to_owned()),
            Self::Other(text) => Some(text),
        }
    }
}
