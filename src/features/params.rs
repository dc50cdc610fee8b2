//! The keys of one `[[feature]]`, each taken once by whoever understands it.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use toml::{Spanned, Value};

use super::kind::{MeasureId, Read};
use crate::config::{ConfigError, ConfigFile};
use crate::tiles::{DayWindow, MeasureSpec};

/// Longest window and maturity together: ten years.
pub const MAX_REACH_DAYS: u16 = 3_660;

/// Keys given, keys asked for, and where errors point.
pub struct Params<'a> {
    file: &'a ConfigFile,
    span: Range<usize>,
    given: BTreeMap<String, Spanned<Value>>,
    taken: Vec<&'static str>,
    measures: &'a [MeasureSpec],
}

impl<'a> Params<'a> {
    /// The keys of the table at `span`.
    pub fn new(
        file: &'a ConfigFile,
        span: Range<usize>,
        given: BTreeMap<String, Spanned<Value>>,
        measures: &'a [MeasureSpec],
    ) -> Self {
        Self { file, span, given, taken: Vec::new(), measures }
    }

    /// A refusal that points at the table as a whole.
    #[must_use]
    pub fn refuse(&self, message: impl Into<String>, help: impl Into<String>) -> ConfigError {
        self.file.refuse(&self.span, message, help)
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<Value>> {
        self.taken.push(key);
        self.given.remove(key)
    }

    fn require(&mut self, key: &'static str, help: &str) -> Result<Spanned<Value>, ConfigError> {
        self.take(key).ok_or_else(|| self.refuse(format!("{key} is missing"), help))
    }

    fn refuse_value(&self, value: &Spanned<Value>, key: &str, help: impl Into<String>) -> ConfigError {
        self.file.refuse(&value.span(), format!("{key} = {} is not allowed", value.get_ref()), help)
    }

    /// A text, with the place it stands in.
    ///
    /// # Errors
    /// Missing, empty or no text.
    pub fn text(&mut self, key: &'static str) -> Result<(String, Range<usize>), ConfigError> {
        let value = self.require(key, &format!("{key} = \"…\""))?;
        Ok((self.not_empty(&value, key)?, value.span()))
    }

    /// A text that may be left out.
    ///
    /// # Errors
    /// Empty or no text.
    pub fn optional_text(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        self.not_empty(&value, key).map(Some)
    }

    fn not_empty(&self, value: &Spanned<Value>, key: &'static str) -> Result<String, ConfigError> {
        match value.get_ref().as_str().map(str::trim) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(self.refuse_value(value, key, "a text that is not empty")),
        }
    }

