//! The data's own clock: on which days a table traded, and which of them was the last of usual trade.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use polars::prelude::*;

use crate::contract::{self, SUPERSEDED_AT, TableContract, Visibility};
use crate::domain::days_between;

/// A day trades as usual from this share of what is usual on.
const USUAL_SHARE: f64 = 0.25;
/// Part of a day's rows may be missing where they are less than this share of the fewest that the same weekday had.
const SHORT_SHARE: f64 = 0.7;
/// Where the fewest were fewer than these, chance makes a day short (project judgement).
const FEWEST_ROWS: u64 = 30;
/// Weeks that say what is usual.
const WEEKS: i32 = 8;
/// Weeks with rows that say how much a week is: half a year, so that strays of a month or two say nothing.
const ACTIVE_WEEKS: usize = 26;
/// From this many rows a weekday on, days are compared; below it, weeks are.
const DAILY_ROWS: u64 = 5;
/// Days looked back for the longest pause between events.
const GAP_DAYS: i32 = 182;
/// So many times in half a year a pause comes that is usual.
const USUAL_PAUSES: usize = 4;
/// Offsets from UTC change on quarters of an hour: all instants of one quarter share a local day and half of day.
pub(super) const QUARTER_HOUR: i64 = 900_000_000;

impl FirstNightPace {
    /// Days that the table may lie behind, where `first_night_days` are allowed to any.
    #[must_use]
    pub fn tolerated(self, first_night_days: u16) -> i32 {
        self.rests.max(i32::from(first_night_days))
    }
}

/// Days with events in half a year that say how often a table has any.
pub const PACED_DAYS: usize = 10;

/// How far back a table's events end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstNightPace {
    /// The last day of usual trade.
    pub last_on: Date,
    /// Days from there to the day before as-of.
    pub days_behind: i32,
    /// Twice the longest pause of its last half year: as far back it may lie because it rests.
    pub rests: i32,
}

/// Rows of one table by local day of its event time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    days: BTreeMap<Date, Rows>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Rows {
    all: u64,
    /// At or after local noon.
    afternoon: u64,
}

/// The last day on which a table traded as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsualDay {
    /// The day.
    pub on: Date,
    /// Whether the table has rows enough on each weekday to be judged day by day.
    pub is_daily: bool,
}

/// The column that says when a row of the table happened; none where rows are plans (instalments) or memberships.
#[must_use]
pub fn event_column(table: &TableContract) -> Option<&'static str> {
    if table.name == contract::SHIPMENTS.name {
        return Some("shipped_at");
    }
    if [contract::INSTALMENTS.name, contract::GUARANTEE_GROUPS.name, contract::MERCHANTS.name].contains(&table.name) {
        return None;
    }
    match table.visibility {
        Visibility::Instant(column) | Visibility::Day(column) => Some(column),
        Visibility::Parent => None,
    }
}

impl Activity {
    /// Counts the latest versions of a washed table's rows; nothing for a table without event times.
    ///
    /// # Errors
    /// A column is missing or of another type.
    pub fn of_table(table: &TableContract, clean: &DataFrame, zone: &TimeZone) -> PolarsResult<Self> {
        let Some(column) = event_column(table) else { return Ok(Self::default()) };
        let is_latest = clean.column(SUPERSEDED_AT)?.is_null();
        let events = clean.column(column)?.as_materialized_series().filter(&is_latest)?;
        Self::of_series(&events, zone)
    }

    /// Adds the counts of other rows.
    pub(crate) fn add(&mut self, other: &Self) {
        for (day, rows) in &other.days {
            let counts = self.days.entry(*day).or_default();
            counts.all += rows.all;
            counts.afternoon += rows.afternoon;
        }
    }

    /// Counts instants or dates.
    ///
    /// # Errors
    /// The column is neither.
    pub fn of_series(events: &Series, zone: &TimeZone) -> PolarsResult<Self> {
        if events.dtype() == &DataType::Date {
            let epoch = Date::constant(1970, 1, 1);
            let days = events.date()?.physical().iter().flatten();
            return Ok(Self::of_dates(days.filter_map(|d| epoch.checked_add(Span::new().try_days(d).ok()?).ok())));
        }
        Ok(Self::of_instants(events.datetime()?.physical().iter().flatten(), zone))
    }

