//! One training a model at a time: two jobs that find no model do not both train one, and what a killed training left is swept.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::progress::Progress;
use crate::model::ModelError;

const LOCK: &str = ".lock";
const STAGING: &str = ".staging-";

/// Held while a model is trained and saved. The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct ModelLock {
    _file: File,
}

impl ModelLock {
    /// Waits for the lock of one model's folder, and removes half-saved versions there: nobody living is at work on them.
    ///
    /// # Errors
    /// The folder cannot be made or listed.
    pub fn wait(home: &Path, progress: &dyn Progress) -> Result<Self, ModelError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ModelError::Io { path, source }
        };
        std::fs::create_dir_all(home).map_err(io(home))?;
        let path = home.join(LOCK);
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.note(&format!("waiting: another process trains a model in {}", home.display()));
                file.lock().map_err(io(&path))?;
            }
            Err(TryLockError::Error(source)) => return Err(io(&path)(source)),
        }
        for entry in std::fs::read_dir(home).map_err(io(home))? {
            let entry = entry.map_err(io(home))?;
            if entry.file_name().to_string_lossy().starts_with(STAGING) {
                std::fs::remove_dir_all(entry.path()).map_err(io(&entry.path()))?;
            }
        }
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::super::progress::Silent;
    use super::*;

    #[test]
    fn half_saved_versions_go_once_nobody_holds_the_lock() {
        let models = tempfile::tempdir().unwrap();
        let home = models.path().join("m");
        let held = ModelLock::wait(&home, &Silent).unwrap();
        std::fs::create_dir(home.join(".staging-abc")).unwrap();
        std::fs::create_dir(home.join("2025-01-01-abc")).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| ModelLock::wait(&home, &Silent).map(drop));
            // Whatever the other thread has come to, it cannot have swept while the lock is held.
            assert!(home.join(".staging-abc").exists());
            drop(held);
            waiting.join().unwrap().unwrap();
        });
        assert!(!home.join(".staging-abc").exists() && home.join("2025-01-01-abc").exists());
    }
}
