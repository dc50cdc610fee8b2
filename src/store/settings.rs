//! How clean events are stored: the section `[store]` of the job file.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// How clean events are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// Hash buckets of merchants; `None` chooses by their number.
    pub buckets: Option<u32>,
    /// Rows of raw files are kept from night to night.
    pub keep_rows: bool,
}

/// `[store]` as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawStore {
    buckets: Option<Spanned<i64>>,
    #[serde(default)]
    keep_rows: bool,
}

/// `[store]` in the reference.
pub(crate) static STORE_KEYS: Section = Section {
    head: "[store]",
    doc: "How clean events are stored. The section may be left out.",
    keys: &[
        Key::new("buckets", "whole number", "64", "hash buckets of merchants: the unit of work")
        .range("1 to 4096")
        .or("chosen by the number of merchants"),
        Key::new(
            "keep_rows",
            "boolean",
            "true",
            "keep the rows of files that are read one row at a time, split and ready to be washed, below out/kept, so that a night reads only \
             files that no earlier one read",
        )
        .or("false: every night reads all files"),
    ],
};

impl RawStore {
    /// Checks the section.
    ///
    /// # Errors
    /// A number of buckets out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<StoreSettings, ConfigError> {
        let buckets = self.buckets.as_ref().map(|b| bounds::whole(file, b, "buckets", 1..4097).map(u32::from));
        Ok(StoreSettings { buckets: buckets.transpose()?, keep_rows: self.keep_rows })
    }
}
