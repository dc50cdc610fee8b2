//! Range checks that point at the value they refuse. Where all faults of a file are wanted, a check goes on with the highest value that is allowed.

use std::ops::{Range, RangeInclusive};

use jiff::civil::Date;
use toml::Spanned;

use super::file::{ConfigError, ConfigFile};

/// A date.
pub(crate) fn date(file: &ConfigFile, value: &Spanned<String>, key: &str) -> Result<Date, ConfigError> {
    value.get_ref().parse().map_err(|_| {
        let message = format!("{key} = {:?} is not a date", value.get_ref());
        file.refuse(&value.span(), message, "a date such as \"2025-06-30\"")
    })
}

/// The days `from` and `until`, the second not before the first.
pub(crate) fn period(
    file: &ConfigFile,
    from: &Spanned<String>,
    until: &Spanned<String>,
) -> Result<(Date, Date), ConfigError> {
    let (from_on, until_on) = (date(file, from, "from")?, date(file, until, "until")?);
    if until_on < from_on {
        let message = format!("until = {until_on} is before from = {from_on}");
        return Err(file.refuse(&until.span(), message, "a later date"));
    }
    Ok((from_on, until_on))
}

/// Until which as-of date, and why, something is allowed that would stop a night.
pub(crate) fn allowed(
    file: &ConfigFile,
    until: &Spanned<String>,
    reason: &Spanned<String>,
) -> Result<(Date, String), ConfigError> {
    let until_on = until.get_ref().parse().map_err(|_| {
        let message = format!("until = {:?} is not a date", until.get_ref());
        file.refuse(&until.span(), message, "the last as-of date on which it holds, such as \"2026-01-31\"")
    })?;
    let why = reason.get_ref().trim().to_owned();
    if why.is_empty() {
        let help = "why the night may go on, for whoever reads the results";
        return Err(file.refuse(&reason.span(), "reason is blank", help));
    }
    Ok((until_on, why))
}

/// A whole number in a range.
pub(crate) fn integer(
    file: &ConfigFile,
    value: &Spanned<i64>,
    key: &str,
    allowed: RangeInclusive<i64>,
) -> Result<i64, ConfigError> {
    if allowed.contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    let message = format!("{key} = {} is out of range", value.get_ref());
    let help = format!("a whole number from {} to {}", allowed.start(), allowed.end());
    file.pass_over(file.refuse(&value.span(), message, help), *allowed.end())
}

/// A whole number of days in a range.
pub(crate) fn days(
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
pub(crate) fn finite(
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
    file.pass_over(file.refuse(&value.span(), message, help), *allowed.end())
}

/// A text that is not blank.
pub(crate) fn text(file: &ConfigFile, value: &Spanned<String>, key: &str) -> Result<String, ConfigError> {
    let trimmed = value.get_ref().trim();
    if trimmed.is_empty() {
        let fault = file.refuse(&value.span(), format!("{key} is blank"), "a few words that a merchant understands");
        file.pass_over(fault, key.to_owned())
    } else {
        Ok(trimmed.to_owned())
    }
}

/// A text that can name a folder.
pub(crate) fn slug(file: &ConfigFile, value: &Spanned<String>, key: &str) -> Result<String, ConfigError> {
    let text = value.get_ref();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !text.is_empty() && text.chars().all(good) {
        Ok(text.clone())
    } else {
        let message = format!("{key} = {text:?} cannot name a folder");
        file.pass_over(file.refuse(&value.span(), message, "lowercase letters, digits, - and _"), key.to_owned())
    }
}

/// A share, 0 to 1.
pub(crate) fn unit(file: &ConfigFile, value: &Spanned<f64>, key: &str) -> Result<f64, ConfigError> {
    if (0.0..=1.0).contains(value.get_ref()) {
        Ok(*value.get_ref())
    } else {
        let message = format!("{key} = {} is not a share", value.get_ref());
        file.pass_over(file.refuse(&value.span(), message, "a number from 0 to 1"), 1.0)
    }
}

/// A small whole number in a half-open range.
pub(crate) fn whole(
    file: &ConfigFile,
    value: &Spanned<i64>,
    key: &str,
    allowed: Range<u16>,
) -> Result<u16, ConfigError> {
    match u16::try_from(*value.get_ref()) {
        Ok(n) if allowed.contains(&n) => Ok(n),
        _ => {
            let message = format!("{key} = {} is out of range", value.get_ref());
            let help = format!("a whole number from {} to {}", allowed.start, allowed.end - 1);
            file.pass_over(file.refuse(&value.span(), message, help), allowed.end - 1)
        }
    }
}
