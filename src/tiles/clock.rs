//! Local calendar days, counted back from as-of.

use super::error::TileError;
use crate::domain::{AsOf, MICROS_PER_DAY};

/// The day of everything before the clock's horizon: one common slot, so that what is counted over all of a history stays
/// exact while days are kept only as far back as some window reaches.
pub const OLDER: u16 = u16::MAX - 1;

/// End (exclusive) of a window without a beginning.
pub const EVER: u16 = u16::MAX;

/// Tells which day before as-of an instant falls on.
///
/// Day 0 is the last full day before as-of, `[D − 1 day, D)`; the window `[D − w, D)` is days `0..w`. Days begin at local
/// midnight, so that one of them has 23 hours where clocks go forward.
#[derive(Debug, Clone)]
pub struct DayClock {
    as_of: AsOf,
    /// Element `n` is the instant `n` days before as-of.
    midnights: Vec<i64>,
}

impl DayClock {
    /// A clock that tells days apart back to `horizon_days`.
    ///
    /// # Errors
    /// The horizon leaves the calendar.
    pub fn new(as_of: &AsOf, horizon_days: u16) -> Result<Self, TileError> {
        let midnights = as_of.midnights(horizon_days.min(OLDER - 1))?;
        Ok(Self { as_of: as_of.clone(), midnights })
    }

    /// The observation.
    #[must_use]
    pub const fn as_of(&self) -> &AsOf {
        &self.as_of
    }

    /// Day of an instant; `None` at or after as-of, [`OLDER`] before the horizon.
    #[must_use]
    pub fn day(&self, micros: i64) -> Option<u16> {
        let before = self.as_of.micros().checked_sub(micros)?;
        if before <= 0 {
            return None;
        }
        // With days of 24 hours this is the answer; clock changes move it by one at most.
        let guess = usize::try_from((before - 1) / MICROS_PER_DAY).ok()?;
        let holds = |n: usize| {
            let start = self.midnights.get(n + 1).copied();
            let end = self.midnights.get(n).copied();
            matches!((start, end), (Some(s), Some(e)) if s <= micros && micros < e)
        };
        let day = if holds(guess) {
            guess
        } else if holds(guess + 1) {
            guess + 1
        } else if guess > 0 && holds(guess - 1) {
            guess - 1
        } else {
            return Some(OLDER);
        };
        Some(u16::try_from(day).unwrap_or(OLDER))
    }

    /// Day of a date, given in days since 1970-01-01; `None` on or after the as-of date, [`OLDER`] before the horizon.
    #[must_use]
    pub fn day_of_date(&self, date: i64) -> Option<u16> {
        let n = i64::from(self.as_of.days_since_epoch()) - date - 1;
        if n < 0 {
            return None;
        }
        let horizon = self.midnights.len().saturating_sub(1);
        Some(match u16::try_from(n) {
            Ok(day) if usize::from(day) < horizon => day,
            _ => OLDER,
        })
    }

    /// Whole calendar days from the local date of an instant to the as-of date; 0 for instants not yet past.
    ///
    /// # Errors
    /// The instant lies outside the calendar.
    pub fn days_since(&self, micros: i64) -> Result<i64, TileError> {
        match self.day(micros) {
            None => Ok(0),
            Some(OLDER) => {
                let date = AsOf::new(self.as_of.local_date(micros)?, self.as_of.time_zone().clone())?;
                Ok(i64::from(self.as_of.days_since_epoch()) - i64::from(date.days_since_epoch()))
            }
            Some(day) => Ok(i64::from(day) + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn clock(zone: &str, horizon: u16) -> DayClock {
        // Clocks in São Paulo went forward on 2017-10-15 and back on 2018-02-18.
        DayClock::new(&AsOf::new(date(2018, 3, 1), AsOf::zone(zone).unwrap()).unwrap(), horizon).unwrap()
    }

    #[test]
    fn the_last_day_ends_at_as_of() {
        let clock = clock("UTC", 30);
        let d = clock.as_of().micros();
        assert_eq!(clock.day(d), None);
        assert_eq!(clock.day(d - 1), Some(0));
        assert_eq!(clock.day(d - MICROS_PER_DAY), Some(0));
        assert_eq!(clock.day(d - MICROS_PER_DAY - 1), Some(1));
        assert_eq!(clock.day(d - 30 * MICROS_PER_DAY), Some(29));
        assert_eq!(clock.day(d - 30 * MICROS_PER_DAY - 1), Some(OLDER));
        let today = i64::from(clock.as_of().days_since_epoch());
        assert_eq!(clock.day_of_date(today), None);
        assert_eq!(clock.day_of_date(today - 1), Some(0));
        assert_eq!(clock.day_of_date(today - 30), Some(29));
        assert_eq!(clock.day_of_date(today - 31), Some(OLDER));
    }

    proptest! {
        #[test]
        fn agrees_with_the_calendar(back in 1_i64..400 * MICROS_PER_DAY) {
            for zone in ["UTC", "America/Sao_Paulo", "Asia/Shanghai"] {
                let clock = clock(zone, 500);
                let instant = clock.as_of().micros() - back;
                let there = AsOf::new(clock.as_of().local_date(instant).unwrap(), AsOf::zone(zone).unwrap()).unwrap();
                let days = clock.as_of().days_since_epoch() - there.days_since_epoch();
                prop_assert_eq!(i32::from(clock.day(instant).unwrap()), days - 1);
                prop_assert_eq!(clock.days_since(instant).unwrap(), i64::from(days));
                // The same answer beyond the horizon, by the long way round.
                let short = DayClock::new(clock.as_of(), 1).unwrap();
                prop_assert_eq!(short.days_since(instant).unwrap(), i64::from(days));
            }
        }
    }
}
