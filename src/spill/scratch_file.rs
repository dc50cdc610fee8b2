//! A file without a name: the system removes it when the program ends, however it ends.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use super::error::SpillError;

/// Bytes that are appended and read back from several threads; the file is made when the first come.
pub(super) struct ScratchFile {
    folder: PathBuf,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    file: Option<File>,
    length: u64,
}

impl ScratchFile {
    /// A file in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: Mutex::default() }
    }

    /// Appends bytes; returns where they begin.
    ///
    /// # Errors
    /// The system refuses.
    pub fn append(&self, bytes: &[u8]) -> Result<u64, SpillError> {
        let mut open = lock(&self.open)?;
        let at = open.length;
        if open.file.is_none() {
            open.file = Some(tempfile::tempfile_in(&self.folder).map_err(|e| self.io(&e))?);
        }
        if let Some(file) = &mut open.file {
            file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(bytes)).map_err(|e| self.io(&e))?;
        }
        open.length += bytes.len() as u64;
        Ok(at)
    }

    /// Fills `bytes` from what begins at `at`.
    ///
    /// # Errors
    /// The system refuses.
    pub fn read_at(&self, at: u64, bytes: &mut [u8]) -> Result<(), SpillError> {
        let mut open = lock(&self.open)?;
        let Some(file) = &mut open.file else {
            return Err(self.io(&std::io::Error::from(std::io::ErrorKind::UnexpectedEof)));
        };
        file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(bytes)).map_err(|e| self.io(&e))
    }

    /// Whether anything was written.
    #[cfg(test)]
    pub fn is_used(&self) -> bool {
        self.open.lock().unwrap().file.is_some()
    }

    fn io(&self, error: &std::io::Error) -> SpillError {
        SpillError::Io { path: self.folder.clone(), why: error.to_string() }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, SpillError> {
    mutex.lock().map_err(|_| SpillError::Poisoned)
}
