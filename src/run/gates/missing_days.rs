//! Days whose files never came. Where files are named by day, one that is not there shows in no share of rows or bytes, and once later days are there, in no
//! table's last day either; what was paid, complained of or sent back on that day would count for nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;
use jiff::civil::Date;

use super::column_gates::FilesBefore;
use super::gone_files::tables_of;
use crate::domain::Digest;
use crate::source::{InputFile, SourceSettings};

/// Weeks over which an input came regularly, so that a day of it is missed.
const WEEKS: i64 = 8;

/// Days since the last one that the night before had files of, by contract table, for which an input should have files and has none. An input is regular where over
/// eight weeks each weekday always had a file or never: one that has files only on days on which something happened is missed by chance now and then, and is not
/// judged. Files of days that the night before did not look at, because they lay there already, were none of its. A file without rows, or with the bytes of another day's, says nothing of its day, and is as none. A day that a night went on without is not missed again, and the input is irregular until it is eight weeks ago.
pub(in crate::run) fn missing_days(
    job: &SourceSettings,
    tonight: &[InputFile],
    (before, before_as_of): (&FilesBefore, Date),
    as_of: Date,
) -> BTreeMap<&'static str, BTreeSet<Date>> {
    let mut by_table: BTreeMap<&'static str, BTreeSet<Date>> = BTreeMap::new();
    let known_until = before.digests.keys().filter_map(|path| day_named(path));
    let known_until = known_until.filter(|day| *day < before_as_of.min(as_of)).max();
    let Some(known_until) = known_until else { return by_table };
    let mut days: BTreeMap<&str, BTreeSet<Date>> = BTreeMap::new();
    for file in distinct_files_with_rows(tonight) {
        days.entry(&file.input).or_default().extend(day_named(&file.path).filter(|day| *day < as_of));
    }
    let Some(latest) = days.values().filter_map(|days| days.last()).max().copied() else { return by_table };
    let new: Vec<Date> = known_until.series(1.day()).skip(1).take_while(|day| *day <= latest).collect();
    for (input, days) in &days {
        let missing = new.iter().filter(|day| !days.contains(*day) && is_usual(days, **day));
        for day in missing {
            for table in tables_of(job, input) {
                by_table.entry(table).or_default().insert(*day);
            }
        }
    }
    by_table
}

/// Files that have rows, and not the bytes of one before them by path.
fn distinct_files_with_rows(files: &[InputFile]) -> impl Iterator<Item = &InputFile> {
    let mut first: BTreeMap<(&str, Digest), &str> = BTreeMap::new();
    for file in files {
        let first = first.entry((&file.input, file.sha256)).or_insert(&file.path);
        *first = (*first).min(&file.path);
    }
    files.iter().filter(move |file| {
        file.raw_rows > 0 && first.get(&(file.input.as_str(), file.sha256)).is_some_and(|first| **first == *file.path)
    })
}

/// Whether an input that has files of these days should have one of another.
fn is_usual(days: &BTreeSet<Date>, day: Date) -> bool {
    (0..7).all(|weekday| {
        let in_week = |week: i64| days.contains(&day.saturating_sub((7 * week - weekday).days()));
        (1..=WEEKS).all(in_week) || (weekday > 0 && !(1..=WEEKS).any(in_week))
    })
}

/// The one day that a path names, as `2025-06-30`, `20250630`, `2025/06/30` or in folders `year=2025/month=6/day=30`; `None` where it names none, or
/// several: a file of a period.
fn day_named(path: &str) -> Option<Date> {
    let numbers = numbers(path);
    let mut days = BTreeSet::new();
    for (at, (before, digits)) in numbers.iter().enumerate() {
        if digits.len() == 8 {
            days.extend(day_of(digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?));
        }
        let (Some((to_month, month)), Some((to_day, day))) = (numbers.get(at + 1), numbers.get(at + 2)) else {
            continue;
        };
        let is_written = to_month == to_day
            && ["-", "_", "/", "."].contains(to_month)
            && [digits.len(), month.len(), day.len()] == [4, 2, 2];
        let is_hive = before.ends_with("year=") && *to_month == "/month=" && *to_day == "/day=";
        if is_written || is_hive {
            days.extend(day_of(digits, month, day));
        }
    }
    days.pop_first().filter(|_| days.is_empty())
}

