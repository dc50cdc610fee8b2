//! A contract table as drafted: its SELECT, and where each column comes from.

use std::collections::BTreeMap;

use serde::Serialize;

use super::add::add;
use super::assign::free_name;
use super::scope::{Piece, Scope};
use crate::contract::{Column, TableContract, Type};
use crate::profile::{ColumnAt, RawColumn, ValueKind};

/// What marks a place that a person must fill; the check of a job's sources looks for it.
pub(crate) use crate::source::GAP;

/// How a column was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Names and values agree.
    Found,
    /// Made by rule from other columns, or read in one of several possible ways.
    Guess,
    /// Nothing speaks for any column: a person must say.
    Gap,
}

/// One column of a drafted table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDraft {
    /// Contract column.
    pub column: &'static str,
    /// Raw column or rule that it is made of.
    pub from: String,
    /// 0 to 1.
    pub confidence: f64,
    /// How it was found.
    pub certainty: Certainty,
    /// What a person should look at.
    pub note: Option<String>,
    /// Whether so much hangs on the note that it is told beside the draft, and not in the SELECT alone.
    #[serde(skip)]
    pub(super) is_told: bool,
    #[serde(skip)]
    pub(super) sql: String,
}

impl ColumnDraft {
    /// What a person should look at before anything is believed: what amounts are made of, for an amount read in the wrong unit is wrong by a hundred and
    /// looks right, when a merchant has earned it, and what else decides.
    #[must_use]
    pub fn to_look_at(&self) -> Option<String> {
        const DECIDES: [&str; 4] = ["amount_minor", "completed_at", "refund_minor", "refunded_at"];
        let is_guessed = DECIDES.contains(&self.column) && self.confidence < SURE;
        let is_told = self.is_told || self.column.ends_with("_minor") || is_guessed;
        let guessed = || is_guessed.then(|| format!("a guess ({:.2})", self.confidence));
        let note = if is_told { self.note.clone().or_else(guessed) } else { None };
        note.filter(|_| self.certainty != Certainty::Gap)
    }

    /// Adds what a person should look at: what was found for certain is a guess with it.
    pub(super) fn remark(&mut self, note: &str) {
        let before = self.note.take().map_or(String::new(), |before| format!("{before}; "));
        self.note = Some(format!("{before}{note}"));
        if self.certainty == Certainty::Found {
            self.certainty = Certainty::Guess;
        }
    }
}

/// One drafted table.
#[derive(Debug, Clone, Serialize)]
pub struct TableDraft {
    /// Contract table.
    #[serde(serialize_with = "table_name")]
    pub table: &'static TableContract,
    /// Input whose rows are accounted for.
    pub from: String,
    /// Which of several sources of the contract table it is, from 1 on.
    #[serde(skip)]
    pub(super) part: usize,
    /// Its columns, in contract order; those left out were not found and need not be there.
    pub columns: Vec<ColumnDraft>,
    #[serde(skip)]
    pub(super) head: Vec<String>,
    #[serde(skip)]
    pub(super) with: Vec<(String, String)>,
    #[serde(skip)]
    pub(super) joins: Vec<String>,
    #[serde(skip)]
    pub(super) from_clause: String,
    /// Rows of the driving table that are not meant.
    #[serde(skip)]
    pub(super) skipped: Vec<Skipped>,
    /// A second input of another's files, by which the rows that the job skips are read.
    #[serde(skip)]
    pub(super) twin: Option<(String, String)>,
    /// A column of where each file of the driving table lies, which the job must declare.
    #[serde(skip)]
    pub(super) path_column: Option<String>,
    /// Columns of the driving table and of another (or of itself, where its rows are grouped) by whose values parts of the SELECT meet.
    #[serde(skip)]
    pub(super) keys: Vec<(ColumnAt, ColumnAt)>,
    /// Whether rows of any key may meet in it.
    #[serde(skip)]
    pub(super) needs_all: bool,
    /// Inputs that may be split, each by a column; none where it is not known.
    #[serde(skip)]
    pub(super) keyed_by: BTreeMap<String, String>,
}

