//! The outcome of every row as conditions say it, and the rows of which they say nothing.

use std::collections::BTreeMap;
use std::fmt::Write;

use polars::prelude::*;

use super::file::TableFile;
use super::parse;
use crate::model::ModelError;
use crate::model::table::{Kind, Values};
use crate::source::{condition_columns, holds};

/// Who is bad, who is good, and who is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuledOutcome {
    /// Of the rows that are kept, whether they are bad.
    pub is_bad: Vec<bool>,
    /// Of all rows of the table, whether they are kept.
    pub kept: Vec<bool>,
    /// Columns that the conditions read: they know the outcome, and are no variables.
    pub columns: Vec<String>,
}

impl RuledOutcome {
    /// How many rows are left out, in words; `None` where none is.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let (all, bad) = (self.kept.len(), self.is_bad.iter().filter(|bad| **bad).count());
        let (left, good) = (all - self.is_bad.len(), self.is_bad.len() - bad);
        (left > 0)
            .then(|| format!("{left} of {all} rows are left out: neither bad ({bad} rows) nor good ({good} rows)"))
    }
}

/// Judges every row. Without `good` a row is good where `bad` is false. Where a null decides a condition, it does not hold.
///
/// # Errors
/// A condition cannot be read, a column is not there, a row is both, or all rows that are kept have one outcome.
pub fn ruled_outcome(file: &TableFile, bad: &str, good: Option<&str>) -> Result<RuledOutcome, ModelError> {
    let refuse = |option: &str| {
        let column = format!("--{option}");
        move |why: String| ModelError::BadTarget { column: column.clone(), why }
    };
    let mut columns = condition_columns(bad).map_err(refuse("bad"))?;
    if let Some(good) = good {
        columns.extend(condition_columns(good).map_err(refuse("good"))?);
    }
    columns.sort();
    columns.dedup();
    let cells: Vec<polars::prelude::Column> =
        columns.iter().map(|name| cells(file, name)).collect::<Result<_, ModelError>>()?;
    let rows = DataFrame::new(file.rows(), cells).map_err(|e| refuse("bad")(e.to_string()))?;
    let (rows, is_bad) = holds(bad, "rows", rows).map_err(refuse("bad"))?;
    let is_good = match good {
        Some(good) => holds(good, "rows", rows).map_err(refuse("good"))?.1,
        None => is_bad.iter().map(|bad| bad.map(|bad| !bad)).collect(),
    };
    let mut outcome = RuledOutcome { is_bad: Vec::new(), kept: Vec::with_capacity(file.rows()), columns };
    for (row, (bad, good)) in is_bad.iter().zip(is_good.iter()).enumerate() {
        let (bad, good) = (bad == Some(true), good == Some(true));
        if bad && good {
            return Err(refuse("good")(format!("row {} is bad and good: the two conditions overlap", row + 1)));
        }
        outcome.kept.push(bad || good);
        if bad || good {
            outcome.is_bad.push(bad);
        }
    }
    let bad_rows = outcome.is_bad.iter().filter(|bad| **bad).count();
    if bad_rows == 0 || bad_rows == outcome.is_bad.len() {
        let (kept, all) = (outcome.is_bad.len(), outcome.kept.len());
        return Err(refuse("bad")(format!(
            "of {kept} rows that are bad or good, out of {all}, {bad_rows} are bad: both outcomes are needed{}",
            words_of(file, &outcome.columns)?
        )));
    }
    Ok(outcome)
}

