//! The officers' file: what people decided about alerts, until when, and why. Every decision stands in the rows of the alerts it is about,
//! and the file is published with the run.
//!
//! ```toml
//! [[decision]]
//! handling = "suppressed"        # or "snoozed"
//! merchant_id = "m0000042"
//! rule = "trade-drop"            # left out: every rule
//! loan_id = "l7"                 # left out: the merchant's alerts and those of all loans
//! from = "2025-06-01"
//! until = "2025-06-30"
//! reason = "the shop moves to another warehouse, seen on site"
//! by = "Li Wei"
//! ```
//! - **Suppressed**: a false alarm. The alert stands and is published, but what it asks for is not done, until the decision lapses.
//! - **Snoozed**: someone is at work on it. What the program does by itself (freeze, deduct) goes on; an officer need not look again. An
//!   escalation after the decision wakes it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::alert::{Alert, AlertState};
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::domain::days_between;

/// Days after which any decision has to be taken again.
const LONGEST_DAYS: i32 = 366;

/// What an officer decided about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handling {
    /// Someone is at work on it.
    Snoozed,
    /// A false alarm: nothing is done.
    Suppressed,
}

impl Handling {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Snoozed => "snoozed",
            Self::Suppressed => "suppressed",
        }
    }
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OfficerDecision {
    /// What was decided.
    pub handling: Handling,
    /// About whom.
    pub merchant_id: String,
    /// About which rule; `None` for all.
    pub rule: Option<String>,
    /// About which loan; `None` for all alerts of the merchant.
    pub loan_id: Option<String>,
    /// First as-of date on which it is in force.
    pub from_on: Date,
    /// Last one.
    pub until_on: Date,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: String,
}

/// All decisions; none where the job names no file.
#[derive(Debug, Clone, Default)]
pub struct Officers {
    decisions: Vec<OfficerDecision>,
    /// The file and, for each decision, where its rule and its author stand.
    source: Option<(ConfigFile, Vec<Places>)>,
}

#[derive(Debug, Clone)]
struct Places {
    rule: Range<usize>,
    by: Range<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOfficers {
    #[serde(rename = "decision", default)]
    decisions: Vec<Spanned<RawDecision>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDecision {
    handling: Handling,
    merchant_id: Spanned<String>,
    rule: Option<Spanned<String>>,
    loan_id: Option<Spanned<String>>,
    from: Spanned<String>,
    until: Spanned<String>,
    reason: Spanned<String>,
    by: Spanned<String>,
}

impl Officers {
    /// Reads and checks an officers' file.
    ///
    /// # Errors
    /// Whatever the file holds that is not allowed, with the line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        Self::check(ConfigFile::open(path)?)
    }

    /// Checks an officers' file that is already in memory.
    ///
    /// # Errors
    /// Whatever the text holds that is not allowed, with the line.
    pub fn check(file: ConfigFile) -> Result<Self, ConfigError> {
        let raw: RawOfficers = file.parse()?;
        let decisions =
            raw.decisions.iter().map(|d| check_decision(&file, d.get_ref())).collect::<Result<Vec<_>, _>>()?;
        let place = |d: &Spanned<RawDecision>| Places {
            rule: d.get_ref().rule.as_ref().map_or_else(|| d.span(), Spanned::span),
            by: d.get_ref().by.span(),
        };
        let places = raw.decisions.iter().map(place).collect();
        Ok(Self { decisions, source: Some((file, places)) })
    }

    /// The decisions, in the order of the file.
    #[must_use]
    pub fn decisions(&self) -> &[OfficerDecision] {
        &self.decisions
    }

    /// Those in force on a day, in the order of the file.
    #[must_use]
    pub fn in_force(&self, on: Date) -> Vec<&OfficerDecision> {
        self.decisions.iter().filter(|decision| decision.is_in_force(on)).collect()
    }

    /// Refuses a decision about a rule that the monitor file does not have: it would silently do nothing.
    ///
    /// # Errors
    /// The first one, with its line.
    pub fn check_rules<'a>(&self, codes: impl Iterator<Item = &'a str>) -> Result<(), ConfigError> {
        let Some((file, places)) = &self.source else { return Ok(()) };
        let known: Vec<&str> = codes.collect();
        for (decision, place) in self.decisions.iter().zip(places) {
            if let Some(rule) = decision.rule.as_deref().filter(|rule| !known.contains(rule)) {
                let message = format!("rule {rule:?} is none of the monitor file's");
                return Err(file.refuse(&place.rule, message, format!("one of: {}", known.join(", "))));
            }
        }
        Ok(())
    }

