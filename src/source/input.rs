//! Opens one input of a job: its files as one table in which every row knows the file and row it came from, read batch by batch or as a whole.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use percent_encoding::percent_decode_str;
use polars::io::RowIndex;
use polars::prelude::*;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::SourceError;
use super::file_kind;
use super::glob::{self, Found};
use super::known::{FileStamp, KnownFile};
use super::malformed::MalformedRecord;
use super::nested::{NestedField, is_nested, nested_fields};
use super::page_checksums;
use super::record_file::{RecordFile, RecordFormat, RecordsEnd, format_of};
use super::row_groups::{self, Footer};
use super::sender_digest;
use super::settings::InputSpec;
use super::sniff::Sniffing;
use super::text_format::DeclaredFormat;
use super::unpack::Packing;
use super::wider::{are_doubles, widened, widest};
use crate::domain::{Digest, parallel};

/// A raw file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Input in the job file.
    pub input: String,
    /// Path below the data folder, with `/` between segments.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// Records in it, malformed ones included.
    pub raw_rows: u64,
    /// Whether its digest was compared with its sender's statement (a `.sha256` file beside it).
    pub is_verified: bool,
}

/// Rows of a Parquet file that are read at a time: row groups of fewer are read together.
const BATCH_ROWS: usize = 1 << 18;
/// A row group of more rows is read in parts.
const LARGE_GROUP_ROWS: usize = 1 << 20;
/// Records of a text file or sheet that are read at a time.
const RECORD_BATCH_ROWS: usize = 1 << 16;

/// An input's files, opened: their bytes are as their senders state them, their columns are known, no row has been read.
pub(crate) struct OpenInput {
    name: String,
    files: Vec<OpenFile>,
    /// The columns of all files together, with `_file` (index of the file) and `_row` (1-based data row in the file).
    schema: Schema,
    /// All rows, once they were asked for as a whole.
    whole: Option<LazyFrame>,
    /// Whether somebody was told of the lines after the last records.
    has_told_footers: bool,
}

struct OpenFile {
    file: InputFile,
    found: Found,
    index: u32,
    /// Its own columns, with those that its folders give, `_file` and `_row`.
    schema: Schema,
    /// Columns that folders named `key=value` give, each with its one value.
    folders: Vec<(String, Option<String>)>,
    /// Columns that are fields of nested ones.
    fields: Vec<NestedField>,
    format: Format,
    /// As it was before it was hashed.
    stamp: FileStamp,
    /// Malformed records, once it was read.
    malformed: Vec<MalformedRecord>,
    /// Lines after its last record, once it was read.
    footer: u64,
    /// The first of them, where this process has read it.
    footer_begins: Option<String>,
}

enum Format {
    /// Delimited text, or a sheet.
    Records(RecordFormat),
    Parquet {
        footer: Arc<Footer>,
    },
    /// An earlier night read it: its rows are kept elsewhere.
    Known {
        is_text: bool,
        /// How it was read, in words.
        words: String,
        rows_about: u64,
    },
}

/// A file, and what was learnt of it.
pub(crate) struct FileState {
    pub file: InputFile,
    pub stamp: FileStamp,
    pub schema: Schema,
    pub malformed: Vec<MalformedRecord>,
    /// Lines after its last record.
    pub footer: u64,
    /// An earlier night read it, and its rows are not read again.
    pub is_known: bool,
    /// Whether its cells are text whose types the contract decides.
    pub is_text: bool,
    /// How it is read, in words.
    pub words: String,
    /// About how many rows it has.
    pub rows_about: u64,
}

