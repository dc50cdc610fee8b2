//! The observation instant: midnight at the start of a business date, in the lender's time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Microseconds in a day of 24 hours.
pub const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A date or zone that names no instant.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AsOfError {
    /// The zone is not in the time-zone database.
    #[error("find time zone {zone:?}: {why}")]
    UnknownZone {
        /// As configured.
        zone: String,
        /// The library's own words.
        why: String,
    },
    /// Date arithmetic left the calendar.
    #[error("compute dates from {date}: {why}")]
    OutOfCalendar {
        /// The date started from.
        date: Date,
        /// The library's own words.
        why: String,
    },
    /// What was known on the day is to be left out of it.
    #[error(
        "restate the night of {as_of} with what was recorded before {known_before}: it knew what was recorded before {as_of}; name that date or a later one \
         (--known-before)"
    )]
    KnownBeforeItsDay {
        /// The day of the night.
        as_of: Date,
        /// What was asked for.
        known_before: Date,
    },
}

/// `as_of = D` is the instant D 00:00 in the configured zone. Facts are visible when they happened *before* it.
///
/// Example: `as_of = 2018-08-01` in UTC sees an order placed at 2018-07-31 23:59:59.999999 and not one placed at
/// 2018-08-01 00:00:00.
///
/// A restatement looks at the same facts with what was recorded of them later: see [`AsOf::knowing`].
#[derive(Debug, Clone, PartialEq)]
pub struct AsOf {
    date: Date,
    zone: TimeZone,
    micros: i64,
    known_before: i64,
}

impl AsOf {
    /// # Errors
    /// The date has no midnight instant in the representable range.
    pub fn new(date: Date, zone: TimeZone) -> Result<Self, AsOfError> {
        let micros = midnight(date, &zone)?;
        Ok(Self { date, zone, micros, known_before: micros })
    }

    /// The same observation with what was recorded before midnight of a later date: what happened before as-of counts, though it became known
    /// after it.
    ///
    /// # Errors
    /// The date is earlier than as-of, or has no midnight instant in the representable range.
    pub fn knowing(self, date: Date) -> Result<Self, AsOfError> {
        if date < self.date {
            return Err(AsOfError::KnownBeforeItsDay { as_of: self.date, known_before: date });
        }
        let known_before = midnight(date, &self.zone)?;
        Ok(Self { known_before, ..self })
    }

    /// Until when facts were recorded that count, in UTC microseconds: as-of, but for a restatement.
    #[must_use]
    pub const fn known_before(&self) -> i64 {
        self.known_before
    }

    /// Looks a zone up by its IANA name.
    ///
    /// # Errors
    /// The name is unknown.
    pub fn zone(name: &str) -> Result<TimeZone, AsOfError> {
        TimeZone::get(name).map_err(|e| AsOfError::UnknownZone { zone: name.to_owned(), why: e.to_string() })
    }

    /// The business date.
    #[must_use]
    pub const fn date(&self) -> Date {
        self.date
    }

    /// The time zone.
    #[must_use]
    pub const fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The instant, in UTC microseconds since 1970-01-01. A fact at this very microsecond is *not* visible.
    #[must_use]
    pub const fn micros(&self) -> i64 {
        self.micros
    }

    /// The observation `days` calendar days earlier (negative: later), at local midnight.
    ///
    /// # Errors
    /// The date leaves the calendar.
    pub fn days_before(&self, days: i32) -> Result<Self, AsOfError> {
        let date = self
            .date
            .checked_sub(
                Span::new()
                    .try_days(days)
                    .map_err(|e| AsOfError::OutOfCalendar { date: self.date, why: e.to_string() })?,
            )
            .map_err(|e| AsOfError::OutOfCalendar { date: self.date, why: e.to_string() })?;
        Self::new(date, self.zone.clone())
    }

    /// Local midnights going back from this instant: element `n` is the instant `n` days before, `0..=days`.
    /// Window `[D − w, D)` starts at element `w`.
    ///
    /// # Errors
    /// The date leaves the calendar.
    pub fn midnights(&self, days: u16) -> Result<Vec<i64>, AsOfError> {
        (0..=i32::from(days)).map(|n| self.days_before(n).map(|a| a.micros)).collect()
    }

    /// The local calendar date of an instant.
    ///
    /// # Errors
    /// The instant is outside the representable range.
    pub fn local_date(&self, micros: i64) -> Result<Date, AsOfError> {
        Timestamp::from_microsecond(micros)
            .map(|t| t.to_zoned(self.zone.clone()).date())
            .map_err(|e| AsOfError::OutOfCalendar { date: self.date, why: e.to_string() })
    }

    /// Days since 1970-01-01 of the business date: the Arrow `Date32` value.
    #[must_use]
    pub fn days_since_epoch(&self) -> i32 {
        super::day::days_since_epoch(self.date)
    }
}

fn midnight(date: Date, zone: &TimeZone) -> Result<i64, AsOfError> {
    date.to_zoned(zone.clone())
        .map(|z| z.timestamp().as_microsecond())
        .map_err(|e| AsOfError::OutOfCalendar { date, why: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_in_zone() {
        let utc = AsOf::new(jiff::civil::date(2018, 8, 1), TimeZone::UTC).unwrap();
        assert_eq!(utc.micros(), 1_533_081_600_000_000);
        assert_eq!(utc.days_since_epoch(), 17_744);
        let sao = AsOf::new(jiff::civil::date(2018, 8, 1), AsOf::zone("America/Sao_Paulo").unwrap()).unwrap();
        assert_eq!(sao.micros() - utc.micros(), 3 * 3_600_000_000);
    }

    #[test]
    fn windows_follow_the_local_calendar_across_a_clock_change() {
        // Clocks in São Paulo went forward on 2017-10-15: that day had 23 hours.
        let zone = AsOf::zone("America/Sao_Paulo").unwrap();
        let as_of = AsOf::new(jiff::civil::date(2017, 10, 16), zone).unwrap();
        let midnights = as_of.midnights(2).unwrap();
        assert_eq!(midnights[0] - midnights[1], 23 * 3_600_000_000);
        assert_eq!(midnights[1] - midnights[2], 24 * 3_600_000_000);
    }

    #[test]
    fn unknown_zone_is_an_error() {
        assert!(AsOf::zone("Mars/Olympus").is_err());
    }
}
