//! Copies that a join makes of one row.
//!
//! A SELECT that joins by an id gives a row once for each match. Where an id is repeated, also by a row that only the future needs, one row
//! of the driving input comes several times under one key. A copy that says nothing which another copy does not say is left out
//! before anything is judged, so that a row's copies are counted by the ledger alone. What a copy says of days not before as-of is masked
//! by then: a match that lies in the future adds nothing.

use std::collections::HashMap;

use polars::prelude::*;

use super::record::cell_text;
use crate::contract::{TableContract, UNREADABLE};

/// A row's cells as text.
type Cells = Vec<Option<String>>;

/// The rows without copies, and for each file how many copies there were.
pub(crate) fn without_copies(
    table: &TableContract,
    frame: DataFrame,
    files: usize,
) -> PolarsResult<(DataFrame, Vec<u64>)> {
    let mut copies = vec![0_u64; files];
    let lineage = |frame: &DataFrame| -> PolarsResult<Vec<(u32, u32)>> {
        let (files, rows) = (frame.column("_file")?.u32()?, frame.column("_row")?.u32()?);
        Ok(files.iter().zip(rows.iter()).map(|(file, row)| (file.unwrap_or(0), row.unwrap_or(0))).collect())
    };
    let places = lineage(&frame)?;
    if places.iter().is_sorted_by(|a, b| a < b) {
        return Ok((frame, copies));
    }
    let mut packed: Vec<u64> = places.iter().map(|(file, row)| u64::from(*file) << 32 | u64::from(*row)).collect();
    packed.sort_unstable();
    if packed.is_sorted_by(|a, b| a < b) {
        return Ok((frame, copies));
    }
    let mut sorted = places.clone();
    sorted.sort_unstable();
    let mut repeated: Vec<(u32, u32)> =
        sorted.windows(2).filter_map(|pair| pair.first().filter(|first| pair.last() == Some(first)).copied()).collect();
    repeated.dedup();
    let names: Vec<String> = frame
        .get_column_names()
        .into_iter()
        .map(ToString::to_string)
        .filter(|name| table.column(name).is_some() || name.starts_with(UNREADABLE))
        .collect();
    let mut by_row: HashMap<(u32, u32), Vec<(usize, Cells)>> = HashMap::new();
    for (at, place) in places.iter().enumerate().filter(|(_, place)| repeated.binary_search(place).is_ok()) {
        let cells = names.iter().map(|name| cell_text(frame.column(name)?, at)).collect::<PolarsResult<Vec<_>>>()?;
        by_row.entry(*place).or_default().push((at, cells));
    }
    let is_key: Vec<bool> = names.iter().map(|name| table.key.contains(&name.as_str())).collect();
    let mut stays = vec![true; frame.height()];
    for ((file, _), rows) in by_row {
        for (position, (at, cells)) in rows.iter().enumerate() {
            // Of equal rows the first stays.
            let says_less = rows.iter().enumerate().any(|(other, (_, others))| {
                other != position && is_part_of(cells, others, &is_key) && (cells != others || other < position)
            });
            if let (true, Some(slot)) = (says_less, stays.get_mut(*at)) {
                *slot = false;
                if let Some(count) = copies.get_mut(file as usize) {
                    *count += 1;
                }
            }
        }
    }
    let stays: BooleanChunked = stays.into_iter().collect();
    Ok((frame.filter(&stays)?, copies))
}

/// Whether a row of the same key says all that this one says.
fn is_part_of(cells: &[Option<String>], others: &[Option<String>], is_key: &[bool]) -> bool {
    cells.iter().zip(others).zip(is_key).all(|((cell, other), is_key)| cell == other || (cell.is_none() && !is_key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::GUARANTEE_GROUPS;

    #[test]
    fn what_says_less_of_the_same_row_goes() {
        let frame = df!(
            "group_id" => ["g", "g", "g", "g", "h"],
            "merchant_id" => ["m", "m", "m", "n", "m"],
            "left_at" => [None, Some("x"), Some("x"), Some("x"), None],
            "_file" => [0_u32, 0, 0, 0, 0],
            "_row" => [1_u32, 1, 1, 1, 1],
        )
        .unwrap();
        let (rest, copies) = without_copies(&GUARANTEE_GROUPS, frame, 1).unwrap();
        let left: Vec<_> = rest.column("left_at").unwrap().str().unwrap().iter().collect();
        assert_eq!((left, copies), (vec![Some("x"), Some("x"), None], vec![2]), "another key is another row");
    }

    #[test]
    fn rows_of_their_own_stay() {
        let frame =
            df!("group_id" => ["g", "g"], "merchant_id" => ["m", "m"], "_file" => [0_u32, 0], "_row" => [1_u32, 2])
                .unwrap();
        assert_eq!(without_copies(&GUARANTEE_GROUPS, frame, 1).unwrap().0.height(), 2);
    }
}
