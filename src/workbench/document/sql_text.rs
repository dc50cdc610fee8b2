//! SQL as text: names, literals and numbers that stay what they are, whatever they hold.

use super::error::DocumentError;

/// A quoted identifier.
///
/// # Errors
/// An empty name or one with a null character.
pub(super) fn quoted(name: &str) -> Result<String, DocumentError> {
    let refuse = |reason| Err(DocumentError::BadName { name: name.to_owned(), reason });
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.contains('\0') {
        return refuse("it holds a null character");
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A text literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A number that every engine reads as a double, digit for digit: without an exponent some read a decimal, without a point some an integer.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:e}");
    if value.is_finite() {
        if text.contains('.') { text } else { text.replace('e', ".0e") }
    } else {
        let word = if value > 0.0 { "Infinity" } else { "-Infinity" };
        format!("CAST('{word}' AS DOUBLE PRECISION)")
    }
}

/// Text that may stand in a comment: a line break in a column's name would end it.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_literals_and_numbers_stay_themselves() {
        assert_eq!(quoted("a \"b\"").unwrap(), "\"a \"\"b\"\"\"");
        assert!(quoted("a\0").is_err() && quoted("").is_err());
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(number(0.125), "1.25e-1");
        assert_eq!(number(0.1), "1.0e-1");
        assert_eq!(number(-8.0), "-8.0e0");
        assert_eq!(number(f64::NEG_INFINITY), "CAST('-Infinity' AS DOUBLE PRECISION)");
        assert_eq!(comment("a\n; DROP TABLE b\u{2028}"), "a ; DROP TABLE b ");
    }
}
