//! The versions of a job's models: listed, locked, saved, approved, and loaded for use.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::approve::approve_folder;
use super::layout::{Bundle, Contents, Origin};
use super::load::load_folder;
use super::lock::{Lock, wait_for_writer};
use super::save::{ApproveAs, save_folder};
use super::{files, save};
use crate::domain::Digest;
use crate::model::error::ModelError;

/// The folder that models are kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    root: PathBuf,
}

impl Registry {
    /// A registry at `root`; the folder need not exist yet.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The folder of all versions of a model.
    #[must_use]
    pub fn home(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder of a version.
    #[must_use]
    pub fn folder(&self, name: &str, version: &str) -> PathBuf {
        self.home(name).join(version)
    }

    /// Folders of the versions of a model, by name; none where the model has no folder. What is hidden is not a version.
    ///
    /// # Errors
    /// The folder exists and cannot be listed.
    pub fn versions(&self, name: &str) -> Result<Vec<PathBuf>, ModelError> {
        let mut folders = files::entries(&self.home(name))?;
        let hidden = |path: &PathBuf| path.file_name().is_none_or(|n| n.to_string_lossy().starts_with('.'));
        folders.retain(|path| !hidden(path) && path.is_dir());
        Ok(folders)
    }

    /// Waits until no other process writes versions of a model, sweeps what killed ones left, and keeps others waiting while the answer
    /// lives. `told` is called once if there is somebody to wait for.
    ///
    /// # Errors
    /// [`ModelError::Busy`] where the other does not end; the folder cannot be made.
    pub fn lock(&self, name: &str, told: &mut dyn FnMut(&str)) -> Result<Lock, ModelError> {
        let home = self.home(name);
        std::fs::create_dir_all(&home).map_err(|e| ModelError::io(&home, e))?;
        let lock = wait_for_writer(&home, told)?;
        save::sweep(&home)?;
        Ok(lock)
    }

    /// Removes what killed processes left half-saved of a model; what a living one is writing stays.
    ///
    /// # Errors
    /// The folder cannot be read, or a leftover not removed.
    pub fn sweep(&self, name: &str) -> Result<(), ModelError> {
        let home = self.home(name);
        if home.is_dir() { save::sweep(&home) } else { Ok(()) }
    }

    /// Writes a new version, whole or not at all, approved where `approve` says by whom.
    ///
    /// # Errors
    /// The version exists, or the folder cannot be written.
    pub fn save(
        &self,
        name: &str,
        version: &str,
        contents: &Contents<'_>,
        origin: Origin,
        approve: Option<ApproveAs<'_>>,
    ) -> Result<PathBuf, ModelError> {
        let folder = self.folder(name, version);
        save_folder(&folder, name, version, contents, origin, approve)?;
        Ok(folder)
    }

    /// Approves a version as it stands.
    ///
    /// # Errors
    /// The folder is damaged or cannot be written.
    pub fn approve(&self, name: &str, version: &str, by: &str, on: Date) -> Result<(), ModelError> {
        approve_folder(&self.folder(name, version), by, on).map(|_| ())
    }

    /// Loads a version for use on a day.
    ///
    /// # Errors
    /// [`ModelError::Refused`] where it is unapproved, expired, altered or, if `config` is given, trained under another one.
    pub fn load_approved(
        &self,
        name: &str,
        version: &str,
        today: Date,
        config: Option<Digest>,
    ) -> Result<Bundle, ModelError> {
        let folder = self.folder(name, version);
        if !folder.is_dir() {
            let known: Vec<String> = self
                .versions(name)?
                .iter()
                .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
                .collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(files::refused(&folder, format!("there is no such version; there are: {known}")));
        }
        let bundle = load_folder(&folder)?;
        bundle.check_use(today, config)?;
        Ok(bundle)
    }
}
