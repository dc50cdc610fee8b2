//! Columns of a card that look like ids or running numbers: whole numbers of which nearly every row has its own.

use std::collections::HashSet;

use crate::model::ModelError;
use crate::model::table::{Kind, TrainingTable, Values};

/// Of the rows that have a value, so many have one of their own.
const NEARLY_ALL: f64 = 0.99;
/// Of fewer rows any number may be different by chance.
const MIN_ROWS: usize = 50;
/// Numbers that count rows lie within so many times as many.
const DENSE: f64 = 10.0;
/// Numbers of accounts and the like are no lower, and all have as many digits.
const LEAST_CODE: f64 = 100_000.0;
/// Amounts and days have fewer digits.
const LEAST_LONG_CODE: f64 = 1e10;
/// What ids are called.
const ID_WORDS: [&str; 10] = ["id", "no", "nr", "num", "number", "key", "ref", "code", "account", "index"];

/// Says of each variable of a card that looks like an id or a running number that it does.
///
/// # Errors
/// A column cannot be read.
pub fn running_number_notes<'a>(
    table: &TrainingTable,
    used: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>, ModelError> {
    let used: HashSet<&str> = used.into_iter().collect();
    let mut told = Vec::new();
    for i in 0..table.features.len() {
        let name = table.features.name(i);
        let is_number = matches!(table.features.kind(i), Some((Kind::Number, _)));
        if !used.contains(name.as_str()) || !is_number {
            continue;
        }
        let column = table.features.whole(i, Kind::Number)?;
        let Values::Number(numbers) = &column.values else { continue };
        if let Some(why) = why_an_id(&name, numbers) {
            told.push(format!(
                "variable {name:?} looks like an id or a running number: {why}; where it counts up with time, rows to come get points that nobody like them has \
                 earned: train with --drop {name} unless it says something of the borrower"
            ));
        }
    }
    Ok(told)
}

/// Why numbers look like ids, where they do: nearly every row has its own, or they are long codes, which several rows of one loan share.
fn why_an_id(name: &str, numbers: &[f64]) -> Option<String> {
    let there: Vec<f64> = numbers.iter().copied().filter(|n| !n.is_nan()).collect();
    let is_whole = |n: &f64| n.fract().abs() < f64::EPSILON;
    if there.len() < MIN_ROWS || !there.iter().all(is_whole) {
        return None;
    }
    let different: HashSet<u64> = there.iter().map(|n| n.to_bits()).collect();
    let share = different.len() as f64 / there.len() as f64;
    let (lowest, highest) =
        there.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), n| (low.min(*n), high.max(*n)));
    let digits = |n: f64| format!("{n:.0}").len();
    let are_dense = highest - lowest < DENSE * there.len() as f64;
    let are_codes = lowest >= LEAST_CODE && digits(lowest) == digits(highest);
    let lower = name.to_lowercase();
    let is_called_so = lower.split(|c: char| !c.is_alphanumeric()).any(|word| ID_WORDS.contains(&word));
    if share >= NEARLY_ALL && (are_dense || are_codes || is_called_so) {
        return Some(format!("{:.1} % of the rows have a whole number of their own", 100.0 * share));
    }
    let are_long_codes = lowest >= LEAST_LONG_CODE && digits(lowest) == digits(highest) && different.len() >= MIN_ROWS;
    are_long_codes.then(|| {
        let (codes, rows, digits) = (different.len(), there.len(), digits(lowest));
        format!("{codes} whole numbers of {digits} digits in {rows} rows, as several rows of one loan have")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_counts_of_rows_are_told_from_amounts() {
        let numbers = |of: &dyn Fn(u32) -> f64| (0..500).map(of).collect::<Vec<f64>>();
        let amounts = numbers(&|n| f64::from(n * 7919 % 104_729) * f64::from(n % 97 + 1));
        for (name, values, expected) in [
            ("row", numbers(&|n| f64::from(n + 1)), true),
            ("seq", numbers(&|n| 7_000.0 + 3.0 * f64::from(n)), true),
            ("member", numbers(&|n| 100_000.0 + f64::from(n * 1_607 % 800_000)), true),
            ("loan_id", amounts.clone(), true),
            ("income", amounts, false),
            ("age", numbers(&|n| f64::from(20 + n % 50)), false),
            ("rate", numbers(&|n| f64::from(n) + 0.5), false),
            ("column_2", numbers(&|n| 100_000_000_000.0 + 7.0 * f64::from(n / 5)), true),
            ("seconds", numbers(&|n| 1_500_000_000.0 + 86_400.0 * f64::from(n / 5)), false),
        ] {
            assert_eq!(why_an_id(name, &values).is_some(), expected, "{name}");
        }
        assert_eq!(why_an_id("id", &[1.0, 2.0, 3.0]), None);
    }
}
