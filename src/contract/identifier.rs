//! What an identifier is.

/// The most characters of an id.
const LONGEST_ID: usize = 256;

/// Whether a text can be an id: two that look the same are the same, and it is no number that has lost digits on its way, which may be that of several things.
#[must_use]
pub fn is_id(text: &str) -> bool {
    // Far the most ids are short and of visible ASCII characters.
    if text.len() <= LONGEST_ID && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return !text.is_empty() && !text.starts_with(' ') && !text.ends_with(' ') && !has_lost_digits(text);
    }
    text.chars().count() <= LONGEST_ID && text.trim().len() == text.len() && !text.chars().any(is_unseen)
}

/// Control characters, and those of Unicode that only say how others are set.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fffd}'
        )
}

/// Whole numbers from here on are not all doubles.
const EXACT_DOUBLE: f64 = 9_007_199_254_740_992.0;

/// Whether a text is a large number in powers of ten, as doubles and sheets write what no longer has all of its digits: `1.23457E+18`.
fn has_lost_digits(text: &str) -> bool {
    text.contains(['e', 'E'])
        && text.contains(['.', '+'])
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'e' | b'E' | b'.' | b'+' | b'-'))
        && text.parse::<f64>().is_ok_and(|number| number.abs() >= EXACT_DOUBLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_apart_by_eye_or_has_lost_digits_is_no_id() {
        let longest = "x".repeat(LONGEST_ID);
        for id in ["M1", "a b", "12345678901234567890", "12e45", "商户-7", "ü", "-5", "1.5", longest.as_str()] {
            assert!(is_id(id), "{id}");
        }
        let too_long = "é".repeat(LONGEST_ID + 1);
        for text in [
            "",
            " ",
            "M1 ",
            "\u{a0}M1",
            "M\t1",
            "M1\0",
            "M\u{200b}1",
            "M\u{fffd}",
            "1.23457E+18",
            "9.007199254740992e15",
            too_long.as_str(),
        ] {
            assert!(!is_id(text), "{text:?}");
        }
    }
}
