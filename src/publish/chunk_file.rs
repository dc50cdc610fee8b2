//! A file that several threads read at once.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

use super::error::PublishError;
use crate::domain::{Digest, Hasher};

/// Reads at given offsets and never moves the file's own position, which `std::fs::File` shares between its clones. The open
/// handle also outlives the file's name, should an operator prune old runs.
#[derive(Debug, Clone)]
pub(super) struct ChunkFile {
    file: Arc<File>,
    len: u64,
}

impl ChunkFile {
    pub(super) fn open(path: &Path) -> std::result::Result<Self, PublishError> {
        let file = File::open(path).map_err(PublishError::published_file("open", path))?;
        let len = file.metadata().map_err(PublishError::io("look at", path))?.len();
        Ok(Self { file: Arc::new(file), len })
    }

    /// Digest of what this very handle reads.
    pub(super) fn digest(&self) -> io::Result<Digest> {
        let mut reader = ChunkReaderAt { file: Arc::clone(&self.file), at: 0 };
        let mut hasher = Hasher::default();
        let mut block = vec![0_u8; 1 << 20];
        loop {
            let read = reader.read(&mut block)?;
            let Some(bytes) = block.get(..read).filter(|b| !b.is_empty()) else { break };
            hasher.update(bytes);
        }
        Ok(hasher.finish())
    }
}

impl Length for ChunkFile {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for ChunkFile {
    type T = ChunkReaderAt;

    fn get_read(&self, start: u64) -> Result<ChunkReaderAt> {
        Ok(ChunkReaderAt { file: Arc::clone(&self.file), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = vec![0_u8; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// Reads on from an offset.
pub(super) struct ChunkReaderAt {
    file: Arc<File>,
    at: u64,
}

impl Read for ChunkReaderAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
