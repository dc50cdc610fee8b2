//! The forms in which exports write times, and the SQL that brings each to the contract's form.

use super::full_form::FullForm;
use crate::source::{instant_by_formats, instant_of_text};

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
    /// A month by its English name, or a year by its last two digits: the date's format, as `try_strptime` takes it. A time of day may follow a space.
    Written(&'static str),
    /// A month without a day, taken as its first: its format, as `try_strptime` takes it.
    Month(&'static str),
    /// A date and a time of day that are written together in a way of their own.
    Full(FullForm),
    /// Eight digits: `20181231`.
    EightDigits,
    /// Fourteen digits, to the second: `20181231093000`.
    FourteenDigits,
    /// Six digits, the year by its last two (1970 to 2069): `181231`.
    SixDigits,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMillis,
    /// Microseconds since 1970.
    EpochMicros,
    /// Nanoseconds since 1970.
    EpochNanos,
    /// Seconds since 1970 with their fraction: `1514736000.123`.
    EpochFractions,
    /// Days since the end of 1899 with their fraction, as sheets count them: `45321.52`.
    SheetDays,
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

/// What digits alone may be, by their column's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// The name asks for a time.
    AreTimes,
    /// The name says nothing: many cells that are all such times, and not all alike, are.
    MayBeTimes,
    /// The name asks for something else.
    AreNumbers,
}

/// Formats of dates that no other date is read by.
const NAMED_MONTHS: [&str; 20] = [
    "%d %b %Y",
    "%d-%b-%Y",
    "%d/%b/%Y",
    "%d %B %Y",
    "%d-%B-%Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%b-%d-%Y",
    "%d-%b-%y",
    "%d %b %y",
    "%b-%d-%y",
    "%d/%b/%y",
    "%d. %B %Y",
    "%d de %B de %Y",
    "%d de %b de %Y",
    "%d de %B de %Y %H:%M hs.",
    "%d de %B de %Y %H:%M hs",
    "%d %b %Y, %H:%M",
    "%Y年%m月%d日",
];
/// Formats of dates whose year has two digits, by separator: which number is which, rows tell.
const SHORT_YEARS: [[&str; 3]; 3] =
    [["%d/%m/%y", "%m/%d/%y", "%y/%m/%d"], ["%d.%m.%y", "%m.%d.%y", "%y.%m.%d"], ["%d-%m-%y", "%m-%d-%y", "%y-%m-%d"]];
/// So many dates show by how far they lie apart which number is the year.
const MANY_DATES: usize = 20;
/// Formats of months.
const MONTHS: [&str; 7] = ["%b-%Y", "%b %Y", "%B %Y", "%b-%y", "%m/%Y", "%m.%Y", "%Y-%m"];
/// Formats of months of six digits: the year's first two say which.
const MONTHS_OF_DIGITS: [&str; 2] = ["%Y%m", "%m%Y"];
/// Where a year has two digits, a format that asks for four reads a year of antiquity: nothing before 1900 is a date.
const EARLIEST_MICROS: i64 = -2_208_988_800_000_000;
/// 2100-01-01: six digits of a later month are something else.
const LATEST_OF_MONTHS: i64 = 4_102_444_800_000_000;
/// Times of day as they follow a date.
const TIMES_OF_DAY: [&str; 5] = [" %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", ""];
/// Of fewer cells, digits under a name that says nothing are numbers.
const MANY_CELLS: usize = 100;

/// Milliseconds under a name that says nothing lie in 2000 to 2040, or are other numbers.
const LIKELY_MILLIS: std::ops::Range<i64> = 946_684_800_000..2_208_988_800_000;
/// Epochs outside 1990 to 2100 are other numbers.
const EPOCH_SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;
/// Days of sheets outside 1968 to 2119 are other numbers.
const SHEET_DAYS: std::ops::Range<f64> = 25_000.0..80_000.0;
/// 1970-01-01 as sheets count it.
const SHEET_EPOCH: f64 = 25_569.0;
/// Of the cells that are there, so many must be read: exports have strays.
const ENOUGH: f64 = 0.97;

impl TimeForm {
    /// The form that reads the cells, and whether it is certain: `01/02/2018` on every row may be either order.
    ///
    /// What digits alone are, the caller says by the column's name.
    #[must_use]
    pub fn of(cells: &[&str], digits: Digits) -> Option<(Self, bool)> {
        let most_strays = (1.0 - ENOUGH) * cells.len() as f64;
        let reads = |form: Self| {
            let mut strays = 0.0;
            !cells.is_empty()
                && cells.iter().all(|cell| {
                    strays += if form.micros(cell).is_none() { 1.0 } else { 0.0 };
                    strays <= most_strays
                })
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
            let orders = if are_first_days_behind_months(cells, separator) {
                [PartOrder::MonthFirst, PartOrder::DayFirst]
            } else {
                [PartOrder::DayFirst, PartOrder::MonthFirst]
            };
            for order in orders {
                if reads(parts(order)) {
                    return Some((parts(order), is_certain));
                }
            }
        }
        if let Some(format) = NAMED_MONTHS.into_iter().find(|format| reads(Self::Written(format))) {
            return Some((Self::Written(format), true));
        }
        for formats in SHORT_YEARS {
            let mut fitting: Vec<(i64, &'static str)> = formats
                .into_iter()
                .filter(|format| reads(Self::Written(format)))
                .map(|format| (span(Self::Written(format), cells), format))
                .collect();
            fitting.sort_by_key(|(span, _)| *span);
            // Days that are taken for years lie decades apart.
            let is_certain = match fitting.as_slice() {
                [(best, _), (other, _), ..] => cells.len() >= MANY_DATES && best.saturating_mul(2) < *other,
                _ => true,
            };
            if let Some((_, format)) = fitting.first() {
                return Some((Self::Written(format), is_certain));
            }
        }
        if let Some(format) = MONTHS.into_iter().find(|format| reads(Self::Month(format))) {
            return Some((Self::Month(format), true));
        }
        if let Some(form) = [Self::EightDigits, Self::FourteenDigits].into_iter().find(|form| reads(*form)) {
            return Some((form, true));
        }
        if let Some((form, is_certain)) = FullForm::of(cells) {
            return Some((Self::Full(form), is_certain));
        }
        let by_digits = match digits {
            Digits::AreTimes => {
                const FORMS: [TimeForm; 7] = [
                    TimeForm::EpochSeconds,
                    TimeForm::EpochMillis,
                    TimeForm::EpochMicros,
                    TimeForm::EpochNanos,
                    TimeForm::EpochFractions,
                    TimeForm::SixDigits,
                    TimeForm::SheetDays,
                ];
                let months = MONTHS_OF_DIGITS.into_iter().map(Self::Month);
                // `200612` is December 2006 and the twelfth of June 2020: files of months are the commoner.
                months.chain(FORMS).find(|form| reads(*form))
            }
            Digits::MayBeTimes if cells.len() >= MANY_CELLS && cells.iter().any(|cell| Some(cell) != cells.first()) => {
                let all_read = |form: Self| cells.iter().all(|cell| form.micros(cell).is_some());
                let is_likely = |cell: &&str| cell.parse().is_ok_and(|n: i64| LIKELY_MILLIS.contains(&n));
                let is_millis = cells.iter().all(is_likely);
                let months = MONTHS_OF_DIGITS.into_iter().map(Self::Month);
                let mut of_six_digits = months.chain(std::iter::once(Self::SixDigits));
                is_millis.then_some(Self::EpochMillis).or_else(|| of_six_digits.find(|form| all_read(*form)))
            }
            Digits::MayBeTimes | Digits::AreNumbers => None,
        };
        by_digits.map(|form| (form, form != Self::SixDigits))
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
                if cell.ends_with(['m', 'M']) {
                    // A time of day by the half of the day: `9:05 PM`.
                    return likely_instant(cell, &with_times(&order.format(separator), true));
                }
                let (date, rest) = cell.split_once(' ').map_or((cell, ""), |(date, rest)| (date, rest));
                let parts: Vec<&str> = date.split(separator).collect();
                let [a, b, c] = parts.as_slice() else { return None };
                let (year, month, day) = match order {
                    PartOrder::DayFirst => (c, b, a),
                    PartOrder::MonthFirst => (c, a, b),
                    PartOrder::YearFirst => (a, b, c),
                };
                let is_date = year.len() == 4 && [month, day].iter().all(|part| (1..=2).contains(&part.len()));
                let rest = rest.trim_start();
                // What SQL reads by the same form: nothing behind the time of day.
                if !rest.bytes().all(|b| b.is_ascii_digit() || b == b':') {
                    return None;
                }
                // `9:05` is five past nine.
                let space = match rest.find(':') {
                    None => "",
                    Some(1) => " 0",
                    Some(_) => " ",
                };
                is_date.then(|| instant_of_text(&format!("{year}-{month:0>2}-{day:0>2}{space}{rest}"))).flatten()
            }
            Self::Written(format) => {
                let begins = cell
                    .bytes()
                    .next()
                    .is_some_and(|b| b.is_ascii_digit() || format.starts_with("%b") || format.starts_with("%B"));
                (begins && cell.len() <= 40).then(|| likely_instant(cell, &with_times(format, true))).flatten()
            }
            Self::Full(form) => form.micros(cell),
            // Far more six digits are other numbers: only months of our times are.
            Self::Month("%Y%m") if digits(6) => {
                let (year, month) = cell.split_at_checked(4)?;
                is_year_of_ours(year).then(|| instant_of_text(&format!("{year}-{month}-01"))).flatten()
            }
            Self::Month("%m%Y") if digits(6) => {
                let (month, year) = cell.split_at_checked(2)?;
                is_year_of_ours(year).then(|| instant_of_text(&format!("{year}-{month}-01"))).flatten()
            }
            Self::Month("%Y%m" | "%m%Y") => None,
            Self::Month(format) => {
                let is_likely = (5..=20).contains(&cell.len()) && cell.bytes().any(|b| b.is_ascii_digit());
                let read = || likely_instant(&format!("01 {cell}"), &[format!("%d {format}")]);
                // `240608` is no August of 2406.
                let is_of_ours = |micros: &i64| !MONTHS_OF_DIGITS.contains(&format) || *micros < LATEST_OF_MONTHS;
                is_likely.then(read).flatten().filter(is_of_ours)
            }
            Self::EightDigits if digits(8) => {
                let (year, rest) = cell.split_at_checked(4)?;
                let (month, day) = rest.split_at_checked(2)?;
                instant_of_text(&format!("{year}-{month}-{day}"))
            }
            Self::FourteenDigits if digits(14) => {
                let (date, time) = cell.split_at_checked(8)?;
                Self::EightDigits.micros(date)?;
                likely_instant(&format!("{date} {time}"), &["%Y%m%d %H%M%S".to_owned()])
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
            Self::EpochMicros => cell.parse::<i64>().ok().filter(|n| EPOCH_SECONDS.contains(&n.div_euclid(1_000_000))),
            Self::EpochNanos => cell
                .parse::<i64>()
                .ok()
                .filter(|n| EPOCH_SECONDS.contains(&n.div_euclid(1_000_000_000)))
                .map(|n| n.div_euclid(1_000)),
            Self::EpochFractions => {
                let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
                let are_digits = fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
                // Microseconds, as many as there are.
                let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok().filter(|_| are_digits)?;
                seconds(whole)?.checked_add(micros)
            }
            Self::SheetDays => {
                let days = cell.parse::<f64>().ok().filter(|days| SHEET_DAYS.contains(days))?;
                #[expect(clippy::cast_possible_truncation, reason = "within the range of days")]
                let seconds = ((days - SHEET_EPOCH) * 86_400.0).round() as i64;
                seconds.checked_mul(1_000_000)
            }
            Self::EightDigits | Self::FourteenDigits | Self::SixDigits => None,
        }
    }

    /// SQL that gives the contract's form of a column, as text or as an instant. What does not have the form is passed on as it is, so that
    /// it is quarantined as it was written. `has_time_of_day`: a time follows the date.
    #[must_use]
    pub fn sql(self, column: &str, has_time_of_day: bool) -> String {
        match self {
            Self::Iso | Self::Native => column.to_owned(),
            Self::Full(form) if form.is_instant() => {
                let quoted: Vec<String> = form.formats().iter().map(|format| format!("'{format}'")).collect();
                format!("try_strptime({column}, {})", quoted.join(", "))
            }
            Self::Full(form) => read_or_as_written(column, &form.formats()),
            Self::Parts { .. } | Self::Written(_) | Self::EightDigits | Self::FourteenDigits => {
                read_or_as_written(column, &self.formats(has_time_of_day))
            }
            Self::Month(format) => {
                format!("COALESCE(CAST(try_strptime('01 ' || {column}, '%d {format}') AS VARCHAR), {column})")
            }
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
            Self::EpochMicros => format!("CAST(TRY_CAST({column} AS BIGINT) AS TIMESTAMP)"),
            Self::EpochNanos => format!("CAST(DIV(TRY_CAST({column} AS BIGINT), 1000) AS TIMESTAMP)"),
            Self::EpochFractions => {
                format!("CAST(TRY_CAST(ROUND(TRY_CAST({column} AS DOUBLE) * 1000000) AS BIGINT) AS TIMESTAMP)")
            }
            Self::SheetDays => format!(
                "CAST(TRY_CAST(ROUND((TRY_CAST({column} AS DOUBLE) - 25569) * 86400) AS BIGINT) * 1000000 AS TIMESTAMP)"
            ),
        }
    }

    /// SQL that gives the contract's form of a column that is written in this form and in another one, which cannot be taken for each other.
    #[must_use]
    pub fn sql_with(self, other: Self, column: &str, has_time_of_day: bool) -> String {
        let mut formats = [self, other].iter().flat_map(|form| form.formats(has_time_of_day)).collect::<Vec<_>>();
        // `%Y` reads 24 as the year 24, `%y` does not read four digits.
        formats.sort_by_key(|format| !format.contains("%y"));
        read_or_as_written(column, &formats)
    }

    /// Forms of whole dates that are read by their format, or as they are.
    pub(super) fn of_dates() -> impl Iterator<Item = Self> {
        const ORDERS: [PartOrder; 3] = [PartOrder::YearFirst, PartOrder::DayFirst, PartOrder::MonthFirst];
        let parts =
            ['/', '.', '-'].into_iter().flat_map(|separator| ORDERS.map(|order| Self::Parts { separator, order }));
        let written = NAMED_MONTHS.into_iter().chain(SHORT_YEARS.into_iter().flatten()).map(Self::Written);
        std::iter::once(Self::Iso).chain(parts).chain([Self::EightDigits]).chain(written)
    }

    /// The formats of a form of whole dates; none for one that is read as it is.
    fn formats(self, has_time_of_day: bool) -> Vec<String> {
        match self {
            Self::Parts { separator, order } => with_times(&order.format(separator), has_time_of_day),
            Self::Written(format) => with_times(format, has_time_of_day),
            Self::EightDigits => vec!["%Y%m%d".to_owned()],
            Self::FourteenDigits => vec!["%Y%m%d%H%M%S".to_owned()],
            _ => Vec::new(),
        }
    }

    /// Whether [`Self::sql`] gives a time of day even where the cells have none.
    #[must_use]
    pub const fn adds_midnight(self) -> bool {
        matches!(self, Self::Parts { .. } | Self::Written(_) | Self::Month(_) | Self::EightDigits)
    }

    /// Whether [`Self::sql`] gives an instant, and not the text of one.
    #[must_use]
    pub fn gives_instants(self) -> bool {
        if let Self::Full(form) = self {
            return form.is_instant();
        }
        matches!(
            self,
            Self::Native
                | Self::EpochSeconds
                | Self::EpochMillis
                | Self::EpochMicros
                | Self::EpochNanos
                | Self::EpochFractions
                | Self::SheetDays
        )
    }

    /// The form in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Iso => "year-month-day".to_owned(),
            Self::Parts { separator: s, order: PartOrder::DayFirst } => format!("day{s}month{s}year"),
            Self::Parts { separator: s, order: PartOrder::MonthFirst } => format!("month{s}day{s}year"),
            Self::Parts { separator: s, order: PartOrder::YearFirst } => format!("year{s}month{s}day"),
            Self::Full(_) | Self::Written(_) | Self::Month(_) => {
                let mut words = match self {
                    Self::Full(form) => form.formats().into_iter().next().unwrap_or_default(),
                    Self::Written(format) | Self::Month(format) => format.to_owned(),
                    _ => String::new(),
                };
                for (directive, word) in [
                    ("%d", "day"),
                    ("%m", "month"),
                    ("%b", "month's name"),
                    ("%B", "month's name"),
                    ("%Y", "year"),
                    ("%y", "year's last two digits"),
                    ("%a", "weekday"),
                    ("%I", "hour"),
                    ("%H", "hour"),
                    ("%M", "minute"),
                    ("%S", "second"),
                    ("%.f", ".fraction"),
                    ("%p", "AM or PM"),
                    ("%:z", "offset"),
                    ("%z", "offset"),
                ] {
                    words = words.replace(directive, word);
                }
                words
            }
            Self::EightDigits => "yyyymmdd".to_owned(),
            Self::FourteenDigits => "yyyymmddhhmmss".to_owned(),
            Self::SixDigits => "yymmdd".to_owned(),
            Self::EpochSeconds => "seconds since 1970".to_owned(),
            Self::EpochMillis => "milliseconds since 1970".to_owned(),
            Self::EpochMicros => "microseconds since 1970".to_owned(),
            Self::EpochNanos => "nanoseconds since 1970".to_owned(),
            Self::EpochFractions => "seconds since 1970 with a fraction".to_owned(),
            Self::SheetDays => "days as sheets count them".to_owned(),
            Self::Native => "date or instant of the file".to_owned(),
        }
    }
}

