//! The FROM clause of a SELECT under construction, and how raw cells become contract cells in it.

use std::collections::BTreeMap;

use super::add::add;
use super::landscape::{Found, Landscape};
use super::{other_zone, units};
use crate::contract::Type;
use crate::domain::Currency;
use crate::profile::{ColumnAt, NumberForm, RawColumn, Reference, TimeForm, ValueKind};
use crate::source::is_currency_mark;

/// A SELECT over a driving table and those that it joins.
pub(super) struct Scope<'a> {
    pub land: &'a Landscape<'a>,
    pub driver: usize,
    pub currency: Option<Currency>,
    /// What SQL calls the driving table, where it is read once more: rows that the job skips are read by a second input of the same files.
    twin: Option<String>,
    /// The WITH part that its rows are read from, where each key of it counts once.
    part: Option<String>,
    joins: Vec<Reference>,
}

/// A piece of SQL and what a person should know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub sql: String,
    /// What was guessed, where something was.
    pub note: Option<String>,
}

impl Piece {
    pub(super) fn sure(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), note: None }
    }

    pub(super) fn guess(sql: impl Into<String>, note: impl Into<String>) -> Self {
        Self { sql: sql.into(), note: Some(note.into()) }
    }
}

/// What stands around a list for its first element.
const FIRST: &str = "ARRAY_GET(";
const FIRST_END: &str = ", 1)";

fn once_name(land: &Landscape, table: usize) -> String {
    super::assign::free_name(land, &format!("{}_once", land.table(table).name))
}

/// The last row of each key of a table: a later file sends rows again.
fn last_of_each(table: &str, key: &str) -> String {
    format!(
        "SELECT * FROM (\n    SELECT *, ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY _file DESC, _row DESC) AS _place FROM {table}\n) AS numbered\n\
         WHERE _place = 1"
    )
}

/// A name as SQL takes it.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let reserved = [
        "on", "order", "group", "from", "to", "date", "time", "timestamp", "user", "number", "value", "key", "end",
        "start", "case", "limit", "type", "when", "desc", "asc", "at", "by",
    ];
    if is_plain && !reserved.contains(&name) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A column as SQL, `table` with its point before it; one that other files call otherwise, by all of its names.
pub(super) fn cell_of(table: &str, raw: &RawColumn) -> String {
    let names: Vec<String> = std::iter::once(&raw.name)
        .chain(&raw.origin.also_called)
        .map(|name| format!("{table}{}", quoted(name)))
        .collect();
    match (names.as_slice(), &raw.origin.time_of_day) {
        // A day without a time of day is read too.
        ([day], Some(time)) => format!("({day} || COALESCE(' ' || {table}{}, ''))", quoted(time)),
        ([only], None) => only.clone(),
        _ => format!("COALESCE({})", names.join(", ")),
    }
}

/// A date as text with fewer years, whatever stands around them.
fn years_earlier(ahead: i16, sql: &str) -> String {
    let part = |pattern: &str| format!("regexp_extract({sql}, '{pattern}', 1)");
    let year = format!("CAST(CAST({} AS BIGINT) - {ahead} AS VARCHAR)", part("(2[4-7][0-9][0-9])"));
    format!("COALESCE({} || {year} || {}, {sql})", part("^(.*?)2[4-7][0-9][0-9]"), part("2[4-7][0-9][0-9](.*)$"))
}

/// The list whose first element a piece of SQL is.
fn list_of(sql: &str) -> String {
    let list = sql.strip_prefix(FIRST).and_then(|rest| rest.strip_suffix(FIRST_END));
    list.unwrap_or(sql).to_owned()
}

impl<'a> Scope<'a> {
    pub(super) fn new(land: &'a Landscape<'a>, driver: usize, currency: Option<Currency>) -> Self {
        Self { land, driver, currency, twin: None, part: None, joins: Vec::new() }
    }

    /// The same driving table, read once more under a name that no input has.
    pub(super) fn twin(&self, name: &str) -> Self {
        let twin = Some(super::assign::free_name(self.land, name));
        Self { land: self.land, driver: self.driver, currency: self.currency, twin, part: None, joins: Vec::new() }
    }