/// The words that columns of text hold, the most frequent first, as the end of a sentence.
fn words_of(file: &TableFile, columns: &[String]) -> Result<String, ModelError> {
    const SHOWN: usize = 8;
    let mut told = String::new();
    for name in columns {
        let cells = cells(file, name)?;
        let Ok(texts) = cells.str() else { continue };
        let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
        for text in texts.iter().flatten() {
            *rows.entry(text).or_default() += 1;
        }
        let mut words: Vec<_> = rows.into_iter().collect();
        words.sort_by_key(|(word, rows)| (std::cmp::Reverse(*rows), *word));
        let shown: Vec<String> = words.iter().take(SHOWN).map(|(word, rows)| format!("'{word}' ({rows})")).collect();
        let more = if words.len() > SHOWN { ", …" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(told, "; {name} holds {}{more}", shown.join(", "));
    }
    Ok(told)
}

/// A column as SQL sees it: numbers, or text as it stands in the file. Dates that a file writes as text are text in the form of ISO 8601, however it writes
/// them, so that they compare by time.
fn cells(file: &TableFile, name: &str) -> Result<polars::prelude::Column, ModelError> {
    let at = file.position(name)?;
    let is_date = file.kind(at).is_some_and(|(kind, _)| kind == Kind::Date);
    let as_text = if is_date { file.load(at, Some(Kind::Text)).ok().flatten() } else { None };
    let read = match as_text {
        Some(read) => Some(read),
        None => file.load(at, None)?,
    };
    let Some((column, _)) = read else {
        let why = "its type is nested or binary".to_owned();
        return Err(ModelError::BadTarget { column: name.to_owned(), why });
    };
    if is_date && let Values::Text(texts) = &column.values {
        let as_written = (0..texts.codes.len()).filter_map(|row| texts.get(row));
        if !as_written.clone().all(|cell| parse::date(cell).is_some()) {
            let days = file.load(at, Some(Kind::Date))?;
            let days = days.iter().flat_map(|(column, _)| match &column.values {
                Values::Number(days) => days.as_slice(),
                Values::Text(_) => &[],
            });
            let iso: StringChunked = days.map(|days| iso_text(*days)).collect();
            let (written, read) =
                (as_written.clone().next().unwrap_or_default(), iso.iter().flatten().next().unwrap_or_default());
            tracing::info!(column = name, "{written:?} is compared as {read:?}: conditions write dates so");
            return Ok(iso.with_name(name.into()).into_column());
        }
    }
    let series = match &column.values {
        Values::Number(numbers) => {
            numbers.iter().map(|n| (!n.is_nan()).then_some(*n)).collect::<Float64Chunked>().into_series()
        }
        Values::Text(texts) => {
            (0..texts.codes.len()).map(|row| texts.get(row)).collect::<StringChunked>().into_series()
        }
    };
    Ok(series.with_name(name.into()).into_column())
}

/// Days since 1970 as `2018-08-01`, with the time of day where there is one.
fn iso_text(days: f64) -> Option<String> {
    const SECONDS_PER_DAY: f64 = 86_400.0;
    if !days.is_finite() {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "seconds of the calendar's years; what lies beyond them is no time"
    )]
    let at = jiff::Timestamp::from_second((days * SECONDS_PER_DAY).round() as i64).ok()?;
    let at = jiff::tz::TimeZone::UTC.to_datetime(at);
    let form = if at.time() == jiff::civil::Time::midnight() { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S" };
    Some(at.strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::table::open_table;

    const LOANS: &str =
        "id,status,days,amount\n1,Paid,0,10\n2,Late,95,20\n3,Current,0,30\n4,Default,,40\n5,,5,50\n6,Paid,1,60\n";

    fn table() -> (tempfile::TempDir, TableFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loans.csv");
        std::fs::write(&path, LOANS).unwrap();
        let file = open_table(&path).unwrap();
        (folder, file)
    }

    #[test]
    fn rows_are_bad_good_or_left_out_and_what_is_left_out_is_in_no_column() {
        let (_folder, mut file) = table();
        let found = ruled_outcome(
            &file,
            "status IN ('Late', 'Default') AND (days > 90 OR days IS NULL)",
            Some("status = 'Paid'"),
        )
        .unwrap();
        assert_eq!(found.kept, [true, true, false, true, false, true]);
        assert_eq!(found.is_bad, [false, true, true, false]);
        assert_eq!(found.columns, ["days", "status"]);
        assert_eq!(found.note().unwrap(), "2 of 6 rows are left out: neither bad (2 rows) nor good (2 rows)");
        file.keep(found.kept);
        assert_eq!(file.rows(), 4);
        let amounts = file.load(file.position("amount").unwrap(), None).unwrap().unwrap().0;
        assert_eq!(amounts.values, Values::Number(vec![10.0, 20.0, 40.0, 60.0]));
        let mut seen = Vec::new();
        let wanted = [(file.position("status").unwrap(), Kind::Text)];
        file.for_each_block(&wanted, &mut |first, columns| {
            let Values::Text(texts) = &columns[0].values else { panic!("text was asked for") };
            seen.extend((0..texts.codes.len()).map(|row| (first + row, texts.get(row).map(str::to_owned))));
            Ok(())
        })
        .unwrap();
        let expected = ["Paid", "Late", "Default", "Paid"].map(|word| Some(word.to_owned()));
        assert_eq!(seen, expected.into_iter().enumerate().collect::<Vec<_>>());
    }

    #[test]
    fn without_good_what_is_not_bad_is_good_and_null_is_neither() {
        let (_folder, file) = table();
        let found = ruled_outcome(&file, "status = 'Late'", None).unwrap();
        assert_eq!(found.kept, [true, true, true, true, false, true]);
        assert_eq!(found.is_bad.iter().filter(|bad| **bad).count(), 1);
    }

    #[test]
    fn dates_compare_by_time_however_the_file_writes_them() {
        let folder = tempfile::tempdir().unwrap();
        let days = ["31.01.2019", "02.12.2018", "", "15.06.2021", "01.01.2020"];
        for (name, written) in [
            ("german.csv", days.map(str::to_owned)),
            (
                "iso.csv",
                days.map(|day| {
                    let parts: Vec<&str> = day.split('.').rev().collect();
                    parts.join("-")
                }),
            ),
        ] {
            let path = folder.path().join(name);
            let rows: Vec<String> = written.iter().enumerate().map(|(n, day)| format!("{n},{day}\n")).collect();
            std::fs::write(&path, format!("id,due\n{}", rows.concat())).unwrap();
            let found = ruled_outcome(&open_table(&path).unwrap(), "due >= '2019-06-01'", None).unwrap();
            assert_eq!(
                (found.is_bad, found.kept),
                (vec![false, false, true, true], vec![true, true, false, true, true]),
                "{name}"
            );
        }
    }

    #[test]
    fn conditions_that_cannot_be_meant_are_refused() {
        let (_folder, file) = table();
        for (bad, good, words) in [
            ("status = 'Late'", Some("days > 5"), "row 2 is bad and good"),
            ("state = 'Late'", None, "state"),
            ("status", None, "no condition"),
            ("status = 'Nobody'", None, "both outcomes are needed; status holds '"),
            ("COUNT(id) > 1", None, "more than one row"),
        ] {
            let error = ruled_outcome(&file, bad, good).unwrap_err().to_string();
            assert!(error.contains(words), "{bad}: {error}");
        }
    }
}
