//! Money: `i64` minor units with a currency, as people read it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Codes of ISO 4217, with those that were withdrawn of late.
const CODES: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF \
                     CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL \
                     HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD \
                     MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR \
                     SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW \
                     UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL";

/// Text that is not a currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read currency {0:?}: expected three capital letters such as \"CNY\"")]
pub struct CurrencyError(String);

/// An ISO 4217 currency code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// # Errors
    /// Anything but three capital ASCII letters.
    pub fn new(code: &str) -> Result<Self, CurrencyError> {
        match code.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|l| l.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(CurrencyError(code.to_owned())),
        }
    }

    /// The codes of ISO 4217.
    pub(crate) fn listed() -> impl Iterator<Item = &'static str> {
        CODES.split_ascii_whitespace()
    }

    /// Whether a text is a code of ISO 4217.
    #[must_use]
    pub fn is_listed(code: &str) -> bool {
        Self::listed().any(|listed| listed == code)
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
    type Error = CurrencyError;
    fn try_from(code: String) -> Result<Self, CurrencyError> {
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

/// A count with its noun, for people: `1 instalment`, `6 instalments`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(count as u64)) }
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
    fn one_is_told_in_the_singular() {
        assert_eq!([0, 1, 2, 1_200].map(|count| counted(count, "day")), ["0 days", "1 day", "2 days", "1,200 days"]);
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
