//! Every table below a folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use encoding_rs::{Encoding, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254};
use polars::prelude::*;

use super::column::{Names, RawColumn};
use super::currency_hint::{CurrencyHint, currency_hints};
use super::dated_files::{DatedFiles, undated};
use super::error::ProfileError;
use super::reference::{ColumnAt, Reference, references};
use super::table::RawTable;
use super::time_form::Digits;
use super::{is_mark, without_accent};
use crate::source::{
    DeclaredFormat, Found, InputSpec, RecordFile, RecordFormat, SheetName, Sniffing, SourceError, Workbook,
    begins_as_parquet, begins_as_workbook, find_files, format_of, open_input, widest,
};

/// Endings of files that may hold a table, and those that they may have beside it where they are packed.
const ENDINGS: [&str; 15] = [
    "csv", "tsv", "tab", "psv", "txt", "dat", "json", "jsonl", "ndjson", "parquet", "pq", "xlsx", "xlsb", "xls", "ods",
];
const PACKED_ENDINGS: [&str; 3] = [".gz", ".zst", ".zstd"];
/// Endings of files that are read by their content only to find that they are something else.
const OTHER_ENDINGS: [&str; 23] = [
    "md", "geojson", "avro", "orc", "xml", "html", "htm", "pdf", "doc", "docx", "png", "jpg", "jpeg", "svg", "sql",
    "py", "r", "ipynb", "toml", "yaml", "yml", "lock", "sha",
];
/// So many records of a file whose ending says nothing are looked at.
const LOOKED_AT: usize = 200;

/// What a folder holds.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its tables, by name.
    pub tables: Vec<RawTable>,
    /// Which columns refer to which.
    pub references: Vec<Reference>,
    /// Files that could not be read, and files that no reader takes.
    pub unread: Vec<UnreadFile>,
    /// Currencies that something speaks for, the strongest first.
    pub currencies: Vec<CurrencyHint>,
    /// Texts that somebody wrote about the files.
    pub notes: Vec<Note>,
}

