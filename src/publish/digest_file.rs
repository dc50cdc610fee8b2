//! A file that digests what is written to it, so that the manifest vouches for what was meant, not for what was read back.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::error::PublishError;
use crate::domain::{Digest, Hasher};

/// Bytes that share a digest of their own: what a look-up has to read to trust what it reads.
pub(super) const BLOCK: usize = 1 << 20;

pub(super) struct DigestFile {
    file: BufWriter<File>,
    hasher: Hasher,
    bytes: u64,
    blocks: Vec<Digest>,
    block: Hasher,
    in_block: usize,
}

/// A file whose bytes are handed to the operating system and not yet forced to disk.
pub(super) struct Unsynced {
    pub(super) file: File,
    pub(super) sha256: Digest,
    pub(super) bytes: u64,
    /// Digest of every [`BLOCK`] bytes; none of a file that is no longer than one.
    pub(super) blocks: Vec<Digest>,
}

impl DigestFile {
    /// A new file; an existing one is an error.
    pub(super) fn create(path: &Path) -> Result<Self, PublishError> {
        let file = File::create_new(path).map_err(PublishError::io("create", path))?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 18, file),
            hasher: Hasher::default(),
            bytes: 0,
            blocks: Vec::new(),
            block: Hasher::default(),
            in_block: 0,
        })
    }

    pub(super) fn finish(self, path: &Path) -> Result<Unsynced, PublishError> {
        let Self { file, hasher, bytes, mut blocks, block, in_block } = self;
        let file = file.into_inner().map_err(|e| PublishError::io("write", path)(e.into_error()))?;
        if in_block > 0 {
            blocks.push(block.finish());
        }
        if blocks.len() == 1 {
            blocks.clear();
        }
        Ok(Unsynced { file, sha256: hasher.finish(), bytes, blocks })
    }

    fn digest(&mut self, mut bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at((BLOCK - self.in_block).min(bytes.len()));
            self.block.update(now);
            self.in_block += now.len();
            if self.in_block == BLOCK {
                self.blocks.push(std::mem::take(&mut self.block).finish());
                self.in_block = 0;
            }
            bytes = later;
        }
    }
}

impl Write for DigestFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        if let Some(bytes) = buffer.get(..written) {
            self.digest(bytes);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
