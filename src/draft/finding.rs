//! What drafting found, as the caller is told.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use super::job_file;
use super::nested::NestedRows;
use super::table_draft::{ColumnDraft, TableDraft};
use crate::profile::{CurrencyHint, Folder, RawColumn, RawTable, UnreadFile};

/// A drafted job, in memory.
#[derive(Debug, Serialize)]
pub struct Draft {
    /// The job's name.
    pub name: String,
    /// Raw tables found.
    pub inputs: Vec<InputFinding>,
    /// Files left aside.
    pub unread: Vec<UnreadFile>,
    /// Currency and what speaks for it; null where nothing does.
    pub currency: Option<CurrencyHint>,
    /// Observation date of the first night.
    pub as_of: Option<Date>,
    /// Contract tables that the job reads.
    pub tables: Vec<TableDraft>,
    /// Optional contract tables that are written but have gaps, so that the job does not read them yet.
    pub aside: Vec<TableDraft>,
    /// Why there is no loan book where loans were found.
    pub no_loan_book: Option<String>,
    /// Tables that nothing is made of though they could be orders, each in a sentence.
    pub unread_orders: Vec<String>,
    /// Tables that nothing is made of though they name orders beside sums, each in a sentence.
    pub unread_sums: Vec<String>,
    /// Columns of rows within rows that no SELECT reads.
    pub nested: Vec<NestedRows>,
    /// How many features the data can feed.
    pub features: usize,
    /// What a model learns to foresee.
    pub label: &'static str,
    /// Files of the job, by path below its folder.
    #[serde(skip)]
    pub(crate) files: Vec<(String, String)>,
}

/// A raw table.
#[derive(Debug, Serialize)]
pub struct InputFinding {
    /// What SQL calls it.
    pub name: String,
    /// Its files.
    pub files: String,
    /// How they are written, in the keys of the job's `[inputs]`; empty for a plain CSV file and for Parquet.
    pub format: String,
    /// Rows.
    pub rows: usize,
    /// Whether a SELECT reads it.
    pub is_used: bool,
    /// Why none does, where a SELECT that would is not read yet, or a column of it cannot be.
    #[serde(skip)]
    pub why_unused: Option<String>,
    /// Its columns.
    pub columns: Vec<ColumnFinding>,
}

/// A raw column.
#[derive(Debug, Serialize)]
pub struct ColumnFinding {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub kind: String,
    /// Share of cells without a value.
    pub null_share: f64,
    /// Different values.
    pub distinct: usize,
    /// The least and the greatest value of a number or a time.
    pub range: Option<[String; 2]>,
    /// Whether every row has a value of its own.
    pub is_key: bool,
    /// The keys that it refers to, with the share of its values found there.
    pub refers_to: Vec<(String, f64)>,
    /// Some values.
    pub examples: Vec<String>,
}

impl Draft {
    /// Places that were found and cannot be believed as they stand, with their table.
    pub fn gaps_of_cells(&self) -> impl Iterator<Item = (&'static str, &ColumnDraft)> {
        let tables = self.tables.iter().chain(&self.aside);
        tables.flat_map(|table| table.gaps().filter(|gap| gap.is_found()).map(|gap| (table.table.name, gap)))
    }

    /// Rows that the job leaves out, by table.
    pub fn left_out(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let tables = self.tables.iter().chain(&self.aside);
        tables.flat_map(|table| table.left_out().map(|why| (table.table.name, why)))
    }

    /// Required columns that a person must fill before the job can run.
    #[must_use]
    pub fn open_gaps(&self) -> usize {
        // The currency of the job and that of its orders are one thing to say.
        let is_of_orders = self.tables.iter().any(|table| table.gaps().any(|gap| gap.column == "currency"));
        let currency = usize::from(self.currency.is_none() && !is_of_orders);
        self.tables.iter().map(|table| table.gaps().count()).sum::<usize>() + currency
    }
}

/// Every raw table, and whether a SELECT reads it.
pub(super) fn inputs(folder: &Folder, tables: &[TableDraft], aside: &[TableDraft]) -> Vec<InputFinding> {
    let used: BTreeSet<&str> = tables.iter().flat_map(|table| job_file::inputs_of(table, folder)).collect();
    let refers = |table: usize, column: usize| -> Vec<(String, f64)> {
        let own = folder.references.iter().filter(|r| r.from.table == table && r.from.column == column);
        own.map(|r| {
            let to = &folder.tables[r.to.table];
            (format!("{}.{}", to.name, to.columns[r.to.column].name), r.coverage)
        })
        .collect()
    };
    folder
        .tables
        .iter()
        .enumerate()
        .map(|(n, table)| InputFinding {
            name: table.name.clone(),
            files: table.files.clone(),
            format: table.format.toml(),
            rows: table.rows,
            is_used: used.contains(table.name.as_str()),
            why_unused: why_unused(table, folder, aside),
            columns: table
                .columns
                .iter()
                .enumerate()
                .map(|(c, column)| ColumnFinding {
                    name: column.name.clone(),
                    kind: column.kind_words(),
                    null_share: column.null_share(),
                    distinct: column.distinct,
                    range: range_of(column),
                    is_key: column.is_key() && column.is_like_an_id(),
                    refers_to: refers(n, c),
                    examples: column.examples.clone(),
                })
                .collect(),
        })
        .collect()
}

fn range_of(column: &RawColumn) -> Option<[String; 2]> {
    if column.is_time() {
        let activity = column.activity();
        return Some([activity.first_on()?.to_string(), activity.last_on()?.to_string()]);
    }
    column.is_number().then(|| [column.numbers.range.0.to_string(), column.numbers.range.1.to_string()])
}

/// Why no SELECT that the job reads is made of a table, where something is known of it.
fn why_unused(raw: &RawTable, folder: &Folder, aside: &[TableDraft]) -> Option<String> {
    let of_aside = |table: &&TableDraft| job_file::inputs_of(table, folder).contains(&raw.name.as_str());
    if let Some(table) = aside.iter().find(of_aside) {
        let name = table.table.name;
        let gaps: Vec<&str> = table.gaps().map(|gap| gap.column).collect();
        return Some(if gaps.is_empty() {
            format!("{name} would be made of it, and is not read yet")
        } else {
            format!("{name} would be made of it, and lacks {}", gaps.join(", "))
        });
    }
    raw.columns.iter().find_map(|column| Some(format!("its {:?} has {}", column.name, column.written.doubt.as_ref()?)))
}