/// Rows that a job leaves out and counts as skipped.
#[derive(Debug, Clone)]
pub(super) struct Skipped {
    /// Why, in a sentence.
    pub why: String,
    /// The condition that rows which are read meet.
    pub keeps: String,
    /// Their share of the table's rows.
    pub share: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn table_name<S: serde::Serializer>(table: &&'static TableContract, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(table.name)
}

impl ColumnDraft {
    /// Whether something was found for it, even if that cannot be believed as it stands.
    pub(super) fn is_found(&self) -> bool {
        self.from != NOTHING
    }
}

/// What a column is made of for which nothing was found.
const NOTHING: &str = "nothing found";

impl TableDraft {
    pub(super) fn new(table: &'static TableContract, scope: &Scope) -> Self {
        Self {
            table,
            from: scope.driver_name().to_owned(),
            part: 1,
            columns: Vec::new(),
            head: Vec::new(),
            with: Vec::new(),
            joins: Vec::new(),
            from_clause: String::new(),
            skipped: Vec::new(),
            twin: None,
            path_column: None,
            keys: Vec::new(),
            needs_all: false,
            keyed_by: BTreeMap::new(),
        }
    }

    /// The file of its SELECT, below the job's folder.
    pub(super) fn file(&self) -> String {
        let part = if self.part > 1 { format!("_{}", self.part) } else { String::new() };
        format!("sources/{}{part}.sql", self.table.name)
    }

    /// Leaves rows of the driving table out.
    pub(super) fn skip(&mut self, rows: Skipped) {
        self.skipped.push(rows);
    }

    /// Adds a column. A confidence below [`SURE`] makes a guess of it, and so does a note.
    pub(super) fn put(&mut self, column: &str, piece: Piece, from: impl Into<String>, confidence: f64) {
        let Some(known) = self.table.column(column) else { return };
        let certainty = if piece.note.is_some() || confidence < SURE { Certainty::Guess } else { Certainty::Found };
        self.columns.retain(|c| c.column != known.name);
        self.columns.push(ColumnDraft {
            column: known.name,
            from: from.into(),
            confidence: confidence.clamp(0.0, 1.0),
            certainty,
            note: piece.note,
            is_told: false,
            sql: piece.sql,
        });
    }

    /// Marks a required column that nothing speaks for.
    pub(super) fn gap(&mut self, column: &'static Column) {
        self.columns.push(ColumnDraft {
            column: column.name,
            from: NOTHING.to_owned(),
            confidence: 0.0,
            certainty: Certainty::Gap,
            note: Some(format!("{}: {}", column.doc, wanted(column))),
            is_told: false,
            sql: "NULL".to_owned(),
        });
    }

    /// Adds a column that only a person can fill; `from` says what is lacking.
    pub(super) fn put_gap(&mut self, column: &str, from: &str, why: &str) {
        self.put(column, Piece::sure("NULL"), from, 0.0);
        self.doubt(column, why);
    }

    /// Marks a drafted column as one that a person must look at before anything is believed.
    pub(super) fn doubt(&mut self, column: &str, why: &str) {
        let Some(drafted) = self.column_mut(column) else { return };
        let before = match drafted.certainty {
            Certainty::Gap => drafted.note.as_deref().map_or(String::new(), |note| format!("{note}; ")),
            Certainty::Found | Certainty::Guess => String::new(),
        };
        drafted.note = Some(format!("{before}{why}"));
        drafted.certainty = Certainty::Gap;
        drafted.confidence = 0.0;
    }

    /// Adds what a person should look at before anything is believed, though nothing is missing.
    pub(super) fn look_at(&mut self, column: &str, note: &str) {
        if let Some(drafted) = self.column_mut(column) {
            drafted.remark(note);
            drafted.is_told = true;
        }
    }

    /// A drafted column, gaps among them.
    pub(super) fn column(&self, column: &str) -> Option<&ColumnDraft> {
        self.columns.iter().find(|c| c.column == column)
    }

