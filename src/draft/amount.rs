//! What a line of an order costs: prices, times quantity where the price is of one piece, and freight.

use super::discounts::Discount;
use super::landscape::{Found, Landscape};
use super::names::Name;
use super::scope::{Piece, Scope};
use super::vocabulary::Concept as C;
use crate::contract::ORDERS;
use crate::profile::{ColumnAt, RawColumn, ValueKind};

/// Minor units of a row of `table` as BIGINT, made of columns that pass, from which columns, and how sure that is.
pub(super) fn line_amount(
    scope: &Scope,
    table: usize,
    passes: &dyn Fn(ColumnAt) -> bool,
) -> Option<(Piece, String, f64)> {
    let land: &Landscape = scope.land;
    let main = main_amount(land, table, passes)?;
    let says = |at: ColumnAt, concept| land.column_name(at).says(concept);
    let columns = || land.table(table).columns.iter().enumerate();
    let at = |column: usize| ColumnAt { table, column };
    let quantity =
        columns().map(|(c, raw)| (at(c), raw)).find(|(at, raw): &(ColumnAt, &RawColumn)| {
            (says(*at, C::Quantity) || (is_count(raw) && is_of_one_piece(land, main.at)))
                && raw.is_number()
                && raw.distinct > 1
                && land.column_name(*at).concepts.iter().all(|c| {
                    matches!(c, C::Quantity | C::Item | C::Order | C::Product | C::Unit | C::Number | C::Sales)
                })
        });
    let freight = columns().map(|(c, raw)| (at(c), raw)).find(|(at, raw)| says(*at, C::Freight) && raw.is_number());
    let mut piece = scope.minor(main.at, &scope.name(main.at));
    let mut from = scope.name(main.at);
    let of_one_piece =
        |quantity: ColumnAt| is_of_one_piece(land, main.at) && !grows_with(land.column(main.at), land.column(quantity));
    if let Some((quantity, _)) = quantity.filter(|(quantity, _)| of_one_piece(*quantity)) {
        let (units, note) = scope.minor_units(main.at);
        let price = scope.number(main.at, &scope.name(main.at));
        let pieces = scope.number(quantity, &scope.name(quantity));
        let discount = super::discounts::of(scope, main.at);
        let left = match &discount {
            Some(Discount::Share(left)) => format!(" * {left}"),
            _ => String::new(),
        };
        let told = match discount {
            Some(Discount::Share(_)) => Some("less the share that its discount says".to_owned()),
            Some(Discount::Unclear(why)) => Some(why),
            None => None,
        };
        let notes: Vec<String> = note.into_iter().chain(told).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        piece = Piece { sql: format!("TRY_CAST(ROUND({price} * {pieces}{left} * {units}) AS BIGINT)"), note };
        from = format!("{from} × {}", scope.name(quantity));
    }
    if let Some((freight, _)) = freight.filter(|(freight, _)| *freight != main.at && !is_total(land, main.at)) {
        let minor = scope.minor(freight, &scope.name(freight)).sql;
        piece.sql = format!("{} + {minor}", piece.sql);
        from = format!("{from} + {}", scope.name(freight));
    }
    Some((piece, from, main.score))
}

/// What an account holds.
pub(super) const BALANCES: [&str; 5] = ["balance", "saldo", "kontostand", "bakiye", "余额"];

