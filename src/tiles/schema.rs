//! What measures may be declared on: the views and their columns.

use polars::prelude::{DataFrame, DataType, Field, Schema, TimeUnit};

/// Type of a view's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewKind {
    /// UTC microseconds.
    Instant,
    /// A calendar date.
    Day,
    /// An identifier or a word.
    Text,
    /// A whole number: money in minor units, hours, days, counts.
    Integer,
    /// True or false.
    Flag,
}

impl ViewKind {
    /// The frame library's type.
    #[must_use]
    pub fn dtype(self) -> DataType {
        match self {
            Self::Instant => DataType::Datetime(TimeUnit::Microseconds, None),
            Self::Day => DataType::Date,
            Self::Text => DataType::String,
            Self::Integer => DataType::Int64,
            Self::Flag => DataType::Boolean,
        }
    }
}

/// One column of a view.
#[derive(Debug, Clone, Copy)]
pub struct ViewColumn {
    /// Its name in SQL.
    pub name: &'static str,
    /// Its type.
    pub kind: ViewKind,
    /// The contract table it comes from. Where a job lacks that table, measures that name the column are null.
    pub from: &'static str,
    /// What it holds.
    pub doc: &'static str,
}

/// One view.
#[derive(Debug, Clone, Copy)]
pub struct ViewSchema {
    /// Its name in a measure's `table`.
    pub name: &'static str,
    /// What a row is.
    pub doc: &'static str,
    /// Contract tables without which the view is absent.
    pub needs: &'static [&'static str],
    /// Its columns.
    pub columns: &'static [ViewColumn],
}

impl ViewSchema {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static ViewColumn> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Whether rows are judged for authenticity.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.column("suspect").is_some()
    }

    /// Whether rows name a buyer.
    #[must_use]
    pub fn has_buyers(&self) -> bool {
        self.column("buyer_id").is_some()
    }

    /// A frame with these columns and no rows.
    #[must_use]
    pub fn empty_frame(&self) -> DataFrame {
        let schema: Schema = self.columns.iter().map(|c| Field::new(c.name.into(), c.kind.dtype())).collect();
        DataFrame::empty_with_schema(&schema)
    }
}

/// Every view.
pub static VIEWS: [&ViewSchema; 10] = [
    &super::orders::ORDERS,
    &super::shipments::SHIPMENTS,
    &super::reviews::REVIEWS,
    &super::disputes::DISPUTES,
    &super::applications::APPLICATIONS,
    &super::inventory::INVENTORY,
    &super::lending::LOANS,
    &super::lending::PAYMENTS,
    &super::repayment::INSTALMENT_STATUS,
    &super::repayment::LOAN_STATUS,
];

/// The view of that name.
#[must_use]
pub fn view_schema(name: &str) -> Option<&'static ViewSchema> {
    VIEWS.iter().copied().find(|view| view.name == name)
}

/// Shorthand for the tables of columns.
pub const fn column(name: &'static str, kind: ViewKind, from: &'static str, doc: &'static str) -> ViewColumn {
    ViewColumn { name, kind, from, doc }
}
