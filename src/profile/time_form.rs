//! The forms in which exports write times, and the SQL that brings each to the contract's form.

use crate::source::instant_of_text;

/// How a column writes its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    /// Year first, as the contract reads it: `2018-08-01`, `2018-08-01 12:30:00`, `2018-08-01T12:30:00Z`.
    Iso,
    /// Numbers of day, month and year with one separator: `31/12/2018`, `1.2.2018 09:30`. A time of day may follow a space.
    Parts {
        /// Between the numbers.
        separator: char,
        /// Which number is which.
        order: PartOrder,
    },
    /// Eight digits: `20181231`.
    EightDigits,
    /// Six digits, the year by its last two (1970 to 2069): `181231`.
    SixDigits,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
    /// A column whose file says that it is a date or an instant.
    Native,
}

/// Order of day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "what comes first is what they say")]
pub enum PartOrder {
    /// `31/12/2018`.
    DayFirst,
    /// `12/31/2018`.
    MonthFirst,
    /// `2018/12/31`.
    YearFirst,
}

/// Epochs outside 1990 to 2100 are other numbers.
const EPOCH_SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;
/// Of the cells that are there, so many must be read: exports have strays.
const ENOUGH: f64 = 0.97;

impl TimeForm {
    /// The form that reads the cells, and whether it is certain: `01/02/2018` on every row may be either order.
    ///
    /// Digits alone are times only where the caller says that the column's name asks for a time.
    #[must_use]
    pub fn of(cells: &[&str], digits_are_times: bool) -> Option<(Self, bool)> {
        let reads = |form: Self| {
            let read = cells.iter().filter(|cell| form.micros(cell).is_some()).count();
            !cells.is_empty() && read as f64 >= ENOUGH * cells.len() as f64
        };
        if reads(Self::Iso) {
            return Some((Self::Iso, true));
        }
        for separator in ['/', '.', '-'] {
            let parts = |order| Self::Parts { separator, order };
            if reads(parts(PartOrder::YearFirst)) {
                return Some((parts(PartOrder::YearFirst), true));
            }
            let is_certain = reads(parts(PartOrder::DayFirst)) != reads(parts(PartOrder::MonthFirst));
            for order in [PartOrder::DayFirst, PartOrder::MonthFirst] {
                if reads(parts(order)) {
                    return Some((parts(order), is_certain));
                }
            }
        }
        if reads(Self::EightDigits) {
            return Some((Self::EightDigits, true));
        }
        let digits = [Self::EpochSeconds, Self::EpochMillis, Self::SixDigits];
        digits.into_iter().find(|form| digits_are_times && reads(*form)).map(|form| (form, form != Self::SixDigits))
    }

