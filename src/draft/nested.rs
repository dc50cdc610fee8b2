//! Columns whose cells hold several rows of a table of their own, such as the reviews of an order, or the fields of an object as JSON text: no SELECT of the draft takes
//! them apart.

use serde::Serialize;

use super::landscape::Landscape;
use super::names::Name;
use super::scope::quoted;
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use crate::profile::{RawColumn, RawTable};

/// What tables are about whose rows hold others, and what their key is called beside those.
const KEYS: [(C, &str); 3] = [(C::Order, "order_id"), (C::Loan, "loan_id"), (C::Merchant, "merchant_id")];
/// What rows within rows are, where their column says it.
const ROWS: [C; 6] = [C::Item, C::Review, C::Dispute, C::Shipment, C::Instalment, C::Payment];

/// A column of rows within rows that the draft leaves aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NestedRows {
    /// The raw table.
    pub input: String,
    /// Its column.
    pub column: String,
    /// What each of the rows within says, where the file tells.
    pub fields: Vec<String>,
    /// What its cells hold.
    pub holds: &'static str,
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
            let prefix = column.name.len() + 1;
            let within = names.iter().filter_map(|name| name.get(prefix..)).map(ToOwned::to_owned);
            let within: Vec<String> =
                if names.is_empty() { column.nested.listed_fields.clone() } else { within.collect() };
            if names.iter().any(|name| is_read(name)) || stand_apart(land, at, &column.name, &within) {
                continue;
            }
            found.push(NestedRows {
                input: table.name.clone(),
                column: column.name.clone(),
                fields: within,
                holds: "several rows in one cell",
                advice: advice(land, at, column),
            });
        }
    }
    found.extend(land.folder.tables.iter().flat_map(objects_in_cells));
    found
}

/// Columns of JSON objects, of which SQL reads no field.
fn objects_in_cells(table: &RawTable) -> impl Iterator<Item = NestedRows> + '_ {
    let are_objects = |column: &&RawColumn| !column.nested.object_fields.is_empty();
    table.columns.iter().filter(are_objects).map(|column| {
        let cell = quoted(&column.name);
        // A field may be called as a column is.
        let is_taken = |field: &str| table.columns.iter().any(|known| known.name.eq_ignore_ascii_case(field));
        let called =
            |field: &str| if is_taken(field) { format!("{}_{field}", column.name) } else { field.to_owned() };
        let reads = |field: &String| {
            format!("{cell}->>'$.\"{}\"' AS \"{}\"", field.replace('\'', "''"), called(field))
        };
        let fields: Vec<String> = column.nested.object_fields.iter().map(reads).collect();
        NestedRows {
            input: table.name.clone(),
            column: column.name.clone(),
            fields: column.nested.object_fields.clone(),
            holds: "an object of JSON in each cell",
            advice: format!(
                "make columns of them, and draft again from a folder with the new file in place of the old; with DuckDB in the data folder: COPY (SELECT * EXCLUDE ({cell}), {} FROM '{}') TO '{}_read.parquet'",
                fields.join(", "),
                table.files,
                table.name
            ),
        }
    })
}

/// A list of structs, or JSON text of a list of objects.
fn holds_rows(table: &RawTable, column: &RawColumn) -> bool {
    (column.is_list && fields(table, column).next().is_some())
        || (!column.is_list && !column.nested.listed_fields.is_empty())
}

/// The columns that reading makes of the fields of a list of structs.
fn fields<'a>(table: &'a RawTable, column: &'a RawColumn) -> impl Iterator<Item = &'a str> {
    let is_of = move |other: &&RawColumn| {
        other.is_list && other.name.strip_prefix(&column.name).is_some_and(|rest| rest.starts_with('.'))
    };
    table.columns.iter().filter(is_of).map(|other| other.name.as_str())
}

/// Whether the rows were written to a table of their own: another one has all of their fields, and where those are few, speaks of the same thing.
fn stand_apart(land: &Landscape, of: usize, column: &str, fields: &[String]) -> bool {
    /// An amount and a date are in many tables.
    const TELLING: usize = 3;
    let said = Name::of(column);
    let is_of_it =
        |at: usize| fields.len() >= TELLING || land.table_name(at).concepts.iter().any(|concept| said.says(*concept));
    let has = |table: &RawTable, field: &String| table.columns.iter().any(|column| column.name == *field);
    let mut others = land.folder.tables.iter().enumerate().filter(|(at, _)| *at != of);
    !fields.is_empty() && others.any(|(at, table)| is_of_it(at) && fields.iter().all(|field| has(table, field)))
}

fn advice(land: &Landscape, table: usize, column: &RawColumn) -> String {
    let raw = land.table(table);
    // Under a name that says whose it is, so that the new table is understood when drafted again.
    let named_key = |(entity, called): (C, &'static str)| {
        let own = land.naming(table, entity).filter(|(at, _)| land.column(*at).is_key() || entity == C::Order)?;
        Some((land.column(own.0).name.clone(), called))
    };
    let mut whose =
        KEYS.into_iter().filter(|(entity, _)| land.role(table) == Some(*entity)).chain([(C::Order, "order_id")]);
    let any_key = || {
        let own = raw.columns.iter().find(|c| c.is_key() && c.is_like_an_id())?;
        Some(format!("{}, ", by_fields(&own.name)))
    };
    let key = whose.find_map(named_key).map(|(name, called)| format!("{} AS {called}, ", by_fields(&name)));
    let key = key.or_else(any_key).unwrap_or_default();
    let says_what = ROWS.iter().any(|entity| Name::of(&column.name).says(*entity));
    let called = if says_what { column.name.clone() } else { format!("{}_{}", raw.name, column.name) };
    let file: String = called.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    format!(
        "write them to a file of their own beside the others, and draft again; with DuckDB in the data folder: COPY (SELECT {key}unnest({}, \
         max_depth := 2) FROM '{}') TO '{file}.parquet'",
        column.name.split('.').map(quoted).collect::<Vec<_>>().join("."),
        raw.files
    )
}

/// A column of fields within fields as DuckDB names it: `_id."$oid"`.
fn by_fields(name: &str) -> String {
    let fields = name.split('.').map(|field| format!("\"{field}\""));
    fields.collect::<Vec<_>>().join(".")
}

impl NestedRows {
    /// The finding in a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let fields = if self.fields.is_empty() { String::new() } else { format!(" ({})", self.fields.join(", ")) };
        format!("{}.{} holds {}{fields}, which are not read: {}", self.input, self.column, self.holds, self.advice)
    }
}