impl Folder {
    /// Tables whose files are called as a table's are, but for the day: the same export with other columns.
    pub fn other_forms(&self, table: usize) -> impl Iterator<Item = usize> + '_ {
        let names = self.tables.get(table).map(|table| &table.undated_names);
        let is_one = move |other: &RawTable| names.is_some_and(|names| !names.is_disjoint(&other.undated_names));
        (0..self.tables.len()).filter(move |other| *other != table && self.tables.get(*other).is_some_and(is_one))
    }

    /// Takes a table for one that says again in each file how all of its rows stand, named by this column; columns of other tables that `may_refer` and have its values refer
    /// to it.
    pub fn take_for_dumps(&mut self, key: ColumnAt, may_refer: &dyn Fn(&str) -> bool) {
        const MIN_COVERAGE: f64 = 0.5;
        let Some(column) = self.tables.get_mut(key.table).and_then(|table| table.columns.get_mut(key.column)) else {
            return;
        };
        column.names = Names::RowsOfEachFile;
        let keys = column.different();
        let others = self.tables.iter().enumerate().filter(|(at, _)| *at != key.table);
        let columns = others.flat_map(|(table, raw)| {
            raw.columns.iter().enumerate().map(move |(column, cells)| (ColumnAt { table, column }, cells))
        });
        let refers = |(from, cells): (ColumnAt, &RawColumn)| {
            let values = cells.different();
            let found = values.iter().filter(|value| keys.contains(value)).count();
            let coverage = found as f64 / values.len().max(1) as f64;
            (cells.is_like_an_id() && may_refer(&cells.name) && coverage >= MIN_COVERAGE).then_some(Reference {
                from,
                to: key,
                coverage,
            })
        };
        let found: Vec<Reference> = columns.filter_map(refers).collect();
        self.references.retain(|known| known.to != key);
        self.references.extend(found);
    }

    /// Share of the different values of one column that another one has.
    #[must_use]
    pub fn share_found(&self, of: ColumnAt, among: ColumnAt) -> f64 {
        let different = |at: ColumnAt| self.tables[at.table].columns[at.column].different();
        let (of, among) = (different(of), different(among));
        of.intersection(&among).count() as f64 / of.len().max(1) as f64
    }

    /// Share of these rows of a column whose value another column has.
    #[must_use]
    pub fn share_of_rows_found(&self, of: ColumnAt, among: ColumnAt, rows: &[usize]) -> f64 {
        let column = |at: ColumnAt| &self.tables[at.table].columns[at.column];
        let (hashes, known) = (&column(of).hashes, column(among).different());
        let is_found = |row: &&usize| hashes.get(**row).is_some_and(|hash| known.contains(hash));
        rows.iter().filter(is_found).count() as f64 / rows.len().max(1) as f64
    }

    /// Of orders with several rows, how many have rows that add up to what the order itself says, and how many have rows that each say it; of those
    /// whose numbers were kept. `order` and `amount` are columns of the rows, `key` and `total` of the orders.
    #[must_use]
    pub fn adds_up(&self, (order, amount): (ColumnAt, ColumnAt), (key, total): (ColumnAt, ColumnAt)) -> SumCheck {
        let column = |at: ColumnAt| &self.tables[at.table].columns[at.column];
        let numbers = |names: ColumnAt, amounts: ColumnAt| {
            let kept = column(names).hashes.iter().zip(&column(amounts).numbers.sample);
            kept.filter_map(|(name, number)| Some((*name, (*number)?))).filter(|(name, _)| *name != 0)
        };
        let rows_of = column(order).hashes.iter().fold(HashMap::new(), |mut rows: HashMap<u64, usize>, name| {
            *rows.entry(*name).or_default() += 1;
            rows
        });
        let mut parts: HashMap<u64, Vec<f64>> = HashMap::new();
        for (name, number) in numbers(order, amount) {
            parts.entry(name).or_default().push(number);
        }
        let mut found = SumCheck::default();
        for (name, total) in numbers(key, total) {
            let Some(parts) = parts.get(&name) else { continue };
            if parts.len() < 2 || rows_of.get(&name) != Some(&parts.len()) {
                continue;
            }
            // Cents that are left when a sum is divided.
            let is_near = |number: f64| (number - total).abs() <= 0.01 * parts.len() as f64 + 1e-6 * total.abs();
            found.orders += 1;
            found.sums += usize::from(is_near(parts.iter().sum()));
            found.repeats += usize::from(parts.iter().all(|part| is_near(*part)));
        }
        found
    }

    /// For each row of a table whether it says the same as the row of another table that it names, in these columns of both.
    #[must_use]
    pub fn repeats(&self, (child, parent): (ColumnAt, ColumnAt), same: &[(ColumnAt, ColumnAt)]) -> Vec<bool> {
        let column = |at: ColumnAt| self.tables.get(at.table).and_then(|table| table.columns.get(at.column));
        let (Some(names), Some(keys)) = (column(child), column(parent)) else { return Vec::new() };
        let rows: HashMap<u64, usize> = keys.hashes.iter().enumerate().map(|(row, key)| (*key, row)).collect();
        let is_same = |row: usize, named: usize| {
            same.iter().all(|(own, other)| {
                column(*own).zip(column(*other)).is_some_and(|(own, other)| own.says_the_same(row, other, named))
            })
        };
        let row_of = |name: &u64| rows.get(name).copied().filter(|_| *name != 0);
        names
            .hashes
            .iter()
            .enumerate()
            .map(|(row, name)| row_of(name).is_some_and(|named| is_same(row, named)))
            .collect()
    }
}

/// What [`Folder::adds_up`] found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SumCheck {
    /// Orders with several rows that were compared.
    pub orders: usize,
    /// Those whose rows add up to the order's own number.
    pub sums: usize,
    /// Those whose rows each say it.
    pub repeats: usize,
}

/// A text beside the data: a README, a description of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Path below the folder.
    pub file: String,
    /// What it says.
    pub text: String,
}

/// A file left aside.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UnreadFile {
    /// Path below the folder.
    pub file: String,
    /// Why.
    pub why: String,
}

