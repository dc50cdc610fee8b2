//! Columns whose cells hold several rows of a table of their own, such as the reviews of an order: no SELECT of the draft takes them apart.

use serde::Serialize;

use super::landscape::Landscape;
use super::scope::quoted;
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use crate::profile::{RawColumn, RawTable};

/// A column of rows within rows that the draft leaves aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NestedRows {
    /// The raw table.
    pub input: String,
    /// Its column.
    pub column: String,
    /// What each of the rows within says, where the file tells.
    pub fields: Vec<String>,
    /// What a person can do.
    pub advice: String,
}

/// Columns of rows within rows of which no drafted SELECT reads a field.
pub(super) fn unread<'a>(land: &Landscape, tables: impl Iterator<Item = &'a TableDraft>) -> Vec<NestedRows> {
    let statements: Vec<String> = tables.map(TableDraft::sql).collect();
    let is_read = |name: &str| statements.iter().any(|sql| sql.contains(&quoted(name)));
    let mut found = Vec::new();
    for (at, table) in land.folder.tables.iter().enumerate() {
        for column in table.columns.iter().filter(|column| holds_rows(table, column)) {
            let names: Vec<&str> = fields(table, column).collect();
            if names.iter().any(|name| is_read(name)) {
                continue;
            }
            let prefix = column.name.len() + 1;
            found.push(NestedRows {
                input: table.name.clone(),
                column: column.name.clone(),
                fields: names.iter().filter_map(|name| name.get(prefix..)).map(ToOwned::to_owned).collect(),
                advice: advice(land, at, column),
            });
        }
    }
    found
}

/// A list of structs, or JSON text of a list of objects.
fn holds_rows(table: &RawTable, column: &RawColumn) -> bool {
    let is_json = || column.examples.iter().any(|cell| cell.replace(' ', "").starts_with("[{"));
    (column.is_list && fields(table, column).next().is_some()) || (!column.is_list && is_json())
}

/// The columns that reading makes of the fields of a list of structs.
fn fields<'a>(table: &'a RawTable, column: &'a RawColumn) -> impl Iterator<Item = &'a str> {
    let is_of = move |other: &&RawColumn| {
        other.is_list && other.name.strip_prefix(&column.name).is_some_and(|rest| rest.starts_with('.'))
    };
    table.columns.iter().filter(is_of).map(|other| other.name.as_str())
}

fn advice(land: &Landscape, table: usize, column: &RawColumn) -> String {
    let raw = land.table(table);
    let of_orders = land.naming(table, C::Order).map(|(at, _)| land.column(at).name.clone());
    let any_key = || raw.columns.iter().find(|c| c.is_key() && c.is_like_an_id()).map(|c| c.name.clone());
    let named_key =
        |name: &String| if of_orders.is_some() { format!("\"{name}\" AS order_id, ") } else { format!("\"{name}\", ") };
    let key = of_orders.clone().or_else(any_key).as_ref().map_or(String::new(), named_key);
    let file: String = column.name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    format!(
        "write them to a file of their own beside the others, and draft again; with DuckDB in the data folder: COPY (SELECT {key}unnest({}, \
         recursive := true) FROM '{}') TO '{file}.parquet'",
        quoted(&column.name),
        raw.files
    )
}

impl NestedRows {
    /// The finding in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let fields = if self.fields.is_empty() { String::new() } else { format!(" ({})", self.fields.join(", ")) };
        format!(
            "{}.{} holds several rows in one cell{fields}, which are not read: {}",
            self.input, self.column, self.advice
        )
    }
}