    /// A cell as UTC microseconds, if it has this form.
    #[must_use]
    pub fn micros(self, cell: &str) -> Option<i64> {
        let cell = cell.trim();
        let digits = |length: usize| cell.len() == length && cell.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Iso => cell.contains('-').then(|| instant_of_text(cell)).flatten(),
            Self::Native => instant_of_text(cell),
            Self::Parts { separator, order } => {
                let (date, rest) = cell.split_once(' ').map_or((cell, ""), |(date, rest)| (date, rest));
                let parts: Vec<&str> = date.split(separator).collect();
                let [a, b, c] = parts.as_slice() else { return None };
                let (year, month, day) = match order {
                    PartOrder::DayFirst => (c, b, a),
                    PartOrder::MonthFirst => (c, a, b),
                    PartOrder::YearFirst => (a, b, c),
                };
                let is_date = year.len() == 4 && [month, day].iter().all(|part| (1..=2).contains(&part.len()));
                // `9:05` is five past nine.
                let space = match rest.find(':') {
                    None => "",
                    Some(1) => " 0",
                    Some(_) => " ",
                };
                is_date.then(|| instant_of_text(&format!("{year}-{month:0>2}-{day:0>2}{space}{rest}"))).flatten()
            }
            Self::EightDigits if digits(8) => {
                let (year, rest) = cell.split_at_checked(4)?;
                let (month, day) = rest.split_at_checked(2)?;
                instant_of_text(&format!("{year}-{month}-{day}"))
            }
            Self::SixDigits if digits(6) => {
                let (year, rest) = cell.split_at_checked(2)?;
                let (month, day) = rest.split_at_checked(2)?;
                let century = if year < "70" { "20" } else { "19" };
                instant_of_text(&format!("{century}{year}-{month}-{day}"))
            }
            Self::EpochSeconds => seconds(cell),
            Self::EpochMillis => cell
                .parse::<i64>()
                .ok()
                .and_then(|n| EPOCH_SECONDS.contains(&n.div_euclid(1_000)).then(|| n.checked_mul(1_000)).flatten()),
            Self::EightDigits | Self::SixDigits => None,
        }
    }

    /// SQL that gives the contract's form of a column, as text or as an instant. What does not have the form is passed on as it is, so that
    /// it is quarantined as it was written. `has_time_of_day`: a time follows the date.
    #[must_use]
    pub fn sql(self, column: &str, has_time_of_day: bool) -> String {
        match self {
            Self::Iso | Self::Native => column.to_owned(),
            Self::Parts { separator: s, order } => {
                let date = match order {
                    PartOrder::DayFirst => format!("%d{s}%m{s}%Y"),
                    PartOrder::MonthFirst => format!("%m{s}%d{s}%Y"),
                    PartOrder::YearFirst => format!("%Y{s}%m{s}%d"),
                };
                let times = if has_time_of_day { &[" %H:%M:%S", " %H:%M", ""][..] } else { &[""] };
                read_or_as_written(column, &times.iter().map(|time| format!("'{date}{time}'")).collect::<Vec<_>>())
            }
            Self::EightDigits => read_or_as_written(column, &["'%Y%m%d'".to_owned()]),
            Self::SixDigits => {
                let part = |from: u8| format!("SUBSTR({column}, {from}, 2)");
                format!(
                    "CASE WHEN {column} LIKE '______' THEN CASE WHEN {year} < '70' THEN '20' ELSE '19' END || {year} || '-' || {} || '-' || {} \
                     ELSE {column} END",
                    part(3),
                    part(5),
                    year = part(1)
                )
            }
            Self::EpochSeconds => format!("CAST(TRY_CAST({column} AS BIGINT) * 1000000 AS TIMESTAMP)"),
            Self::EpochMillis => format!("CAST(TRY_CAST({column} AS BIGINT) * 1000 AS TIMESTAMP)"),
        }
    }

    /// Whether [`Self::sql`] gives a time of day even where the cells have none.
    #[must_use]
    pub const fn adds_midnight(self) -> bool {
        matches!(self, Self::Parts { .. } | Self::EightDigits)
    }

    /// The form in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Iso => "year-month-day".to_owned(),
            Self::Parts { separator: s, order: PartOrder::DayFirst } => format!("day{s}month{s}year"),
            Self::Parts { separator: s, order: PartOrder::MonthFirst } => format!("month{s}day{s}year"),
            Self::Parts { separator: s, order: PartOrder::YearFirst } => format!("year{s}month{s}day"),
            Self::EightDigits => "yyyymmdd".to_owned(),
            Self::SixDigits => "yymmdd".to_owned(),
            Self::EpochSeconds => "seconds since 1970".to_owned(),
            Self::EpochMillis => "milliseconds since 1970".to_owned(),
            Self::Native => "date or instant of the file".to_owned(),
        }
    }
}

/// An instant as text, read by the first format that fits; else the cell as it was written.
fn read_or_as_written(column: &str, formats: &[String]) -> String {
    format!("COALESCE(CAST(try_strptime({column}, {}) AS VARCHAR), {column})", formats.join(", "))
}

fn seconds(cell: &str) -> Option<i64> {
    let n: i64 = cell.parse().ok()?;
    EPOCH_SECONDS.contains(&n).then(|| n.checked_mul(1_000_000)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart_by_what_they_read() {
        let parts = |separator, order| TimeForm::Parts { separator, order };
        for (cells, form, is_certain) in [
            (vec!["2018-08-01", "2018-08-01 12:30:00"], TimeForm::Iso, true),
            (vec!["01/02/2018", "13/02/2018"], parts('/', PartOrder::DayFirst), true),
            (vec!["1/2/2018 9:05", "2/13/2018 10:05"], parts('/', PartOrder::MonthFirst), true),
            (vec!["01.02.2018"], parts('.', PartOrder::DayFirst), false),
            (vec!["2018/2/1"], parts('/', PartOrder::YearFirst), true),
            (vec!["20180201"], TimeForm::EightDigits, true),
            (vec!["1514736000"], TimeForm::EpochSeconds, true),
            (vec!["1514736000123"], TimeForm::EpochMillis, true),
            (vec!["930101"], TimeForm::SixDigits, false),
        ] {
            assert_eq!(TimeForm::of(&cells, true), Some((form, is_certain)), "{cells:?}");
        }
        assert_eq!(TimeForm::of(&["1514736000"], false), None, "a number is a time only where its name says so");
        assert_eq!(TimeForm::of(&["12345678"], false), None, "eight digits that are no date");
        assert_eq!(TimeForm::of(&[], true), None);
    }

    #[test]
    fn every_form_reads_the_instant_meant() {
        let day = Some(1_517_443_200_000_000);
        for (cell, form) in [
            ("2018-02-01", TimeForm::Iso),
            ("1/2/2018", TimeForm::Parts { separator: '/', order: PartOrder::DayFirst }),
            ("02-01-2018", TimeForm::Parts { separator: '-', order: PartOrder::MonthFirst }),
            ("20180201", TimeForm::EightDigits),
            ("180201", TimeForm::SixDigits),
            ("1517443200", TimeForm::EpochSeconds),
            ("1517443200000", TimeForm::EpochMillis),
        ] {
            assert_eq!(form.micros(cell), day, "{cell}");
        }
    }
}
