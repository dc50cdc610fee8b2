//! Inputs and sources: the sections `[inputs]` and `[[source]]` of the job file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::condition;
use super::sql::{self, Inputs};
use super::sql_mentions;
use super::sql_outputs::Purpose;
use super::sql_parse::Refusal;
use super::text_format::DeclaredFormat;
use crate::config::{ConfigError, ConfigFile, Key, Section};
use crate::contract;

/// What is read, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// Folder of the raw files.
    pub data: PathBuf,
    /// Raw inputs by the name that SQL calls them.
    pub inputs: BTreeMap<String, InputSpec>,
    /// One a contract table, in washing order.
    pub sources: Vec<SourceSpec>,
}

/// Raw files that SQL sees as one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputSpec {
    /// Globs below the data folder: `orders.parquet`, `orders/**/*.parquet`, `olist_orders_dataset.csv`.
    pub files: Vec<String>,
    /// Absence is not an error.
    pub optional: bool,
    /// How its text files are written, as far as the job says.
    pub format: DeclaredFormat,
    /// A column that holds where each row's file lies below the data folder.
    pub path_column: Option<String>,
}

/// How one contract table is made from raw inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// Contract table.
    pub table: &'static str,
    /// What it is made of, each from another input: the rows of all of them together.
    pub parts: Vec<SourcePart>,
}

/// One `[[source]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePart {
    /// Contract table.
    pub table: &'static str,
    /// A condition on rows of the driving input: those for which it is false are skipped.
    pub filter: Option<Statement>,
    /// Input whose rows are accounted for, row by row, in the ledger.
    pub from: String,
    /// One SELECT over the inputs; `None` takes the input as it is.
    pub sql: Option<Statement>,
    /// Inputs that may be split, each by a column: rows of different keys never meet in the SELECT. Empty: it is not known to be so.
    pub keyed_by: BTreeMap<String, String>,
    /// The most rows that the inputs of a SELECT may have which needs them all at once.
    pub max_whole_rows: u64,
}

/// [`SourcePart::max_whole_rows`] where the job says nothing.
const MAX_WHOLE_ROWS: u64 = 20_000_000;

/// A SQL statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// File.
    pub path: PathBuf,
    /// Text.
    pub text: String,
    /// Where each of its characters stands in the file, line and column from 1, where it is a part of it; empty where it is all of it.
    places: Vec<(u64, u64)>,
    /// Names of the tables that it reads.
    relations: Vec<String>,
}

/// An input as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawInput {
    #[serde(default = "RawFiles::none")]
    files: RawFiles,
    #[serde(default)]
    optional: bool,
    path_column: Option<Spanned<String>>,
    pub(super) separator: Option<Spanned<String>>,
    pub(super) quote: Option<Spanned<String>>,
    pub(super) decimal: Option<Spanned<String>>,
    pub(super) encoding: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) nulls: Vec<String>,
    pub(super) header: Option<bool>,
    pub(super) columns: Option<Spanned<Vec<String>>>,
    pub(super) skip_lines: Option<u32>,
    pub(super) footer_lines: Option<u32>,
    pub(super) sheet: Option<Spanned<RawSheet>>,
}

/// A sheet by its name or its place.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RawSheet {
    Name(String),
    Number(u32),
}

/// One glob or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawFiles {
    One(String),
    Several(Vec<String>),
}

impl RawFiles {
    const fn none() -> Self {
        Self::Several(Vec::new())
    }
}

/// A source as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSource {
    table: Spanned<String>,
    from: Spanned<String>,
    #[serde(rename = "where")]
    filter: Option<Spanned<String>>,
    sql: Option<Spanned<String>>,
    #[serde(default)]
    keyed_by: BTreeMap<String, Spanned<String>>,
    max_whole_rows: Option<Spanned<u64>>,
}

