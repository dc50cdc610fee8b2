//! What is taken off the price of a line, where a column beside price and quantity says it.

use super::amount::is_total;
use super::names;
use super::scope::Scope;
use super::vocabulary::Concept as C;
use crate::profile::{ColumnAt, RawColumn};

/// What a column of discounts says of a line.
pub(super) enum Discount {
    /// A share of its price: what is left of it, as SQL.
    Share(String),
    /// Something that nobody can say how to take off: what a person must know.
    Unclear(String),
}

/// The discount on what `main` says; none where that is a total, from which it was taken already.
pub(super) fn of(scope: &Scope, main: ColumnAt) -> Option<Discount> {
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
    let number = format!("COALESCE({}, 0)", scope.number(at, &scope.name(at)));
    Some(match share_base(raw) {
        Some(ShareBase::One) => Discount::Share(format!("(1 - {number})")),
        Some(ShareBase::Hundred) => Discount::Share(format!("(1 - {number} / 100)")),
        None => Discount::Unclear(format!(
            "{:?} is not taken off: subtract it where it is no part of {:?} yet",
            raw.name,
            land.column(main).name
        )),
    })
}

/// What a share is of.
#[derive(Debug, PartialEq)]
enum ShareBase {
    One,
    Hundred,
}

/// What the shares of a column of discounts are of; none where it may hold money: small discounts in money are below one too.
fn share_base(raw: &RawColumn) -> Option<ShareBase> {
    const PER_CENT: [&str; 5] = ["pct", "percent", "%", "prozent", "porcent"];
    const MONEY: [&str; 15] = [
        "amount", "amt", "value", "val", "betrag", "wert", "rabattbetrag", "importe", "valor", "montant", "valeur",
        "importo", "valore", "kwota", "金额",
    ];
    // Hardly anything is sold at less than a twentieth of its price.
    const MOST: f64 = 0.95;
    let lower = raw.name.to_lowercase();
    let is_per_cent = PER_CENT.iter().any(|word| lower.contains(word));
    let is_money = names::words(&raw.name).iter().any(|word| MONEY.contains(&word.as_str()));
    match raw.numbers.range {
        (least, _) if least < 0.0 => None,
        (_, most) if most <= MOST && raw.numbers.decimals > 0 && (is_per_cent || !is_money) => Some(ShareBase::One),
        (_, most) if most > 1.0 && most <= 100.0 && is_per_cent => Some(ShareBase::Hundred),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sums_are_no_shares() {
        let cases: [(&str, &[&str], Option<ShareBase>); 9] = [
            ("discount", &["0.1", "0.25", "0.0"], Some(ShareBase::One)),
            ("discount_pct", &["0.1", "0.25", "0.0"], Some(ShareBase::One)),
            ("discount_pct", &["10", "25", "0"], Some(ShareBase::Hundred)),
            ("discount_amount", &["0.1", "0.25", "0.0"], None),
            ("DiscountValue", &["0.1", "0.25", "0.0"], None),
            ("discount", &["0.50", "1.00", "0.00"], None),
            ("discount_pct", &["0.50", "1.00", "0.00"], None),
            ("discount", &["10", "25", "0"], None),
            ("discount", &["-0.1", "0.2", "0.0"], None),
        ];
        for (name, cells, whole) in cases {
            assert_eq!(share_base(&RawColumn::of_texts(name, cells)), whole, "{name} {cells:?}");
        }
    }
}