/// Opens the files of `spec`, or `None` where there are none and the input is optional. Those of `known`, by path, whose bytes stand are not
/// read.
pub(crate) fn open(
    name: &str,
    spec: &InputSpec,
    data: &Path,
    known: Option<&BTreeMap<String, KnownFile>>,
) -> Result<Option<OpenInput>, SourceError> {
    std::fs::read_dir(data).map_err(|e| SourceError::NoDataFolder { folder: data.to_owned(), why: e.to_string() })?;
    let found = glob::find_all(data, &spec.files)?;
    if found.is_empty() {
        return if spec.optional {
            Ok(None)
        } else {
            let (input, pattern) = (name.to_owned(), spec.files.join(", "));
            Err(SourceError::MissingInput { input, pattern, folder: data.to_owned() })
        };
    }
    let files: Vec<OpenFile> = found
        .into_par_iter()
        .enumerate()
        .map(|(index, found)| {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let path = found.path.clone();
            let known = known.and_then(|known| known.get(&found.relative));
            let file = guarded(&path, || open_file(name, found, index, &spec.format, known))?;
            match &spec.path_column {
                Some(column) => file.with_path(column),
                None => Ok(file),
            }
        })
        .collect::<Result<_, _>>()?;
    let schema = schema_of_all(name, &files)?;
    Ok(Some(OpenInput { name: name.to_owned(), files, schema, whole: None, has_told_footers: false }))
}

/// What to do about a file that is not whole.
const SEND_AGAIN: &str =
    "the file is damaged, or was cut off while it was written or sent; have it made and sent again";

/// A damaged Parquet file can make the reader fail in any way.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, SourceError>) -> Result<T, SourceError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(SourceError::Corrupt { file: path.to_owned(), why: format!("the reader gave up on it: {SEND_AGAIN}") })
    })
}

impl OpenInput {
    /// The files, in order of path. The records of text files and sheets are counted when they are read.
    pub fn files(&self) -> Vec<InputFile> {
        self.files.iter().map(|file| file.file.clone()).collect()
    }

    /// The files with all that was learnt of them, in order of path.
    pub fn states(&self) -> Vec<FileState> {
        let state = |file: &OpenFile| FileState {
            file: file.file.clone(),
            stamp: file.stamp,
            schema: file.schema.clone(),
            malformed: file.malformed.clone(),
            footer: file.footer,
            is_known: matches!(file.format, Format::Known { .. }),
            is_text: matches!(file.format, Format::Records(_) | Format::Known { is_text: true, .. }),
            words: file.format.words(),
            rows_about: file.rows_about(),
        };
        self.files.iter().map(state).collect()
    }

    /// Malformed records of the files that were read.
    pub fn malformed(&self) -> Vec<MalformedRecord> {
        self.files.iter().flat_map(|file| file.malformed.clone()).collect()
    }

    /// Lines after the last record of each file that was read: the last of its records.
    pub fn footers(&self) -> impl Iterator<Item = u64> {
        self.files.iter().map(|file| file.footer)
    }

    /// Whether cells are text whose types the contract decides.
    pub fn is_text(&self) -> bool {
        self.files.iter().any(|file| matches!(file.format, Format::Records(_) | Format::Known { is_text: true, .. }))
    }

    /// The columns of all files together, `_file` and `_row` among them.
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Paths of the files without a column, in order, and whether that is all of them.
    pub fn without(&self, column: &str) -> (Vec<String>, bool) {
        let lacking = self.files.iter().filter(|file| !file.schema.contains(column));
        let paths: Vec<String> = lacking.map(|file| file.file.path.clone()).collect();
        let is_all = paths.len() == self.files.len();
        (paths, is_all)
    }

    /// The only file, where there is one.
    pub fn only_file(&self) -> Option<&Path> {
        match self.files.as_slice() {
            [only] => Some(&only.found.path),
            _ => None,
        }
    }

    /// About how many rows there are: exact for Parquet, a guess by size for others.
    pub fn rows_about(&self) -> u64 {
        self.files.iter().map(OpenFile::rows_about).sum()
    }

    /// How its files are read: in words, and how many files are read so.
    pub fn formats(&self) -> Vec<(String, usize)> {
        let mut formats: Vec<(String, usize)> = Vec::new();
        for file in &self.files {
            let words = file.format.words();
            match formats.iter_mut().find(|(known, _)| *known == words) {
                Some((_, files)) => *files += 1,
                None => formats.push((words, 1)),
            }
        }
        formats
    }

