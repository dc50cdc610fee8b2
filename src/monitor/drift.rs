//! Drift: has the population moved since training, and did anything jump since the night before?
//!
//! Tonight's merchants are held against two references, each with the index of the score (PSI) and of each variable (CSI), and the value that chance alone
//! exceeds once in a hundred times, which knows how many rows both sides have:
//!
//! - the model's training rows: merchants with a label, where tonight counts all who have evidence. That index tells how far the model is from what it
//!   learnt of, and may exceed its critical value from the first night on;
//! - the merchants of the first night that the model scored, the same population: beyond the critical value it has moved since.
//!
//! Gates compare with the night before, each where the monitor file's `[drift]` sets a bound:
//!
//! | gate | stops where |
//! |---|---|
//! | scores | the index over risk bands exceeds the bound, and what chance alone exceeds once in a hundred times |
//! | missing values | a variable's share of missing values has risen by more than the bound, and by more than four standard errors |
//! | offers | the sum offered differs from the night before, which offered something, by more than the bound |
//!
//! `[[drift.allow]]` names a jump that is meant, until a date and with a reason. Values of a variable that rests on a table that is allowed to be absent
//! may go missing, and so may what scores and offers lose by it only where that is allowed as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// One index of one night: a row of `drift.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftLine {
    /// The night.
    pub night_on: Date,
    /// The variable; `None` for the score itself.
    pub variable: Option<String>,
    /// The model that scored.
    pub model_version: String,
    /// Rows of the reference.
    pub reference_rows: i64,
    /// Merchants tonight.
    pub rows: i64,
    /// Population stability index; `None` where one bin holds everything.
    pub index: Option<f64>,
    /// What chance alone exceeds once in a hundred times.
    pub critical: Option<f64>,
    /// Share of missing values in the reference; `None` for the score.
    pub reference_missing_share: Option<f64>,
    /// Share of missing values tonight; `None` for the score.
    pub missing_share: Option<f64>,
    /// By how many points the variable moved the mean score; `None` for the score.
    pub score_shift: Option<f64>,
    /// The first night that the model scored; `None` in rows of before this was compared.
    pub first_night_on: Option<Date>,
    /// The index against the merchants of that night; `None` on that night itself, or where one bin holds everything.
    pub first_night_index: Option<f64>,
    /// What chance alone exceeds once in a hundred times.
    pub first_night_critical: Option<f64>,
}

/// How many rows lie in one bin: a row of `drift_bins.parquet`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftBin {
    /// The variable; `None` for the score itself.
    pub variable: Option<String>,
    /// The bin's place.
    pub bin: i32,
    /// What lies in it.
    pub label: String,
    /// The model that scored.
    pub model_version: String,
    /// Training rows.
    pub reference_rows: i64,
    /// The first night that the model scored.
    pub first_night_on: Date,
    /// Merchants of that night.
    pub first_night_rows: i64,
    /// Merchants tonight.
    pub rows: i64,
}

/// How far a night may differ from the one before; a bound that is not set stops nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DriftLimits {
    /// Index over risk bands.
    pub max_score_index: Option<f64>,
    /// Rise of a share of missing values.
    pub max_missing_rise_share: Option<f64>,
    /// Change of the sum offered, as a share of what was offered.
    pub max_offered_change_share: Option<f64>,
    /// Jumps that are meant.
    pub allow: Vec<DriftAllowance>,
}

/// What may jump from one night to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Jump {
    /// Scores, by risk bands.
    Scores,
    /// The share of missing values of a variable.
    Missing,
    /// The sum offered.
    Offered,
}

impl Jump {
    /// As written in the monitor file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scores => "scores",
            Self::Missing => "missing",
            Self::Offered => "offered",
        }
    }
}

/// A jump that is meant, for a time and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftAllowance {
    /// Of what.
    pub what: Jump,
    /// The variable whose values may go missing; `None` for every one.
    pub variable: Option<String>,
    /// Last as-of date on which it holds.
    pub until: Date,
    /// Why.
    pub reason: String,
}

/// `[drift]` as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDrift {
    max_score_index: Option<Spanned<f64>>,
    max_missing_rise_share: Option<Spanned<f64>>,
    max_offered_change_share: Option<Spanned<f64>>,
    #[serde(default)]
    allow: Vec<RawDriftAllowance>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDriftAllowance {
    what: Jump,
    variable: Option<Spanned<String>>,
    until: Spanned<String>,
    reason: Spanned<String>,
}