    pub(super) fn column_mut(&mut self, column: &str) -> Option<&mut ColumnDraft> {
        self.columns.iter_mut().find(|c| c.column == column)
    }

    /// Whether the column is drafted, gaps not counted.
    pub(super) fn has(&self, column: &str) -> bool {
        self.column(column).is_some_and(|c| c.certainty != Certainty::Gap)
    }

    /// Required columns that nothing was found for.
    pub fn gaps(&self) -> impl Iterator<Item = &ColumnDraft> {
        self.columns.iter().filter(|c| c.certainty == Certainty::Gap)
    }

    /// Why rows of the driving table are left out.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &str> {
        self.skipped.iter().map(|rows| rows.why.as_str())
    }

    /// Adds gaps for required columns that are missing, and brings columns into the contract's order.
    pub(super) fn finish(mut self, scope: &Scope) -> Self {
        for column in self.table.columns.iter().filter(|c| c.required) {
            if self.column(column.name).is_none() {
                self.gap(column);
            }
        }
        let place = |name: &str| self.table.columns.iter().position(|c| c.name == name);
        self.columns.sort_by_key(|c| place(c.column));
        self.not_before_the_event(scope);
        self.doubt_mixed_cells(scope);
        self.doubt_blank_times(scope);
        self.tell_years_ahead(scope);
        self.from_clause = scope.joined_tables();
        if !self.needs_all {
            self.keyed_by = scope.keyed_by(&self.keys);
        }
        self.with_once(scope);
        self.read_meant_rows(scope);
        self
    }

    /// Parts of the SELECT that read the driving table once more read it by a second name, and only the rows that are meant: by its own name, rows that `where`
    /// leaves out are gone unseen, which the check of a job refuses.
    fn read_meant_rows(&mut self, scope: &Scope) {
        let driver = self.from.clone();
        let meant = free_name(scope.land, &format!("meant_{driver}"));
        let parts: Vec<(String, String)> =
            self.with.iter().map(|(name, body)| (name.clone(), renamed(body, &driver, &meant))).collect();
        if self.skipped.is_empty() || parts == self.with {
            return;
        }
        self.with = parts;
        let all = || (free_name(scope.land, &format!("all_{driver}")), driver.clone());
        let (twin, _) = self.twin.get_or_insert_with(all).clone();
        let keeps: Vec<&str> = self.skipped.iter().map(|rows| rows.keeps.as_str()).collect();
        let body = format!("SELECT * FROM {twin}\nWHERE {}", keeps.join(" AND "));
        self.with.insert(0, (meant, body));
        if let Some(column) = self.keyed_by.get(&driver).cloned() {
            self.keyed_by.insert(twin, column);
        }
    }

    /// A day without a time of day beside a time with one: on the same day it is not before it.
    fn not_before_the_event(&mut self, scope: &Scope) {
        const MILESTONES: [(&str, &str); 6] = [
            ("paid_at", "placed_at"),
            ("cancelled_at", "placed_at"),
            ("completed_at", "placed_at"),
            ("refunded_at", "placed_at"),
            ("closed_at", "opened_at"),
            ("delivered_at", "shipped_at"),
        ];
        let kind = |column: &ColumnDraft| scope.land.column_called(&column.from).map(|raw| raw.kind.clone());
        let text_of = |name: &str, wants_date: bool| {
            let column = self.column(name)?;
            match kind(column)? {
                ValueKind::Time { form, is_date, .. } if is_date == wants_date && !form.gives_instants() => {
                    Some(column.sql.clone())
                }
                _ => None,
            }
        };
        let bounded: Vec<(&str, String)> = MILESTONES
            .into_iter()
            .filter_map(|(milestone, event)| {
                let (day, at) = (text_of(milestone, true)?, text_of(event, false)?);
                let is_same = format!("SUBSTR({day}, 1, 10) = SUBSTR({at}, 1, 10)");
                Some((milestone, format!("CASE WHEN {is_same} THEN {at} ELSE {day} END")))
            })
            .collect();
        if !scope.is_text() {
            return;
        }
        for (milestone, sql) in bounded {
            if let Some(drafted) = self.column_mut(milestone) {
                drafted.sql = sql;
            }
        }
    }

