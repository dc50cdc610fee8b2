//! Range checks that point at the value they refuse.

use std::ops::RangeInclusive;

use toml::Spanned;

use super::file::{ConfigError, ConfigFile};

/// A whole number in a range.
pub(super) fn integer(
    file: &ConfigFile,
    value: &Spanned<i64>,
    key: &str,
    allowed: RangeInclusive<i64>,
) -> Result<i64, ConfigError> {
    if allowed.contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    let message = format!("{key} = {} is out of range", value.get_ref());
    Err(file.refuse(&value.span(), message, format!("a whole number from {} to {}", allowed.start(), allowed.end())))
}

/// A whole number of days in a range.
pub(super) fn days(
    file: &ConfigFile,
    value: &Spanned<i64>,
    key: &str,
    allowed: RangeInclusive<i64>,
) -> Result<u16, ConfigError> {
    integer(file, value, key, allowed).and_then(|n| {
        u16::try_from(n).map_err(|_| file.refuse(&value.span(), format!("{key} = {n} is out of range"), "fewer days"))
    })
}

/// A finite number in a range.
pub(super) fn finite(
    file: &ConfigFile,
    value: &Spanned<f64>,
    key: &str,
    allowed: RangeInclusive<f64>,
) -> Result<f64, ConfigError> {
    if value.get_ref().is_finite() && allowed.contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    let message = format!("{key} = {} is out of range", value.get_ref());
    let help = if *allowed.start() <= f64::MIN {
        "a finite number".to_owned()
    } else if *allowed.end() >= f64::MAX {
        format!("a number not below {}", allowed.start())
    } else {
        format!("a number from {} to {}", allowed.start(), allowed.end())
    };
    Err(file.refuse(&value.span(), message, help))
}

/// A text that is not blank.
pub(super) fn text(file: &ConfigFile, value: &Spanned<String>, key: &str) -> Result<String, ConfigError> {
    let trimmed = value.get_ref().trim();
    if trimmed.is_empty() {
        Err(file.refuse(&value.span(), format!("{key} is blank"), "a few words that a merchant understands"))
    } else {
        Ok(trimmed.to_owned())
    }
}
