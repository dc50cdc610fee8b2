//! Some row groups of a Parquet file, as a small Parquet file in memory.
//!
//! The frame library maps a file into memory as a whole, and the system counts every page that it looks around in as memory of this process: with
//! large files, gigabytes. What a batch needs is read into a buffer of its own instead: the bytes of its column chunks, and a
//! footer that says where they lie now.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData,
};

/// First bytes of every Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";

/// The footer of a file.
pub(super) fn metadata(path: &Path) -> Result<ParquetMetaData, ParquetError> {
    ParquetMetaDataReader::new().parse_and_finish(&File::open(path)?)
}

/// The row groups `groups` of a file. Of columns that are not wanted only the names are there: they cannot be read.
///
/// # Errors
/// The file cannot be read, or is shorter than its footer says.
pub(super) fn extract(
    path: &Path,
    metadata: &ParquetMetaData,
    groups: Range<usize>,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<u8>, ParquetError> {
    let mut file = File::open(path)?;
    let mut bytes = MAGIC.to_vec();
    let mut taken = Vec::with_capacity(groups.len());
    for group in metadata.row_groups().get(groups).unwrap_or_default() {
        let columns = group
            .columns()
            .iter()
            .map(|column| {
                let name = column.column_path().parts().first().map_or("", String::as_str);
                if is_wanted(name) { moved(&mut file, column, &mut bytes) } else { Ok(column.clone()) }
            })
            .collect::<Result<Vec<ColumnChunkMetaData>, ParquetError>>()?;
        let group = RowGroupMetaData::builder(group.schema_descr_ptr())
            .set_num_rows(group.num_rows())
            .set_total_byte_size(group.total_byte_size())
            .set_column_metadata(columns)
            .build()?;
        taken.push(group);
    }
    let whole = metadata.file_metadata();
    let file_metadata = FileMetaData::new(
        whole.version(),
        taken.iter().map(RowGroupMetaData::num_rows).sum(),
        whole.created_by().map(ToOwned::to_owned),
        whole.key_value_metadata().cloned(),
        whole.schema_descr_ptr(),
        whole.column_orders().cloned(),
    );
    ParquetMetaDataWriter::new(&mut bytes, &ParquetMetaData::new(file_metadata, taken)).finish()?;
    Ok(bytes)
}

/// Copies a column chunk behind what is there, and says where it lies now.
fn moved(
    file: &mut File,
    column: &ColumnChunkMetaData,
    bytes: &mut Vec<u8>,
) -> Result<ColumnChunkMetaData, ParquetError> {
    let (start, length) = column.byte_range();
    let place = |n: u64| i64::try_from(n).map_err(|e| ParquetError::General(e.to_string()));
    let shift = place(bytes.len() as u64)? - place(start)?;
    file.seek(SeekFrom::Start(start))?;
    let read = file.by_ref().take(length).read_to_end(bytes)?;
    if read as u64 != length {
        return Err(ParquetError::EOF("the file is shorter than its footer says".to_owned()));
    }
    column
        .clone()
        .into_builder()
        .set_data_page_offset(column.data_page_offset() + shift)
        .set_dictionary_page_offset(column.dictionary_page_offset().map(|offset| offset + shift))
        .set_index_page_offset(None)
        .set_bloom_filter_offset(None)
        .set_bloom_filter_length(None)
        .set_column_index_offset(None)
        .set_column_index_length(None)
        .set_offset_index_offset(None)
        .set_offset_index_length(None)
        .build()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use polars::prelude::*;

    use super::*;

    #[test]
    fn row_groups_read_alone_are_those_of_the_file() {
        let rows = 1_000_i64;
        let texts: Vec<Option<String>> = (0..rows).map(|n| (n % 7 > 0).then(|| format!("text {}", n % 40))).collect();
        let lists: Vec<Series> =
            (0..rows).map(|n| Series::new("".into(), (0..n % 4).map(|m| m.to_string()).collect::<Vec<_>>())).collect();
        let mut frame = df!(
            "n" => (0..rows).collect::<Vec<_>>(),
            "text" => texts,
            "list" => lists,
            "share" => (0..rows).map(|n| (n % 3 == 0).then_some(n as f64 / 7.0)).collect::<Vec<_>>(),
        )
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        ParquetWriter::new(File::create(&path).unwrap()).with_row_group_size(Some(130)).finish(&mut frame).unwrap();
        let metadata = metadata(&path).unwrap();
        let groups = metadata.num_row_groups();
        assert!(groups > 4);
        let first_row =
            |group: usize| -> i64 { metadata.row_groups()[..group].iter().map(RowGroupMetaData::num_rows).sum() };
        for (from, to) in [(0, 1), (0, groups), (2, 4), (groups - 1, groups)] {
            for wanted in [&["n", "text", "list", "share"][..], &["list"], &["share", "n"]] {
                let bytes = extract(&path, &metadata, from..to, &|name| wanted.contains(&name)).unwrap();
                let read = ParquetReader::new(Cursor::new(bytes))
                    .with_columns(Some(wanted.iter().map(ToString::to_string).collect()))
                    .finish()
                    .unwrap();
                let rows = usize::try_from(first_row(to) - first_row(from)).unwrap();
                let expected =
                    frame.slice(first_row(from), rows).select(read.get_column_names().into_iter().cloned()).unwrap();
                assert!(read.equals_missing(&expected), "groups {from} to {to}, columns {wanted:?}");
            }
        }
        std::fs::write(&path, &std::fs::read(&path).unwrap()[..200]).unwrap();
        assert!(extract(&path, &metadata, 0..groups, &|_| true).is_err(), "a file that was cut short meanwhile");
    }
}
