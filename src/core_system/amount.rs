//! Amounts and days as a core system writes them.

use crate::source::plain_number;

/// The most an amount may be, in minor units: what the contract allows a payment.
const MOST: i64 = 1_000_000_000_000_000;

/// Decimals from which on digits are taken for the noise of a binary fraction.
const NOISE_DECIMALS: usize = 6;

/// A decimal number in units of `10^-decimals`: `1,234.50` with two decimals is 123450. Commas may stand between thousands, zeros after the last
/// decimal; `0.30000000000000004` is 0.30, for many systems keep money as binary fractions. `None` for anything else.
pub fn scaled(cell: &str, decimals: u32) -> Option<i64> {
    let plain = plain_number(cell.trim(), '.', Some(','))?;
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = usize::try_from(decimals).ok()?;
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let rest = fraction.get(decimals..).unwrap_or_default();
    let mut value: i64 = format!("{whole}{kept}").parse().ok().filter(|value| *value <= MOST)?;
    let (near, far) = rest.split_at(rest.len().min(NOISE_DECIMALS));
    match near {
        "" => {}
        zeros if zeros.bytes().all(|digit| digit == b'0') => {}
        // 0.29999999999999998: the next unit, but for the noise.
        nines if nines.len() == NOISE_DECIMALS && !far.is_empty() && nines.bytes().all(|digit| digit == b'9') => {
            value += 1;
        }
        _ => return None,
    }
    Some(sign * value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_minor_units() {
        for (cell, decimals, value) in [
            ("1234.50", 2, Some(123_450)),
            ("1,234.5", 2, Some(123_450)),
            (" -0.07 ", 2, Some(-7)),
            ("+12", 0, Some(12)),
            ("12.000", 0, Some(12)),
            ("12.5", 0, None),
            ("0.30000000000000004", 2, Some(30)),
            ("0.29999999999999998", 2, Some(30)),
            ("0.305", 2, None),
            ("0.299999", 2, None),
            (".5", 2, Some(50)),
            ("", 2, None),
            ("-", 2, None),
            ("n.v.", 2, None),
            ("1e6", 2, None),
            ("12,34", 2, None),
            ("10000000000000.01", 2, None),
            ("99999999999999999999", 0, None),
        ] {
            assert_eq!(scaled(cell, decimals), value, "{cell} with {decimals} decimals");
        }
    }
}