    /// Gives every row of files that are not known to `take`, batch by batch, in no order and from several threads. `columns` restricts what is read to these, as far
    /// as they are there, and `_file` and `_row`. The first batch is empty: it shows the columns.
    ///
    /// # Errors
    /// A file that cannot be read, or what `take` says.
    pub fn batches<E: From<SourceError> + Send>(
        &mut self,
        columns: Option<&[&str]>,
        take: &(dyn Fn(DataFrame) -> Result<(), E> + Sync),
    ) -> Result<(), E> {
        let is_wanted = |name: &str| columns.is_none_or(|wanted| wanted.contains(&name)) || is_lineage(name);
        let schema: Schema = self.schema.iter_fields().filter(|field| is_wanted(&field.name)).collect();
        take(DataFrame::empty_with_schema(&schema))?;
        // A text file or sheet is read from one end to the other: where there are few, their batches are worked on side by side, else the files are.
        let many = self.files.len() >= 2 * rayon::current_num_threads();
        let mut pieces: Vec<(usize, Option<Part>)> = Vec::new();
        for (at, file) in self.files.iter().enumerate() {
            match &file.format {
                Format::Records(_) if many => pieces.push((at, None)),
                Format::Records(_) | Format::Known { .. } => {}
                Format::Parquet { footer } => {
                    pieces.extend(parts_of(&footer.metadata).into_iter().map(|part| (at, Some(part))));
                }
            }
        }
        let files = &self.files;
        let mut ends: Vec<(usize, Option<RecordsEnd>)> = parallel::in_order(pieces.len(), |piece| {
            let Some((at, part)) = pieces.get(piece) else { return Ok((0, None)) };
            let Some(file) = files.get(*at) else { return Ok((0, None)) };
            match part {
                Some(part) => take(file.read_parquet(part, &schema)?).map(|()| (*at, None)),
                None => file
                    .read_records(1, &schema, &mut |batches| batches.into_iter().try_for_each(take))
                    .map(|end| (*at, Some(end))),
            }
        })?;
        if !many {
            for (at, file) in files.iter().enumerate().filter(|(_, file)| matches!(file.format, Format::Records(_))) {
                let end = file.read_records(rayon::current_num_threads(), &schema, &mut |batches| {
                    parallel::each(batches, take).map(drop)
                })?;
                ends.push((at, Some(end)));
            }
        }
        for (at, end) in ends {
            if let (Some(file), Some(end)) = (self.files.get_mut(at), end) {
                file.note(end);
            }
        }
        self.tell_footers();
        Ok(())
    }

    /// Says once of all files together which lines are taken for no records.
    fn tell_footers(&mut self) {
        let of_files = || self.files.iter().filter_map(|file| Some((file, file.footer_begins.as_deref()?)));
        let Some((file, first)) = of_files().next().filter(|_| !self.has_told_footers) else { return };
        let (files, lines) = (of_files().count(), of_files().map(|(file, _)| file.footer).sum::<u64>());
        tracing::warn!(
            input = self.name,
            files,
            lines,
            file = file.file.path,
            first,
            "lines after the last record (footer_lines) are counted as skipped"
        );
        self.has_told_footers = true;
    }

    /// All rows as one frame. Text files and sheets are read at once, Parquet files when the frame is collected.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn whole(&mut self) -> Result<LazyFrame, SourceError> {
        if let Some(rows) = &self.whole {
            return Ok(rows.clone());
        }
        let schema = &self.schema;
        let frames: Vec<LazyFrame> = self
            .files
            .par_iter_mut()
            .map(|file| match file.format {
                Format::Records(_) => file.whole_records(schema),
                Format::Parquet { .. } => file.scan_parquet(schema),
                Format::Known { .. } => Err(SourceError::Io {
                    file: file.found.path.clone(),
                    why: "its rows are kept, and cannot be read as a whole".to_owned(),
                }),
            })
            .collect::<Result<_, SourceError>>()?;
        self.tell_footers();
        let rows = match <[LazyFrame; 1]>::try_from(frames) {
            Ok([only]) => only,
            Err(several) => concat(several, UnionArgs::default())
                .map_err(|e| SourceError::Corrupt { file: self.name.clone().into(), why: e.to_string() })?,
        };
        Ok(self.whole.insert(rows).clone())
    }

    /// A file that was touched since it was opened.
    pub fn changed(&self) -> Option<SourceError> {
        let changed = self.files.iter().find(|file| file.has_changed())?;
        Some(SourceError::ChangedWhileRead { file: changed.found.path.clone() })
    }

    /// Forgets what [`Self::whole`] read.
    pub fn forget(&mut self) {
        self.whole = None;
    }

    /// The Parquet file that cannot be read, where a plan over them failed.
    pub fn damaged(&self) -> Option<SourceError> {
        self.files.iter().find_map(|file| match &file.format {
            Format::Records(_) | Format::Known { .. } => None,
            Format::Parquet { footer } => {
                parts_of(&footer.metadata).into_iter().find_map(|part| file.read_parquet(&part, &self.schema).err())
            }
        })
    }
}

