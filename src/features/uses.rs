//! Which features a configuration file reads, and where it says so.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use crate::config::{ConfigError, ConfigFile};

/// Features named in one file, in the order in which it names them.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeatureUses(Vec<(String, Range<usize>)>);

impl FeatureUses {
    /// Notes a feature with its place in the file.
    pub fn push(&mut self, name: &Spanned<String>) {
        self.0.push((name.get_ref().clone(), name.span()));
    }

    /// Each once, sorted.
    pub fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Refuses features that the job does not define.
    ///
    /// # Errors
    /// The first unknown feature, with its line in `file`.
    pub fn check<'a>(&self, file: &ConfigFile, names: impl IntoIterator<Item = &'a str>) -> Result<(), ConfigError> {
        self.unknown(file, names).into_iter().next().map_or(Ok(()), Err)
    }

    /// Refusals of all features that the job does not define.
    pub fn unknown<'a>(&self, file: &ConfigFile, names: impl IntoIterator<Item = &'a str>) -> Vec<ConfigError> {
        let known: BTreeSet<&str> = names.into_iter().collect();
        let unknown = self.0.iter().filter(|(name, _)| !known.contains(name.as_str()));
        let refused = unknown.map(|(name, span)| {
            let message = format!("{name:?} is not a feature of this job");
            file.refuse(span, message, "a feature that the job's feature file defines")
        });
        refused.collect()
    }
}