    /// Refuses an alert suppressed, on a day, by whom the monitor file does not let: a freeze would be lifted, and credit given, on anybody's word.
    ///
    /// # Errors
    /// The first one, with its line.
    pub fn check_authors(&self, terms: &OfficerTerms, on: Date) -> Result<(), ConfigError> {
        let Some((file, places)) = &self.source else { return Ok(()) };
        for (decision, place) in self.decisions.iter().zip(places) {
            if decision.handling == Handling::Suppressed
                && decision.is_in_force(on)
                && !terms.may_suppress.contains(&decision.by)
            {
                let names: Vec<&str> = terms.may_suppress.iter().map(String::as_str).collect();
                let may = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
                let message = format!("{:?} may not suppress alerts", decision.by);
                let help =
                    format!("may_suppress under [officers] of the monitor file lets {may}; whoever may not can snooze");
                return Err(file.refuse(&place.by, message, help));
            }
        }
        Ok(())
    }

    /// Notes on an alert what is in force about it: suppression before a snooze, the earlier in the file before the later.
    pub(super) fn handle(&self, alert: &mut Alert, tonight: Date) {
        let in_force = self.decisions.iter().filter(|decision| decision.covers(alert, tonight));
        // Of equal ones the last is found; the first is meant.
        if let Some(decision) = in_force.rev().max_by_key(|decision| decision.handling) {
            alert.handling = Some(decision.handling);
            alert.handled_by = Some(decision.by.clone());
            alert.handled_why = Some(decision.reason.clone());
            alert.handled_until_on = Some(decision.until_on);
        }
    }
}

impl OfficerDecision {
    /// Whether it is in force on a day.
    #[must_use]
    pub fn is_in_force(&self, on: Date) -> bool {
        (self.from_on..=self.until_on).contains(&on)
    }

    fn covers(&self, alert: &Alert, tonight: Date) -> bool {
        let is_about = self.merchant_id == alert.merchant_id
            && self.rule.as_ref().is_none_or(|rule| *rule == alert.rule)
            && self.loan_id.as_ref().is_none_or(|loan| alert.loan_id.as_ref() == Some(loan));
        let has_escalated_since = alert.state == AlertState::Escalated && alert.since_on > self.from_on;
        is_about && self.is_in_force(tonight) && !(self.handling == Handling::Snoozed && has_escalated_since)
    }
}

/// What officers may decide about alerts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfficerTerms {
    /// Who may call an alert a false alarm.
    pub may_suppress: BTreeSet<String>,
}

/// `[officers]` as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOfficerTerms {
    #[serde(default)]
    may_suppress: Vec<Spanned<String>>,
}

impl RawOfficerTerms {
    /// # Errors
    /// A blank name.
    pub(super) fn check(&self, file: &ConfigFile) -> Result<OfficerTerms, ConfigError> {
        let names = self.may_suppress.iter().map(|name| bounds::text(file, name, "may_suppress"));
        Ok(OfficerTerms { may_suppress: names.collect::<Result<_, _>>()? })
    }
}

/// `[officers]` in the reference.
pub(super) static OFFICERS_KEYS: Section = Section {
    head: "[officers]",
    doc: "Whose decisions about alerts, in the job's `officers` file, may lift what the program does by itself.",
    keys: &[Key::new(
        "may_suppress",
        "list of texts",
        "[\"Li Wei\"]",
        "who may call an alert a false alarm: until the decision lapses it freezes and deducts nothing; others may only snooze",
    )
    .range("names as they stand in decisions")
    .or("nobody")],
};

fn check_decision(file: &ConfigFile, raw: &RawDecision) -> Result<OfficerDecision, ConfigError> {
    let (from_on, until_on) = bounds::period(file, &raw.from, &raw.until)?;
    if days_between(from_on, until_on) > LONGEST_DAYS {
        let message = format!("the decision is in force for {} days", days_between(from_on, until_on));
        return Err(file.refuse(
            &raw.until.span(),
            message,
            format!("at most {LONGEST_DAYS} days: then it is taken again"),
        ));
    }
    let optional =
        |value: &Option<Spanned<String>>, key: &str| value.as_ref().map(|value| words(file, value, key)).transpose();
    Ok(OfficerDecision {
        handling: raw.handling,
        merchant_id: words(file, &raw.merchant_id, "merchant_id")?,
        rule: optional(&raw.rule, "rule")?,
        loan_id: optional(&raw.loan_id, "loan_id")?,
        from_on,
        until_on,
        reason: bounds::text(file, &raw.reason, "reason")?,
        by: bounds::text(file, &raw.by, "by")?,
    })
}

fn words(file: &ConfigFile, value: &Spanned<String>, key: &str) -> Result<String, ConfigError> {
    bounds::text(file, value, key)
        .map_err(|_| file.refuse(&value.span(), format!("{key} is blank"), "an id, or leave the key out"))
}

#[cfg(test)]
#[path = "officers_tests.rs"]
mod tests;