fn is_lineage(name: &str) -> bool {
    matches!(name, "_file" | "_row")
}

/// What is read of a Parquet file at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// Row groups.
    groups: Range<usize>,
    /// The first row of the file that is read.
    offset: usize,
    /// Rows.
    rows: usize,
    /// Whether it is a part of a single row group.
    is_within_group: bool,
}

/// Row groups that are small enough are read together; one that is too large is read in parts.
fn parts_of(metadata: &ParquetMetaData) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut offset = 0;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let mut left = usize::try_from(group.num_rows()).unwrap_or(0);
        if let Some(before) = parts.last_mut().filter(|part| !part.is_within_group && part.rows + left <= BATCH_ROWS) {
            before.groups.end = number + 1;
            before.rows += left;
            offset += left;
            continue;
        }
        let is_within_group = left > LARGE_GROUP_ROWS;
        while left > 0 {
            let rows = if is_within_group { left.min(2 * BATCH_ROWS) } else { left };
            parts.push(Part { groups: number..number + 1, offset, rows, is_within_group });
            offset += rows;
            left -= rows;
        }
    }
    parts
}

fn open_file(
    input: &str,
    found: Found,
    index: u32,
    declared: &DeclaredFormat,
    known: Option<&KnownFile>,
) -> Result<OpenFile, SourceError> {
    let io = |e: std::io::Error| SourceError::Io { file: found.path.clone(), why: e.to_string() };
    let stamp = FileStamp::of(&found.path).map_err(io)?;
    let bytes = stamp.bytes;
    if bytes == 0 {
        return Err(SourceError::EmptyFile { file: found.path.clone() });
    }
    let stands = known.filter(|known| known.stamp == Some(stamp)).map(|known| known.sha256);
    let sha256 = match stands {
        Some(sha256) => sha256,
        None => Digest::of_file(&found.path).map_err(io)?,
    };
    let is_verified = sender_digest::verify(&found.path, sha256)?;
    if let Some(known) = known.filter(|known| known.sha256 == sha256) {
        let raw_rows = known.raw_rows;
        let file =
            InputFile { input: input.to_owned(), path: found.relative.clone(), sha256, bytes, raw_rows, is_verified };
        let malformed = known.malformed.iter().map(|record| MalformedRecord { file: index, ..record.clone() });
        let (is_text, words, rows_about) = (known.is_text, known.words.clone(), known.rows_about);
        return Ok(OpenFile {
            file,
            index,
            schema: known.schema.clone(),
            folders: Vec::new(),
            fields: Vec::new(),
            format: Format::Known { is_text, words, rows_about },
            stamp,
            malformed: malformed.collect(),
            footer: known.footer,
            footer_begins: None,
            found,
        });
    }
    let is_named_parquet = found.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("parquet"));
    let (mut schema, format, raw_rows) = if is_named_parquet || begins_as_parquet(&found.path)? {
        let parquet = open_parquet(&found.path)?;
        refuse_reserved(&found.path, parquet.0.iter_names().map(PlSmallStr::as_str))?;
        parquet
    } else {
        let format = format_of(&found.path, declared, Sniffing::Certain)?;
        let file = RecordFile::open(&found.path, index, &format)?;
        refuse_reserved(&found.path, file.names().iter().map(String::as_str))?;
        (file.schema(), Format::Records(format), 0)
    };
    let fields = nested_fields(&schema);
    for field in &fields {
        schema.insert(field.name.as_str().into(), field.dtype.clone());
    }
    let folders = folder_columns(&found.relative, &schema);
    refuse_reserved(&found.path, folders.iter().map(|(name, _)| name.as_str()))?;
    for (name, _) in &folders {
        schema.insert(name.as_str().into(), DataType::String);
    }
    for name in ["_file", "_row"] {
        schema.insert(name.into(), DataType::UInt32);
    }
    let path = found.relative.clone();
    let file = InputFile { input: input.to_owned(), path, sha256, bytes, raw_rows, is_verified };
    Ok(OpenFile {
        file,
        found,
        index,
        schema,
        folders,
        fields,
        format,
        stamp,
        malformed: Vec::new(),
        footer: 0,
        footer_begins: None,
    })
}

