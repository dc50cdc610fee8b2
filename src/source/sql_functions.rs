//! Functions that the SELECTs of sources have beside the engine's: what nearly every export needs to become contract rows.
//!
//! Each looks at one row at a time. What it cannot read is null; a unit, pattern, format or currency that nobody could mean is an error.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::{Span, Timestamp, tz::TimeZone};
use polars::prelude::*;
use polars::sql::{FunctionOptions, FunctionRegistry};
use regex::Regex;

use super::amount_text::amount_in;
use super::cell;
use super::day_halves::with_english_half;
use super::month_names::in_english;
use super::wider::texts_of_doubles;
use crate::domain::{Currency, MICROS_PER_DAY, days_since_epoch};

/// The registry that the engine asks for functions it does not know.
pub(super) struct OwnFunctions;

impl FunctionRegistry for OwnFunctions {
    fn register(&mut self, name: &str, _: UserDefinedFunction) -> PolarsResult<()> {
        polars_bail!(ComputeError: "function {name} cannot be added")
    }

    fn get_udf(&self, name: &str) -> PolarsResult<Option<UserDefinedFunction>> {
        Ok(OwnFunction::named(name).map(OwnFunction::to_udf))
    }

    fn contains(&self, name: &str) -> bool {
        OwnFunction::named(name).is_some()
    }
}

/// Whether a name is that of a function here.
pub(super) fn is_own_function(name: &str) -> bool {
    OwnFunction::named(name).is_some()
}

/// Which argument of a function is a decimal mark, counted from 0.
pub(super) fn decimal_mark_of(name: &str) -> Option<usize> {
    match OwnFunction::named(name)? {
        OwnFunction::ToNumber => Some(1),
        OwnFunction::MinorUnits => Some(2),
        _ => None,
    }
}

