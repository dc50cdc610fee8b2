//! The section `[restoration]` of the monitor file.

use serde::Deserialize;
use toml::Spanned;

use super::help::{HelpTerms, RawHelp};
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::features::FeatureUses;

pub(crate) use super::help::HELP_KEYS;

/// What it takes to be a good borrower again.
#[derive(Debug, Clone, PartialEq)]
pub struct RestorationTerms {
    /// Clean days in a row that end probation.
    pub probation_days: i64,
    /// The same where a loan was restructured.
    pub restructured_days: i64,
    /// Days for which a borrower counts as restored.
    pub restored_days: i64,
    /// The most that a restored borrower may owe and be offered, from a number of days after probation on; ascending. Without steps there is no bound.
    pub regrowth: Vec<RegrowthStep>,
    /// When supplementary help is proposed; `None`: never.
    pub help: Option<HelpTerms>,
}

/// One step of regrowth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegrowthStep {
    /// Days after the end of probation.
    pub from_days: i64,
    /// The most from then on.
    pub most_minor: i64,
}

impl Default for RestorationTerms {
    /// As EBA/GL/2016/07 has it: three months, a year after a restructure. Restored for a year, without steps or help.
    fn default() -> Self {
        Self { probation_days: 90, restructured_days: 365, restored_days: 365, regrowth: Vec::new(), help: None }
    }
}

impl RestorationTerms {
    /// The most that may be owed and offered so many days after probation.
    #[must_use]
    pub fn most_minor(&self, days_restored: i64) -> Option<i64> {
        self.regrowth.iter().rev().find(|step| step.from_days <= days_restored).map(|step| step.most_minor)
    }
}

/// `[restoration]` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRestoration {
    probation_days: Option<Spanned<i64>>,
    restructured_days: Option<Spanned<i64>>,
    restored_days: Option<Spanned<i64>>,
    #[serde(default)]
    regrowth: Vec<RawStep>,
    help: Option<RawHelp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    from_days: Spanned<i64>,
    most_minor: Spanned<i64>,
}

/// `[restoration]` in the reference.
pub(crate) static RESTORATION_KEYS: Section = Section {
    head: "[restoration]",
    doc: "What it takes to be a good borrower again after a default or a restructure. The section may be left out.",
    keys: &[
        Key::new("probation_days", "whole number", "90", "clean days in a row that end probation")
            .unit("days")
            .range("1 to 3660")
            .or("90"),
        Key::new("restructured_days", "whole number", "365", "the same where a loan was restructured")
            .unit("days")
            .range("1 to 3660")
            .or("365"),
        Key::new("restored_days", "whole number", "365", "for how long a borrower counts as restored after probation")
            .unit("days")
            .range("1 to 3660")
            .or("365"),
        Key::section("regrowth", "what a restored borrower may owe, step by step").or("no bound"),
        Key::section("help", "when supplementary help is proposed").or("never"),
    ],
};

/// `[[restoration.regrowth]]` in the reference.
pub(crate) static REGROWTH_KEYS: Section = Section {
    head: "[[restoration.regrowth]]",
    doc: "The most that a restored borrower may owe and be offered together. The first step is from day 0; each later one allows more.",
    keys: &[
        Key::new("from_days", "whole number", "0", "days after the end of probation").unit("days").range("0 to 3660"),
        Key::new("most_minor", "whole number", "500_000", "the most from then on")
            .unit("minor units")
            .range("0 to 10^12"),
    ],
};

impl RawRestoration {
    /// Checks the section.
    ///
    /// # Errors
    /// A value out of range, or steps that do not ascend from day 0, with the line.
    pub(crate) fn check(&self, file: &ConfigFile, uses: &mut FeatureUses) -> Result<RestorationTerms, ConfigError> {
        let base = RestorationTerms::default();
        let days = |value: &Option<Spanned<i64>>, key: &str, base: i64| {
            value.as_ref().map_or(Ok(base), |v| bounds::integer(file, v, key, 1..=3_660))
        };
        let mut regrowth: Vec<RegrowthStep> = Vec::new();
        for raw in &self.regrowth {
            let from_days = bounds::integer(file, &raw.from_days, "from_days", 0..=3_660)?;
            let most_minor = bounds::integer(file, &raw.most_minor, "most_minor", 0..=1_000_000_000_000)?;
            let is_next = match regrowth.last() {
                None => from_days == 0,
                Some(last) => from_days > last.from_days && most_minor >= last.most_minor,
            };
            if !is_next {
                let message = format!("the step from day {from_days} does not follow the one before it");
                return Err(file.refuse(&raw.from_days.span(), message, "steps from day 0, later and larger each"));
            }
            regrowth.push(RegrowthStep { from_days, most_minor });
        }
        Ok(RestorationTerms {
            probation_days: days(&self.probation_days, "probation_days", base.probation_days)?,
            restructured_days: days(&self.restructured_days, "restructured_days", base.restructured_days)?,
            restored_days: days(&self.restored_days, "restored_days", base.restored_days)?,
            regrowth,
            help: self.help.as_ref().map(|help| help.check(file, uses)).transpose()?,
        })
    }
}