/// Rows are accounted for by columns of names that a file cannot have.
fn refuse_reserved<'a>(path: &Path, mut names: impl Iterator<Item = &'a str>) -> Result<(), SourceError> {
    let Some(taken) = names.find(|name| is_lineage(name)) else { return Ok(()) };
    let why = format!(
        "it has a column {taken:?}, and that is the name by which its rows are accounted for: call it otherwise in the export, or by columns = [ … ] under [inputs] where it is text"
    );
    Err(SourceError::Corrupt { file: path.to_owned(), why })
}

/// A Parquet file's columns and row count.
fn open_parquet(path: &Path) -> Result<(Schema, Format, u64), SourceError> {
    let corrupt = |why: String| SourceError::Corrupt { file: path.to_owned(), why };
    check_kind(path)?;
    let footer = row_groups::footer(path).map_err(|e| corrupt(format!("{e}: {SEND_AGAIN}")))?;
    page_checksums::verify(path, &footer.metadata)?;
    let raw_rows = u32::try_from(footer.metadata.file_metadata().num_rows())
        .map_err(|_| corrupt("more than 4 billion rows; split it".to_owned()))?;
    let args = ScanArgsParquet { glob: false, hive_options: HiveOptions::new_disabled(), ..ScanArgsParquet::default() };
    // As a scan sees it.
    let mut rows = scanned(path, &footer, 0..0, &|_| false, args).map_err(corrupt)?;
    let schema = rows.collect_schema().map_err(|e| corrupt(format!("{e}: {SEND_AGAIN}")))?;
    for (name, dtype) in schema.iter() {
        // polars gives up on a type that it was not built for.
        if catch_unwind(AssertUnwindSafe(|| Series::full_null(name.clone(), 1, dtype))).is_err() {
            return Err(corrupt(format!(
                "column {name:?} is {dtype}, which is not understood; numbers are Int32 or Int64"
            )));
        }
    }
    Ok(((*schema).clone(), Format::Parquet { footer: Arc::new(footer) }, u64::from(raw_rows)))
}

/// A Parquet file, lazily; one whose footer was rewritten by what is read of it, in memory.
fn scanned(
    path: &Path,
    footer: &Footer,
    groups: Range<usize>,
    is_wanted: &dyn Fn(&str) -> bool,
    args: ScanArgsParquet,
) -> Result<LazyFrame, String> {
    if footer.is_rewritten {
        let bytes = row_groups::extract(path, &footer.metadata, groups, is_wanted).map_err(|e| e.to_string())?;
        return LazyFrame::scan_parquet_sources(ScanSources::Buffers(Arc::new([bytes.into()])), args)
            .map_err(|e| e.to_string());
    }
    let named = path.to_string_lossy();
    LazyFrame::scan_parquet(PlRefPath::new(named.as_ref()), args).map_err(|e| e.to_string())
}

/// Folders named `key=value` become text columns where the file itself lacks them.
fn folder_columns(relative: &str, schema: &Schema) -> Vec<(String, Option<String>)> {
    folder_values(relative).into_iter().filter(|(key, _)| !schema.contains(key)).collect()
}

