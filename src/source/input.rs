//! Opens one input of a job: its files as one lazy frame in which every row knows the file and row it came from.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use polars::io::RowIndex;
use polars::prelude::*;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::csv_file;
use super::error::SourceError;
use super::file_kind;
use super::glob::{self, Found};
use super::malformed::MalformedRecord;
use super::page_checksums;
use super::sender_digest;
use super::settings::InputSpec;
use crate::domain::Digest;

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

/// An input's files, opened.
#[derive(Clone)]
pub(crate) struct OpenInput {
    /// All rows, with `_file` (index into `files`) and `_row` (1-based data row in the file).
    pub rows: LazyFrame,
    /// The files, in order of path.
    pub files: Vec<InputFile>,
    /// Where they lie.
    pub found: Vec<Found>,
    /// Malformed records.
    pub malformed: Vec<MalformedRecord>,
    /// Whether cells are text whose types the contract decides.
    pub is_text: bool,
}

/// Opens the files of `spec`, or `None` where there are none and the input is optional.
pub(crate) fn open(name: &str, spec: &InputSpec, data: &Path) -> Result<Option<OpenInput>, SourceError> {
    std::fs::read_dir(data).map_err(|e| SourceError::NoDataFolder { folder: data.to_owned(), why: e.to_string() })?;
    let found = glob::find(data, &spec.files)?;
    if found.is_empty() {
        return if spec.optional {
            Ok(None)
        } else {
            let (input, pattern) = (name.to_owned(), spec.files.clone());
            Err(SourceError::MissingInput { input, pattern, folder: data.to_owned() })
        };
    }
    let opened: Vec<OneFile> = found
        .par_iter()
        .enumerate()
        .map(|(index, file)| {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            // A damaged footer can make the Parquet reader fail in any way.
            catch_unwind(AssertUnwindSafe(|| open_file(name, file, index))).unwrap_or_else(|_| {
                Err(SourceError::Corrupt { file: file.path.clone(), why: "the reader gave up on it".to_owned() })
            })
        })
        .collect::<Result<_, _>>()?;
    let is_text = opened.iter().any(|o| o.is_text);
    let rows = union(name, &found, opened.iter().map(|o| o.rows.clone()).collect())?;
    let malformed = opened.iter().flat_map(|o| o.malformed.clone()).collect();
    let files = opened.into_iter().map(|o| o.file).collect();
    Ok(Some(OpenInput { rows, files, found, malformed, is_text }))
}

struct OneFile {
    file: InputFile,
    rows: LazyFrame,
    malformed: Vec<MalformedRecord>,
    is_text: bool,
}

fn open_file(input: &str, found: &Found, index: u32) -> Result<OneFile, SourceError> {
    let io = |e: std::io::Error| SourceError::Io { file: found.path.clone(), why: e.to_string() };
    let bytes = std::fs::metadata(&found.path).map_err(io)?.len();
    if bytes == 0 {
        return Err(SourceError::EmptyFile { file: found.path.clone() });
    }
    let sha256 = Digest::of_file(&found.path).map_err(io)?;
    let is_verified = sender_digest::verify(&found.path, sha256)?;
    let extension = found.path.extension().map(|e| e.to_string_lossy().to_lowercase());
    let (rows, raw_rows, malformed, is_text) = match extension.as_deref() {
        Some("csv") => {
            let csv = csv_file::read(&found.path, index)?;
            (csv.frame.lazy(), u64::from(csv.records), csv.malformed, true)
        }
        Some("parquet") => {
            let (rows, raw_rows) = scan_parquet(found, index)?;
            (rows, raw_rows, Vec::new(), false)
        }
        _ => return Err(SourceError::UnknownFormat { file: found.path.clone() }),
    };
    let file =
        InputFile { input: input.to_owned(), path: found.relative.clone(), sha256, bytes, raw_rows, is_verified };
    Ok(OneFile { file, rows: with_folder_columns(rows, &found.relative)?, malformed, is_text })
}

/// One Parquet file, lazily, and its row count.
fn scan_parquet(found: &Found, index: u32) -> Result<(LazyFrame, u64), SourceError> {
    let corrupt = |why: String| SourceError::Corrupt { file: found.path.clone(), why };
    check_kind(&found.path)?;
    page_checksums::verify(&found.path)?;
    let opened =
        File::open(&found.path).map_err(|e| SourceError::Io { file: found.path.clone(), why: e.to_string() })?;
    let raw_rows = ParquetReader::new(opened).num_rows().map_err(|e| corrupt(e.to_string()))?;
    let args = ScanArgsParquet {
        row_index: Some(RowIndex { name: "_row".into(), offset: 1 }),
        glob: false,
        ..ScanArgsParquet::default()
    };
    let path = found.path.to_string_lossy();
    let mut rows = LazyFrame::scan_parquet(PlRefPath::new(path.as_ref()), args).map_err(|e| corrupt(e.to_string()))?;
    rows.collect_schema().map_err(|e| corrupt(e.to_string()))?;
    Ok((rows.with_columns([lit(index).alias("_file")]), raw_rows as u64))
}