/// `[drift]` in the reference.
pub(super) static DRIFT_KEYS: Section = Section {
    head: "[drift]",
    doc: "How far a night's decisions may differ from those of the night before. A key that is left out stops nothing; the section may be left out.",
    keys: &[
        Key::new("max_score_index", "number", "0.25", "the night stops where the stability index over risk bands exceeds it")
            .range("0 to 100")
            .or("no bound"),
        Key::new(
            "max_missing_rise_share",
            "number",
            "0.2",
            "the night stops where the share of missing values of one of the model's variables has risen by more",
        )
        .unit("share")
        .range("0 to 1")
        .or("no bound"),
        Key::new(
            "max_offered_change_share",
            "number",
            "0.5",
            "the night stops where the sum offered is larger or smaller than the night before by more than this share of it",
        )
        .unit("share")
        .range("0 to 100")
        .or("no bound"),
        Key::section("allow", "jumps that are meant").or("none"),
    ],
};

/// `[[drift.allow]]` in the reference.
pub(super) static DRIFT_ALLOW_KEYS: Section = Section {
    head: "[[drift.allow]]",
    doc: "A jump that is meant, for a time and a reason: a new model or policy, a table that is absent for a while.",
    keys: &[
        Key::new("what", "word", "\"missing\"", "what may jump").range("scores, missing, offered"),
        Key::new(
            "variable",
            "text",
            "\"reviews_mean_stars_365d\"",
            "whose values may go missing, with `what = \"missing\"`",
        )
        .or("every variable"),
        Key::new("until", "date", "\"2026-01-31\"", "last as-of date on which it is allowed"),
        Key::new("reason", "text", "\"reviews are being moved\"", "why, for whoever reads the results"),
    ],
};

impl RawDrift {
    pub(super) fn check(&self, file: &ConfigFile) -> Result<DriftLimits, ConfigError> {
        let bound = |value: &Option<Spanned<f64>>, key: &str, most: f64| {
            value.as_ref().map(|v| bounds::finite(file, v, key, 0.0..=most)).transpose()
        };
        let allow = self.allow.iter().map(|raw| file.part(None, || raw.check(file).map(Some)).transpose());
        Ok(DriftLimits {
            max_score_index: bound(&self.max_score_index, "max_score_index", 100.0)?,
            max_missing_rise_share: bound(&self.max_missing_rise_share, "max_missing_rise_share", 1.0)?,
            max_offered_change_share: bound(&self.max_offered_change_share, "max_offered_change_share", 100.0)?,
            allow: allow.flatten().collect::<Result<_, _>>()?,
        })
    }
}

impl RawDriftAllowance {
    fn check(&self, file: &ConfigFile) -> Result<DriftAllowance, ConfigError> {
        if let Some(variable) = self.variable.as_ref().filter(|_| self.what != Jump::Missing) {
            let message = format!("{} have no variable", self.what.word());
            file.pass_over(file.refuse(&variable.span(), message, "leave it out, or what = \"missing\""), ())?;
        }
        let (until, reason) = bounds::allowed(file, &self.until, &self.reason)?;
        let variable = self.variable.as_ref().map(|variable| variable.get_ref().clone());
        Ok(DriftAllowance { what: self.what, variable, until, reason })
    }
}

/// What jumped since the night before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum DriftFault {
    /// Scores shifted.
    Scores {
        /// The index over bands.
        index: f64,
        /// The bound.
        limit: f64,
    },
    /// Values went missing.
    Missing {
        /// Of this variable.
        variable: String,
        /// The night before.
        was: f64,
        /// Tonight.
        is: f64,
        /// The bound.
        limit: f64,
    },
    /// The sum offered jumped.
    Offered {
        /// The night before, minor units.
        was: i64,
        /// Tonight, minor units.
        is: i64,
        /// The bound.
        limit: f64,
    },
}

impl DriftFault {
    /// What kind of jump it is.
    #[must_use]
    pub const fn what(&self) -> Jump {
        match self {
            Self::Scores { .. } => Jump::Scores,
            Self::Missing { .. } => Jump::Missing,
            Self::Offered { .. } => Jump::Offered,
        }
    }

    /// The variable that it is about.
    fn variable(&self) -> Option<&str> {
        match self {
            Self::Missing { variable, .. } => Some(variable),
            Self::Scores { .. } | Self::Offered { .. } => None,
        }
    }
}