/// What the folders named `key=value` of a path say. What Hive, Spark and others write there is read as they mean it: `%20` is a blank, and
/// `__HIVE_DEFAULT_PARTITION__` is null, as every empty cell is.
pub(crate) fn folder_values(relative: &str) -> Vec<(String, Option<String>)> {
    const NULL_WORD: &str = "__HIVE_DEFAULT_PARTITION__";
    let folders = relative.rsplit_once('/').map_or("", |(folders, _)| folders);
    let columns = folders.split('/').filter_map(|folder| folder.split_once('='));
    let columns = columns.map(|(key, value)| {
        let is_there = !value.is_empty() && value != NULL_WORD;
        (decoded(key), is_there.then(|| decoded(value)))
    });
    columns.collect()
}

/// As it stands where its `%` and two hexadecimal digits are no text in UTF-8.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}

impl Format {
    /// How a file is read, in words.
    fn words(&self) -> String {
        match self {
            Self::Records(records) => records.words(),
            Self::Parquet { .. } => "Parquet".to_owned(),
            Self::Known { words, .. } => words.clone(),
        }
    }
}

impl OpenFile {
    fn rows_about(&self) -> u64 {
        match &self.format {
            Format::Records(records) => records.records_about(self.file.bytes),
            Format::Parquet { .. } => self.file.raw_rows,
            Format::Known { rows_about, .. } => *rows_about,
        }
    }

    fn corrupt(&self, why: &PolarsError) -> SourceError {
        SourceError::Corrupt { file: self.found.path.clone(), why: why.to_string() }
    }

    /// Reads a text file or sheet from its beginning to its end, so many batches at a time.
    fn read_records<E: From<SourceError>>(
        &self,
        at_a_time: usize,
        schema: &Schema,
        take: &mut dyn FnMut(Vec<DataFrame>) -> Result<(), E>,
    ) -> Result<RecordsEnd, E> {
        let Format::Records(format) = &self.format else { return Ok(RecordsEnd::default()) };
        let mut records = RecordFile::open(&self.found.path, self.index, format)?;
        loop {
            let mut batches = Vec::new();
            while batches.len() < at_a_time {
                let Some(batch) = records.next_batch(RECORD_BATCH_ROWS)? else { break };
                batches.push(self.aligned(batch, schema)?);
            }
            if batches.is_empty() {
                break;
            }
            take(batches)?;
        }
        Ok(records.end())
    }

    fn note(&mut self, end: RecordsEnd) {
        self.file.raw_rows = u64::from(end.records);
        self.malformed = end.malformed;
        self.footer = end.footer.len() as u64;
        self.footer_begins = end.footer.into_iter().next();
    }

    fn whole_records(&mut self, schema: &Schema) -> Result<LazyFrame, SourceError> {
        let mut all = DataFrame::empty_with_schema(schema);
        let end = self.read_records(1, schema, &mut |batches| {
            for batch in &batches {
                all.vstack_mut(batch).map_err(|e| self.corrupt(&e))?;
            }
            Ok::<_, SourceError>(())
        })?;
        self.note(end);
        Ok(all.lazy())
    }

    /// With a column of where it lies. A file of which all is known has it already.
    fn with_path(mut self, column: &str) -> Result<Self, SourceError> {
        if matches!(self.format, Format::Known { .. }) {
            return Ok(self);
        }
        if self.schema.contains(column) {
            let why = format!("it has a column {column:?} of its own: give path_column in [inputs] another name");
            return Err(SourceError::Corrupt { file: self.found.path, why });
        }
        self.schema.insert(column.into(), DataType::String);
        self.folders.push((column.to_owned(), Some(self.found.relative.clone())));
        Ok(self)
    }

    /// Whether it was touched since it was opened. Its digest would not tell: other bytes may have stood there in between.
    fn has_changed(&self) -> bool {
        !FileStamp::of(&self.found.path).is_ok_and(|now| now == self.stamp)
    }