    /// The second name of the driving table and its own, where it is read by a second one.
    pub(super) fn twin_of(&self) -> Option<(String, String)> {
        self.twin.clone().map(|twin| (twin, self.land.table(self.driver).name.clone()))
    }

    /// Reads the driving table by the last row of each key, from a WITH part of this name, which is given.
    pub(super) fn read_once(&mut self, key: ColumnAt, name: &str) -> (String, String) {
        let body = last_of_each(self.driver_name(), &cell_of("", self.land.column(key)));
        let name = super::assign::free_name(self.land, name);
        self.part = Some(name.clone());
        (name, body)
    }

    /// The driving table's name.
    pub(super) fn driver_name(&self) -> &str {
        self.table_name(self.driver)
    }

    fn table_name(&self, table: usize) -> &str {
        self.part
            .as_deref()
            .or(self.twin.as_deref())
            .filter(|_| table == self.driver)
            .unwrap_or(&self.land.table(table).name)
    }

    /// Whether the source may pass on text for times and numbers.
    pub(super) fn is_text(&self) -> bool {
        self.land.table(self.driver).is_text
    }

    /// The column, joining what lies between.
    pub(super) fn reach(&mut self, found: &Found) -> String {
        for step in &found.path {
            if !self.joins.iter().any(|known| known.to.table == step.to.table) {
                self.joins.push(*step);
            }
        }
        self.sql_name(found.at)
    }

    /// What SQL calls a column: of a joined table whose key repeats, the last row of each key.
    fn sql_name(&self, at: ColumnAt) -> String {
        match self.joins.iter().find(|join| join.to.table == at.table && self.repeats(join.to)) {
            Some(join) => self.cell(at, &once_name(self.land, join.to.table)),
            None => self.name(at),
        }
    }

    fn repeats(&self, key: ColumnAt) -> bool {
        !self.land.column(key).is_unique()
    }

    /// WITH parts that the joins need: one row a key where rows were sent again.
    pub(super) fn once_parts(&self) -> Vec<(String, String)> {
        let repeating = self.joins.iter().filter(|join| self.repeats(join.to));
        repeating
            .map(|join| {
                let raw = &self.land.table(join.to.table).name;
                let key = quoted(&self.land.column(join.to).name);
                (once_name(self.land, join.to.table), last_of_each(raw, &key))
            })
            .collect()
    }

    /// `table.column`; of a column of lists, its first element.
    pub(super) fn name(&self, at: ColumnAt) -> String {
        self.cell(at, self.table_name(at.table))
    }

    /// `table.column`, as people call it.
    pub(super) fn column_name(&self, at: ColumnAt) -> String {
        format!("{}.{}", self.land.table(at.table).name, quoted(&self.land.column(at).name))
    }

    /// The column without its table, as a condition on rows of the driving table names it.
    pub(super) fn bare(&self, at: ColumnAt) -> String {
        cell_of("", self.land.column(at))
    }

    fn cell(&self, at: ColumnAt, table: &str) -> String {
        let raw = self.land.column(at);
        if let [file, row] = raw.origin.made_of.as_slice() {
            return format!("({table}.{} || '#' || CAST({table}.{} AS VARCHAR))", quoted(file), quoted(row));
        }
        if let [year, month, day, time @ ..] = raw.origin.made_of.as_slice() {
            let part = |name: &String| format!("{table}.{}", quoted(name));
            let time = time.first().map_or(String::new(), |time| format!(" || ' ' || {}", part(time)));
            return format!("({} || '-' || {} || '-' || {}{time})", part(year), part(month), part(day));
        }
        let cell = cell_of(&format!("{table}."), raw);
        if raw.is_list { format!("{FIRST}{cell}{FIRST_END}") } else { cell }
    }

    /// An identifier as text, whatever its file says it is.
    pub(super) fn id_of(&self, at: ColumnAt, sql: &str) -> String {
        let raw = self.land.column(at);
        match () {
            () if raw.is_typed && !raw.is_text => format!("CAST({sql} AS VARCHAR)"),
            () if raw.are_whole_decimals() && raw.numbers.decimals == 1 => {
                format!("regexp_replace({sql}, '\\.0$', '')")
            }
            () => sql.to_owned(),
        }
    }

