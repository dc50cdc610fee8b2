//! The keys of one `[[rule]]`, each taken once by whoever understands it.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Spanned, Value};

use crate::config::{ConfigError, ConfigFile, bounds};
use crate::domain::ReasonCode;
use crate::features::FeatureUses;
use crate::monitor::alert_rule::Escalation;
use crate::monitor::settings::{Action, Severity};

/// Most days that an alert waits for anything.
const MAX_DAYS: i64 = 3_660;

/// Keys given, keys asked for, and where errors point.
pub struct RuleKeys<'a> {
    file: &'a ConfigFile,
    span: Range<usize>,
    given: BTreeMap<String, Spanned<Value>>,
    taken: Vec<&'static str>,
    feature_uses: &'a mut FeatureUses,
}

/// An escalation as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEscalation {
    beyond: Option<f64>,
    after_days: Option<u16>,
    severity: Severity,
    action: Action,
}

impl<'a> RuleKeys<'a> {
    /// The keys of the table at `span`; features that rules read are noted in `feature_uses`.
    pub(crate) fn new(
        file: &'a ConfigFile,
        rule: &Spanned<BTreeMap<String, Spanned<Value>>>,
        feature_uses: &'a mut FeatureUses,
    ) -> Self {
        Self { file, span: rule.span(), given: rule.get_ref().clone(), taken: Vec::new(), feature_uses }
    }

    /// A refusal that points at the rule as a whole.
    #[must_use]
    pub fn refuse(&self, message: impl Into<String>, help: impl Into<String>) -> ConfigError {
        self.file.refuse(&self.span, message, help)
    }

    /// Notes a fault and goes on with `instead`, where all faults are wanted; else the fault.
    pub(crate) fn pass_over<T>(&self, fault: ConfigError, instead: T) -> Result<T, ConfigError> {
        self.file.pass_over(fault, instead)
    }

    /// What `read` takes of the keys; none where it is faulty, and all faults are wanted.
    pub(crate) fn part<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        let file = self.file;
        file.part(None, || read(self).map(Some))
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<Value>> {
        self.taken.push(key);
        self.given.remove(key)
    }

    fn require(&mut self, key: &'static str) -> Result<Spanned<Value>, ConfigError> {
        self.take(key).ok_or_else(|| self.refuse(format!("rule lacks {key}"), format!("{key} = … is needed")))
    }

    fn typed<T: DeserializeOwned>(&self, value: &Spanned<Value>, key: &str) -> Result<T, ConfigError> {
        let wrong = |e: toml::de::Error| {
            self.file.refuse(&value.span(), format!("{key}: {}", e.message()), format!("another value of {key}"))
        };
        T::deserialize(value.get_ref().clone()).map_err(wrong)
    }

    /// A text that is not blank.
    ///
    /// # Errors
    /// Missing, blank or no text.
    pub fn text(&mut self, key: &'static str) -> Result<String, ConfigError> {
        let value = self.require(key)?;
        bounds::text(self.file, &Spanned::new(value.span(), self.typed(&value, key)?), key)
    }

    /// A kebab-case code.
    ///
    /// # Errors
    /// Missing, or another text.
    pub fn code(&mut self, key: &'static str) -> Result<ReasonCode, ConfigError> {
        let value = self.require(key)?;
        let text: String = self.typed(&value, key)?;
        let example = "for example code = \"trade-drop\"";
        ReasonCode::new(&text).map_err(|e| self.file.refuse(&value.span(), e.to_string(), example))
    }

    /// One of a set of words.
    ///
    /// # Errors
    /// Missing or another word.
    pub fn word<T: DeserializeOwned>(&mut self, key: &'static str) -> Result<T, ConfigError> {
        let value = self.require(key)?;
        self.typed(&value, key)
    }

