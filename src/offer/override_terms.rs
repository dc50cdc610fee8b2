//! `[overrides]` of the policy: which officers may change what, and by how much at most.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::overrides::{Override, OverrideKind};
use super::policy::EligibilityRule;
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::domain::days_between;

/// What officers may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideTerms {
    /// Days after which any decision has to be taken again.
    pub longest_days: u16,
    /// Officers, each once.
    pub officers: Vec<OfficerTerms>,
}

/// What one officer may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficerTerms {
    /// The name that stands in decisions.
    pub name: String,
    /// Kinds of changes.
    pub may: BTreeSet<OverrideKind>,
    /// The most that a limit is raised to.
    pub raise_to_minor: i64,
    /// How far below the band's rate a price may go; never below the floor.
    pub rate_down_ppm: i64,
    /// How far above the band's rate a price may go; never above the law.
    pub rate_up_ppm: i64,
    /// Codes of the rules that may be waived.
    pub rules: BTreeSet<String>,
}

impl OverrideTerms {
    /// An officer's terms.
    #[must_use]
    pub fn officer(&self, name: &str) -> Option<&OfficerTerms> {
        self.officers.iter().find(|officer| officer.name == name)
    }

    /// Whether an officer may decide so.
    ///
    /// # Errors
    /// What is not allowed, in words, and what is.
    pub fn allow(&self, decided: &Override) -> Result<(), (String, String)> {
        let Some(officer) = self.officer(&decided.by) else {
            let names: Vec<&str> = self.officers.iter().map(|officer| officer.name.as_str()).collect();
            return Err((
                format!("{:?} is no officer of the policy", decided.by),
                format!("one of: {}", names.join(", ")),
            ));
        };
        if !officer.may.contains(&decided.change) {
            let may: Vec<&str> = officer.may.iter().map(|kind| kind.name()).collect();
            let message = format!("{} may not decide {:?}", officer.name, decided.change.name());
            return Err((message, format!("one of: {}", may.join(", "))));
        }
        let days = days_between(decided.from_on, decided.until_on).saturating_add(1);
        if days > i32::from(self.longest_days) {
            let message = format!("the decision is in force for {days} days");
            return Err((message, format!("at most {} days (longest_days of the policy)", self.longest_days)));
        }
        match (decided.change, decided.limit_minor, decided.rule.as_deref()) {
            (OverrideKind::RaiseLimit, limit, _) if limit.is_none_or(|limit| limit > officer.raise_to_minor) => {
                let message = format!("{} may not raise a limit so far", officer.name);
                Err((
                    message,
                    format!("limit_minor of at most {} (raise_to_minor of the policy)", officer.raise_to_minor),
                ))
            }
            (OverrideKind::WaiveRule, _, rule) if rule.is_none_or(|rule| !officer.rules.contains(rule)) => {
                let rules: Vec<&str> = officer.rules.iter().map(String::as_str).collect();
                let message = format!("{} may not waive rule {:?}", officer.name, rule.unwrap_or_default());
                Err((message, format!("one of: {}", rules.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOverrides {
    longest_days: Spanned<i64>,
    #[serde(rename = "officer")]
    officers: Vec<Spanned<RawOfficer>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOfficer {
    name: Spanned<String>,
    may: Spanned<Vec<OverrideKind>>,
    raise_to_minor: Option<Spanned<i64>>,
    rate_down_ppm: Option<Spanned<i64>>,
    rate_up_ppm: Option<Spanned<i64>>,
    #[serde(default)]
    rules: Vec<Spanned<String>>,
}

impl RawOverrides {
    /// # Errors
    /// An officer twice or without a name, a bound beyond the largest loan, or a rule that the policy does not have.
    pub(super) fn check(
        &self,
        file: &ConfigFile,
        hard_cap_minor: i64,
        rules: &[EligibilityRule],
    ) -> Result<OverrideTerms, ConfigError> {
        let mut officers: Vec<OfficerTerms> = Vec::new();
        for raw in &self.officers {
            let officer = raw.get_ref();
            let name = bounds::text(file, &officer.name, "name")?;
            if officers.iter().any(|known| known.name == name) {
                let message = format!("officer {name:?} is declared twice");
                let fault = file.refuse(&officer.name.span(), message, "one [[overrides.officer]] an officer");
                file.pass_over(fault, ())?;
            }
            let may: BTreeSet<OverrideKind> = officer.may.get_ref().iter().copied().collect();
            if may.is_empty() {
                let help = format!("one or more of: {}", OverrideKind::NAMES);
                let fault = file.refuse(&officer.may.span(), format!("officer {name:?} may do nothing"), help);
                file.pass_over(fault, ())?;
            }
            let needs = |kind: OverrideKind, given: bool, key: &str| {
                if may.contains(&kind) == given {
                    return Ok(());
                }
                let message = if given {
                    format!("officer {name:?} has {key} and may not decide {:?}", kind.name())
                } else {
                    format!("officer {name:?} may decide {:?}, and {key} does not say how far", kind.name())
                };
                let help = format!("{key} for whoever may decide {:?}, and for nobody else", kind.name());
                file.pass_over(file.refuse(&raw.span(), message, help), ())
            };
            needs(OverrideKind::RaiseLimit, officer.raise_to_minor.is_some(), "raise_to_minor")?;
            needs(OverrideKind::Rate, officer.rate_down_ppm.is_some(), "rate_down_ppm")?;
            if officer.rate_up_ppm.is_some() {
                needs(OverrideKind::Rate, true, "rate_up_ppm")?;
            }
            needs(OverrideKind::WaiveRule, !officer.rules.is_empty(), "rules")?;
            let mut waivable = BTreeSet::new();
            for rule in &officer.rules {
                let codes: Vec<&str> = rules.iter().map(|rule| rule.code.as_str()).collect();
                if !codes.contains(&rule.get_ref().as_str()) {
                    let message = format!("rule {:?} is none of this policy's", rule.get_ref());
                    let fault = file.refuse(&rule.span(), message, format!("one of: {}", codes.join(", ")));
                    file.pass_over(fault, ())?;
                }
                waivable.insert(rule.get_ref().clone());
            }
            let number = |value: &Option<Spanned<i64>>, key: &str, most: i64| {
                value.as_ref().map_or(Ok(0), |value| bounds::integer(file, value, key, 0..=most))
            };
            officers.push(OfficerTerms {
                raise_to_minor: number(&officer.raise_to_minor, "raise_to_minor", hard_cap_minor)?,
                rate_down_ppm: number(&officer.rate_down_ppm, "rate_down_ppm", 1_000_000)?,
                rate_up_ppm: number(&officer.rate_up_ppm, "rate_up_ppm", 1_000_000)?,
                rules: waivable,
                name,
                may,
            });
        }
        Ok(OverrideTerms { longest_days: bounds::days(file, &self.longest_days, "longest_days", 1..=366)?, officers })
    }
}

/// `[overrides]` in the reference.
pub(super) static OVERRIDES_KEYS: Section = Section {
    head: "[overrides]",
    doc: "What officers may decide about single merchants, in the job's `overrides` file. No officer can lift what the law, the largest loan, exposure, \
          pledged orders, a group or an unknown record forbid.",
    keys: &[
        Key::new("longest_days", "whole number", "90", "days after which a decision has to be taken again")
            .unit("days")
            .range("1 to 366"),
        Key::section("officer", "officers"),
    ],
};

/// `[[overrides.officer]]` in the reference.
pub(super) static OFFICER_KEYS: Section = Section {
    head: "[[overrides.officer]]",
    doc: "",
    keys: &[
        Key::new("name", "text", "\"Li Wei\"", "the name that stands in decisions"),
        Key::new(
            "may",
            "list of words",
            "[\"decline\", \"raise-limit\", \"waive-rule\", \"rate\"]",
            "what the officer may decide",
        )
        .range(OverrideKind::NAMES),
        Key::new("raise_to_minor", "whole number", "5_000_000", "the most that a limit is raised to; for raise-limit")
            .unit("minor units")
            .range("0 to hard_cap_minor")
            .or("nothing is raised"),
        Key::new(
            "rate_down_ppm",
            "whole number",
            "50",
            "how far below the band's rate a price may go, never below the floor; for rate",
        )
        .unit("ppm")
        .range("0 to 10^6")
        .or("no price is set"),
        Key::new(
            "rate_up_ppm",
            "whole number",
            "20",
            "how far above the band's rate a price may go, never above the law; for rate",
        )
        .unit("ppm")
        .range("0 to 10^6")
        .or("0: no price is raised"),
        Key::new("rules", "list of words", "[\"tenure-short\"]", "codes of rules that may be waived; for waive-rule")
            .range("codes of this policy's rules")
            .or("none"),
    ],
};
