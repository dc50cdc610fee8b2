//! A file whose cells are text until the contract says what they are: delimited text, JSON, or a sheet of a workbook.

use std::borrow::Cow;
use std::path::Path;

use polars::prelude::*;

use super::amount_text::with_decimal_point;
use super::csv_file::CsvFile;
use super::error::SourceError;
use super::json_file::{JsonFile, JsonFormat};
use super::malformed::MalformedRecord;
use super::sheet_file::SheetFile;
use super::sheet_format::SheetFormat;
use super::sniff::{Sniffing, format_of_text};
use super::text_format::{DeclaredFormat, TextFormat};
use super::unpack::Packing;
use super::workbook::{SheetName, begins_as_workbook};

/// How such a file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordFormat {
    Text(TextFormat),
    Json(JsonFormat),
    Sheet(SheetFormat),
}

/// The format of a file, by its content and not by its name: what is declared, the rest as its beginning shows.
///
/// # Errors
/// The file cannot be read, is empty, or holds neither text nor a workbook.
pub(crate) fn format_of(
    path: &Path,
    declared: &DeclaredFormat,
    sniffing: Sniffing,
) -> Result<RecordFormat, SourceError> {
    if begins_as_workbook(path)? {
        SheetFormat::of(path, declared, sniffing).map(RecordFormat::Sheet)
    } else if let Some(json) = JsonFormat::of(path, declared)? {
        Ok(RecordFormat::Json(json))
    } else {
        format_of_text(path, declared, sniffing).map(RecordFormat::Text)
    }
}

impl RecordFormat {
    /// The format in words.
    pub fn words(&self) -> String {
        match self {
            Self::Text(text) => text.words(),
            Self::Json(json) => json.words(),
            Self::Sheet(sheet) => sheet.words(),
        }
    }

    /// Whether the first record names the columns.
    pub const fn has_header(&self) -> bool {
        match self {
            Self::Text(text) => text.has_header,
            Self::Json(_) => true,
            Self::Sheet(sheet) => sheet.has_header,
        }
    }

    /// Takes no word for a missing value.
    pub fn without_null_words(mut self) -> Self {
        match &mut self {
            Self::Text(text) => text.nulls.clear(),
            Self::Json(json) => json.nulls.clear(),
            Self::Sheet(sheet) => sheet.nulls.clear(),
        }
        self
    }

    /// About how many records a file of so many bytes has.
    pub fn records_about(&self, bytes: u64) -> u64 {
        const BYTES_OF_A_RECORD: u64 = 64;
        const BYTES_OF_AN_OBJECT: u64 = 160;
        const BYTES_OF_A_PACKED_RECORD: u64 = 12;
        match self {
            Self::Text(TextFormat { packing: Packing::None, .. }) => bytes.div_ceil(BYTES_OF_A_RECORD),
            Self::Json(JsonFormat { packing: Packing::None, .. }) => bytes.div_ceil(BYTES_OF_AN_OBJECT),
            Self::Text(_) | Self::Json(_) | Self::Sheet(_) => bytes.div_ceil(BYTES_OF_A_PACKED_RECORD),
        }
    }
}

impl DeclaredFormat {
    /// What `format` is beyond a plain CSV file in UTF-8 or the only sheet of a workbook, to be declared.
    pub(crate) fn of(format: &RecordFormat) -> Self {
        match format {
            RecordFormat::Text(text) => Self::of_text(text),
            RecordFormat::Json(json) => Self { nulls: json.nulls.clone(), ..Self::default() },
            RecordFormat::Sheet(sheet) => Self {
                sheet: sheet.is_one_of_several.then(|| SheetName::Named(sheet.sheet.clone())),
                decimal_comma: sheet.has_decimal_comma.then_some(true),
                nulls: sheet.nulls.clone(),
                has_header: (!sheet.has_header).then_some(false),
                columns: sheet.columns.clone(),
                footer_lines: None,
                skip_lines: (sheet.skip_lines > 0).then_some(sheet.skip_lines),
                ..Self::default()
            },
        }
    }
}

/// What reading a file to its end has told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecordsEnd {
    pub malformed: Vec<MalformedRecord>,
    /// Records in it, malformed ones and the lines of the footer included.
    pub records: u32,
    /// Lines after the last record, where the format says that there are some: what the last of the records are.
    pub footer: Vec<String>,
}

/// Such a file, read batch by batch.
pub(crate) enum RecordFile {
    Text(Box<CsvFile>),
    Json(Box<JsonFile>),
    Sheet(Box<SheetFile>),
}