impl fmt::Display for DriftFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scores { index, limit } => write!(
                f,
                "scores shifted since the night before: the stability index over risk bands is {index:.3}, at most {limit} may be (max_score_index)"
            ),
            Self::Missing { variable, was, is, limit } => write!(
                f,
                "values of {variable} went missing: {:.1} % of merchants have none, {:.1} % had none the night before; at most {:.1} points more may \
                 (max_missing_rise_share)",
                100.0 * is,
                100.0 * was,
                100.0 * limit
            ),
            Self::Offered { was, is, limit } => write!(
                f,
                "the sum offered is {is} minor units, it was {was} the night before; it may change by {:.0} % (max_offered_change_share)",
                100.0 * limit
            ),
        }
    }
}

/// A night's figures that gates compare.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NightFigures {
    /// Index over risk bands against the night before, and what chance alone exceeds; `None` where it cannot be told.
    pub bands: Option<(f64, f64)>,
    /// What was offered, the night before and tonight, in minor units.
    pub offered: Option<(i64, i64)>,
    /// Variables that rest on a table that is allowed to be absent tonight, and is.
    pub may_be_missing: BTreeSet<String>,
}

/// A jump beyond its bound that is allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AllowedJump {
    /// What jumped.
    #[serde(flatten)]
    pub fault: DriftFault,
    /// Why it may.
    pub reason: String,
    /// Last as-of date on which it may.
    pub until: Date,
}

/// What jumped beyond its bound.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DriftVerdict {
    /// What stops the night.
    pub faults: Vec<DriftFault>,
    /// What is allowed.
    pub allowed: Vec<AllowedJump>,
}

impl DriftLimits {
    /// Holds the figures of the night of `as_of` against those of the night before.
    #[must_use]
    pub fn judge(
        &self,
        as_of: Date,
        before: &[DriftLine],
        tonight: &[DriftLine],
        figures: &NightFigures,
    ) -> DriftVerdict {
        let mut verdict = DriftVerdict::default();
        for fault in self.beyond(before, tonight, figures) {
            let allows = |allowance: &&DriftAllowance| {
                allowance.what == fault.what()
                    && as_of <= allowance.until
                    && allowance.variable.as_deref().is_none_or(|variable| Some(variable) == fault.variable())
            };
            match self.allow.iter().find(allows) {
                Some(DriftAllowance { until, reason, .. }) => {
                    verdict.allowed.push(AllowedJump { fault, reason: reason.clone(), until: *until });
                }
                None => verdict.faults.push(fault),
            }
        }
        verdict
    }

    /// Whatever exceeds its bound.
    fn beyond(&self, before: &[DriftLine], tonight: &[DriftLine], figures: &NightFigures) -> Vec<DriftFault> {
        let mut faults = Vec::new();
        if let Some((limit, (index, critical))) = self.max_score_index.zip(figures.bands)
            && index > limit
            && index > critical
        {
            faults.push(DriftFault::Scores { index, limit });
        }
        if let Some(limit) = self.max_missing_rise_share {
            let shares: BTreeMap<&str, &DriftLine> =
                before.iter().filter_map(|line| Some((line.variable.as_deref()?, line))).collect();
            for line in tonight {
                let Some(variable) = line.variable.as_deref() else { continue };
                if figures.may_be_missing.contains(variable) {
                    continue;
                }
                let Some(was) = shares.get(variable) else { continue };
                let Some((before, now)) = was.missing_share.zip(line.missing_share) else { continue };
                if now - before > limit && now - before > 4.0 * standard_error(was, line) {
                    faults.push(DriftFault::Missing { variable: variable.to_owned(), was: before, is: now, limit });
                }
            }
        }
        if let Some((limit, (was, is))) = self.max_offered_change_share.zip(figures.offered)
            && was > 0
            && (is - was).unsigned_abs() as f64 > limit * was as f64
        {
            faults.push(DriftFault::Offered { was, is, limit });
        }
        faults
    }
}

/// Of the difference of two shares of missing values, each at least one row's.
fn standard_error(was: &DriftLine, is: &DriftLine) -> f64 {
    let variance = |line: &DriftLine| {
        let rows = (line.rows as f64).max(1.0);
        let share = line.missing_share.unwrap_or(0.0).clamp(1.0 / (rows + 1.0), rows / (rows + 1.0));
        share * (1.0 - share) / rows
    };
    (variance(was) + variance(is)).sqrt()
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
