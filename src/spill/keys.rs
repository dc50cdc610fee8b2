//! Keys and the part in which each occurs: which of them occur in several parts?

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;

use rayon::prelude::*;

use super::error::SpillError;
use super::scratch_file::{ScratchFile, lock};

/// Hashes of keys, each with the part of the row that bears it.
pub type KeyRecords = Vec<(u64, u32)>;

/// Bytes of a hash and a part.
const RECORD: usize = 12;

/// Hashes of keys, each with the part of the row that bears it. Twelve bytes a row, in memory up to a limit and on disk beyond it.
pub struct KeyParts {
    limit: usize,
    held: Mutex<Held>,
    file: ScratchFile,
    /// Offset and length of what was written, by range.
    segments: Mutex<Vec<Vec<(u64, usize)>>>,
}

struct Held {
    ranges: Vec<Vec<u8>>,
    bytes: usize,
}

impl KeyParts {
    /// Ranges of hashes that are sorted one at a time.
    pub const RANGES: usize = 64;

    /// Nothing yet; where more than `limit` bytes come, they go to a file below `folder`.
    #[must_use]
    pub fn new(folder: &Path, limit: usize) -> Self {
        Self {
            limit,
            held: Mutex::new(Held { ranges: vec![Vec::new(); Self::RANGES], bytes: 0 }),
            file: ScratchFile::new(folder),
            segments: Mutex::new(vec![Vec::new(); Self::RANGES]),
        }
    }

    /// Adds keys.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn push(&self, keys: impl Iterator<Item = (u64, u32)>) -> Result<(), SpillError> {
        let mut held = lock(&self.held)?;
        for (hash, part) in keys {
            if let Some(range) = held.ranges.get_mut(range_of(hash)) {
                range.extend(hash.to_le_bytes());
                range.extend(part.to_le_bytes());
                held.bytes += RECORD;
            }
        }
        if held.bytes <= self.limit {
            return Ok(());
        }
        let full = std::mem::replace(&mut held.ranges, vec![Vec::new(); Self::RANGES]);
        held.bytes = 0;
        drop(held);
        self.spill(&full)
    }

    /// The hashes that occur in more than one part, with those of `more`: for a range of hashes, records that [`Self::sorted`] gave elsewhere.
    ///
    /// # Errors
    /// The system refuses to read, or what `more` says.
    pub fn in_several_parts<E: From<SpillError> + Send>(
        self,
        more: &(dyn Fn(usize) -> Result<KeyRecords, E> + Sync),
    ) -> Result<HashSet<u64>, E> {
        let found: Vec<Vec<u64>> = (0..Self::RANGES)
            .into_par_iter()
            .map(|range| {
                let mut records = self.sorted(range)?;
                let others = more(range)?;
                if !others.is_empty() {
                    records.extend(others);
                    records.sort_unstable();
                    records.dedup();
                }
                let several = records.windows(2).filter_map(|pair| match pair {
                    [(a, _), (b, _)] if a == b => Some(*a),
                    _ => None,
                });
                Ok(several.collect())
            })
            .collect::<Result<_, E>>()?;
        Ok(found.into_iter().flatten().collect())
    }

    /// What was added of a range of hashes, in order, each once.
    ///
    /// # Errors
    /// The system refuses to read.
    pub fn sorted(&self, range: usize) -> Result<KeyRecords, SpillError> {
        let mut records = self.records(range)?;
        records.sort_unstable();
        records.dedup();
        Ok(records)
    }

    fn records(&self, range: usize) -> Result<KeyRecords, SpillError> {
        let mut bytes = lock(&self.held)?.ranges.get(range).cloned().unwrap_or_default();
        let segments = lock(&self.segments)?.get(range).cloned().unwrap_or_default();
        for (offset, length) in segments {
            let start = bytes.len();
            bytes.resize(start + length, 0);
            self.file.read_at(offset, bytes.get_mut(start..).unwrap_or_default())?;
        }
        let records = bytes.chunks_exact(RECORD).filter_map(|record| {
            let (hash, part) = record.split_first_chunk::<8>()?;
            Some((u64::from_le_bytes(*hash), u32::from_le_bytes(*part.first_chunk::<4>()?)))
        });
        Ok(records.collect())
    }

    fn spill(&self, ranges: &[Vec<u8>]) -> Result<(), SpillError> {
        for (range, bytes) in ranges.iter().enumerate().filter(|(_, bytes)| !bytes.is_empty()) {
            let at = self.file.append(bytes)?;
            if let Some(segments) = lock(&self.segments)?.get_mut(range) {
                segments.push((at, bytes.len()));
            }
        }
        Ok(())
    }
}

/// The range of a hash, by both of its halves.
fn range_of(hash: u64) -> usize {
    usize::try_from((hash ^ (hash >> 32)) % KeyParts::RANGES as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_several_parts_are_found_in_memory_and_on_disk() {
        for limit in [usize::MAX, 1_000, 1] {
            let folder = tempfile::tempdir().unwrap();
            let keys = KeyParts::new(folder.path(), limit);
            // Every key twice in its own part; every seventh once more in the next.
            for _ in 0..2 {
                keys.push((0..1_000_u64).map(|n| (n * 0x9e37_79b9, u32::try_from(n % 3).unwrap()))).unwrap();
            }
            keys.push((0..1_000_u64).step_by(7).map(|n| (n * 0x9e37_79b9, u32::try_from((n + 1) % 3).unwrap())))
                .unwrap();
            assert_eq!(keys.file.is_used(), limit < usize::MAX);
            let several = keys.in_several_parts::<SpillError>(&|_| Ok(Vec::new())).unwrap();
            let expected: HashSet<u64> = (0..1_000_u64).step_by(7).map(|n| n * 0x9e37_79b9).collect();
            assert_eq!(several, expected, "limit {limit}");
        }
    }
}
