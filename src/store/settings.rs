//! How clean events are stored: the section `[store]` of the job file.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// How clean events are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// Hash buckets of merchants; `None` chooses by their number.
    pub buckets: Option<u32>,
}

/// `[store]` as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawStore {
    buckets: Option<Spanned<i64>>,
}

/// `[store]` in the reference.
pub(crate) static STORE_KEYS: Section = Section {
    head: "[store]",
    doc: "How clean events are stored. The section may be left out.",
    keys: &[Key::new("buckets", "whole number", "64", "hash buckets of merchants: the unit of work")
        .range("1 to 4096")
        .or("chosen by the number of merchants")],
};

impl RawStore {
    /// Checks the section.
    ///
    /// # Errors
    /// A number of buckets out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<StoreSettings, ConfigError> {
        let buckets = self.buckets.as_ref().map(|b| bounds::whole(file, b, "buckets", 1..4097).map(u32::from));
        Ok(StoreSettings { buckets: buckets.transpose()? })
    }
}
