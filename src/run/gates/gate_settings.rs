//! The section `[gates]` of the job file: how far a night's tables may fall behind the night before, and what is allowed by name.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::contract;
use crate::wash::JOINED;

/// What a table must keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableLimits {
    /// Largest share of clean rows that may be missing against the most that the table has had.
    pub fewer_rows_share: f64,
    /// Largest share of bytes that its files may be smaller than those of the night before.
    pub fewer_bytes_share: f64,
    /// Days that its last day of usual trade may be older than it usually is.
    pub days_older: u16,
    /// Days that the as-of date may lie past the day after its last day of usual trade.
    pub days_past_data: u16,
    /// Days that its last day of usual trade may lie before the day before as-of on a first night, when nothing says how old it usually is.
    pub first_night_days: u16,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self { fewer_rows_share: 0.02, fewer_bytes_share: 0.5, days_older: 2, days_past_data: 1, first_night_days: 3 }
    }
}

/// Days of rows of trade that have to be sent again: what most measures look back.
const ROWS_SENT_DAYS: u16 = 365;

/// What may be wrong with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// It was there the night before, or the job declares it and this is a first night; there is no file, or no row that can be seen.
    Absent,
    /// It has lost rows.
    FewerRows,
    /// Its files have shrunk.
    FewerBytes,
    /// Its last day of usual trade is older than it usually is.
    Older,
    /// The as-of date lies past its last day of usual trade.
    PastData,
    /// A column that had values has none or far fewer, or files that came since lack one that those before them have.
    ColumnLost,
    /// Files that it was made from are gone, while others of their input stand.
    FilesGone,
    /// Its files are named by day, and none came for a day that should have one.
    DayMissing,
    /// Its rows name people otherwise than orders do.
    OtherNames,
    /// The amounts of a day are of another order of magnitude than those of the weeks before.
    OtherUnit,
}

impl Fault {
    /// As written in the job file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::FewerRows => "fewer-rows",
            Self::FewerBytes => "fewer-bytes",
            Self::Older => "older",
            Self::PastData => "past-data",
            Self::ColumnLost => "column-lost",
            Self::FilesGone => "files-gone",
            Self::DayMissing => "day-missing",
            Self::OtherNames => "other-names",
            Self::OtherUnit => "other-unit",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A fault that the job lives with, for a time and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Contract table; [`JOINED`] for files whose rows are only joined to others.
    pub table: String,
    /// The fault.
    pub what: Fault,
    /// Last as-of date on which it holds.
    pub until: Date,
    /// Why.
    pub reason: String,
}

/// Gates on what the tables hold.
#[derive(Debug, Clone, PartialEq)]
pub struct GateSettings {
    limits: TableLimits,
    by_table: BTreeMap<String, TableLimits>,
    /// Rows of trade of so many days have to be sent again every night: what is missing of a merchant's stands among its broken records. None are
    /// missed with 0.
    pub rows_sent_days: u16,
    /// Faults allowed by name.
    pub allow: Vec<Allowance>,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            limits: TableLimits::default(),
            by_table: BTreeMap::new(),
            rows_sent_days: ROWS_SENT_DAYS,
            allow: Vec::new(),
        }
    }
}

impl GateSettings {
    /// The limits of a table.
    #[must_use]
    pub fn limits(&self, table: &str) -> TableLimits {
        self.by_table.get(table).copied().unwrap_or(self.limits)
    }

    /// The allowance that holds for a fault on a date, or the one that has expired.
    #[must_use]
    pub fn allowance(&self, table: &str, what: Fault, as_of: Date) -> (Option<&Allowance>, Option<&Allowance>) {
        let (holds, expired): (Vec<_>, Vec<_>) =
            self.allow.iter().filter(|a| a.table == table && a.what == what).partition(|a| as_of <= a.until);
        (holds.first().copied(), expired.last().copied())
    }
}

const FEWER_ROWS: Key = Key::new(
    "fewer_rows_share",
    "number",
    "0.02",
    "largest share of clean rows that may be missing against the most that the table has had",
)
.unit("share")
.range("0 to 1");
const FEWER_BYTES: Key = Key::new(
    "fewer_bytes_share",
    "number",
    "0.5",
    "largest share of bytes that its files may be smaller than the night before",
)
.unit("share")
.range("0 to 1");
const OLDER: Key =
    Key::new("days_older", "whole number", "2", "how much older than it usually is its last day of usual trade may be")
        .unit("days")
        .range("0 to 3660");
const PAST_DATA: Key = Key::new(
    "days_past_data",
    "whole number",
    "1",
    "how far as-of may lie past the day after its last day of usual trade",
)
.unit("days")
.range("0 to 3660");