/// `[inputs]` in the reference.
pub(crate) static INPUT_KEYS: Section = Section {
    head: "[inputs.orders]",
    doc: "One an input: raw files that SQL sees as one table, under the name given here. Short: `orders = { files = \"orders.csv\" }` below `[inputs]`.",
    keys: &[
        Key::new(
            "files",
            "glob, or a list of them",
            "[\"orders/**/*.parquet\", \"older/orders-{2023,2024}.csv.gz\"]",
            "files below the data folder, Parquet, text (CSV and its kin) or JSON (one object a line, or an array; fields of objects within are columns such as `customer.id`), both packed with gzip or zstd or not, or workbooks (`.xlsx`, `.xlsb`, `.xls`, `.ods`), told apart by their content; \
             only what is named `.parquet` must be Parquet: `*` within a folder, `**` over folders, `{a,b}` one of several. Folders named `key=value` give a column, as Hive and Spark write them: `%20` is a blank, and nothing or `__HIVE_DEFAULT_PARTITION__` is null",
        ),
        Key::new(
            "optional",
            "true or false",
            "false",
            "whether the files may be absent; what rests on them is then null, not zero",
        )
        .or("false"),
        Key::new(
            "path_column",
            "text",
            "\"path\"",
            "a column of this name holds where each row's file lies below the data folder, such as `orders/shop-17_2025-06-30.csv`: for exports whose files alone say whose \
             rows they hold, or of when, as in regexp_extract(orders.path, 'shop-([0-9]+)', 1)",
        )
        .or("none")
        .range("a name that the files' own columns do not have"),
        Key::new("separator", "character", "\";\"", "between the cells of text files")
            .or("what a file's header has most of, of comma, semicolon, tab and bar; where it has none of them, the circumflex, tilde or control character that all lines agree on")
            .range("one ASCII character"),
        Key::new("quote", "character", "\"'\"", "around cells that hold separators or line breaks; doubled within them")
            .or("the double quote")
            .range("one ASCII character, or none"),
        Key::new(
            "decimal",
            "character",
            "\",\"",
            "the decimal mark. With a comma, every cell that is such a number is read as with a point: `1.234,50` is `1234.50`, `12,50-` is `-12.50`, and so is one with a \
             currency or `%` beside it: `R$ 12.500` is `R$ 12500`. Thousands may be marked by points, blanks or apostrophes. Functions then read these cells without `','`",
        )
        .or(".")
        .range(". or ,"),
        Key::new("encoding", "word", "\"windows-1252\"", "how the characters of text files are bytes")
            .or("by its mark UTF-8 or UTF-16, UTF-16 by its NUL bytes, else UTF-8; a file whose beginning has letters beyond ASCII and is UTF-8 is read so whatever is declared")
            .range("a name of the WHATWG Encoding Standard, such as utf-16le, windows-1252, latin1, gb18030"),
        Key::new("nulls", "list of text", "[\"NULL\", \"-\"]", "cells that mean \"no value\", as written, beside empty ones")
            .or("none"),
        Key::new("header", "true or false", "false", "whether the first record of a text file or sheet names its columns")
            .or("true; without a header the columns are called column_1, column_2 and so on"),
        Key::new("columns", "list of text", "[\"order_id\", \"paid\"]", "names of the columns of a text file or sheet, in its order, instead of the header's")
            .or("the header's"),
        Key::new(
            "skip_lines",
            "whole number",
            "2",
            "lines before the header of a text file, or rows of the sheet before that of a workbook; without a header, before the first record",
        )
        .unit("lines")
        .or("0"),
        Key::new(
            "footer_lines",
            "whole number",
            "2",
            "the most lines after the last record of a text file, such as totals: the last lines that are not blank and have half as many cells as the \
             table or fewer are no records. They are shown and count as skipped. One whose cells look like the first ones of a record may be a record that was \
             cut off: it is malformed. `init` proposes it",
        )
        .unit("lines")
        .or("0: such lines are malformed records"),
        Key::new(
            "sheet",
            "text or whole number",
            "\"Orders 2025\"",
            "which sheet of a workbook holds the table, by its name or its number from 1. Dates are known by their cells' formats, a blank cell is null, \
             and a row with an error (`#REF!`) or a formula that was never computed is malformed",
        )
        .or("the only visible sheet that holds anything"),
    ],
};

