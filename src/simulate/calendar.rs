//! Simulated time: days counted from the first one, seconds since 1970.

use jiff::civil::{Date, Weekday};

use crate::domain::days_since_epoch;

/// Seconds in a day.
pub(super) const DAY: i64 = 86_400;

/// Seconds since 1970-01-01 UTC: all simulated instants fall on whole seconds.
pub(super) type Second = i64;

/// The simulated span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    /// Days since 1970 of the first simulated day.
    first: i64,
    /// Simulated days.
    pub(super) days: usize,
    first_day_of_year: i64,
    first_weekday: i64,
}

impl Calendar {
    pub(super) fn new(start: Date, end: Date) -> Self {
        let since_1970 = |date: Date| i64::from(days_since_epoch(date));
        let first = since_1970(start);
        Self {
            first,
            days: usize::try_from(since_1970(end) - first).unwrap_or(0),
            first_day_of_year: i64::from(start.day_of_year()),
            first_weekday: i64::from(start.weekday().since(Weekday::Monday)),
        }
    }

    /// Midnight at the start of simulated day `day`; days before the first are negative.
    pub(super) const fn midnight(&self, day: i64) -> Second {
        (self.first + day) * DAY
    }

    /// The first second after the simulation.
    pub(super) fn end(&self) -> Second {
        self.midnight(count(self.days))
    }

    /// Simulated day of an instant.
    pub(super) const fn day_of(&self, at: Second) -> i64 {
        at.div_euclid(DAY) - self.first
    }

    /// Days since 1970 of a simulated day: an Arrow `Date32`.
    pub(super) fn date32(&self, day: i64) -> i32 {
        i32::try_from(self.first + day).unwrap_or(i32::MAX)
    }

    /// Day of the year, 1 to 365 (leap days drift by one, which no season notices).
    pub(super) fn day_of_year(&self, day: usize) -> f64 {
        ((self.first_day_of_year - 1 + count(day)).rem_euclid(365) + 1) as f64
    }

    /// 0 for Monday to 6 for Sunday.
    pub(super) fn weekday(&self, day: usize) -> usize {
        usize::try_from((self.first_weekday + count(day)).rem_euclid(7)).unwrap_or(0)
    }
}

/// A count of days as a signed number.
pub(super) fn count(days: usize) -> i64 {
    i64::try_from(days).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_instants_agree() {
        let calendar = Calendar::new(Date::constant(2024, 7, 1), Date::constant(2025, 7, 1));
        assert_eq!(calendar.days, 365);
        assert_eq!(calendar.midnight(0), 1_719_792_000);
        assert_eq!(calendar.end(), 1_751_328_000);
        assert_eq!(calendar.day_of(calendar.midnight(3) + 5), 3);
        assert_eq!(calendar.day_of(calendar.midnight(0) - 1), -1);
        assert_eq!(calendar.weekday(0), 0, "2024-07-01 was a Monday");
        assert_eq!(calendar.date32(0), 19_905);
    }
}
