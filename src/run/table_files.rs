//! Files of one table that are told of together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::grouped;

/// Some files of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFiles {
    /// Contract table; `joined` for files whose rows are only joined to others.
    pub table: String,
    /// How many.
    pub files: u64,
    /// The first of them, by path.
    pub first: String,
}

impl TableFiles {
    /// Those of each table.
    pub(super) fn by_table(files: BTreeMap<&str, BTreeSet<&str>>) -> Vec<Self> {
        let of_table = |(table, files): (&str, BTreeSet<&str>)| Self {
            table: table.to_owned(),
            files: files.len() as u64,
            first: files.first().map_or_else(String::new, |first| (*first).to_owned()),
        };
        files.into_iter().map(of_table).collect()
    }
}

impl fmt::Display for TableFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, files, first } = self;
        write!(f, "{table}: {first}")?;
        if *files > 1 {
            write!(f, " and {} more", grouped(files - 1))?;
        }
        Ok(())
    }
}