/// `[[source]]` in the reference.
pub(crate) static SOURCE_KEYS: Section = Section {
    head: "[[source]]",
    doc: "Where the rows of a contract table come from. Several sections for one table, each from another input, give the rows of all of them.",
    keys: &[
        Key::new("table", "word", "\"orders\"", "the contract table").range("a table that `integrity schema` lists"),
        Key::new("from", "word", "\"orders\"", "the input whose rows are accounted for, one by one")
            .range("a name of `[inputs]`"),
        Key::new(
            "where",
            "condition in SQL",
            "\"status <> 'test'\"",
            "rows of that input that are meant. Those for which it is false are counted as skipped, and so are rows of other tables that name what the SELECT makes of \
             them; those for which it is null are quarantined. It looks at one row at a time, before the SELECT",
        )
        .or("all rows are meant"),
        Key::new("sql", "path", "\"sources/orders.sql\"", "one SELECT over the inputs, relative to the job file")
            .or("the input has the contract's columns"),
        Key::new(
            "keyed_by",
            "table of columns",
            "{ orders = \"order_id\", items = \"order_id\" }",
            "inputs of the SELECT that may be split, each by a column, since rows of different keys never meet in it; it then runs part by \
             part, and is tried on a sample first",
        )
        .or("a SELECT that looks at one row at a time runs batch by batch, any other over all rows at once"),
        Key::new(
            "max_whole_rows",
            "whole number",
            "20_000_000",
            "the most rows that the inputs of a SELECT may have which needs them all at once",
        )
        .unit("rows")
        .or("20_000_000"),
    ],
};

impl SourceSettings {
    /// Checks inputs and sources.
    ///
    /// # Errors
    /// All unknown tables and inputs, tables with two sources or none, and SELECTs that cannot be read, read what the job does not declare
    /// or have gaps, with their lines.
    pub(crate) fn check(
        file: &ConfigFile,
        data: PathBuf,
        inputs: &BTreeMap<String, Spanned<RawInput>>,
        sources: &[RawSource],
    ) -> Result<Self, Vec<ConfigError>> {
        let mut faults = Vec::new();
        let mut checked: BTreeMap<String, InputSpec> = BTreeMap::new();
        for (name, raw) in inputs {
            match check_input(file, raw) {
                Ok(input) => {
                    checked.insert(name.clone(), input);
                }
                Err(fault) => {
                    faults.push(fault);
                    // Sources name it all the same.
                    let unread = InputSpec::default();
                    checked.insert(name.clone(), unread);
                }
            }
        }
        match check_sources(file, sources, &checked) {
            Ok(sources) if faults.is_empty() => Ok(Self { data, inputs: checked, sources }),
            of_sources => {
                faults.extend(of_sources.err().into_iter().flatten());
                Err(faults)
            }
        }
    }
}

fn check_input(file: &ConfigFile, raw: &Spanned<RawInput>) -> Result<InputSpec, ConfigError> {
    let files = match &raw.get_ref().files {
        RawFiles::One(glob) => vec![glob.clone()],
        RawFiles::Several(globs) => globs.clone(),
    };
    if files.is_empty() {
        let message = "files names none".to_owned();
        return Err(file.refuse(&raw.span(), message, "a glob below the data folder, or a list of them"));
    }
    let RawInput { optional, path_column, .. } = raw.get_ref();
    let path_column = path_column.as_ref().map(|given| column_name(file, given)).transpose()?;
    Ok(InputSpec { files, optional: *optional, format: raw.get_ref().format(file)?, path_column })
}

fn column_name(file: &ConfigFile, given: &Spanned<String>) -> Result<String, ConfigError> {
    let name = given.get_ref();
    let is_taken = matches!(name.as_str(), "_file" | "_row");
    if name.trim().is_empty() || name.trim() != name || is_taken {
        let message = format!("path_column = {name:?} is no name that a column may have");
        return Err(file.refuse(
            &given.span(),
            message,
            "a name that the files' own columns do not have, such as \"path\"",
        ));
    }
    Ok(name.clone())
}

