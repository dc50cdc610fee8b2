//! Values that were first sent wrong and then corrected.

use super::rows::{Cell, cell, set};
use crate::contract::TableContract;

/// The row with one value as it was before the correction; `None` where the row has no such value.
pub(super) fn slipped(table: &TableContract, row: &[Cell]) -> Option<Vec<Cell>> {
    let amount = |column: &'static str, by: i64| Some((column, more(cell(table, row, column)?, by)?));
    let (column, wrong) = match table.name {
        "merchants" => ("region", Cell::Word("unknown")),
        "orders" | "disputes" | "payments" => amount("amount_minor", 1_000)?,
        "applications" => amount("requested_minor", 10_000)?,
        "loans" => amount("daily_rate_ppm", 50)?,
        "shipments" => match cell(table, row, "carrier")? {
            Cell::Word(_) => ("carrier", Cell::Word("own-van")),
            _ => return None,
        },
        "reviews" => match cell(table, row, "stars")? {
            Cell::Int(stars) => ("stars", Cell::Int(if *stars > 3 { stars - 1 } else { stars + 1 })),
            _ => return None,
        },
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
