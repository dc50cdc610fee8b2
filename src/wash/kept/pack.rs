//! One file of kept rows: rows of one table from any number of raw files, in a segment a part, so that a bucket's rows are read without the
//! others'.
//!
//! ```text
//! segments of rows, one a part | keys by range of their hashes | rows that the SELECT did not return | index
//! ```
//!
//! Each segment has its digest in the index, and the index in the ledger. `_file` is a number that the ledger gave the raw file, not its place
//! among tonight's files.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::KeptError;
use crate::domain::{Digest, parallel};
use crate::spill::{KeyParts, KeyRecords, SpillError, SplitFrames, decoded, encode};

/// Bytes of keys that are held in memory while a pack is written.
const HELD_KEYS: usize = 48 << 20;

/// A pack as the ledger names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackEntry {
    /// Name in the folder of kept rows.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// Where its index begins.
    pub index_at: u64,
    /// Digest of its index.
    pub index_sha256: Digest,
    /// Numbers of the raw files whose rows it has.
    pub files: Vec<u32>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    parts: Vec<(u32, Segment)>,
    keys: Vec<(u32, Segment)>,
    lost: Option<Segment>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Segment {
    at: u64,
    length: u64,
    sha256: Digest,
}

/// What goes into a pack.
pub(super) trait PackRows: Sync {
    /// Rows of a part, `_file` as the ledger numbers it.
    fn part(&self, part: u32) -> Result<Option<DataFrame>, KeptError>;
    /// Rows that the SELECT did not return.
    fn lost(&self) -> Result<Option<DataFrame>, KeptError>;
    /// Hashes of keys that may lie in several parts.
    fn key_hashes(&self, rows: &DataFrame) -> Result<Vec<u64>, KeptError>;
}

/// Writes a pack of `parts` parts; it is complete and forced to disk when it bears its name.
pub(super) fn write(
    folder: &Path,
    name: String,
    files: Vec<u32>,
    parts: u32,
    rows: &dyn PackRows,
) -> Result<PackEntry, KeptError> {
    let path = folder.join(&name);
    let temporary = folder.join(format!("{name}.new"));
    let file = File::create(&temporary).map_err(KeptError::io("create", &temporary))?;
    let out = Mutex::new((file, 0_u64));
    let append = |bytes: &[u8]| {
        let mut out = out.lock().map_err(|_| SpillError::Poisoned)?;
        let at = out.1;
        out.0.write_all(bytes).map_err(KeptError::io("write", &temporary))?;
        out.1 += bytes.len() as u64;
        Ok::<_, KeptError>(Segment { at, length: bytes.len() as u64, sha256: Digest::of(bytes) })
    };
    let keys = KeyParts::new(folder, HELD_KEYS);
    let written = parallel::in_order(parts as usize, |number| {
        let part = u32::try_from(number).unwrap_or(u32::MAX);
        let Some(mut of_part) = rows.part(part)?.filter(|rows| rows.height() > 0) else { return Ok(None) };
        keys.push(rows.key_hashes(&of_part)?.into_iter().map(|hash| (hash, part)))?;
        let mut bytes = Vec::new();
        encode(&mut of_part, &mut bytes)?;
        Ok::<_, KeptError>(Some((part, append(&bytes)?, of_part.height() as u64)))
    })?;
    let mut index = Index::default();
    let mut count = 0;
    for (part, segment, rows) in written.into_iter().flatten() {
        index.parts.push((part, segment));
        count += rows;
    }
    for range in 0..KeyParts::RANGES {
        let records = keys.sorted(range)?;
        if !records.is_empty() {
            let bytes: Vec<u8> = records
                .iter()
                .flat_map(|(hash, part)| hash.to_le_bytes().into_iter().chain(part.to_le_bytes()))
                .collect();
            index.keys.push((u32::try_from(range).unwrap_or(u32::MAX), append(&bytes)?));
        }
    }
    if let Some(mut lost) = rows.lost()?.filter(|lost| lost.height() > 0) {
        let mut bytes = Vec::new();
        encode(&mut lost, &mut bytes)?;
        index.lost = Some(append(&bytes)?);
    }
    let bytes = postcard::to_allocvec(&index)
        .map_err(|e| SpillError::Frame { why: format!("write the index of kept rows: {e}") })?;
    let at_end = append(&bytes)?;
    let (file, length) = out.into_inner().map_err(|_| SpillError::Poisoned)?;
    file.sync_all().map_err(KeptError::io("force to disk", &temporary))?;
    fs::rename(&temporary, &path).map_err(KeptError::io("rename", &temporary))?;
    Ok(PackEntry { name, bytes: length, rows: count, index_at: at_end.at, index_sha256: at_end.sha256, files })
}

