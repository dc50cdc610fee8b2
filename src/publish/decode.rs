//! Arrow columns back to rows.

use std::path::Path;

use arrow::array::{
    Array, AsArray, Date32Array, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type};
use jiff::civil::Date;

use super::error::PublishError;
use super::row::{CapValue, RuleVerdict};
use crate::domain::{Reason, ReasonCode, date_of_days};

/// One batch of a published file; every access names the file and column it fails on.
pub(super) struct Decoder<'a> {
    path: &'a Path,
    batch: &'a RecordBatch,
}

impl<'a> Decoder<'a> {
    pub(super) const fn new(path: &'a Path, batch: &'a RecordBatch) -> Self {
        Self { path, batch }
    }

    /// Builds one row after another.
    pub(super) fn rows<R>(&self, row: impl Fn(usize) -> Result<R, PublishError>) -> Result<Vec<R>, PublishError> {
        (0..self.batch.num_rows()).map(row).collect()
    }

    /// Names of the columns, in the file's order.
    pub(super) fn names(&self) -> Vec<String> {
        self.batch.schema_ref().fields().iter().map(|f| f.name().clone()).collect()
    }

    pub(super) fn text(&self, name: &str) -> Result<Texts<'a>, PublishError> {
        let array = self.column(name)?.as_string_opt::<i32>();
        array.map(Texts).ok_or_else(|| self.mistyped(name, "Utf8"))
    }

    pub(super) fn day(&self, name: &str) -> Result<Days<'a>, PublishError> {
        let array = self.column(name)?.as_primitive_opt::<Date32Type>();
        array.map(Days).ok_or_else(|| self.mistyped(name, "Date32"))
    }

    pub(super) fn int32(&self, name: &str) -> Result<Int32s<'a>, PublishError> {
        let array = self.column(name)?.as_primitive_opt::<Int32Type>();
        array.map(Int32s).ok_or_else(|| self.mistyped(name, "Int32"))
    }

    pub(super) fn int64(&self, name: &str) -> Result<Int64s<'a>, PublishError> {
        let array = self.column(name)?.as_primitive_opt::<Int64Type>();
        array.map(Int64s).ok_or_else(|| self.mistyped(name, "Int64"))
    }

    pub(super) fn float64(&self, name: &str) -> Result<Float64s<'a>, PublishError> {
        let array = self.column(name)?.as_primitive_opt::<Float64Type>();
        array.map(Float64s).ok_or_else(|| self.mistyped(name, "Float64"))
    }

    pub(super) fn list(&self, name: &str) -> Result<Lists<'a>, PublishError> {
        let array = self.column(name)?.as_list_opt::<i32>();
        array.map(|array| Lists { array, path: self.path }).ok_or_else(|| self.mistyped(name, "List"))
    }

    /// A required value.
    pub(super) fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, PublishError> {
        value.ok_or_else(|| PublishError::malformed(self.path, format!("column {name} is null where it may not be")))
    }

    fn column(&self, name: &str) -> Result<&'a dyn Array, PublishError> {
        match self.batch.column_by_name(name) {
            Some(array) => Ok(array.as_ref()),
            None => Err(PublishError::malformed(self.path, format!("column {name} is missing"))),
        }
    }

    fn mistyped(&self, name: &str, expected: &str) -> PublishError {
        PublishError::malformed(self.path, format!("column {name} is not {expected}"))
    }
}

/// A text column.
pub(super) struct Texts<'a>(&'a StringArray);
/// A date column.
pub(super) struct Days<'a>(&'a Date32Array);
/// A 32-bit integer column.
pub(super) struct Int32s<'a>(&'a Int32Array);
/// A 64-bit integer column.
pub(super) struct Int64s<'a>(&'a Int64Array);
/// A float column.
pub(super) struct Float64s<'a>(&'a Float64Array);
/// A list column.
pub(super) struct Lists<'a> {
    array: &'a ListArray,
    path: &'a Path,
}

