//! One publisher an output folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::error::PublishError;

const LOCK: &str = ".lock";

/// Held while a process publishes. The operating system releases it when the process ends, however it ends; the file itself
/// stays, since removing it would let two processes hold two files of the same name.
#[derive(Debug)]
pub struct OutLock {
    file: File,
}

impl OutLock {
    /// Takes the lock of an output folder without waiting.
    ///
    /// # Errors
    /// [`PublishError::Busy`] where another live process holds it.
    pub fn take(out: &Path) -> Result<Self, PublishError> {
        let path = out.join(LOCK);
        let io = |action| PublishError::io(action, &path);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder may be about to write its name: what it says is a courtesy, the lock itself is the truth.
                if file.read_to_string(&mut holder).is_err() || holder.trim().is_empty() {
                    "another process".clone_into(&mut holder);
                }
                return Err(PublishError::Busy { path, holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(e)) => return Err(io("lock")(e)),
        }
        file.set_len(0).map_err(io("write"))?;
        file.rewind().map_err(io("write"))?;
        writeln!(file, "process {}", std::process::id()).map_err(io("write"))?;
        Ok(Self { file })
    }
}

impl Drop for OutLock {
    /// Closing the file is not enough: a program that is just being started by another thread holds a copy of it until it runs.
    fn drop(&mut self) {
        // What cannot be unlocked is when the process ends.
        let _ = self.file.unlock();
    }
}
