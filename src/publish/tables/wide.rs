//! Tables with one number a merchant in each of many columns that the job's files decide.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::publish::batch;
use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::error::PublishError;
use crate::publish::row::{OutputRow, label};

/// One merchant's row of a wide table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WideRow<T> {
    /// The merchant.
    pub merchant_id: String,
    /// In the order of the table's columns behind `merchant_id`; null without evidence.
    #[serde(default = "Vec::new")]
    pub values: Vec<Option<T>>,
}

/// What the columns of a wide table hold.
pub trait WideValue: Copy + Send + Sync + Serialize + DeserializeOwned {
    /// In Arrow.
    type Arrow: ArrowPrimitiveType<Native = Self>;
    /// In the dictionary.
    const KIND: Kind;
    /// The table's name.
    const TABLE: &'static str;
    /// What a row of the table is.
    const DOC: &'static str;

    /// One of its columns.
    #[must_use]
    fn column(name: &str, unit: &str, doc: &str) -> OutputColumn {
        OutputColumn::optional(name, Self::KIND, unit, doc)
    }
}

impl<T: WideValue> WideRow<T> {
    /// The table with these columns, made by [`WideValue::column`].
    #[must_use]
    pub fn table_of(columns: &[OutputColumn]) -> OutputTable {
        let mut table = Self::table();
        table.columns.extend_from_slice(columns);
        table
    }
}

impl<T: WideValue> OutputRow for WideRow<T> {
    type Key<'a>
        = &'a str
    where
        T: 'a;

    /// The key column alone: all others depend on the job.
    fn table() -> OutputTable {
        OutputTable {
            name: T::TABLE,
            doc: T::DOC,
            sorted_by: &["merchant_id"],
            columns: vec![OutputColumn::required("merchant_id", Kind::Text, "", "The merchant.")],
        }
    }

    fn key(&self) -> &str {
        &self.merchant_id
    }

    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let wide = table.columns.get(1..).unwrap_or_default();
        if let Some(row) = rows.iter().find(|r| r.values.len() != wide.len()) {
            let why = format!("{} has {} values for {} columns", label(row, table), row.values.len(), wide.len());
            return Err(PublishError::Layout { table: table.name, why });
        }
        batch::encode(rows, table, |column| {
            let at = wide.iter().position(|c| c.name == column.name)?;
            let values = rows.iter().map(|r| r.values.get(at).copied().flatten());
            Some(Arc::new(values.collect::<PrimitiveArray<T::Arrow>>()) as ArrayRef)
        })
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let mut rows: Vec<Self> = batch::decode(path, batch, &Self::table().columns)?;
        let fields = batch.schema_ref().fields().iter().skip(1);
        let columns = fields
            .map(|field| batch::values::<T::Arrow>(path, batch, &T::column(field.name(), "", "")))
            .collect::<Result<Vec<_>, _>>()?;
        for (at, row) in rows.iter_mut().enumerate() {
            row.values = columns.iter().map(|column| column.is_valid(at).then(|| column.value(at))).collect();
        }
        Ok(rows)
    }
}
