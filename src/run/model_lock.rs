//! One training a model at a time: two jobs that find no model do not both train one, and what a killed training left is swept.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::progress::Progress;
use crate::model::ModelError;

const STAGING: &str = ".staging-";

/// Held while a model is trained and saved. The operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct ModelLock {
    _file: File,
}

impl ModelLock {
    /// Waits for the lock of one model's folder, and removes half-saved versions there.
    ///
    /// # Errors
    /// The folder or the lock cannot be made.
    pub fn wait(home: &Path, progress: &dyn Progress) -> Result<Self, ModelError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ModelError::Io { path, source }
        };
        std::fs::create_dir_all(home).map_err(io(home))?;
        // Beside the versions, not among them.
        let name = home.file_name().unwrap_or_default().to_string_lossy();
        let path = home.with_file_name(format!(".{name}.lock"));
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.note(&format!("waiting: another process trains a model in {}", home.display()));
                file.lock().map_err(io(&path))?;
            }
            Err(TryLockError::Error(source)) => return Err(io(&path)(source)),
        }
        sweep(home);
        Ok(Self { _file: file })
    }
}

/// Removes versions that killed processes left half-saved. A living process holds the lock of its staging folder.
pub fn sweep(home: &Path) {
    let Ok(entries) = std::fs::read_dir(home) else { return };
    for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(STAGING)) {
        let folder = entry.path();
        let is_dead = File::open(&folder).is_ok_and(|owner| owner.try_lock().is_ok());
        if is_dead && let Err(error) = std::fs::remove_dir_all(&folder) {
            tracing::warn!(folder = %folder.display(), %error, "cannot remove a half-saved model");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::progress::Silent;
    use super::*;

    #[test]
    fn a_dead_processs_half_saved_version_goes_and_a_living_ones_stays() {
        let models = tempfile::tempdir().unwrap();
        let home = models.path().join("m");
        for folder in [".staging-dead", ".staging-living", "2025-01-01-abc"] {
            std::fs::create_dir_all(home.join(folder)).unwrap();
        }
        let owner = File::open(home.join(".staging-living")).unwrap();
        owner.lock().unwrap();
        sweep(&home);
        assert!(!home.join(".staging-dead").exists());
        assert!(home.join(".staging-living").exists() && home.join("2025-01-01-abc").exists());
        drop(owner);
        sweep(&home);
        assert!(!home.join(".staging-living").exists());
        sweep(Path::new("/nowhere"));
    }

    #[test]
    fn a_second_training_waits_for_the_first() {
        let models = tempfile::tempdir().unwrap();
        let home = models.path().join("m");
        let held = ModelLock::wait(&home, &Silent).unwrap();
        let order = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _second = ModelLock::wait(&home, &Silent).unwrap();
                order.lock().unwrap().push("second");
            });
            order.lock().unwrap().push("first");
            drop(held);
        });
        assert_eq!(*order.lock().unwrap(), ["first", "second"]);
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0, "the lock lies beside the versions");
    }
}
