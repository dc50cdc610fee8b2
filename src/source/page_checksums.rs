//! Checksums of Parquet pages: a damaged page may still decode, into values that nobody wrote.
//!
//! A page's header may hold the CRC-32 of its bytes as they lie in the file. Readers here do not look at it, so it is compared before
//! anything is read. Headers are thrift in its compact form; of its fields only the first four matter, the rest are passed over.
//! (Apache Parquet format, `PageHeader` in parquet.thrift; Thrift compact protocol.)

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use parquet::file::metadata::ParquetMetaData;

use super::error::SourceError;

/// Compares every page that has a checksum.
///
/// # Errors
/// A page differs from its checksum, or a header cannot be read.
pub(super) fn verify(path: &Path, metadata: &ParquetMetaData) -> Result<(), SourceError> {
    let corrupt = |why: String| SourceError::Corrupt { file: path.to_owned(), why };
    let io = |e: std::io::Error| SourceError::Io { file: path.to_owned(), why: e.to_string() };
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    for (group, row_group) in metadata.row_groups().iter().enumerate() {
        for column in row_group.columns() {
            let (start, bytes) = column.byte_range();
            let name = column.column_path().string();
            let place = |byte: usize| format!("column {name:?}, row group {group}, byte {}", start + byte as u64);
            if start.checked_add(bytes).is_none_or(|end| end > length) {
                return Err(corrupt(format!("{} is beyond the end of the file", place(0))));
            }
            file.seek(SeekFrom::Start(start)).map_err(io)?;
            // Most writers give no checksums: the first header says so.
            let mut chunk = Vec::new();
            file.by_ref().take(bytes.min(1 << 14)).read_to_end(&mut chunk).map_err(io)?;
            if Header::read(&chunk).is_some_and(|header| header.checksum.is_none()) {
                continue;
            }
            file.by_ref().take(bytes - chunk.len() as u64).read_to_end(&mut chunk).map_err(io)?;
            let mut at = 0;
            while at < chunk.len() {
                let rest = chunk.get(at..).unwrap_or_default();
                let page = Header::read(rest).and_then(|header| {
                    let page = rest.get(header.length..header.length.checked_add(header.page_bytes)?)?;
                    Some((header, page))
                });
                let Some((header, page)) = page else {
                    return Err(corrupt(format!("the page header of {} cannot be read", place(at))));
                };
                if header.checksum.is_some_and(|stated| stated != crc32fast::hash(page)) {
                    return Err(corrupt(format!("the page of {} is damaged: it differs from its checksum", place(at))));
                }
                at += header.length + header.page_bytes;
            }
        }
    }
    Ok(())
}

/// What of a page header is needed.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    /// Its own bytes.
    length: usize,
    /// Bytes of the page after it.
    page_bytes: usize,
    checksum: Option<u32>,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        const PAGE_BYTES: i16 = 3;
        const CHECKSUM: i16 = 4;
        let mut thrift = Thrift { bytes, at: 0 };
        let (mut page_bytes, mut checksum) = (None, None);
        let mut field = 0_i16;
        loop {
            let kind = thrift.field(&mut field)?;
            match (field, kind) {
                (_, Thrift::STOP) => break,
                (PAGE_BYTES, Thrift::I32) => page_bytes = usize::try_from(thrift.integer()?).ok(),
                // The 32 bits, written as a signed number.
                (CHECKSUM, Thrift::I32) => {
                    checksum = i32::try_from(thrift.integer()?).ok().map(i32::cast_unsigned);
                }
                _ => thrift.pass(kind, 0)?,
            }
        }
        Some(Self { length: thrift.at, page_bytes: page_bytes?, checksum })
    }
}

/// The compact protocol, as far as it takes to pass over what is not needed.
struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Thrift<'_> {
    /// In the place of a kind: the struct ends.
    const STOP: u8 = 0;
    const I32: u8 = 5;

    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A signed number in zigzag form.
    fn integer(&mut self) -> Option<i64> {
        let raw = self.varint()?;
        Some((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()))
    }

    /// The next field's kind, its number put into `field`.
    fn field(&mut self, field: &mut i16) -> Option<u8> {
        let byte = self.byte()?;
        if byte == Self::STOP {
            return Some(Self::STOP);
        }
        *field = match byte >> 4 {
            0 => i16::try_from(self.integer()?).ok()?,
            step => field.checked_add(i16::from(step))?,
        };
        Some(byte & 0x0f)
    }

    fn pass(&mut self, kind: u8, depth: u8) -> Option<()> {
        if depth > 16 {
            return None;
        }
        match kind {
            // Booleans are their own kind.
            1 | 2 => {}
            3 => {
                self.byte()?;
            }
            4..=6 => {
                self.varint()?;
            }
            7 => self.forward(8)?,
            8 => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.forward(length)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..count {
                    match head & 0x0f {
                        // In a list a boolean takes a byte.
                        1 | 2 => self.forward(1)?,
                        kind => self.pass(kind, depth + 1)?,
                    }
                }
            }
            12 => {
                let mut field = 0;
                loop {
                    match self.field(&mut field)? {
                        Self::STOP => break,
                        kind => self.pass(kind, depth + 1)?,
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn forward(&mut self, bytes: usize) -> Option<()> {
        self.at = self.at.checked_add(bytes).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use arrow::record_batch::RecordBatch;
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::source::row_groups;

    /// A header as a writer of checksums makes it: kind, sizes, checksum, a data page header with statistics.
    #[test]
    fn headers_are_read_with_and_without_checksum() {
        let plain = [0x15, 0x00, 0x15, 0x14, 0x15, 0x10, 0x2c, 0x15, 0x04, 0x15, 0x00, 0x00, 0x00];
        assert_eq!(Header::read(&plain), Some(Header { length: 13, page_bytes: 8, checksum: None }));
        // Zigzag of -2 is 3: the checksum 0xfffffffe.
        let summed = [0x15, 0x00, 0x15, 0x14, 0x15, 0x10, 0x15, 0x03, 0x1c, 0x00, 0x00, 0xff];
        assert_eq!(Header::read(&summed), Some(Header { length: 11, page_bytes: 8, checksum: Some(0xffff_fffe) }));
        assert_eq!(Header::read(&summed[..9]), None);
        assert_eq!(Header::read(&[]), None);
    }

    /// Our own writers give no checksums; files that have them are tried in `tests/it/ingest/files.rs`.
    #[test]
    fn files_without_checksums_pass() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let numbers = Arc::new(Int64Array::from_iter_values(0..5_000));
        let words = Arc::new(StringArray::from_iter_values((0..5_000).map(|n| format!("word {n}"))));
        let batch = RecordBatch::try_from_iter([("n", numbers as _), ("w", words as _)]).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        verify(&path, &row_groups::footer(&path).unwrap().metadata).unwrap();
    }
}