    /// Years that are not of the common calendar: a person must see that they were taken off rightly.
    fn tell_years_ahead(&mut self, scope: &Scope) {
        let ahead = |column: &&ColumnDraft| {
            scope.land.column_called(&column.from).map(|raw| raw.written.years_ahead).filter(|years| *years > 0)
        };
        let Some((column, years)) = self.columns.iter().find_map(|c| Some((c.column, ahead(&c)?))) else { return };
        let why = format!(
            "the dates of {} lie {years} years ahead, as Thailand counts them: {years} are taken off here and in the other times of this SELECT",
            self.from
        );
        // What only an optional table says can wait for nobody.
        if self.table.optional {
            self.look_at(column, &why);
        } else {
            self.doubt(column, &why);
        }
    }

    /// A required time that is blank in some rows, or that nothing was found for, may stand in columns whose form is not read.
    fn doubt_blank_times(&mut self, scope: &Scope) {
        let land = scope.land;
        let unread: Vec<(&RawColumn, &str)> = land
            .columns(scope.driver)
            .filter_map(|at| Some((land.column(at), land.column(at).written.unread_time.as_deref()?)))
            .collect();
        let Some((_, example)) = unread.first() else { return };
        let is_time = |column: &&Column| column.required && matches!(column.kind, Type::Instant | Type::Day);
        let names = unread.iter().map(|(raw, _)| format!("{:?}", raw.name)).collect::<Vec<_>>().join(", ");
        let told = format!(
            "{names} of its table look like times in a form that is not read, such as {example:?}: where one of them is meant, write it with try_strptime"
        );
        for column in self.table.columns.iter().filter(is_time) {
            let Some(drafted) = self.column(column.name) else { continue };
            let raw = land.column_at(scope.driver, &drafted.from).map(|at| land.column(at));
            if let Some(raw) = raw.filter(|raw| raw.null_share() > FEW_BLANK) {
                let why = format!("{} is blank in {} row(s), and {told}", drafted.from, raw.nulls);
                self.doubt(column.name, &why);
            } else if drafted.certainty == Certainty::Gap {
                self.doubt(column.name, &told);
            } else if drafted.confidence < 1.0 && raw.is_some() {
                self.look_at(column.name, &told);
            }
        }
    }

    /// Marks what is made of cells in two forms that can be taken for each other.
    fn doubt_mixed_cells(&mut self, scope: &Scope) {
        let tables = &scope.land.folder.tables;
        let mixed = tables.iter().flat_map(|table| {
            let has_thousandths = scope.currency.is_some_and(|currency| currency.minor_units() == 1_000);
            table.columns.iter().filter_map(move |column| {
                let of_amounts = || Some((column.written.doubt_of_amounts.clone().filter(|_| !has_thousandths)?, true));
                let (why, of_amounts) = column.written.doubt.clone().map(|why| (why, false)).or_else(of_amounts)?;
                Some((format!("{}.{}", table.name, super::scope::quoted(&column.name)), why, of_amounts))
            })
        });
        for (cell, why, of_amounts) in mixed {
            let is_in_parts = self.with.iter().any(|(_, body)| names(body, &cell));
            let made_of_it = |c: &ColumnDraft| names(&c.sql, &cell) || names(&c.from, &cell);
            let mut made: Vec<&str> = self.columns.iter().filter(|c| made_of_it(c)).map(|c| c.column).collect();
            if made.is_empty() && is_in_parts {
                made.extend(self.columns.first().map(|c| c.column));
            }
            if of_amounts {
                made.retain(|name| self.table.column(name).is_some_and(|column| column.kind == Type::Money));
            }
            for column in made {
                self.doubt(column, &format!("{cell} has {why}"));
            }
        }
    }

