//! A column as segments: levels as they are, dates by month, numbers by themselves or, where they are many, in five bands.

use crate::domain::date_of_days;
use crate::model::ModelError;
use crate::model::table::{Kind, Values, number_as_text};
use crate::workbench::table::TableFile;
use crate::workbench::validation::band_labels;

/// Distinct numbers that are still segments of their own.
const MOST_NUMBERS: usize = 20;

/// The segment of every row; `None` where the value is missing.
///
/// # Errors
/// The column is not there, or holds nested values.
pub fn segments(file: &TableFile, column: &str) -> Result<Vec<Option<String>>, ModelError> {
    let at = file.position(column)?;
    let unusable = || ModelError::CannotMeasure { why: format!("column {column:?} holds nested or binary values") };
    let (kind, _) = file.kind(at).ok_or_else(unusable)?;
    let (loaded, _) = file.load(at, Some(kind))?.ok_or_else(unusable)?;
    let numbers = match loaded.values {
        Values::Text(text) => return Ok((0..text.codes.len()).map(|row| text.get(row).map(str::to_owned)).collect()),
        Values::Number(days) if kind == Kind::Date => return Ok(days.into_iter().map(month).collect()),
        Values::Number(numbers) => numbers,
    };
    let known = |v: &f64| (!v.is_nan()).then_some(*v);
    let mut distinct: Vec<f64> = numbers.iter().filter_map(known).collect();
    distinct.sort_unstable_by(f64::total_cmp);
    let sorted = distinct.clone();
    distinct.dedup();
    if distinct.len() <= MOST_NUMBERS {
        return Ok(numbers.iter().map(|v| known(v).map(number_as_text)).collect());
    }
    let mut bounds: Vec<f64> = (1..5).filter_map(|i| sorted.get(i * sorted.len() / 5).copied()).collect();
    bounds.dedup();
    let values: Vec<Option<f64>> = numbers.iter().map(known).collect();
    band_labels(&values, &bounds).map_err(|e| ModelError::CannotMeasure { why: format!("column {column:?}: {e}") })
}

/// `YYYY-MM` of a day since 1970-01-01.
fn month(days: f64) -> Option<String> {
    if !days.is_finite() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a day beyond the calendar is not a date, and none comes out")]
    let date = date_of_days(days.floor() as i64)?;
    Some(format!("{:04}-{:02}", date.year(), date.month()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::table::open_table;

    #[test]
    fn levels_months_numbers_and_bands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        let mut text = String::from("level,day,few,many\n");
        for i in 0..100 {
            let (level, few) = (["a", "", "x y"][i % 3], i % 4);
            text.push_str(&[level, ",2024-0", &(1 + i % 2).to_string(), "-07,"].concat());
            text.push_str(&[few.to_string(), ",".to_owned(), i.to_string(), "\n".to_owned()].concat());
        }
        std::fs::write(&path, text).unwrap();
        let file = open_table(&path).unwrap();
        let distinct = |column: &str| {
            let mut found = segments(&file, column).unwrap();
            found.sort();
            found.dedup();
            found.into_iter().map(|s| s.unwrap_or_else(|| "?".to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(distinct("level"), ["?", "a", "x y"]);
        assert_eq!(distinct("day"), ["2024-01", "2024-02"]);
        assert_eq!(distinct("few"), ["0", "1", "2", "3"]);
        assert_eq!(distinct("many"), ["1: < 20", "2: 20 ≤ … < 40", "3: 40 ≤ … < 60", "4: 60 ≤ … < 80", "5: ≥ 80"]);
        assert!(segments(&file, "nothing").is_err());
    }
}