/// The column that says what a row of `table` costs. What is paid is never negative: a column that is goes behind one that is not.
pub(super) fn main_amount(land: &Landscape, table: usize, passes: &dyn Fn(ColumnAt) -> bool) -> Option<Found> {
    const NEGATIVE: f64 = 0.3;
    let mut found = land.candidates(table, &ORDERS, "amount_minor", true);
    // What an account holds after a row is not what the row brought.
    let is_balance = |at: ColumnAt| land.column(at).is_called(&BALANCES);
    found.retain(|found| passes(found.at) && !is_balance(found.at));
    let says = |at: ColumnAt, concept| land.column_name(at).says(concept);
    let other = |at: ColumnAt| [C::Freight, C::Tax, C::Discount].iter().any(|c| says(at, *c));
    // What is left after fees or before tax is not what the buyer owes, where that is said too.
    let is_net = |at: ColumnAt| {
        const NETS: [&str; 4] = ["net", "netto", "neto", "liquido"];
        land.column(at).is_called(&NETS)
    };
    let is_gross = |at: ColumnAt| {
        const GROSS: [&str; 5] = ["gross", "brutto", "bruto", "brut", "lordo"];
        land.column(at).is_called(&GROSS)
    };
    let has_gross = found.iter().any(|found| is_gross(found.at) && !other(found.at));
    // What was paid so far is nothing where a bill is still open.
    let is_paid = |at: ColumnAt| land.column_name(at).says(C::Paid);
    let has_owed = found.iter().any(|found| is_total(land, found.at) && !is_paid(found.at) && !other(found.at));
    let score = |found: &Found| {
        let net = match () {
            () if !is_net(found.at) => 0.0,
            () if has_gross => 0.5,
            () => 0.2,
        };
        let total = if is_total(land, found.at) { 0.15 } else { 0.0 };
        let negative = if land.column(found.at).numbers.negative.is_empty() { 0.0 } else { NEGATIVE };
        let paid = if is_paid(found.at) && has_owed { 0.3 } else { 0.0 };
        // What its mark alone shows to be an amount, such as a tip, goes behind what is called one.
        let unnamed = if Name::of(&land.column(found.at).name).concepts.is_empty() { 0.5 } else { 0.0 };
        found.score + total - negative - net - paid - unnamed
    };
    let best = found
        .iter()
        .filter(|f| !other(f.at) && !says(f.at, C::Unit))
        .max_by(|a, b| score(a).total_cmp(&score(b)).then_with(|| b.at.cmp(&a.at)));
    best.or_else(|| found.iter().find(|f| !other(f.at))).cloned()
}

pub(super) fn is_total(land: &Landscape, at: ColumnAt) -> bool {
    const TOTALS: [&str; 21] = [
        "total", "amount", "sum", "gross", "sales", "revenue", "betrag", "summe", "importe", "montant", "kwota",
        "razem", "wartość", "wartosc", "合計", "請求", "总额", "总金额", "总计", "应付", "实付",
    ];
    let lower = land.column(at).name.to_lowercase();
    TOTALS.iter().any(|word| lower.contains(word))
}

/// Whether a column of whole numbers is called after pieces that were sold.
fn is_count(raw: &RawColumn) -> bool {
    const PIECES: [&str; 7] = ["units", "sold", "count", "pieces", "pcs", "nos", "stuck"];
    raw.kind == ValueKind::Whole && raw.is_called(&PIECES) && raw.numbers.range.0 >= 0.0
}

/// Whether a column is called the price of one piece.
fn is_of_one_piece(land: &Landscape, at: ColumnAt) -> bool {
    const PRICES: [&str; 10] = ["price", "preis", "precio", "preco", "preço", "prix", "prezzo", "单价", "价格", "rate"];
    let lower = land.column(at).name.to_lowercase();
    let is_price = land.column_name(at).says(C::Unit) || PRICES.iter().any(|word| lower.contains(word));
    is_price && !is_total(land, at)
}

/// Whether a price is that of all pieces: with twice as many it is about twice as high.
fn grows_with(price: &RawColumn, quantity: &RawColumn) -> bool {
    const LEAST: usize = 20;
    let both = price
        .numbers
        .sample
        .iter()
        .zip(&quantity.numbers.sample)
        .filter_map(|(price, pieces)| Some(((*price)?, (*pieces)?)));
    let (one, several): (Vec<_>, Vec<_>) =
        // A correction of a whole bill says nothing of what a piece costs.
        both.filter(|(price, pieces)| *pieces >= 1.0 && *price > 0.0).partition(|(_, pieces)| *pieces < 2.0);
    let mean = |of: &mut dyn Iterator<Item = f64>, count: usize| of.sum::<f64>() / count.max(1) as f64;
    let price_of = |rows: &[(f64, f64)]| mean(&mut rows.iter().map(|(price, _)| *price), rows.len());
    let pieces = mean(&mut several.iter().map(|(_, pieces)| *pieces), several.len());
    let is_many = one.len() >= LEAST && several.len() >= LEAST;
    is_many && price_of(&several) > price_of(&one) * f64::midpoint(1.0, pieces)
}