/// Reads every file of text (CSV and its kin, packed or not), every sheet of a workbook and Parquet below a folder, one table at a time. `digits` says what bare digits under a column's name are;
/// `told` hears which table is being read.
///
/// # Errors
/// The folder is not there, or no file in it can be read.
pub fn profile_folder(
    data: &Path,
    digits: &dyn Fn(&str) -> Digits,
    told: &dyn Fn(&str),
) -> Result<Folder, ProfileError> {
    std::fs::read_dir(data).map_err(|e| ProfileError::NoTable {
        folder: data.to_owned(),
        why: format!("the folder cannot be opened: {e}"),
    })?;
    let mut unread: Vec<UnreadFile> = Vec::new();
    let mut notes: Vec<Note> = Vec::new();
    let mut seen: Vec<Seen> = Vec::new();
    for found in find_files(data, "**/*")? {
        let ending = ending(&found.relative);
        if let Some(why) = is_other(&ending, &found.path) {
            notes.extend(note_of(&found, &ending));
            unread.push(UnreadFile { file: found.relative, why });
            continue;
        }
        let sheets = match sheets_of(&found.path) {
            Ok(sheets) => sheets,
            Err(error) => {
                unread.push(UnreadFile { file: found.relative, why: error.to_string() });
                continue;
            }
        };
        for sheet in sheets {
            match look_at(&found, ending.clone(), sheet.clone(), None) {
                Ok((signature, format)) => {
                    seen.push(Seen { found: found.clone(), ending: ending.clone(), sheet, signature, format });
                }
                Err(why) => {
                    notes.extend(note_of(&found, &ending));
                    unread.push(UnreadFile { file: of_sheet(&found.relative, sheet.as_deref()), why });
                }
            }
        }
    }
    let groups = of_one_table(alike_in(seen));
    let names = table_names(&groups);
    let mut tables = Vec::new();
    for (group, name) in groups.iter().zip(names) {
        let title = title_of(group);
        told(&name);
        let file = of_sheet(&pattern(data, &group.files), sheet_of(&group.format));
        match read_group(data, group, &name, digits) {
            Ok(table) if table.rows > 0 => tables.push(RawTable { title, ..table }),
            Ok(table) => {
                notes.extend(notes_of(group));
                unread.push(UnreadFile { file, why: why_no_rows(&table) });
            }
            Err(why) => {
                notes.extend(notes_of(group));
                unread.push(UnreadFile { file, why });
            }
        }
    }
    if tables.is_empty() {
        let why = unread.first().map_or_else(
            || "it has no file of text or Parquet".to_owned(),
            |first| format!("{} file(s) could not be read, the first: {}: {}", unread.len(), first.file, first.why),
        );
        return Err(ProfileError::NoTable { folder: data.to_owned(), why });
    }
    let references = references(&tables);
    let currencies = currency_hints(&tables);
    Ok(Folder { tables, references, unread, currencies, notes })
}

/// A file, or a sheet of it, that holds a table.
struct Seen {
    found: Found,
    ending: String,
    sheet: Option<String>,
    signature: Signature,
    format: DeclaredFormat,
}

/// Files, or sheets of them, that make one table.
struct Group {
    signature: Signature,
    format: DeclaredFormat,
    files: Vec<Found>,
    /// The columns of its files, the first file's first; one where all have the same.
    headers: Vec<Vec<String>>,
}

/// Of two headers' columns so many of the shorter one's are in the other, or they are two tables'.
const MIN_COMMON: f64 = 0.5;

/// Groups whose files differ by numbers in their names alone, as months of one export do, are one table, whatever columns came or went between them.
fn of_one_table(alike: BTreeMap<Signature, (DeclaredFormat, Vec<Found>)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (signature, (format, mut files)) in alike {
        files.sort();
        groups.push(Group { headers: vec![signature.columns.clone()], signature, format, files });
    }
    groups.sort_by(|a, b| (&a.files, sheet_of(&a.format)).cmp(&(&b.files, sheet_of(&b.format))));
    let mut tables: Vec<Group> = Vec::new();
    for group in groups {
        let Some(table) = tables.iter_mut().find(|table| table.takes(&group)) else {
            tables.push(group);
            continue;
        };
        let separator = table.format.separator.filter(|own| group.format.separator == Some(*own));
        merge(&mut table.format, group.format);
        table.format.separator = separator;
        table.headers.extend(group.headers);
        table.files.extend(group.files);
        table.files.sort();
    }
    tables
}

impl Group {
    /// Whether the files of another group are files of this table.
    fn takes(&self, other: &Self) -> bool {
        let called =
            |group: &Self| group.files.iter().map(|found| words_of_path(&found.relative)).collect::<BTreeSet<_>>();
        let names = called(self);
        let is_dated = |group: &Self| group.files.iter().all(|found| names_a_year(&found.relative));
        let is_named_alike = names.len() == 1 && names == called(other) && is_dated(self) && is_dated(other);
        let has_names = |group: &Self| group.signature.words.is_empty();
        let without_separator = |format: &DeclaredFormat| DeclaredFormat { separator: None, ..shared(format) };
        let are_written_alike = self.signature.ending == other.signature.ending
            && without_separator(&self.format) == without_separator(&other.format)
            && (self.format.separator == other.format.separator || self.is_sure() && other.is_sure());
        let (own, others) = (&self.signature.columns, &other.signature.columns);
        let common = own.iter().filter(|name| others.contains(name)).count();
        let is_alike = common as f64 >= MIN_COMMON * own.len().min(others.len()) as f64;
        let is_nearly = |columns: &[String]| columns.len().saturating_sub(common) <= MOST_OF_THEIR_OWN;
        let is_alike = is_alike && is_nearly(own) && is_nearly(others);
        let is_table = is_named_alike && has_names(self) && has_names(other) && are_written_alike;
        is_table && common > 1 && is_alike && self.has_types_of(other)
    }