fn day_of(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// The numbers in a path, each with what stands between it and the one before.
fn numbers(path: &str) -> Vec<(&str, &str)> {
    let mut numbers = Vec::new();
    let mut rest = path;
    while let Some(from) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, tail) = rest.split_at(from);
        let (digits, next) = tail.split_at(tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len()));
        numbers.push((before, digits));
        rest = next;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::source::{InputSpec, SourcePart, SourceSpec};

    fn job() -> SourceSettings {
        let part = |table| SourcePart {
            table,
            filter: None,
            from: table.to_owned(),
            sql: None,
            keyed_by: BTreeMap::new(),
            max_whole_rows: 1,
        };
        let spec = |table| SourceSpec { table, parts: vec![part(table)] };
        SourceSettings {
            data: "data".into(),
            inputs: ["orders", "payments"].map(|name| (name.to_owned(), InputSpec::default())).into(),
            sources: vec![spec("orders"), spec("payments")],
        }
    }

    fn file(input: &str, day: Date) -> InputFile {
        InputFile {
            input: input.to_owned(),
            path: format!("{day}/{input}.parquet"),
            sha256: Digest::of(format!("{input} {day}").as_bytes()),
            bytes: 1,
            raw_rows: 1,
            is_verified: false,
        }
    }

    /// Files of both inputs for the days up to one, but for some.
    fn files(until: Date, without: &[(&str, Date)]) -> Vec<InputFile> {
        let days = date(2025, 4, 1).series(1.day()).take_while(|day| *day <= until);
        let all = days.flat_map(|day| ["orders", "payments"].map(|input| (input, day)));
        all.filter(|file| !without.contains(file)).map(|(input, day)| file(input, day)).collect()
    }

    fn before(files: &[InputFile]) -> FilesBefore {
        FilesBefore { digests: files.iter().map(|file| (file.path.clone(), file.sha256)).collect(), gaps: None }
    }

    fn missing(tonight: &[InputFile], before: &[InputFile], as_of: Date) -> Vec<(&'static str, Vec<Date>)> {
        // It looked at all that it had.
        let last = before.iter().filter_map(|file| day_named(&file.path)).max().unwrap();
        missing_since(tonight, (before, last.tomorrow().unwrap()), as_of)
    }

    fn missing_since(
        tonight: &[InputFile],
        (before, before_as_of): (&[InputFile], Date),
        as_of: Date,
    ) -> Vec<(&'static str, Vec<Date>)> {
        let found = missing_days(&job(), tonight, (&self::before(before), before_as_of), as_of);
        found.into_iter().map(|(table, days)| (table, days.into_iter().collect())).collect()
    }

    #[test]
    fn a_day_that_never_came_is_missed_once() {
        let [first, second, third] = [date(2025, 7, 1), date(2025, 7, 2), date(2025, 7, 3)];
        let known = files(first, &[]);
        let tonight = files(third, &[("payments", second)]);
        assert_eq!(missing(&tonight, &known, date(2025, 7, 4)), [("payments", vec![second])]);
        // The last day of one input, while another has it.
        assert_eq!(missing(&files(second, &[("payments", second)]), &known, third), [("payments", vec![second])]);
        // Both lack it, and a later day is there.
        let both = files(third, &[("orders", second), ("payments", second)]);
        assert_eq!(missing(&both, &known, date(2025, 7, 4)), [("orders", vec![second]), ("payments", vec![second])]);
        // Nothing of the day has come: the gates on ages speak of that.
        assert_eq!(missing(&files(first, &[]), &known, third), []);
        // A night went on without it.
        assert_eq!(missing(&files(date(2025, 7, 4), &[("payments", second)]), &tonight, date(2025, 7, 5)), []);
        // Days to come are none of a night's business.
        assert_eq!(missing(&tonight, &known, second), []);
    }

    #[test]
    fn a_day_is_missed_although_later_files_lay_there_when_an_earlier_night_was_made_up_for() {
        let [second, fourth] = [date(2025, 7, 2), date(2025, 7, 4)];
        let all = files(fourth, &[("payments", second)]);
        assert_eq!(missing_since(&all, (&all, second), date(2025, 7, 3)), [("payments", vec![second])]);
        assert_eq!(missing_since(&all, (&all, date(2025, 7, 3)), fourth), []);
    }

    #[test]
    fn a_file_without_rows_or_with_another_day_s_bytes_is_as_none() {
        let [first, second] = [date(2025, 7, 1), date(2025, 7, 2)];
        let known = files(first, &[]);
        let spoilt = |spoil: &dyn Fn(&mut InputFile)| {
            let mut tonight = files(second, &[]);
            let path = file("payments", second).path;
            tonight.iter_mut().filter(|file| file.path == path).for_each(spoil);
            tonight
        };
        let expected = [("payments", vec![second])];
        let no_rows = spoilt(&|file| file.raw_rows = 0);
        assert_eq!(missing(&no_rows, &known, date(2025, 7, 3)), expected);
        let yesterdays = file("payments", first).sha256;
        let again = spoilt(&|file| file.sha256 = yesterdays);
        assert_eq!(missing(&again, &known, date(2025, 7, 3)), expected);
        // The bytes of another input's file are none of this one's.
        let orders = file("orders", first).sha256;
        assert_eq!(missing(&spoilt(&|file| file.sha256 = orders), &known, date(2025, 7, 3)), []);
    }

    #[test]
    fn weekdays_without_files_are_not_missed() {
        let is_sunday = |day: &Date| day.weekday() == jiff::civil::Weekday::Sunday;
        let sundays: Vec<(&str, Date)> =
            date(2025, 4, 1).series(1.day()).take(120).filter(is_sunday).map(|day| ("payments", day)).collect();
        let known = files(date(2025, 7, 5), &sundays);
        assert_eq!(missing(&files(date(2025, 7, 8), &sundays), &known, date(2025, 7, 9)), []);
    }

    #[test]
    fn an_input_that_comes_now_and_then_is_not_judged() {
        let (second, third) = (date(2025, 7, 2), date(2025, 7, 3));
        let known = files(date(2025, 7, 1), &[("payments", date(2025, 6, 5))]);
        let tonight = files(third, &[("payments", date(2025, 6, 5)), ("payments", second)]);
        assert_eq!(missing(&tonight, &known, date(2025, 7, 4)), []);
    }

    #[test]
    fn names_say_days_in_several_ways() {
        let day = Some(date(2025, 6, 30));
        for path in [
            "2025-06-30/orders.csv",
            "orders_20250630.csv",
            "2025/06/30/orders.csv",
            "year=2025/month=6/day=30/part-0.parquet",
            "orders-2025_06_30.csv.gz",
        ] {
            assert_eq!(day_named(path), day, "{path}");
        }
        for path in ["orders.csv", "2025-06/orders.csv", "2025-06-01_2025-06-30.csv", "120250630.csv", "2025-02-30.csv"]
        {
            assert_eq!(day_named(path), None, "{path}");
        }
    }
}