    /// Counts instants, in UTC microseconds.
    #[must_use]
    pub fn of_instants(micros: impl Iterator<Item = i64>, zone: &TimeZone) -> Self {
        let mut by_quarter: PlHashMap<i64, u64> = PlHashMap::default();
        for at in micros {
            *by_quarter.entry(at.div_euclid(QUARTER_HOUR)).or_default() += 1;
        }
        let mut activity = Self::default();
        for (quarter, count) in by_quarter {
            if let Some(local) = local(quarter, zone) {
                let rows = activity.days.entry(local.date()).or_default();
                rows.all += count;
                rows.afternoon += if local.hour() >= 12 { count } else { 0 };
            }
        }
        activity
    }

    fn of_dates(dates: impl Iterator<Item = Date>) -> Self {
        let mut activity = Self::default();
        for date in dates {
            activity.days.entry(date).or_default().all += 1;
        }
        activity
    }

    /// First day with an event.
    #[must_use]
    pub fn first_on(&self) -> Option<Date> {
        self.days.keys().next().copied()
    }

    /// Last day with an event, usual or not.
    #[must_use]
    pub fn last_on(&self) -> Option<Date> {
        self.days.keys().next_back().copied()
    }

    /// The last day of usual trade: where an export is cut off, a clock is broken or the new day has just begun, rows after it are few and
    /// count for nothing.
    ///
    /// A day is usual where
    /// - its rows are at least a quarter of the median of the same weekday over the eight weeks before (days without rows count as zero); in a
    ///   table with a median below 5 the seven days that end with it are compared instead;
    /// - the seven days before it together reach a quarter of the median week, over the 26 weeks before that have any rows: stray rows dated
    ///   months later are not usual trade, whether many on one day or a few on each;
    /// - trade went on after local noon, as much as on that weekday, unless the table has no afternoons at all (dates without times).
    ///
    /// Example: 100 orders a day until 30 June, 4 orders at five past midnight on 1 July, 25 in December: 30 June.
    #[must_use]
    pub fn last_usual_day(&self) -> Option<UsualDay> {
        self.days.keys().rev().find_map(|day| self.usual(*day))
    }

    fn usual(&self, day: Date) -> Option<UsualDay> {
        let today = self.rows(day);
        let history = self.first_on().map_or(0, |first| days_between(first, day));
        if history < 7 {
            // The first week knows no weekdays: all its days so far say what is usual.
            let before: Vec<u64> = (1..=history).map(|n| self.rows(back(day, n)).all).collect();
            let enough = median(before).is_none_or(|usual| reaches(today.all, usual));
            return enough.then_some(UsualDay { on: day, is_daily: false });
        }
        let weeks: Vec<i32> = (1..=WEEKS).map(|w| 7 * w).filter(|days| *days <= history).collect();
        let same_weekday = |of: fn(Rows) -> u64| median(weeks.iter().map(|n| of(self.rows(back(day, *n)))).collect());
        let weeks_back = (1..=history / 7).map(|n| self.week_until(back(day, 7 * n)));
        let usual_week = median(weeks_back.filter(|rows| *rows > 0).take(ACTIVE_WEEKS).collect())?;
        let usual_rows = same_weekday(|r| r.all)?;
        let is_daily = usual_rows >= DAILY_ROWS;
        let enough = if is_daily {
            reaches(today.all, usual_rows) && reaches(self.week_until(back(day, 1)), usual_week)
        } else {
            today.all > 0 && reaches(self.week_until(day), usual_week) && self.week_until(back(day, 1)) > 0
        };
        let has_afternoons = (1..=7 * WEEKS).any(|n| self.rows(back(day, n)).afternoon > 0);
        let usual_afternoon = same_weekday(|r| r.afternoon)?.max(1);
        let went_on = !has_afternoons || reaches(today.afternoon, usual_afternoon);
        (enough && went_on).then_some(UsualDay { on: day, is_daily })
    }

    /// The longest run of days without an event in the half year before the last one.
    #[must_use]
    pub fn usual_gap_days(&self) -> u16 {
        let Some(last) = self.last_usual_day().map(|d| d.on).or(self.last_on()) else { return 0 };
        u16::try_from(self.gaps_until(last).into_iter().max().unwrap_or(0)).unwrap_or(u16::MAX)
    }

