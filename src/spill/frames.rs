//! Frames split into parts.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use polars::prelude::*;

use super::error::SpillError;
use super::scratch_file::{ScratchFile, lock};

/// Bytes that several tables together hold in memory.
#[derive(Debug, Clone)]
pub struct Budget {
    limit: usize,
    held: Arc<AtomicUsize>,
}

impl Budget {
    /// About so many bytes. A table whose share is small stays in memory when others use up the rest: a ninth table of an eighth of
    /// the budget each exceeds it by an eighth.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, held: Arc::new(AtomicUsize::new(0)) }
    }

    const fn share(&self) -> usize {
        self.limit / 8
    }

    fn is_exceeded_by(&self, own: usize) -> bool {
        own > self.share() && self.held.load(Ordering::Relaxed) > self.limit
    }
}

/// Rows of one table, split into parts. Columns that only some batches have are null in the others; they must not differ in type.
///
/// What is held in memory goes to disk when it exceeds the limit: as one Parquet segment a part, one after the other in a single file, so that
/// neither the number of parts nor that of batches costs open files.
pub struct SplitFrames {
    budget: Budget,
    held: Mutex<Held>,
    file: ScratchFile,
    /// Offset and length of each segment, by part.
    segments: Mutex<Vec<Vec<(u64, usize)>>>,
}

struct Held {
    parts: Vec<Vec<DataFrame>>,
    bytes: usize,
}

impl SplitFrames {
    /// Rows in `parts` parts, in memory as long as the budget lasts and beyond it in a file below `folder`.
    #[must_use]
    pub fn new(folder: &Path, parts: u32, budget: &Budget) -> Self {
        let parts = parts as usize;
        Self {
            budget: budget.clone(),
            held: Mutex::new(Held { parts: vec![Vec::new(); parts], bytes: 0 }),
            file: ScratchFile::new(folder),
            segments: Mutex::new(vec![Vec::new(); parts]),
        }
    }

    /// Adds rows, each to the part that `part_of_row` says. Rows of parts that do not exist are an error.
    ///
    /// # Errors
    /// The system refuses to write, or a frame operation fails.
    pub fn push(&self, frame: &DataFrame, part_of_row: &[u32]) -> Result<(), SpillError> {
        if frame.height() == 0 {
            return Ok(());
        }
        let (order, bounds) = by_part(part_of_row);
        let sorted = frame.take(&IdxCa::from_vec("rows".into(), order))?;
        let bytes = sorted.estimated_size();
        let mut held = lock(&self.held)?;
        for (part, start, rows) in bounds {
            let slot = held.parts.get_mut(part as usize);
            let slot = slot.ok_or_else(|| SpillError::Frame { why: format!("there is no part {part}") })?;
            slot.push(sorted.slice(i64::try_from(start).unwrap_or(i64::MAX), rows));
        }
        held.bytes += bytes;
        self.budget.held.fetch_add(bytes, Ordering::Relaxed);
        let is_full = self.budget.is_exceeded_by(held.bytes);
        drop(held);
        if is_full { self.spill() } else { Ok(()) }
    }