/// An open pack.
pub(super) struct Pack {
    path: PathBuf,
    file: Mutex<File>,
    index: Index,
}

impl Pack {
    pub fn open(folder: &Path, entry: &PackEntry) -> Result<Self, KeptError> {
        let path = folder.join(&entry.name);
        let damaged = |why: String| KeptError::Damaged { path: path.clone(), why };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(damaged("it is not there".to_owned())),
            Err(e) => return Err(KeptError::io("open", &path)(e)),
        };
        let length = file.metadata().map_err(KeptError::io("look at", &path))?.len();
        if length != entry.bytes || entry.index_at > length {
            return Err(damaged(format!("it has {length} bytes, the ledger says {}", entry.bytes)));
        }
        let segment = Segment { at: entry.index_at, length: length - entry.index_at, sha256: entry.index_sha256 };
        let pack = Self { path: path.clone(), file: Mutex::new(file), index: Index::default() };
        let index = postcard::from_bytes(&pack.segment(segment)?).map_err(|e| damaged(e.to_string()))?;
        Ok(Self { index, ..pack })
    }

    /// Rows of a part.
    pub fn part(&self, part: u32) -> Result<Option<DataFrame>, KeptError> {
        let segment = self.index.parts.iter().find(|(of, _)| *of == part);
        segment.map(|(_, segment)| self.frame(*segment)).transpose()
    }

    /// Rows that the SELECT did not return.
    pub fn lost(&self) -> Result<Option<DataFrame>, KeptError> {
        self.index.lost.map(|segment| self.frame(segment)).transpose()
    }

    /// Keys of a range of hashes, in order.
    pub fn keys(&self, range: usize) -> Result<KeyRecords, KeptError> {
        let Some((_, segment)) = self.index.keys.iter().find(|(of, _)| *of as usize == range) else {
            return Ok(Vec::new());
        };
        let bytes = self.segment(*segment)?;
        let records = bytes.chunks_exact(12).filter_map(|record| {
            let (hash, part) = record.split_first_chunk::<8>()?;
            Some((u64::from_le_bytes(*hash), u32::from_le_bytes(*part.first_chunk::<4>()?)))
        });
        Ok(records.collect())
    }

    fn frame(&self, segment: Segment) -> Result<DataFrame, KeptError> {
        let bytes = self.segment(segment)?;
        decoded(bytes).map_err(|e| KeptError::Damaged { path: self.path.clone(), why: e.to_string() })
    }

    fn segment(&self, segment: Segment) -> Result<Vec<u8>, KeptError> {
        let mut bytes = vec![0; usize::try_from(segment.length).unwrap_or(0)];
        let mut file = self.file.lock().map_err(|_| SpillError::Poisoned)?;
        file.seek(SeekFrom::Start(segment.at))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(KeptError::io("read", &self.path))?;
        drop(file);
        if Digest::of(&bytes) == segment.sha256 {
            return Ok(bytes);
        }
        let why = format!("the {} bytes from {} on are not those that were written", segment.length, segment.at);
        Err(KeptError::Damaged { path: self.path.clone(), why })
    }
}

/// Rows with `_file` numbered anew; those of files that `number` does not know are left out.
pub(super) fn numbered(rows: DataFrame, number: &dyn Fn(u32) -> Option<u32>) -> Result<DataFrame, KeptError> {
    let broken = |e: PolarsError| KeptError::Spill(SpillError::from(e));
    let files: UInt32Chunked = rows
        .column("_file")
        .and_then(|column| column.u32().cloned())
        .map_err(broken)?
        .iter()
        .map(|file| number(file?))
        .collect();
    let mut rows = rows;
    let is_known = files.is_not_null();
    rows.with_column(files.with_name("_file".into()).into_column()).map_err(broken)?;
    if is_known.all() { Ok(rows) } else { rows.filter(&is_known).map_err(broken) }
}

/// Frames one below the other; `None` where there are none.
pub(super) fn together(frames: Vec<DataFrame>) -> Result<Option<DataFrame>, KeptError> {
    if frames.is_empty() { Ok(None) } else { Ok(Some(SplitFrames::together(frames)?)) }
}