    /// Days from each day with an event to the next, in the half year that ends with a day.
    fn gaps_until(&self, last: Date) -> Vec<i32> {
        let recent: Vec<Date> = self.days.range(back(last, GAP_DAYS)..=last).map(|(day, _)| *day).collect();
        recent.iter().zip(recent.iter().skip(1)).map(|(a, b)| days_between(*a, *b)).collect()
    }

    /// How many of the `days` after `last` should have had events. Where a weekday has rows enough to be judged by itself, every day whose weekday had any
    /// in two of its last eight weeks; else the days beyond a usual pause, the longest that came four times in half a year. A pause that came once
    /// excuses nothing.
    #[must_use]
    pub fn days_missed(&self, last: Date, days: i32) -> i32 {
        let is_daily = (0..7).any(|n| median(self.same_weekdays(back(last, n))).is_some_and(|rows| rows >= DAILY_ROWS));
        if !is_daily {
            let mut gaps = self.gaps_until(last);
            gaps.sort_unstable_by(|a, b| b.cmp(a));
            let pause = gaps.get(USUAL_PAUSES - 1).or(gaps.last()).map_or(0, |gap| gap - 1);
            return (days - pause).max(0);
        }
        let trades = |weekday: Date| {
            let rows = self.same_weekdays(weekday);
            reaches(rows.iter().filter(|rows| **rows > 0).count() as u64, rows.len() as u64)
        };
        // The same weekday in the week that ends with `last` stands for a day after it.
        let missed = (1..=days).filter(|n| trades(back(last, (7 - n % 7) % 7)));
        i32::try_from(missed.count()).unwrap_or(i32::MAX)
    }

    /// How many of the `days` that end with `last` have so few rows that part of them may be missing: less than seven tenths of the fewest that the same weekday had over the eight
    /// weeks before, which were no fewer than 30. A file that was cut in half makes such a day; in a table with fewer rows it cannot be told from a quiet one.
    #[must_use]
    pub fn days_short(&self, last: Date, days: i32) -> i32 {
        let is_short = |n: &i32| {
            let day = back(last, *n);
            let fewest = (1..=WEEKS).map(|weeks| self.rows(back(day, 7 * weeks)).all).min().unwrap_or(0);
            fewest >= FEWEST_ROWS && (self.rows(day).all as f64) < SHORT_SHARE * fewest as f64
        };
        i32::try_from((0..days).filter(is_short).count()).unwrap_or(i32::MAX)
    }

    /// Rows of a day and of the same weekday before it, over eight weeks.
    fn same_weekdays(&self, day: Date) -> Vec<u64> {
        let first = self.first_on();
        let days = (0..WEEKS).map(|weeks| back(day, 7 * weeks)).filter(|day| first.is_some_and(|first| first <= *day));
        days.map(|day| self.rows(day).all).collect()
    }

    /// Days with an event in the half year before the last one.
    #[must_use]
    pub fn recent_days(&self) -> usize {
        self.last_on().map_or(0, |last| self.days.range(back(last, GAP_DAYS)..=last).count())
    }

    /// How a table stands that no earlier night speaks for. Tables with events on fewer than ten days of half a year say nothing of their own pace.
    #[must_use]
    pub fn first_night_pace(&self, as_of: Date) -> Option<FirstNightPace> {
        let last_on = self.last_usual_day().filter(|_| self.recent_days() >= PACED_DAYS)?.on;
        let rests = i32::from(self.usual_gap_days()).saturating_sub(1).saturating_mul(2);
        Some(FirstNightPace { last_on, days_behind: days_between(last_on, as_of) - 1, rests })
    }

    fn rows(&self, day: Date) -> Rows {
        self.days.get(&day).copied().unwrap_or_default()
    }

    /// Rows of the seven days that end with this one.
    fn week_until(&self, day: Date) -> u64 {
        self.days.range(back(day, 6)..=day).map(|(_, rows)| rows.all).sum()
    }
}

/// When a quarter of an hour since 1970 begins, where a zone is.
pub(super) fn local(quarter: i64, zone: &TimeZone) -> Option<DateTime> {
    let instant = Timestamp::from_microsecond(quarter.checked_mul(QUARTER_HOUR)?).ok()?;
    Some(zone.to_datetime(instant))
}

