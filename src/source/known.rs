//! Files that an earlier night read, and how a file is recognised as one of them without reading it.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use polars::prelude::{Categories, DataType, Schema, TimeUnit};
use serde::{Deserialize, Serialize};

use super::malformed::MalformedRecord;
use crate::domain::Digest;

/// What the system says of a file: while it stands, so do the file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileStamp {
    /// Size.
    pub bytes: u64,
    /// When its bytes changed last, in nanoseconds since 1970.
    pub modified: i64,
    /// When it changed last in any way, where the system keeps that: no program can set it back.
    pub changed: Option<i64>,
}

impl FileStamp {
    pub fn of(path: &Path) -> std::io::Result<Self> {
        std::fs::metadata(path).map(|metadata| Self::from(&metadata))
    }

    /// Whether a later write must have changed the stamp: it is older, by so much, than `now`, a file just written.
    pub fn is_settled(&self, now: &Self, by: Duration) -> bool {
        let last = self.modified.max(self.changed.unwrap_or(self.modified));
        last.saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)) < now.modified
    }
}

impl From<&Metadata> for FileStamp {
    fn from(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Self { bytes: metadata.len(), modified, changed: changed(metadata) }
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems do not keep it")]
fn changed(metadata: &Metadata) -> Option<i64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec()))
}

#[cfg(not(unix))]
const fn changed(_: &Metadata) -> Option<i64> {
    None
}

/// What was learnt of a file when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownFile {
    /// As it was then; `None` where its bytes must be hashed again.
    pub stamp: Option<FileStamp>,
    pub sha256: Digest,
    pub raw_rows: u64,
    /// Its own columns, with those that its folders give, `_file` and `_row`.
    pub schema: Schema,
    /// Whether its cells are text whose types the contract decides.
    pub is_text: bool,
    /// How it is read, in words.
    pub words: String,
    /// About how many rows it has.
    pub rows_about: u64,
    /// Its malformed records; their file is numbered anew.
    pub malformed: Vec<MalformedRecord>,
    /// Lines after its last record.
    pub footer: u64,
}

/// Known files by input and by path below the data folder.
pub(crate) type KnownFiles = BTreeMap<String, BTreeMap<String, KnownFile>>;

/// Columns as words that can be kept; `None` where a type has none, and the file must be read again.
pub(crate) fn schema_words(schema: &Schema) -> Option<Vec<(String, String)>> {
    schema.iter().map(|(name, dtype)| Some((name.to_string(), type_word(dtype)?))).collect()
}

/// Columns that [`schema_words`] wrote.
pub(crate) fn schema_of_words(words: &[(String, String)]) -> Option<Schema> {
    let mut schema = Schema::default();
    for (name, word) in words {
        schema.insert(name.as_str().into(), type_of_word(word)?);
    }
    Some(schema)
}

const PLAIN: [(DataType, &str); 16] = [
    (DataType::String, "string"),
    (DataType::Boolean, "boolean"),
    (DataType::Int8, "int8"),
    (DataType::Int16, "int16"),
    (DataType::Int32, "int32"),
    (DataType::Int64, "int64"),
    (DataType::UInt8, "uint8"),
    (DataType::UInt16, "uint16"),
    (DataType::UInt32, "uint32"),
    (DataType::UInt64, "uint64"),
    (DataType::Float32, "float32"),
    (DataType::Float64, "float64"),
    (DataType::Date, "date"),
    (DataType::Time, "time"),
    (DataType::Binary, "bytes"),
    (DataType::Null, "null"),
];
const INSTANTS: [(TimeUnit, &str); 3] = [
    (TimeUnit::Milliseconds, "milliseconds"),
    (TimeUnit::Microseconds, "microseconds"),
    (TimeUnit::Nanoseconds, "nanoseconds"),
];

const DECIMAL: &str = "decimal ";
const CATEGORY: &str = "category";

fn type_word(dtype: &DataType) -> Option<String> {
    if let Some((_, word)) = PLAIN.iter().find(|(plain, _)| plain == dtype) {
        return Some((*word).to_owned());
    }
    match dtype {
        DataType::Datetime(unit, None) => {
            INSTANTS.iter().find(|(known, _)| known == unit).map(|(_, word)| (*word).to_owned())
        }
        DataType::Decimal(digits, scale) => Some(format!("{DECIMAL}{digits} {scale}")),
        DataType::Categorical(categories, _) if categories.is_global() => Some(CATEGORY.to_owned()),
        DataType::List(inner) => type_word(inner).map(|word| format!("list of {word}")),
        _ => None,
    }
}

fn type_of_word(word: &str) -> Option<DataType> {
    if let Some(inner) = word.strip_prefix("list of ") {
        return type_of_word(inner).map(|inner| DataType::List(Box::new(inner)));
    }
    if let Some((digits, scale)) = word.strip_prefix(DECIMAL).and_then(|rest| rest.split_once(' ')) {
        return Some(DataType::Decimal(digits.parse().ok()?, scale.parse().ok()?));
    }
    if word == CATEGORY {
        return Some(DataType::from_categories(Categories::global()));
    }
    let instant = INSTANTS.iter().find(|(_, known)| *known == word).map(|(unit, _)| DataType::Datetime(*unit, None));
    instant.or_else(|| PLAIN.iter().find(|(_, known)| *known == word).map(|(plain, _)| plain.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_come_back_from_their_words() {
        let list = DataType::List(Box::new(DataType::String));
        let instants = INSTANTS.map(|(unit, _)| DataType::Datetime(unit, None));
        let others = [list, DataType::Decimal(20, 2), DataType::from_categories(Categories::global())];
        let types = PLAIN.map(|(plain, _)| plain).into_iter().chain(instants).chain(others);
        let schema: Schema = types.enumerate().map(|(n, dtype)| (format!("c{n}").into(), dtype)).collect();
        let words = schema_words(&schema).unwrap();
        assert_eq!(schema_of_words(&words), Some(schema));
        let unknown: Schema = [("t".into(), DataType::Duration(TimeUnit::Microseconds))].into_iter().collect();
        assert_eq!(schema_words(&unknown), None);
    }

    #[test]
    fn a_stamp_tells_a_changed_file_and_settles_with_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let stamp = FileStamp::of(&path).unwrap();
        assert_eq!(FileStamp::of(&path).unwrap(), stamp);
        let by = Duration::from_secs(3);
        let later = |seconds: i64| FileStamp { modified: stamp.modified + seconds * 1_000_000_000, ..stamp };
        assert!(!stamp.is_settled(&later(2), by), "it might be written again within the same tick");
        assert!(stamp.is_settled(&later(4), by));
        std::fs::write(&path, "three").unwrap();
        assert_ne!(FileStamp::of(&path).unwrap(), stamp);
    }
}