    /// Whether every column that both have is of types that one can hold; text has one type.
    fn has_types_of(&self, other: &Self) -> bool {
        let types = |group: &Self| {
            let first = group.files.first().filter(|found| begins_as_parquet(&found.path).unwrap_or(false))?;
            File::open(&first.path).ok().and_then(|file| {
                let schema = ParquetReader::new(file).schema().ok()?;
                Some(Schema::from_arrow_schema(&schema))
            })
        };
        let (Some(own), Some(others)) = (types(self), types(other)) else {
            return types(self).is_none() && types(other).is_none();
        };
        let agrees = |(name, kind): (&PlSmallStr, &DataType)| {
            others.get(name).is_none_or(|other| kind.is_nested() || widest(kind, other, &|| true).is_some())
        };
        own.iter().all(agrees)
    }

    /// Whether a night reads the same columns of its files without being told what stands between cells.
    fn is_sure(&self) -> bool {
        let untold = DeclaredFormat { separator: None, ..self.format.clone() };
        let names = |found: &Found, format: &DeclaredFormat| {
            let records = format_of(&found.path, format, Sniffing::Certain)?;
            Ok::<_, SourceError>(RecordFile::open(&found.path, 0, &records)?.schema())
        };
        self.files.iter().all(|found| match (names(found, &untold), names(found, &self.format)) {
            (Ok(untold), Ok(told)) => untold == told,
            _ => false,
        })
    }
}

/// Columns that some files of a table have and others lack, at most: more are another table.
const MOST_OF_THEIR_OWN: usize = 4;

/// Whether a path's numbers are of a time: files of one table that are numbered otherwise may be several tables.
fn names_a_year(path: &str) -> bool {
    let mut runs = path.split(|c: char| !c.is_ascii_digit());
    runs.any(|digits| matches!(digits.len(), 4 | 6 | 8) && (digits.starts_with("19") || digits.starts_with("20")))
}

/// A file's path without numbers.
fn words_of_path(path: &str) -> Vec<String> {
    let unpacked = unpacked_name(path);
    let named = unpacked.rsplit_once('.').map_or(unpacked, |(stem, _)| stem);
    let words =
        |part: &str| part.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    named.split('/').map(words).collect()
}

/// What all files of a table are declared with alike: not what one of them may show and another not.
fn shared(format: &DeclaredFormat) -> DeclaredFormat {
    DeclaredFormat { nulls: Vec::new(), decimal_comma: None, encoding: None, footer_lines: None, ..format.clone() }
}

/// Files by what they share.
fn alike_in(seen: Vec<Seen>) -> BTreeMap<Signature, (DeclaredFormat, Vec<Found>)> {
    let mut alike: BTreeMap<Signature, (DeclaredFormat, Vec<Found>)> = BTreeMap::new();
    let regional =
        seen.iter().filter_map(|file| file.format.encoding).find(|e| [WINDOWS_1250, WINDOWS_1254].contains(e));
    for Seen { found, ending, sheet, mut signature, mut format } in seen {
        // Few letters of one file do not show what those of another do.
        if regional.is_some()
            && format.encoding == Some(WINDOWS_1252)
            && let Ok(again) = look_at(&found, ending, sheet, regional)
        {
            (signature, format) = again;
        }
        let (known, files) = alike.entry(signature).or_default();
        merge(known, format);
        files.push(found);
    }
    alike
}

fn notes_of(group: &Group) -> impl Iterator<Item = Note> + '_ {
    group.files.iter().filter_map(|found| note_of(found, &ending(&found.relative)))
}

fn why_no_rows(table: &RawTable) -> String {
    match &table.first_malformed {
        Some(first) => format!("none of its {} records can be read; the first: {first}", table.malformed),
        None => "it has no rows".to_owned(),
    }
}