    /// An identifier, joining what lies between.
    pub(super) fn reach_id(&mut self, found: &Found) -> String {
        let sql = self.reach(found);
        self.id_of(found.at, &sql)
    }

    /// By which column each input may be split, so that rows of different keys never meet in the SELECT: the driving table's column by which parts of
    /// the SELECT (`keys`) or else the largest tables are joined, and the columns that it equals. Tables that are joined by other columns are read whole for
    /// each part. None where that is not so.
    pub(super) fn keyed_by(&self, keys: &[(ColumnAt, ColumnAt)]) -> BTreeMap<String, String> {
        let of_driver = || self.joins.iter().filter(|join| join.from.table == self.driver);
        let joined_rows = |column: ColumnAt| -> usize {
            of_driver().filter(|join| join.from == column).map(|join| self.land.table(join.to.table).rows).sum()
        };
        let by_joins = of_driver().map(|join| join.from).max_by_key(|column| (joined_rows(*column), *column));
        let Some(own) = keys.first().map(|(own, _)| *own).or(by_joins) else { return BTreeMap::new() };
        let meet =
            keys.iter().copied().chain(of_driver().filter(|join| join.from == own).map(|join| (join.from, join.to)));
        // A column that files call otherwise splits none of them.
        let has_one_name = |at: ColumnAt| {
            let raw = self.land.column(at);
            raw.origin.also_called.is_empty()
                && raw.origin.made_of.is_empty()
                && !(raw.are_whole_decimals() && raw.numbers.decimals == 1)
        };
        let mut split = BTreeMap::from([(self.driver, own.column)]);
        for (from, to) in meet {
            let is_split = has_one_name(from) && has_one_name(to);
            if from != own || !is_split || *split.entry(to.table).or_insert(to.column) != to.column {
                return BTreeMap::new();
            }
        }
        let named = |(table, column): (usize, usize)| {
            (self.land.table(table).name.clone(), self.land.column(ColumnAt { table, column }).name.clone())
        };
        split.into_iter().map(named).collect()
    }

    /// `FROM driver LEFT JOIN …`.
    pub(super) fn joined_tables(&self) -> String {
        let mut text = format!("FROM {}", self.driver_name());
        for join in &self.joins {
            let side = |at: ColumnAt| self.id_of(at, &self.sql_name(at));
            let raw = &self.land.table(join.to.table).name;
            let name = if self.repeats(join.to) { once_name(self.land, join.to.table) } else { raw.clone() };
            add(&mut text, &format!("\nLEFT JOIN {name} ON {} = {}", side(join.from), side(join.to)));
        }
        text
    }

    /// The cells of a column as a contract type.
    pub(super) fn render(&self, kind: Type, column: &str, at: ColumnAt, sql: &str) -> Piece {
        let is_list = self.land.column(at).is_list;
        match kind {
            Type::Ids if is_list => Piece::sure(list_of(sql)),
            Type::Id | Type::Ids | Type::Text if is_list => {
                Piece::guess(self.id_of(at, sql), "the first of several in a list")
            }
            Type::Id | Type::Ids | Type::Text => Piece::sure(self.id_of(at, sql)),
            Type::Instant | Type::Day => self.time(kind, at, sql),
            Type::Money => self.money(at, sql),
            Type::Integer => self.whole(column, at, sql),
            Type::Word(_) => Piece::sure(sql),
        }
    }

