//! Numbers as people write them, as numbers that a program reads.

/// A number without thousands marks and with a decimal point: `1.234,50` with a decimal comma and points between thousands is `1234.50`.
/// A minus may stand behind, as books of accounts write it: `12.50-`. `None` where the cell is not such a number.
pub(crate) fn plain_number(cell: &str, decimal: char, thousands: Option<char>) -> Option<String> {
    if let Some(unsigned) = cell.strip_suffix('-') {
        // `12,-` is a price without cents.
        let is_number =
            unsigned.starts_with(|c: char| c.is_ascii_digit()) && unsigned.ends_with(|c: char| c.is_ascii_digit());
        return is_number
            .then(|| plain_number(unsigned, decimal, thousands))
            .flatten()
            .map(|plain| format!("-{plain}"));
    }
    let (whole, fraction) = cell.split_once(decimal).map_or((cell, None), |(whole, f)| (whole, Some(f)));
    let whole = match thousands {
        None => whole.to_owned(),
        Some(mark) => {
            let groups: Vec<&str> = whole.split(mark).collect();
            let sound = |first: usize, middle: usize| {
                groups.iter().enumerate().all(|(at, g)| {
                    let digits = g.trim_start_matches('-').len();
                    // No thousands begin with a zero.
                    if at == 0 {
                        (1..=first).contains(&digits) && !g.trim_start_matches('-').starts_with('0')
                    } else {
                        digits == if at + 1 == groups.len() { 3 } else { middle }
                    }
                })
            };
            // Groups of three, or as in India of two before the last: `12,34,567`.
            let is_sound = sound(3, 3) || (mark == ',' && sound(2, 2));
            if groups.len() > 1 && !is_sound {
                return None;
            }
            groups.concat()
        }
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(&whole);
    if !digits(unsigned) || fraction.is_some_and(|f| !digits(f)) || (unsigned.is_empty() && fraction.is_none()) {
        return None;
    }
    Some(fraction.map_or_else(|| whole.clone(), |f| format!("{whole}.{f}")))
}

/// A cell of a file with decimal commas, where it is a number that a decimal point would write otherwise. Thousands may be marked by a point,
/// a blank or an apostrophe. `0.123` is left as it is: no thousands begin with a zero.
pub(super) fn with_decimal_point(cell: &str) -> Option<String> {
    const MARKS: [char; 5] = ['.', ' ', '\u{a0}', '\u{202f}', '\''];
    let bare = cell.trim();
    let digits = bare.strip_prefix(['-', '+']).unwrap_or(bare);
    let is_plain = || !digits.contains([',', '.', ' ', '\u{a0}', '\u{202f}', '\'']) && !digits.ends_with('-');
    if !digits.as_bytes().first()?.is_ascii_digit() || is_plain() {
        return None;
    }
    if let Some(plain) = plain_number(bare, ',', None) {
        return Some(plain);
    }
    let begins_with_zero = digits.starts_with('0');
    MARKS.into_iter().filter(|_| !begins_with_zero).find_map(|mark| plain_number(bare, ',', Some(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_in_groups_of_three_or_as_in_india() {
        for (cell, plain) in [
            ("1,234.50", Some("1234.50")),
            ("1,50,000.00", Some("150000.00")),
            ("12,34,56,789", Some("123456789")),
            ("-1,50,000", Some("-150000")),
            ("123,45,678", None),
            ("1,50,00", None),
            ("1,5000", None),
            ("1,234.50-", Some("-1234.50")),
            ("-12-", None),
            ("-", None),
        ] {
            assert_eq!(plain_number(cell, '.', Some(',')).as_deref(), plain, "{cell}");
        }
        assert_eq!(plain_number("1.50.000", ',', Some('.')), None);
    }

    #[test]
    fn decimal_commas_become_points() {
        for (cell, plain) in [
            ("12,5", Some("12.5")),
            ("-1.234,50", Some("-1234.50")),
            ("1.234,50-", Some("-1234.50")),
            ("12-", Some("-12")),
            ("12-34", None),
            ("12,-", None),
            ("1.234.567", Some("1234567")),
            ("1 234,00", Some("1234.00")),
            ("1\u{a0}234", Some("1234")),
            ("0,25", Some("0.25")),
            ("1234", None),
            ("0.123", None),
            ("12.5", None),
            ("01.02.2018", None),
            ("1,2,3", None),
            ("a,5", None),
            ("2018-01-02 10:00:00", None),
            (",", None),
            ("", None),
        ] {
            assert_eq!(with_decimal_point(cell).as_deref(), plain, "{cell}");
        }
    }
}
