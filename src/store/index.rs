//! `store.json`: what a store holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::Digest;

/// Version of the layout.
pub(crate) const LAYOUT: u32 = 3;

/// What a store holds, and the digest of each of its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreIndex {
    /// Version of the layout.
    pub layout: u32,
    /// Observation date the rows were washed at.
    pub as_of: String,
    /// Its time zone.
    pub time_zone: String,
    /// The instant, in UTC microseconds.
    pub as_of_micros: i64,
    /// Hash buckets of merchants.
    pub buckets: u32,
    /// Tables by name; an absent optional table has no entry.
    pub tables: BTreeMap<String, TableIndex>,
    /// Broken records by bucket; a bucket without any has no file.
    pub broken: BTreeMap<u32, BucketFile>,
}

/// One table's files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableIndex {
    /// Rows in their latest version.
    pub rows: u64,
    /// Earlier versions, kept for looking back.
    pub superseded: u64,
    /// Files by bucket; a bucket without rows has none.
    pub files: BTreeMap<u32, BucketFile>,
}

/// One bucket's file of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketFile {
    /// Rows, superseded versions included.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// Stands for a table in the path of broken records.
pub(crate) const BROKEN: &str = "broken";

/// Path of a bucket's file below the store.
pub(crate) fn bucket_path(table: &str, bucket: u32) -> String {
    format!("{table}/bucket={bucket:04}/part-0.parquet")
}
