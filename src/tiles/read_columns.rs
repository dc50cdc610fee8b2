//! Which columns of views somebody reads: no other is joined.

use std::collections::{BTreeMap, BTreeSet};

use super::measure::MeasureSpec;
use super::sql::RowSql;

/// Columns that are read, by view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadColumns(BTreeMap<&'static str, BTreeSet<&'static str>>);

impl ReadColumns {
    /// Those that measures read.
    #[must_use]
    pub fn of<'a>(measures: impl IntoIterator<Item = &'a MeasureSpec>) -> Self {
        let mut read = Self::default();
        for MeasureSpec { view, at, filter, value, .. } in measures {
            let of_every_measure =
                ["merchant_id", "buyer_id", "suspect"].into_iter().filter_map(|name| view.column(name));
            let named = filter.iter().chain(value).flat_map(RowSql::columns).filter_map(|name| view.column(name));
            read.add(view.name, of_every_measure.chain(named).map(|column| column.name).chain([at.name]));
        }
        read
    }

    /// Adds columns of a view.
    pub fn add(&mut self, view: &'static str, columns: impl IntoIterator<Item = &'static str>) {
        self.0.entry(view).or_default().extend(columns);
    }

    /// Whether any column of the view is read.
    #[must_use]
    pub fn reads(&self, view: &str) -> bool {
        self.0.contains_key(view)
    }

    /// Whether that column is.
    #[must_use]
    pub fn reads_column(&self, view: &str, column: &str) -> bool {
        self.0.get(view).is_some_and(|columns| columns.contains(column))
    }
}