impl<'a> Texts<'a> {
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        (row < self.0.len() && self.0.is_valid(row)).then(|| self.0.value(row))
    }
    pub(super) fn owned(&self, row: usize) -> Option<String> {
        self.get(row).map(ToOwned::to_owned)
    }
}

impl Days<'_> {
    pub(super) fn get(&self, row: usize) -> Option<Date> {
        let days = (row < self.0.len() && self.0.is_valid(row)).then(|| self.0.value(row))?;
        date_of_days(i64::from(days))
    }
}

impl Int32s<'_> {
    pub(super) fn get(&self, row: usize) -> Option<i32> {
        (row < self.0.len() && self.0.is_valid(row)).then(|| self.0.value(row))
    }
}

impl Int64s<'_> {
    pub(super) fn get(&self, row: usize) -> Option<i64> {
        (row < self.0.len() && self.0.is_valid(row)).then(|| self.0.value(row))
    }
}

impl Float64s<'_> {
    pub(super) fn get(&self, row: usize) -> Option<f64> {
        (row < self.0.len() && self.0.is_valid(row)).then(|| self.0.value(row))
    }
}

impl Lists<'_> {
    pub(super) fn texts(&self, row: usize) -> Result<Option<Vec<String>>, PublishError> {
        let Some(items) = self.items(row) else { return Ok(None) };
        let items = items.as_string_opt::<i32>().ok_or_else(|| self.mistyped("list items"))?;
        Ok(Some(items.iter().flatten().map(ToOwned::to_owned).collect()))
    }

    pub(super) fn reasons(&self, row: usize) -> Result<Vec<Reason>, PublishError> {
        self.structs(row, |items, at| {
            let code = ReasonCode::new(&self.member_text(items, "code", at)?)
                .map_err(|e| PublishError::malformed(self.path, e.to_string()))?;
            Ok(Reason { code, text: self.member_text(items, "text", at)? })
        })
    }

    pub(super) fn caps(&self, row: usize) -> Result<Vec<CapValue>, PublishError> {
        self.structs(row, |items, at| {
            let values = items.column_by_name("value_minor").and_then(|c| c.as_primitive_opt::<Int64Type>());
            let values = values.ok_or_else(|| self.mistyped("value_minor"))?;
            Ok(CapValue { name: self.member_text(items, "name", at)?, value_minor: Int64s(values).get(at) })
        })
    }

    pub(super) fn verdicts(&self, row: usize) -> Result<Vec<RuleVerdict>, PublishError> {
        self.structs(row, |items, at| {
            let number = |name: &str| {
                let values = items.column_by_name(name).and_then(|c| c.as_primitive_opt::<Float64Type>());
                values.map(|v| Float64s(v).get(at)).ok_or_else(|| self.mistyped(name))
            };
            let rule = self.member_text(items, "rule", at)?;
            Ok(RuleVerdict { rule, observed: number("observed")?, threshold: number("threshold")? })
        })
    }

    fn structs<T>(
        &self,
        row: usize,
        item: impl Fn(&StructArray, usize) -> Result<T, PublishError>,
    ) -> Result<Vec<T>, PublishError> {
        let Some(items) = self.items(row) else { return Ok(Vec::new()) };
        let items = items.as_struct_opt().ok_or_else(|| self.mistyped("list items"))?;
        (0..items.len()).map(|at| item(items, at)).collect()
    }

    fn items(&self, row: usize) -> Option<arrow::array::ArrayRef> {
        (row < self.array.len() && self.array.is_valid(row)).then(|| self.array.value(row))
    }

    fn member_text(&self, items: &StructArray, name: &str, at: usize) -> Result<String, PublishError> {
        let texts = items.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        texts.and_then(|t| Texts(t).owned(at)).ok_or_else(|| self.mistyped(name))
    }

    fn mistyped(&self, name: &str) -> PublishError {
        PublishError::malformed(self.path, format!("{name} in a list has the wrong type or is null"))
    }
}