/// The text of a file that people read, such as a README.
fn note_of(found: &Found, ending: &str) -> Option<Note> {
    const LARGEST: u64 = 1 << 18;
    let is_text = ["md", "txt", "rst", ""].contains(&ending);
    let is_short = || std::fs::metadata(&found.path).is_ok_and(|file| file.len() <= LARGEST);
    let text = if is_text && is_short() { std::fs::read_to_string(&found.path).ok() } else { None };
    Some(Note { file: found.relative.clone(), text: text? })
}

/// Why a file is no table, if its ending says so, or if the ending says nothing and neither does the content.
fn is_other(ending: &str, path: &Path) -> Option<String> {
    if ENDINGS.contains(&ending) {
        return None;
    }
    let is_table = !OTHER_ENDINGS.contains(&ending) && looks_like_a_table(path);
    (!is_table)
        .then(|| "neither its name nor its beginning is that of a text table, of Parquet or of a workbook".to_owned())
}

/// Whether the first records of a file are those of a table: several of them, all with the same cells, under names.
fn looks_like_a_table(path: &Path) -> bool {
    if begins_as_parquet(path).unwrap_or(false) || begins_as_workbook(path).unwrap_or(false) {
        return true;
    }
    let Ok(likely) = format_of(path, &DeclaredFormat::default(), Sniffing::Likely) else { return false };
    let Ok(mut file) = RecordFile::open(path, 0, &likely) else { return false };
    let names = file.schema();
    let columns: Vec<_> = names.iter_names().filter(|name| !["_file", "_row"].contains(&name.as_str())).collect();
    let are_names = columns.iter().all(|name| name.chars().count() <= 64) && columns.len() >= 2;
    let rows = file.next_batch(LOOKED_AT).ok().flatten().map_or(0, |batch| batch.height());
    are_names && rows >= 2 && file.end().malformed.is_empty()
}

/// What people call a table: its sheet where there are several, else its file without the ending, or the folder of its files.
fn title_of(group: &Group) -> String {
    if let Some(sheet) = sheet_of(&group.format).filter(|sheet| sheet.chars().any(char::is_alphabetic)) {
        return sheet.to_owned();
    }
    let path = group.files.first().map_or("", |found| found.relative.as_str());
    let file = unpacked_name(path.rsplit('/').next().unwrap_or(path));
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let folder = path.split('/').rev().skip(1).find(|folder| !folder.contains('='));
    // `orders/part-0001.parquet` is called by its folder.
    let says_little =
        name_words(stem).iter().all(|word| ["part", "data", "chunk", "file", "export"].contains(&word.as_str()))
            && !stem.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
    let by_folder = folder.filter(|folder| folder.chars().any(char::is_alphabetic));
    if says_little || group.files.len() > 1 { by_folder.unwrap_or(stem).to_owned() } else { stem.to_owned() }
}

/// The sheets of a workbook that are tables, each by its name where there are several; one without a name where a file is a table itself.
fn sheets_of(path: &Path) -> Result<Vec<Option<String>>, SourceError> {
    if !begins_as_workbook(path)? {
        return Ok(vec![None]);
    }
    let filled = Workbook::open(path)?.filled_sheets(1)?;
    Ok(if filled.len() > 1 { filled.into_iter().map(|(name, _)| Some(name)).collect() } else { vec![None] })
}

/// A file as people are told of it, with the sheet that is meant.
fn of_sheet(file: &str, sheet: Option<&str>) -> String {
    sheet.map_or_else(|| file.to_owned(), |sheet| format!("{file}, sheet {sheet:?}"))
}

/// The sheet that a table's files are declared with.
fn sheet_of(format: &DeclaredFormat) -> Option<&str> {
    match &format.sheet {
        Some(SheetName::Named(name)) => Some(name),
        Some(SheetName::Number(_)) | None => None,
    }
}

/// What files of one table share.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Signature {
    ending: String,
    /// Separator, quote, lines before the header and sheet.
    layout: String,
    columns: Vec<String>,
    /// Files without a header are told apart by the words of their names.
    words: Vec<String>,
}

/// The ending of a file's name, in lowercase, without that of packing.
fn ending(name: &str) -> String {
    unpacked_name(&name.to_lowercase()).rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_owned())
}

fn unpacked_name(name: &str) -> &str {
    PACKED_ENDINGS.iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(name)
}

