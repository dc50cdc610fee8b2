//! What a cell of a CSV file says: missing, number, date or text.

use jiff::civil::Date;

use crate::domain::days_since_epoch;

/// Words that mean "no value" in files as they come.
pub(crate) const MISSING_WORDS: [&str; 12] =
    ["", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "<na>", "-nan", "\\n", "missing"];

/// Whether a cell says that there is no value.
#[must_use]
pub fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    cell.len() <= 7 && MISSING_WORDS.iter().any(|w| cell.eq_ignore_ascii_case(w))
}

/// A number as written in data files: `12`, `-3.5`, `1e6`, `inf`. Booleans count as 0 and 1. No thousands separators.
#[must_use]
pub fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    match cell.as_bytes().first()? {
        b'0'..=b'9' | b'-' | b'+' | b'.' | b'i' | b'I' => cell.parse::<f64>().ok().filter(|v| !v.is_nan()),
        b't' | b'T' if cell.eq_ignore_ascii_case("true") => Some(1.0),
        b'f' | b'F' if cell.eq_ignore_ascii_case("false") => Some(0.0),
        _ => None,
    }
}

/// A date or an instant, as days since 1970-01-01 (fractional where there is a time of day).
#[must_use]
pub fn date(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    if cell.len() < 8 || !cell.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    if let Ok(date) = cell.parse::<Date>()
        && cell.len() <= 10
    {
        return Some(f64::from(days_since_epoch(date)));
    }
    let moment = cell.strip_suffix('Z').unwrap_or(cell).replacen(' ', "T", 1).parse::<jiff::civil::DateTime>().ok()?;
    let time = moment.time();
    let seconds = f64::from(time.hour()) * 3_600.0 + f64::from(time.minute()) * 60.0 + f64::from(time.second());
    Some(f64::from(days_since_epoch(moment.date())) + seconds / 86_400.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_say_what_they_are() {
        assert!(is_missing(" NA ") && is_missing("") && is_missing("NaN") && !is_missing("none such"));
        assert_eq!(number("-9"), Some(-9.0));
        assert_eq!(number("inf"), Some(f64::INFINITY));
        assert_eq!(number("TRUE"), Some(1.0));
        assert_eq!(number("1,000"), None);
        assert_eq!(number("nan"), None);
        assert_eq!(date("1970-01-02"), Some(1.0));
        assert_eq!(date("1970-01-01T12:00:00"), Some(0.5));
        assert_eq!(date("1970-01-01 12:00:00"), Some(0.5));
        assert_eq!(date("12345678"), None, "eight digits are a number, not a date");
    }
}