/// What is wrong with an argument that has to be `written` out in the statement, and what is allowed; nothing where it may be a column.
pub(super) fn fault_of_constant(name: &str, at: usize, written: Option<String>) -> Option<(String, String)> {
    let function = OwnFunction::named(name)?;
    match written {
        None if function.is_constant(at) => {
            let message =
                format!("argument {} of {} is the same for all rows: it must be written out", at + 1, function.name());
            let help = match function {
                OwnFunction::DateTrunc => "the unit comes first: date_trunc('day', x)",
                OwnFunction::DateDiff => "the unit comes first: date_diff('day', from, to)",
                OwnFunction::MinorUnits | OwnFunction::ToNumber => "the decimal mark comes last: '.' or ','",
                _ => "a text or number in the statement itself, not a column; CASE chooses between several calls",
            };
            Some((message, help.to_owned()))
        }
        Some(code) if function == OwnFunction::MinorUnits && at == 1 && Currency::new(&code).is_err() => {
            let message = format!("{code:?} is not a currency");
            Some((message, "an ISO 4217 code, such as 'EUR', or a column that has it".to_owned()))
        }
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnFunction {
    TryStrptime,
    TryTimestamp,
    TryDate,
    TryBoolean,
    CastTimestamp,
    CastDate,
    CastBoolean,
    CastText,
    DateTrunc,
    DateDiff,
    AddMonths,
    AddDays,
    ToNumber,
    MinorUnits,
    RegexpReplace,
    RegexpExtract,
    GenerateSeries,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl OwnFunction {
    const ALL: [Self; 17] = [
        Self::TryStrptime,
        Self::TryTimestamp,
        Self::TryDate,
        Self::TryBoolean,
        Self::CastTimestamp,
        Self::CastDate,
        Self::CastBoolean,
        Self::CastText,
        Self::DateTrunc,
        Self::DateDiff,
        Self::AddMonths,
        Self::AddDays,
        Self::ToNumber,
        Self::MinorUnits,
        Self::RegexpReplace,
        Self::RegexpExtract,
        Self::GenerateSeries,
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::TryStrptime => "try_strptime",
            Self::TryTimestamp => "try_timestamp",
            Self::TryDate => "try_date",
            Self::TryBoolean => "try_boolean",
            Self::CastTimestamp => "cast_timestamp",
            Self::CastDate => "cast_date",
            Self::CastBoolean => "cast_boolean",
            Self::CastText => "cast_varchar",
            Self::DateTrunc => "date_trunc",
            Self::DateDiff => "date_diff",
            Self::AddMonths => "add_months",
            Self::AddDays => "add_days",
            Self::ToNumber => "to_number",
            Self::MinorUnits => "minor_units",
            Self::RegexpReplace => "regexp_replace",
            Self::RegexpExtract => "regexp_extract",
            Self::GenerateSeries => "generate_series",
        }
    }

    /// How many arguments it takes, at least and at most.
    const fn arguments(self) -> (usize, usize) {
        match self {
            Self::TryStrptime => (2, 16),
            Self::TryTimestamp
            | Self::TryDate
            | Self::TryBoolean
            | Self::CastTimestamp
            | Self::CastDate
            | Self::CastBoolean
            | Self::CastText => (1, 1),
            Self::DateTrunc | Self::AddMonths | Self::AddDays | Self::GenerateSeries => (2, 2),
            Self::DateDiff | Self::RegexpReplace => (3, 3),
            Self::ToNumber => (1, 2),
            Self::MinorUnits | Self::RegexpExtract => (2, 3),
        }
    }

    /// Whether an argument, counted from 0, is the same for all rows.
    const fn is_constant(self, at: usize) -> bool {
        match self {
            Self::TryStrptime | Self::RegexpReplace | Self::RegexpExtract => at > 0,
            Self::DateTrunc | Self::DateDiff => at == 0,
            Self::ToNumber => at == 1,
            // The currency may be that of the row.
            Self::MinorUnits => at == 2,
            Self::AddMonths
            | Self::AddDays
            | Self::TryTimestamp
            | Self::TryDate
            | Self::TryBoolean
            | Self::CastTimestamp
            | Self::CastDate
            | Self::CastBoolean
            | Self::CastText
            | Self::GenerateSeries => false,
        }
    }

    /// The argument that gives the result its name.
    const fn subject(self) -> usize {
        match self {
            Self::DateTrunc | Self::DateDiff => 1,
            _ => 0,
        }
    }

    fn gives(self) -> DataType {
        match self {
            Self::TryStrptime
            | Self::TryTimestamp
            | Self::CastTimestamp
            | Self::DateTrunc
            | Self::AddMonths
            | Self::AddDays => instant_type(),
            Self::TryDate | Self::CastDate => DataType::Date,
            Self::GenerateSeries => DataType::List(Box::new(DataType::Int64)),
            Self::TryBoolean | Self::CastBoolean => DataType::Boolean,
            Self::DateDiff | Self::MinorUnits => DataType::Int64,
            Self::ToNumber => DataType::Float64,
            Self::CastText | Self::RegexpReplace | Self::RegexpExtract => DataType::String,
        }
    }

    fn to_udf(self) -> UserDefinedFunction {
        let check = move |given: usize| {
            let (least, most) = self.arguments();
            polars_ensure!(
                (least..=most).contains(&given),
                InvalidOperation: "'{}' takes {least} to {most} arguments, and {given} are given; docs/sql.md shows it", self.name()
            );
            Ok(())
        };
        let field = move |_: &Schema, fields: &[Field]| {
            check(fields.len())?;
            let name = fields.get(self.subject()).map(|field| field.name().clone()).unwrap_or_default();
            Ok(Field::new(name, self.gives()))
        };
        let call = move |columns: &mut [Column]| {
            check(columns.len())?;
            let arguments = Arguments { function: self, columns };
            let name = columns.get(self.subject()).map(|column| column.name().clone()).unwrap_or_default();
            Ok(self.compute(&arguments)?.with_name(name).into_column())
        };
        let mut udf = UserDefinedFunction::new(self.name().into(), BaseColumnUdf::new(call, field));
        udf.options = FunctionOptions::elementwise();
        udf
    }

    fn compute(self, given: &Arguments<'_>) -> PolarsResult<Series> {
        let rows = given.rows();
        Ok(match self {
            Self::TryStrptime => {
                let texts = given.texts(0)?;
                let formats: Vec<String> =
                    (1..given.columns.len()).map(|at| given.constant(at)).collect::<Result<_, _>>()?;
                for format in &formats {
                    check_format(format)?;
                }
                instants(
                    (0..rows).map(|row| texts.get(row).and_then(|text| instant_by_formats(text.trim(), &formats))),
                )?
            }
            Self::TryTimestamp | Self::TryDate | Self::TryBoolean => cast(given.column(0)?, &self.gives(), false)?,
            Self::CastTimestamp | Self::CastDate | Self::CastBoolean => cast(given.column(0)?, &self.gives(), true)?,
            Self::CastText => match given.column(0)?.dtype() {
                DataType::Float32 | DataType::Float64 => {
                    texts_of_doubles(given.column(0)?.as_materialized_series())?.into_series()
                }
                _ => given.column(0)?.cast(&DataType::String)?.take_materialized_series(),
            },
            Self::DateTrunc => {
                let unit = given.unit(0)?;
                let times = given.times(1)?;
                instants((0..rows).map(|row| times.get(row).and_then(|micros| unit.begin(micros))))?
            }
            Self::DateDiff => {
                let unit = given.unit(0)?;
                let (from, to) = (given.times(1)?, given.times(2)?);
                let between = |row| unit.number(to.get(row)?)?.checked_sub(unit.number(from.get(row)?)?);
                (0..rows).map(between).collect::<Int64Chunked>().into_series()
            }
            Self::AddMonths | Self::AddDays => {
                let (times, counts) = (given.times(0)?, given.whole_numbers(1)?);
                let added = |row| {
                    let (at, count) = (civil(times.get(row)?)?, counts.get(row)?);
                    let none = Span::new();
                    let span = if self == Self::AddMonths { none.try_months(count) } else { none.try_days(count) };
                    micros_of(at.checked_add(span.ok()?).ok()?)
                };
                instants((0..rows).map(added))?
            }
            Self::ToNumber => {
                let texts = given.texts(0)?;
                let decimal = given.decimal_mark(1)?;
                let number = |row| amount_in(texts.get(row)?, decimal, None)?.parse::<f64>().ok();
                (0..rows).map(number).collect::<Float64Chunked>().into_series()
            }
            Self::MinorUnits => {
                let texts = given.texts(0)?;
                let codes = given.texts(1)?;
                let decimal = given.decimal_mark(2)?;
                let minor = |row| {
                    let currency = Currency::new(codes.get(row)?.trim()).ok()?;
                    minor_of(&amount_in(texts.get(row)?, decimal, Some(currency))?, currency.decimals())
                };
                (0..rows).map(minor).collect::<Int64Chunked>().into_series()
            }
            Self::RegexpReplace => {
                let (texts, pattern, with) = (given.texts(0)?, given.pattern(1)?, given.constant(2)?);
                let replaced = |row| texts.get(row).map(|text| pattern.replace_all(text, with.as_str()).into_owned());
                (0..rows).map(replaced).collect::<StringChunked>().into_series()
            }
            Self::RegexpExtract => {
                let (texts, pattern) = (given.texts(0)?, given.pattern(1)?);
                let group = if given.columns.len() > 2 { given.constant(2)?.parse().unwrap_or(-1) } else { 0 };
                let Some(group) = usize::try_from(group).ok().filter(|group| *group < pattern.captures_len()) else {
                    polars_bail!(InvalidOperation: "'regexp_extract': the pattern has no group {group}")
                };
                let found = |row| {
                    let text: &str = texts.get(row)?;
                    pattern.captures(text)?.get(group).map(|found| found.as_str().to_owned())
                };
                (0..rows).map(found).collect::<StringChunked>().into_series()
            }
            Self::GenerateSeries => {
                let (from, to) = (given.whole_numbers(0)?, given.whole_numbers(1)?);
                let ends = (0..rows).map(|row| Some((from.get(row)?, to.get(row)?)));
                series_of_numbers(ends).cast(&self.gives())?
            }
        })
    }
}

/// A cast to a time, a day, or true and false. A strict one is an error where a text cannot be read. Of other types than text the engine makes what it can.
fn cast(column: &Column, to: &DataType, is_strict: bool) -> PolarsResult<Series> {
    if *column.dtype() != DataType::String {
        let made = if is_strict { column.strict_cast(to) } else { column.cast(to) };
        return made.map(Column::take_materialized_series);
    }
    let day = |text: &str| i32::try_from(cell::instant(text)?.div_euclid(MICROS_PER_DAY)).ok();
    Ok(match to {
        DataType::Datetime(..) => instants(read_texts(column, "datetime", is_strict, cell::instant)?.into_iter())?,
        DataType::Date => {
            let days = read_texts(column, "date", is_strict, day)?;
            days.into_iter().collect::<Int32Chunked>().into_series().cast(to)?
        }
        _ => {
            let truths = read_texts(column, "bool", is_strict, |text| truth_of(text.trim()))?;
            truths.into_iter().collect::<BooleanChunked>().into_series()
        }
    })
}

/// What a text says that is true or false.
fn truth_of(text: &str) -> Option<bool> {
    const TRUE: [&str; 5] = ["true", "t", "yes", "y", "1"];
    const FALSE: [&str; 5] = ["false", "f", "no", "n", "0"];
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(&TRUE) { Some(true) } else { is_one_of(&FALSE).then_some(false) }
}

/// What every text that is there says. Where that has to be known, one that says nothing is told in the engine's words for its own casts.
fn read_texts<T>(
    column: &Column,
    kind: &str,
    is_strict: bool,
    read: impl Fn(&str) -> Option<T>,
) -> PolarsResult<Vec<Option<T>>> {
    const TOLD: usize = 5;
    let texts = column.str()?;
    let values: Vec<Option<T>> = texts.iter().map(|text| read(text?)).collect();
    if !is_strict {
        return Ok(values);
    }
    let mut wrong = texts.iter().zip(&values).filter_map(|(text, value)| text.filter(|_| value.is_none()));
    let told: Vec<&str> = wrong.by_ref().take(TOLD).collect();
    let count = told.len() + wrong.count();
    polars_ensure!(
        count == 0,
        InvalidOperation: "conversion from `str` to `{kind}` failed in column '{}' for {count} out of {} values: {told:?}",
        column.name(), texts.len()
    );
    Ok(values)
}

/// The whole numbers from one to another as a list; null where one of them is, or where there would be too many.
fn series_of_numbers(rows: impl Iterator<Item = Option<(i64, i64)>>) -> Series {
    /// More than the days of ten years, and few enough for a wrong number to do no harm.
    const LONGEST: i64 = 4_000;
    let lists: ListChunked = rows
        .map(|ends| {
            let (from, to) = ends?;
            let is_short = to.checked_sub(from).is_some_and(|more| more < LONGEST);
            is_short.then(|| (from..=to).map(Some).collect::<Int64Chunked>().into_series())
        })
        .collect();
    lists.into_series()
}

const fn instant_type() -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, None)
}

