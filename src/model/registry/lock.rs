//! One writer a folder of versions; a folder in the making is marked as its maker's.
//!
//! Folders themselves are locked (`flock`), so that no lock file stays behind. The operating system releases a lock when its process ends,
//! however it ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::model::ModelError;

/// Held while a process writes below a folder.
#[derive(Debug)]
pub struct Lock {
    _folder: Option<File>,
}

/// How long another writer is waited for: longer than any training takes.
const PATIENCE: Duration = Duration::from_hours(4);
const PAUSE: Duration = Duration::from_millis(200);

/// Takes the lock of a folder, waiting for whoever holds it. `told` is called once, before waiting.
///
/// # Errors
/// [`ModelError::Busy`] where the other does not end within hours.
pub fn wait_for_writer(folder: &Path, told: &mut dyn FnMut(&str)) -> Result<Lock, ModelError> {
    wait(folder, PATIENCE, told)
}

fn wait(folder: &Path, patience: Duration, told: &mut dyn FnMut(&str)) -> Result<Lock, ModelError> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(lock) = Lock::try_take(folder)? {
            return Ok(lock);
        }
        if waited.is_zero() {
            told(&format!("another process writes models in {}: waiting for it to end", folder.display()));
        }
        if waited >= patience {
            return Err(ModelError::Busy { path: folder.to_owned() });
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

impl Lock {
    /// Takes the lock of a folder; `None` where another holds it. Where folders cannot be locked, nobody is kept waiting.
    ///
    /// # Errors
    /// The folder cannot be opened.
    pub fn try_take(folder: &Path) -> Result<Option<Self>, ModelError> {
        let handle = match File::open(folder) {
            Ok(handle) => handle,
            Err(_) if cfg!(not(unix)) => return Ok(Some(Self { _folder: None })),
            Err(e) => return Err(ModelError::io(folder, e)),
        };
        match handle.try_lock() {
            Ok(()) => Ok(Some(Self { _folder: Some(handle) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {
                Ok(Some(Self { _folder: None }))
            }
            Err(TryLockError::Error(e)) => Err(ModelError::io(folder, e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_for_the_first_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::try_take(folder.path()).unwrap().unwrap();
        assert!(Lock::try_take(folder.path()).unwrap().is_none());
        let mut told = 0;
        let busy = wait(folder.path(), PAUSE, &mut |_| told += 1);
        assert!(matches!(busy, Err(ModelError::Busy { .. })) && told == 1);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| wait(folder.path(), PATIENCE, &mut |_| {}));
            drop(first);
            assert!(second.join().unwrap().is_ok());
        });
    }
}
