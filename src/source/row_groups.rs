//! Some row groups of a Parquet file, as a small Parquet file in memory.
//!
//! The frame library maps a file into memory as a whole, and the system counts every page that it looks around in as memory of this process: with
//! large files, gigabytes. What a batch needs is read into a buffer of its own instead: the bytes of its column chunks, and a
//! footer that says where they lie now.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::schema::types::{BasicTypeInfo, SchemaDescriptor, Type};

/// First bytes of every Parquet file.
const MAGIC: &[u8; 4] = b"PAR1";

/// The schema that arrow's writers keep beside Parquet's own.
const ARROW_SCHEMA: &str = "ARROW:schema";

/// The footer of a file.
#[derive(Debug)]
pub(super) struct Footer {
    pub metadata: ParquetMetaData,
    /// Whether it says something else than the file's own, which the frame library must not see then.
    pub is_rewritten: bool,
}

/// Reads a footer. The frame library is built without unsigned numbers of 8 and 16 bits: they are what they are stored as, signed ones of 32.
///
/// # Errors
/// The file cannot be read or is no Parquet.
pub(super) fn footer(path: &Path) -> Result<Footer, ParquetError> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&File::open(path)?)?;
    let whole = metadata.file_metadata();
    if !whole.schema_descr().columns().iter().any(|column| is_narrow(column.get_basic_info())) {
        return Ok(Footer { metadata, is_rewritten: false });
    }
    let schema = SchemaDescriptor::new(Arc::new(as_stored(whole.schema_descr().root_schema())?));
    let kept = whole.key_value_metadata().into_iter().flatten().filter(|entry| entry.key != ARROW_SCHEMA);
    let file_metadata = FileMetaData::new(
        whole.version(),
        whole.num_rows(),
        whole.created_by().map(ToOwned::to_owned),
        Some(kept.cloned().collect()),
        Arc::new(schema),
        whole.column_orders().cloned(),
    );
    let metadata = ParquetMetaData::new(file_metadata, metadata.row_groups().to_vec());
    Ok(Footer { metadata, is_rewritten: true })
}

fn is_narrow(column: &BasicTypeInfo) -> bool {
    match column.logical_type_ref() {
        Some(LogicalType::Integer(number)) => !number.is_signed && number.bit_width <= 16,
        _ => matches!(column.converted_type(), ConvertedType::UINT_8 | ConvertedType::UINT_16),
    }
}

fn as_stored(of: &Type) -> Result<Type, ParquetError> {
    match of {
        Type::PrimitiveType { basic_info, physical_type, .. } if is_narrow(basic_info) => {
            Type::primitive_type_builder(basic_info.name(), *physical_type)
                .with_repetition(basic_info.repetition())
                .with_id(basic_info.has_id().then(|| basic_info.id()))
                .build()
        }
        Type::PrimitiveType { .. } => Ok(of.clone()),
        Type::GroupType { basic_info, fields } => {
            let fields = fields.iter().map(|field| as_stored(field).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
            Ok(Type::GroupType { basic_info: basic_info.clone(), fields })
        }
    }
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
        let Footer { metadata, is_rewritten } = footer(&path).unwrap();
        assert!(!is_rewritten);
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
    #[test]
    fn small_unsigned_numbers_are_read_as_they_are_stored() {
        use arrow::array::{ArrayRef, RecordBatch, StructArray, UInt8Array, UInt16Array};

        let small: ArrayRef = Arc::new(UInt8Array::from(vec![Some(0), None, Some(255)]));
        let larger: ArrayRef = Arc::new(UInt16Array::from(vec![7, 65_535, 9]));
        let nested: ArrayRef = Arc::new(StructArray::try_from(vec![("stars", Arc::clone(&small))]).unwrap());
        let batch = RecordBatch::try_from_iter([("small", small), ("larger", larger), ("nested", nested)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let file = File::create(&path).unwrap();
        let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let Footer { metadata, is_rewritten } = footer(&path).unwrap();
        assert!(is_rewritten);
        let bytes = extract(&path, &metadata, 0..1, &|_| true).unwrap();
        let read = ParquetReader::new(Cursor::new(bytes)).finish().unwrap();
        let cells = |column: &Column| column.as_materialized_series().i32().unwrap().to_vec();
        assert_eq!(cells(read.column("small").unwrap()), [Some(0), None, Some(255)]);
        assert_eq!(cells(read.column("larger").unwrap()), [Some(7), Some(65_535), Some(9)]);
        let stars = read.column("nested").unwrap().struct_().unwrap().field_by_name("stars").unwrap();
        assert_eq!(cells(&stars.into_column()), [Some(0), None, Some(255)]);
    }
}