    /// Adds the WITH parts that a scope's joins need, before those that use them.
    pub(super) fn with_once(&mut self, scope: &Scope) {
        for part in scope.once_parts() {
            if !self.with.contains(&part) {
                self.with.insert(0, part);
            }
        }
    }

    /// The SELECT with a comment on each guess.
    pub(super) fn sql(&self) -> String {
        let mut text = String::new();
        for line in &self.head {
            add(&mut text, &format!("-- {line}\n"));
        }
        if !self.with.is_empty() {
            let parts: Vec<String> =
                self.with.iter().map(|(name, body)| format!("{name} AS (\n{}\n)", indented(body))).collect();
            add(&mut text, &format!("WITH {}\n", parts.join(",\n")));
        }
        add(&mut text, &format!("SELECT\n    {0}._file AS _file,\n    {0}._row AS _row", self.from));
        let mut comment = String::new();
        for column in &self.columns {
            let name = super::scope::quoted(column.column);
            add(&mut text, &format!(",{comment}\n    {} AS {name}", column.sql));
            comment = match (column.certainty, &column.note) {
                (Certainty::Found, _) => String::new(),
                (Certainty::Guess, note) => {
                    format!("  -- GUESS ({:.2}): {}", column.confidence, note.as_deref().unwrap_or(&column.from))
                }
                (Certainty::Gap, note) => format!("  {GAP} {}", note.as_deref().unwrap_or_default()),
            };
        }
        add(&mut text, &format!("{comment}\n{}\n", self.from_clause));
        for join in &self.joins {
            add(&mut text, &format!("{join}\n"));
        }
        text
    }
}

/// From here on names and values agree.
const SURE: f64 = 0.75;

/// A time that more rows lack is not that of their event.
const FEW_BLANK: f64 = 0.005;

/// Whether SQL names a cell, and not one whose name goes on.
pub(super) fn names(sql: &str, cell: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || c == '_';
    sql.match_indices(cell).any(|(at, _)| {
        let after = sql.get(at + cell.len()..).and_then(|rest| rest.chars().next());
        let before = sql.get(..at).and_then(|rest| rest.chars().next_back());
        !after.is_some_and(goes_on) && !before.is_some_and(goes_on)
    })
}

/// SQL that reads a table by another name.
fn renamed(sql: &str, from: &str, to: &str) -> String {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"');
    let mut text = String::new();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once(from) {
        text.push_str(before);
        let is_read = text.ends_with("FROM ") || text.ends_with("JOIN ");
        let begins = !text.ends_with(|c: char| goes_on(c) || c == '.');
        let is_table = begins && (after.starts_with('.') || (is_read && !after.starts_with(goes_on)));
        text.push_str(if is_table { to } else { from });
        rest = after;
    }
    text + rest
}

fn wanted(column: &Column) -> String {
    match column.kind {
        // Of another currency than the job's every row would be broken.
        Type::Text if column.name == "currency" => {
            "write it, as 'EUR', here and in job.toml, or draft again with --currency into an empty folder".to_owned()
        }
        Type::Id => "write the column that names it in place of NULL; where the names of files alone say it, path_column under [inputs] gives them".to_owned(),
        Type::Text => "write a column, or 'unknown'".to_owned(),
        Type::Word(words) => format!("write one of '{}'", words.join("', '")),
        Type::Instant => "write a column with a date or a time".to_owned(),
        Type::Day => "write a column with a date".to_owned(),
        Type::Money => "write whole minor units, e.g. minor_units(x, 'EUR')".to_owned(),
        Type::Integer => "write a whole number".to_owned(),
        Type::Ids => "write identifiers joined by ;".to_owned(),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_renamed_where_it_is_one() {
        for (sql, expected) in [
            ("SELECT t.a, t.\"t\" FROM t", "SELECT m.a, m.\"t\" FROM m"),
            ("SELECT at.a, t FROM at JOIN t ON at.t = t.a", "SELECT at.a, t FROM at JOIN m ON at.t = m.a"),
            ("FROM t_once", "FROM t_once"),
        ] {
            assert_eq!(renamed(sql, "t", "m"), expected);
        }
    }
}
