//! Which columns refer to which: the values of one are found in a key of another table.

use std::collections::HashSet;

use super::column::{RawColumn, ValueKind};
use super::table::RawTable;

/// A column of a table, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnAt {
    /// The table.
    pub table: usize,
    /// The column.
    pub column: usize,
}

/// A column whose values are found in a key of another table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference {
    /// Who refers.
    pub from: ColumnAt,
    /// The key referred to.
    pub to: ColumnAt,
    /// Share of the referring column's different values that the key has.
    pub coverage: f64,
}

/// Below this share of values found, two columns with different names have nothing to do with each other.
const MIN_COVERAGE: f64 = 0.5;
/// The same for columns of one name.
const MIN_COVERAGE_OF_NAMESAKES: f64 = 0.05;
/// Values shorter than this meet by chance: numbers counted from 1, codes of two letters.
const MIN_LENGTH: usize = 6;

/// All references between tables.
#[must_use]
pub(super) fn references(tables: &[RawTable]) -> Vec<Reference> {
    // Different values of every column that could refer or be referred to.
    let different: Vec<Vec<HashSet<u64>>> = tables
        .iter()
        .map(|table| {
            let named = |c: &RawColumn| c.is_like_an_id() && !c.is_list;
            table.columns.iter().map(|c| if named(c) { c.different() } else { HashSet::new() }).collect()
        })
        .collect();
    let columns = || {
        tables.iter().zip(&different).enumerate().flat_map(|(n, (table, sets))| {
            table
                .columns
                .iter()
                .zip(sets)
                .enumerate()
                .map(move |(c, (column, set))| (ColumnAt { table: n, column: c }, table, column, set))
        })
    };
    let mut found = Vec::new();
    for (to, to_table, key, keys) in columns().filter(|(_, _, c, _)| c.is_key() && c.is_like_an_id()) {
        for (from, from_table, column, values) in
            columns().filter(|(at, _, _, set)| at.table != to.table && !set.is_empty())
        {
            let are_namesakes = are_namesakes(&from_table.name, &column.name, &to_table.name, &key.name);
            let by_chance = key.longest < MIN_LENGTH || key.distinct < 2;
            if !are_namesakes && (by_chance || is_narrow(column, key)) {
                continue;
            }
            let coverage = values.iter().filter(|value| keys.contains(value)).count() as f64 / values.len() as f64;
            let least = if are_namesakes { MIN_COVERAGE_OF_NAMESAKES } else { MIN_COVERAGE };
            if coverage >= least {
                found.push(Reference { from, to, coverage });
            }
        }
    }
    found
}

/// Whether whole numbers lie so close together in the range of a key that counts its rows that they are found there whatever they mean: years, counts, and the numbers of something
/// of which there are fewer.
fn is_narrow(column: &RawColumn, key: &RawColumn) -> bool {
    /// Of the key's range the numbers of what refers to it spread over so much, or more.
    const LEAST: f64 = 0.02;
    let span = |column: &RawColumn| column.numbers.range.1 - column.numbers.range.0 + 1.0;
    let are_whole = column.kind == ValueKind::Whole && key.kind == ValueKind::Whole;
    let is_dense = key.distinct as f64 * 2.0 >= span(key) || column.distinct as f64 * 3.0 >= span(column);
    are_whole && is_dense && span(column) < LEAST * span(key)
}

/// `store_id` and `store_id`, or `store_id` (or `store`) and the `id` of `stores`.
fn are_namesakes(from_table: &str, from: &str, to_table: &str, to: &str) -> bool {
    let (from, to) = (words(from), words(to));
    if from == to {
        // `id` and `id` of two tables are two things.
        return from.len() > 1
            || words(from_table) == words(to_table)
            || to.iter().any(|w| words(to_table).contains(w));
    }
    let table = words(to_table);
    let names_table = from.iter().any(|word| table.contains(word));
    let rest = |words: &[String]| -> Vec<String> { words.iter().filter(|w| !table.contains(w)).cloned().collect() };
    names_table && (rest(&from) == rest(&to) || rest(&from).is_empty())
}

/// Lowercase words of a name, without the endings of plurals.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        let begins = !before.is_alphanumeric() || (c.is_uppercase() && before.is_lowercase());
        if c.is_alphanumeric() {
            match words.last_mut().filter(|_| !begins) {
                Some(word) => word.extend(c.to_lowercase()),
                None => words.push(c.to_lowercase().collect()),
            }
        }
        before = c;
    }
    // `stores` and `store`, `filialen` and `filiale`: endings of plurals do not count.
    let stem = |word: String| {
        let mut stem = word.as_str();
        for ending in ["s", "n", "e"] {
            stem = stem.strip_suffix(ending).filter(|short| short.chars().count() > 3).unwrap_or(stem);
        }
        stem.to_owned()
    };
    words.into_iter().map(stem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namesakes() {
        assert!(are_namesakes("orders", "store_id", "stores", "id"));
        assert!(are_namesakes("orders", "store", "stores", "id"));
        assert!(are_namesakes("einkaeufe", "Filiale", "filialen", "Nr"));
        assert!(are_namesakes("orders", "StoreId", "stores", "store_id"));
        assert!(are_namesakes("items", "order_id", "reviews", "order_id"));
        assert!(!are_namesakes("orders", "id", "stores", "id"), "each counts from 1");
        assert!(!are_namesakes("orders", "quantity", "stores", "id"));
    }

    #[test]
    fn numbers_close_together_are_found_in_a_key_by_chance() {
        let column = |numbers: &mut dyn Iterator<Item = usize>| {
            let cells: Vec<String> = numbers.map(|number| number.to_string()).collect();
            RawColumn::of_texts("number", &cells.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let mut orders = column(&mut (1..=50_000).chain([5_000_000]));
        assert!(is_narrow(&column(&mut (1_000..1_300).step_by(2)), &orders), "stores");
        assert!(!is_narrow(&column(&mut (3..50_000).step_by(700)), &column(&mut (1..=50_000))), "orders of all days");
        orders.kind = ValueKind::Text;
        assert!(!is_narrow(&column(&mut (1_000..1_300)), &orders), "no numbers");
    }
}
