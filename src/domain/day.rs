//! Dates as whole days since 1970-01-01: the Arrow `Date32` value.

use jiff::Span;
use jiff::civil::Date;

const EPOCH: Date = Date::constant(1970, 1, 1);

/// Days from 1970-01-01 to a date; negative before it.
#[must_use]
pub fn days_since_epoch(date: Date) -> i32 {
    // Any two dates of the calendar are less than 2³¹ days apart: the span always exists.
    EPOCH.until(date).map_or(0, |span: Span| span.get_days())
}

/// Whole days from one date to another; negative where that lies before it.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

/// The date that many days after 1970-01-01; `None` beyond the calendar.
#[must_use]
pub fn date_of_days(days: i64) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(days).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_invert_each_other() {
        for days in [-719_528_i32, -1, 0, 1, 17_744, 2_932_896] {
            assert_eq!(days_since_epoch(date_of_days(i64::from(days)).unwrap()), days);
        }
        assert_eq!(date_of_days(17_744), Some(Date::constant(2018, 8, 1)));
        assert_eq!([date_of_days(i64::MAX), date_of_days(i64::MIN), date_of_days(9_000_000)], [None; 3]);
    }
}