fn instants(micros: impl Iterator<Item = Option<i64>>) -> PolarsResult<Series> {
    micros.collect::<Int64Chunked>().into_series().cast(&instant_type())
}

/// The arguments of one call. One of a single row stands for all rows.
struct Arguments<'a> {
    function: OwnFunction,
    columns: &'a [Column],
}

/// Values of one argument, by row.
struct Values<C> {
    values: C,
    is_single: bool,
}

impl Values<StringChunked> {
    fn get(&self, row: usize) -> Option<&str> {
        self.values.get(if self.is_single { 0 } else { row })
    }
}

impl Values<Int64Chunked> {
    fn get(&self, row: usize) -> Option<i64> {
        self.values.get(if self.is_single { 0 } else { row })
    }
}

impl Arguments<'_> {
    fn rows(&self) -> usize {
        self.columns.iter().map(Column::len).find(|rows| *rows != 1).unwrap_or(1)
    }

    fn column(&self, at: usize) -> PolarsResult<&Column> {
        let name = self.function.name();
        self.columns.get(at).ok_or_else(|| polars_err!(InvalidOperation: "'{name}' lacks argument {}", at + 1))
    }

    fn texts(&self, at: usize) -> PolarsResult<Values<StringChunked>> {
        let column = self.column(at)?;
        let values = match column.dtype() {
            DataType::Float32 | DataType::Float64 => {
                let numbers = column.cast(&DataType::Float64)?;
                numbers.f64()?.iter().map(|n| n.filter(|n| n.is_finite()).map(|n| n.to_string())).collect()
            }
            _ => column.cast(&DataType::String)?.str()?.clone(),
        };
        Ok(Values { is_single: column.len() == 1, values })
    }

    /// Instants in UTC microseconds, of times, dates and texts in the contract's form.
    fn times(&self, at: usize) -> PolarsResult<Values<Int64Chunked>> {
        let column = self.column(at)?;
        let values: Int64Chunked = match column.dtype() {
            DataType::Null => Int64Chunked::full_null(column.name().clone(), column.len()),
            DataType::String => column.str()?.iter().map(|text| text.and_then(cell::instant)).collect(),
            DataType::Date | DataType::Datetime(..) => {
                column.cast(&instant_type())?.cast(&DataType::Int64)?.i64()?.clone()
            }
            other => {
                let (name, number) = (self.function.name(), at + 1);
                polars_bail!(InvalidOperation: "'{name}': argument {number} is {other}, and a time or a date is needed")
            }
        };
        Ok(Values { is_single: column.len() == 1, values })
    }

    fn whole_numbers(&self, at: usize) -> PolarsResult<Values<Int64Chunked>> {
        let column = self.column(at)?;
        let values = match column.dtype() {
            DataType::String => column.str()?.iter().map(|text| text.and_then(cell::whole_number)).collect(),
            _ => column.cast(&DataType::Int64)?.i64()?.clone(),
        };
        Ok(Values { is_single: column.len() == 1, values })
    }

    /// An argument that is the same for all rows.
    fn constant(&self, at: usize) -> PolarsResult<String> {
        let (name, number) = (self.function.name(), at + 1);
        let texts = self.texts(at)?;
        match texts.values.iter().next() {
            Some(Some(text)) if texts.is_single => Ok(text.to_owned()),
            _ => {
                polars_bail!(InvalidOperation: "'{name}': argument {number} must be written out, not taken from a column")
            }
        }
    }

    fn unit(&self, at: usize) -> PolarsResult<Unit> {
        let word = self.constant(at)?;
        Unit::named(&word).ok_or_else(|| {
            let name = self.function.name();
            polars_err!(InvalidOperation: "'{name}': {word:?} is not a unit; one of second, minute, hour, day, week, month, quarter, year")
        })
    }

    fn pattern(&self, at: usize) -> PolarsResult<Regex> {
        let text = self.constant(at)?;
        Regex::new(&text).map_err(|e| {
            let (name, why) = (self.function.name(), e.to_string());
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            polars_err!(InvalidOperation: "'{name}': {text:?} is not a regular expression: {why}")
        })
    }

    fn decimal_mark(&self, at: usize) -> PolarsResult<char> {
        if at >= self.columns.len() {
            return Ok('.');
        }
        match self.constant(at)?.as_str() {
            "." => Ok('.'),
            "," => Ok(','),
            other => {
                polars_bail!(InvalidOperation: "'{}': {other:?} is not a decimal mark; '.' or ','", self.function.name())
            }
        }
    }
}