impl PartOrder {
    /// The format of a date of these parts.
    fn format(self, s: char) -> String {
        match self {
            Self::DayFirst => format!("%d{s}%m{s}%Y"),
            Self::MonthFirst => format!("%m{s}%d{s}%Y"),
            Self::YearFirst => format!("%Y{s}%m{s}%d"),
        }
    }
}

/// A date's format alone, or with each time of day that may follow.
fn with_times(date: &str, has_time_of_day: bool) -> Vec<String> {
    let times = if has_time_of_day && !date.contains("%H") { &TIMES_OF_DAY[..] } else { &[""] };
    times.iter().map(|time| format!("{date}{time}")).collect()
}

/// An instant as text, read by the first format that fits; else the cell as it was written.
fn read_or_as_written(column: &str, formats: &[String]) -> String {
    let quoted: Vec<String> = formats.iter().map(|format| format!("'{format}'")).collect();
    format!("COALESCE(CAST(try_strptime({column}, {}) AS VARCHAR), {column})", quoted.join(", "))
}

/// From the first to the last of the dates, in microseconds.
fn span(form: TimeForm, cells: &[&str]) -> i64 {
    let micros = || cells.iter().filter_map(|cell| form.micros(cell));
    micros().max().unwrap_or(0).saturating_sub(micros().min().unwrap_or(0))
}