/// A date so many days earlier; at the edge of the calendar the edge.
pub(super) fn back(day: Date, days: i32) -> Date {
    day.saturating_sub(Span::new().days(days))
}

fn reaches(rows: u64, usual: u64) -> bool {
    rows > 0 && rows as f64 >= USUAL_SHARE * usual as f64
}

/// The lower median; `None` of nothing.
fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::date;

    fn midnight(day: Date) -> i64 {
        day.to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond()
    }

    /// `rows` spread evenly over the day.
    fn trade(day: Date, rows: u64) -> impl Iterator<Item = i64> {
        let midnight = midnight(day);
        let step = 86_000_000_000 / i64::try_from(rows.max(1)).unwrap();
        (0..rows).map(move |n| midnight + step * 3 / 5 + i64::try_from(n).unwrap() * step)
    }

    /// A quarter of a year of trade until 30 June 2025, weekends at half.
    fn quarter(rows: u64) -> Vec<i64> {
        let mut all = Vec::new();
        let mut day = date(2025, 4, 1);
        while day <= date(2025, 6, 30) {
            let weekend = day.weekday().to_monday_zero_offset() >= 5;
            all.extend(trade(day, if weekend { rows / 2 } else { rows }));
            day = day.checked_add(1.day()).unwrap();
        }
        all
    }

    fn clock(all: &[i64]) -> Option<Date> {
        Activity::of_instants(all.iter().copied(), &TimeZone::UTC).last_usual_day().map(|d| d.on)
    }

    #[test]
    fn orders_after_midnight_move_nothing_at_any_volume() {
        for rows in [1, 2, 4, 10, 100, 1_000] {
            let end = clock(&quarter(rows)).unwrap();
            assert!(rows < 10 || end == date(2025, 6, 30), "{rows}: {end}");
            for stray in 1..=(rows / 4).max(1) {
                let mut all = quarter(rows);
                let midnight = date(2025, 7, 1).to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond();
                all.extend((1..=i64::try_from(stray).unwrap()).map(|n| midnight + n * 60_000_000));
                assert_eq!(clock(&all), Some(end), "{rows} a day, {stray} after midnight");
            }
        }
    }

    #[test]
    fn rows_dated_months_ahead_move_nothing_however_many_share_a_day() {
        for strays in [1, 25, 100, 5_000] {
            let mut all = quarter(300);
            all.extend(trade(date(2025, 12, 3), strays));
            all.extend(trade(date(2099, 1, 1), 1));
            assert_eq!(clock(&all), Some(date(2025, 6, 30)), "{strays}");
        }
        // A stray every day of a later month, each a small part of a usual day.
        let mut all = quarter(300);
        (1..=30).for_each(|d| all.extend(trade(date(2025, 11, d), 3)));
        assert_eq!(clock(&all), Some(date(2025, 6, 30)));
    }

    #[test]
    fn a_tail_that_thins_out_is_no_usual_trade_and_a_real_day_is() {
        let mut all = quarter(300);
        (1..=20).for_each(|d| all.extend(trade(date(2025, 7, d), 10)));
        assert_eq!(clock(&all), Some(date(2025, 6, 30)));
        let mut all = quarter(300);
        all.extend(trade(date(2025, 7, 1), 120));
        assert_eq!(clock(&all), Some(date(2025, 7, 1)), "two fifths of a Tuesday");
    }

    #[test]
    fn a_day_without_events_that_came_once_excuses_no_later_one() {
        let last = date(2025, 6, 30);
        let once = midnight(date(2025, 5, 14));
        let all = |rows: u64, keeps: &dyn Fn(i64) -> bool| {
            let at = quarter(rows).into_iter().filter(|at| keeps(*at));
            Activity::of_instants(at.collect::<Vec<_>>().into_iter(), &TimeZone::UTC)
        };
        for rows in [4, 40, 400] {
            let but_one = all(rows, &|at| !(once..once + 86_400_000_000).contains(&at));
            assert_eq!(but_one.usual_gap_days(), 2);
            assert_eq!([0, 1, 2, 9].map(|days| but_one.days_missed(last, days)), [0, 1, 2, 9], "{rows} a day");
        }
        // Weekdays alone: a weekend is rest, a Monday is not; 30 June 2025 is a Monday.
        let weekday = |at: i64| TimeZone::UTC.to_datetime(Timestamp::from_microsecond(at).unwrap()).weekday();
        let busy = all(40, &|at| weekday(at).to_monday_zero_offset() < 5);
        let friday = date(2025, 6, 27);
        assert_eq!([1, 2, 3].map(|days| busy.days_missed(friday, days)), [0, 0, 1]);
        assert_eq!(busy.days_missed(last, 14), 10);
        // Twice a week, and once three weeks apart.
        let seldom = (0..40).filter(|n| !(10..16).contains(n)).map(|n| back(last, n * 7 / 2));
        let seldom = Activity::of_dates(seldom);
        assert!(seldom.usual_gap_days() > 20);
        assert_eq!([1, 3, 4, 9].map(|days| seldom.days_missed(last, days)), [0, 0, 1, 6]);
    }

    #[test]
    fn a_day_with_half_of_its_rows_is_short_where_chance_does_not_make_it_so() {
        let (last, half) = (date(2025, 6, 30), midnight(date(2025, 6, 29)));
        let cut = |rows: u64, from: i64| {
            let kept = quarter(rows).into_iter().enumerate().filter(|(n, at)| *at < from || n % 2 == 0);
            Activity::of_instants(kept.map(|(_, at)| at).collect::<Vec<_>>().into_iter(), &TimeZone::UTC)
        };
        let (whole, small, cut) = (cut(200, i64::MAX), cut(40, half), cut(200, half));
        assert_eq!(cut.last_usual_day().map(|day| day.on), Some(last), "a day of usual trade all the same");
        assert_eq!([&whole, &small, &cut].map(|activity| activity.days_short(last, 3)), [0, 1, 2]);
        // A holiday among the weeks before says that a day may be as quiet.
        let mut all = quarter(200);
        let holiday = midnight(date(2025, 6, 2));
        all.retain(|at| !(holiday..holiday + 86_400_000_000 / 2).contains(at));
        all.retain(|at| *at < midnight(last) || at % 2 == 0);
        assert_eq!(Activity::of_instants(all.into_iter(), &TimeZone::UTC).days_short(last, 1), 0);
    }

    #[test]
    fn weekends_without_trade_are_usual_for_a_table_that_rests() {
        let all: Vec<i64> = quarter(40)
            .into_iter()
            .filter(|at| {
                let day = TimeZone::UTC.to_datetime(Timestamp::from_microsecond(*at).unwrap()).weekday();
                day.to_monday_zero_offset() < 5 && *at < 1_751_068_800_000_000
            })
            .collect();
        // Data until Friday 27 June.
        let activity = Activity::of_instants(all.into_iter(), &TimeZone::UTC);
        assert_eq!(activity.last_usual_day(), Some(UsualDay { on: date(2025, 6, 27), is_daily: true }));
        assert_eq!(activity.usual_gap_days(), 3);
    }

    #[test]
    fn sparse_tables_are_judged_by_weeks_and_dates_have_no_afternoon() {
        let weekly = (0..20).map(|w| date(2025, 1, 6).checked_add((7 * w).days()).unwrap());
        let activity = Activity::of_dates(weekly);
        assert_eq!(activity.last_usual_day(), Some(UsualDay { on: date(2025, 5, 19), is_daily: false }));
        let daily = (0..60).flat_map(|d| vec![date(2025, 1, 1).checked_add(d.days()).unwrap(); 50]);
        let found = Activity::of_dates(daily).last_usual_day().unwrap();
        assert_eq!((found.on, found.is_daily), (date(2025, 3, 1), true));
    }

    #[test]
    fn days_are_local_and_nothing_has_no_clock() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        // 17:00 UTC on 31 July is 1 August in Shanghai.
        let instant = trade(date(2018, 7, 31), 1).map(|m| m + 17 * 3_600_000_000);
        assert_eq!(Activity::of_instants(instant, &shanghai).last_usual_day().map(|d| d.on), Some(date(2018, 8, 1)));
        assert_eq!(clock(&[]), None);
    }
}