    /// The name of a feature.
    ///
    /// # Errors
    /// Missing or no text.
    pub fn feature(&mut self, key: &'static str) -> Result<String, ConfigError> {
        let name = self.part(|keys| {
            let value = keys.require(key)?;
            let name: String = keys.typed(&value, key)?;
            keys.feature_uses.push(&Spanned::new(value.span(), name.clone()));
            Ok(name)
        })?;
        Ok(name.unwrap_or_default())
    }

    /// The name of a feature, where given.
    ///
    /// # Errors
    /// No text.
    pub fn optional_feature(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        self.part(|keys| {
            let name: String = keys.typed(&value, key)?;
            keys.feature_uses.push(&Spanned::new(value.span(), name.clone()));
            Ok(name)
        })
    }

    /// A finite number in a range.
    ///
    /// # Errors
    /// Missing, another type, or out of range.
    pub fn number(&mut self, key: &'static str, allowed: RangeInclusive<f64>) -> Result<f64, ConfigError> {
        let instead = *allowed.end();
        let number = self.part(|keys| {
            let value = keys.require(key)?;
            keys.in_range(&value, key, allowed)
        })?;
        Ok(number.unwrap_or(instead))
    }

    /// A finite number in a range, where given.
    ///
    /// # Errors
    /// Another type, or out of range.
    pub fn optional_number(
        &mut self,
        key: &'static str,
        allowed: RangeInclusive<f64>,
    ) -> Result<Option<f64>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        self.part(|keys| keys.in_range(&value, key, allowed))
    }

    fn in_range(
        &self,
        value: &Spanned<Value>,
        key: &'static str,
        allowed: RangeInclusive<f64>,
    ) -> Result<f64, ConfigError> {
        bounds::finite(self.file, &Spanned::new(value.span(), self.typed(value, key)?), key, allowed)
    }

    /// A whole number in a range.
    ///
    /// # Errors
    /// Missing, another type, or out of range.
    pub fn whole(&mut self, key: &'static str, allowed: RangeInclusive<i64>) -> Result<i64, ConfigError> {
        let instead = *allowed.end();
        let number = self.part(|keys| {
            let value = keys.require(key)?;
            bounds::integer(keys.file, &Spanned::new(value.span(), keys.typed(&value, key)?), key, allowed)
        })?;
        Ok(number.unwrap_or(instead))
    }

    /// A number of days, where given.
    ///
    /// # Errors
    /// Another type, or out of range.
    pub fn optional_days(&mut self, key: &'static str) -> Result<Option<u16>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let days = Spanned::new(value.span(), self.typed(&value, key)?);
        bounds::days(self.file, &days, key, 0..=MAX_DAYS).map(Some)
    }

    /// An escalation, where given.
    ///
    /// # Errors
    /// Neither condition, unknown keys, or a bound that is not finite.
    pub fn escalation(&mut self, key: &'static str) -> Result<Option<Escalation>, ConfigError> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let RawEscalation { beyond, after_days, severity, action } = self.typed(&value, key)?;
        if (beyond.is_none() && after_days.is_none()) || beyond.is_some_and(|b| !b.is_finite()) {
            let help = "escalation = { beyond = 0.9, after_days = 14, severity = \"critical\", action = \"freeze\" }, with one or both of \
                        the first two";
            return Err(self.file.refuse(&value.span(), "escalation never happens", help));
        }
        Ok(Some(Escalation { beyond, after_days, severity, action }))
    }

    /// A refusal of a kind that there is not.
    #[must_use]
    pub fn unknown_kind(&self, kind: &str) -> ConfigError {
        self.refuse(format!("unknown kind {kind:?}"), format!("one of: {}", super::kinds().join(", ")))
    }

    /// Refuses keys that nobody took.
    ///
    /// # Errors
    /// The first such key.
    pub fn finish(self, kind: &str) -> Result<(), ConfigError> {
        for (key, value) in &self.given {
            let message = format!("unknown key {key:?}: a rule of kind {kind:?} does not take it");
            let fault = self.file.refuse(&value.span(), message, format!("it takes {}", self.taken.join(", ")));
            self.file.pass_over(fault, ())?;
        }
        Ok(())
    }
}
