//! Rows that come in any order and are read back sorted.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Mutex;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SpillError;
use super::scratch_file::{ScratchFile, lock};

/// Rows that are held in memory; beyond this many they are sorted and written.
const HELD: usize = 5_000;
/// Bytes that are read of a run at a time.
const BLOCK: usize = 1 << 16;

/// Rows in the order of their type, in memory up to a limit and beyond it as sorted runs on disk. Fields that are not serialized
/// are not kept.
pub struct SortedRows<T> {
    held: Mutex<Held<T>>,
    file: ScratchFile,
}

struct Held<T> {
    rows: Vec<T>,
    /// Offset and length of each run.
    runs: Vec<(u64, u64)>,
    count: u64,
}

impl<T> std::fmt::Debug for SortedRows<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SortedRows").finish_non_exhaustive()
    }
}

impl<T: Ord + Clone + Serialize + DeserializeOwned> SortedRows<T> {
    /// No rows yet; scratch goes to `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let held = Held { rows: Vec::new(), runs: Vec::new(), count: 0 };
        Self { held: Mutex::new(held), file: ScratchFile::new(folder) }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn extend(&self, rows: Vec<T>) -> Result<(), SpillError> {
        let mut held = lock(&self.held)?;
        held.count += rows.len() as u64;
        held.rows.extend(rows);
        if held.rows.len() <= HELD {
            return Ok(());
        }
        let mut full = std::mem::take(&mut held.rows);
        drop(held);
        full.sort_unstable();
        let mut bytes = Vec::new();
        for row in &full {
            let row = postcard::to_allocvec(row).map_err(|e| SpillError::Frame { why: e.to_string() })?;
            let length = u32::try_from(row.len()).map_err(|e| SpillError::Frame { why: e.to_string() })?;
            bytes.extend(length.to_le_bytes());
            bytes.extend(row);
        }
        let offset = self.file.append(&bytes)?;
        lock(&self.held)?.runs.push((offset, bytes.len() as u64));
        Ok(())
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// Another thread failed.
    pub fn count(&self) -> Result<u64, SpillError> {
        Ok(lock(&self.held)?.count)
    }

    /// All rows, sorted. No more than a block of each run is in memory.
    ///
    /// # Errors
    /// The system refuses to read.
    pub fn sorted(&self) -> Result<Sorted<'_, T>, SpillError> {
        let held = lock(&self.held)?;
        let mut rows = held.rows.clone();
        rows.sort_unstable_by(|a, b| b.cmp(a));
        let mut runs: Vec<Run<'_, T>> =
            held.runs.iter().map(|(at, length)| Run::new(&self.file, *at, *length)).collect();
        let mut next = BinaryHeap::with_capacity(runs.len());
        for (number, run) in runs.iter_mut().enumerate() {
            if let Some(row) = run.next()? {
                next.push(Reverse((row, number)));
            }
        }
        Ok(Sorted { rows, runs, next })
    }
}

/// Rows in order.
pub struct Sorted<'a, T> {
    /// Those from memory, the last first.
    rows: Vec<T>,
    runs: Vec<Run<'a, T>>,
    next: BinaryHeap<Reverse<(T, usize)>>,
}

impl<T: Ord + DeserializeOwned> Sorted<'_, T> {
    fn advance(&mut self) -> Result<Option<T>, SpillError> {
        let Some(mut least) = self.next.peek_mut() else { return Ok(self.rows.pop()) };
        if self.rows.last().is_some_and(|row| *row <= least.0.0) {
            drop(least);
            return Ok(self.rows.pop());
        }
        let number = least.0.1;
        let follower = match self.runs.get_mut(number) {
            Some(run) => run.next()?,
            None => None,
        };
        Ok(Some(match follower {
            Some(row) => std::mem::replace(&mut least.0.0, row),
            None => PeekMut::pop(least).0.0,
        }))
    }
}

impl<T: Ord + DeserializeOwned> Iterator for Sorted<'_, T> {
    type Item = Result<T, SpillError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

/// One sorted run on disk: rows, each behind its length.
struct Run<'a, T> {
    file: &'a ScratchFile,
    at: u64,
    left: u64,
    block: Vec<u8>,
    /// Where the next row begins in the block.
    at_row: usize,
    row: PhantomData<T>,
}

impl<'a, T: DeserializeOwned> Run<'a, T> {
    const fn new(file: &'a ScratchFile, at: u64, left: u64) -> Self {
        Self { file, at, left, block: Vec::new(), at_row: 0, row: PhantomData }
    }

    fn next(&mut self) -> Result<Option<T>, SpillError> {
        loop {
            let rest = self.block.get(self.at_row..).unwrap_or_default();
            if let Some((row, length)) = first_row(rest) {
                let row = postcard::from_bytes(row).map_err(|e| SpillError::Frame { why: e.to_string() })?;
                self.at_row += length;
                return Ok(Some(row));
            }
            if self.left == 0 {
                return Ok(None);
            }
            let mut block = rest.to_vec();
            let kept = block.len();
            let length = usize::try_from(self.left).unwrap_or(BLOCK).min(BLOCK);
            block.resize(kept + length, 0);
            self.file.read_at(self.at, block.get_mut(kept..).unwrap_or_default())?;
            self.at += length as u64;
            self.left -= length as u64;
            (self.block, self.at_row) = (block, 0);
        }
    }
}

/// The first row of a block, and how much of the block it takes with its length; `None` where the block ends before.
fn first_row(block: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = block.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    Some((rest.get(..length)?, 4 + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_sorted_however_many_there_are() {
        for total in [0_usize, 10, HELD + 1, 3 * HELD + 17] {
            let folder = tempfile::tempdir().unwrap();
            let rows = SortedRows::new(folder.path());
            let value = |n: usize| (format!("row {}\nof two lines", n * 7_919 % 1_000), n);
            for from in (0..total).step_by(977) {
                rows.extend((from..total.min(from + 977)).map(value).collect()).unwrap();
            }
            let mut expected: Vec<_> = (0..total).map(value).collect();
            expected.sort();
            assert_eq!(rows.count().unwrap(), total as u64);
            for _ in 0..2 {
                let sorted: Vec<_> = rows.sorted().unwrap().map(Result::unwrap).collect();
                assert!(sorted == expected, "{total} rows");
            }
        }
    }
}