    /// Some rows of a Parquet file, in the columns of `schema`.
    fn read_parquet(&self, part: &Part, schema: &Schema) -> Result<DataFrame, SourceError> {
        let Format::Parquet { footer } = &self.format else { return Ok(DataFrame::empty_with_schema(schema)) };
        let path = &self.found.path;
        guarded(path, || {
            let io = |e: std::io::Error| SourceError::Io { file: path.clone(), why: e.to_string() };
            let wanted = self.own_columns(schema);
            let columns = (!wanted.is_empty()).then(|| wanted.clone());
            let is_read = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
            let extracted = || -> Result<ParquetReader<Cursor<Vec<u8>>>, SourceError> {
                let bytes = row_groups::extract(path, &footer.metadata, part.groups.clone(), &is_read)
                    .map_err(|e| SourceError::Corrupt { file: path.clone(), why: e.to_string() })?;
                Ok(ParquetReader::new(Cursor::new(bytes)).read_parallel(ParallelStrategy::None))
            };
            let mut frame = if part.is_within_group && footer.is_rewritten {
                let before: i64 =
                    footer.metadata.row_groups().iter().take(part.groups.start).map(RowGroupMetaData::num_rows).sum();
                let within = part.offset - usize::try_from(before).unwrap_or(0);
                extracted()?.with_slice(Some((within, part.rows))).with_columns(columns).finish()
            } else if part.is_within_group {
                ParquetReader::new(File::open(path).map_err(io)?)
                    .read_parallel(ParallelStrategy::None)
                    .with_slice(Some((part.offset, part.rows)))
                    .with_columns(columns)
                    .finish()
            } else {
                extracted()?.with_columns(columns).finish()
            }
            .map_err(|e| self.corrupt(&e))?;
            let number = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
            let numbers: Vec<u32> = (number(part.offset + 1)..=number(part.offset + frame.height())).collect();
            let files = UInt32Chunked::full("_file".into(), self.index, frame.height());
            frame.with_column(files.into_column()).map_err(|e| self.corrupt(&e))?;
            frame
                .with_column(UInt32Chunked::from_vec("_row".into(), numbers).into_column())
                .map_err(|e| self.corrupt(&e))?;
            self.aligned(frame, schema)
        })
    }

    /// A Parquet file, lazily, in the columns of `schema`.
    fn scan_parquet(&self, schema: &Schema) -> Result<LazyFrame, SourceError> {
        let args = ScanArgsParquet {
            row_index: Some(RowIndex { name: "_row".into(), offset: 1 }),
            glob: false,
            // Columns that folders give are ours, of whatever kind the files are.
            hive_options: HiveOptions::new_disabled(),
            ..ScanArgsParquet::default()
        };
        let Format::Parquet { footer } = &self.format else { return Ok(DataFrame::empty_with_schema(schema).lazy()) };
        let wanted = self.own_columns(schema);
        let is_read = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
        let groups = 0..footer.metadata.num_row_groups();
        let rows = scanned(&self.found.path, footer, groups, &is_read, args)
            .map_err(|why| SourceError::Corrupt { file: self.found.path.clone(), why })?;
        let rows = rows
            .with_columns([lit(self.index).cast(DataType::UInt32).alias("_file")])
            .with_columns(self.made_exprs(schema));
        Ok(rows.select(self.alignment(schema)))
    }

    /// Columns of the file itself that columns of `schema` are made of.
    fn own_columns(&self, schema: &Schema) -> Vec<String> {
        let is_in_file = |name: &str| {
            self.schema.contains(name)
                && !is_lineage(name)
                && self.folders.iter().all(|(key, _)| key != name)
                && self.fields.iter().all(|field| field.name != name)
        };
        let is_wanted =
            |name: &str| schema.contains(name) || self.fields_in(schema).any(|field| field.column.as_str() == name);
        let own = self.schema.iter_names().filter(|name| is_in_file(name) && is_wanted(name));
        own.map(ToString::to_string).collect()
    }

    /// Wanted fields of nested columns.
    fn fields_in<'a>(&'a self, schema: &'a Schema) -> impl Iterator<Item = &'a NestedField> {
        self.fields.iter().filter(|field| schema.contains(&field.name))
    }

    /// What gives the wanted columns that the file itself does not have: folders and fields.
    fn made_exprs(&self, schema: &Schema) -> Vec<Expr> {
        let folders = self.folders.iter().filter(|(key, _)| schema.contains(key));
        let folders = folders.map(|(key, value)| {
            let value = value.as_deref().map_or_else(|| lit(NULL).cast(DataType::String), lit);
            value.alias(key.as_str())
        });
        folders.chain(self.fields_in(schema).map(NestedField::expr)).collect()
    }

