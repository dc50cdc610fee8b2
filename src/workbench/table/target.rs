//! The outcome column of a table: two values, of which one is bad.

use std::collections::BTreeMap;

use super::file::TableFile;
use super::parse::number;
use crate::model::ModelError;
use crate::model::table::{Values, number_as_text};

/// Words that say "bad" whatever stands beside them.
const BAD_WORDS: [&str; 6] = ["bad", "default", "defaulted", "charged off", "event", "fraud"];
/// Words that say "bad" beside their contrary alone: 1 of 1 and 2 may be either.
const BAD_AND_GOOD: [(&str, &str); 6] =
    [("1", "0"), ("yes", "no"), ("y", "n"), ("true", "false"), ("b", "g"), ("positive", "negative")];

/// Reads a target column: `true` is bad. `positive` names the bad value where the values themselves do not say it.
///
/// # Errors
/// Missing values, one value only, more than two, or two of which neither is known to be the bad one.
pub fn read_target(file: &TableFile, name: &str, positive: Option<&str>) -> Result<(Vec<bool>, String), ModelError> {
    let at = file.position(name)?;
    let refuse = |why: String| ModelError::BadTarget { column: name.to_owned(), why };
    if file.rows() == 0 {
        return Err(refuse("the table has no rows".to_owned()));
    }
    let (column, _) = file
        .load(at, None)?
        .ok_or_else(|| refuse("its type is nested or binary; two values are needed, such as 0 and 1".to_owned()))?;
    let texts: Vec<Option<String>> = match &column.values {
        Values::Number(v) => v.iter().map(|&x| (!x.is_nan()).then(|| number_as_text(x))).collect(),
        Values::Text(t) => (0..t.codes.len()).map(|i| t.get(i).map(str::to_owned)).collect(),
    };
    let missing = texts.iter().filter(|t| t.is_none()).count();
    if missing > 0 {
        let first = texts.iter().position(Option::is_none).unwrap_or(0) + 1;
        return Err(refuse(format!(
            "{missing} rows have no outcome (the first is row {first}); leave out rows whose outcome is not known: --bad and --good in place of --target say \
             which rows have one"
        )));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts.iter().flatten() {
        *counts.entry(text.as_str()).or_default() += 1;
    }
    let shown = || {
        let mut list: Vec<String> = counts.iter().take(6).map(|(v, n)| format!("{v:?} ({n} rows)")).collect();
        if counts.len() > 6 {
            list.push(format!("… {} in all", counts.len()));
        }
        list.join(", ")
    };
    if let Some(second_name) = name_among_numbers(&texts, &counts) {
        return Err(refuse(format!(
            "it has {} values, {}: {second_name:?} of the first row looks like a name. Where the names stand in the second row, say skip_lines = 1 in a file beside the \
             table that is called as it is, with .toml behind",
            counts.len(),
            shown()
        )));
    }
    let bad = match (counts.len(), positive) {
        (1, _) => {
            return Err(refuse(format!("all rows have one value, {}: there is nothing to tell apart", shown())));
        }
        (n, _) if n > 2 => {
            return Err(refuse(format!(
                "it has {n} values, {}: exactly two are needed. Say who is bad and who is good: --bad \"{name} IN ('…')\" --good \"{name} = '…'\"",
                shown()
            )));
        }
        (_, Some(positive)) => {
            let same = |v: &str| v == positive || number(v).is_some_and(|x| number(positive) == Some(x));
            let found = counts.keys().find(|v| same(v)).map(|v| (*v).to_owned());
            found.ok_or_else(|| refuse(format!("the bad value {positive:?} does not occur; it has {}", shown())))?
        }
        (_, None) => {
            let has = |word: &str| counts.keys().any(|value| value.eq_ignore_ascii_case(word));
            let says_bad = |value: &str| {
                let is_one = |word: &&str| value.eq_ignore_ascii_case(word);
                BAD_WORDS.iter().any(is_one) || BAD_AND_GOOD.iter().any(|(bad, good)| is_one(bad) && has(good))
            };
            let matching: Vec<&&str> = counts.keys().filter(|value| says_bad(value)).collect();
            match matching.as_slice() {
                [one] => (**one).to_owned(),
                _ => {
                    return Err(refuse(format!("it has {}: say which of them is bad with --positive VALUE", shown())));
                }
            }
        }
    };
    let target = texts.iter().map(|t| t.as_deref() == Some(bad.as_str())).collect();
    Ok((target, bad))
}

/// The first cell, where it alone is no number among two others or more.
fn name_among_numbers<'a>(texts: &'a [Option<String>], counts: &BTreeMap<&str, usize>) -> Option<&'a str> {
    let first = texts.first()?.as_deref()?;
    let others_are_numbers = counts.keys().filter(|value| **value != first).all(|value| number(value).is_some());
    let is_alone = number(first).is_none() && counts.get(first) == Some(&1);
    (is_alone && others_are_numbers && counts.len() > 2).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::table::open_table;

    fn target_of(good: &str, bad: &str, positive: Option<&str>) -> Result<(Vec<bool>, String), ModelError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loans.csv");
        std::fs::write(&path, format!("id,outcome\n1,{good}\n2,{bad}\n3,{good}\n")).unwrap();
        read_target(&open_table(&path).unwrap(), "outcome", positive)
    }

    #[test]
    fn a_value_is_bad_where_both_values_say_so_or_a_person_does() {
        for (good, bad) in [("0", "1"), ("good", "Bad"), ("no", "yes"), ("N", "Y"), ("paid", "Charged Off")] {
            let (is_bad, value) = target_of(good, bad, None).unwrap();
            assert_eq!((is_bad, value.to_lowercase()), (vec![false, true, false], bad.to_lowercase()));
        }
        for (one, other) in [("1", "2"), ("-1", "1"), ("A", "B"), ("yes", "unknown")] {
            let why = target_of(one, other, None).unwrap_err().to_string();
            assert!(why.contains("--positive"), "{one}, {other}: {why}");
        }
        assert_eq!(target_of("1", "2", Some("2")).unwrap().0, [false, true, false]);
    }
}
