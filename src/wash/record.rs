//! Cells and rows as text: the evidence in quarantine, and what orders conflicting versions.

use jiff::Timestamp;
use polars::prelude::*;

use crate::domain::date_of_days;

/// A cell as a person would write it; `None` for null.
pub(crate) fn cell_text(column: &Column, row: usize) -> PolarsResult<Option<String>> {
    Ok(match column.get(row)? {
        AnyValue::Null => None,
        AnyValue::String(text) => Some(text.to_owned()),
        AnyValue::StringOwned(text) => Some(text.to_string()),
        AnyValue::Datetime(micros, TimeUnit::Microseconds, _)
        | AnyValue::DatetimeOwned(micros, TimeUnit::Microseconds, _) => Some(instant_text(micros)),
        AnyValue::Date(days) => Some(day_text(days)),
        AnyValue::List(cells) => {
            let cells = cells.str()?.iter().map(|c| c.unwrap_or("")).collect::<Vec<_>>();
            Some(cells.join(";"))
        }
        other => Some(other.to_string()),
    })
}

/// The named cells of a row as one JSON object: text as it is, numbers as text, nulls as null; keys in alphabetical order.
pub(crate) fn record_json(frame: &DataFrame, names: &[&str], row: usize) -> PolarsResult<String> {
    let mut record = serde_json::Map::with_capacity(names.len());
    for &name in names {
        let value = match cell_text(frame.column(name)?, row)? {
            Some(text) => serde_json::Value::String(text),
            None => serde_json::Value::Null,
        };
        record.insert(name.to_owned(), value);
    }
    Ok(serde_json::Value::Object(record).to_string())
}

/// The key's cells, joined; `None` where every part is null.
pub(crate) fn key_text(frame: &DataFrame, key: &[&str], row: usize) -> PolarsResult<Option<String>> {
    let parts =
        key.iter().map(|name| cell_text(frame.column(name)?, row)).collect::<PolarsResult<Vec<Option<String>>>>()?;
    Ok(parts
        .iter()
        .any(Option::is_some)
        .then(|| parts.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().join("|")))
}

fn instant_text(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |instant| instant.to_string())
}

fn day_text(days: i32) -> String {
    date_of_days(i64::from(days)).map_or_else(|| days.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_like_the_source() {
        let frame = df!("a" => [Some("x"), None], "n" => [1_i64, 2]).unwrap();
        assert_eq!(record_json(&frame, &["a", "n"], 0).unwrap(), r#"{"a":"x","n":"1"}"#);
        assert_eq!(record_json(&frame, &["a", "n"], 1).unwrap(), r#"{"a":null,"n":"2"}"#);
        assert_eq!(key_text(&frame, &["a", "n"], 1).unwrap().as_deref(), Some("|2"));
        assert_eq!(key_text(&frame, &["a"], 1).unwrap(), None);
        assert_eq!(instant_text(1_533_126_600_000_000), "2018-08-01T12:30:00Z");
        assert_eq!(day_text(17_744), "2018-08-01");
    }
}