    /// Whether its numbers of a column are all doubles too.
    fn has_doubles(&self, column: &str) -> bool {
        if !matches!(self.schema.get(column), Some(DataType::Int64 | DataType::UInt64)) {
            return true;
        }
        match &self.format {
            Format::Parquet { footer } => are_doubles(&footer.metadata, column),
            Format::Known { is_text: false, .. } => {
                row_groups::footer(&self.found.path).is_ok_and(|footer| are_doubles(&footer.metadata, column))
            }
            Format::Records(_) | Format::Known { .. } => false,
        }
    }

    /// Columns that are missing from this file are null; numbers and times of different types are widened.
    fn alignment(&self, schema: &Schema) -> Vec<Expr> {
        schema
            .iter()
            .map(|(name, dtype)| match self.schema.get(name) {
                Some(got) if got == dtype => col(name.clone()),
                Some(got) => widened(name, got, dtype),
                None => Expr::Literal(LiteralValue::untyped_null()).cast(dtype.clone()).alias(name.clone()),
            })
            .collect()
    }

    /// A batch of this file in the columns of `schema`.
    fn aligned(&self, batch: DataFrame, schema: &Schema) -> Result<DataFrame, SourceError> {
        if batch.schema().iter().eq(schema.iter()) {
            return Ok(batch);
        }
        let rows = batch.lazy().with_columns(self.made_exprs(schema)).select(self.alignment(schema));
        rows.collect().map_err(|e| self.corrupt(&e))
    }
}

/// The first bytes of a file.
fn first_bytes(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut first = Vec::new();
    File::open(path)
        .and_then(|file| file.take(512).read_to_end(&mut first))
        .map_err(|e| SourceError::Io { file: path.to_owned(), why: e.to_string() })?;
    Ok(first)
}

/// Whether a file is Parquet, whatever its name says.
pub(crate) fn begins_as_parquet(path: &Path) -> Result<bool, SourceError> {
    Ok(first_bytes(path)?.starts_with(b"PAR1"))
}

/// A file named `.parquet` begins as one does.
fn check_kind(path: &Path) -> Result<(), SourceError> {
    let first = first_bytes(path)?;
    if first.starts_with(b"PAR1") {
        return Ok(());
    }
    let packed = Packing::of(&first).name().map(|_| ("packed", "unpack it: Parquet files are packed within"));
    match packed.or_else(|| file_kind::kind_of(&first)) {
        Some((what, todo)) => Err(SourceError::NotWhatItsNameSays { file: path.to_owned(), what, todo }),
        None if file_kind::is_text(&first) => Err(SourceError::NotWhatItsNameSays {
            file: path.to_owned(),
            what: "text",
            todo: "if it is CSV, name it .csv",
        }),
        None => Err(SourceError::Corrupt {
            file: path.to_owned(),
            why: "it does not begin as a Parquet file does".to_owned(),
        }),
    }
}

/// The columns of all files: what some files lack is null there, and of two widths of a number the wider counts. A nested column that has other fields in
/// other files is there by its fields alone.
fn schema_of_all(input: &str, files: &[OpenFile]) -> Result<Schema, SourceError> {
    let mut schema = Schema::default();
    let kinds = |name: &PlSmallStr| files.iter().filter_map(|file| file.schema.get(name)).collect::<Vec<_>>();
    let is_by_its_fields = |name: &PlSmallStr| {
        let kinds = kinds(name);
        kinds.iter().all(|kind| is_nested(kind)) && kinds.iter().any(|kind| Some(kind) != kinds.first())
    };
    for file in files {
        for (name, got) in file.schema.iter() {
            if is_nested(got) && is_by_its_fields(name) {
                continue;
            }
            let widened = match schema.get(name) {
                None => got.clone(),
                Some(before) => {
                    let are_exact = || files.iter().all(|file| file.has_doubles(name));
                    widest(before, got, &are_exact).ok_or_else(|| SourceError::FilesDisagree {
                        file: file.found.path.clone(),
                        input: input.to_owned(),
                        column: name.to_string(),
                        expected: before.to_string(),
                        got: got.to_string(),
                    })?
                }
            };
            schema.insert(name.clone(), widened);
        }
    }
    Ok(schema)
}