    /// One of a set of words.
    ///
    /// # Errors
    /// Missing or another word.
    pub fn word<T: Copy>(&mut self, key: &'static str, allowed: &[(&str, T)]) -> Result<T, ConfigError> {
        let help = format!("one of: {}", allowed.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", "));
        let value = self.require(key, &help)?;
        allowed
            .iter()
            .find(|(word, _)| value.get_ref().as_str() == Some(*word))
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| self.refuse_value(&value, key, help))
    }

    /// A whole number, where given.
    ///
    /// # Errors
    /// Another type, or out of range.
    pub fn optional_whole(
        &mut self,
        key: &'static str,
        allowed: RangeInclusive<i64>,
    ) -> Result<Option<i64>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.get_ref().as_integer() {
            Some(n) if allowed.contains(&n) => Ok(Some(n)),
            _ => {
                let help = format!("a whole number from {} to {}", allowed.start(), allowed.end());
                Err(self.refuse_value(&value, key, help))
            }
        }
    }

    /// A whole number of days.
    ///
    /// # Errors
    /// Missing, another type, or out of range.
    pub fn days(&mut self, key: &'static str) -> Result<u16, ConfigError> {
        match self.optional_days(key, 1)? {
            Some(days) => Ok(days),
            None => Err(self.refuse(format!("{key} is missing"), format!("a number of days, {key} = 90"))),
        }
    }

    /// A whole number of days, where given.
    ///
    /// # Errors
    /// Another type, or out of range.
    pub fn optional_days(&mut self, key: &'static str, least: i64) -> Result<Option<u16>, ConfigError> {
        let days = self.optional_whole(key, least..=i64::from(MAX_REACH_DAYS))?;
        Ok(days.and_then(|days| u16::try_from(days).ok()))
    }

    /// A finite number.
    ///
    /// # Errors
    /// Missing, another type, or out of range.
    pub fn real(&mut self, key: &'static str, allowed: RangeInclusive<f64>) -> Result<f64, ConfigError> {
        let help = format!("a number from {} to {}", allowed.start(), allowed.end());
        let value = self.require(key, &help)?;
        let number = value.get_ref().as_float().or_else(|| value.get_ref().as_integer().map(|n| n as f64));
        number.filter(|n| allowed.contains(n)).ok_or_else(|| self.refuse_value(&value, key, help))
    }

    /// True or false, false where not given.
    ///
    /// # Errors
    /// Another type.
    pub fn flag(&mut self, key: &'static str) -> Result<bool, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(false) };
        value.get_ref().as_bool().ok_or_else(|| self.refuse_value(&value, key, "true or false"))
    }

    /// A measure, by its name.
    ///
    /// # Errors
    /// Missing or unknown.
    pub fn measure(&mut self, key: &'static str) -> Result<MeasureId, ConfigError> {
        match self.optional_measure(key)? {
            Some(id) => Ok(id),
            None => Err(self.refuse(format!("{key} is missing"), self.measure_names())),
        }
    }

    /// A measure, by its name, where given.
    ///
    /// # Errors
    /// Unknown.
    pub fn optional_measure(&mut self, key: &'static str) -> Result<Option<MeasureId>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let found = value.get_ref().as_str().and_then(|name| self.measures.iter().position(|m| m.name == name));
        match found {
            Some(id) => Ok(Some(id)),
            None => Err(self.refuse_value(&value, key, self.measure_names())),
        }
    }

    /// A measure whose view has buyers.
    ///
    /// # Errors
    /// Missing, unknown, or on a view without `buyer_id`.
    pub fn buyer_measure(&mut self) -> Result<MeasureId, ConfigError> {
        let id = self.measure("measure")?;
        match self.measures.get(id) {
            Some(measure) if measure.view.has_buyers() => Ok(id),
            _ => Err(self.refuse("the measure's table names no buyers", "a measure on orders, reviews or disputes")),
        }
    }

    fn measure_names(&self) -> String {
        let names: Vec<&str> = self.measures.iter().map(|m| m.name.as_str()).collect();
        if names.is_empty() {
            "declare a [[measure]] first".to_owned()
        } else {
            format!("one of: {}", names.join(", "))
        }
    }

    /// `window_days`, shifted back by `maturity_days` where that is given.
    ///
    /// # Errors
    /// Missing, or out of range.
    pub fn window(&mut self) -> Result<DayWindow, ConfigError> {
        let days = self.days("window_days")?;
        let maturity = self.optional_days("maturity_days", 0)?.unwrap_or(0);
        self.within_reach(DayWindow::new(maturity, days))
    }

    /// Refuses windows that reach back farther than tiles are kept.
    ///
    /// # Errors
    /// Too far back.
    pub fn within_reach(&self, window: DayWindow) -> Result<DayWindow, ConfigError> {
        if window.to <= MAX_REACH_DAYS {
            Ok(window)
        } else {
            let message = format!("the window reaches {} days back", window.to);
            Err(self.refuse(message, format!("at most {MAX_REACH_DAYS} days, maturity included")))
        }
    }

    /// `measure` over `window_days`.
    ///
    /// # Errors
    /// Either is wrong.
    pub fn read(&mut self) -> Result<Read, ConfigError> {
        Ok(Read { measure: self.measure("measure")?, window: self.window()? })
    }

    /// A table of whole numbers by word, where given.
    ///
    /// # Errors
    /// Another type.
    pub fn words(&mut self, key: &'static str) -> Result<Option<BTreeMap<String, i64>>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let words = value.get_ref().as_table().and_then(|table| {
            table.iter().map(|(word, n)| n.as_integer().map(|n| (word.clone(), n))).collect::<Option<BTreeMap<_, _>>>()
        });
        match words {
            Some(words) if !words.is_empty() => Ok(Some(words)),
            _ => Err(self.refuse_value(&value, key, "a table of whole numbers: { none = 0, basic = 1, full = 2 }")),
        }
    }

    /// Ends the reading: whatever was given and not asked for is refused.
    ///
    /// # Errors
    /// A key that this kind does not take.
    pub fn finish(mut self, kind: &str) -> Result<(), ConfigError> {
        let Some((key, value)) = self.given.pop_first() else { return Ok(()) };
        self.taken.sort_unstable();
        self.taken.dedup();
        let help = format!("it takes: {}", self.taken.join(", "));
        Err(self.file.refuse(&value.span(), format!("a feature of kind {kind:?} takes no key {key:?}"), help))
    }
}
