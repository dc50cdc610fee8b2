//! One feature file, or a folder of them.

use std::path::{Path, PathBuf};

use crate::config::{ConfigError, ConfigFile};

/// The files of a feature set, in order of their names.
#[derive(Debug, Clone)]
pub struct FeatureFiles {
    /// The files.
    pub files: Vec<ConfigFile>,
}

impl FeatureFiles {
    /// Opens a file, or every `*.toml` of a folder (not of folders below it).
    ///
    /// # Errors
    /// Nothing there, or unreadable.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        if !path.is_dir() {
            return Ok(Self { files: vec![ConfigFile::open(path)?] });
        }
        let refuse = |message: String| ConfigError {
            path: path.to_owned(),
            line: 0,
            message,
            help: "a feature file, or a folder with *.toml feature files".to_owned(),
        };
        let entries = std::fs::read_dir(path).map_err(|e| refuse(format!("cannot read the folder: {e}")))?;
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| refuse(format!("cannot read the folder: {e}")))?.path();
            if entry.is_file() && entry.extension().is_some_and(|ext| ext == "toml") {
                paths.push(entry);
            }
        }
        if paths.is_empty() {
            return Err(refuse("the folder holds no *.toml file".to_owned()));
        }
        paths.sort();
        Ok(Self { files: paths.iter().map(|p| ConfigFile::open(p)).collect::<Result<_, _>>()? })
    }
}