const FIRST_NIGHT: Key = Key::new(
    "first_night_days",
    "whole number",
    "3",
    "how far its last day of usual trade may lie before the day before as-of on a first night, or twice the longest pause of its last half year \
     where that is more; a first night has no night before that says how old it usually is",
)
.unit("days")
.range("0 to 3660");

/// `[gates]` in the reference.
pub(in crate::run) static GATE_KEYS: Section = Section {
    head: "[gates]",
    doc: "How far a night's tables may fall behind the night before. The section may be left out.",
    keys: &[
        FEWER_ROWS.or("0.02"),
        FEWER_BYTES.or("0.5"),
        OLDER.or("2"),
        PAST_DATA.or("1"),
        FIRST_NIGHT.or("3"),
        Key::section("tables", "other limits for single tables").or("none"),
        Key::new(
            "rows_sent_days",
            "integer",
            "180",
            "rows of trade of so many days are sent again every night: those of a merchant that the night before had and tonight has not count as records that \
             cannot be read; 0 misses none, for a source that sends nothing twice or less than that, and looks at no growth of settled trade either (history-grew)",
        )
        .unit("days")
        .range("0 to 3660")
        .or("365"),
        Key::section("allow", "faults that the job lives with").or("none"),
    ],
};

/// `[gates.tables.…]` in the reference.
pub(in crate::run) static GATE_TABLE_KEYS: Section = Section {
    head: "[gates.tables.reviews]",
    doc: "Limits of one contract table.",
    keys: &[
        FEWER_ROWS.or("as in [gates]"),
        FEWER_BYTES.or("as in [gates]"),
        OLDER.or("as in [gates]"),
        PAST_DATA.or("as in [gates]"),
        FIRST_NIGHT.or("as in [gates]"),
    ],
};

/// `[[gates.allow]]` in the reference.
pub(in crate::run) static ALLOW_KEYS: Section = Section {
    head: "[[gates.allow]]",
    doc: "A fault that the job lives with, for a time and a reason.",
    keys: &[
        Key::new(
            "table",
            "word",
            "\"reviews\"",
            "the contract table; joined where files are gone whose rows are only joined to others",
        ),
        Key::new("what", "word", "\"absent\"", "the fault").range(
            "absent, fewer-rows, fewer-bytes, older, past-data, column-lost, files-gone, day-missing, other-names, other-unit",
        ),
        Key::new("until", "date", "\"2026-01-31\"", "last as-of date on which it is allowed"),
        Key::new("reason", "text", "\"the export is being moved\"", "why, for whoever reads the results"),
    ],
};

/// Limits as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    fewer_rows_share: Option<Spanned<f64>>,
    fewer_bytes_share: Option<Spanned<f64>>,
    days_older: Option<Spanned<i64>>,
    days_past_data: Option<Spanned<i64>>,
    first_night_days: Option<Spanned<i64>>,
}

/// `[gates]` as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct RawGates {
    fewer_rows_share: Option<Spanned<f64>>,
    fewer_bytes_share: Option<Spanned<f64>>,
    days_older: Option<Spanned<i64>>,
    days_past_data: Option<Spanned<i64>>,
    first_night_days: Option<Spanned<i64>>,
    rows_sent_days: Option<Spanned<i64>>,
    #[serde(default)]
    tables: BTreeMap<String, Spanned<RawLimits>>,
    #[serde(default)]
    allow: Vec<RawAllowance>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAllowance {
    table: Spanned<String>,
    what: Fault,
    until: Spanned<String>,
    reason: Spanned<String>,
}

impl RawGates {
    /// Checks the section.
    ///
    /// # Errors
    /// A limit out of range, an unknown table, an invalid date or a blank reason, with the line.
    pub(in crate::run) fn check(self, file: &ConfigFile) -> Result<GateSettings, ConfigError> {
        let Self {
            fewer_rows_share,
            fewer_bytes_share,
            days_older,
            days_past_data,
            first_night_days,
            rows_sent_days,
            tables,
            allow,
        } = self;
        let whole = RawLimits { fewer_rows_share, fewer_bytes_share, days_older, days_past_data, first_night_days };
        let limits = whole.check(file, TableLimits::default())?;
        let mut by_table = BTreeMap::new();
        for (table, raw) in tables {
            known_table(file, &raw.span(), &table)?;
            by_table.insert(table, raw.get_ref().check(file, limits)?);
        }
        let allow = allow.into_iter().map(|raw| file.part(None, || raw.check(file).map(Some)).transpose());
        let allow = allow.flatten().collect::<Result<_, _>>()?;
        let rows_sent_days = match rows_sent_days {
            None => ROWS_SENT_DAYS,
            Some(days) => bounds::whole(file, &days, "rows_sent_days", 0..3_661)?,
        };
        Ok(GateSettings { limits, by_table, rows_sent_days, allow })
    }
}