/// A date of our times, read by the first format that fits.
fn likely_instant(cell: &str, formats: &[String]) -> Option<i64> {
    instant_by_formats(cell, formats).filter(|micros| *micros >= EARLIEST_MICROS)
}

/// Whether dates have one second number and several first ones: `02/01/2024` among `03/01/2024` is the first of February, as files of months write it.
fn are_first_days_behind_months(cells: &[&str], separator: char) -> bool {
    const SEVERAL: usize = 4;
    let mut firsts: Vec<&str> = Vec::new();
    for cell in cells {
        // Files of months bear no time of day.
        if cell.contains(':') {
            return false;
        }
        let mut parts = cell.trim().split(separator);
        let (Some(first), Some("1" | "01")) = (parts.next(), parts.next()) else { return false };
        if !firsts.contains(&first) {
            firsts.push(first);
        }
    }
    firsts.len() >= SEVERAL
}

/// Whether four digits are a year that exports speak of.
fn is_year_of_ours(year: &str) -> bool {
    ("1990".."2100").contains(&year)
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
            (vec!["02/01/2018", "03/01/2018", "04/01/2018", "12/01/2018"], parts('/', PartOrder::MonthFirst), false),
            (vec!["01/02/2018", "01/03/2018", "01/04/2018", "01/12/2018"], parts('/', PartOrder::DayFirst), false),
            (vec!["20180201"], TimeForm::EightDigits, true),
            (vec!["20180201093000", "20181231235959"], TimeForm::FourteenDigits, true),
            (vec!["1514736000"], TimeForm::EpochSeconds, true),
            (vec!["1514736000123"], TimeForm::EpochMillis, true),
            (vec!["930101"], TimeForm::SixDigits, false),
            (vec!["1514736000123456"], TimeForm::EpochMicros, true),
            (vec!["1514736000123456789"], TimeForm::EpochNanos, true),
            (vec!["1514736000.25", "1514736001"], TimeForm::EpochFractions, true),
            (vec!["201802", "201912"], TimeForm::Month("%Y%m"), true),
            (vec!["022018", "122019"], TimeForm::Month("%m%Y"), true),
            (vec!["200512", "200601"], TimeForm::Month("%Y%m"), true),
            (vec!["240608", "240609"], TimeForm::SixDigits, false),
            (vec!["45321.520833", "45322"], TimeForm::SheetDays, true),
        ] {
            assert_eq!(TimeForm::of(&cells, Digits::AreTimes), Some((form, is_certain)), "{cells:?}");
        }
        assert_eq!(
            TimeForm::of(&["1514736000"], Digits::MayBeTimes),
            None,
            "a number is a time only where its name says so"
        );
        assert_eq!(TimeForm::of(&["12345678"], Digits::AreNumbers), None, "eight digits that are no date");
        assert_eq!(TimeForm::of(&[], Digits::AreTimes), None);
    }

    #[test]
    fn many_digits_are_times_without_a_name_where_all_of_them_can_be() {
        let texts =
            |first: i64, step: i64| -> Vec<String> { (0..120).map(|n| (first + n * step).to_string()).collect() };
        let of = |texts: &[String], digits| {
            TimeForm::of(&texts.iter().map(String::as_str).collect::<Vec<_>>(), digits).map(|(form, _)| form)
        };
        let millis = texts(1_700_000_000_000, 977_531);
        assert_eq!(of(&millis, Digits::MayBeTimes), Some(TimeForm::EpochMillis));
        assert_eq!(of(&millis, Digits::AreNumbers), None);
        assert_eq!(of(&millis[..50], Digits::MayBeTimes), None, "few cells show nothing");
        assert_eq!(of(&texts(5_550_000_000_000, 37), Digits::MayBeTimes), None, "past 2040: ids");
        assert_eq!(of(&texts(1_700_000_000, 3_600), Digits::MayBeTimes), None, "ten digits may be a telephone");
        let days: Vec<String> = (0..120).map(|n| format!("24{:02}{:02}", n % 12 + 1, n % 28 + 1)).collect();
        assert_eq!(of(&days, Digits::MayBeTimes), Some(TimeForm::SixDigits));
        assert_eq!(of(&texts(240_101, 1), Digits::MayBeTimes), None, "a counter leaves the calendar");
    }

    #[test]
    fn months_by_name_short_years_and_halves_of_the_day_are_read() {
        for (cells, format, is_certain) in [
            (vec!["1 Mar 2024", "17 Oct 2024 09:30"], "%d %b %Y", true),
            (vec!["01-MAR-24", "13-feb-24"], "%d-%b-%y", true),
            (vec!["March 5, 2024"], "%B %d, %Y", true),
            (vec!["14 de marzo de 2024 15:32 hs.", "3 de mayo de 2023 08:01 hs."], "%d de %B de %Y %H:%M hs.", true),
            (vec!["14 dez 2023 10:00", "2 out 2023"], "%d %b %Y", true),
            (vec!["2024年3月14日 15:32"], "%Y年%m月%d日", true),
            (vec!["31.12.24", "01.02.24"], "%d.%m.%y", false),
            (vec!["12/31/24 9:05 PM"], "%m/%d/%y", true),
            (vec!["01/02/03"], "%d/%m/%y", false),
        ] {
            assert_eq!(
                TimeForm::of(&cells, Digits::AreNumbers),
                Some((TimeForm::Written(format), is_certain)),
                "{cells:?}"
            );
        }
        let days: Vec<String> =
            (0..40).map(|n| format!("{:02}/{:02}/{:02}", 23 + n % 2, n % 12 + 1, n % 28 + 1)).collect();
        let days: Vec<&str> = days.iter().map(String::as_str).collect();
        let year_first = Some((TimeForm::Written("%y/%m/%d"), true));
        assert_eq!(TimeForm::of(&days, Digits::AreNumbers), year_first, "read day first, they lie decades apart");
        let form = TimeForm::Parts { separator: '/', order: PartOrder::MonthFirst };
        assert_eq!(form.micros("2/1/2018 9:05 PM"), Some(1_517_443_200_000_000 + 75_900_000_000));
        assert_eq!(TimeForm::Written("%d %b %Y").micros("1 Feb 2018"), Some(1_517_443_200_000_000));
        for (cells, format) in
            [(vec!["Dec-2016", "May-2017"], "%b-%Y"), (vec!["2016-12"], "%Y-%m"), (vec!["12/2016"], "%m/%Y")]
        {
            assert_eq!(TimeForm::of(&cells, Digits::AreNumbers), Some((TimeForm::Month(format), true)), "{cells:?}");
        }
        assert_eq!(TimeForm::Month("%b-%Y").micros("Feb-2018"), Some(1_517_443_200_000_000));
        assert_eq!(TimeForm::of(&["May", "1 of 2"], Digits::AreNumbers), None);
    }

    #[test]
    fn every_form_reads_the_instant_meant() {
        let day = Some(1_517_443_200_000_000);
        for (cell, form) in [
            ("2018-02-01", TimeForm::Iso),
            ("1/2/2018", TimeForm::Parts { separator: '/', order: PartOrder::DayFirst }),
            ("02-01-2018", TimeForm::Parts { separator: '-', order: PartOrder::MonthFirst }),
            ("20180201", TimeForm::EightDigits),
            ("20180201000000", TimeForm::FourteenDigits),
            ("180201", TimeForm::SixDigits),
            ("1517443200", TimeForm::EpochSeconds),
            ("1517443200000", TimeForm::EpochMillis),
            ("1517443200000000", TimeForm::EpochMicros),
            ("1517443200000000999", TimeForm::EpochNanos),
            ("1517443200.000", TimeForm::EpochFractions),
            ("201802", TimeForm::Month("%Y%m")),
            ("022018", TimeForm::Month("%m%Y")),
            ("43132", TimeForm::SheetDays),
        ] {
            assert_eq!(form.micros(cell), day, "{cell}");
        }
    }
}