    /// Adds a few rows out of many, all to one part. They are copied, so that they do not keep alive what they were taken from.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_few(&self, frame: &DataFrame, part: u32) -> Result<(), SpillError> {
        self.push(&Self::copied(frame)?, &vec![part; frame.height()])
    }

    /// Leaves the budget to others: of what is held, no more than a small share stays in memory.
    ///
    /// # Errors
    /// The system refuses to write.
    pub fn settle(&self) -> Result<(), SpillError> {
        if lock(&self.held)?.bytes > self.budget.share() { self.spill() } else { Ok(()) }
    }

    /// All rows of a part, in no order; `None` where there are none.
    ///
    /// # Errors
    /// The system refuses to read, or what is read is not what was written.
    pub fn read(&self, part: u32) -> Result<Option<DataFrame>, SpillError> {
        let mut frames = lock(&self.held)?.parts.get(part as usize).cloned().unwrap_or_default();
        let segments = lock(&self.segments)?.get(part as usize).cloned().unwrap_or_default();
        for (offset, length) in segments {
            let mut bytes = vec![0; length];
            self.file.read_at(offset, &mut bytes)?;
            frames.push(decoded(bytes)?);
        }
        if frames.is_empty() { Ok(None) } else { Self::together(frames).map(Some) }
    }

    /// Frames one below the other, in one chunk; columns that one lacks are null there.
    ///
    /// # Errors
    /// A column has two types.
    pub fn together(frames: Vec<DataFrame>) -> Result<DataFrame, SpillError> {
        let mut schema = Schema::default();
        for frame in &frames {
            for field in frame.schema().iter_fields() {
                if !schema.contains(&field.name) {
                    schema.insert(field.name, field.dtype);
                }
            }
        }
        let mut all = DataFrame::empty_with_schema(&schema);
        for mut frame in frames {
            if !frame.schema().iter().eq(schema.iter()) {
                for (name, dtype) in schema.iter().filter(|(name, _)| frame.column(name).is_err()).collect::<Vec<_>>() {
                    let missing = Column::full_null(name.clone(), frame.height(), dtype);
                    frame.with_column(missing)?;
                }
                frame = frame.select(schema.iter_names().map(PlSmallStr::as_str))?;
            }
            all.vstack_mut(&frame)?;
        }
        all.rechunk_mut();
        Ok(all)
    }

    /// The same rows, with texts of their own: those of a filtered frame are parts of the buffers that it was filtered from.
    ///
    /// # Errors
    /// A frame operation fails.
    pub fn copied(frame: &DataFrame) -> Result<DataFrame, SpillError> {
        let columns = frame.columns().iter().map(|column| match column.str() {
            Ok(texts) => {
                let mut copy = StringChunkedBuilder::new(column.name().clone(), texts.len());
                texts.iter().for_each(|text| copy.append_option(text));
                copy.finish().into_column()
            }
            Err(_) => column.clone(),
        });
        Ok(DataFrame::new(frame.height(), columns.collect())?)
    }

    /// Writes what is held. Others add rows meanwhile.
    fn spill(&self) -> Result<(), SpillError> {
        let mut held = lock(&self.held)?;
        let none = vec![Vec::new(); held.parts.len()];
        let parts = std::mem::replace(&mut held.parts, none);
        let freed = std::mem::take(&mut held.bytes);
        drop(held);
        let mut bytes = Vec::new();
        let mut lengths = Vec::with_capacity(parts.len());
        for frames in parts {
            let start = bytes.len();
            if !frames.is_empty() {
                encode(&mut Self::together(frames)?, &mut bytes)?;
            }
            lengths.push((start, bytes.len() - start));
        }
        self.budget.held.fetch_sub(freed, Ordering::Relaxed);
        let at = self.file.append(&bytes)?;
        let mut segments = lock(&self.segments)?;
        for (of_part, (start, length)) in segments.iter_mut().zip(lengths) {
            if length > 0 {
                of_part.push((at + start as u64, length));
            }
        }
        Ok(())
    }
}

impl Drop for SplitFrames {
    fn drop(&mut self) {
        if let Ok(held) = self.held.lock() {
            self.budget.held.fetch_sub(held.bytes, Ordering::Relaxed);
        }
    }
}

/// Appends rows as a Parquet segment that is quickly written and read.
///
/// # Errors
/// A frame operation fails.
pub fn encode(rows: &mut DataFrame, bytes: &mut Vec<u8>) -> Result<(), SpillError> {
    ParquetWriter::new(bytes)
        .with_compression(ParquetCompression::Lz4Raw)
        .with_statistics(StatisticsOptions::empty())
        .set_parallel(false)
        .finish(rows)?;
    Ok(())
}