impl RawLimits {
    fn check(&self, file: &ConfigFile, base: TableLimits) -> Result<TableLimits, ConfigError> {
        let share = |value: &Option<Spanned<f64>>, key: &str, base: f64| {
            value.as_ref().map_or(Ok(base), |v| bounds::unit(file, v, key))
        };
        let days = |value: &Option<Spanned<i64>>, key: &str, base: u16| {
            value.as_ref().map_or(Ok(base), |v| bounds::whole(file, v, key, 0..3_661))
        };
        Ok(TableLimits {
            fewer_rows_share: share(&self.fewer_rows_share, "fewer_rows_share", base.fewer_rows_share)?,
            fewer_bytes_share: share(&self.fewer_bytes_share, "fewer_bytes_share", base.fewer_bytes_share)?,
            days_older: days(&self.days_older, "days_older", base.days_older)?,
            days_past_data: days(&self.days_past_data, "days_past_data", base.days_past_data)?,
            first_night_days: days(&self.first_night_days, "first_night_days", base.first_night_days)?,
        })
    }
}

impl RawAllowance {
    fn check(self, file: &ConfigFile) -> Result<Allowance, ConfigError> {
        if self.table.get_ref() != JOINED {
            known_table(file, &self.table.span(), self.table.get_ref())?;
        }
        let (until, reason) = bounds::allowed(file, &self.until, &self.reason)?;
        Ok(Allowance { table: self.table.into_inner(), what: self.what, until, reason })
    }
}

fn known_table(file: &ConfigFile, span: &std::ops::Range<usize>, table: &str) -> Result<(), ConfigError> {
    if contract::table(table).is_some() {
        return Ok(());
    }
    file.pass_over(file.refuse(span, format!("{table:?} is not a contract table"), contract::table_names()), ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use std::path::Path;

    fn read(text: &str) -> Result<GateSettings, ConfigError> {
        let file = ConfigFile::from_text(Path::new("gates.toml"), text);
        file.parse::<RawGates>().and_then(|raw| raw.check(&file))
    }

    #[test]
    fn what_is_not_said_has_a_default_and_a_table_may_differ() {
        let settings = read("days_older = 5\n[tables.reviews]\nfewer_rows_share = 0.5\n").unwrap();
        assert_eq!(settings.limits("orders"), TableLimits { days_older: 5, ..TableLimits::default() });
        let reviews = settings.limits("reviews");
        assert_eq!((reviews.days_older, reviews.fewer_rows_share), (5, 0.5));
        assert_eq!(read("").unwrap(), GateSettings::default());
    }

    #[test]
    fn an_allowance_expires() {
        let text = "[[allow]]\ntable = \"reviews\"\nwhat = \"absent\"\nuntil = \"2026-01-31\"\nreason = \"export is being moved\"\n";
        let settings = read(text).unwrap();
        let on = |day| settings.allowance("reviews", Fault::Absent, day);
        assert!(matches!(on(date(2026, 1, 31)), (Some(_), None)));
        assert!(matches!(on(date(2026, 2, 1)), (None, Some(_))));
        assert_eq!(settings.allowance("reviews", Fault::Older, date(2026, 1, 1)), (None, None));
        assert_eq!(settings.allowance("orders", Fault::Absent, date(2026, 1, 1)), (None, None));
        let joined = read(&text.replace("\"reviews\"", "\"joined\"").replace("absent", "files-gone")).unwrap();
        assert!(joined.allowance(JOINED, Fault::FilesGone, date(2026, 1, 31)).0.is_some(), "files have no table there");
    }

    #[test]
    fn mistakes_are_refused_with_their_line() {
        let allow = |table: &str, what: &str, until: &str, reason: &str| {
            format!("[[allow]]\ntable = \"{table}\"\nwhat = \"{what}\"\nuntil = \"{until}\"\nreason = \"{reason}\"\n")
        };
        for (text, line, why) in [
            ("fewer_rows_share = 1.5".to_owned(), 1, "not a share"),
            ("days_older = -1".to_owned(), 1, "out of range"),
            ("[tables.nothing]\ndays_older = 1".to_owned(), 1, "not a contract table"),
            (allow("nothing", "absent", "2026-01-31", "x"), 2, "not a contract table"),
            (allow("reviews", "gone", "2026-01-31", "x"), 3, "unknown variant"),
            (allow("reviews", "absent", "soon", "x"), 4, "not a date"),
            (allow("reviews", "absent", "2026-01-31", " "), 5, "blank"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.message.contains(why), "{text}: {error}");
            assert!(error.line.abs_diff(line) <= 1, "{text}: line {}", error.line);
        }
    }
}
