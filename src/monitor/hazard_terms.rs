//! The section `[hazard]` of the monitor file: the model of trouble to come.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// How the hazard model is trained: the probability that a borrower who is late with nothing misses, within so many days, a payment on the way into
/// default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HazardTerms {
    /// Days within which trouble is foreseen.
    pub horizon_days: u16,
    /// Past nights that it learns from, at most.
    pub nights: u16,
    /// Days from one of them to the next; a backtest takes nights of its own, over as long a time.
    pub every_days: u16,
    /// First missed payments that it needs.
    pub min_events: u16,
    /// What a default costs beside what is owed: collection, and the borrower lost. It counts into money at risk; minor units.
    pub case_cost_minor: i64,
}

/// `[hazard]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHazard {
    horizon_days: Option<Spanned<i64>>,
    nights: Option<Spanned<i64>>,
    every_days: Option<Spanned<i64>>,
    min_events: Option<Spanned<i64>>,
    case_cost_minor: Option<Spanned<i64>>,
}

/// `[hazard]` in the reference.
pub(super) static HAZARD_KEYS: Section = Section {
    head: "[hazard]",
    doc: "A model of trouble to come, learnt from past nights: the probability that a borrower who is late with nothing misses a payment on the way into \
          default. The night that trains the models of willingness and ability trains it as well, it is approved with them, and stands in the model's folder \
          as hazard.json. `backtest --alerts` trains it on what was known when the judged nights begin, and judges it beside the rules. The section may be \
          left out.",
    keys: &[
        Key::new("horizon_days", "whole number", "30", "within so many days").unit("days").range("7 to 180").or("30"),
        Key::new(
            "nights",
            "whole number",
            "26",
            "past nights that it learns from, at most; each costs a night's measuring",
        )
        .range("4 to 520")
        .or("26"),
        Key::new(
            "every_days",
            "whole number",
            "28",
            "days from one of them to the next; a backtest takes nights of its own, over as long a time",
        )
        .unit("days")
        .range("1 to 60")
        .or("28"),
        Key::new(
            "min_events",
            "whole number",
            "30",
            "first missed payments that it needs; with fewer there is no model, and that is said",
        )
        .range("10 to 10000")
        .or("30"),
        Key::new(
            "case_cost_minor",
            "whole number",
            "3_000_000",
            "what a default costs beside what is owed (collection, the borrower lost): money at risk is the probability times both, so that the less is \
             at stake, the likelier trouble has to be",
        )
        .unit("minor")
        .range("0 to 1000000000000")
        .or("0"),
    ],
};

impl HazardTerms {
    /// Nights, so many days apart, over as long a time as it learns from.
    #[must_use]
    pub fn nights_every(&self, days: u16) -> u16 {
        let all = u32::from(self.nights) * u32::from(self.every_days);
        u16::try_from(all / u32::from(days.max(1))).unwrap_or(u16::MAX).max(1)
    }

    /// The settings that change what is trained, as text.
    #[must_use]
    pub fn trained_under(&self) -> String {
        // The cost ranks alerts: nothing is learnt from it.
        let Self { horizon_days, nights, every_days, min_events, case_cost_minor: _ } = self;
        format!(
            "horizon_days = {horizon_days}\nnights = {nights}\nevery_days = {every_days}\nmin_events = {min_events}\n"
        )
    }
}

impl RawHazard {
    pub(super) fn check(&self, file: &ConfigFile) -> Result<HazardTerms, ConfigError> {
        let whole = |value: &Option<Spanned<i64>>, key: &str, allowed: std::ops::RangeInclusive<i64>, or: u16| {
            value.as_ref().map_or(Ok(or), |value| bounds::days(file, value, key, allowed))
        };
        let case_cost_minor = match &self.case_cost_minor {
            Some(value) => bounds::integer(file, value, "case_cost_minor", 0..=1_000_000_000_000)?,
            None => 0,
        };
        Ok(HazardTerms {
            case_cost_minor,
            horizon_days: whole(&self.horizon_days, "horizon_days", 7..=180, 30)?,
            nights: whole(&self.nights, "nights", 4..=520, 26)?,
            every_days: whole(&self.every_days, "every_days", 1..=60, 28)?,
            min_events: whole(&self.min_events, "min_events", 10..=10_000, 30)?,
        })
    }
}
