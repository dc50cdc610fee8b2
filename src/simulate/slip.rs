//! Values that were first sent wrong and then corrected.

use super::rows::{Cell, cell, set};
use crate::contract::TableContract;

/// The row with one value as it was before the correction; `None` where the row has no such value.
pub(super) fn slipped(table: &TableContract, row: &[Cell]) -> Option<Vec<Cell>> {
    let (column, wrong) = match (table.name, row) {
        ("merchants", _) => ("region", Cell::Word("unknown")),
        ("orders", _) => ("amount_minor", more(cell(table, row, "amount_minor")?, 1_000)?),
        ("shipments", _) => match cell(table, row, "carrier")? {
            Cell::Word(_) => ("carrier", Cell::Word("own-van")),
            _ => return None,
        },
        ("reviews", _) => match cell(table, row, "stars")? {
            Cell::Int(stars) => ("stars", Cell::Int(if *stars > 3 { stars - 1 } else { stars + 1 })),
            _ => return None,
        },
        ("disputes", _) => ("amount_minor", more(cell(table, row, "amount_minor")?, 1_000)?),
        ("loans", _) => ("daily_rate_ppm", more(cell(table, row, "daily_rate_ppm")?, 50)?),
        ("payments", _) => ("amount_minor", more(cell(table, row, "amount_minor")?, 1_000)?),
        ("applications", _) => ("requested_minor", more(cell(table, row, "requested_minor")?, 10_000)?),
        _ => return None,
    };
    let mut before = row.to_vec();
    set(table, &mut before, column, wrong);
    Some(before)
}

fn more(cell: &Cell, by: i64) -> Option<Cell> {
    match cell {
        Cell::Int(value) => Some(Cell::Int(value + by)),
        _ => None,
    }
}
