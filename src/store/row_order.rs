//! The order of a store's rows.
//!
//! What frames' own sorting compares cell by cell through columns is compared here as numbers: the merchant's rank, the time, and the first bytes of
//! the key. The cells themselves are looked at only where those are equal.

use std::cmp::Ordering;

use polars::prelude::*;

/// One row's place: what is compared first, and its number.
struct Place {
    merchant: u32,
    time: i64,
    key: u128,
    row: IdxSize,
}

/// A column that rows are sorted by.
enum SortColumn {
    Text(StringChunked),
    Number(Vec<Option<i64>>),
}

impl SortColumn {
    fn of(column: &Column) -> PolarsResult<Self> {
        if let Ok(texts) = column.str() {
            return Ok(Self::Text(texts.clone()));
        }
        let whole = column.to_physical_repr().cast(&DataType::Int64)?;
        Ok(Self::Number(whole.i64()?.iter().collect()))
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::Text(texts) => texts.get(a).cmp(&texts.get(b)),
            Self::Number(numbers) => numbers.get(a).cmp(&numbers.get(b)),
        }
    }

    /// For each row a number whose order never contradicts that of the cells; equal ones may belong to different cells.
    fn prefixes(&self) -> Vec<u128> {
        match self {
            Self::Text(texts) => texts.iter().map(|text| text.map_or(0, |text| prefix(text.as_bytes()))).collect(),
            Self::Number(numbers) => {
                let shifted = |number: i64| u128::from(number.abs_diff(i64::MIN)) + 1;
                numbers.iter().map(|number| number.map_or(0, shifted)).collect()
            }
        }
    }
}

/// The first bytes as a number; what is missing counts as zeros.
fn prefix(bytes: &[u8]) -> u128 {
    let mut first = [0; 16];
    for (slot, byte) in first.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    u128::from_be_bytes(first)
}

/// The rows in ascending order of the named columns, nulls first, texts by bytes; the first column is the merchant. Rows that are equal in
/// all of them stay as they came.
///
/// # Errors
/// A column is missing, or neither text nor number.
pub(super) fn sorted(mut rows: DataFrame, columns: &[&str]) -> PolarsResult<DataFrame> {
    rows.rechunk_mut();
    let cells = columns.iter().map(|name| SortColumn::of(rows.column(name)?)).collect::<PolarsResult<Vec<_>>>()?;
    let (merchants, others) = match cells.split_first() {
        Some((SortColumn::Text(merchants), others)) => (ranks(merchants), others),
        _ => (vec![0; rows.height()], cells.as_slice()),
    };
    let (times, keys) = match others.split_first() {
        // A time says most; where it is equal, what stands after it.
        Some((SortColumn::Number(times), keys)) => (Some(times), keys.first()),
        _ => (None, others.first()),
    };
    let keys = keys.map(SortColumn::prefixes).unwrap_or_default();
    let mut places: Vec<Place> = (0..)
        .zip(&merchants)
        .enumerate()
        .map(|(at, (row, merchant))| Place {
            merchant: *merchant,
            // No time is that early: only null is.
            time: times.and_then(|times| times.get(at).copied().flatten()).unwrap_or(i64::MIN),
            key: keys.get(at).copied().unwrap_or(0),
            row,
        })
        .collect();
    let by_cells = |a: &Place, b: &Place| {
        let (a, b) = (a.row as usize, b.row as usize);
        cells.iter().map(|cells| cells.compare(a, b)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    let order = |a: &Place, b: &Place| {
        let by_numbers = (a.merchant, a.time, a.key).cmp(&(b.merchant, b.time, b.key));
        by_numbers.then_with(|| by_cells(a, b)).then_with(|| a.row.cmp(&b.row))
    };
    if places.is_sorted_by(|a, b| order(a, b).is_lt()) {
        return Ok(rows);
    }
    places.sort_unstable_by(order);
    let places: Vec<IdxSize> = places.into_iter().map(|place| place.row).collect();
    rows.take(&IdxCa::from_vec("order".into(), places))
}

/// For each row the rank of its text among all that occur; null is the first.
fn ranks(texts: &StringChunked) -> Vec<u32> {
    let mut numbers: PlHashMap<Option<&str>, u32> = PlHashMap::default();
    let mut last: Option<(Option<&str>, u32)> = None;
    let mut number_of_row: Vec<u32> = Vec::with_capacity(texts.len());
    for text in texts.iter() {
        let number = match last {
            Some((same, number)) if same == text => number,
            _ => {
                let fresh = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                *numbers.entry(text).or_insert(fresh)
            }
        };
        last = Some((text, number));
        number_of_row.push(number);
    }
    let mut distinct: Vec<(Option<&str>, u32)> = numbers.into_iter().collect();
    distinct.sort_unstable();
    let mut rank_of_number = vec![0; distinct.len()];
    for (rank, (_, number)) in (0..).zip(distinct) {
        if let Some(slot) = rank_of_number.get_mut(number as usize) {
            *slot = rank;
        }
    }
    number_of_row.into_iter().map(|number| rank_of_number.get(number as usize).copied().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts() -> impl Strategy<Value = Option<String>> {
        let words = ["", "a", "a\0", "ab", "a-long-id-of-many-bytes-1", "a-long-id-of-many-bytes-2", "é", "z"];
        prop::option::weighted(0.9, prop::sample::select(words.to_vec()).prop_map(str::to_owned))
    }

    fn times() -> impl Strategy<Value = Option<i64>> {
        prop::option::weighted(0.9, prop_oneof![-3_i64..3, Just(i64::MIN + 1), Just(i64::MAX)])
    }

    proptest! {
        /// The frames' own sorting, over a column that makes every row another.
        #[test]
        fn the_order_is_that_of_the_cells(rows in prop::collection::vec((texts(), times(), texts(), times()), 0..40)) {
            let (mut merchants, mut at, mut keys, mut numbers) = (vec![], vec![], vec![], vec![]);
            for (merchant, time, key, number) in rows {
                merchants.push(merchant);
                at.push(time);
                keys.push(key);
                numbers.push(number);
            }
            let row: Vec<u32> = (0..).take(keys.len()).collect();
            let frame = df!("merchant" => merchants, "at" => at, "key" => keys, "number" => numbers, "row" => row).unwrap();
            for columns in [vec!["merchant", "at", "key", "number"], vec!["merchant", "key", "at"], vec!["merchant", "number"], vec!["merchant"]] {
                let whole: Vec<&str> = columns.iter().copied().chain(["row"]).collect();
                let expected = frame.sort(whole, SortMultipleOptions::default()).unwrap();
                prop_assert!(sorted(frame.clone(), &columns).unwrap().equals_missing(&expected), "{columns:?}");
            }
        }
    }
}
