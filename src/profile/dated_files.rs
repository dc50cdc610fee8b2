//! Files that are called by the day that they were written for: `orders_20251122.csv`, `2025-11-22/orders.csv`.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::fmt::strtime;
use regex::Regex;

/// How the day stands in the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatedFiles {
    /// A regular expression whose first group is the day.
    pub regex: &'static str,
    /// How the day is written, as `try_strptime` reads it.
    pub format: &'static str,
    /// The latest of the days.
    pub last_on: Date,
}

/// Regular expression and format, the surest first. Digits go on neither before nor after a day.
const FORMS: [(&str, &str); 3] = [
    ("(?:^|[^0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[^0-9]|$)", "%Y-%m-%d"),
    ("(?:^|[^0-9])([0-9]{4}_[0-9]{2}_[0-9]{2})(?:[^0-9]|$)", "%Y_%m_%d"),
    ("(?:^|[^0-9])([0-9]{8})(?:[^0-9]|$)", "%Y%m%d"),
];

impl DatedFiles {
    /// The form in which the paths of several files each hold another day.
    #[must_use]
    pub fn of(paths: &[&str]) -> Option<Self> {
        FORMS.into_iter().find_map(|(regex, format)| {
            let reader = Regex::new(regex).ok()?;
            let day = |path: &str| {
                let text = reader.captures(path)?.get(1)?.as_str();
                strtime::parse(format, text).ok()?.to_date().ok().filter(|day| (1990..2100).contains(&day.year()))
            };
            let days: BTreeSet<Date> = paths.iter().copied().map(day).collect::<Option<_>>()?;
            let last_on = *days.last()?;
            (days.len() > 1 && days.len() == paths.len()).then_some(Self { regex, format, last_on })
        })
    }
}

/// A year with the month and the day that may stand beside it.
const DATE: &str = "(^|[^0-9])(?:[0-9]{1,2}[-_./]){0,2}(?:19|20)[0-9]{2}(?:[-_./]?[QqWw]?[0-9]{1,2}){0,2}([^0-9]|$)";

/// Names of files without the days in them, which are alike for files of one export; none where a name has no day.
pub(super) fn undated(paths: &[String]) -> BTreeSet<String> {
    let Ok(date) = Regex::new(DATE) else { return BTreeSet::new() };
    if paths.iter().any(|path| !date.is_match(path)) {
        return BTreeSet::new();
    }
    paths.iter().map(|path| date.replace_all(path, "${1}#${2}").into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_their_days_are_alike_for_files_of_one_export() {
        let of = |paths: &[&str]| undated(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        for (older, newer) in [
            ("2025-03/orders.csv.gz", "2025-09/orders.csv.gz"),
            ("orders_2024.csv", "orders_2025.csv"),
            ("2025/03/orders.csv", "2025/11/orders.csv"),
            ("o/orders-20250301.csv", "o/orders-20250901.csv"),
            ("orders 31.03.2025.csv", "orders 30.09.2025.csv"),
            ("2025Q1/orders.csv", "2025Q3/orders.csv"),
        ] {
            assert_eq!(of(&[older]), of(&[newer]), "{older} {newer}");
            assert_eq!(of(&[older]).len(), 1, "{older}");
        }
        assert_ne!(of(&["2025/report_1.csv"]), of(&["2025/report_2.csv"]), "numbers of reports are no days");
        assert!(of(&["2025/orders.csv", "orders.csv"]).is_empty());
    }

    #[test]
    fn a_day_stands_in_every_name_or_in_none() {
        let format = |paths: &[&str]| DatedFiles::of(paths).map(|dated| dated.format);
        assert_eq!(format(&["o/orders_20251115.csv", "o/orders_20251122.csv"]), Some("%Y%m%d"));
        assert_eq!(format(&["2025-11-15/orders.csv", "2025-11-22/orders.csv"]), Some("%Y-%m-%d"));
        assert_eq!(format(&["o_2025_11_15.csv", "o_2025_11_22.csv"]), Some("%Y_%m_%d"));
        for none in [
            &["orders_20251115.csv"][..],
            &["orders_20251115.csv", "orders.csv"],
            &["a_20251115.csv", "b_20251115.csv"],
            &["orders_20251199.csv", "orders_20251122.csv"],
            &["orders_120251115.csv", "orders_120251122.csv"],
        ] {
            assert_eq!(format(none), None, "{none:?}");
        }
    }
}
