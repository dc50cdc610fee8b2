//! What taking in and washing a job's data depends on.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::contract;
use crate::domain::{Currency, MICROS_PER_DAY};
use crate::source::SourceSettings;
use crate::store::StoreSettings;

/// How raw files become a store.
#[derive(Debug, Clone)]
pub struct IntakeSettings {
    /// Inputs and the SELECTs over them.
    pub source: SourceSettings,
    /// Currency of every amount.
    pub currency: Currency,
    /// Where business dates begin.
    pub time_zone: TimeZone,
    /// Fixed observation date, where the job names one.
    pub as_of: Option<Date>,
    /// What was recorded before this date counts, though it is later than the observation date: a restatement. `None` for a night.
    pub known_before: Option<Date>,
    /// Quarantine limits.
    pub wash: WashSettings,
    /// Store layout.
    pub store: StoreSettings,
}

/// When too much is broken to go on.
#[derive(Debug, Clone, PartialEq)]
pub struct WashSettings {
    /// Largest share of any table's rows that may be quarantined, 0 to 1.
    pub max_quarantine_share: f64,
    /// Limits of single tables.
    pub max_quarantine_share_by_table: BTreeMap<String, f64>,
    /// By how many hours the stamp of a row may precede its own event.
    pub recorded_before_event_hours: i64,
}

/// A day: a stamp may be a date, and a clock may be of another zone.
const RECORDED_BEFORE_EVENT_HOURS: i64 = 24;

impl WashSettings {
    /// The same in microseconds.
    pub(super) const fn recorded_before_event_micros(&self) -> i64 {
        self.recorded_before_event_hours * (MICROS_PER_DAY / 24)
    }
}

/// `[wash]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawWash {
    max_quarantine_share: Spanned<f64>,
    #[serde(default)]
    max_quarantine_share_by_table: BTreeMap<String, Spanned<f64>>,
    recorded_before_event_hours: Option<Spanned<i64>>,
}

/// `[wash]` in the reference.
pub(crate) static WASH_KEYS: Section = Section {
    head: "[wash]",
    doc: "When too much is broken to go on.",
    keys: &[
        Key::new("max_quarantine_share", "number", "0.03", "largest share of any table's rows that may be quarantined; a single row may be where it is not 0")
            .unit("share")
            .range("0 to 1"),
        Key::new(
            "max_quarantine_share_by_table",
            "table of numbers",
            "{ reviews = 0.1 }",
            "the same for single tables",
        )
        .unit("share")
        .range("0 to 1 for a contract table")
        .or("as above"),
        Key::new(
            "recorded_before_event_hours",
            "whole number",
            "24",
            "by how long a row's `recorded_at` may precede its own event or a milestone, and by how long rows that name it may; a row beyond it is broken (`recorded-before-event`, `recorded-before-milestone`, `named-before-event`)",
        )
        .unit("hours")
        .range("0 to 168")
        .or("24"),
    ],
};

impl RawWash {
    /// Checks the section.
    ///
    /// # Errors
    /// A share outside 0 to 1 or an unknown table, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<WashSettings, ConfigError> {
        let mut max_quarantine_share_by_table = BTreeMap::new();
        for (table, share) in &self.max_quarantine_share_by_table {
            if contract::table(table).is_none() {
                let message = format!("{table:?} is not a contract table");
                file.pass_over(file.refuse(&share.span(), message, contract::table_names()), ())?;
            }
            let share = bounds::unit(file, share, "max_quarantine_share_by_table")?;
            max_quarantine_share_by_table.insert(table.clone(), share);
        }
        let recorded_before_event_hours = match &self.recorded_before_event_hours {
            Some(hours) => bounds::integer(file, hours, "recorded_before_event_hours", 0..=168)?,
            None => RECORDED_BEFORE_EVENT_HOURS,
        };
        Ok(WashSettings {
            max_quarantine_share: bounds::unit(file, &self.max_quarantine_share, "max_quarantine_share")?,
            max_quarantine_share_by_table,
            recorded_before_event_hours,
        })
    }
}
