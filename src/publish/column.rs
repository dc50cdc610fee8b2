//! How an output table is described: one list of columns makes the writer's schema and the dictionary.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `Utf8`.
    Text,
    /// `Date32`.
    Day,
    /// `Int32`.
    Int32,
    /// `Int64`.
    Int64,
    /// `Float64`, always finite.
    Float64,
    /// `Boolean`.
    Flag,
    /// `List<Utf8>`.
    Texts,
    /// `List<Struct{code: Utf8, text: Utf8}>`, most important first.
    Reasons,
    /// `List<Struct{name: Utf8, value_minor: Int64?}>`.
    Caps,
    /// `List<Struct{rule: Utf8, observed: Float64?, threshold: Float64?}>`.
    Verdicts,
    /// `List<Struct{name: Utf8, value: Float64?}>`.
    Values,
}

impl Kind {
    /// The Arrow type.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Day => DataType::Date32,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Flag => DataType::Boolean,
            Self::Texts | Self::Reasons | Self::Caps | Self::Verdicts | Self::Values => DataType::List(self.element()),
        }
    }

    /// The element of a list kind; for the others a field of their own type.
    fn element(self) -> FieldRef {
        let data_type = match self.members() {
            Some(members) => DataType::Struct(members),
            None if self == Self::Texts => DataType::Utf8,
            None => self.arrow(),
        };
        Arc::new(Field::new("item", data_type, false))
    }

    /// The members of a list of structs.
    fn members(self) -> Option<Fields> {
        let text = |name: &str| Field::new(name, DataType::Utf8, false);
        match self {
            Self::Reasons => Some(vec![text("code"), text("text")].into()),
            Self::Caps => Some(
                vec![
                    text("name"),
                    Field::new("gross_minor", DataType::Int64, true),
                    Field::new("value_minor", DataType::Int64, true),
                ]
                .into(),
            ),
            Self::Verdicts => Some(
                vec![
                    text("rule"),
                    Field::new("observed", DataType::Float64, true),
                    Field::new("threshold", DataType::Float64, true),
                ]
                .into(),
            ),
            Self::Values => Some(vec![text("name"), Field::new("value", DataType::Float64, true)].into()),
            Self::Text | Self::Day | Self::Int32 | Self::Int64 | Self::Float64 | Self::Flag | Self::Texts => None,
        }
    }

    /// As the dictionary names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "Utf8",
            Self::Day => "Date32",
            Self::Int32 => "Int32",
            Self::Int64 => "Int64",
            Self::Float64 => "Float64",
            Self::Flag => "Boolean",
            Self::Texts => "List<Utf8>",
            Self::Reasons => "List<Struct{code, text}>",
            Self::Caps => "List<Struct{name, gross_minor?, value_minor?}>",
            Self::Verdicts => "List<Struct{rule, observed?, threshold?}>",
            Self::Values => "List<Struct{name, value?}>",
        }
    }
}

/// What a column that was added to a table means to the rows of runs that were published before: the next night follows such a run, and a
/// program that serves it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Null: it is not known.
    Unknown,
    /// Every row meant this.
    Flag(bool),
}

/// One documented column of an output table.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    /// Its name in the file.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Null means "no evidence" or "does not apply", as the text says.
    pub nullable: bool,
    /// Unit of its values; empty for names and words.
    pub unit: String,
    /// What it means.
    pub doc: String,
    /// Inclusive range of its numbers, checked when they are written.
    pub range: Option<(f64, f64)>,
    /// What earlier files, which lack it, are read with; `None` where a file without it is refused.
    pub earlier: Option<Earlier>,
    /// What it was called in earlier files.
    pub formerly: Option<&'static str>,
}

impl OutputColumn {
    /// A column without nulls.
    #[must_use]
    pub fn required(name: &str, kind: Kind, unit: &str, doc: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            nullable: false,
            unit: unit.to_owned(),
            doc: doc.to_owned(),
            range: None,
            earlier: None,
            formerly: None,
        }
    }

    /// A column that may be null.
    #[must_use]
    pub fn optional(name: &str, kind: Kind, unit: &str, doc: &str) -> Self {
        Self { nullable: true, ..Self::required(name, kind, unit, doc) }
    }

    /// Its Arrow field.
    pub(super) fn field(&self) -> FieldRef {
        Arc::new(Field::new(&self.name, self.kind.arrow(), self.nullable))
    }

    /// Files published before it was added are read with this in its place. What cannot be null cannot be unknown either.
    #[must_use]
    pub fn added_later(mut self, earlier: Earlier) -> Self {
        self.nullable |= earlier == Earlier::Unknown;
        self.earlier = Some(earlier);
        self
    }

    /// Files published before it was given its name are read by the name that it had then.
    #[must_use]
    pub const fn formerly(mut self, name: &'static str) -> Self {
        self.formerly = Some(name);
        self
    }

    /// Its values in the `rows` of an earlier file; `None` where such a file is refused.
    pub(super) fn in_earlier_file(&self, rows: usize) -> Option<ArrayRef> {
        match self.earlier? {
            Earlier::Unknown => Some(new_null_array(&self.kind.arrow(), rows)),
            Earlier::Flag(value) => Some(Arc::new(BooleanArray::from(vec![value; rows]))),
        }
    }

    /// Restricts its numbers to `low..=high`.
    #[must_use]
    pub fn within(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }
}

/// One documented output table.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputTable {
    /// Its name: the file is `<name>.parquet`.
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// Rows ascend strictly by these.
    pub sorted_by: &'static [&'static str],
    /// Its columns, in the file's order.
    pub columns: Vec<OutputColumn>,
}

impl OutputTable {
    /// The Arrow schema of its file.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(OutputColumn::field).collect::<Vec<_>>()))
    }
}
