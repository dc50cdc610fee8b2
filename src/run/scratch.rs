//! Folders for work that is thrown away, outside of any output folder. A process that is killed leaves its folder; the next one that
//! needs a folder, or that publishes, removes it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::publish::PublishError;

const PREFIX: &str = "integrity-scratch-";
/// Held while folders are made or swept, so that no sweep sees a folder whose owner has not locked it yet.
const GUARD: &str = "integrity-scratch.lock";
/// In each folder, locked by its owner for as long as it lives.
const OWNER: &str = ".owner";

/// A folder of one process.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
    _owner: File,
}

impl Scratch {
    /// Makes a folder below the system's temporary folder, and removes those of dead processes.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> Result<Self, PublishError> {
        Self::below(&std::env::temp_dir())
    }

    fn below(parent: &Path) -> Result<Self, PublishError> {
        let _guard = guard(parent);
        sweep_unguarded(parent);
        let refuse = |action: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| PublishError::Io { action, path, source }
        };
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(parent)
            .map_err(refuse("make a scratch folder below", parent))?;
        let path = folder.path().join(OWNER);
        let owner = File::create(&path).map_err(refuse("create", &path))?;
        owner.lock().map_err(refuse("lock", &path))?;
        Ok(Self { folder, _owner: owner })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the scratch folders of dead processes.
pub fn sweep() {
    let parent = std::env::temp_dir();
    let _guard = guard(&parent);
    sweep_unguarded(&parent);
}

/// Another user's guard cannot be opened: that user's folders cannot be removed either, and ours not by them.
fn guard(parent: &Path) -> Option<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(parent.join(GUARD)).ok()?;
    file.lock().ok()?;
    Some(file)
}

fn sweep_unguarded(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(PREFIX)) {
        let folder: PathBuf = entry.path();
        // A folder whose owner lives is locked. One without the file is of a process killed in between.
        let is_dead = match OpenOptions::new().write(true).open(folder.join(OWNER)) {
            Ok(owner) => owner.try_lock().is_ok(),
            Err(e) => e.kind() == io::ErrorKind::NotFound,
        };
        if is_dead && let Err(error) = std::fs::remove_dir_all(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "cannot remove a dead process's scratch folder");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_processs_folder_goes_and_a_living_ones_stays() {
        let parent = tempfile::tempdir().unwrap();
        let living = Scratch::below(parent.path()).unwrap();
        std::fs::write(living.path().join("store"), b"in use").unwrap();
        // Killed: the folder stays, the lock is gone. And killed before it could lock.
        for dead in ["integrity-scratch-dead", "integrity-scratch-early"] {
            std::fs::create_dir(parent.path().join(dead)).unwrap();
        }
        std::fs::write(parent.path().join("integrity-scratch-dead").join(OWNER), b"").unwrap();
        std::fs::create_dir(parent.path().join("somebody-elses")).unwrap();

        let next = Scratch::below(parent.path()).unwrap();
        assert!(living.path().join("store").exists() && next.path().exists());
        assert!(!parent.path().join("integrity-scratch-dead").exists());
        assert!(!parent.path().join("integrity-scratch-early").exists());
        assert!(parent.path().join("somebody-elses").exists());
        let (one, two) = (living.path().to_owned(), next.path().to_owned());
        drop((living, next));
        assert!(!one.exists() && !two.exists());
    }
}
