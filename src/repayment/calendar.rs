//! Business days: the local midnights that a shard's facts span.

use super::error::RepaymentError;
use crate::domain::AsOf;

/// A bound on the days looked back, against a broken date that would ask for millions.
pub(super) const MOST_DAYS: i32 = 73_050;

/// Local midnights from the first fact's day to the as-of date, so that instants become business dates by binary search
/// instead of a time-zone conversion each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessDays {
    first_day: i32,
    midnights: Vec<i64>,
}

impl BusinessDays {
    /// The days from the one that holds `earliest_micros` up to the as-of date, both included.
    ///
    /// # Errors
    /// The earliest instant lies more than 200 years before, or a date leaves the calendar.
    pub fn spanning(earliest_micros: i64, as_of: &AsOf) -> Result<Self, RepaymentError> {
        let mut midnights = vec![as_of.micros()];
        let mut back = 0;
        while midnights.last().is_some_and(|&m| m > earliest_micros) {
            back += 1;
            if back > MOST_DAYS {
                return Err(RepaymentError::OutsideCalendar {
                    micros: earliest_micros,
                    first_day: as_of.days_since_epoch() - MOST_DAYS,
                    last_day: as_of.days_since_epoch(),
                });
            }
            midnights.push(as_of.days_before(back)?.micros());
        }
        midnights.reverse();
        Ok(Self { first_day: as_of.days_since_epoch() - back, midnights })
    }

    /// The business date of an instant, in days since 1970-01-01.
    ///
    /// # Errors
    /// The instant lies before the first day. Instants after the last midnight belong to the last day.
    pub fn day_of(&self, micros: i64) -> Result<i32, RepaymentError> {
        let after = self.midnights.partition_point(|&m| m <= micros);
        match i32::try_from(after) {
            Ok(n) if n > 0 => Ok(self.first_day + n - 1),
            _ => Err(self.outside(micros)),
        }
    }

    /// The instant at which a business day begins.
    ///
    /// # Errors
    /// The day is not among those spanned.
    pub fn midnight(&self, day: i32) -> Result<i64, RepaymentError> {
        day.checked_sub(self.first_day)
            .and_then(|n| usize::try_from(n).ok())
            .and_then(|n| self.midnights.get(n).copied())
            .ok_or_else(|| self.outside(i64::from(day)))
    }

    fn outside(&self, micros: i64) -> RepaymentError {
        let days = i32::try_from(self.midnights.len()).unwrap_or(i32::MAX);
        RepaymentError::OutsideCalendar {
            micros,
            first_day: self.first_day,
            last_day: self.first_day.saturating_add(days) - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MICROS_PER_DAY;
    use jiff::civil::date;

    #[test]
    fn agrees_with_the_time_zone_library_across_a_clock_change() {
        let zone = AsOf::zone("America/Sao_Paulo").unwrap();
        let as_of = AsOf::new(date(2017, 10, 20), zone).unwrap();
        let days = BusinessDays::spanning(as_of.micros() - 10 * MICROS_PER_DAY, &as_of).unwrap();
        for hours in 0..240 {
            let instant = as_of.micros() - hours * 3_600_000_000;
            let local = as_of.local_date(instant).unwrap();
            let expected = AsOf::new(local, as_of.time_zone().clone()).unwrap();
            assert_eq!(days.day_of(instant).unwrap(), expected.days_since_epoch());
            assert_eq!(days.midnight(expected.days_since_epoch()).unwrap(), expected.micros());
        }
        assert!(days.day_of(as_of.micros() - 12 * MICROS_PER_DAY).is_err());
        assert!(days.midnight(as_of.days_since_epoch() + 1).is_err());
    }

    #[test]
    fn a_date_of_long_ago_is_refused() {
        let as_of = AsOf::new(date(2018, 1, 1), jiff::tz::TimeZone::UTC).unwrap();
        assert!(BusinessDays::spanning(-400 * 366 * MICROS_PER_DAY, &as_of).is_err());
    }
}
