//! What a line of an order costs: prices, times quantity where the price is of one piece, and freight.

use super::landscape::Landscape;
use super::scope::{Piece, Scope};
use super::vocabulary::Concept as C;
use crate::contract::ORDERS;
use crate::profile::{ColumnAt, RawColumn};

/// Minor units of a row of `table` as BIGINT, made of columns that pass, from which columns, and how sure that is.
pub(super) fn line_amount(
    scope: &Scope,
    table: usize,
    passes: &dyn Fn(ColumnAt) -> bool,
) -> Option<(Piece, String, f64)> {
    let land: &Landscape = scope.land;
    let mut found = land.candidates(table, &ORDERS, "amount_minor", true);
    found.retain(|found| passes(found.at));
    let says = |at: ColumnAt, concept| land.column_name(at).says(concept);
    let is_total = |at: ColumnAt| {
        let lower = land.column(at).name.to_lowercase();
        ["total", "amount", "sum", "gross", "sales", "revenue", "betrag", "summe"]
            .iter()
            .any(|word| lower.contains(word))
    };
    let other = |at: ColumnAt| [C::Freight, C::Tax, C::Discount].iter().any(|c| says(at, *c));
    let main = found
        .iter()
        .filter(|f| !other(f.at) && !says(f.at, C::Unit))
        .max_by(|a, b| {
            (a.score + if is_total(a.at) { 0.15 } else { 0.0 })
                .total_cmp(&(b.score + if is_total(b.at) { 0.15 } else { 0.0 }))
        })
        .or_else(|| found.iter().find(|f| !other(f.at)))?;
    let columns = || land.table(table).columns.iter().enumerate();
    let at = |column: usize| ColumnAt { table, column };
    let quantity = columns().map(|(c, raw)| (at(c), raw)).find(|(at, raw): &(ColumnAt, &RawColumn)| {
        says(*at, C::Quantity)
            && raw.is_number()
            && raw.distinct > 1
            && land.column_name(*at).concepts.iter().all(|c| matches!(c, C::Quantity | C::Item | C::Order | C::Product))
    });
    let freight = columns().map(|(c, raw)| (at(c), raw)).find(|(at, raw)| says(*at, C::Freight) && raw.is_number());
    let mut piece = scope.minor(main.at, &scope.name(main.at));
    let mut from = scope.name(main.at);
    if let Some((quantity, _)) = quantity.filter(|_| !is_total(main.at)) {
        let (units, note) = scope.minor_units(main.at);
        let price = scope.number(main.at, &scope.name(main.at));
        let pieces = scope.number(quantity, &scope.name(quantity));
        piece = Piece { sql: format!("TRY_CAST(ROUND({price} * {pieces} * {units}) AS BIGINT)"), note };
        from = format!("{from} × {}", scope.name(quantity));
    }
    if let Some((freight, _)) = freight.filter(|(freight, _)| *freight != main.at && !is_total(main.at)) {
        let minor = scope.minor(freight, &scope.name(freight)).sql;
        piece.sql = format!("{} + {minor}", piece.sql);
        from = format!("{from} + {}", scope.name(freight));
    }
    Some((piece, from, main.score))
}
