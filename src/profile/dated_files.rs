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

#[cfg(test)]
mod tests {
    use super::*;

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