/// Where it stands how a table that no job reads is written: `loans.csv.toml` beside `loans.csv`.
#[must_use]
pub fn format_path(table: &Path) -> PathBuf {
    let mut name = table.as_os_str().to_owned();
    name.push(".toml");
    PathBuf::from(name)
}

/// How a table that no job reads is written, in the keys of `[inputs]`, as far as the file beside it says.
///
/// # Errors
/// The file cannot be read, or a key of it is unknown or not allowed.
pub fn format_beside(table: &Path) -> Result<DeclaredFormat, ConfigError> {
    let path = format_path(table);
    if !path.is_file() {
        return Ok(DeclaredFormat::default());
    }
    let file = ConfigFile::open(&path)?;
    let raw: RawInput = file.parse()?;
    if raw.optional || raw.path_column.is_some() || !matches!(&raw.files, RawFiles::Several(globs) if globs.is_empty())
    {
        let message = format!(
            "files, optional and path_column are keys of a job; this file says how {} is written",
            table.display()
        );
        return Err(file.refuse(
            &(0..0),
            message,
            "separator, quote, decimal, encoding, nulls, header, columns, skip_lines, footer_lines, sheet",
        ));
    }
    raw.format(&file)
}

/// `keyed_by`: inputs of the job, the driving one among them.
fn check_keys(
    file: &ConfigFile,
    source: &RawSource,
    inputs: &BTreeMap<String, InputSpec>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let Some(any) = source.keyed_by.values().next() else { return Ok(BTreeMap::new()) };
    if source.sql.is_none() {
        let message = "keyed_by says how the inputs of a SELECT may be split, and this source has none".to_owned();
        return Err(file.refuse(&any.span(), message, "remove it, or add sql"));
    }
    if !source.keyed_by.contains_key(source.from.get_ref()) {
        let message = format!("keyed_by does not name {:?}, the input of `from`", source.from.get_ref());
        return Err(file.refuse(
            &any.span(),
            message,
            "keyed_by = { input = \"column\" }, one for each input that is split",
        ));
    }
    for (input, column) in &source.keyed_by {
        if !inputs.contains_key(input) {
            let names = inputs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(file.refuse(
                &column.span(),
                format!("{input:?} is not an input of this job"),
                format!("one of: {names}"),
            ));
        }
    }
    Ok(source.keyed_by.iter().map(|(input, column)| (input.clone(), column.get_ref().clone())).collect())
}