impl RecordFile {
    /// Opens a file and reads its header. `file` is its number among its input's files.
    ///
    /// # Errors
    /// See [`CsvFile::open`], [`JsonFile::open`] and [`SheetFile::open`].
    pub fn open(path: &Path, file: u32, format: &RecordFormat) -> Result<Self, SourceError> {
        Ok(match format {
            RecordFormat::Text(text) => Self::Text(Box::new(CsvFile::open(path, file, text)?)),
            RecordFormat::Json(json) => Self::Json(Box::new(JsonFile::open(path, file, json)?)),
            RecordFormat::Sheet(sheet) => Self::Sheet(Box::new(SheetFile::open(path, file, sheet)?)),
        })
    }

    /// The columns of a batch: texts as the header names them, `_file` and `_row`.
    pub fn schema(&self) -> Schema {
        schema_of(self.names())
    }

    /// The columns of the file itself.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Text(csv) => csv.names(),
            Self::Json(json) => json.names(),
            Self::Sheet(sheet) => sheet.names(),
        }
    }

    /// The next good records, `rows` at most; `None` after the last one.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub fn next_batch(&mut self, rows: usize) -> Result<Option<DataFrame>, SourceError> {
        match self {
            Self::Text(csv) => csv.next_batch(rows),
            Self::Json(json) => json.next_batch(rows),
            Self::Sheet(sheet) => sheet.next_batch(rows),
        }
    }

    /// Whether the file has one good record and no other; it is read no further.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_one_record(&mut self) -> Result<bool, SourceError> {
        Ok(self.next_batch(2)?.is_some_and(|batch| batch.height() == 1))
    }

    /// What was found, once [`Self::next_batch`] has given the last batch.
    pub fn end(self) -> RecordsEnd {
        match self {
            Self::Text(csv) => csv.end(),
            Self::Json(json) => json.end(),
            Self::Sheet(sheet) => sheet.end(),
        }
    }
}

/// The columns of a batch: texts of these names, `_file` and `_row`.
pub(super) fn schema_of(names: &[String]) -> Schema {
    let texts = names.iter().map(|name| Field::new(name.as_str().into(), DataType::String));
    let lineage = ["_file", "_row"].map(|name| Field::new(name.into(), DataType::UInt32));
    texts.chain(lineage).collect()
}

/// What to do where a header names a column twice: the first names, a name that comes again with a number.
pub(super) fn with_own_names(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let own = names.iter().enumerate().map(|(at, name)| {
        let before = names.iter().take(at).filter(|before| *before == name).count();
        if before == 0 { format!("{name:?}") } else { format!("{:?}", format!("{name}_{}", before + 1)) }
    });
    let more = (names.len() > SHOWN).then(|| "…".to_owned());
    let own: Vec<String> = own.take(SHOWN).chain(more).collect();
    format!("give each of its {} columns a name in [inputs], such as columns = [{}]", names.len(), own.join(", "))
}

/// The number of the record after so many.
pub(super) fn next_record(records: u32, path: &Path) -> Result<u32, SourceError> {
    let why = || "more than 4 billion records; split it".to_owned();
    records.checked_add(1).ok_or_else(|| SourceError::Corrupt { file: path.to_owned(), why: why() })
}

/// A cell as the frame holds it: `None` where it has no value, and with a decimal point where the file writes a comma.
pub(super) fn value_of<'a>(text: &'a str, nulls: &[String], has_decimal_comma: bool) -> Option<Cow<'a, str>> {
    if text.is_empty() || nulls.iter().any(|word| word == text) {
        return None;
    }
    let plain = if has_decimal_comma { with_decimal_point(text) } else { None };
    Some(plain.map_or(Cow::Borrowed(text), Cow::Owned))
}

/// Good records of a file, on their way into a frame.
pub(super) struct Batch {
    columns: Vec<StringChunkedBuilder>,
    rows: Vec<u32>,
}

impl Batch {
    pub(super) fn new(names: &[String]) -> Self {
        let column = |name: &String| StringChunkedBuilder::new(name.as_str().into(), 1 << 12);
        Self { columns: names.iter().map(column).collect(), rows: Vec::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds the record of that number.
    pub(super) fn add<'c>(&mut self, row: u32, cells: impl IntoIterator<Item = Option<Cow<'c, str>>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.append_option(cell);
        }
        self.rows.push(row);
    }

    /// The records as a frame; `None` where there are none.
    pub(super) fn frame(self, file: u32, path: &Path) -> Result<Option<DataFrame>, SourceError> {
        let height = self.rows.len();
        if height == 0 {
            return Ok(None);
        }
        let mut frame: Vec<Column> = self.columns.into_iter().map(|c| c.finish().into_column()).collect();
        frame.push(UInt32Chunked::full("_file".into(), file, height).into_column());
        frame.push(UInt32Chunked::from_vec("_row".into(), self.rows).into_column());
        let frame = DataFrame::new(height, frame);
        frame.map(Some).map_err(|e| SourceError::Corrupt { file: path.to_owned(), why: e.to_string() })
    }
}