/// What a file shares with others of its table, and how it is written.
fn look_at(
    found: &Found,
    ending: String,
    sheet: Option<String>,
    encoding: Option<&'static Encoding>,
) -> Result<(Signature, DeclaredFormat), String> {
    let text = |e: SourceError| e.to_string();
    let path = &found.path;
    if begins_as_parquet(path).map_err(text)? || ending == "parquet" {
        let schema = File::open(path)
            .map_err(|e| e.to_string())
            .and_then(|file| ParquetReader::new(file).schema().map_err(|e| e.to_string()))?;
        let columns = schema.iter_names().map(ToString::to_string).collect();
        return Ok((
            Signature { ending, layout: String::new(), columns, words: Vec::new() },
            DeclaredFormat::default(),
        ));
    }
    let declared = DeclaredFormat { sheet: sheet.map(SheetName::Named), encoding, ..DeclaredFormat::default() };
    let likely = format_of(path, &declared, Sniffing::Likely).map_err(text)?;
    let file = RecordFile::open(path, 0, &likely).map_err(text)?;
    let mut columns: Vec<String> = file
        .schema()
        .iter_names()
        .filter(|name| !["_file", "_row"].contains(&name.as_str()))
        .map(ToString::to_string)
        .collect();
    if matches!(likely, RecordFormat::Json(_)) {
        // Fields come in any order.
        columns.sort();
        if RecordFile::open(path, 0, &likely).and_then(|mut file| file.is_one_record()).map_err(text)? {
            return Err("it is one JSON object: a table has one object a line, or is an array of them".to_owned());
        }
    }
    let is_sheet = matches!(likely, RecordFormat::Sheet(_));
    if columns.len() < 2 && !is_sheet && !["csv", "tsv", "tab", "psv"].contains(&ending.as_str()) {
        return Err("its lines have one cell only: it does not look like a table".to_owned());
    }
    let stem = found.relative.rsplit('/').next().map(unpacked_name).and_then(|file| file.split('.').next());
    let words = if likely.has_header() { Vec::new() } else { stem.map(name_words).unwrap_or_default() };
    let format = DeclaredFormat { sheet: declared.sheet, ..DeclaredFormat::of(&likely) };
    // Text is text, whatever its file is called.
    let ending = if matches!(likely, RecordFormat::Json(_) | RecordFormat::Sheet(_)) { ending } else { String::new() };
    Ok((Signature { ending, layout: shared(&format).toml(), columns, words }, format))
}

/// Adds what another file of the table shows: one without umlauts, fractions or null words does not show how they are written.
fn merge(known: &mut DeclaredFormat, other: DeclaredFormat) {
    let nulls = known.nulls.iter().cloned().chain(other.nulls.iter().cloned()).collect::<BTreeSet<String>>();
    let (decimal_comma, encoding) = (known.decimal_comma.or(other.decimal_comma), known.encoding.or(other.encoding));
    let footer_lines = known.footer_lines.max(other.footer_lines);
    *known = DeclaredFormat { nulls: nulls.into_iter().collect(), decimal_comma, encoding, footer_lines, ..other };
}

fn read_group(data: &Path, group: &Group, name: &str, digits: &dyn Fn(&str) -> Digits) -> Result<RawTable, String> {
    let files = pattern(data, &group.files);
    let spec = InputSpec { files: vec![files.clone()], format: group.format.clone(), ..InputSpec::default() };
    let mut opened = open_input(name, &spec, data, None).map_err(|e| e.to_string())?.ok_or("no file matches")?;
    let frame = opened.whole().map_err(|e| e.to_string())?.collect().map_err(|e| e.to_string())?;
    // Fields of objects come in any order: what stands in another's place says nothing.
    let headers = if files_of_objects(group) { &[][..] } else { &group.headers };
    let mut table = RawTable::profile(name, &frame, opened.is_text(), headers, digits).map_err(|e| e.to_string())?;
    table.files = files;
    table.format = spec.format;
    table.file_count = group.files.len();
    let names = group.files.iter().map(|found| of_sheet(&found.relative, sheet_of(&group.format)));
    table.undated_names = undated(&names.collect::<Vec<_>>());
    table.dated_files = DatedFiles::of(&group.files.iter().map(|found| found.relative.as_str()).collect::<Vec<_>>());
    let malformed = opened.malformed();
    table.malformed = malformed.len();
    table.first_malformed = malformed.first().map(|record| format!("{} ({})", record.why, record.rule));
    Ok(table)
}

fn files_of_objects(group: &Group) -> bool {
    ["json", "jsonl", "ndjson"].contains(&group.signature.ending.as_str())
}