fn check_sources(
    file: &ConfigFile,
    raw: &[RawSource],
    inputs: &BTreeMap<String, InputSpec>,
) -> Result<Vec<SourceSpec>, Vec<ConfigError>> {
    let mut faults: Vec<ConfigError> = Vec::new();
    let mut by_table: BTreeMap<&'static str, SourceSpec> = BTreeMap::new();
    let mut named: BTreeSet<(&'static str, &str)> = BTreeSet::new();
    let has_comma = |input: &InputSpec| input.format.decimal_comma == Some(true);
    let with_points = inputs.iter().filter(|(_, input)| has_comma(input)).map(|(name, _)| name.as_str()).collect();
    let readable = Inputs { names: inputs.keys().map(String::as_str).collect(), with_points };
    for source in raw {
        let Some(table) = contract::table(source.table.get_ref()) else {
            let message = format!("{:?} is not a contract table", source.table.get_ref());
            faults.push(file.refuse(&source.table.span(), message, contract::table_names()));
            continue;
        };
        if !named.insert((table.name, source.from.get_ref())) {
            let message = format!("table {:?} has two sources from input {:?}", table.name, source.from.get_ref());
            let help = "one [[source]] for each input; one SELECT may make several rows of one (UNION ALL)";
            faults.push(file.refuse(&source.table.span(), message, help));
            continue;
        }
        if !inputs.contains_key(source.from.get_ref()) {
            let names = inputs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let message = format!("{:?} is not an input of this job", source.from.get_ref());
            faults.push(file.refuse(&source.from.span(), message, format!("one of: {names}")));
        }
        let purpose = Purpose { table, from: source.from.get_ref() };
        let sql = source.sql.as_ref().map(|relative| statement(file, relative, &readable, purpose)).transpose();
        let keyed_by = check_keys(file, source, inputs);
        let filter =
            source.filter.as_ref().map(|given| filter_of(file, given, source.from.get_ref(), &readable)).transpose();
        let sql = sql.and_then(|sql| named_once(sql, source));
        match (sql, keyed_by, filter) {
            (Ok(sql), Ok(keyed_by), Ok(filter)) => {
                let max_whole_rows = source.max_whole_rows.as_ref().map_or(MAX_WHOLE_ROWS, |rows| *rows.get_ref());
                let from = source.from.get_ref().clone();
                let part = SourcePart { table: table.name, filter, from, sql, keyed_by, max_whole_rows };
                let spec = SourceSpec { table: table.name, parts: Vec::new() };
                by_table.entry(table.name).or_insert(spec).parts.push(part);
            }
            (sql, keyed_by, filter) => {
                faults.extend(sql.err().into_iter().flatten().chain(keyed_by.err()).chain(filter.err()));
            }
        }
    }
    for table in contract::TABLES.iter().filter(|t| !t.optional && !named.iter().any(|(n, _)| *n == t.name)) {
        let message = format!("no [[source]] for the required table {:?}", table.name);
        faults.push(file.refuse(&(0..0), message, format!("add [[source]] with table = {:?}", table.name)));
    }
    if faults.is_empty() {
        Ok(contract::TABLES.iter().filter_map(|t| by_table.remove(t.name)).collect())
    } else {
        Err(faults)
    }
}

impl Statement {
    /// A text, at `places` of its file where it is a part of it.
    pub(super) fn new(path: PathBuf, text: String, places: Vec<(u64, u64)>) -> Self {
        let relations = sql_mentions::relations(&text);
        Self { path, text, places, relations }
    }

    /// Whether it reads an input.
    pub(super) fn reads(&self, input: &str) -> bool {
        self.relations.iter().any(|relation| relation.eq_ignore_ascii_case(input))
    }

    /// Where a line and column of its text stand in the file.
    pub(super) fn place_in_file(&self, line: u64, column: u64) -> (u64, u64) {
        place_of(&self.text, &self.places, line, column)
    }
}

/// Where a line and column of a text stand in the file of which it is a part; as they are where `places` are not known.
fn place_of(text: &str, places: &[(u64, u64)], line: u64, column: u64) -> (u64, u64) {
    let before = |lines: u64| -> usize {
        let lines = usize::try_from(lines).unwrap_or(usize::MAX);
        text.split_inclusive('\n').take(lines).map(|line| line.chars().count()).sum()
    };
    let at = before(line.saturating_sub(1)).saturating_add(usize::try_from(column.saturating_sub(1)).unwrap_or(0));
    places.get(at).or_else(|| places.last()).copied().unwrap_or((line, column))
}

/// Where each character of a text stands that a file holds within quotes at `span`, its escapes read as one character each. Where that does not come out even, all
/// stand where the quotes begin.
fn places_in(file: &ConfigFile, span: &Range<usize>, text: &str) -> Vec<(u64, u64)> {
    let begin = file.text().get(..span.start).unwrap_or_default();
    let mut line = begin.matches('\n').count() as u64 + 1;
    let mut column = begin.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    let first = (line, column);
    let raw = file.text().get(span.clone()).unwrap_or_default();
    let has_escapes = raw.starts_with('"');
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| raw.starts_with(quote)).unwrap_or_default();
    let inner = raw.strip_prefix(quote).and_then(|raw| raw.strip_suffix(quote)).unwrap_or(raw);
    column += quote.chars().count() as u64;
    let mut written: Vec<(char, (u64, u64))> = Vec::new();
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        let place = (line, column);
        let is_escape = has_escapes && letter == '\\';
        let meant = if is_escape { letters.next().unwrap_or(letter) } else { letter };
        (line, column) = match (letter, is_escape) {
            ('\n', _) => (line + 1, 1),
            (_, true) => (line, column + 2),
            _ => (line, column + 1),
        };
        written.push((meant, place));
    }
    let skipped = written.iter().take_while(|(letter, _)| letter.is_whitespace()).count();
    let places: Vec<(u64, u64)> = written.iter().skip(skipped).map(|(_, place)| *place).collect();
    let length = text.chars().count();
    match places.get(..length) {
        Some(places) => places.to_vec(),
        None => vec![first; length],
    }
}

