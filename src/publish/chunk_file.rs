//! A file that several threads read at once, each part of it checked before it is first believed.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::digest_file::BLOCK;
use super::error::PublishError;
use super::manifest::FileEntry;
use crate::domain::{Digest, Hasher};

/// Reads at given offsets and never moves the file's own position, which `std::fs::File` shares between its clones. The open
/// handle also outlives the file's name, should an operator prune old runs.
#[derive(Debug, Clone)]
pub(super) struct ChunkFile(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    file: File,
    len: u64,
    blocks: Vec<Block>,
}

/// [`BLOCK`] bytes of the file, the last one fewer.
#[derive(Debug)]
struct Block {
    sha256: Digest,
    is_checked: AtomicBool,
}

/// A block that is not what was published.
#[derive(Debug, thiserror::Error)]
#[error(
    "bytes {from} to {to} are not what was published: their digest is {found}, the manifest vouches for {expected}"
)]
struct Altered {
    from: u64,
    to: u64,
    expected: Digest,
    found: Digest,
}

impl ChunkFile {
    /// Opens a published file. A file with digests of its blocks is checked block by block as it is read; any other as a whole, now, through
    /// the very handle that is read from later.
    ///
    /// # Errors
    /// It cannot be opened, has another size than was published, or is not what was published.
    pub(super) fn open(path: &Path, entry: &FileEntry) -> std::result::Result<Self, PublishError> {
        let file = File::open(path).map_err(PublishError::published_file("open", path))?;
        let len = file.metadata().map_err(PublishError::io("look at", path))?.len();
        let blocks = entry.blocks_sha256.iter();
        let blocks = blocks.map(|sha256| Block { sha256: *sha256, is_checked: AtomicBool::new(false) }).collect();
        let opened = Self(Arc::new(Opened { file, len, blocks }));
        let covered = len.div_ceil(BLOCK as u64) == entry.blocks_sha256.len() as u64;
        if len == entry.bytes && covered && !entry.blocks_sha256.is_empty() {
            return Ok(opened);
        }
        let found = opened.digest().map_err(PublishError::io("read", path))?;
        if found != entry.sha256 || !entry.blocks_sha256.is_empty() {
            return Err(PublishError::DigestMismatch { path: path.to_owned(), expected: entry.sha256, found });
        }
        Ok(opened)
    }

    /// Digest of what this very handle reads.
    fn digest(&self) -> io::Result<Digest> {
        let mut hasher = Hasher::default();
        let mut block = vec![0_u8; BLOCK];
        let mut at = 0;
        loop {
            let read = self.0.file.read_at(&mut block, at)?;
            let Some(bytes) = block.get(..read).filter(|b| !b.is_empty()) else { break };
            hasher.update(bytes);
            at += read as u64;
        }
        Ok(hasher.finish())
    }

    /// Checks the blocks of a range that no one has read before.
    fn check(&self, start: u64, length: usize) -> io::Result<()> {
        let end = start.saturating_add(length as u64).min(self.0.len);
        let first = usize::try_from(start / BLOCK as u64).unwrap_or(usize::MAX);
        let count = usize::try_from(end.div_ceil(BLOCK as u64)).unwrap_or(usize::MAX).saturating_sub(first);
        for (at, block) in self.0.blocks.iter().enumerate().skip(first).take(count) {
            if block.is_checked.load(Ordering::Acquire) {
                continue;
            }
            let from = at as u64 * BLOCK as u64;
            let to = (from + BLOCK as u64).min(self.0.len);
            let mut bytes = vec![0_u8; usize::try_from(to - from).unwrap_or(BLOCK)];
            self.0.file.read_exact_at(&mut bytes, from)?;
            let found = Digest::of(&bytes);
            if found != block.sha256 {
                let expected = block.sha256;
                return Err(io::Error::new(io::ErrorKind::InvalidData, Altered { from, to, expected, found }));
            }
            block.is_checked.store(true, Ordering::Release);
        }
        Ok(())
    }
}

/// Whether the library stopped since a block was altered, and not for a reason of its own.
pub(super) fn is_altered(error: &ParquetError) -> bool {
    let ParquetError::External(inner) = error else { return false };
    let cause = inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    cause.and_then(|cause| cause.downcast_ref::<Altered>()).is_some()
}

impl Length for ChunkFile {
    fn len(&self) -> u64 {
        self.0.len
    }
}

impl ChunkReader for ChunkFile {
    type T = ChunkReaderAt;

    fn get_read(&self, start: u64) -> Result<ChunkReaderAt> {
        Ok(ChunkReaderAt { file: self.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.check(start, length)?;
        let mut bytes = vec![0_u8; length];
        self.0.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// Reads on from an offset.
pub(super) struct ChunkReaderAt {
    file: ChunkFile,
    at: u64,
}

impl Read for ChunkReaderAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.check(self.at, buffer.len())?;
        let read = self.file.0.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
