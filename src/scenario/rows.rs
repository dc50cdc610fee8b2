//! Rows of contract tables, put beside those that a shard has.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use polars::prelude::*;

use crate::contract::TableContract;

/// A cell that is set; columns of a row that are not named are null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// A number, or an instant in microseconds.
    Number(i64),
    Text(String),
}

/// A row of a contract table.
pub type Row = BTreeMap<&'static str, Cell>;

/// A table in the order of the store (by merchant, event time and key), without the `gone` rows and with others that stand where that order puts them.
pub fn with_rows(
    table: &TableContract,
    frame: &DataFrame,
    gone: &[bool],
    mut rows: Vec<Row>,
) -> PolarsResult<DataFrame> {
    let order = table.sort_columns();
    rows.sort_by(|a, b| {
        order.iter().map(|name| a.get(name).cmp(&b.get(name))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
    let places = places(frame, &order, &rows)?;
    let columns = frame.columns().iter().map(|column| column_of(column, &rows)).collect::<PolarsResult<Vec<_>>>()?;
    let mut together = frame.vstack(&DataFrame::new(rows.len(), columns)?)?;
    together.rechunk_mut();
    let mut merged: Vec<IdxSize> = Vec::with_capacity(together.height());
    let index = |at: usize| IdxSize::try_from(at).unwrap_or(IdxSize::MAX);
    let mut next = places.iter().enumerate().peekable();
    for at in 0..=frame.height() {
        while let Some((new, _)) = next.next_if(|(_, place)| **place == at) {
            merged.push(index(frame.height() + new));
        }
        if at < frame.height() && !gone.get(at).copied().unwrap_or(false) {
            merged.push(index(at));
        }
    }
    together.take(&IdxCa::from_vec("order".into(), merged))
}

/// For each row the first row of the frame that stands after it.
fn places(frame: &DataFrame, order: &[&str], rows: &[Row]) -> PolarsResult<Vec<usize>> {
    let sorted = order.iter().map(|name| Sorted::of(frame.column(name)?)).collect::<PolarsResult<Vec<_>>>()?;
    let stands_before = |at: usize, row: &Row| {
        let compared = order.iter().zip(&sorted).map(|(name, cells)| cells.compare(at, row.get(name)));
        compared.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal).is_le()
    };
    let place = |row: &Row| {
        let (mut from, mut to) = (0, frame.height());
        while from < to {
            let middle = usize::midpoint(from, to);
            if stands_before(middle, row) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    };
    Ok(rows.iter().map(place).collect())
}

/// A column that the store sorts by, nulls first.
enum Sorted {
    Text(StringChunked),
    Number(Int64Chunked),
}

impl Sorted {
    fn of(column: &Column) -> PolarsResult<Self> {
        if let Ok(texts) = column.str() {
            return Ok(Self::Text(texts.rechunk().into_owned()));
        }
        let whole = column.to_physical_repr().cast(&DataType::Int64)?;
        Ok(Self::Number(whole.i64()?.rechunk().into_owned()))
    }

    fn compare(&self, at: usize, cell: Option<&Cell>) -> Ordering {
        match (self, cell) {
            (Self::Text(texts), Some(Cell::Text(text))) => texts.get(at).cmp(&Some(text)),
            (Self::Number(numbers), Some(Cell::Number(number))) => numbers.get(at).cmp(&Some(*number)),
            (Self::Text(texts), _) => texts.get(at).cmp(&None),
            (Self::Number(numbers), _) => numbers.get(at).cmp(&None),
        }
    }
}

/// The rows' cells of one column.
fn column_of(column: &Column, rows: &[Row]) -> PolarsResult<Column> {
    let cells = || rows.iter().map(|row| row.get(column.name().as_str()));
    let number = |cell: Option<&Cell>| match cell {
        Some(Cell::Number(number)) => Some(*number),
        Some(Cell::Text(_)) | None => None,
    };
    let text = |cell: Option<&'_ Cell>| match cell {
        Some(Cell::Text(text)) => Some(text.clone()),
        Some(Cell::Number(_)) | None => None,
    };
    let made = if *column.dtype() == DataType::String {
        cells().map(text).collect::<StringChunked>().into_column()
    } else if cells().all(|cell| cell.is_none()) {
        Column::full_null(column.name().clone(), rows.len(), column.dtype())
    } else {
        cells().map(number).collect::<Int64Chunked>().into_column().cast(column.dtype())?
    };
    Ok(made.with_name(column.name().clone()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::{ORDERS, data_type};

    /// Merchant, time, id and when it was recorded; few of each, so that many are equal.
    type Key = (u8, Option<i64>, u8, Option<i64>);

    fn keys() -> impl Strategy<Value = Vec<Key>> {
        let time = || prop::option::weighted(0.8, -2_i64..4);
        prop::collection::vec((0..3_u8, time(), 0..6_u8, time()), 0..24)
    }

    fn row(key: Key, buyer: &str) -> Row {
        let mut row = Row::from([
            ("merchant_id", Cell::Text(format!("m{}", key.0))),
            ("order_id", Cell::Text(format!("o{}", key.2))),
            ("buyer_id", Cell::Text(buyer.to_owned())),
        ]);
        row.extend(key.1.map(|at| ("placed_at", Cell::Number(at))));
        row.extend(key.3.map(|at| ("recorded_at", Cell::Number(at))));
        row
    }

    fn frame(rows: &[Row]) -> DataFrame {
        let fields = ORDERS.columns.iter().map(|c| Field::new(c.name.into(), data_type(c.kind)));
        let empty = DataFrame::empty_with_schema(&fields.collect::<Schema>());
        let columns = empty.columns().iter().map(|column| column_of(column, rows)).collect::<PolarsResult<_>>();
        DataFrame::new(rows.len(), columns.unwrap()).unwrap()
    }

    proptest! {
        /// The frames' own sorting, over the rows that stay and then the others.
        #[test]
        fn rows_stand_where_sorting_would_put_them(there in keys(), more in keys(), goes in prop::collection::vec(any::<bool>(), 24)) {
            let options = SortMultipleOptions::default().with_maintain_order(true);
            let there: Vec<Row> = there.into_iter().map(|key| row(key, "there")).collect();
            let sorted = frame(&there).sort(ORDERS.sort_columns(), options.clone()).unwrap();
            let gone = &goes[..sorted.height()];
            let more: Vec<Row> = more.into_iter().map(|key| row(key, "more")).collect();
            let stays: BooleanChunked = gone.iter().map(|gone| Some(!gone)).collect();
            let whole = sorted.filter(&stays).unwrap().vstack(&frame(&more)).unwrap();
            let expected = whole.sort(ORDERS.sort_columns(), options).unwrap();
            let merged = with_rows(&ORDERS, &sorted, gone, more).unwrap();
            prop_assert!(merged.equals_missing(&expected), "{merged} {expected}");
        }
    }
}
