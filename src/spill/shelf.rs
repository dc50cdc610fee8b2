//! Values that are put aside and taken back one by one.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::Mutex;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SpillError;
use super::scratch_file::{ScratchFile, lock};

/// Values as bytes, in memory up to a limit and on disk beyond it.
pub struct Shelf<T> {
    limit: usize,
    held: Mutex<usize>,
    file: ScratchFile,
    value: PhantomData<fn(T) -> T>,
}

/// Where a value was put.
#[derive(Debug)]
pub struct Shelved(Place);

#[derive(Debug)]
enum Place {
    Memory(Vec<u8>),
    Disk { offset: u64, length: usize },
}

impl<T: Serialize + DeserializeOwned> Shelf<T> {
    /// An empty shelf that holds `limit` bytes in memory; scratch goes to `folder`.
    #[must_use]
    pub fn new(folder: &Path, limit: usize) -> Self {
        Self { limit, held: Mutex::new(0), file: ScratchFile::new(folder), value: PhantomData }
    }

    /// Puts a value aside.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn put(&self, value: &T) -> Result<Shelved, SpillError> {
        let bytes = postcard::to_allocvec(value).map_err(|e| SpillError::Frame { why: e.to_string() })?;
        let mut held = lock(&self.held)?;
        if *held + bytes.len() <= self.limit {
            *held += bytes.len();
            return Ok(Shelved(Place::Memory(bytes)));
        }
        drop(held);
        let offset = self.file.append(&bytes)?;
        Ok(Shelved(Place::Disk { offset, length: bytes.len() }))
    }

    /// Takes a value back.
    ///
    /// # Errors
    /// The system refuses to read.
    pub fn take(&self, shelved: Shelved) -> Result<T, SpillError> {
        let bytes = match shelved.0 {
            Place::Memory(bytes) => {
                let mut held = lock(&self.held)?;
                *held = held.saturating_sub(bytes.len());
                bytes
            }
            Place::Disk { offset, length } => {
                let mut bytes = vec![0; length];
                self.file.read_at(offset, &mut bytes)?;
                bytes
            }
        };
        postcard::from_bytes(&bytes).map_err(|e| SpillError::Frame { why: e.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_comes_back() {
        for limit in [0, 300, usize::MAX] {
            let folder = tempfile::tempdir().unwrap();
            let shelf: Shelf<(u32, Vec<f64>, Option<String>)> = Shelf::new(folder.path(), limit);
            let value = |n: u32| {
                (n, vec![f64::from(n) / 3.0, f64::NEG_INFINITY, -0.0], n.is_multiple_of(2).then(|| n.to_string()))
            };
            let shelved: Vec<Shelved> = (0..50).map(|n| shelf.put(&value(n)).unwrap()).collect();
            assert_eq!(shelf.file.is_used(), limit < usize::MAX);
            for (n, shelved) in (0..50).zip(shelved) {
                assert_eq!(shelf.take(shelved).unwrap(), value(n));
            }
        }
    }
}
