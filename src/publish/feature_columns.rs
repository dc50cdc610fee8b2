//! Some columns of a published table of features.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::error::PublishError;

/// The named columns of every merchant, in the order of the names; a column that the file does not have is null throughout.
///
/// # Errors
/// The file cannot be read, or a column holds something else than numbers.
pub fn read_feature_columns(path: &Path, names: &[String]) -> Result<HashMap<String, Vec<Option<f64>>>, PublishError> {
    let file = File::open(path).map_err(PublishError::io("open", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(PublishError::parquet("read", path))?;
    let wanted = ["merchant_id"].into_iter().chain(names.iter().map(String::as_str));
    let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
    let batches = builder.with_projection(mask).build().map_err(PublishError::parquet("read", path))?;
    let mut found = HashMap::new();
    for batch in batches {
        let batch = batch.map_err(|e| PublishError::malformed(path, e.to_string()))?;
        let mistyped =
            |name: &str| PublishError::malformed(path, format!("column {name} is missing or of another type"));
        let ids = batch.column_by_name("merchant_id").and_then(|ids| ids.as_string_opt::<i32>());
        let ids = ids.ok_or_else(|| mistyped("merchant_id"))?;
        let column = |name: &String| {
            let array = batch.column_by_name(name);
            array.map(|a| a.as_primitive_opt::<Float64Type>().ok_or_else(|| mistyped(name))).transpose()
        };
        let columns = names.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        for (at, id) in ids.iter().enumerate() {
            let value = |column: Option<&Float64Array>| {
                column.filter(|column| column.is_valid(at)).map(|column| column.value(at))
            };
            found.insert(id.unwrap_or_default().to_owned(), columns.iter().copied().map(value).collect());
        }
    }
    Ok(found)
}