/// A glob that matches these files and no others, and next month's where their names differ by numbers.
fn pattern(data: &Path, group: &[Found]) -> String {
    let paths: Vec<&str> = group.iter().map(|found| found.relative.as_str()).collect();
    if let [only] = paths.as_slice() {
        return (*only).to_owned();
    }
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let (prefix, suffix) = (common_prefix(&paths), common_suffix(&paths));
    let extension = suffix.rsplit_once('.').map_or("", |(_, extension)| extension);
    let mut tried: Vec<String> = Vec::new();
    if paths.iter().all(|path| folder(path) == folder(paths.first().unwrap_or(&""))) {
        // Years and months count on.
        let is_of_date = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        let (words, date) = prefix.split_at(prefix.trim_end_matches(is_of_date).len());
        let begins = match date.chars().next() {
            Some(separator) if !separator.is_ascii_digit() => format!("{words}{separator}"),
            _ => words.to_owned(),
        };
        let ends = match suffix.split_at(suffix.len() - suffix.trim_start_matches(is_of_date).len()) {
            (date, ending) if date.ends_with('.') && date.len() > 1 => format!(".{ending}"),
            _ => suffix.clone(),
        };
        tried.extend([format!("{begins}*{ends}"), format!("{begins}*{suffix}"), format!("{prefix}*{suffix}")]);
    }
    tried.push(format!("{}**/*.{extension}", folder(&prefix)));
    let same = |glob: &String| {
        find_files(data, glob).is_ok_and(|found| found.iter().map(|f| f.relative.as_str()).eq(paths.iter().copied()))
    };
    tried.into_iter().find(same).unwrap_or_else(|| format!("{{{}}}", paths.join(",")))
}

fn common_prefix(paths: &[&str]) -> String {
    let first = paths.first().copied().unwrap_or_default();
    let same = |length: &usize| first.get(..*length).is_some_and(|prefix| paths.iter().all(|p| p.starts_with(prefix)));
    (0..=first.len()).rev().find(same).and_then(|n| first.get(..n)).unwrap_or_default().to_owned()
}

fn common_suffix(paths: &[&str]) -> String {
    let first = paths.first().copied().unwrap_or_default();
    let same = |from: &usize| first.get(*from..).is_some_and(|suffix| paths.iter().all(|p| p.ends_with(suffix)));
    (0..=first.len()).find(same).and_then(|n| first.get(n..)).unwrap_or_default().to_owned()
}

/// Words of SQL that an export's file may be called by.
const RESERVED: [&str; 16] = [
    "order", "group", "table", "select", "from", "user", "values", "limit", "where", "join", "union", "with", "on",
    "all", "set", "case",
];

/// One name a table: the words of its files' names, without numbers and without words that most tables share (`olist_…_dataset`).
/// A sheet among several is called by its own name.
fn table_names(groups: &[Group]) -> Vec<String> {
    let stems: Vec<Vec<String>> = groups.iter().map(|group| name_words(&title_of(group))).collect();
    let is_common =
        |word: &String| groups.len() > 2 && stems.iter().filter(|s| s.contains(word)).count() * 2 > groups.len();
    let mut names: Vec<String> = Vec::new();
    for stem in &stems {
        let telling: Vec<&str> = stem.iter().filter(|word| !is_common(word)).map(String::as_str).collect();
        let telling = if telling.is_empty() { stem.iter().map(String::as_str).collect() } else { telling };
        let mut name = telling.join("_");
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || RESERVED.contains(&name.as_str()) {
            let told = format!("{name}_rows");
            told.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_').clone_into(&mut name);
        }
        let base = name.clone();
        let mut n = 2;
        while names.contains(&name) {
            name = format!("{base}_{n}");
            n += 1;
        }
        names.push(name);
    }
    names
}

