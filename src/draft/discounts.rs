//! What is taken off the price of a line, where a column beside price and quantity says it.

use super::amount::is_total;
use super::scope::Scope;
use super::vocabulary::Concept as C;
use crate::profile::ColumnAt;

/// What a column of discounts says of a line.
pub(super) enum Discount {
    /// A share of its price: what is left of it, as SQL.
    Share(String),
    /// Something that nobody can say how to take off: what a person must know.
    Unclear(String),
}

/// The discount on what `main` says; none where that is a total, from which it was taken already.
pub(super) fn of(scope: &Scope, main: ColumnAt) -> Option<Discount> {
    const PER_CENT: [&str; 5] = ["pct", "percent", "%", "prozent", "porcent"];
    let land = scope.land;
    if is_total(land, main) {
        return None;
    }
    let mut columns = land.columns(main.table).filter(|at| {
        let (raw, name) = (land.column(*at), land.column_name(*at));
        let is_code = name.says(C::Id) || name.says(C::Kind) || name.says(C::Name);
        *at != main && name.says(C::Discount) && raw.is_number() && raw.distinct > 1 && !is_code
    });
    let at = columns.next()?;
    let raw = land.column(at);
    let lower = raw.name.to_lowercase();
    let number = format!("COALESCE({}, 0)", scope.number(at, &scope.name(at)));
    let is_of = |most: f64| raw.range.0 >= 0.0 && raw.range.1 <= most;
    Some(match () {
        () if is_of(1.0) && raw.decimals > 0 => Discount::Share(format!("(1 - {number})")),
        () if is_of(100.0) && PER_CENT.iter().any(|word| lower.contains(word)) => {
            Discount::Share(format!("(1 - {number} / 100)"))
        }
        () => Discount::Unclear(format!(
            "{:?} is not taken off: subtract it where it is no part of {:?} yet",
            raw.name,
            land.column(main).name
        )),
    })
}
