//! Money: `i64` minor units with a currency.
//!
//! | operation | returns |
//! |---|---|
//! | `a.plus(b)`, `a.minus(b)` | `Result<Money>`: overflow and mixed currencies are errors |
//! | `a.scaled_ppm(ppm)` | `Result<Money>`: `a × ppm / 1 000 000`, rounded half away from zero, computed in 128 bits |
//! | `a.floored_to(step)` | `Result<Money>`: the largest multiple of `step` not above `a`; `step` must be positive |
//! | `a.least(b)` | `Result<Money>`: the smaller; mixed currencies are an error |

use std::fmt;

use serde::{Deserialize, Serialize};

/// What money arithmetic refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit 64 bits of minor units.
    #[error("compute with money: {0} overflows 64-bit minor units")]
    Overflow(&'static str),
    /// Two currencies met in one operation.
    #[error("compute with money: {left} and {right} are different currencies")]
    MixedCurrencies {
        /// Currency of the left operand.
        left: Currency,
        /// Currency of the right operand.
        right: Currency,
    },
    /// Not three capital letters.
    #[error("read currency {0:?}: expected three capital letters such as \"CNY\"")]
    BadCurrency(String),
    /// A rounding step of zero or less.
    #[error("round money to a step of {0} minor units: the step must be positive")]
    BadStep(i64),
}

/// An ISO 4217 currency code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// # Errors
    /// Anything but three capital ASCII letters.
    pub fn new(code: &str) -> Result<Self, MoneyError> {
        match code.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|l| l.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(MoneyError::BadCurrency(code.to_owned())),
        }
    }

    /// The code as text.
    #[must_use]
    pub fn code(&self) -> String {
        self.0.iter().map(|&b| char::from(b)).collect()
    }

    /// Decimals of an amount in the main unit: 2, but for those currencies that ISO 4217 (list one, amendment 176) lists with others.
    #[must_use]
    pub const fn decimals(&self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// Minor units in one main unit: 100 fen to the yuan, 1 to the yen, 1,000 fils to the dinar.
    #[must_use]
    pub const fn minor_units(&self) -> i64 {
        10_i64.pow(self.decimals())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(code: String) -> Result<Self, MoneyError> {
        Self::new(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An amount of money in minor units (cents, fen).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` minor units of `currency`.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// # Errors
    /// Overflow or mixed currencies.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow("a sum"))?;
        Ok(Self { minor, ..self })
    }

    /// # Errors
    /// Overflow or mixed currencies.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow("a difference"))?;
        Ok(Self { minor, ..self })
    }

    /// `self × ppm / 1 000 000`, rounded half away from zero.
    ///
    /// # Errors
    /// Overflow.
    pub fn scaled_ppm(self, ppm: i64) -> Result<Self, MoneyError> {
        const MILLION: i128 = 1_000_000;
        let product = i128::from(self.minor) * i128::from(ppm);
        let rounded = (product + product.signum() * MILLION / 2) / MILLION;
        let minor = i64::try_from(rounded).map_err(|_| MoneyError::Overflow("a product"))?;
        Ok(Self { minor, ..self })
    }

    /// The largest multiple of `step` minor units that is not above `self`.
    ///
    /// # Errors
    /// A step of zero or less, or overflow below the smallest representable amount.
    pub fn floored_to(self, step: i64) -> Result<Self, MoneyError> {
        if step <= 0 {
            return Err(MoneyError::BadStep(step));
        }
        let minor = self.minor.checked_sub(self.minor.rem_euclid(step)).ok_or(MoneyError::Overflow("a rounding"))?;
        Ok(Self { minor, ..self })
    }

    /// The smaller of two amounts.
    ///
    /// # Errors
    /// Mixed currencies.
    pub fn least(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Ok(if other.minor < self.minor { other } else { self })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::MixedCurrencies { left: self.currency, right: other.currency })
        }
    }
}

/// The whole number at or below a value; `None` from 2⁵³ on, where `f64` no longer holds every one.
#[expect(clippy::cast_possible_truncation, reason = "checked against the range in which f64 holds whole numbers")]
#[must_use]
pub fn whole(value: f64) -> Option<i64> {
    (value.abs() < 9_007_199_254_740_992.0).then(|| value.floor() as i64)
}

/// A whole number with thousands separators, for people: `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for Money {
    /// The currency's decimals and thousands separators: `1,234.50 CNY`, `1,235 JPY`, `1,234.500 KWD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (magnitude, units) = (self.minor.unsigned_abs(), self.currency.minor_units().unsigned_abs());
        let sign = if self.minor < 0 { "-" } else { "" };
        write!(f, "{sign}{}", grouped(magnitude / units))?;
        match self.currency.decimals() {
            0 => {}
            decimals => write!(f, ".{:0width$}", magnitude % units, width = decimals as usize)?,
        }
        write!(f, " {}", self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::new("CNY").unwrap())
    }

    #[test]
    fn arithmetic_is_checked() {
        assert_eq!(cny(1).plus(cny(2)).unwrap(), cny(3));
        assert_eq!(cny(i64::MAX).plus(cny(1)), Err(MoneyError::Overflow("a sum")));
        assert_eq!(cny(i64::MIN).minus(cny(1)), Err(MoneyError::Overflow("a difference")));
        let brl = Money::new(1, Currency::new("BRL").unwrap());
        assert!(matches!(cny(1).plus(brl), Err(MoneyError::MixedCurrencies { .. })));
        assert!(matches!(cny(1).least(brl), Err(MoneyError::MixedCurrencies { .. })));
    }

    #[test]
    fn scaling_rounds_half_away_from_zero() {
        assert_eq!(cny(1_000).scaled_ppm(500).unwrap(), cny(1));
        assert_eq!(cny(-1_000).scaled_ppm(500).unwrap(), cny(-1));
        assert_eq!(cny(999).scaled_ppm(500).unwrap(), cny(0));
        assert_eq!(cny(i64::MAX).scaled_ppm(1_000_001), Err(MoneyError::Overflow("a product")));
    }

    #[test]
    fn flooring_goes_down_for_negatives_too() {
        assert_eq!(cny(12_345).floored_to(1_000).unwrap(), cny(12_000));
        assert_eq!(cny(-1).floored_to(1_000).unwrap(), cny(-1_000));
        assert_eq!(cny(1).floored_to(0), Err(MoneyError::BadStep(0)));
    }

    #[test]
    fn displays_grouped() {
        assert_eq!(cny(123_456_789).to_string(), "1,234,567.89 CNY");
        assert_eq!(cny(-5).to_string(), "-0.05 CNY");
    }

    #[test]
    fn every_currency_has_its_own_decimals() {
        let shown = |code: &str, minor: i64| Money::new(minor, Currency::new(code).unwrap()).to_string();
        assert_eq!(shown("JPY", 1_234_567), "1,234,567 JPY");
        assert_eq!(shown("JPY", -5), "-5 JPY");
        assert_eq!(shown("KWD", 1_234_567), "1,234.567 KWD");
        assert_eq!(shown("BHD", -5), "-0.005 BHD");
        assert_eq!(shown("CLF", 12_345), "1.2345 CLF");
        assert_eq!(shown("CNY", i64::MIN), "-92,233,720,368,547,758.08 CNY");
    }

    #[test]
    fn currency_is_three_capitals() {
        assert!(Currency::new("cny").is_err());
        assert!(Currency::new("CNYX").is_err());
    }
}
