//! Kinds of lines of an order, where an export settles sales: what the buyer owes, and what is taken off the merchant's part of it.

use std::collections::BTreeSet;

use super::ends::MAX_STATES;
use super::landscape::Landscape;
use super::names::Name;
use super::scope::Scope;
use super::vocabulary::Concept as C;
use super::words;
use crate::profile::ColumnAt;

/// Of the lines of a kind so many are below zero, or it is another.
const NEARLY_ALL: f64 = 0.9;
/// With fewer of the lines nothing is asked of a person.
const NOTICEABLE: f64 = 0.01;

/// Lines that the buyer does not owe, and lines of which nobody knows.
pub(super) struct LineFees {
    /// Words of kinds that are fees and commissions, by column.
    kinds: Vec<(ColumnAt, Vec<String>)>,
    /// Kinds below zero that may be fees or discounts, as a person reads them.
    unclear: Vec<String>,
    /// All words of kinds that say fee, such as a commission that is given back.
    pub words: BTreeSet<String>,
}

impl LineFees {
    /// The kinds of lines of which `amount` is below zero. Lines that take others back are no fees: they have words of their own.
    pub(super) fn of(land: &Landscape, table: usize, amount: ColumnAt) -> Self {
        let raw = land.table(table);
        let below: BTreeSet<usize> = land.column(amount).numbers.negative.iter().copied().collect();
        let columns: Vec<ColumnAt> = land.columns(table).filter(|at| says_kind(land, *at)).collect();
        let back: BTreeSet<usize> = columns
            .iter()
            .flat_map(|at| {
                let said = words::take_back(land.column(*at));
                raw.rows_with_words(at.column, |word| said.contains(&word) && !is_fee(word))
            })
            .collect();
        let is_below = |rows: &[usize]| {
            let share = rows.iter().filter(|row| below.contains(row)).count() as f64 / rows.len().max(1) as f64;
            !rows.is_empty() && share >= NEARLY_ALL
        };
        let all_words = columns.iter().flat_map(|at| land.column(*at).words.keys());
        let words = all_words.filter(|word| is_fee(word)).cloned().collect();
        let mut found = Self { kinds: Vec::new(), unclear: Vec::new(), words };
        let mut placed = back;
        for wants_fee in [true, false] {
            for at in &columns {
                let mut said: Vec<String> = Vec::new();
                let mut rows_of_them: Vec<usize> = Vec::new();
                for word in land.column(*at).words.keys().filter(|word| is_fee(word) == wants_fee) {
                    let all = raw.rows_with_words(at.column, |own| own == word);
                    let rows: Vec<usize> = all.iter().copied().filter(|row| !placed.contains(row)).collect();
                    if is_below(&rows) {
                        said.push(word.clone());
                        rows_of_them.extend(if wants_fee { all } else { rows });
                    }
                }
                if said.is_empty() {
                    continue;
                }
                if wants_fee {
                    found.kinds.push((*at, said));
                } else {
                    said.retain(|word| !Name::of(word).says(C::Discount));
                    let is_noticeable = rows_of_them.len() as f64 >= NOTICEABLE * raw.rows as f64;
                    if is_noticeable && !said.is_empty() {
                        found.unclear.push(in_column(land, *at, &said));
                    }
                }
                placed.extend(rows_of_them);
            }
        }
        found
    }

    /// The condition that fees meet; none where there are none.
    pub(super) fn condition(&self, scope: &Scope) -> Option<String> {
        let one = |(at, said): &(ColumnAt, Vec<String>)| {
            let said: Vec<&str> = said.iter().map(String::as_str).collect();
            format!("COALESCE({} IN ({}), FALSE)", scope.id_of(*at, &scope.name(*at)), words::listed(&said))
        };
        (!self.kinds.is_empty()).then(|| self.kinds.iter().map(one).collect::<Vec<_>>().join(" OR "))
    }

    /// Which lines are taken for fees, for a person.
    pub(super) fn note(&self, land: &Landscape) -> Option<String> {
        let told: Vec<String> = self.kinds.iter().map(|(at, said)| in_column(land, *at, said)).collect();
        (!told.is_empty()).then(|| format!("without fees, which the buyer does not owe: {}", told.join(", ")))
    }

    /// What a person must say of kinds that are below zero.
    pub(super) fn doubt(&self) -> Option<String> {
        (!self.unclear.is_empty()).then(|| {
            format!(
                "lines with {} are below zero: is it a discount, which the buyer does not pay, or a fee, which the merchant does? As drafted they are taken off; leave \
                 the lines of fees out of the sum",
                self.unclear.join(", ")
            )
        })
    }
}

fn in_column(land: &Landscape, at: ColumnAt, said: &[String]) -> String {
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    format!("{} in {:?}", words::listed(&said), land.column(at).name)
}

/// Whether a column says of what kind a line is.
fn says_kind(land: &Landscape, at: ColumnAt) -> bool {
    let (raw, name) = (land.column(at), land.column_name(at));
    let is_called_so = name.says(C::Kind) || raw.name.to_lowercase().contains("descri");
    is_called_so && (2..=MAX_STATES).contains(&raw.words.len())
}

/// Whether a word of a kind says that it is a fee.
fn is_fee(word: &str) -> bool {
    Name::of(word).says(C::Fee) || words::is_commission(word)
}
