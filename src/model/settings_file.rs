//! A file of training settings, for tables that an analyst brings.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::settings::TrainSettings;
use super::table::Direction;
use crate::config::{ConfigError, ConfigFile};

/// What `train --settings` reads: how to train, and what is expected of some columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsFile {
    /// What is known of a column before any data is seen: binning and points are held to it.
    pub directions: BTreeMap<String, Direction>,
    /// Settings of training; those left out keep their defaults.
    pub training: TrainSettings,
}

impl SettingsFile {
    /// Reads a file. Values are checked when training begins, with what the command line adds.
    ///
    /// # Errors
    /// The file cannot be read; a key that is not known, a value of another type, with their line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        ConfigFile::open(path)?.parse()
    }

    /// All settings with their defaults, to begin from.
    ///
    /// # Errors
    /// Never in practice: the defaults have no value that TOML lacks.
    pub fn template() -> Result<String, toml::ser::Error> {
        let text = toml::to_string(&Self::default())?;
        Ok(format!("# [directions]\n# column = \"higher-safer\" or \"lower-safer\"\n\n{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, SettingsFile::template().unwrap()).unwrap();
        assert_eq!(SettingsFile::open(&path).unwrap(), SettingsFile::default());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, "[training]\nmembers = 16\nmax_variable = 3\n").unwrap();
        let error = SettingsFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("settings.toml:3: unknown field `max_variable`"), "{error}");
    }
}