impl Unit {
    fn named(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().trim_end_matches('s') {
            "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// Which unit of its kind an instant lies in, counted from some beginning: the difference of two is how many begin between them.
    fn number(self, micros: i64) -> Option<i64> {
        const SECOND: i64 = 1_000_000;
        let day = micros.div_euclid(MICROS_PER_DAY);
        let month = || civil(micros).map(|at| i64::from(at.year()) * 12 + i64::from(at.month()) - 1);
        Some(match self {
            Self::Second => micros.div_euclid(SECOND),
            Self::Minute => micros.div_euclid(60 * SECOND),
            Self::Hour => micros.div_euclid(3_600 * SECOND),
            Self::Day => day,
            // 1970-01-01 was a Thursday, and weeks begin on Monday.
            Self::Week => (day + 3).div_euclid(7),
            Self::Month => month()?,
            Self::Quarter => month()?.div_euclid(3),
            Self::Year => month()?.div_euclid(12),
        })
    }

    /// When the unit began that an instant lies in.
    fn begin(self, micros: i64) -> Option<i64> {
        let number = self.number(micros)?;
        let length = match self {
            Self::Second => 1_000_000,
            Self::Minute => 60_000_000,
            Self::Hour => 3_600_000_000,
            Self::Day => MICROS_PER_DAY,
            Self::Week => return (number * 7 - 3).checked_mul(MICROS_PER_DAY),
            Self::Month => return first_of_month(number),
            Self::Quarter => return first_of_month(number * 3),
            Self::Year => return first_of_month(number * 12),
        };
        number.checked_mul(length)
    }
}

fn first_of_month(number: i64) -> Option<i64> {
    let (year, month) = (i16::try_from(number.div_euclid(12)).ok()?, i8::try_from(number.rem_euclid(12) + 1).ok()?);
    let day = days_since_epoch(Date::new(year, month, 1).ok()?);
    i64::from(day).checked_mul(MICROS_PER_DAY)
}

fn civil(micros: i64) -> Option<DateTime> {
    Some(TimeZone::UTC.to_datetime(Timestamp::from_microsecond(micros).ok()?))
}

fn micros_of(at: DateTime) -> Option<i64> {
    TimeZone::UTC.to_timestamp(at).ok().map(Timestamp::as_microsecond)
}

/// A format is tried on nothing, which tells unknown directives.
fn check_format(format: &str) -> PolarsResult<()> {
    let sample: DateTime = DateTime::constant(2018, 1, 2, 3, 4, 5, 0);
    let zoned = sample.to_zoned(TimeZone::UTC);
    let written = zoned.and_then(|at| BrokenDownTime::from(&at).to_string(format));
    match written {
        Ok(_) if format.contains('%') => Ok(()),
        Ok(_) => {
            polars_bail!(InvalidOperation: "'try_strptime': {format:?} is not a format; one has directives such as '%d.%m.%Y %H:%M'")
        }
        Err(e) => polars_bail!(InvalidOperation: "'try_strptime': {format:?} is not a format: {e}"),
    }
}

/// The instant, in microseconds, that the first fitting format reads; without an offset it is UTC. Names of months may be of any language of
/// [`super::month_names`], and halves of the day as [`super::day_halves`] has them.
pub(crate) fn instant_by_formats(text: &str, formats: &[String]) -> Option<i64> {
    let by = |format: &String, text: &str| {
        let parts = BrokenDownTime::parse(format, text).ok()?;
        if parts.offset().is_some() {
            return parts.to_timestamp().ok().map(Timestamp::as_microsecond);
        }
        micros_of(parts.to_datetime().ok()?)
    };
    let has_halves = || formats.iter().any(|format| format.contains("%p"));
    let english_half = || if has_halves() { with_english_half(text) } else { None };
    let by_half = || english_half().and_then(|text| formats.iter().find_map(|format| by(format, &text)));
    formats.iter().find_map(|format| by(format, text)).or_else(by_half).or_else(|| {
        let named: Vec<&String> =
            formats.iter().filter(|format| format.contains("%b") || format.contains("%B")).collect();
        if named.is_empty() {
            return None;
        }
        let half = english_half();
        let english = in_english(half.as_deref().unwrap_or(text))?;
        named.into_iter().find_map(|format| by(format, &english))
    })
}

/// Exact minor units of a plain decimal number; half a unit is rounded away from zero.
fn minor_of(plain: &str, decimals: u32) -> Option<i64> {
    let is_negative = plain.starts_with('-');
    let unsigned = plain.trim_start_matches(['-', '+']);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut minor: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut digits = fraction.bytes().map(|digit| i64::from(digit - b'0'));
    for _ in 0..decimals {
        minor = minor.checked_mul(10)?.checked_add(digits.next().unwrap_or(0))?;
    }
    if digits.next().is_some_and(|next| next >= 5) {
        minor = minor.checked_add(1)?;
    }
    Some(if is_negative { -minor } else { minor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_become_minor_units_exactly() {
        for (text, decimal, decimals, minor) in [
            ("12.50", '.', 2, Some(1_250)),
            ("1,234.5", '.', 2, Some(123_450)),
            ("1.234,50 €", ',', 2, Some(123_450)),
            ("R$ 7", '.', 2, Some(700)),
            ("-0.005", '.', 2, Some(-1)),
            ("1.005", '.', 2, Some(101)),
            ("1.0049999", '.', 2, Some(100)),
            ("12", '.', 0, Some(12)),
            ("12.5", '.', 0, Some(13)),
            ("1.2345", '.', 3, Some(1_235)),
            ("90071992547409.93", '.', 2, Some(9_007_199_254_740_993)),
            ("99999999999999999999", '.', 2, None),
            ("1,23", '.', 2, None),
            ("about 5 or 6", '.', 2, None),
            ("", '.', 2, None),
        ] {
            assert_eq!(amount_in(text, decimal, None).and_then(|plain| minor_of(&plain, decimals)), minor, "{text}");
        }
    }

    #[test]
    fn months_and_days_beyond_the_calendar_are_null() {
        let rows = df!("d" => ["2018-01-31"; 5], "n" => [1, 12_000_000, 400_000_000_000, i64::MAX, i64::MIN]).unwrap();
        for function in ["add_months", "add_days"] {
            let text = format!("SELECT {function}(d, n) AS x FROM t");
            let tables = std::iter::once(("t".to_owned(), rows.clone().lazy()));
            let found = super::super::sql_run::execute(&text, tables).unwrap().collect().unwrap();
            let nulls: Vec<bool> = found.column("x").unwrap().is_null().iter().flatten().collect();
            assert_eq!(nulls, [false, true, true, true, true], "{function}");
        }
    }

    /// Units by counting: a day later is the next number exactly where the calendar says that a unit begins.
    #[test]
    fn units_begin_when_the_calendar_says() {
        let mut day = Date::constant(1999, 12, 20);
        while day < Date::constant(2004, 3, 10) {
            let next = day.tomorrow().unwrap();
            let micros = |day: Date| i64::from(days_since_epoch(day)) * MICROS_PER_DAY;
            for (unit, begins) in [
                (Unit::Day, true),
                (Unit::Week, next.weekday() == jiff::civil::Weekday::Monday),
                (Unit::Month, next.day() == 1),
                (Unit::Quarter, next.day() == 1 && [1, 4, 7, 10].contains(&next.month())),
                (Unit::Year, next.day() == 1 && next.month() == 1),
            ] {
                let step = unit.number(micros(next)).unwrap() - unit.number(micros(day) + 1).unwrap();
                assert_eq!(step, i64::from(begins), "{unit:?} {next}");
                if begins {
                    assert_eq!(unit.begin(micros(next) + 1), Some(micros(next)), "{unit:?} {next}");
                }
            }
            day = next;
        }
    }

    #[test]
    fn the_first_format_that_fits_reads() {
        let formats = ["%d.%m.%Y %H:%M", "%d/%m/%y", "%Y-%m-%dT%H:%M:%S%z"].map(str::to_owned);
        let at = |text| instant_by_formats(text, &formats).and_then(civil).map(|at| at.to_string());
        assert_eq!(at("01.02.2018 09:30").as_deref(), Some("2018-02-01T09:30:00"));
        assert_eq!(at("1/2/18").as_deref(), Some("2018-02-01T00:00:00"));
        assert_eq!(at("2018-02-01T00:00:00+0800").as_deref(), Some("2018-01-31T16:00:00"));
        assert_eq!(at("31.02.2018 09:30"), None);
        assert!(check_format("%Y-%m-%d").is_ok() && check_format("%K").is_err() && check_format("yyyy").is_err());
    }
}
