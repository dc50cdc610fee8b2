//! Rows to Arrow columns, each checked against its documented column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use jiff::civil::Date;

use super::column::{Kind, OutputColumn, OutputTable};
use super::error::PublishError;
use super::row::{CapValue, OutputRow, RuleVerdict};
use crate::domain::{Reason, days_since_epoch};

/// Collects the columns of one batch in the table's order.
pub(super) struct Encoder<'a, R> {
    table: &'a OutputTable,
    rows: &'a [R],
    arrays: Vec<ArrayRef>,
}

impl<'a, R: OutputRow> Encoder<'a, R> {
    pub(super) fn new(table: &'a OutputTable, rows: &'a [R]) -> Self {
        Self { table, rows, arrays: Vec::with_capacity(table.columns.len()) }
    }

    pub(super) fn text(&mut self, name: &str, value: impl Fn(&R) -> Option<&str>) -> Result<(), PublishError> {
        self.next(name, Kind::Text)?;
        self.push(self.rows.iter().map(value).collect::<StringArray>());
        Ok(())
    }

    pub(super) fn day(&mut self, name: &str, value: impl Fn(&R) -> Option<Date>) -> Result<(), PublishError> {
        self.next(name, Kind::Day)?;
        let days: Vec<Option<i32>> = self.rows.iter().map(|row| value(row).map(days_since_epoch)).collect();
        self.push(Date32Array::from(days));
        Ok(())
    }

    pub(super) fn int32(&mut self, name: &str, value: impl Fn(&R) -> Option<i32>) -> Result<(), PublishError> {
        let column = self.next(name, Kind::Int32)?;
        for row in self.rows {
            self.in_range(column, row, value(row).map(f64::from))?;
        }
        self.push(self.rows.iter().map(value).collect::<Int32Array>());
        Ok(())
    }

    pub(super) fn int64(&mut self, name: &str, value: impl Fn(&R) -> Option<i64>) -> Result<(), PublishError> {
        let column = self.next(name, Kind::Int64)?;
        for row in self.rows {
            self.in_range(column, row, value(row).map(|v| v as f64))?;
        }
        self.push(self.rows.iter().map(value).collect::<Int64Array>());
        Ok(())
    }

    pub(super) fn float64(&mut self, name: &str, value: impl Fn(&R) -> Option<f64>) -> Result<(), PublishError> {
        let column = self.next(name, Kind::Float64)?;
        for row in self.rows {
            self.in_range(column, row, value(row))?;
        }
        self.push(self.rows.iter().map(value).collect::<Float64Array>());
        Ok(())
    }

    pub(super) fn texts(&mut self, name: &str, value: impl Fn(&R) -> Option<&[String]>) -> Result<(), PublishError> {
        self.next(name, Kind::Texts)?;
        let lists: Vec<Option<&[String]>> = self.rows.iter().map(value).collect();
        let items = lists.iter().flatten().flat_map(|list| list.iter());
        let items = StringArray::from_iter_values(items);
        self.list(name, Kind::Texts, &lists, Arc::new(items))
    }

    pub(super) fn reasons(&mut self, name: &str, value: impl Fn(&R) -> &[Reason]) -> Result<(), PublishError> {
        self.next(name, Kind::Reasons)?;
        let lists: Vec<Option<&[Reason]>> = self.rows.iter().map(|row| Some(value(row))).collect();
        let items = || lists.iter().flatten().flat_map(|list| list.iter());
        let codes = StringArray::from_iter_values(items().map(|r| r.code.as_str()));
        let texts = StringArray::from_iter_values(items().map(|r| r.text.as_str()));
        let items = self.structs(Kind::Reasons, vec![Arc::new(codes), Arc::new(texts)])?;
        self.list(name, Kind::Reasons, &lists, items)
    }