/// Rows that [`encode`] wrote.
///
/// # Errors
/// The bytes are not what it wrote.
pub fn decoded(bytes: Vec<u8>) -> Result<DataFrame, SpillError> {
    Ok(ParquetReader::new(std::io::Cursor::new(bytes)).read_parallel(ParallelStrategy::None).finish()?)
}

/// Row numbers in order of their part, and each part's first position and number of rows.
fn by_part(part_of_row: &[u32]) -> (Vec<IdxSize>, Vec<(u32, usize, usize)>) {
    let parts = part_of_row.iter().max().map_or(0, |last| *last as usize + 1);
    let mut counts = vec![0_usize; parts];
    for part in part_of_row {
        if let Some(count) = counts.get_mut(*part as usize) {
            *count += 1;
        }
    }
    let mut bounds = Vec::new();
    let mut next = vec![0_usize; parts];
    let mut start = 0;
    for ((part, count), next) in (0..).zip(&counts).zip(&mut next) {
        *next = start;
        if *count > 0 {
            bounds.push((part, start, *count));
        }
        start += count;
    }
    let mut order: Vec<IdxSize> = vec![0; part_of_row.len()];
    for (row, part) in (0..).zip(part_of_row) {
        if let Some(next) = next.get_mut(*part as usize) {
            if let Some(slot) = order.get_mut(*next) {
                *slot = row;
            }
            *next += 1;
        }
    }
    (order, bounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(from: i64, to: i64, extra: bool) -> (DataFrame, Vec<u32>) {
        let numbers: Vec<i64> = (from..to).collect();
        let texts: Vec<String> = numbers.iter().map(|n| format!("text of row {n}")).collect();
        let parts = numbers.iter().map(|n| u32::try_from(n % 5).unwrap()).collect();
        let mut frame = df!("n" => numbers, "text" => texts.clone()).unwrap();
        if extra {
            frame.with_column(Column::new("extra".into(), texts)).unwrap();
        }
        (frame, parts)
    }

    /// The same rows come back, whether they lay in memory or on disk.
    #[test]
    fn every_row_comes_back_in_its_part() {
        for limit in [usize::MAX, 10_000, 1] {
            let folder = tempfile::tempdir().unwrap();
            let split = SplitFrames::new(folder.path(), 7, &Budget::new(limit));
            for (from, to) in [(0, 100), (100, 100), (100, 1_000), (1_000, 1_003)] {
                let (frame, parts) = batch(from, to, from == 100);
                split.push(&frame, &parts).unwrap();
            }
            split.settle().unwrap();
            assert_eq!(split.file.is_used(), limit < usize::MAX, "limit {limit}");
            let mut seen: Vec<i64> = Vec::new();
            for part in 0..5 {
                let rows = split.read(part).unwrap().unwrap();
                let numbers: Vec<i64> = rows.column("n").unwrap().i64().unwrap().iter().flatten().collect();
                assert!(numbers.iter().all(|n| n % 5 == i64::from(part)));
                let extra = rows.column("extra").unwrap().str().unwrap();
                let text = rows.column("text").unwrap().str().unwrap();
                for (at, n) in numbers.iter().enumerate() {
                    assert_eq!(text.get(at), Some(format!("text of row {n}").as_str()));
                    assert_eq!(extra.get(at).is_some(), (100..1_000).contains(n));
                }
                seen.extend(numbers);
            }
            seen.sort_unstable();
            assert_eq!(seen, (0..1_003).collect::<Vec<_>>());
            assert!(split.read(5).unwrap().is_none());
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "scratch has no name");
        }
    }

    #[test]
    fn a_part_that_does_not_exist_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let split = SplitFrames::new(folder.path(), 4, &Budget::new(1));
        let (frame, parts) = batch(0, 10, false);
        assert!(split.push(&frame, &parts).is_err());
    }
}
