//! A file that digests what is written to it, so that the manifest vouches for what was meant, not for what was read back.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::error::PublishError;
use crate::domain::{Digest, Hasher};

pub(super) struct DigestFile {
    file: BufWriter<File>,
    hasher: Hasher,
    bytes: u64,
}

/// A file whose bytes are handed to the operating system and not yet forced to disk.
pub(super) struct Unsynced {
    pub(super) file: File,
    pub(super) sha256: Digest,
    pub(super) bytes: u64,
}

impl DigestFile {
    /// A new file; an existing one is an error.
    pub(super) fn create(path: &Path) -> Result<Self, PublishError> {
        let file = File::create_new(path).map_err(PublishError::io("create", path))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 18, file), hasher: Hasher::default(), bytes: 0 })
    }

    pub(super) fn finish(self, path: &Path) -> Result<Unsynced, PublishError> {
        let Self { file, hasher, bytes } = self;
        let file = file.into_inner().map_err(|e| PublishError::io("write", path)(e.into_error()))?;
        Ok(Unsynced { file, sha256: hasher.finish(), bytes })
    }
}

impl Write for DigestFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        if let Some(bytes) = buffer.get(..written) {
            self.hasher.update(bytes);
        }
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
