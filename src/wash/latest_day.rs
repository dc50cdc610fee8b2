//! The observation date of a job that names none: the day after the last day of full trade.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The day after the last local day whose orders are at least a tenth of the median of all days with orders; `None` without
/// orders.
///
/// An export is cut off somewhere: its last days hold a trickle (Olist has 20 orders after 2018-08-29 and sold some 300 a day),
/// and a broken clock dates a few orders into the future. Neither is a day of full trade, so neither sets the date.
/// Example: 100 orders on each of 1 to 30 June, 4 on 1 July, 1 on 1 January 2099 give 1 July.
#[must_use]
pub fn day_after_latest_full_day(placed_at_micros: impl Iterator<Item = i64>, zone: &TimeZone) -> Option<Date> {
    let mut by_day: BTreeMap<Date, u64> = BTreeMap::new();
    let mut by_hour: BTreeMap<i64, u64> = BTreeMap::new();
    for micros in placed_at_micros {
        // Offsets change on quarters of an hour, so all orders of one quarter share a local day.
        *by_hour.entry(micros.div_euclid(QUARTER_HOUR)).or_default() += 1;
    }
    for (quarter, orders) in by_hour {
        let instant = quarter.checked_mul(QUARTER_HOUR).and_then(|m| Timestamp::from_microsecond(m).ok());
        if let Some(instant) = instant {
            *by_day.entry(zone.to_datetime(instant).date()).or_default() += orders;
        }
    }
    let mut sizes: Vec<u64> = by_day.values().copied().collect();
    sizes.sort_unstable();
    let median = *sizes.get(sizes.len() / 2)?;
    let (last, _) = by_day.iter().rev().find(|&(_, &orders)| orders.saturating_mul(10) >= median)?;
    last.checked_add(Span::new().days(1)).ok()
}

const QUARTER_HOUR: i64 = 900_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn orders(day: Date, count: usize) -> Vec<i64> {
        let midnight = day.to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond();
        (0..count).map(|n| midnight + i64::try_from(n).unwrap() * 1_000_000).collect()
    }

    #[test]
    fn thin_tail_and_stray_future_rows_do_not_set_the_date() {
        let mut all = Vec::new();
        for day in 1..=30 {
            all.extend(orders(date(2018, 6, day), 100));
        }
        assert_eq!(day_after_latest_full_day(all.iter().copied(), &TimeZone::UTC), Some(date(2018, 7, 1)));
        all.extend(orders(date(2018, 7, 1), 4));
        all.extend(orders(date(2099, 1, 1), 1));
        assert_eq!(day_after_latest_full_day(all.iter().copied(), &TimeZone::UTC), Some(date(2018, 7, 1)));
        all.extend(orders(date(2018, 7, 2), 10));
        assert_eq!(day_after_latest_full_day(all.iter().copied(), &TimeZone::UTC), Some(date(2018, 7, 3)));
    }

    #[test]
    fn days_are_local() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        // 17:00 UTC on 31 July is 1 August in Shanghai.
        let instant = orders(date(2018, 7, 31), 1).into_iter().map(|m| m + 17 * 3_600_000_000);
        assert_eq!(day_after_latest_full_day(instant, &shanghai), Some(date(2018, 8, 2)));
    }

    #[test]
    fn no_orders_no_date() {
        assert_eq!(day_after_latest_full_day(std::iter::empty(), &TimeZone::UTC), None);
    }
}