    fn time(&self, kind: Type, at: ColumnAt, sql: &str) -> Piece {
        let raw = self.land.column(at);
        let ValueKind::Time { form, is_certain, is_date } = &raw.kind else { return Piece::sure(sql) };
        if raw.written.years_ahead > 0 && !form.gives_instants() {
            return Piece::sure(self.time_of(
                kind,
                raw,
                (*form, *is_date),
                &years_earlier(raw.written.years_ahead, sql),
            ));
        }
        if raw.written.years_ahead > 0 {
            let text = format!("add_months({}, -{})", form.sql(sql, true), 12 * raw.written.years_ahead);
            return Piece::sure(if kind == Type::Day { format!("CAST({text} AS DATE)") } else { text });
        }
        let ahead = if kind == Type::Day { other_zone::seconds_ahead(raw) } else { None };
        if let Some(seconds) = ahead.filter(|_| raw.written.second_form.is_none()) {
            let moved = other_zone::later(*form, sql, seconds);
            let text = self.time_of(kind, raw, (*form, *is_date), moved.as_deref().unwrap_or(sql));
            return Piece::guess(text, other_zone::told(seconds, moved.is_some()));
        }
        let second = raw.written.second_form.as_ref().filter(|second| second.is_told);
        let text = self.time_of(kind, raw, (*form, *is_date), sql);
        if let Some(second) = second {
            let words = format!("written in two forms: {} and {}", form.words(), second.form.words());
            let doubt = if *is_certain { "" } else { "; no row tells the order of day and month" };
            Piece::guess(text, format!("{words}{doubt}"))
        } else if let (TimeForm::Full(form), true) = (form, *is_certain)
            && let Some(zone) = form.zone_word()
        {
            Piece::guess(text, format!("times are read in the job's zone, whatever {zone:?} behind them means"))
        } else if *is_certain {
            Piece::sure(text)
        } else {
            Piece::guess(text, format!("read as {}; no row tells it from the other order", form.words()))
        }
    }

    /// A time as text or an instant, read by the forms that its column has.
    fn time_of(&self, kind: Type, raw: &RawColumn, (form, is_date): (TimeForm, bool), sql: &str) -> String {
        let second = raw.written.second_form.as_ref().filter(|second| second.is_told);
        let mut text = match second {
            Some(second) => form.sql_with(second.form, sql, raw.longest > 10),
            None => form.sql(sql, raw.longest > 10),
        };
        let adds_midnight = form.adds_midnight() || second.is_some_and(|second| second.form.adds_midnight());
        let is_typed = form.gives_instants();
        if !self.is_text() && !is_typed {
            text = format!("TRY_CAST({text} AS TIMESTAMP)");
        }
        if kind == Type::Day {
            text = match (is_typed || !self.is_text(), is_date) {
                (true, true) if form == TimeForm::Native => text,
                (true, _) => format!("CAST({text} AS DATE)"),
                (false, false) => format!("SUBSTR({text}, 1, 10)"),
                // `2018-08-01 00:00:00` is a date to a person only.
                (false, true) if raw.longest > 10 || adds_midnight => format!("SUBSTR({text}, 1, 10)"),
                (false, true) => text,
            };
        }
        text
    }

    /// Times as one type, so that they may stand in one expression.
    pub(super) fn as_one_type(&self, times: &mut [String]) {
        if self.land.folder.tables.iter().any(|table| table.has_other_instants) {
            for time in times.iter_mut() {
                *time = format!("TRY_CAST({time} AS TIMESTAMP)");
            }
        }
    }

    /// The number as DOUBLE, null where it cannot be read.
    pub(super) fn number(&self, at: ColumnAt, sql: &str) -> String {
        let raw = self.land.column(at);
        match &raw.kind {
            _ if raw.is_typed && !raw.is_text => format!("CAST({sql} AS DOUBLE)"),
            ValueKind::Decimal(form) => form.sql(sql),
            ValueKind::Span(form) => form.sql(sql),
            _ => NumberForm::plain().sql(sql),
        }
    }

    /// Minor units in one unit of the column, and what was guessed about that.
    pub(super) fn minor_units(&self, at: ColumnAt) -> (i64, Option<String>) {
        let (units, note) = units::minor_units(self.land, self.currency, at);
        let passed_over = || Some(format!("written with {:?}, which is passed over", self.other_mark(at)?));
        (units, note.or_else(passed_over))
    }

    /// What stands beside a column's numbers, where it is not the currency.
    fn other_mark(&self, at: ColumnAt) -> Option<&str> {
        let ValueKind::Decimal(form) = &self.land.column(at).kind else { return None };
        Some(form.symbol.trim()).filter(|mark| !mark.is_empty() && !is_currency_mark(mark, self.currency))
    }