/// A condition on one row of an input.
fn filter_of(
    file: &ConfigFile,
    given: &Spanned<String>,
    from: &str,
    inputs: &Inputs<'_>,
) -> Result<Statement, ConfigError> {
    let text = given.get_ref().trim().to_owned();
    let places = places_in(file, &given.span(), &text);
    condition::check(&text, from, inputs.with_points.contains(from)).map_err(|refusal| {
        let any = "a condition on columns of the input, such as where = \"status <> 'test'\"";
        let help = refusal.help.unwrap_or_else(|| any.to_owned());
        let (line, message) = match refusal.place.map(|(line, column)| place_of(&text, &places, line, column)) {
            Some((line, column)) => {
                (usize::try_from(line).ok(), format!("where, column {column}: {}", refusal.message))
            }
            None => (None, format!("where: {}", refusal.message)),
        };
        let refused = file.refuse(&given.span(), message, help);
        ConfigError { line: line.unwrap_or(refused.line), ..refused }
    })?;
    Ok(Statement::new(file.path().to_owned(), text, places))
}

/// The statement of a source, unless it names the input that its `where` filters twice.
fn named_once(sql: Option<Statement>, source: &RawSource) -> Result<Option<Statement>, Vec<ConfigError>> {
    let Some(statement) = sql.as_ref().filter(|_| source.filter.is_some()) else { return Ok(sql) };
    match sql_mentions::check_filtered(&statement.text, source.from.get_ref()) {
        Ok(()) => Ok(sql),
        Err(Refusal { line, message, help }) => {
            Err(vec![ConfigError { path: statement.path.clone(), line, message, help }])
        }
    }
}

/// Reads a SELECT. All its gaps are told at once; only one without gaps is looked at further.
fn statement(
    file: &ConfigFile,
    relative: &Spanned<String>,
    inputs: &Inputs<'_>,
    purpose: Purpose<'_>,
) -> Result<Statement, Vec<ConfigError>> {
    let path = file.folder().join(relative.get_ref());
    let text = std::fs::read_to_string(&path).map_err(|e| {
        let message = format!("cannot read {:?}: {e}", relative.get_ref());
        vec![file.refuse(&relative.span(), message, "a file with one SELECT, relative to the job file")]
    })?;
    let mut refusals = sql::gaps(&text);
    if refusals.is_empty() {
        refusals.extend(sql::check(&text, inputs, Some(purpose)).err());
    }
    if refusals.is_empty() {
        return Ok(Statement::new(path, text, Vec::new()));
    }
    let refused = refusals.into_iter().map(|Refusal { line, message, help }| {
        let path = path.clone();
        ConfigError { path, line, message, help }
    });
    Err(refused.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_knows_where_its_letters_stand() {
        for (written, text, places) in [
            ("where = \"n > 2\"", "n > 2", [(1, (2, 10)), (5, (2, 14))]),
            ("where = \"\\\"n n\\\" > 2\"", "\"n n\" > 2", [(1, (2, 10)), (9, (2, 20))]),
            ("where = '''\n n > 2\n'''", "n > 2", [(1, (3, 2)), (5, (3, 6))]),
        ] {
            let file = ConfigFile::from_text(Path::new("job.toml"), &format!("# job\n{written}\n"));
            let begin = file.text().find("= ").unwrap() + 2;
            let places_of_text = places_in(&file, &(begin..file.text().len() - 1), text);
            for (column, expected) in places {
                assert_eq!(place_of(text, &places_of_text, 1, column), expected, "{written}");
            }
        }
        assert_eq!(place_of("a\nb", &[], 2, 1), (2, 1));
    }
}