/// Lowercase words of a name, numbers and accents left out. Letters of other scripts stay: SQL takes them in names.
fn name_words(text: &str) -> Vec<String> {
    let plain: String = text.to_lowercase().chars().filter(|c| !is_mark(*c)).map(without_accent).collect();
    plain.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn files_with_one_header_are_one_table_under_a_glob_of_their_own() {
        let orders = "order_id,shop\na1,s1\n";
        let files = folder(&[
            ("acme_orders_2018.csv", orders),
            ("acme_orders_2019.csv", "order_id,shop\na2,s1\n"),
            ("acme_shops_2019.csv", "shop,city\ns1,here\n"),
            ("acme_notes_2019.csv", "note\nx\n"),
            ("readme.txt", "hello"),
        ]);
        let found = profile_folder(files.path(), &|_| Digits::AreNumbers, &|_| {}).unwrap();
        let seen: Vec<_> = found.tables.iter().map(|t| (t.name.as_str(), t.files.as_str(), t.rows)).collect();
        assert_eq!(
            seen,
            [
                ("notes", "acme_notes_2019.csv", 1),
                ("orders", "acme_orders_*.csv", 2),
                ("shops", "acme_shops_2019.csv", 1),
            ]
        );
        assert_eq!(found.unread.iter().map(|u| u.file.as_str()).collect::<Vec<_>>(), ["readme.txt"]);
        let reference = found.references.first().unwrap();
        assert_eq!((reference.from, reference.to.table), (super::super::ColumnAt { table: 1, column: 1 }, 2));
    }

    #[test]
    fn files_of_any_form_are_tables_and_say_how_they_are_written() {
        let files = folder(&[
            ("umsatz_2018.csv", "nr;betrag;am\n1;12,50;01.02.2018\n2;1.000,00;02.02.2018\n"),
            ("umsatz_2019.csv", "nr;betrag;am\n3;7;NULL\n"),
            ("people.txt", "id\tname\n1\tx\n"),
            ("moves_may.dat", "1|2018-01-02|5\n2|2018-01-03|6\n"),
        ]);
        let packed = zstd::encode_all(&b"id,shop\n1,2\n"[..], 1).unwrap();
        std::fs::write(files.path().join("shops.csv.zst"), packed).unwrap();
        std::fs::write(files.path().join("umsatz_2020.csv"), b"nr;betrag;am\n4;7;Fr\xfchling\n").unwrap();
        let found = profile_folder(files.path(), &|_| Digits::AreNumbers, &|_| {}).unwrap();
        let seen: Vec<_> =
            found.tables.iter().map(|t| (t.name.as_str(), t.files.as_str(), t.rows, t.format.toml())).collect();
        let german = r#"separator = ";", decimal = ",", encoding = "windows-1252", nulls = ["NULL"]"#;
        assert_eq!(
            seen,
            [
                ("moves_may", "moves_may.dat", 2, r#"separator = "|", header = false"#.to_owned()),
                ("people", "people.txt", 1, r#"separator = "\t", nulls = ['\N']"#.to_owned()),
                ("shops", "shops.csv.zst", 1, String::new()),
                ("umsatz", "umsatz_*.csv", 4, german.to_owned()),
            ]
        );
    }

    #[test]
    fn names_of_files_in_any_script_can_be_read() {
        for (file, words) in [
            ("Commandes 2024 été", &["commandes", "ete"][..]),
            ("주문내역_2024", &["주문내역"]),
            ("ร้านค้า", &["รานคา"]),
            ("Заказы за март", &["заказы", "за", "март"]),
            ("2024-03", &[]),
        ] {
            assert_eq!(name_words(file), words, "{file}");
        }
    }

    #[test]
    fn every_sheet_of_a_workbook_is_a_table() {
        let files = folder(&[("shops.csv", "shop,city\ns1,here\n")]);
        let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/workbooks");
        std::fs::copy(made.join("orders.xlsx"), files.path().join("export.xlsx")).unwrap();
        std::fs::copy(made.join("orders.ods"), files.path().join("abroad.ods")).unwrap();
        let found = profile_folder(files.path(), &|_| Digits::AreNumbers, &|_| {}).unwrap();
        let seen: Vec<_> =
            found.tables.iter().map(|t| (t.name.as_str(), t.files.as_str(), t.rows, t.format.toml())).collect();
        assert_eq!(
            seen,
            [
                ("abroad", "abroad.ods", 3, String::new()),
                ("items", "export.xlsx", 2, r#"sheet = "Items""#.to_owned()),
                ("orders", "export.xlsx", 3, r#"skip_lines = 3, sheet = "Orders 2024""#.to_owned()),
                ("shops", "shops.csv", 1, String::new()),
            ]
        );
        assert_eq!(found.unread.iter().map(|u| u.file.as_str()).collect::<Vec<_>>(), ["export.xlsx, sheet \"Cover\""]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_and_the_rest_goes_on() {
        let files = folder(&[("a.csv", "x\n1\n"), ("b.parquet", "not parquet")]);
        let found = profile_folder(files.path(), &|_| Digits::AreNumbers, &|_| {}).unwrap();
        assert_eq!(found.tables.len(), 1);
        assert_eq!(found.unread.first().map(|u| u.file.as_str()), Some("b.parquet"));
        let empty = folder(&[("readme.txt", "hello")]);
        assert!(matches!(
            profile_folder(empty.path(), &|_| Digits::AreNumbers, &|_| {}),
            Err(ProfileError::NoTable { .. })
        ));
    }
}