/// A file named `.parquet` begins as one does.
fn check_kind(path: &Path) -> Result<(), SourceError> {
    let mut first = Vec::new();
    File::open(path)
        .and_then(|file| file.take(512).read_to_end(&mut first))
        .map_err(|e| SourceError::Io { file: path.to_owned(), why: e.to_string() })?;
    if first.starts_with(b"PAR1") {
        return Ok(());
    }
    match file_kind::kind_of(&first) {
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

/// Folders named `key=value` become text columns where the file itself lacks them.
fn with_folder_columns(mut rows: LazyFrame, relative: &str) -> Result<LazyFrame, SourceError> {
    let schema =
        rows.collect_schema().map_err(|e| SourceError::Corrupt { file: relative.into(), why: e.to_string() })?;
    let folders = relative.rsplit_once('/').map_or("", |(folders, _)| folders);
    let columns: Vec<Expr> = folders
        .split('/')
        .filter_map(|folder| folder.split_once('='))
        .filter(|(key, _)| !schema.contains(key))
        .map(|(key, value)| lit(value).alias(key))
        .collect();
    Ok(if columns.is_empty() { rows } else { rows.with_columns(columns) })
}

/// All files one after the other. Columns missing from some files are null there; integers of different width are widened.
fn union(input: &str, found: &[Found], mut frames: Vec<LazyFrame>) -> Result<LazyFrame, SourceError> {
    let mut schema = Schema::default();
    for (frame, file) in frames.iter_mut().zip(found) {
        let this =
            frame.collect_schema().map_err(|e| SourceError::Corrupt { file: file.path.clone(), why: e.to_string() })?;
        for (name, got) in this.iter() {
            let widened = match schema.get(name) {
                None => got.clone(),
                Some(before) => widest(before, got).ok_or_else(|| SourceError::FilesDisagree {
                    file: file.path.clone(),
                    input: input.to_owned(),
                    column: name.to_string(),
                    expected: before.to_string(),
                    got: got.to_string(),
                })?,
            };
            schema.insert(name.clone(), widened);
        }
    }
    let mut same = Vec::with_capacity(frames.len());
    for (mut frame, file) in frames.into_iter().zip(found) {
        let this =
            frame.collect_schema().map_err(|e| SourceError::Corrupt { file: file.path.clone(), why: e.to_string() })?;
        let columns: Vec<Expr> = schema
            .iter()
            .map(|(name, dtype)| match this.get(name) {
                Some(got) if got == dtype => col(name.clone()),
                Some(got) => widened(name, got, dtype),
                None => Expr::Literal(LiteralValue::untyped_null()).cast(dtype.clone()).alias(name.clone()),
            })
            .collect();
        same.push(frame.select(columns));
    }
    match <[LazyFrame; 1]>::try_from(same) {
        Ok([only]) => Ok(only),
        Err(several) => concat(several, UnionArgs::default()).map_err(|e| SourceError::Corrupt {
            file: found.first().map(|f| f.path.clone()).unwrap_or_default(),
            why: e.to_string(),
        }),
    }
}

/// A column in a wider type. What the wider type cannot hold becomes its largest or smallest number, which is beyond every range of the
/// contract: the row is quarantined, the file is not lost.
fn widened(name: &PlSmallStr, got: &DataType, wanted: &DataType) -> Expr {
    match (got, wanted) {
        (DataType::UInt64, DataType::Int64) => {
            let cell = || col(name.clone());
            when(cell().gt(lit(i64::MAX.unsigned_abs())))
                .then(lit(i64::MAX))
                .otherwise(cell().cast(DataType::Int64))
                .alias(name.clone())
        }
        (DataType::Datetime(TimeUnit::Milliseconds, _), DataType::Datetime(TimeUnit::Microseconds, _)) => {
            let cell = || col(name.clone()).cast(DataType::Int64);
            when(cell().gt(lit(i64::MAX / 1_000)))
                .then(lit(i64::MAX))
                .when(cell().lt(lit(i64::MIN / 1_000)))
                .then(lit(i64::MIN))
                .otherwise(cell() * lit(1_000_i64))
                .cast(wanted.clone())
                .alias(name.clone())
        }
        _ => col(name.clone()).strict_cast(wanted.clone()),
    }
}

fn widest(a: &DataType, b: &DataType) -> Option<DataType> {
    let microseconds = || DataType::Datetime(TimeUnit::Microseconds, None);
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (a, b) if a.is_integer() && b.is_integer() => Some(DataType::Int64),
        (DataType::Datetime(TimeUnit::Milliseconds, None), DataType::Datetime(TimeUnit::Microseconds, None))
        | (DataType::Datetime(TimeUnit::Microseconds, None), DataType::Datetime(TimeUnit::Milliseconds, None)) => {
            Some(microseconds())
        }
        (DataType::Categorical(..) | DataType::Enum(..), DataType::String)
        | (DataType::String, DataType::Categorical(..) | DataType::Enum(..)) => Some(DataType::String),
        _ => None,
    }
}