    pub(super) fn caps(&mut self, name: &str, value: impl Fn(&R) -> &[CapValue]) -> Result<(), PublishError> {
        self.next(name, Kind::Caps)?;
        let lists: Vec<Option<&[CapValue]>> = self.rows.iter().map(|row| Some(value(row))).collect();
        let items = || lists.iter().flatten().flat_map(|list| list.iter());
        let names = StringArray::from_iter_values(items().map(|c| c.name.as_str()));
        let values: Int64Array = items().map(|c| c.value_minor).collect();
        let items = self.structs(Kind::Caps, vec![Arc::new(names), Arc::new(values)])?;
        self.list(name, Kind::Caps, &lists, items)
    }

    pub(super) fn verdicts(&mut self, name: &str, value: impl Fn(&R) -> &[RuleVerdict]) -> Result<(), PublishError> {
        let column = self.next(name, Kind::Verdicts)?;
        for row in self.rows {
            for verdict in value(row) {
                self.in_range(column, row, verdict.observed)?;
                self.in_range(column, row, verdict.threshold)?;
            }
        }
        let lists: Vec<Option<&[RuleVerdict]>> = self.rows.iter().map(|row| Some(value(row))).collect();
        let items = || lists.iter().flatten().flat_map(|list| list.iter());
        let rules = StringArray::from_iter_values(items().map(|v| v.rule.as_str()));
        let observed: Float64Array = items().map(|v| v.observed).collect();
        let thresholds: Float64Array = items().map(|v| v.threshold).collect();
        let members: Vec<ArrayRef> = vec![Arc::new(rules), Arc::new(observed), Arc::new(thresholds)];
        let items = self.structs(Kind::Verdicts, members)?;
        self.list(name, Kind::Verdicts, &lists, items)
    }

    /// The batch, once every column is there.
    pub(super) fn finish(self) -> Result<RecordBatch, PublishError> {
        let table = self.table;
        RecordBatch::try_new(table.schema(), self.arrays)
            .map_err(|e| PublishError::Layout { table: table.name, why: e.to_string() })
    }

    /// The documented column that comes next, which must be this one.
    fn next(&self, name: &str, kind: Kind) -> Result<&'a OutputColumn, PublishError> {
        match self.table.columns.get(self.arrays.len()) {
            Some(column) if column.name == name && column.kind == kind => Ok(column),
            Some(column) => Err(self.misfit(format!(
                "column {} {} is documented where {name} {} is written",
                column.name,
                column.kind.name(),
                kind.name()
            ))),
            None => Err(self.misfit(format!("{name} is written and not documented"))),
        }
    }

    fn push(&mut self, array: impl arrow::array::Array + 'static) {
        self.arrays.push(Arc::new(array));
    }

    fn structs(&self, kind: Kind, members: Vec<ArrayRef>) -> Result<ArrayRef, PublishError> {
        let fields = kind.members().unwrap_or_default();
        let array = StructArray::try_new(fields, members, None).map_err(|e| self.misfit(e.to_string()))?;
        Ok(Arc::new(array))
    }

    fn list<T>(&mut self, name: &str, kind: Kind, lists: &[Option<&[T]>], items: ArrayRef) -> Result<(), PublishError> {
        let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.map_or(0, <[T]>::len)));
        let present: NullBuffer = lists.iter().map(Option::is_some).collect();
        let nulls = Some(present).filter(|n| n.null_count() > 0);
        let array = ListArray::try_new(kind.element(), offsets, items, nulls)
            .map_err(|e| self.misfit(format!("{name}: {e}")))?;
        self.push(array);
        Ok(())
    }

    fn in_range(&self, column: &OutputColumn, row: &R, value: Option<f64>) -> Result<(), PublishError> {
        let Some(value) = value else { return Ok(()) };
        let (table, name) = (self.table.name, || column.name.clone());
        if !value.is_finite() {
            return Err(PublishError::NonFinite { table, column: name(), row: row.label(), value: value.to_string() });
        }
        match column.range {
            Some((low, high)) if !(low..=high).contains(&value) => {
                let (row, value) = (row.label(), value.to_string());
                Err(PublishError::OutOfRange { table, column: name(), row, value, low, high })
            }
            _ => Ok(()),
        }
    }

    fn misfit(&self, why: String) -> PublishError {
        PublishError::Layout { table: self.table.name, why }
    }
}