    /// Minor units as BIGINT, null where the cell cannot be read: what sums are made of.
    pub(super) fn minor(&self, at: ColumnAt, sql: &str) -> Piece {
        let (units, note) = self.minor_units(at);
        if self.land.column(at).is_list {
            let sum = format!("TRY_CAST(ROUND(ARRAY_SUM({}) * {units}) AS BIGINT)", list_of(sql));
            return Piece { sql: sum, note: note.or_else(|| Some("the sum of a list".to_owned())) };
        }
        let is_plain_whole = units == 1 && matches!(self.land.column(at).kind, ValueKind::Whole);
        let form = match &self.land.column(at).kind {
            ValueKind::Decimal(form) => Some(form),
            _ => None,
        };
        let mark = if form.is_some_and(|form| form.decimal == ',') { ", ','" } else { "" };
        // minor_units() takes no symbol but that of its currency.
        let is_of_currency = self.other_mark(at).is_none();
        let text = match self.currency.filter(|currency| currency.minor_units() == units && is_of_currency) {
            _ if is_plain_whole => format!("TRY_CAST({sql} AS BIGINT)"),
            Some(currency) => format!("minor_units({sql}, '{currency}'{mark})"),
            None => format!("TRY_CAST(ROUND({} * {units}) AS BIGINT)", self.number(at, sql)),
        };
        Piece { sql: text, note }
    }

    fn money(&self, at: ColumnAt, sql: &str) -> Piece {
        let raw = self.land.column(at);
        let (units, note) = self.minor_units(at);
        if units == 1 && matches!(raw.kind, ValueKind::Whole) && !raw.is_list {
            return Piece { sql: self.whole_as_it_is(raw, sql), note };
        }
        let minor = self.minor(at, sql).sql;
        // What was given back or taken off is often written with a minus; the contract's sums have none.
        let there = raw.rows() - raw.nulls;
        if there > 0 && raw.numbers.negative.len() * 10 >= there * 9 {
            let note = note.or_else(|| Some("written with a minus, taken without".to_owned()));
            return Piece { sql: self.as_written(&format!("-1 * {minor}"), at, sql), note };
        }
        Piece { sql: self.as_written(&minor, at, sql), note }
    }

    /// A number made of a cell; a cell of text that gives none is passed on, so that it is quarantined as it was written.
    pub(super) fn as_written(&self, made: &str, at: ColumnAt, sql: &str) -> String {
        let raw = self.land.column(at);
        if self.is_text() && (!raw.is_typed || raw.is_text) {
            format!("COALESCE(CAST({made} AS VARCHAR), {sql})")
        } else {
            made.to_owned()
        }
    }

    fn whole(&self, column: &str, at: ColumnAt, sql: &str) -> Piece {
        let raw = self.land.column(at);
        let rounded = |factor: &str| {
            let made = format!("TRY_CAST(ROUND({}{factor}) AS BIGINT)", self.number(at, sql));
            self.as_written(&made, at, sql)
        };
        match column {
            "term_days" if super::term::is_told(self.land, at) => super::term::days(self, at, sql),
            "daily_rate_ppm" => super::rates::per_day(self, at, sql),
            "stars" => super::stars::in_five(self, at, sql),
            _ if matches!(raw.kind, ValueKind::Whole) => Piece::sure(self.whole_as_it_is(raw, sql)),
            _ => Piece::sure(rounded("")),
        }
    }

    /// A whole number as it stands: cells of a text file are typed when they are read, text of a typed file is not.
    fn whole_as_it_is(&self, raw: &RawColumn, sql: &str) -> String {
        if raw.is_text && !self.is_text() { format!("TRY_CAST({sql} AS BIGINT)") } else { sql.to_owned() }
    }

    /// Whether what is made of a time is an instant, and not the text of one.
    pub(super) fn gives_instants(&self, raw: Option<&RawColumn>) -> bool {
        let is_made_one =
            raw.is_some_and(|raw| matches!(&raw.kind, ValueKind::Time { form, .. } if form.gives_instants()));
        is_made_one || !self.is_text()
    }
}
